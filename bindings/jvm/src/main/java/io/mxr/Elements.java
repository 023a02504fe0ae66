package io.mxr;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Elements of arrays: from Java's arrays and buffers and back. */
final class Elements {
    private Elements() {}

    /** A new array from so many bytes, or elements, of a primitive array. */
    static NDArray of(Object values, long length, DType dtype, long[] shape) {
        long[] sizes = shape.length == 0 ? new long[] {length / unit(values, dtype)} : shape;
        Local local = Local.get();
        Frame frame = local.frame;
        long mark = frame.mark();
        try {
            Context at = local.context();
            long out = frame.slot();
            long bytes = length * width(values);
            MxrException.check(Bridge.fromElements(
                    values, bytes, frame.longs(sizes), sizes.length, dtype.code, at.kind(), at.id(), out));
            return new NDArray(frame.getLong(out), local);
        } finally {
            frame.reset(mark);
        }
    }

    /** Bytes that the length of an array counts. */
    private static int width(Object values) {
        if (values instanceof float[] || values instanceof int[]) return 4;
        if (values instanceof double[] || values instanceof long[]) return 8;
        // The length of bits is given in bytes.
        return 1;
    }

    private static int unit(Object values, DType dtype) {
        return width(values) == 1 ? dtype.bytes() : 1;
    }

    private static MxrException wrong(DType got, DType expected) {
        String message = "expected an array of " + expected + ", got " + got + "; astype converts";
        return new MxrException(MxrException.Code.DTYPE, message, null, "array");
    }

    /** A copy of all elements as an array of Java's type for the dtype. */
    static Object copy(NDArray array, DType dtype) {
        if (array.dtype() != dtype) throw wrong(array.dtype(), dtype);
        int n = count(array.size());
        switch (dtype) {
            case FLOAT32:
                return copy(array, new float[n], 4L * n);
            case FLOAT64:
                return copy(array, new double[n], 8L * n);
            case INT32:
                return copy(array, new int[n], 4L * n);
            case INT64:
                return copy(array, new long[n], 8L * n);
            default:
                return copy(array, new boolean[n], n);
        }
    }

    static short[] bits(NDArray array) {
        if (array.dtype().bytes() != 2) throw wrong(array.dtype(), DType.FLOAT16);
        int n = count(array.size());
        return (short[]) copy(array, new short[n], 2L * n);
    }

    static byte[] bytes(NDArray array) {
        int n = count(array.size() * array.dtype().bytes());
        return (byte[]) copy(array, new byte[n], n);
    }

    private static int count(long size) {
        if (size <= Integer.MAX_VALUE - 8) return (int) size;
        String message = size + " elements are more than an array of Java's can have; asByteBuffer of a slice can";
        throw new MxrException(MxrException.Code.UNSUPPORTED, message, null, "array");
    }

    private static Object copy(NDArray array, Object to, long bytes) {
        // Not inside the copy, where the collector waits.
        array.waitToRead();
        try {
            MxrException.check(Bridge.copyTo(array.handle(), to, bytes));
            return to;
        } finally {
            Reference.reachabilityFence(array);
        }
    }

    /** Sets all elements from an array of Java's type for a dtype, or for null from bytes. */
    static NDArray set(NDArray array, Object values, int length, DType dtype) {
        if (dtype != null && array.dtype() != dtype) throw wrong(array.dtype(), dtype);
        array.waitToWrite();
        try {
            MxrException.check(Bridge.copyFrom(array.handle(), values, (long) length * width(values)));
            return array;
        } finally {
            Reference.reachabilityFence(array);
        }
    }

    static NDArray wrap(ByteBuffer buffer, DType dtype, long[] shape) {
        if (!buffer.isDirect()) throw MxrException.invalid("buffer", "expected a direct buffer, got one on the heap");
        long[] sizes = shape.length == 0 ? new long[] {buffer.remaining() / dtype.bytes()} : shape;
        long bytes = Shape.of(sizes).size() * dtype.bytes();
        if (bytes != buffer.remaining()) {
            throw MxrException.invalid(
                    "buffer", "expected " + bytes + " bytes for the shape, got " + buffer.remaining());
        }
        if (buffer.order() != ByteOrder.nativeOrder()) {
            throw MxrException.invalid("buffer", "expected the machine's byte order, got " + buffer.order());
        }
        Local local = Local.get();
        Frame frame = local.frame;
        long mark = frame.mark();
        long payload = Bridge.keep(buffer);
        try {
            long out = frame.slot();
            long data = Bridge.address(buffer) + buffer.position();
            long error = Native.arrayFromForeign(
                    data, frame.longs(sizes), sizes.length, dtype.code, Bridge.callback(Bridge.DROP), payload, out);
            MxrException.check(error);
            return new NDArray(frame.getLong(out), local);
        } finally {
            frame.reset(mark);
        }
    }

    static ByteBuffer buffer(NDArray array) {
        int bytes = count(array.size() * array.dtype().bytes());
        array.waitToRead();
        try {
            long address = Texts.place(out -> Native.arrayData(array.handle(), out));
            if (bytes == 0) return ByteBuffer.allocateDirect(0).order(ByteOrder.nativeOrder());
            long kept = Native.arrayRetain(array.handle());
            ByteBuffer buffer = Bridge.buffer(address, bytes);
            new Release(buffer, kept, Native::arrayFree);
            return buffer.order(ByteOrder.nativeOrder());
        } finally {
            Reference.reachabilityFence(array);
        }
    }
}
