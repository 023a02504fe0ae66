package io.mxr;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Elements of every dtype from and to double. */
final class Numbers {
    private Numbers() {}

    /** An array of numbers; as a view, the third of four rows of another. */
    static NDArray array(long[] shape, double[] data, long[] integers, DType dtype, boolean view) {
        int n = data.length;
        ByteBuffer bytes = ByteBuffer.allocate(n * dtype.bytes() * (view ? 4 : 1)).order(ByteOrder.nativeOrder());
        for (int i = 0; i < (view ? 4 * n : n); i++) {
            boolean other = view && i / n != 2;
            store(bytes, dtype, other ? 77 : data[i % n], other ? 77 : integers[i % n]);
        }
        if (!view) return NDArray.ofBytes(bytes.array(), dtype, sized(shape, n));
        long[] all = new long[shape.length + 1];
        all[0] = 4;
        System.arraycopy(shape, 0, all, 1, shape.length);
        return NDArray.ofBytes(bytes.array(), dtype, all).at(2);
    }

    static NDArray array(Cases.Tensor tensor, DType dtype, boolean view) {
        DType own = tensor.dtype == null ? dtype : tensor.dtype;
        if (tensor.shape.length > 0 || view) return array(tensor.shape, tensor.data, tensor.integers, own, view);
        return array(new long[] {1}, tensor.data, tensor.integers, own, false).reshape();
    }

    private static long[] sized(long[] shape, int n) {
        return shape.length == 0 ? new long[] {n} : shape;
    }

    private static void store(ByteBuffer to, DType dtype, double v, long integer) {
        switch (dtype) {
            case FLOAT32:
                to.putFloat((float) v);
                break;
            case FLOAT64:
                to.putDouble(v);
                break;
            case FLOAT16:
                to.putShort(to16(v, 5, 10));
                break;
            case BFLOAT16:
                to.putShort(to16(v, 8, 7));
                break;
            case INT64:
                to.putLong(integer);
                break;
            case INT32:
                to.putInt((int) integer);
                break;
            case BOOL:
                to.put((byte) (v != 0 ? 1 : 0));
                break;
            default:
                to.put((byte) integer);
                break;
        }
    }

    static double[] elements(NDArray array) {
        DType dtype = array.dtype();
        ByteBuffer bytes = ByteBuffer.wrap(array.toByteArray()).order(ByteOrder.nativeOrder());
        double[] out = new double[(int) array.size()];
        for (int i = 0; i < out.length; i++) out[i] = load(bytes, dtype);
        return out;
    }

    private static double load(ByteBuffer from, DType dtype) {
        switch (dtype) {
            case FLOAT32:
                return from.getFloat();
            case FLOAT64:
                return from.getDouble();
            case FLOAT16:
                return from16(from.getShort(), 5, 10);
            case BFLOAT16:
                return from16(from.getShort(), 8, 7);
            case INT64:
                return from.getLong();
            case INT32:
                return from.getInt();
            case INT8:
                return from.get();
            case UINT8:
                return from.get() & 0xff;
            default:
                return from.get() != 0 ? 1 : 0;
        }
    }

    /** An integer as it is in memory of its dtype. */
    static double wrapped(DType dtype, double v, long integer) {
        switch (dtype) {
            case INT64:
                return integer;
            case INT32:
                return (int) integer;
            case INT8:
                return (byte) integer;
            case UINT8:
                return integer & 0xff;
            default:
                return v;
        }
    }

    /** The bits of the nearest number with so many exponent and fraction bits, 16 in all with the sign. */
    static short to16(double v, int exponentBits, int fractionBits) {
        int bias = (1 << (exponentBits - 1)) - 1;
        int ones = (1 << exponentBits) - 1;
        int sign = Double.doubleToRawLongBits(v) < 0 ? 0x8000 : 0;
        if (Double.isNaN(v)) return (short) (ones << fractionBits | 1 << (fractionBits - 1));
        int exponent = v == 0 ? 1 - bias : Math.max(1 - bias, Math.getExponent(v));
        double units = Math.rint(Math.scalb(Math.abs(v), fractionBits - exponent));
        double bits = units + Math.scalb((double) (exponent + bias - 1), fractionBits);
        int largest = ones << fractionBits;
        return (short) (sign | (bits < largest ? (int) bits : largest));
    }

    static double from16(short bits, int exponentBits, int fractionBits) {
        int bias = (1 << (exponentBits - 1)) - 1;
        int ones = (1 << exponentBits) - 1;
        int exponent = bits >> fractionBits & ones;
        int fraction = bits & ((1 << fractionBits) - 1);
        double value;
        if (exponent == ones) value = fraction != 0 ? Double.NaN : Double.POSITIVE_INFINITY;
        else if (exponent == 0) value = Math.scalb((double) fraction, 1 - bias - fractionBits);
        else value = Math.scalb((double) (fraction + (1 << fractionBits)), exponent - bias - fractionBits);
        return bits < 0 ? -value : value;
    }
}
