# What is registered, by its name.

# Constructors by type and name in small letters.
const REGISTERED = Dict{Tuple{DataType,String},Any}()

# What is made by name with attributes alone.
const Named = Union{Initializer,LRScheduler,Optimizer,Metric,Callback,Compression}
const Made = Union{Initializer,LRScheduler,Optimizer,Updater,Metric,DataIter,KVStore,Callback,FeedForward}

"By name, in any capitals, with attributes: `mx.Optimizer(\"sgd\"; momentum = 0.9)`."
function (::Type{T})(name::Union{AbstractString,Symbol}; attrs...) where {T<:Named}
    make = get(REGISTERED, (T, lowercase(String(name))), nothing)
    make === nothing && throw(MXError(:NOT_FOUND, "there is no $(nameof(T)) called $name"))
    return make(; attrs...)
end

Base.isopen(x::Made) = x.handle != C_NULL
Base.show(io::IO, x::Made) = print(io, "mx.", nameof(typeof(x)), isopen(x) ? "" : ", closed")
