package io.mxr;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * An n-dimensional array. Operations return at once and run when their inputs are there; what needs elements waits.
 * Operators are in {@link ND}; the most used ones are methods too. Arrays may be used on any thread.
 */
public final class NDArray extends ArrayMethods {
    NDArray(long pointer) {
        this(pointer, Local.get());
    }

    NDArray(long pointer, Local local) {
        super(pointer, NDArray::free);
        Memory.made(local);
        if (local.scope != null) local.scope.add(this);
    }

    private static void free(long pointer) {
        Native.arrayFree(pointer);
        Memory.released();
        Native.eventsPoll();
    }

    @Override
    NDArray array() {
        return this;
    }

    /** The arrays that the library put into places. */
    static List<NDArray> taken(Frame frame, long places, int n) {
        List<NDArray> arrays = new ArrayList<>(n);
        for (int i = 0; i < n; i++) arrays.add(new NDArray(frame.getLong(places + 8L * i)));
        return arrays;
    }

    // Making arrays.

    /** Elements that are not set. */
    public static NDArray empty(DType dtype, long... shape) {
        Local local = Local.get();
        Frame frame = local.frame;
        long mark = frame.mark();
        try {
            Context at = local.context();
            long out = frame.slot();
            MxrException.check(Native.arrayEmpty(
                    frame.longs(shape), shape.length, dtype.code, at.kind(), at.id(), out));
            return new NDArray(frame.getLong(out), local);
        } finally {
            frame.reset(mark);
        }
    }

    /** Zeros, in single precision. */
    public static NDArray zeros(long... shape) {
        return zeros(DType.FLOAT32, shape);
    }

    /** Zeros. */
    public static NDArray zeros(DType dtype, long... shape) {
        return ND.Internal.zeros(o -> o.shape(shape).dtype(dtype));
    }

    /** Ones, in single precision. */
    public static NDArray ones(long... shape) {
        return ND.Internal.ones(o -> o.shape(shape));
    }

    /** Elements that are all the same, in single precision. */
    public static NDArray full(double value, long... shape) {
        return ND.Internal.full(value, o -> o.shape(shape));
    }

    /** The numbers from {@code start} to before {@code stop}, in single precision. */
    public static NDArray arange(double start, double stop, double step) {
        return ND.Internal.arange(start, o -> o.stop(stop).step(step));
    }

    /** The numbers from 0 to before {@code stop}, in single precision. */
    public static NDArray arange(double stop) {
        return arange(0, stop, 1);
    }

    /** The unit matrix, in single precision. */
    public static NDArray eye(long n) {
        return ND.Internal.eye(n);
    }

    /** A copy of these numbers, row by row; without a shape they are one axis. */
    public static NDArray of(float[] values, long... shape) {
        return Elements.of(values, values.length, DType.FLOAT32, shape);
    }

    /** A copy of these numbers. */
    public static NDArray of(double[] values, long... shape) {
        return Elements.of(values, values.length, DType.FLOAT64, shape);
    }

    /** A copy of these numbers. */
    public static NDArray of(int[] values, long... shape) {
        return Elements.of(values, values.length, DType.INT32, shape);
    }

    /** A copy of these numbers. */
    public static NDArray of(long[] values, long... shape) {
        return Elements.of(values, values.length, DType.INT64, shape);
    }

    /** A copy of these numbers, as {@code INT8}. */
    public static NDArray of(byte[] values, long... shape) {
        return Elements.of(values, values.length, DType.INT8, shape);
    }

    /** A copy of these truth values. */
    public static NDArray of(boolean[] values, long... shape) {
        return Elements.of(values, values.length, DType.BOOL, shape);
    }

    /** A copy of the bytes of elements of any dtype, in the machine's order. */
    public static NDArray ofBytes(byte[] bytes, DType dtype, long... shape) {
        return Elements.of(bytes, bytes.length, dtype, shape);
    }

    /** A copy of the bits of elements of {@code FLOAT16} or {@code BFLOAT16}. */
    public static NDArray ofBits(short[] bits, DType dtype, long... shape) {
        return Elements.of(bits, bits.length * 2L, dtype, shape);
    }

    /** A matrix of rows of one length. */
    public static NDArray of(float[][] rows) {
        int columns = rows.length == 0 ? 0 : rows[0].length;
        float[] all = new float[rows.length * columns];
        for (int i = 0; i < rows.length; i++) {
            if (rows[i].length != columns) {
                throw MxrException.invalid("rows", "row " + i + ": expected " + columns + ", got " + rows[i].length);
            }
            System.arraycopy(rows[i], 0, all, i * columns, columns);
        }
        return of(all, rows.length, columns);
    }

