package io.mxr;

import java.util.function.LongConsumer;

/**
 * An object of the library's. It is given back by {@link #close}, or some time after nothing refers to it any more.
 * After {@code close} every use of it is an error; closing it twice is none.
 */
public abstract class Handle implements AutoCloseable {
    private final Release release;

    Handle(long pointer, LongConsumer free) {
        release = new Release(this, pointer, free);
    }

    /** The library's handle, borrowed: this object must stay reachable while it is used. */
    final long handle() {
        long pointer = release.pointer();
        if (pointer == 0) throw closed();
        return pointer;
    }

    private MxrException closed() {
        String name = getClass().getSimpleName();
        return new MxrException(MxrException.Code.CLOSED, "the " + name + " was closed", null, null);
    }

    /** Whether it was closed. */
    public final boolean isClosed() {
        return release.pointer() == 0;
    }

    @Override
    public void close() {
        release.run();
    }
}
