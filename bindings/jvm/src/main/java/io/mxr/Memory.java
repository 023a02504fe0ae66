package io.mxr;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory of arrays, which the collector of Java's heap does not see. When arrays that may be garbage hold more than
 * a limit, or are very many, the collector is asked to run, as for direct buffers; the limit then becomes twice what is
 * still in use.
 */
public final class Memory {
    private Memory() {}

    private static final int STATS_BYTES = 32;
    /** New arrays after which the collector is asked, whatever they hold: so many that it costs little for each. */
    private static final long MANY = 100_000;
    /** New arrays for each of which the library is not asked what all hold. */
    private static final long ASKED_EACH = 8;
    /** How long the collector's findings may take to come. */
    private static final long CLEANING_MILLISECONDS = 500;
    private static final AtomicLong MADE = new AtomicLong();
    private static final AtomicLong RELEASED = new AtomicLong();
    private static final Object COLLECTING = new Object();
    private static volatile long least = 64L << 20;
    private static volatile long limit = least;
    private static volatile long many = MANY;
    /** Whether the collector was asked because of {@link #many} and has not told all yet. */
    private static volatile boolean asked;
    /** Arrays that had been made by then. */
    private static long madeBefore;

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
        boolean more = Release.one();
        long made = MADE.incrementAndGet();
        if (made % ASKED_EACH == 0 && stats(local.frame, 8) > limit) collect(local);
        if (!more && !asked && made - RELEASED.get() > many) ask();
    }

    /** An array was given back. */
    static void released() {
        RELEASED.incrementAndGet();
    }

    /** Asks the collector, and gives back what it finds. */
    private static void collect(Local local) {
        synchronized (COLLECTING) {
            Release.all();
            if (stats(local.frame, 8) > limit) {
                try {
                    Release.collect(CLEANING_MILLISECONDS);
                } catch (InterruptedException stop) {
                    Thread.currentThread().interrupt();
                }
            }
            Native.eventsPoll();
            limit = Math.max(least, 2 * stats(local.frame, 8));
        }
    }

    /** Asks the collector, of whose findings every new array then gives one back. */
    private static void ask() {
        synchronized (COLLECTING) {
            long made = MADE.get();
            long there = made - RELEASED.get();
            // What was there when it was asked last, and still is.
            long live = madeBefore == 0 ? 0 : Math.max(0, there - (made - madeBefore));
            many = live + Math.max(MANY, live);
            if (asked || there <= many) return;
            asked = true;
            madeBefore = made;
            Release.ask(() -> asked = false);
        }
    }
}
