package io.mxr;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory of arrays, which the collector of Java's heap does not see. When arrays that may be garbage hold more than
 * a limit, the collector is asked to run, as for direct buffers; the limit then becomes twice what is still in use.
 */
public final class Memory {
    private Memory() {}

    private static final int STATS_BYTES = 32;
    /** What an array takes besides its elements, about. */
    private static final long HANDLE_BYTES = 512;
    /** How long the collector's findings may take to come. */
    private static final long CLEANING_MILLISECONDS = 500;
    private static final AtomicLong HANDLES = new AtomicLong();
    private static final Object COLLECTING = new Object();
    private static volatile long least = 64L << 20;
    private static volatile long limit = least;

    /** The least number of bytes in use at which the collector is asked to run; 64 MiB at first. */
    public static void setCollectAt(long bytes) {
        least = bytes;
        limit = bytes;
    }

    /** Bytes that arrays hold. */
    public static long inUse() {
        return stats(Local.get().frame, 8);
    }

    /** Bytes that are kept for later arrays. */
    public static long kept() {
        return stats(Local.get().frame, 16);
    }

    /** The most bytes that arrays held. */
    public static long peak() {
        return stats(Local.get().frame, 24);
    }

    /** Returns what is kept to the system, and begins a new measurement of the peak. */
    public static void trim() {
        Native.memoryTrim();
    }

    private static long stats(Frame frame, int offset) {
        long mark = frame.mark();
        try {
            long stats = frame.take(STATS_BYTES);
            frame.putInt(stats, STATS_BYTES);
            MxrException.check(Native.memoryStats(stats));
            return frame.getLong(stats + offset);
        } finally {
            frame.reset(mark);
        }
    }

    /** An array was made. */
    static void made(Local local) {
        long handles = HANDLES.incrementAndGet();
        if (stats(local.frame, 8) + handles * HANDLE_BYTES > limit) collect(local);
    }

    /** An array was given back. */
    static void released() {
        HANDLES.decrementAndGet();
    }

    private static long held(Local local) {
        return stats(local.frame, 8) + HANDLES.get() * HANDLE_BYTES;
    }

    /** Asks the collector, and waits while that gives memory back. */
    private static void collect(Local local) {
        synchronized (COLLECTING) {
            if (held(local) <= limit) return;
            CountDownLatch cleaning = new CountDownLatch(1);
            Handle.whenUnreachable(new Object(), cleaning::countDown);
            System.gc();
            try {
                cleaning.await(CLEANING_MILLISECONDS, TimeUnit.MILLISECONDS);
                long before = Long.MAX_VALUE;
                // What was found is given back one by one, on another thread.
                for (int still = 0; still < 3; ) {
                    long now = held(local);
                    still = now < before ? 0 : still + 1;
                    before = now;
                    Thread.sleep(1);
                }
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            }
            Native.eventsPoll();
            limit = Math.max(least, 2 * held(local));
        }
    }
}
