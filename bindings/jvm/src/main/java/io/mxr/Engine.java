package io.mxr;

import java.util.function.LongUnaryOperator;

/** The engine, which runs operations after the calls that asked for them returned. */
public final class Engine {
    private Engine() {}

    /** How long a thread waits before it looks whether it was interrupted. */
    private static final long SLICE_MILLISECONDS = 50;

    /**
     * Waits until everything is done that was asked for.
     *
     * @throws MxrException all that failed since the last such wait; after an interrupt {@code CALLBACK} with an
     *     {@link InterruptedException} as its cause
     */
    public static void waitAll() {
        await(Native::waitAll);
    }

    /** Operations that were asked for and are not done. */
    public static long pending() {
        return Native.enginePending();
    }

    /** Finishes what was asked for and stops all threads; later calls start them anew. */
    public static void shutdown() {
        MxrException.check(Native.shutdown(Native.FOREVER));
    }

    /** Repeats a wait of so many milliseconds until it is over; an interrupt ends it. */
    static void await(LongUnaryOperator wait) {
        while (true) {
            long error = wait.applyAsLong(SLICE_MILLISECONDS);
            if (error == 0) return;
            if (Native.errorCode(error) != Native.ERROR_TIMEOUT) throw MxrException.taken(error);
            Native.errorFree(error);
            if (!Thread.currentThread().isInterrupted()) continue;
            MxrException stopped =
                    new MxrException(MxrException.Code.CALLBACK, "interrupted while waiting", null, null);
            stopped.initCause(new InterruptedException());
            throw stopped;
        }
    }
}
