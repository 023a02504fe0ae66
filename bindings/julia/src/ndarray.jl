# The array type. Its memory is the library's; what is done with arrays is in the files after this one.

"""
    NDArray{T,N}

An array of the library's, with Julia's column-major order of axes: the sizes are those that MXNet shows,
reversed, and the elements lie in memory as Julia's do. Calls return before their results are there; reading
elements waits.

    NDArray(array)          a copy of an array of Julia's
    mx.share(array)         an array over the same memory
    Array(x)                a copy of the elements
    close(x)                gives the memory back at once
"""
mutable struct NDArray{T,N} <: AbstractArray{T,N}
    handle::Ptr{Cvoid}
    # Takes a handle that the caller owns.
    function NDArray{T,N}(handle::Ptr{Cvoid}) where {T,N}
        x = new{T,N}(handle)
        finalizer(FREE_ARRAY[], x)
        pressed()
        return x
    end
end

# What the collector calls for an object, by its address, where the handle is: with the object itself it would
# look for a method each time.
const FREE_ARRAY = Ref(C_NULL)

function free_at(address::Ptr{Ptr{Cvoid}})
    handle = unsafe_load(address)
    handle == C_NULL && return nothing
    unsafe_store!(address, C_NULL)
    mxr_array_free(handle)
    return nothing
end

function free_array(x::NDArray)
    handle = x.handle
    handle == C_NULL && return nothing
    x.handle = C_NULL
    mxr_array_free(handle)
    # Only those that are left to the collector are a reason to call it.
    MADE[] -= 1
    return nothing
end

"Gives the reference to the memory back at once. The array cannot be used any more."
Base.close(x::NDArray) = free_array(x)
Base.isopen(x::NDArray) = x.handle != C_NULL

@noinline closed(x) = throw(MXError(:CLOSED, "the $(nameof(typeof(x))) was closed"))

"The handle, borrowed: the object must be kept while it is used."
@inline function live(x)
    handle = x.handle
    handle == C_NULL && closed(x)
    return handle
end

# The types by code of the dtype and number of axes: building one at run time takes long.
const ARRAY_TYPES = Dict{Tuple{Int32,Int32},DataType}()
const ARRAY_TYPES_LOCK = ReentrantLock()

function array_type(code::Int32, ndim::Int32)
    return lock(ARRAY_TYPES_LOCK) do
        get!(() -> NDArray{dtype_of(code),Int(ndim)}, ARRAY_TYPES, (code, ndim))
    end
end

"The array of a handle that the caller owns. Waits where only running tells the number of axes."
function owned(handle::Ptr{Cvoid})
    code, ndim = mxr_array_dtype(handle), mxr_array_ndim(handle)
    # What is common is found without a look-up.
    if code == MXR_FLOAT32
        ndim == 1 && return NDArray{Float32,1}(handle)
        ndim == 2 && return NDArray{Float32,2}(handle)
        ndim == 4 && return NDArray{Float32,4}(handle)
    end
    return array_type(code, ndim < 0 ? awaited_ndim(handle) : ndim)(handle)::NDArray
end

"The number of axes of an array whose shape an operation has still to tell; frees it if that fails."
@noinline function awaited_ndim(handle)
    ndim = Ref{Int32}(0)
    error = mxr_array_shape(handle, C_NULL, Int32(0), ndim)
    if error != C_NULL
        mxr_array_free(handle)
        failed(error)
    end
    return ndim[]
end

"Room for a handle that a call gives."
handle_ref() = Ref{Ptr{Cvoid}}(C_NULL)

"The handle that `f` puts into the room that it is given."
@inline function made(f)
    out = handle_ref()
    check(f(out))
    return out[]
end

function Base.size(x::NDArray{T,N}) where {T,N}
    dims, ndim = Ref(ntuple(_ -> Int64(0), N)), Ref{Int32}(0)
    GC.@preserve x dims check(mxr_array_shape(live(x), address(dims), Int32(N), ndim))
    return reverse(dims[])
end

"The address of the elements of a tuple in a `Ref`, which must be kept."
@inline address(r::Base.RefValue{NTuple{K,T}}) where {K,T} = Ptr{T}(pointer_from_objref(r))
address(::Base.RefValue{Tuple{}}) = C_NULL

Base.IndexStyle(::Type{<:NDArray}) = IndexLinear()
Base.elsize(::Type{<:NDArray{T}}) where {T} = sizeof(T)

"The device that holds an array."
function context(x::NDArray)
    kind, id = Ref{Int32}(0), Ref{Int32}(0)
    GC.@preserve x check(mxr_array_device(live(x), kind, id))
    return Context(kind[], id[])
end

"Whether two are the same array of the library's."
same(a::NDArray, b::NDArray) = live(a) == live(b)
