# What one call of a small operator costs from Julia: a + b on 4 elements, as call_cost.c measures it from C.
#
#     MXR_LIBRARY=target/release/libmxr.so julia --project=bindings/julia benches/call_cost.jl [CALLS]
#
# A new array that is left to the collector costs what the collector takes more than one that is closed at once:
# docs/profile.md. Each round pays the collector for what it left.

using MXR

const ROUNDS = 5

left(a, b, n) = for _ in 1:n
    a + b
end
closed(a, b, n) = for _ in 1:n
    close(a + b)
end
recorded(a, b, n) = mx.record(() -> closed(a, b, n))

function main(calls = "300000")
    n = parse(Int, calls) ÷ ROUNDS
    a, b, variable = (NDArray(Float32[1, 2, 3, 4]) for _ in 1:3)
    mx.attach_grad!(variable)
    ways = ((left, a), (closed, a), (recorded, variable))
    best = fill(Inf, length(ways))
    Base.foreach(way -> way[1](way[2], b, 10), ways)
    # In turns, so that what else the machine does falls on all.
    for _ in 1:ROUNDS, (i, (f, x)) in enumerate(ways)
        time = @elapsed begin
            f(x, b, n)
            GC.gc(false)
        end
        best[i] = min(best[i], time / n * 1e9)
    end
    ns, closed_ns, recorded_ns = round.(Int, best)
    println("{\"name\": \"a + b, 4 elements, Julia\", \"ns\": $ns, \"closed_ns\": $closed_ns, ",
        "\"recorded_ns\": $recorded_ns}")
end

main(ARGS...)
