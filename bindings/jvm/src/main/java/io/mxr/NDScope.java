package io.mxr;

import java.util.ArrayList;
import java.util.List;

/**
 * Closes the arrays that this thread makes in a {@code try} statement, but for those that {@link #keep} was told of.
 * Without a scope arrays are given back when the collector finds that nothing refers to them.
 *
 * <pre>{@code
 * NDArray result;
 * try (NDScope scope = NDScope.open()) {
 *     result = scope.keep(x.mul(2).add(y));
 * }
 * }</pre>
 */
public final class NDScope implements AutoCloseable {
    private final Local local = Local.get();
    private final NDScope outer = local.scope;
    private final List<NDArray> arrays = new ArrayList<>();
    private boolean closed;

    private NDScope() {
        local.scope = this;
    }

    /** Enters a scope; scopes may lie in each other. */
    public static NDScope open() {
        return new NDScope();
    }

    void add(NDArray array) {
        arrays.add(array);
    }

    /** Takes an array out of the scope, into the one around it if there is one, and returns it. */
    public NDArray keep(NDArray array) {
        // It is the same object that counts: most often the last one.
        for (int i = arrays.size() - 1; i >= 0; i--) {
            if (arrays.get(i) != array) continue;
            arrays.remove(i);
            if (outer != null) outer.add(array);
            break;
        }
        return array;
    }

    /** Takes arrays out of the scope. */
    public List<NDArray> keep(List<NDArray> kept) {
        kept.forEach(this::keep);
        return kept;
    }

    @Override
    public void close() {
        if (closed) return;
        closed = true;
        local.scope = outer;
        arrays.forEach(NDArray::close);
    }
}
