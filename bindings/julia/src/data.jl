# Data iterators: batches of arrays in memory, of files, of other iterators.

"""
Gives batches; see `mx.NDArrayIter` and so on. `for batch in iter` is an epoch: each has `data`, `label`,
`pad`, the number of examples at its end that only fill it up, and `index`, the examples' numbers from 1.
"""
mutable struct DataIter
    handle::Ptr{Cvoid}
    DataIter(handle::Ptr{Cvoid}) = finalizer(close, new(handle))
end
Base.close(x::DataIter) = freed!(x, mxr_data_iter_free)

struct Batch
    data::Vector{NDArray}
    label::Vector{NDArray}
    pad::Int
    index::Vector{Int}
end

# Names, or none, and arrays of what an iterator reads from.
named_arrays(::Nothing) = (nothing, NDArray[])
named_arrays(x::Union{NDArray,AbstractArray{<:Real}}) = (nothing, arrays_of(x))
named_arrays(x::Union{AbstractDict,NamedTuple}) = (Texts(String.(collect(keys(x)))), arrays_of(values(x)))
named_arrays(xs::Union{Tuple,AbstractVector}) = eltype(xs) <: Pair ?
    (Texts([String(first(x)) for x in xs]), arrays_of(last.(xs))) : (nothing, arrays_of(xs))
name_pointers(::Nothing) = C_NULL
name_pointers(names::Texts) = pointer(names.pointers)

function create(::Type{DataIter}, name, attrs, data = nothing, label = nothing, iters = ())
    values = mxr_attr_t[attrs...]
    (data_names, data_arrays), (label_names, label_arrays) = named_arrays(data), named_arrays(label)
    handles = Ptr{Cvoid}[live(i) for i in iters]
    make(out) = mxr_data_iter_create(name, values, length(values), name_pointers(data_names),
        handles_of(data_arrays), length(data_arrays), name_pointers(label_names), handles_of(label_arrays),
        length(label_arrays), handles, length(handles), out)
    return DataIter(GC.@preserve data_names data_arrays label_names label_arrays iters made(make))
end

"A name with sizes in Julia's order, of which the last is that of the batch, and a dtype."
struct DataDesc
    name::Symbol
    shape::Tuple{Vararg{Int}}
    dtype::DataType
end

# From a function of the library that gives names, and one that gives shapes and dtypes.
function descs(names, desc)
    dims, ndim, code = Base.zeros(Int64, 32), Ref{Int32}(0), Ref{Int32}(0)
    return map(enumerate(taken_texts(names))) do (i, name)
        check(desc(i - 1, dims, length(dims), ndim, code))
        DataDesc(Symbol(name), Tuple(Int(dims[k]) for k in ndim[]:-1:1), dtype_of(code[]))
    end
end
iter_descs(iter, list) = GC.@preserve iter descs(out -> mxr_data_iter_names(live(iter), list, out),
    (i, rest...) -> mxr_data_iter_desc(live(iter), list, i, rest...))
"What every batch has as data."
provide_data(iter::DataIter) = iter_descs(iter, MXR_DATA)
"What every batch has as labels."
provide_label(iter::DataIter) = iter_descs(iter, MXR_LABELS)

"The number of examples in a batch."
function get_batch_size(iter::DataIter)
    n = Ref{Int64}(0)
    GC.@preserve iter check(mxr_data_iter_batch_size(live(iter), n))
    return Int(n[])
end

"Begins the next epoch; with `hard`, as if nothing had been read."
reset!(iter::DataIter; hard::Bool = false) = GC.@preserve iter check(mxr_data_iter_reset(live(iter), hard))

Base.IteratorSize(::Type{DataIter}) = Base.SizeUnknown()
Base.eltype(::Type{DataIter}) = Batch
Base.iterate(iter::DataIter) = (reset!(iter); iterate(iter, nothing))
function Base.iterate(iter::DataIter, _)
    more = Ref{Int32}(0)
    GC.@preserve iter check(mxr_data_iter_next(live(iter), more))
    return more[] == 0 ? nothing : (batch(iter), nothing)
end

function batch(iter)
    array(list, i) = owned(made(out -> mxr_data_iter_array(live(iter), list, i - 1, out)))
    arrays(list, descs) = NDArray[array(list, i) for i in eachindex(descs)]
    pad, n = Ref{Int64}(0), Ref{Int64}(0)
    return GC.@preserve iter begin
        check(mxr_data_iter_pad(live(iter), pad))
        check(mxr_data_iter_index(live(iter), C_NULL, 0, n))
        index = Vector{Int64}(undef, n[])
        check(mxr_data_iter_index(live(iter), index, n[], n))
        data, label = arrays(MXR_DATA, provide_data(iter)), arrays(MXR_LABELS, provide_label(iter))
        Batch(data, label, pad[], index .+ 1)
    end
end
