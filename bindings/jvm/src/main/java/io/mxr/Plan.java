package io.mxr;

import java.lang.ref.Reference;
import java.util.List;

/** A compiled symbol: what it would take, without running it. */
public final class Plan extends Handle {
    private static final int REPORT_BYTES = 72;

    Plan(long pointer) {
        super(pointer, Native::planFree);
    }

    /** Compiles a symbol. */
    public static Plan of(Symbol symbol, Known known, PlanOptions options) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long variables = known.write(frame);
            long how = options.write(frame);
            return new Plan(Texts.place(out -> Native.planNew(symbol.handle(), variables, how, out)));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(symbol);
        }
    }

    private long report(int offset) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long report = frame.slots(REPORT_BYTES / 8);
            frame.putInt(report, REPORT_BYTES);
            MxrException.check(Native.planReport(handle(), report));
            return frame.getLong(report + offset);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    /** Bytes of activations, their gradients and workspaces at their peak. */
    public long peakBytes() {
        return report(8);
    }

    /** Bytes of parameters and other variables and of the gradients that are asked for. */
    public long parameterBytes() {
        return report(16);
    }

    /** The peak if every value had memory of its own. */
    public long unplannedBytes() {
        return report(24);
    }

    /** Bytes of the memory that activations share. */
    public long arenaBytes() {
        return report(32);
    }

    /** Floating-point operations. */
    public long flops() {
        return report(48);
    }

    /** Kernel calls. */
    public long steps() {
        return report(64);
    }

    /** What was applied that changes arithmetic, in words. */
    public List<String> choices() {
        try {
            return Texts.list(out -> Native.planChoices(handle(), out));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The plan for people: what it takes and all its calls. */
    @Override
    public String toString() {
        try {
            return Texts.one(out -> Native.planText(handle(), out));
        } finally {
            Reference.reachabilityFence(this);
        }
    }
}
