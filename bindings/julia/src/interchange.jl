# Arrays over memory that others own, and the other way round.

"""
    share(array)

An array over the memory of an array of Julia's, without a copy. Writing to one changes the other; before
Julia's is used, `mx.wait_to_write` has to be called.
"""
function share(a::Array{T,N}) where {T<:DType,N}
    poll()
    shape, slot = reversed(size(a)), lend(a)
    return NDArray{T,N}(made(
        out -> mxr_array_from_foreign(pointer(a), shape, N, dtype_code(T), DROP[], payload(slot), out)))
end

"""
    unsafe_array(x)

An array of Julia's over the memory of `x`, once nothing reads or writes it any more. It must not be used when
`x` is gone or in use by calls.
"""
function unsafe_array(x::NDArray{T}) where {T}
    wait_to_write(x)
    data = Ref{Ptr{Cvoid}}(C_NULL)
    GC.@preserve x check(mxr_array_data(live(x), data))
    return unsafe_wrap(Array, Ptr{T}(data[]), size(x))
end

"A DLPack tensor (`DLManagedTensor *`) that shares the array's memory; whoever takes it calls its deleter."
to_dlpack(x::NDArray) = (wait_to_write(x); GC.@preserve x made(out -> mxr_array_to_dlpack(live(x), out)))

"An array over the memory of a DLPack tensor, which it takes over."
from_dlpack(tensor::Ptr) = (poll(); owned(made(out -> mxr_array_from_dlpack(tensor, out))))
