package io.mxr;

/** What is taken of an axis, for {@link NDArray#get(Index...)} and {@link NDArray#set(NDArray, Index...)}. */
public final class Index {
    final long begin;
    final long end;
    final long step;
    /** One element, whose axis is left out. */
    final boolean single;

    private Index(long begin, long end, long step, boolean single) {
        this.begin = begin;
        this.end = end;
        this.step = step;
        this.single = single;
    }

    /** One element; negative numbers count from the end. The axis is left out. */
    public static Index at(long index) {
        return new Index(index, index == -1 ? ND.NONE : index + 1, 1, true);
    }

    /** From {@code begin} to before {@code end}; negative numbers count from the end. */
    public static Index range(long begin, long end) {
        return new Index(begin, end, 1, false);
    }

    /** From {@code begin} to before {@code end}, each {@code step}-th. {@link ND#NONE} is the array's own end. */
    public static Index range(long begin, long end, long step) {
        return new Index(begin, end, step, false);
    }

    /** From {@code begin} to the end. */
    public static Index from(long begin) {
        return new Index(begin, ND.NONE, 1, false);
    }

    /** The whole axis. */
    public static Index all() {
        return new Index(ND.NONE, ND.NONE, 1, false);
    }
}
