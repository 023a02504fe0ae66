# The collector learns what arrays hold: it does not see the library's memory, so it is called when that
# grows.

# Bytes in use above which it is called, at least.
const LEAST = 64 << 20
# New arrays after which it is called, whatever they hold: each takes some bytes beside its elements. As few
# as keeps what they take in the processor's caches, but so many that what the collector takes beside freeing
# them is no more than this time for each. It is measured once in so many calls, by two more, which find
# nothing to free; the lesser counts, since other programs may have held the other up.
const MANY = Ref(8_000)
const MANY_BOUNDS = (5_000, 50_000)
const NANOSECONDS = 10
const MEASURED_EACH = 50
# New arrays for each of which the library is not asked what all hold.
const ASKED_EACH = 8
const RELIEVED = Ref(0)

const LIMIT = Ref(LEAST)
const MADE = Ref(0)
const STATS = Ref(mxr_memory_t(sizeof(mxr_memory_t), 0, 0, 0))

"Bytes that arrays hold, that are kept for later use, and the most that were held."
function memory()
    stats = Ref(mxr_memory_t(sizeof(mxr_memory_t), 0, 0, 0))
    check(mxr_memory_stats(stats))
    return (in_use = Int(stats[].in_use), kept = Int(stats[].kept), peak = Int(stats[].peak))
end

"Returns memory that is kept for later use to the system."
trim_memory() = mxr_memory_trim()

# Races between threads cost a call of the collector more or less.
@inline function pressed()
    made = MADE[] += 1
    if made % ASKED_EACH == 0
        mxr_memory_stats(STATS)
        (made > MANY[] || STATS[].in_use > LIMIT[]) && relieve()
    end
    return nothing
end

@noinline function relieve()
    MADE[] = 0
    GC.gc(false)
    RELIEVED[] += 1
    # Not at first, when what was loaded is new to the collector.
    if RELIEVED[] % MEASURED_EACH == 10
        MANY[] = clamp(min(collecting(), collecting()) ÷ NANOSECONDS, MANY_BOUNDS...)
    end
    memory().in_use > LIMIT[] && GC.gc(true)
    LIMIT[] = max(LEAST, 2 * memory().in_use)
    return nothing
end

"Nanoseconds that the collector takes for young objects when there are none."
function collecting()
    start = time_ns()
    GC.gc(false)
    return Int(time_ns() - start)
end

function prepare_finalizers()
    FREE_ARRAY[] = @cfunction(free_at, Cvoid, (Ptr{Ptr{Cvoid}},))
    mxr_memory_stats(STATS)
    return nothing
end
