package io.mxr;

import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;

/**
 * An object of the library's. It is given back by {@link #close}, or some time after nothing refers to it any more.
 * After {@code close} every use of it is an error; closing it twice is none.
 */
public abstract class Handle implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Release release;
    private final Cleaner.Cleanable cleanable;

    /** What gives the object back, without referring to it. */
    private static final class Release implements Runnable {
        private final LongConsumer free;
        private volatile long pointer;

        Release(long pointer, LongConsumer free) {
            this.pointer = pointer;
            this.free = free;
        }

        @Override
        public void run() {
            long last = pointer;
            pointer = 0;
            free.accept(last);
        }
    }

    Handle(long pointer, LongConsumer free) {
        release = new Release(pointer, free);
        cleanable = CLEANER.register(this, release);
    }

    /** The library's handle, borrowed: this object must stay reachable while it is used. */
    final long handle() {
        long pointer = release.pointer;
        if (pointer == 0) throw closed();
        return pointer;
    }

    private MxrException closed() {
        String name = getClass().getSimpleName();
        return new MxrException(MxrException.Code.CLOSED, "the " + name + " was closed", null, null);
    }

    /** Whether it was closed. */
    public final boolean isClosed() {
        return release.pointer == 0;
    }

    @Override
    public void close() {
        cleanable.clean();
    }

    /** Runs an action when an object is no longer reachable. */
    static void whenUnreachable(Object object, Runnable action) {
        CLEANER.register(object, action);
    }
}
