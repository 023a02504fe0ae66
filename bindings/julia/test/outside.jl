# A program outside: the package as it was installed, with the library inside it.

using MXR

model = mx.@chain mx.Variable(:data) => mx.FullyConnected(name = :fc, num_hidden = 2) => mx.softmax()
scores = mx.Predictor(model, Dict(:fc_weight => mx.ones(3, 2), :fc_bias => mx.zeros(2)))(ones(Float32, 3, 4))
checks = (
    size(scores) == (2, 4) && Array(scores) == fill(0.5, 2, 4),
    startswith(mx.library(), dirname(dirname(pathof(MXR)))),
)
println(count(checks), " passed, ", count(!, checks), " failed")
