package io.mxr;

import java.util.List;

/** What a batch has under a name: shape, dtype, and what the axes are. */
public final class DataDesc {
    private static final int BYTES = 32;
    private final String name;
    private final Shape shape;
    private final DType dtype;
    private final String layout;

    /** In single precision. */
    public DataDesc(String name, Shape shape) {
        this(name, shape, DType.FLOAT32, null);
    }

    /** The layout has {@code N} for the axis of the batch; null for {@code NCHW}. */
    public DataDesc(String name, Shape shape, DType dtype, String layout) {
        this.name = name;
        this.shape = shape;
        this.dtype = dtype;
        this.layout = layout;
    }

    /** The variable's name. */
    public String name() {
        return name;
    }

    /** The sizes of the axes. */
    public Shape shape() {
        return shape;
    }

    /** The type of the elements. */
    public DType dtype() {
        return dtype;
    }

    /** What the axes are; null if that was not said. */
    public String layout() {
        return layout;
    }

    /** Writes several as {@code mxr_desc_t}. */
    static long write(Frame frame, List<DataDesc> all) {
        long descs = frame.slots(BYTES / 8 * all.size());
        for (int i = 0; i < all.size(); i++) {
            DataDesc one = all.get(i);
            long at = descs + (long) BYTES * i;
            long[] sizes = one.shape.toArray();
            frame.putLong(at, frame.text(one.name));
            frame.putLong(at + 8, frame.text(one.layout));
            frame.putLong(at + 16, frame.longs(sizes));
            frame.putInt(at + 24, sizes.length);
            frame.putInt(at + 28, one.dtype.code);
        }
        return descs;
    }

    @Override
    public String toString() {
        return "DataDesc[" + name + "," + shape + "," + dtype + (layout == null ? "" : "," + layout) + "]";
    }
}
