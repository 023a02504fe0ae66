# Dots, against what they are of Julia's arrays.

@testset "dots on two arrays are Julia's" begin
    a, b = [1.0 2; 3 4], [0.5 2; 3 0.25]
    x, y = NDArray(a), NDArray(b)
    for f in (+, -, *, /, ^, max, min, hypot)
        @test f.(x, y) ≈ f.(a, b)
    end
    for f in (>, >=, <, <=, ==, !=)
        @test f.(x, y) == f.(a, b)
    end
end

@testset "dots on an array and a number are Julia's, either way round" begin
    a = [1.0 2; 3 4]
    x = NDArray(a)
    for f in (+, -, *, /, ^, max, min, mod, hypot)
        @test f.(x, 2) ≈ f.(a, 2) && f.(2, x) ≈ f.(2, a)
    end
    for f in (>, >=, <, <=, ==, !=)
        @test f.(x, 2) == f.(a, 2) && f.(2, x) == f.(2, a)
    end
    @test x .^ 2 == a .^ 2 && x .^ 3 ≈ a .^ 3 && 2x == 2a && x / 2 == a / 2 && -x == -a && x + x == a + a
end

@testset "dots on one array are Julia's" begin
    a = [0.25 0.5; 0.75 0.125]
    for f in (abs, sqrt, cbrt, exp, expm1, log, log2, log10, log1p, sin, cos, tan, asin, acos, atan, sinh,
        cosh, tanh, asinh, atanh, abs2, inv, floor, ceil, trunc, sign, rad2deg, deg2rad)
        @test f.(NDArray(a)) ≈ f.(a)
    end
    # Julia's takes halves to even numbers, and no operator does.
    @test error_of(() -> round.(NDArray([0.5]))).code === :UNSUPPORTED
end

@testset "axes of size 1 and missing last axes spread" begin
    a, b, c = [1.0 2 3; 4 5 6], [10.0, 20.0], [1.0 2 3]
    x, y, z = NDArray(a), NDArray(b), NDArray(c)
    @test x .+ y == a .+ b && y .+ x == b .+ a && x .* z == a .* c && y .+ z == b .+ c
    @test x .+ b == a .+ b && b .* x == b .* a
    @test_throws MXError x .+ NDArray([1.0, 2.0, 3.0])
end

@testset "several dots make one expression, numbers and dtypes mix" begin
    a = [1.0 2; 3 4]
    x = NDArray(a)
    @test exp.(x .* 0.5 .+ 1) ./ (x .+ (2 + 1)) ≈ exp.(a .* 0.5 .+ 1) ./ (a .+ 3)
    @test eltype(NDArray(Float32[1]) .+ NDArray([1.0])) == Float64 && Float32.(x) isa NDArray{Float32,2}
    @test sum((x .> 1) .* x) == 9
end

@testset "assignment with dots writes into the array" begin
    x = mx.zeros(Float64, 2, 2)
    y = reshape(x, 4)
    x .= 3
    x .+= 1
    @test y == [4, 4, 4, 4]
    x .= NDArray([1.0, 2.0]) .* 2
    @test x == [2 2; 4 4]
    x[:, 2] .= 0
    @test x == [2 0; 4 0]
end

@testset "in-place functions change their first array" begin
    x, b = NDArray([1.0, 2.0]), NDArray([2.0, 4.0])
    mx.add!(x, b)
    mx.mul!(x, 3)
    mx.sub!(x, 1)
    mx.div!(x, b)
    @test x == [4, 4.25]
end

@testset "a function without an operator is named" begin
    e = error_of(() -> string.(NDArray([1.0])))
    @test e isa MXError && e.code === :UNSUPPORTED && occursin("string", e.message)
end
