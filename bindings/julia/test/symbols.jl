# Symbols: composition, names, attributes, inference, MXNet's JSON.

net() = mx.@chain mx.Variable(:data) =>
    mx.FullyConnected(name = :fc1, num_hidden = 4) =>
    mx.Activation(act_type = :relu, name = :relu1) =>
    mx.FullyConnected(name = :fc2, num_hidden = 3) =>
    mx.SoftmaxOutput(name = :softmax)

@testset "inputs that are not given become variables of MXNet's names" begin
    @test mx.list_arguments(net()) ==
        [:data, :fc1_weight, :fc1_bias, :fc2_weight, :fc2_bias, :softmax_label]
    @test mx.list_outputs(net()) == [:softmax_output] && mx.get_name(net()) === :softmax
    b = mx.BatchNorm(mx.Variable(:x), name = :bn)
    @test mx.list_auxiliary_states(b) == [:bn_moving_mean, :bn_moving_var]
end

@testset "inputs are given by position or by name" begin
    x, w = mx.@var x w
    a = mx.FullyConnected(x, w, num_hidden = 2, name = :f)
    b = mx.FullyConnected(weight = w, data = x, num_hidden = 2, name = :f)
    @test mx.list_arguments(a) == mx.list_arguments(b) == [:x, :w, :f_bias]
    @test error_of(() -> mx.FullyConnected(x, data = x, num_hidden = 2)).argument == "data"
    @test error_of(() -> mx.FullyConnected(data = 3, num_hidden = 2)).code === :INVALID_TYPE
end

@testset "names count, and scopes put prefixes and attributes" begin
    x = mx.Variable(:x)
    a, b = mx.get_name(exp.(x)), mx.get_name(exp.(x))
    number(name) = parse(Int, match(r"^exp(\d+)$", string(name))[1])
    @test number(b) == number(a) + 1
    y = mx.name_prefix(() -> mx.exp(x, name = :y), "net_")
    @test mx.get_name(y) === :net_y
    z = mx.attr_scope(() -> mx.exp(x, attrs = (mine = 2,)); ctx_group = "dev1")
    @test mx.get_attr(z, :mine) == "2" && mx.get_attr(z, :ctx_group) == "dev1"
    @test mx.get_attr(mx.set_attr(x, lr_mult = 2), :lr_mult) == "2"
    @test mx.get_attr(x, :nothing) === nothing
end

@testset "sizes follow in both directions, in Julia's order" begin
    arguments, outputs, states = mx.infer_shape(net(); data = (10, 32))
    @test arguments == [(10, 32), (10, 4), (4,), (4, 3), (3,), (32,)]
    @test outputs == [(3, 32)]
    @test isempty(states)
    @test mx.infer_shape(net()) === (nothing, nothing, nothing)
    @test mx.infer_shape(net(); partial = true, fc1_weight = (10, 4))[1][2] == (10, 4)
    types, _, _ = mx.infer_type(net(); data = Float16)
    @test all(T -> T == Float16, types)
    x = mx.Variable(:x; shape = (2, 3))
    @test mx.infer_shape(exp.(x))[2] == [(2, 3)]
end

@testset "parts are symbols" begin
    n = net()
    @test mx.list_outputs(mx.get_internals(n)[:fc1_output]) == [:fc1_output]
    @test :relu1_output in mx.list_outputs(mx.get_internals(n))
    @test mx.list_outputs(mx.get_children(n)) == [:fc2_output, :softmax_label]
    @test mx.get_children(mx.Variable(:x)) === nothing
    g = mx.Group(mx.Variable(:a), mx.Variable(:b))
    @test length(g) == 2 && [mx.get_name(p) for p in g] == [:a, :b] && mx.get_name(g[end]) === :b
    @test mx.list_arguments(exp.(mx.Variable(:a))(a = mx.Variable(:c))) == [:c]
end

@testset "JSON goes there and back" begin
    @test mx.to_json(mx.from_json(mx.to_json(net()))) == mx.to_json(net())
    @test occursin("\"op\": \"SoftmaxOutput\"", mx.to_json(net())) && occursin("(3, 5)",
        mx.to_json(mx.Convolution(mx.Variable(:x), kernel = (5, 3), num_filter = 2)))
    @test error_of(() -> mx.from_json("{")).code === :FORMAT
end

@testset "arithmetic on symbols is that of arrays" begin
    a, b = mx.@var a b
    x, y = NDArray([1.0, 2.0]), NDArray([4.0, 0.5])
    value(node) = mx.CachedOp(node)(; (n => Dict(:a => x, :b => y)[n] for n in mx.list_inputs(node))...)
    for f in ((a, b) -> a + b, (a, b) -> a .- b, (a, b) -> a .* b ./ 2, (a, b) -> 2 .^ a,
        (a, b) -> exp.(a) .+ 1, (a, b) -> a .> b, (a, b) -> max.(a, 1.5),
        (a, b) -> -a, (a, b) -> a .^ 2, (a, b) -> 3 ./ a)
        @test value(f(a, b)) ≈ f(Array(x), Array(y))
    end
end

@testset "a plan says what training takes" begin
    p = mx.plan(net(); data = (10, 32))
    # Two products, each forward and for the weights, and one for the data of the second.
    @test p.steps > 0 && p.flops >= 2 * 32 * (10 * 4 + 4 * 3) && 0 < p.peak_bytes <= p.unplanned_bytes
    @test occursin("FullyConnected", p.text)
    @test error_of(() -> mx.plan(net(); data = (10, 32), passes = (tidy = false,))).code === :NOT_FOUND
end
