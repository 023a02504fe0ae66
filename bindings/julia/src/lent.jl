# Julia's objects that the library holds: they stay reachable until it gives them back.
#
# The library gives back on a thread that polls or frees a last handle, which may be in a finalizer: nothing
# here allocates while it holds the lock.

mutable struct Lent
    lock::Threads.SpinLock
    objects::Vector{Any}
    free::Vector{Int}
    num_free::Int
end
const LENT = Lent(Threads.SpinLock(), Any[], Int[], 0)
const DROP = Ref(C_NULL)

"Keeps an object, and gives the number by which `take_back` drops it."
function lend(object)
    while true
        lock(LENT.lock)
        if LENT.num_free > 0
            slot = LENT.free[LENT.num_free]
            LENT.num_free -= 1
            LENT.objects[slot] = object
            unlock(LENT.lock)
            return slot
        end
        n = length(LENT.objects)
        unlock(LENT.lock)
        grow_lent(n)
    end
end

function grow_lent(n)
    more = max(16, 2n)
    objects, free = Vector{Any}(nothing, more), collect(Int, more:-1:1)
    lock(LENT.lock)
    # Another thread may have been here first.
    if length(LENT.objects) == n
        copyto!(objects, 1, LENT.objects, 1, n)
        LENT.objects, LENT.free, LENT.num_free = objects, free, more - n
    end
    unlock(LENT.lock)
end

function take_back(slot::Int)
    lock(LENT.lock)
    object = LENT.objects[slot]
    LENT.objects[slot] = nothing
    LENT.num_free += 1
    LENT.free[LENT.num_free] = slot
    unlock(LENT.lock)
    return object
end

lent(slot) = LENT.objects[slot]
drop_lent(payload::Ptr{Cvoid}) = (take_back(Int(UInt(payload))); nothing)
payload(slot::Int) = Ptr{Cvoid}(UInt(slot))

prepare_lent() = (DROP[] = @cfunction(drop_lent, Cvoid, (Ptr{Cvoid},)); nothing)

# Exceptions of user functions, until the error that stands for them comes back.
function take_thrown(origin)
    kept = take_back(Int(origin))
    return kept isa Exception ? kept : nothing
end
