# Waiting in slices, between which interrupts come and other tasks and the collector run.

const FIRST_SLICE = 1
const SLICE = 50

"Calls `f` with milliseconds to wait until it does not time out."
function in_slices(f)
    slice = FIRST_SLICE
    while true
        error = f(Int64(slice))
        error == C_NULL && return nothing
        mxr_error_code(error) == MXR_ERROR_TIMEOUT || failed(error)
        mxr_error_free(error)
        # Gives way to a pending interrupt and to other tasks.
        yield()
        slice = SLICE
    end
end

"Waits until everything asked so far has written the array, and throws what failed."
function Base.wait(x::NDArray)
    GC.@preserve x in_slices(ms -> mxr_array_wait_to_read(live(x), ms))
    return x
end

"Waits until everything asked so far has read and written the array."
function wait_to_write(x::NDArray)
    GC.@preserve x in_slices(ms -> mxr_array_wait_to_write(live(x), ms))
    return x
end

"Waits until everything asked so far is done, and throws all that failed since the last time."
wait_all() = in_slices(mxr_wait_all)

"Operations that were asked for and are not done."
pending() = Int(mxr_engine_pending())
"Threads that one operation may use."
num_threads() = Int(mxr_num_threads())

"Finishes what was asked for and stops the library's threads; a later call starts them anew."
shutdown() = in_slices(mxr_shutdown)
