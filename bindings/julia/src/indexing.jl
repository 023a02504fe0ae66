# Elements and parts of arrays, counted from 1. A part that lies in one piece, as x[:, 2:3], shares memory;
# others are copies.

const Whole = Union{Colon,AbstractUnitRange{<:Integer},Integer}
const Range = OrdinalRange{<:Integer,<:Integer}
const Part = Union{Colon,Range,Integer}

# Elements.
function Base.getindex(x::NDArray{T}, i::Int) where {T}
    @boundscheck checkbounds(x, i)
    wait(x)
    data = Ref{Ptr{Cvoid}}(C_NULL)
    return GC.@preserve x begin
        check(mxr_array_data(live(x), data))
        unsafe_load(Ptr{T}(data[]), i)
    end
end
Base.setindex!(x::NDArray, v::Real, i::Int) = set_element!(x, v, i)
Base.setindex!(x::NDArray{T,1}, v::Real, i::Int) where {T} = set_element!(x, v, i)
function set_element!(x, v, i)
    checkbounds(x, i)
    copy!(rows(vec(x), i:i), [v])
    return x
end

"The last axis from `r`, sharing memory."
function rows(x::NDArray{T,N}, r::AbstractUnitRange) where {T,N}
    call = call_ref()
    make(out) = mxr_array_slice(live(x), first(r) - 1, last(r), call, out)
    return NDArray{T,N}(GC.@preserve x made(make))
end
"Place `i` of the last axis, without that axis, sharing memory."
function row(x::NDArray{T,N}, i::Integer) where {T,N}
    call = call_ref()
    return NDArray{T,N - 1}(GC.@preserve x made(out -> mxr_array_at(live(x), i - 1, call, out)))
end

# Parts.
Base.getindex(x::NDArray, ::Colon) = vec(x)
Base.getindex(x::NDArray{T,1}, ::Colon) where {T} = x
Base.getindex(x::NDArray{T,1}, r::AbstractUnitRange{<:Integer}) where {T} = (checkbounds(x, r); rows(x, r))
Base.getindex(x::NDArray{T,1}, r::Range) where {T} = part(x, (r,))
Base.getindex(x::NDArray{T,N}, index::Vararg{Part,N}) where {T,N} = any_scalar(x, index)
Base.getindex(x::NDArray{T,N}, index::Vararg{Int,N}) where {T,N} = x[LinearIndices(x)[index...]]

"The last axis is a part and all others are whole, so it lies in one piece."
in_one_piece(x, index) = all(i -> i isa Colon, Base.front(index)) && last(index) isa Whole

function any_scalar(x, index)
    checkbounds(x, index...)
    in_one_piece(x, index) || return part(x, index)
    i = last(index)
    return i isa Colon ? x : i isa Integer ? row(x, i) : rows(x, i)
end

# First, last and step of an index, as the library's begin, end and step from 0.
bounds_of(::Colon) = (nothing, nothing, nothing)
bounds_of(i::Integer) = (i - 1, i, nothing)
function bounds_of(r::OrdinalRange)
    s = step(r)
    isempty(r) && return (0, 0, 1)
    stop = s > 0 ? last(r) : last(r) - 2
    # Before the first: no number says so.
    return (first(r) - 1, stop < 0 ? nothing : stop, s)
end

function part(x::NDArray, index)
    checkbounds(x, index...)
    bounds = map(bounds_of, index)
    out = mx.slice(x, begin_ = getindex.(bounds, 1), end_ = getindex.(bounds, 2), step = getindex.(bounds, 3))
    any(i -> i isa Integer, index) || return out
    return reshape(out, Tuple(size(out, d) for d in 1:ndims(x) if !(index[d] isa Integer)))
end

"Places of one axis, whole otherwise, as a copy."
function Base.getindex(x::NDArray{T,N}, index::Vararg{Union{Colon,AbstractVector{<:Integer}},N}) where {T,N}
    checkbounds(x, index...)
    chosen = findall(i -> !(i isa Colon), index)
    out = x
    for d in chosen
        places = index[d] isa AbstractVector{Bool} ? findall(index[d]) : index[d]
        out = mx.take(out, NDArray(Int64.(places) .- 1), axis = axis_of(x, d))
    end
    return out
end
Base.getindex(x::NDArray{T,1}, index::AbstractVector{<:Integer}) where {T} =
    invoke(getindex, Tuple{NDArray{T,1},Vararg{Union{Colon,AbstractVector{<:Integer}},1}}, x, index)

# Views of a part in one piece are arrays themselves.
Base.view(x::NDArray{T,N}, index::Vararg{Whole,N}) where {T,N} =
    in_one_piece(x, index) && !(N == 1 && index[1] isa Integer) ? any_scalar(x, index) :
    refuse(:UNSUPPORTED, :index,
        "a view must lie in one piece, as x[:, 2:3] does; x[$(join(index, ", "))] is a copy")

# Assignment.
Base.setindex!(x::NDArray, v, ::Colon) = (assign!(vec(x), v isa AbstractArray ? vec(v) : v); x)
Base.setindex!(x::NDArray{T,1}, v::AbstractArray, r::Range) where {T} = set_part!(x, v, (r,))
Base.setindex!(x::NDArray{T,1}, v::Real, r::Range) where {T} = set_part!(x, v, (r,))
Base.setindex!(x::NDArray{T,N}, v::Union{Real,AbstractArray}, index::Vararg{Part,N}) where {T,N} =
    set_part!(x, v, index)
Base.setindex!(x::NDArray{T,N}, v::Real, index::Vararg{Int,N}) where {T,N} =
    (checkbounds(x, index...); set_element!(x, v, LinearIndices(x)[index...]))

assign!(to::NDArray, v::Real) = fill!(to, v)
assign!(to::NDArray, v::AbstractArray) = copy!(to, size(v) == size(to) ? v : reshape(v, size(to)))

function set_part!(x::NDArray{T}, v, index) where {T}
    checkbounds(x, index...)
    in_one_piece(x, index) && return (assign!(any_scalar(x, index), v); x)
    bounds = map(bounds_of, index)
    starts, ends, steps = (getindex.(bounds, i) for i in 1:3)
    keywords = (begin_ = starts, end_ = ends, step = steps, out = x)
    if v isa Real
        mx._slice_assign_scalar(x; scalar = v, keywords...)
    else
        dims = Tuple(i isa Integer ? 1 : i isa Colon ? size(x, d) : length(i) for (d, i) in enumerate(index))
        mx._slice_assign(x, reshape(cast(convert(NDArray, v), T), dims); keywords...)
    end
    return x
end
