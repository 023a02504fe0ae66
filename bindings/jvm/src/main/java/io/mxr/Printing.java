package io.mxr;

import java.util.function.IntFunction;

/** Arrays as text, as NumPy and MXNet write them. */
final class Printing {
    private Printing() {}

    /** Axes that are longer show their first and last elements. */
    private static final int LONG = 8;
    private static final int EDGE = 3;

    static String text(NDArray array) {
        Shape shape = array.shape();
        StringBuilder out = new StringBuilder();
        if (shape.size() == 0) out.append("[]");
        else axis(out, elements(array), shape, 0, 0);
        String sizes = shape.toString().replaceAll("[() ]", "").replaceAll(",$", "").replace(',', 'x');
        return out.append("\n<NDArray ").append(sizes).append(" @").append(array.context()).append('>').toString();
    }

    /** The text of an element by its place. */
    private static IntFunction<String> elements(NDArray array) {
        if (array.dtype() == DType.INT64) {
            long[] all = array.toLongArray();
            return i -> Long.toString(all[i]);
        }
        DType dtype = array.dtype();
        double[] all = array.toDoubleArray();
        return i -> number(all[i], dtype);
    }

    private static void axis(StringBuilder out, IntFunction<String> all, Shape shape, int axis, long offset) {
        if (axis == shape.ndim()) {
            out.append(all.apply((int) offset));
            return;
        }
        long stride = 1;
        for (int i = axis + 1; i < shape.ndim(); i++) stride *= shape.get(i);
        boolean last = axis == shape.ndim() - 1;
        String between = last ? ", " : ",\n" + " ".repeat(axis + 1);
        long n = shape.get(axis);
        out.append('[');
        for (long i = 0; i < n; i++) {
            if (i > 0) out.append(between);
            if (n > LONG && i == EDGE) {
                out.append("...");
                i = n - EDGE - 1;
                continue;
            }
            axis(out, all, shape, axis + 1, offset + i * stride);
        }
        out.append(']');
    }

    private static String number(double value, DType dtype) {
        if (dtype == DType.BOOL) return value != 0 ? "true" : "false";
        if (!dtype.isFloat()) return Long.toString((long) value);
        return dtype == DType.FLOAT64 ? Double.toString(value) : Float.toString((float) value);
    }
}
