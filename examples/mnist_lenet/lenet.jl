# Trains LeNet on MNIST: `julia lenet.jl DATA [EPOCHS [IMAGES [MODEL]]]`.
#
# DATA is a folder with MNIST's four IDX files, as train.py reads them; `cargo xtask demo` fetches them. The
# trained network is written to the file MODEL, if one is named. bindings/julia/README.md says how the package
# is installed.

using MXR, Random

const BATCH = 64

"The bytes of an IDX file, in the sizes that its header gives, in Julia's order."
function read_idx(path)
    open(path) do file
        axes = read(file, 4)[4]
        sizes = [Int(ntoh(read(file, UInt32))) for _ in 1:axes]
        reshape(read(file), reverse(sizes)...)
    end
end

# Images of 28 × 28 with a channel, from 0 to 1, and the digits on them.
load(folder, part) = (reshape(read_idx("$folder/$part-images-idx3-ubyte"), 28, 28, 1, :),
    read_idx("$folder/$part-labels-idx1-ubyte"))
images(pixels, chosen) = NDArray(pixels[:, :, :, chosen] ./ 255.0f0)
labels(digits, chosen) = NDArray(Float32.(digits[chosen]))

"Weights that keep the size of what flows through them; biases of zero."
function initialize()
    shapes = ("conv1_weight" => (5, 5, 1, 20), "conv1_bias" => (20,), "conv2_weight" => (5, 5, 20, 50),
        "conv2_bias" => (50,), "fc1_weight" => (800, 500), "fc1_bias" => (500,), "fc2_weight" => (500, 10),
        "fc2_bias" => (10,))
    fill = mx.XavierInitializer(rnd_type = :uniform, factor_type = :in, magnitude = 6)
    made(name, shape) = mx.attach_grad!(mx.init!(fill, name, mx.zeros(shape)))
    return [Symbol(name) => made(name, shape) for (name, shape) in shapes]
end

# The scores of the ten digits: of arrays when training, of a symbol for the file.
pooled(x) = mx.Pooling(mx.relu(x), kernel = (2, 2), stride = (2, 2), pool_type = :max)
function lenet(x, p)
    x = pooled(mx.Convolution(x, p.conv1_weight, p.conv1_bias, kernel = (5, 5), num_filter = 20))
    x = pooled(mx.Convolution(x, p.conv2_weight, p.conv2_bias, kernel = (5, 5), num_filter = 50))
    x = mx.relu(mx.FullyConnected(x, p.fc1_weight, p.fc1_bias, num_hidden = 500))
    return mx.FullyConnected(x, p.fc2_weight, p.fc2_bias, num_hidden = 10)
end

"The part of the images that the network knows."
function accuracy((pixels, digits), params)
    known = 0.0
    for chosen in Iterators.partition(1:length(digits), 500)
        guess = mx.argmax_channel(lenet(images(pixels, chosen), params))
        known += sum(guess .== labels(digits, chosen))
    end
    return known / length(digits)
end

function progress(step, steps, start, loss)
    (isa(stderr, Base.TTY) && (step % 10 == 0 || step == steps)) || return
    done, left = 28step ÷ steps, (time() - start) / step * (steps - step)
    mean = round(mx.scalar(loss) / BATCH, digits = 4)
    print(stderr, "\r", "━"^done, "┈"^(28 - done), " loss ", mean, ", ", round(Int, left), " s left ")
    step == steps && print(stderr, "\r\e[K")
end

"One pass over the images; gives the mean loss."
function epoch((pixels, digits), order, params, update)
    total, steps, start = mx.zeros(1), length(order) ÷ BATCH, time()
    for step in 1:steps
        chosen = order[BATCH * (step - 1) + 1:BATCH * step]
        x, y = images(pixels, chosen), labels(digits, chosen)
        loss = mx.record(() -> mx.softmax_cross_entropy(lenet(x, params), y))
        mx.backward!(loss)
        mx.update!(update, values(params))
        mx.add!(total, reshape(mx.detach(loss), 1))
        progress(step, steps, start, loss)
    end
    return mx.scalar(total) / (BATCH * steps)
end

function train(folder, epochs, most)
    data, test = load(folder, "train"), load(folder, "t10k")
    n = min(most, length(data[2]))
    mx.seed!(1)
    random = MersenneTwister(1)
    params = (; initialize()...)
    # The learning rate rises for a moment, then falls to zero along a cosine.
    rate = mx.CosineScheduler(max_update = epochs * (n ÷ BATCH), base_lr = 0.05, warmup_steps = 100)
    update = mx.Updater(mx.SGD(momentum = 0.9, wd = 1e-4, rescale_grad = 1 / BATCH, lr_scheduler = rate))
    println("LeNet on $n images, mxr $(mx.version())")
    for i in 1:epochs
        start = time()
        loss = round(epoch(data, randperm(random, n), params, update), digits = 4)
        known = round(accuracy(test, params), digits = 4)
        println("epoch $i/$epochs: loss $loss, test $known, $(round(Int, time() - start)) s")
    end
    println("test accuracy: ", round(accuracy(test, params), digits = 4))
    return params
end

"Writes the network with its weights to one file, which predicts in every language."
function save(path, params)
    variables = (; (name => mx.Variable(name) for name in keys(params))...)
    node = mx.softmax(lenet(mx.Variable(:data), variables))
    mx.save_model(path, node, Dict(pairs(params)); inputs = [mx.Input(:data, (28, 28, 1, -1))])
    println(path)
end

function main(folder, epochs = "4", most = "60000", path = nothing)
    params = train(folder, parse(Int, epochs), parse(Int, most))
    path === nothing || save(path, params)
end

main(ARGS...)
