# Copies between arrays, and from and to Julia's memory.

"Waits and copies all elements to memory of exactly their size."
function read!(x::NDArray, pointer, bytes)
    wait(x)
    GC.@preserve x check(mxr_array_copy_to(live(x), pointer, bytes))
end

function Base.copyto!(a::Array{T}, x::NDArray{T}) where {T<:DType}
    length(a) == length(x) ||
        throw(DimensionMismatch("an array of $(length(x)) elements, room for $(length(a))"))
    GC.@preserve a read!(x, pointer(a), sizeof(a))
    return a
end
Base.copyto!(a::Array, x::NDArray) = copyto!(a, Array(x))

Base.Array(x::NDArray{T,N}) where {T,N} = copyto!(Array{T,N}(undef, size(x)), x)
Base.Array{S}(x::NDArray) where {S} = convert(Array{S}, Array(x))
Base.Array{S,N}(x::NDArray{T,N}) where {S,T,N} = convert(Array{S,N}, Array(x))
Base.convert(::Type{Array}, x::NDArray) = Array(x)
Base.convert(::Type{Array{S}}, x::NDArray) where {S} = Array{S}(x)
Base.convert(::Type{Array{S,N}}, x::NDArray{T,N}) where {S,T,N} = Array{S,N}(x)
Base.collect(x::NDArray) = Array(x)
Base.convert(::Type{NDArray}, x::NDArray) = x
Base.convert(::Type{NDArray}, a::AbstractArray) = NDArray(a)

"A copy on the device `ctx`."
function Base.copy(x::NDArray; ctx::Context = context(x))
    ctx == context(x) && return mx._copy(x)
    return copy!(empty(eltype(x), size(x); ctx = ctx), x)
end
Base.deepcopy_internal(x::NDArray, done::IdDict) = get!(() -> copy(x), done, x)

"Copies `from` to `to`, which has the same sizes."
function Base.copy!(to::NDArray{T}, from::NDArray{T}) where {T}
    GC.@preserve to from check(mxr_array_copy(live(from), live(to)))
    return to
end
Base.copy!(to::NDArray{T}, from::NDArray) where {T} = copy!(to, cast(from, T))
Base.copy!(to::NDArray, from::AbstractArray) = set!(to, from)
Base.copy!(to::NDArray{T,1} where {T}, from::AbstractVector) = set!(to, from)
Base.copy!(to::NDArray{T,1}, from::NDArray{T,1}) where {T} =
    invoke(copy!, Tuple{NDArray{T},NDArray{T}}, to, from)
Base.copy!(to::NDArray{T,1}, from::NDArray{S,1}) where {T,S} = copy!(to, cast(from, T))
Base.copy!(to::Vector, from::NDArray{T,1}) where {T} = copyto!(resize!(to, length(from)), from)
function set!(to::NDArray{T}, from) where {T}
    size(to) == size(from) ||
        throw(DimensionMismatch("an array of sizes $(size(to)), values of $(size(from))"))
    values = convert(Array{T}, from)
    wait_to_write(to)
    GC.@preserve to values check(mxr_array_copy_from(live(to), pointer(values), sizeof(values)))
    return to
end
Base.copy!(to::Array, from::NDArray) = copyto!(to, from)
Base.copyto!(to::NDArray, from::AbstractArray) =
    copy!(to, size(to) == size(from) ? from : reshape(from, size(to)))
Base.copyto!(to::NDArray, from::NDArray) = copy!(to, size(to) == size(from) ? from : reshape(from, size(to)))

"The same elements in another dtype; the array itself if that is its own."
cast(x::NDArray{T}, ::Type{T}) where {T} = x
cast(x::NDArray, ::Type{T}) where {T} = mx.Cast(x, dtype = T)
Base.convert(::Type{NDArray{T}}, x::NDArray) where {T} = cast(x, T)

Base.fill!(x::NDArray, value::Real) = mx._full(shape = size(x), dtype = eltype(x), value = value, out = x)

"The call's circumstances, for functions that take a pointer to them."
call_ref() = Ref(call_of(scope()))

"The same elements in other sizes, sharing memory; one size may be `:`."
Base.reshape(x::NDArray, dims::Tuple{Vararg{Union{Integer,Colon}}}) = reshaped(x, dims)
Base.reshape(x::NDArray, dims::Dims) = reshaped(x, dims)
Base.reshape(x::NDArray, dims::Union{Integer,Colon}...) = reshaped(x, dims)
Base.reshape(x::NDArray, dims::Int...) = reshaped(x, dims)
Base.reshape(x::NDArray, dims::Union{Int,Colon}...) = reshaped(x, dims)
Base.reshape(x::NDArray, dims::Tuple{Vararg{Union{Int,Colon}}}) = reshaped(x, dims)
Base.reshape(x::NDArray{T,1}, ::Colon) where {T} = x
Base.vec(x::NDArray) = reshaped(x, (:,))
Base.reshape(x::NDArray{T,N}, ::Val{N}) where {T,N} = x
function reshaped(x::NDArray{T}, dims) where {T}
    shape = reversed(map(d -> d isa Colon ? -1 : d, dims))
    call = call_ref()
    handle = GC.@preserve x made(out -> mxr_array_reshape(live(x), shape, length(shape), call, out))
    return NDArray{T,length(dims)}(handle)
end

"Another array over the same elements, which automatic differentiation knows nothing about."
detach(x::NDArray{T,N}) where {T,N} =
    NDArray{T,N}(GC.@preserve x made(out -> mxr_array_detach(live(x), out)))

# Equal sizes and elements.
Base.:(==)(a::NDArray, b::NDArray) = size(a) == size(b) && Array(a) == Array(b)
Base.:(==)(a::NDArray, b::AbstractArray) = size(a) == size(b) && Array(a) == b
Base.:(==)(a::AbstractArray, b::NDArray) = b == a
Base.isequal(a::NDArray, b::NDArray) = size(a) == size(b) && isequal(Array(a), Array(b))
Base.isapprox(a::NDArray, b::NDArray; keywords...) = isapprox(Array(a), Array(b); keywords...)
Base.isapprox(a::NDArray, b::AbstractArray; keywords...) = isapprox(Array(a), b; keywords...)
Base.isapprox(a::AbstractArray, b::NDArray; keywords...) = isapprox(a, Array(b); keywords...)
Base.hash(x::NDArray, h::UInt) = hash(Array(x), h)