    /** One number without an axis, in single precision. */
    public static NDArray scalar(double value) {
        return ND.reshape(of(new float[] {(float) value}), o -> o.shape());
    }

    /**
     * An array over the memory of a direct buffer, from its position on, without a copy. Whoever uses the buffer
     * meanwhile must call {@link #waitToWrite} before.
     */
    public static NDArray wrap(ByteBuffer buffer, DType dtype, long... shape) {
        return Elements.wrap(buffer, dtype, shape);
    }

    // What it is.

    /** The sizes of the axes. Waits where only running tells them. */
    public Shape shape() {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            int room = 32;
            long dims = frame.take(8L * room + 8);
            MxrException.check(Native.arrayShape(handle(), dims, room, dims + 8L * room));
            long[] sizes = new long[frame.getInt(dims + 8L * room)];
            for (int i = 0; i < sizes.length; i++) sizes[i] = frame.getLong(dims + 8L * i);
            return Shape.of(sizes);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    /** The type of the elements. */
    public DType dtype() {
        try {
            return DType.of(Native.arrayDtype(handle()));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The number of elements. */
    public long size() {
        return shape().size();
    }

    /** The number of axes. */
    public int ndim() {
        return shape().ndim();
    }

    /** The device that holds it. */
    public Context context() {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long out = frame.slot();
            MxrException.check(Native.arrayDevice(handle(), out, out + 4));
            return Context.of(frame.getInt(out), frame.getInt(out + 4));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    // Elements.

    /** The elements, which must be {@code FLOAT32}, row by row. */
    public float[] toFloatArray() {
        return (float[]) Elements.copy(this, DType.FLOAT32);
    }

    /** The elements of any dtype, as doubles, row by row. */
    public double[] toDoubleArray() {
        if (dtype() == DType.FLOAT64) return (double[]) Elements.copy(this, DType.FLOAT64);
        try (NDArray doubles = astype(DType.FLOAT64)) {
            return (double[]) Elements.copy(doubles, DType.FLOAT64);
        }
    }

    /** The elements, which must be {@code INT32}, row by row. */
    public int[] toIntArray() {
        return (int[]) Elements.copy(this, DType.INT32);
    }

    /** The elements, which must be {@code INT64}, row by row. */
    public long[] toLongArray() {
        return (long[]) Elements.copy(this, DType.INT64);
    }

    /** The elements, which must be {@code BOOL}, row by row. */
    public boolean[] toBooleanArray() {
        return (boolean[]) Elements.copy(this, DType.BOOL);
    }

    /** The bits of the elements, which must be {@code FLOAT16} or {@code BFLOAT16}, row by row. */
    public short[] toBits() {
        return Elements.bits(this);
    }

    /** The bytes of the elements, in the machine's order. */
    public byte[] toByteArray() {
        return Elements.bytes(this);
    }

    /** The only element, as a double. */
    public double item() {
        double[] all = toDoubleArray();
        if (all.length != 1) throw MxrException.invalid("array", "expected one element, got " + all.length);
        return all[0];
    }

    /** Sets all elements, which must be {@code FLOAT32}. Waits for those that use them. */
    public NDArray set(float[] values) {
        return Elements.set(this, values, values.length, DType.FLOAT32);
    }

    /** Sets all elements from bytes in the machine's order. */
    public NDArray setBytes(byte[] bytes) {
        return Elements.set(this, bytes, bytes.length, null);
    }

    /**
     * The memory of the elements as a direct buffer, without a copy. It stays while the buffer is reachable; whoever
     * reads it must call {@link #waitToRead} after later operations on the array, who writes it {@link #waitToWrite}.
     */
    public ByteBuffer asByteBuffer() {
        return Elements.buffer(this);
    }

    /** Waits until everything asked so far has written it; reports what failed there. Ends with an interrupt. */
    public NDArray waitToRead() {
        try {
            Engine.await(slice -> Native.arrayWaitToRead(handle(), slice));
            return this;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** The same, for so long at most: then a failure with the code {@code TIMEOUT}. */
    public NDArray waitToRead(long timeout, TimeUnit unit) {
        try {
            MxrException.check(Native.arrayWaitToRead(handle(), unit.toMillis(timeout)));
            return this;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Waits until everything asked so far has read and written it. */
    public NDArray waitToWrite() {
        try {
            Engine.await(slice -> Native.arrayWaitToWrite(handle(), slice));
            return this;
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    // Parts and copies.

    /** Row {@code index} of the first axis, without that axis, sharing memory. */
    public NDArray at(long index) {
        return part((local, out) -> Native.arrayAt(handle(), index, local.call, out));
    }

    /** The rows {@code begin} to before {@code end} of the first axis, sharing memory. */
    public NDArray slice(long begin, long end) {
        return part((local, out) -> Native.arraySlice(handle(), begin, end, local.call, out));
    }

    /** The same elements in another shape, sharing memory. One size may be -1. */
    public NDArray reshape(long... shape) {
        return part((local, out) ->
                Native.arrayReshape(handle(), local.frame.longs(shape), shape.length, local.call, out));
    }

    /** Another array over the same elements, which autograd knows nothing about. */
    public NDArray detach() {
        return part((local, out) -> Native.arrayDetach(handle(), out));
    }

    private interface Part {
        long make(Local local, long out);
    }

    private NDArray part(Part part) {
        Local local = Local.get();
        long mark = local.frame.mark();
        try {
            long out = local.frame.slot();
            MxrException.check(part.make(local, out));
            long made = local.frame.getLong(out);
            return made == 0 ? null : new NDArray(made, local);
        } finally {
            local.frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    /** A part along the first axes. Parts of the first axis alone share memory, others are copies. */
    public NDArray get(Index... indices) {
        if (indices.length == 1 && indices[0].single) return at(indices[0].begin);
        return Indexing.get(this, indices);
    }

    /** Sets a part along the first axes to an array, which is repeated to its shape. */
    public NDArray set(NDArray value, Index... indices) {
        Indexing.set(this, value, indices);
        return this;
    }

    /** Sets a part along the first axes, or without an index all elements, to a number. */
    public NDArray set(double value, Index... indices) {
        Indexing.set(this, value, indices);
        return this;
    }

    /** A copy. */
    public NDArray copy() {
        return ND.identity(this);
    }

    /** Copies the elements to an array of the same shape, when both are ready. */
    public NDArray copyTo(NDArray other) {
        try {
            MxrException.check(Native.arrayCopy(handle(), other.handle()));
            return other;
        } finally {
            Reference.reachabilityFence(this);
            Reference.reachabilityFence(other);
        }
    }

    /** The elements in another dtype. */
    public NDArray astype(DType dtype) {
        return ND.cast(this, dtype);
    }

    // Autograd.

    /** Makes it a variable, whose gradient {@link #grad} is written by {@link #backward}. */
    public NDArray attachGrad() {
        return attachGrad("write");
    }

    /** Makes it a variable whose gradient is written ({@code write}), added ({@code add}) or left ({@code null}). */
    public NDArray attachGrad(String gradReq) {
        NDArray gradient = ND.zerosLike(this.detach());
        Autograd.markVariables(List.of(this), List.of(gradient), List.of(gradReq));
        return this;
    }

    /** Its gradient; null if it is no variable. */
    public NDArray grad() {
        return part((local, out) -> Native.arrayGrad(handle(), out));
    }

    /** Computes the gradients of its sum by the variables that it was made of. */
    public void backward() {
        Autograd.backward(List.of(this));
    }

    /** Computes gradients from this gradient of its own. */
    public void backward(NDArray headGrad) {
        Autograd.backward(List.of(this), List.of(headGrad), false, true);
    }

    // Interchange.

    /** The address of a DLPack tensor ({@code DLManagedTensor *}) that shares its memory and is the caller's. */
    public long toDLPack() {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long out = frame.slot();
            MxrException.check(Native.arrayToDlpack(handle(), out));
            return frame.getLong(out);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    /** An array over the memory of a DLPack tensor, which becomes its own. */
    public static NDArray fromDLPack(long tensor) {
        return new NDArray(Texts.place(out -> Native.arrayFromDlpack(tensor, out)));
    }

    /** Whether both have the same shape, dtype and elements. {@code equals} asks whether they are one object. */
    public boolean contentEquals(NDArray other) {
        return dtype() == other.dtype() && shape().equals(other.shape())
                && Arrays.equals(toByteArray(), other.toByteArray());
    }

    /** Whether the elements differ by at most {@code atol + rtol |other|}. */
    public boolean allClose(NDArray other, double rtol, double atol) {
        double[] a = toDoubleArray();
        double[] b = other.toDoubleArray();
        if (!shape().equals(other.shape())) return false;
        for (int i = 0; i < a.length; i++) {
            if (!(Math.abs(a[i] - b[i]) <= atol + rtol * Math.abs(b[i])) && a[i] != b[i]) return false;
        }
        return true;
    }

    /** The elements, of long axes the first and the last, with shape and device. */
    @Override
    public String toString() {
        return isClosed() ? "<NDArray closed>" : Printing.text(this);
    }
}
