# What one call of a small operator costs from Julia and from C, in one run: a + b on 4 elements.
#
#     MXR_LIBRARY=target/release/libmxr.so julia --project=bindings/julia benches/call_cost.jl [CALLS]
#
# Into an array that is there, it is the call alone. A new array that is closed at once adds its object; one
# that is left to the collector adds what the collector takes, and that its memory is not the one that was
# given back last.

using MXR

const HERE = @__DIR__
const ROUNDS = 30

into(a, b, c, n) = for _ in 1:n
    mx.broadcast_add(a, b, out = c)
end
closed(a, b, c, n) = for _ in 1:n
    close(a + b)
end
left(a, b, c, n) = for _ in 1:n
    a + b
end
# The same calls of the C ABI without any object of Julia's.
function raw_into(a, b, c, n)
    op, inputs = MXR.handle(MXR.OPS[MXR.number_of("broadcast_add")]), [a.handle, b.handle]
    out, count = Ref(c.handle), Ref(Int32(1))
    for _ in 1:n
        MXR.mxr_op_invoke(op, inputs, Int32(2), C_NULL, Int32(0), out, count, C_NULL, C_NULL)
    end
end
function raw_new(a, b, c, n)
    op, inputs = MXR.handle(MXR.OPS[MXR.number_of("elemwise_add")]), [a.handle, b.handle]
    out, count = Ref(C_NULL), Ref(Int32(1))
    for _ in 1:n
        out[] = C_NULL
        MXR.mxr_op_invoke(op, inputs, Int32(2), C_NULL, Int32(0), out, count, C_NULL, C_NULL)
        MXR.mxr_array_free(out[])
    end
end

function main(calls = "100000")
    n = parse(Int, calls) ÷ ROUNDS
    a, b, c = (NDArray(Float32[1, 2, 3, 4]) for _ in 1:3)
    ways = (raw_into, into, raw_new, closed, left)
    best = Dict{Any,Float64}(f => Inf for f in ways)
    Base.foreach(f -> f(a, b, c, 10), ways)
    # In turns, so that what else the machine does falls on all.
    for _ in 1:ROUNDS, f in ways
        best[f] = min(best[f], @elapsed(f(a, b, c, n)) / n * 1e9)
    end
    for (f, base, what) in ((into, raw_into, "into an array"), (closed, raw_new, "a new array, closed"),
        (left, raw_new, "a new array, left to the collector"))
        println("{\"name\": \"a + b, 4 elements, Julia, $what\", \"ns\": $(round(best[f])), ",
            "\"raw_ns\": $(round(best[base])), \"ratio\": $(round(best[f] / best[base], digits = 2))}")
    end
end

main(ARGS...)
