# Creation, copies, dtypes, printing, equality.

@testset "an array has Julia's elements in Julia's order" begin
    a = Float32[1 2 3; 4 5 6]
    x = NDArray(a)
    @test x isa NDArray{Float32,2} && size(x) == (2, 3) && Array(x) == a
    @test x[2, 1] == 4 && x[3] == 2 && x[end] == 6
    # What MXNet calls axis 0 is the last: (3, 2) there.
    @test mx.shape_array(x) == [3, 2]
end

@testset "every dtype goes there and comes back" begin
    for T in (Float64, Float32, Float16, mx.BFloat16, Int64, Int32, Int8, UInt8, Bool)
        a = T[1, 0, 1]
        @test eltype(NDArray(a)) == T && Array(NDArray(a)) == a
    end
    @test NDArray([0x01 0x02]) isa NDArray{UInt8,2}
    @test NDArray(1:3) isa NDArray{Int64,1} && NDArray(Any[1, 2.5]) isa NDArray{Float64,1}
    @test NDArray(BitArray([true, false])) == [true, false]
    @test NDArray{Float16}([1, 2]) isa NDArray{Float16,1}
    @test error_of(() -> NDArray(["a"])).code === :DTYPE
end

@testset "bfloat16 rounds to the nearest, ties to even" begin
    # From the definition: 8 bits of significand, so 1 + 2^-8 lies in the middle of 1 and 1 + 2^-7.
    @test Float32(mx.BFloat16(1 + 2f0^-8)) == 1 && Float32(mx.BFloat16(1 + 3 * 2f0^-8)) == 1 + 2f0^-6
    @test isnan(mx.BFloat16(NaN)) && mx.BFloat16(3) + mx.BFloat16(4) == mx.BFloat16(7)
end

@testset "arrays without elements and without axes" begin
    @test size(mx.zeros(0, 3)) == (0, 3) && Array(mx.zeros(0, 3)) == Base.zeros(Float32, 0, 3)
    @test size(NDArray(2.5)) == () && Array(NDArray(2.5))[] == 2.5
    @test mx.scalar(NDArray(7)) == 7
end

@testset "makers fill as they say" begin
    @test mx.zeros(2, 3) == fill(0f0, 2, 3) && mx.ones(Int32, (2,)) == Int32[1, 1]
    @test mx.full(Float64, 1.5, (2, 2)) == fill(1.5, 2, 2)
    @test mx.eye(2, 3) == Float32[1 0 0; 0 1 0]
    @test mx.arange(1, 7; step = 2) == Float32[1, 3, 5]
    @test size(mx.empty(Float64, 4, 5)) == (4, 5) && error_of(() -> mx.empty(-1)).code === :SHAPE
    x = similar(mx.zeros(2, 2), Int64, (3,))
    @test x isa NDArray{Int64,1} && size(x) == (3,)
    @test zero(NDArray([1, 2])) == [0, 0]
end

@testset "a copy is another array, a reshaped one is the same" begin
    x = NDArray([1, 2, 3, 4])
    y, z = copy(x), reshape(x, 2, :)
    fill!(x, 9)
    @test y == [1, 2, 3, 4] && z == [9 9; 9 9] && vec(z) == [9, 9, 9, 9]
    copy!(x, [4, 3, 2, 1])
    @test z == [4 2; 3 1]
    a = Base.zeros(Int64, 4)
    copyto!(a, x)
    @test a == [4, 3, 2, 1] && convert(Array, x) == a && collect(x) == a
    @test_throws DimensionMismatch copyto!(a, NDArray([1]))
end

@testset "equality is of sizes and elements" begin
    @test NDArray([1, 2]) == [1, 2] && [1, 2] == NDArray([1, 2]) && NDArray([1, 2]) == NDArray([1.0, 2.0])
    @test NDArray([1, 2]) != NDArray([1, 3]) && NDArray([1 2]) != NDArray([1, 2])
    @test NDArray([1.0]) ≈ [1.0 + 1e-12] && hash(NDArray([1, 2])) == hash([1, 2])
end

@testset "an array prints as Julia's do" begin
    x = NDArray(Float32[1 2; 3 4])
    @test sprint(show, MIME("text/plain"), x) == "2×2 mx.NDArray{Float32,2} @ cpu(0):\n 1.0  2.0\n 3.0  4.0"
    @test sprint(show, NDArray([1, 2])) == "NDArray([1, 2])"
    @test startswith(sprint(show, MIME("text/plain"), mx.zeros(0)), "0-element mx.NDArray")
end

@testset "matrices multiply as Julia's" begin
    a, b, v = [1.0 2 3; 4 5 6], [1.0 2; 3 4; 5 6], [1.0, 2, 3]
    @test NDArray(a) * NDArray(b) == a * b && NDArray(a) * NDArray(v) == a * v
    @test NDArray(a)' == a' && permutedims(NDArray(a)) == permutedims(a)
    c = reshape(collect(1.0:24), 2, 3, 4)
    @test permutedims(NDArray(c), (3, 1, 2)) == permutedims(c, (3, 1, 2))
end

@testset "reductions and joins count axes as Julia does" begin
    a = [1.0 2 3; 4 5 6]
    x = NDArray(a)
    @test sum(x) == 21 && sum(x; dims = 1) == sum(a; dims = 1) && maximum(x; dims = 2) == maximum(a; dims = 2)
    @test prod(x) == 720 && minimum(x) == 1
    @test hcat(x, x) == hcat(a, a) && vcat(x, x) == vcat(a, a) && cat(x, x; dims = 2) == hcat(a, a)
    @test dropdims(sum(x; dims = 1); dims = 1) == [5, 7, 9]
end

@testset "random numbers follow the seed" begin
    mx.seed!(7)
    a = mx.rand(3, 4)
    mx.seed!(7)
    @test mx.rand(3, 4) == a && size(a) == (3, 4) && all(0 .<= Array(a) .< 1)
    @test abs(sum(mx.randn(10_000)) / 10_000) < 0.05
    @test mx.rand(2; low = 5, high = 6, dtype = Float64) isa NDArray{Float64,1}
end

@testset "memory is shared with arrays of Julia's" begin
    a = Float32[1 2; 3 4]
    x = mx.share(a)
    mx.add!(x, 1)
    mx.wait_to_write(x)
    @test a == [2 3; 4 5]
    y = NDArray([1.0, 2.0])
    view = mx.unsafe_array(y)
    view[1] = 8
    @test y == [8, 2]
end

@testset "arrays go through DLPack without a copy" begin
    x = NDArray([1.0 2; 3 4])
    y = mx.from_dlpack(mx.to_dlpack(x))
    fill!(x, 5)
    @test size(y) == (2, 2) && eltype(y) == Float64 && y == [5 5; 5 5]
end

@testset "what an array lends is given back" begin
    a = Base.zeros(1 << 16)
    before = count(o -> o === a, MXR.LENT.objects)
    x = mx.share(a)
    @test count(o -> o === a, MXR.LENT.objects) == before + 1
    close(x)
    MXR.poll()
    @test count(o -> o === a, MXR.LENT.objects) == before
end

@testset "devices are values" begin
    @test mx.context(mx.zeros(1)) == mx.cpu() && string(mx.gpu(1)) == "gpu(1)"
    @test mx.context(mx.context, mx.gpu(1)) == mx.gpu(1) && mx.context() == mx.cpu()
    @test error_of(() -> mx.zeros(2; ctx = mx.gpu())).code === :DEVICE
end
