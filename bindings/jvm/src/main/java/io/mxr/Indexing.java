package io.mxr;

import java.util.Arrays;

/** Parts of arrays along several axes. */
final class Indexing {
    private Indexing() {}

    /** Begins, ends and steps as the operators take them. */
    private static final class Bounds {
        final long[] begin;
        final long[] end;
        final long[] step;

        Bounds(NDArray array, Index[] indices) {
            int ndim = array.ndim();
            if (indices.length > ndim) {
                String message = "expected at most " + ndim + " indices, got " + indices.length;
                throw new MxrException(MxrException.Code.INDEX, message, null, "indices");
            }
            // Operators want one axis at least.
            int n = Math.max(indices.length, Math.min(1, ndim));
            begin = new long[n];
            end = new long[n];
            step = new long[n];
            Arrays.fill(step, 1);
            Arrays.fill(begin, ND.NONE);
            Arrays.fill(end, ND.NONE);
            Shape shape = array.shape();
            for (int i = 0; i < indices.length; i++) {
                Index index = indices[i];
                if (index.single && (index.begin >= shape.get(i) || index.begin < -shape.get(i))) {
                    String message = "index " + index.begin + " of axis " + i + " with " + shape.get(i) + " elements";
                    throw new MxrException(MxrException.Code.INDEX, message, null, "indices");
                }
                begin[i] = index.begin;
                end[i] = index.end;
                step[i] = index.step;
            }
        }
    }

    static NDArray get(NDArray array, Index[] indices) {
        if (indices.length == 0) return array;
        Bounds bounds = new Bounds(array, indices);
        boolean rows = indices.length == 1 && bounds.step[0] == 1;
        NDArray part = rows
                ? rows(array, indices[0])
                : ND.slice(array, bounds.begin, bounds.end, o -> o.step(bounds.step));
        if (Arrays.stream(indices).noneMatch(index -> index.single)) return part;
        Shape shape = part.shape();
        long[] kept = new long[shape.ndim()];
        int n = 0;
        for (int i = 0; i < kept.length; i++) {
            if (i >= indices.length || !indices[i].single) kept[n++] = shape.get(i);
        }
        return part.reshape(Arrays.copyOf(kept, n));
    }

    /** Rows of the first axis, sharing memory. */
    private static NDArray rows(NDArray array, Index index) {
        long size = array.shape().get(0);
        return array.slice(clamped(index.begin, size, 0), clamped(index.end, size, size));
    }

    private static long clamped(long at, long size, long absent) {
        if (at == ND.NONE) return absent;
        return Math.max(0, Math.min(size, at < 0 ? at + size : at));
    }

    static void set(NDArray array, NDArray value, Index[] indices) {
        Bounds bounds = new Bounds(array, indices);
        try (Scope scope = Autograd.pause()) {
            NDArray part = ND.slice(array, bounds.begin, bounds.end, o -> o.step(bounds.step));
            NDArray same = value.dtype() == array.dtype() ? value : value.astype(array.dtype());
            Shape shape = part.shape();
            // Axes of one index are there, with size 1.
            boolean whole = same.size() == shape.size();
            NDArray parts = whole ? same.reshape(shape.toArray()) : repeated(same, shape);
            ND.Internal.sliceAssign(array, parts, bounds.begin, bounds.end, o -> o.step(bounds.step).out(array));
        }
    }

    /** Repeats an array to a shape, whose last axes its own are. */
    private static NDArray repeated(NDArray array, Shape shape) {
        long[] sizes = new long[Math.max(shape.ndim(), array.ndim())];
        Arrays.fill(sizes, 1);
        long[] own = array.shape().toArray();
        System.arraycopy(own, 0, sizes, sizes.length - own.length, own.length);
        return array.reshape(sizes).broadcastTo(shape.toArray());
    }

    static void set(NDArray array, double value, Index[] indices) {
        Bounds bounds = new Bounds(array, indices);
        try (Scope scope = Autograd.pause()) {
            ND.Internal.sliceAssignScalar(
                    array, bounds.begin, bounds.end, o -> o.scalar(value).step(bounds.step).out(array));
        }
    }
}
