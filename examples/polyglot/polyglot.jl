# The training of README.md in Julia: `julia polyglot.jl train MODEL` or `julia polyglot.jl predict MODEL OUTPUT`.
# Sizes are in Julia's order: a column for each example.
using MXR

"The 600 examples and their labels."
function examples()
    mx.seed!(7)
    data = mx.random_normal(shape = (8, 600))
    return data, mx.argmax(mx.dot(data, mx.random_normal(shape = (3, 8))), axis = 1)
end

network() = mx.@chain mx.Variable(:data) =>
    mx.FullyConnected(name = :fc1, num_hidden = 32) => mx.Activation(name = :relu1, act_type = :relu) =>
    mx.FullyConnected(name = :fc2, num_hidden = 3) => mx.SoftmaxOutput(name = :softmax)

function train(file)
    data, label = examples()
    batches = mx.NDArrayIter(data, label; batch_size = 50, shuffle = true, seed = 7)
    model = mx.FeedForward(network())
    mx.fit(model, mx.SGD(learning_rate = 0.1, momentum = 0.9, rescale_grad = 1 / 50), batches; n_epoch = 4,
        initializer = mx.XavierInitializer())
    mx.save_model(file, mx.get_symbol(model), mx.get_params(model)...)
end

function predict(file, output)
    data, _ = examples()
    mx.save(output, [mx.Predictor(file)(data)])
end

ARGS[1] == "train" ? train(ARGS[2]) : predict(ARGS[2], ARGS[3])
