# New arrays.

const Size = Union{Integer,Tuple{Vararg{Integer}}}

sizes(dims::Integer...) = map(Int64, dims)
sizes(dims::Tuple) = map(Int64, dims)

"An array whose elements are not set, of these sizes in Julia's order."
function empty(::Type{T}, dims::Size...; ctx::Context = context()) where {T}
    dims = sizes(dims...)
    all(d -> d >= 0, dims) || refuse(:SHAPE, :dims, "expected sizes of 0 or more, got $dims")
    shape = reversed(dims)
    handle = made(out -> mxr_array_empty(shape, length(dims), dtype_code(T), ctx.kind, ctx.id, out))
    return NDArray{T,length(dims)}(handle)
end
empty(dims::Size...; ctx::Context = context()) = empty(Float32, dims...; ctx = ctx)

# Operators that create arrays take their device from the scope.
on(f, ctx) = ctx == context() ? f() : context(f, ctx)

"""
    zeros([T = Float32,] dims...; ctx)

An array of zeros.
"""
zeros(T::Type, dims::Size...; ctx::Context = context()) =
    on(() -> mx._zeros(shape = sizes(dims...), dtype = T), ctx)
zeros(dims::Size...; ctx::Context = context()) = zeros(Float32, dims...; ctx = ctx)

"""
    ones([T = Float32,] dims...; ctx)

An array of ones.
"""
ones(T::Type, dims::Size...; ctx::Context = context()) =
    on(() -> mx._ones(shape = sizes(dims...), dtype = T), ctx)
ones(dims::Size...; ctx::Context = context()) = ones(Float32, dims...; ctx = ctx)

"""
    full([T = Float32,] value, dims; ctx)

An array of one value.
"""
full(T::Type, value::Real, dims::Size; ctx::Context = context()) =
    on(() -> mx._full(shape = sizes(dims), dtype = T, value = value), ctx)
full(value::Real, dims::Size; ctx::Context = context()) = full(Float32, value, dims; ctx = ctx)

"""
    eye([T = Float32,] n[, m])

Ones on the diagonal of a matrix of zeros.
"""
eye(T::Type, n::Integer, m::Integer = n; ctx::Context = context()) =
    on(() -> mx._eye(N = m, M = n, dtype = T), ctx)
eye(n::Integer, m::Integer = n; ctx::Context = context()) = eye(Float32, n, m; ctx = ctx)

"""
    arange(start, stop; step = 1, dtype = Float32)

Numbers from `start` to before `stop`.
"""
arange(start::Real, stop::Real; step::Real = 1, dtype = Float32, ctx::Context = context()) =
    on(() -> mx._arange(start = start, stop = stop, step = step, dtype = dtype), ctx)

"A copy of an array of Julia's."
NDArray(a::AbstractArray; ctx::Context = context()) = NDArray(own_layout(a); ctx = ctx)
function NDArray(a::Array{T,N}; ctx::Context = context()) where {T<:DType,N}
    shape = reversed(Base.size(a))
    handle = GC.@preserve a made(out -> mxr_array_from_data(
        shape, N, dtype_code(T), ctx.kind, ctx.id, pointer(a), sizeof(a), out))
    return NDArray{T,N}(handle)
end
NDArray(x::NDArray; ctx::Context = context()) = copy(x; ctx = ctx)
NDArray{T}(a::AbstractArray; ctx::Context = context()) where {T} = NDArray(convert(Array{T}, a); ctx = ctx)
NDArray{T}(x::NDArray; ctx::Context = context()) where {T} = cast(x, T)
"An array without axes, of one number."
NDArray(v::Real; ctx::Context = context()) = NDArray(fill(v); ctx = ctx)

"An array as Julia lays it out, of a dtype that there is."
own_layout(a::AbstractArray{T}) where {T<:DType} = convert(Array{T}, a)
own_layout(a::AbstractArray{<:Integer}) = convert(Array{Int64}, a)
own_layout(a::AbstractArray{<:AbstractFloat}) = convert(Array{Float64}, a)
function own_layout(a::AbstractArray)
    T = mapreduce(typeof, promote_type, a; init = Union{})
    T <: Real || throw(MXError(:DTYPE, "expected numbers, got elements of type $(eltype(a))"))
    return own_layout(convert(Array{T}, a))
end
own_layout(a::BitArray) = convert(Array{Bool}, a)

Base.similar(x::NDArray{T}, ::Type{S}, dims::Dims) where {T,S} =
    S <: DType ? empty(S, dims; ctx = context(x)) : Array{S}(undef, dims)
Base.zero(x::NDArray) = mx.zeros_like(x)
Base.one(x::NDArray{T,2}) where {T} = eye(T, size(x)...)
