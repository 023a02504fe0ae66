# Metrics, which take in batches without waiting; asking for a value waits.

"A metric with what it has summed up; see `mx.Accuracy` and so on, and `mx.Metric(\"acc\")`."
mutable struct Metric
    handle::Ptr{Cvoid}
    Metric(handle::Ptr{Cvoid}) = finalizer(close, new(handle))
end
Base.close(x::Metric) = freed!(x, mxr_metric_free)
create(::Type{Metric}, name, attrs) = created(Metric, mxr_metric_create, name, attrs)

arrays_of(x::AbstractArray{<:Real}) = NDArray[convert(NDArray, x)]
arrays_of(xs) = NDArray[convert(NDArray, x) for x in xs]
handles_of(arrays) = Ptr{Cvoid}[live(a) for a in arrays]

"Takes in a batch: as many labels as predictions."
function update!(metric::Metric, labels, predictions)
    ls, ps = arrays_of(labels), arrays_of(predictions)
    GC.@preserve metric ls ps check(mxr_metric_update(
        live(metric), handles_of(ls), length(ls), handles_of(ps), length(ps)))
    return metric
end

"Adds a sum and a count that the caller found, to `mx.CustomMetric()` or another mean."
add!(metric::Metric, sum::Real, count::Real) =
    GC.@preserve metric check(mxr_metric_add(live(metric), sum, count))

"Adds a metric to a `mx.CompositeEvalMetric`."
function Base.push!(metric::Metric, part::Metric)
    GC.@preserve metric part check(mxr_metric_push(live(metric), live(part)))
    return metric
end

"Forgets everything; with `local_only`, all but what `get_global` tells."
reset!(metric::Metric; local_only::Bool = false) =
    GC.@preserve metric check((local_only ? mxr_metric_reset_local : mxr_metric_reset)(live(metric)))

function named_values(metric, all)
    values, n, room = Float64[], Ref{Int32}(0), 16
    while true
        resize!(values, room)
        get_into(out) = mxr_metric_get(live(metric), all, out, values, room, n)
        names = GC.@preserve metric taken_texts(get_into)
        n[] <= room && return [Symbol(name) => value for (name, value) in zip(names, values)]
        room = Int(n[])
    end
end

"The names and values since the last reset; `NaN` where there was nothing."
Base.get(metric::Metric) = named_values(metric, 0)
"The names and values since the last reset that was not local."
get_global(metric::Metric) = named_values(metric, 1)
