package io.mxr;

import java.util.LinkedHashMap;
import java.util.Map;

/** Attributes that symbols get which this thread makes in a {@code try} statement, as {@code ctx_group}. */
public final class AttrScope implements AutoCloseable {
    private final Local local = Local.get();
    private final AttrScope outer = local.attrScope;
    final Map<String, String> attrs = new LinkedHashMap<>();

    /** Enters a scope; scopes may lie in each other. */
    public AttrScope(Map<String, String> attrs) {
        if (outer != null) this.attrs.putAll(outer.attrs);
        this.attrs.putAll(attrs);
        local.attrScope = this;
    }

    @Override
    public void close() {
        local.attrScope = outer;
    }
}
