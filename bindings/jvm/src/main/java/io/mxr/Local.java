package io.mxr;

/** What a thread has of its own: memory for arguments, and the scopes that it is in. */
final class Local {
    private static final ThreadLocal<Local> LOCAL = ThreadLocal.withInitial(Local::new);
    private static final int CALL_BYTES = 16;

    final Frame frame = new Frame();
    /** The {@code mxr_call_t} of this thread. */
    final long call;
    private int flags;
    private Context context = Context.cpu();
    NDScope scope;
    /** Attributes that new symbols get. */
    AttrScope attrScope;
    /** What a monitor threw in the pass that runs. */
    Throwable monitorFailure;

    private Local() {
        call = frame.take(CALL_BYTES);
        frame.putInt(call, CALL_BYTES);
        set(flags, context);
    }

    static Local get() {
        return LOCAL.get();
    }

    int flags() {
        return flags;
    }

    Context context() {
        return context;
    }

    void setFlags(int flags) {
        set(flags, context);
    }

    void setContext(Context context) {
        set(flags, context);
    }

    private void set(int flags, Context context) {
        this.flags = flags;
        this.context = context;
        frame.putInt(call + 4, flags);
        frame.putInt(call + 8, context.kind());
        frame.putInt(call + 12, context.id());
    }
}
