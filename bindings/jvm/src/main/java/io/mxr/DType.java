package io.mxr;

/** The type of an array's elements. */
public enum DType {
    /** IEEE 754 single precision: Java's float. */
    FLOAT32(Native.FLOAT32, 4),
    /** IEEE 754 double precision: Java's double. */
    FLOAT64(Native.FLOAT64, 8),
    /** IEEE 754 half precision; its bits are Java's short. */
    FLOAT16(Native.FLOAT16, 2),
    /** Unsigned 8-bit integers; their bits are Java's byte. */
    UINT8(Native.UINT8, 1),
    /** Java's int. */
    INT32(Native.INT32, 4),
    /** Java's byte. */
    INT8(Native.INT8, 1),
    /** Java's long. */
    INT64(Native.INT64, 8),
    /** Java's boolean. */
    BOOL(Native.BOOL, 1),
    /** The upper half of a single-precision number; its bits are Java's short. */
    BFLOAT16(Native.BFLOAT16, 2);

    final int code;
    private final int bytes;

    DType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** Bytes of an element. */
    public int bytes() {
        return bytes;
    }

    /** Whether elements are floating-point numbers. */
    public boolean isFloat() {
        return this == FLOAT32 || this == FLOAT64 || this == FLOAT16 || this == BFLOAT16;
    }

    static DType of(int code) {
        for (DType dtype : values()) {
            if (dtype.code == code) return dtype;
        }
        throw MxrException.invalid("dtype", "there is no dtype with the code " + code);
    }

    /** By MXNet's name, such as {@code float32}. */
    public static DType of(String name) {
        for (DType dtype : values()) {
            if (dtype.toString().equals(name)) return dtype;
        }
        throw MxrException.invalid("dtype", "there is no dtype " + name);
    }

    /** MXNet's name. */
    @Override
    public String toString() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
