# Optimizers, schedules, initializers, against their definitions.

@testset "optimizers are made by name and by function, with MXNet's defaults" begin
    @test mx.get_lr(mx.SGD()) == 0.01 && mx.get_lr(mx.Optimizer(:sgd; learning_rate = 0.5)) == 0.5
    @test mx.get_lr(mx.Adam()) == 0.001
    @test error_of(() -> mx.Optimizer("none")).code === :NOT_FOUND
    @test error_of(() -> mx.SGD(momentum = "x")).code === :INVALID_TYPE
    for ((T, name), make) in MXR.REGISTERED
        T === mx.Optimizer && @test make() isa mx.Optimizer
    end
end

@testset "momentum carries steps on" begin
    w, g = NDArray([1.0]), NDArray([1.0])
    u = mx.Updater(mx.SGD(learning_rate = 0.1, momentum = 0.5))
    for _ in 1:2
        mx.update!(u, 1, w, g)
    end
    # 0.1, then 0.1 and half of it.
    @test w ≈ [1 - 0.1 - 0.15]
    states = mx.get_states(u)
    v = mx.Updater(mx.SGD(learning_rate = 0.1, momentum = 0.5))
    mx.set_states!(v, states)
    v(1, g, w)
    @test w ≈ [1 - 0.1 - 0.15 - 0.175]
end

@testset "a schedule says the learning rate" begin
    s = mx.FactorScheduler(step = 2, factor = 0.5, base_lr = 1)
    @test s(1) == 1 && s(3) == 0.5 && mx.get_lr(s, 5) == 0.25
    halved = mx.FactorScheduler(step = 1, factor = 0.5)
    w, u = NDArray([0.0]), mx.Updater(mx.SGD(learning_rate = 1, lr_scheduler = halved))
    foreach(_ -> mx.update!(u, 1, w, NDArray([1.0])), 1:3)
    # Halved at every update after the first.
    @test w ≈ [-(1 + 0.5 + 0.25)]
end

@testset "initializers fill by name" begin
    x = mx.full(7, (2, 2))
    @test mx.init!(mx.OneInitializer(), :fc_bias, copy(x)) == fill(0, 2, 2)
    @test mx.init!(mx.OneInitializer(), :fc_weight, copy(x)) == fill(1, 2, 2)
    @test fill!(copy(x), mx.ConstantInitializer(value = 3)) == fill(3, 2, 2)
    w = mx.zeros(100, 50)
    mx.XavierInitializer(factor_type = :in, magnitude = 3)(:w_weight, w)
    # Uniform within the root of 3 over the number of inputs.
    @test 0.15 < maximum(abs.(w)) <= sqrt(3 / 100) && mx.Initializer(:xavier) isa mx.Initializer
    @test fill!(mx.zeros(2), mx.parse_initializer("""["constant", {"value": 4}]""")) == [4, 4]
end

@testset "a network learns a line" begin
    mx.seed!(1)
    x = mx.randn(3, 64)
    y = NDArray(Float32[2 -1 0.5]) * x
    w = mx.attach_grad!(mx.zeros(1, 3))
    u = mx.Updater(mx.SGD(learning_rate = 0.3))
    for _ in 1:100
        loss = mx.@record mx.mean((w * x .- y) .^ 2)
        mx.backward!(loss)
        mx.update!(u, [w])
    end
    @test Array(w) ≈ [2 -1 0.5] atol = 1e-3
end
