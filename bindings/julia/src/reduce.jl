# Julia's reductions, with `dims` as Julia counts them, and its functions that join arrays.

"Julia's axes, from 1, as the library's, from 0 and from the other end."
function axis_of(x, dim::Integer)
    1 <= dim <= ndims(x) || throw(DimensionMismatch("axis $dim of $(ndims(x))"))
    return ndims(x) - dim
end
axes_of(x, dims) = Tuple(axis_of(x, d) for d in dims)

"The only element of an array."
function scalar(x::NDArray)
    length(x) == 1 || refuse(:SHAPE, :x, "expected one element, got $(length(x))")
    return Array(x)[1]
end

for (f, operator) in ((:sum, :sum), (:prod, :prod), (:maximum, :max), (:minimum, :min))
    @eval Base.$f(x::NDArray; dims = :) =
        dims isa Colon ? scalar(mx.$operator(x)) : mx.$operator(x, axis = axes_of(x, dims), keepdims = true)
end

Base.cat(x::NDArray, rest::NDArray...; dims::Integer) = mx.Concat(x, rest..., dim = axis_of(x, dims))
Base.hcat(x::NDArray{T,2}, rest::NDArray{T,2}...) where {T} = cat(x, rest...; dims = 2)
Base.vcat(x::NDArray{T,N}, rest::NDArray{T,N}...) where {T,N} = cat(x, rest...; dims = 1)
Base.dropdims(x::NDArray; dims) =
    reshape(x, Tuple(size(x, d) for d in 1:ndims(x) if !(d in dims)))

for (f, operator) in ((:argmax, :argmax), (:argmin, :argmin))
    # MXNet's counts from 0 and drops the axis; Julia's own gives Cartesian indices.
    @eval Base.$f(x::NDArray; dims = :) = $f(Array(x); dims = dims)
end
