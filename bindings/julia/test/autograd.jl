# Gradients, against what calculus says.

@testset "the gradient of a square is twice the number" begin
    x = NDArray([1.0 2; 3 4])
    mx.attach_grad!(x)
    y = mx.record() do
        x .* x
    end
    mx.backward!(y)
    @test mx.getgrad(x) == 2 .* Array(x) && mx.∇(x) == mx.getgrad(x)
    @test mx.is_recorded(y) && mx.getgrad(NDArray([1.0])) === nothing
end

@testset "heads weigh, gradients add, and a graph can be kept" begin
    x = mx.attach_grad!(NDArray([1.0, 2.0]), :add)
    y = mx.@record x .^ 3
    mx.backward!(y, NDArray([1.0, 10.0]); retain_graph = true)
    mx.backward!([y])
    @test mx.getgrad(x) ≈ [3 + 3, 120 + 12]
    @test error_of(() -> mx.backward!(y)).code === :AUTOGRAD
    @test error_of(() -> mx.attach_grad!(x, :sometimes)).code === :INVALID_VALUE
end

@testset "gradients have gradients" begin
    x = mx.attach_grad!(NDArray([2.0]))
    second = mx.record() do
        first = mx.grad(x .^ 3, x; create_graph = true)
        mx.grad(first, [x])[1]
    end
    @test second ≈ [12]
end

@testset "scopes nest, end with errors, and belong to their task" begin
    @test !mx.is_recording() && !mx.is_training()
    mx.record() do
        @test mx.is_recording() && mx.is_training()
        mx.pause(() -> @test(!mx.is_recording() && !mx.is_training()))
        mx.predict_mode(() -> @test(mx.is_recording() && !mx.is_training()))
        @test !fetch(@async mx.is_recording())
    end
    mx.record(() -> @test(!mx.is_training()), false)
    @test error_of(() -> mx.record(() -> error("no"))) isa ErrorException && !mx.is_recording()
    mx.train_mode(() -> @test(mx.is_training() && !mx.is_recording()))
end

@testset "slices, products and joins are differentiated" begin
    x = mx.attach_grad!(NDArray([1.0 2; 3 4]))
    y = mx.@record sum(x[:, 2] .* x[1, :]; dims = 1)
    mx.backward!(y)
    # 2 * 1 + 4 * 2 by each number.
    @test mx.getgrad(x) == [2 1 + 4; 0 2]
    w = mx.attach_grad!(NDArray([1.0 0; 0 1]))
    mx.backward!(mx.@record w * x)
    @test mx.getgrad(w) ≈ ones(2, 2) * [1.0 2; 3 4]'
end

@testset "a function of the user's has the gradient that it says" begin
    x = mx.attach_grad!(NDArray([1.0, 2.0]))
    y = mx.record() do
        mx.custom(v -> v .* 2, g -> g .* 100, x) .+ 1
    end
    mx.backward!(y)
    @test y == [3, 5] && mx.getgrad(x) == [100, 100]
    z = mx.record(() -> mx.custom(v -> v .* 2, g -> throw(KeyError(:mine)), x))
    @test error_of(() -> mx.backward!(z)) == KeyError(:mine)
    z = mx.record(() -> mx.custom(v -> v .* 2, g -> (g, g), x))
    @test error_of(() -> mx.backward!(z)).code === :INVALID_VALUE
end

@testset "what was recorded is a symbol" begin
    x, c = mx.attach_grad!(NDArray([1.0, 2.0])), NDArray([3.0, 4.0])
    symbol = mx.get_symbol(mx.record(() -> x .* c))
    @test mx.list_arguments(symbol) == [:var0, :null1]
    @test mx.forward(mx.bind(symbol, Dict(:var0 => c, :null1 => c)))[1] == [9, 16]
    @test error_of(() -> mx.get_symbol(c)).code === :AUTOGRAD
end
