package io.mxr;

/** What a {@code try} statement leaves again. It belongs to the thread that entered it. */
@FunctionalInterface
public interface Scope extends AutoCloseable {
    @Override
    void close();
}
