package io.mxr;

/** A device, and the scope in which it is where new arrays are made. */
public final class Context {
    private static final Context CPU = new Context(Native.CPU, 0);
    private final int kind;
    private final int id;

    private Context(int kind, int id) {
        this.kind = kind;
        this.id = id;
    }

    /** Main memory. */
    public static Context cpu() {
        return CPU;
    }

    /** Main memory, under a number. */
    public static Context cpu(int id) {
        return new Context(Native.CPU, id);
    }

    /** The CUDA device of a number. */
    public static Context gpu(int id) {
        return new Context(Native.GPU, id);
    }

    /** Where this thread makes arrays. */
    public static Context current() {
        return Local.get().context();
    }

    static Context of(int kind, int id) {
        return kind == Native.CPU && id == 0 ? CPU : new Context(kind, id);
    }

    /** Makes arrays here until the scope is closed. */
    public Scope use() {
        Local local = Local.get();
        Context before = local.context();
        local.setContext(this);
        return () -> local.setContext(before);
    }

    int kind() {
        return kind;
    }

    /** The number of the device. */
    public int id() {
        return id;
    }

    /** {@code cpu} or {@code gpu}. */
    public String type() {
        return kind == Native.GPU ? "gpu" : "cpu";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Context && ((Context) other).kind == kind && ((Context) other).id == id;
    }

    @Override
    public int hashCode() {
        return 31 * kind + id;
    }

    @Override
    public String toString() {
        return type() + "(" + id + ")";
    }
}
