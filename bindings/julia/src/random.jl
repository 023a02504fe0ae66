# Random numbers, of the library's generators.

"Seeds the random numbers of one device, or of all."
seed!(seed::Integer) = check(mxr_random_seed(UInt64(seed), Int32(0), Int32(0)))
seed!(seed::Integer, ctx::Context) = check(mxr_random_seed(UInt64(seed), ctx.kind, ctx.id))

"Numbers from `low` to below `high`, all equally likely."
rand(dims::Size...; low::Real = 0, high::Real = 1, dtype = Float32, ctx::Context = context()) =
    on(() -> mx._random_uniform(low = low, high = high, shape = sizes(dims...), dtype = dtype), ctx)
"Normally distributed numbers."
randn(dims::Size...; mean::Real = 0, std::Real = 1, dtype = Float32, ctx::Context = context()) =
    on(() -> mx._random_normal(loc = mean, scale = std, shape = sizes(dims...), dtype = dtype), ctx)

Random.rand!(x::NDArray; low::Real = 0, high::Real = 1) =
    mx._random_uniform(low = low, high = high, shape = size(x), dtype = eltype(x), out = x)
Random.randn!(x::NDArray; mean::Real = 0, std::Real = 1) =
    mx._random_normal(loc = mean, scale = std, shape = size(x), dtype = eltype(x), out = x)
