# Errors say what is wrong, and where.

@testset "an error names operator, argument, what was expected and what came" begin
    e = error_of(() -> mx.broadcast_add(mx.zeros(2, 3), mx.zeros(4, 5)))
    @test e isa MXError && e.code === :SHAPE && e.operator == "broadcast_add"
    @test occursin("broadcast_add", sprint(showerror, e))
    @test startswith(sprint(showerror, e), "MXError SHAPE: ")
    e = error_of(() -> mx.Activation(mx.zeros(2), act_type = :rleu))
    @test e.argument == "act_type" && occursin("did you mean 'relu'", e.message)
    image, weight = mx.zeros(8, 8, 1, 1), mx.zeros(3, 3, 2, 4)
    e = error_of(() -> mx.Convolution(image, weight, kernel = (3, 3), num_filter = 4))
    @test e.code in (:SHAPE, :INVALID_VALUE) && e.operator == "Convolution"
end

@testset "values of no kind that an attribute has are refused" begin
    x = mx.zeros(2)
    @test error_of(() -> mx._plus_scalar(x, scalar = "one")).code === :INVALID_TYPE
    @test error_of(() -> mx._plus_scalar(x, scalar = Dict())).code === :INVALID_TYPE
    @test error_of(() -> mx.clip(x, a_min = 1im, a_max = 2)).code === :INVALID_TYPE
    @test error_of(() -> mx.Cast(x, dtype = ComplexF64)).code === :DTYPE
    @test error_of(() -> mx.Variable("a\0b")) isa Union{MXError,ArgumentError}
end

@testset "what lacks or is too much is Julia's error" begin
    @test error_of(() -> mx.Activation(mx.zeros(2))) isa UndefKeywordError
    @test error_of(() -> mx.exp(mx.zeros(2), mx.zeros(2))) isa MethodError
    @test error_of(() -> mx.exp(mx.zeros(2); scale = 2)) isa MethodError
    @test error_of(() -> mx.exp([1.0])) isa MethodError
end

@testset "a place for the result must fit" begin
    x = mx.zeros(2)
    @test mx.exp(x, out = x) === x && x == [1, 1]
    @test error_of(() -> mx.exp(x, out = mx.zeros(3))).code === :SHAPE
    @test error_of(() -> mx.exp(x, out = 3)).argument == "out"
    a, b = mx.split(NDArray([1.0, 2.0]), num_outputs = 2, axis = 0)
    @test a == [1] && b == [2]
end

@testset "help shows every operator with its attributes and defaults" begin
    for name in names(mx; all = true)
        f = getfield(mx, name)
        f isa Function && parentmodule(f) === mx || continue
        startswith(string(name), "#") && continue
        @test haskey(Base.Docs.meta(mx), Base.Docs.Binding(mx, nameof(f)))
    end
    text = string(Base.Docs.doc(Base.Docs.Binding(mx, :Convolution)))
    @test occursin("num_filter", text) && occursin("no_bias = false", text) && occursin("weight", text)
end
