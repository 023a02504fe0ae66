package io.mxr;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The sizes of the axes of an array. */
public final class Shape {
    private final long[] sizes;

    private Shape(long[] sizes) {
        this.sizes = sizes;
    }

    /** With these sizes; none for a single element. */
    public static Shape of(long... sizes) {
        return new Shape(sizes.clone());
    }

    /** The number of axes. */
    public int ndim() {
        return sizes.length;
    }

    /** The size of an axis; a negative number counts from the end. */
    public long get(int axis) {
        int at = axis < 0 ? axis + sizes.length : axis;
        if (at < 0 || at >= sizes.length) {
            String message = "axis " + axis + " of a shape with " + sizes.length + " axes";
            throw new MxrException(MxrException.Code.INDEX, message, null, "axis");
        }
        return sizes[at];
    }

    /** The number of elements. */
    public long size() {
        long size = 1;
        for (long one : sizes) size *= one;
        return size;
    }

    /** The sizes, as a new array. */
    public long[] toArray() {
        return sizes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape && Arrays.equals(sizes, ((Shape) other).sizes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sizes);
    }

    /** As MXNet writes it: {@code (2, 3)}, {@code (2,)}. */
    @Override
    public String toString() {
        String inner = Arrays.stream(sizes).mapToObj(Long::toString).collect(Collectors.joining(", "));
        return "(" + inner + (sizes.length == 1 ? ",)" : ")");
    }
}
