package io.mxr;

/** How to compile a symbol. */
public final class PlanOptions {
    private static final int BYTES = 24;
    private int flags;
    private long budget;
    private Context context;

    private PlanOptions flag(int flag) {
        flags |= flag;
        return this;
    }

    /** For training. Executors and cached operators know it themselves. */
    public PlanOptions training() {
        return flag(Native.PLAN_TRAINING);
    }

    /** Do not fuse elementwise operators. */
    public PlanOptions noFusion() {
        return flag(Native.PLAN_NO_FUSION);
    }

    /** Fold no constants and share no common subexpressions. */
    public PlanOptions noSimplification() {
        return flag(Native.PLAN_NO_SIMPLIFICATION);
    }

    /** Fold no operators into others for prediction, which changes rounding. */
    public PlanOptions noFolding() {
        return flag(Native.PLAN_NO_FOLDING);
    }

    /** Take no faster algorithms for prediction that round differently, as Winograd's convolution. */
    public PlanOptions noAlgorithms() {
        return flag(Native.PLAN_NO_ALGORITHMS);
    }

    /** Give every value memory of its own. */
    public PlanOptions noSharing() {
        return flag(Native.PLAN_NO_SHARING);
    }

    /** Keep all that the backward pass reads, unless there is a budget: cheap operators are not repeated. */
    public PlanOptions noRepeating() {
        return flag(Native.PLAN_NO_REPEATING);
    }

    /** Compute results of cheap operators again in the backward pass. */
    public PlanOptions mirror() {
        return flag(Native.PLAN_MIRROR);
    }

    /** Bytes that activations, their gradients and workspaces may take. */
    public PlanOptions budget(long bytes) {
        budget = bytes;
        return this;
    }

    /** As little memory as can be found. */
    public PlanOptions leastMemory() {
        return budget(Native.BUDGET_LEAST);
    }

    /** The device. */
    public PlanOptions context(Context context) {
        this.context = context;
        return this;
    }

    /** Writes the {@code mxr_plan_options_t}. */
    long write(Frame frame) {
        Context at = context == null ? Context.current() : context;
        long options = frame.slots(BYTES / 8);
        frame.putInt(options, BYTES);
        frame.putInt(options + 4, flags);
        frame.putLong(options + 8, budget);
        frame.putInt(options + 16, at.kind());
        frame.putInt(options + 20, at.id());
        return options;
    }
}
