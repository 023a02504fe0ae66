# Elements and parts, against what Julia's arrays give.

const TABLE = reshape(collect(1.0:24), 2, 3, 4)

@testset "parts are what they are of Julia's arrays" begin
    a, x = TABLE, NDArray(TABLE)
    for index in ((:, :, :), (:, :, 2:3), (:, :, 4), (1, :, :), (:, 2, :), (1:2, 2:3, 1:2), (2, 3, :),
        (:, 3:-1:1, :), (:, :, 1:2:4), (:, 1, 4:-2:1), (:, :, 2:1))
        @test x[index...] == a[index...]
    end
    @test x[:] == a[:] && x[2, 3, 4] == 24 && NDArray([1, 2, 3])[3:-2:1] == [3, 1]
    @test x[:, [3, 1, 3], :] == a[:, [3, 1, 3], :] && NDArray([5, 6, 7])[[true, false, true]] == [5, 7]
    @test NDArray([5, 6, 7])[[3, 1]] == [7, 5]
end

@testset "a part in one piece shares memory, others are copies" begin
    x = NDArray(copy(TABLE))
    one, other = x[:, :, 2:3], x[1, :, :]
    fill!(one, 0)
    fill!(other, 7)
    @test x[1, 1, 2] == 0 && x[2, 3, 3] == 0 && x[1, 1, 1] == 1
    @test view(x, :, :, 1) == TABLE[:, :, 1] && error_of(() -> view(x, 1, :, :)).code === :UNSUPPORTED
end

@testset "assignment is as of Julia's arrays" begin
    for (index, value) in (((:, :, 2), 5.0), ((1, :, :), fill(3.0, 3, 4)), ((:, 2:3, 1:2:3), 9.0),
        ((:, :, 3:4), fill(2.0, 2, 3, 2)), ((2, 3, 4), 0.5), ((1, 2, 2:4), [7.0, 8.0, 9.0]))
        a, x = copy(TABLE), NDArray(TABLE)
        a[index...] = value isa Real && !(index isa Dims) ? fill(value, size(a[index...])) : value
        x[index...] = value
        @test x == a
    end
    x = NDArray([1.0, 2.0, 3.0])
    x[:] = 4
    @test x == [4, 4, 4]
    x[2:3] = NDArray([5.0, 6.0])
    x[1] = 0
    @test x == [0, 5, 6]
end

@testset "places outside are Julia's BoundsError" begin
    x = NDArray(TABLE)
    @test_throws BoundsError x[3, 1, 1]
    @test_throws BoundsError x[:, :, 5]
    @test_throws BoundsError x[:, 0:1, :]
    @test_throws BoundsError x[25]
    @test_throws BoundsError x[:, :, 5] = 1
end
