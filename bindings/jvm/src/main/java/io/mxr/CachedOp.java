package io.mxr;

import java.lang.ref.Reference;
import java.util.List;

/** A symbol that is called like an operator; compiled for each combination of input types when it first comes. */
public final class CachedOp extends Handle {
    private final int numOutputs;

    /** Compiles when it is called. */
    public CachedOp(Symbol symbol) {
        this(symbol, false, new PlanOptions());
    }

    /** With {@code keepMemory} the memory of a call is kept for the next. */
    public CachedOp(Symbol symbol, boolean keepMemory, PlanOptions options) {
        super(made(symbol, keepMemory, options), Native::cachedOpFree);
        numOutputs = symbol.listOutputs().size();
    }

    private static long made(Symbol symbol, boolean keepMemory, PlanOptions options) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long how = options.write(frame);
            return Texts.place(out -> Native.cachedOpNew(symbol.handle(), keepMemory ? 1 : 0, how, out));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(symbol);
        }
    }

    /** Calls it on arrays for all variables, in the order of {@link Symbol#listInputs}. Recorded as one operation. */
    public List<NDArray> call(NDArray... inputs) {
        Local local = Local.get();
        Frame frame = local.frame;
        long mark = frame.mark();
        try {
            long out = frame.slots(numOutputs);
            long handles = frame.handles(List.of(inputs));
            MxrException.check(Native.cachedOpCall(handle(), handles, inputs.length, local.call, out));
            return NDArray.taken(frame, out, numOutputs);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(inputs);
            Reference.reachabilityFence(this);
        }
    }
}
