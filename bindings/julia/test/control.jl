# Loops and branches: over arrays as Julia's own loops, over symbols the same.

@testset "foreach sums rows" begin
    step(row, total) = (row .+ total, row .+ total)
    data, start = NDArray([1.0 2 3; 4 5 6]), mx.zeros(Float64, 2)
    sums, last = mx.foreach(step, data, start)
    @test sums == cumsum([1.0 2 3; 4 5 6]; dims = 2) && last == [6, 15]
    x, t = mx.@var x t
    node = mx.Group(mx.foreach(step, x, t)...)
    outputs = mx.CachedOp(node)(x = data, t = start)
    @test outputs[1] == sums && outputs[2] == last && Set(mx.list_arguments(node)) == Set([:x, :t])
end

@testset "loops over symbols read what is outside, and have gradients" begin
    x, t, w = mx.@var x t w
    @test error_of(() -> mx.foreach((row, s) -> (row, s), 3, t)).code === :INVALID_TYPE
    out, _ = mx.foreach((row, s) -> (row .* w .+ s, s .+ row), x, t)
    e = mx.bind(out, (x = NDArray([1.0 2 3]), t = mx.zeros(Float64, 1), w = NDArray([2.0]));
        args_grad = (w = mx.zeros(Float64, 1),))
    # row * w + what came before it.
    @test mx.forward(e; is_train = true)[1] == [2 4+1 6+3]
    mx.backward!(e, mx.ones(Float64, 1, 3))
    @test e.grad_dict[:w] == [6]
end

@testset "while loops end when the condition does" begin
    more(i, total) = i .< 4
    step(i, total) = ([total .+ i], [i .+ 1, total .+ i])
    (outs,), (i, total) = mx.while_loop(more, step, [NDArray([1.0]), NDArray([0.0])]; max_iterations = 5)
    @test outs == [1 3 6 0 0] && i == [4] && total == [6]
    a, b = mx.@var a b
    (node,), _ = mx.while_loop(more, step, [a, b]; max_iterations = 5)
    @test mx.CachedOp(node)(a = NDArray([1.0]), b = NDArray([0.0])) == [1 3 6 0 0]
end

@testset "a branch runs one of two" begin
    x, y = NDArray([3.0]), NDArray([2.0])
    @test mx.cond(x .> y, () -> x .+ 1, () -> y .- 1) == [4]
    a, b = mx.@var a b
    node = mx.cond(mx.sum(a) .> mx.sum(b), () -> a .+ 1, () -> b .- 1)
    @test mx.CachedOp(node)(a = x, b = y) == [4] && mx.CachedOp(node)(a = y, b = x) == [2]
    @test error_of(() -> mx.cond(a, () -> a, () -> [a, b])).code === :INVALID_VALUE
end
