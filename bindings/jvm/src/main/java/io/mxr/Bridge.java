package io.mxr;

import java.nio.ByteBuffer;

/** The native methods that need the JVM itself; the others are in {@link Native}. Those that say so return an error. */
final class Bridge {
    private Bridge() {}

    static {
        Library.load();
    }

    /** The address of a direct buffer's memory. */
    static native long address(ByteBuffer buffer);

    /** A direct buffer over memory, which it does not keep. */
    static native ByteBuffer buffer(long address, long bytes);

    /** A text of C's; null for 0. */
    static native String text(long address);

    /** Makes an array of the library from an array of Java's. Returns an error. */
    static native long fromElements(
            Object array, long bytes, long dims, int ndim, int dtype, int kind, int id, long out);

    /** Copies elements, which must be ready, to an array of Java's. Returns an error. */
    static native long copyTo(long handle, Object array, long bytes);

    /** Copies elements from an array of Java's. Returns an error. */
    static native long copyFrom(long handle, Object array, long bytes);

    /** A payload that keeps an object until {@link #DROP} gets it. */
    static native long keep(Object object);

    /** The address of a function that the library calls. */
    static native long callback(int which);

    /** The functions for {@link #callback}. */
    static final int DROP = 0;
    static final int BACKWARD = 1;
    static final int MONITOR = 2;
    static final int UPDATE = 3;
}
