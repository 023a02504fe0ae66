package io.mxr;

import java.util.LinkedHashMap;
import java.util.Map;

/** What need not be given to an operator. */
public abstract class CallOptions<T extends CallOptions<T>> extends AttrOptions<T> {
    private static final NDArray[] NO_ARRAYS = {};
    NDArray[] out = NO_ARRAYS;
    String name;
    Map<String, String> nodeAttrs;

    CallOptions() {}

    /** On arrays: where the results go; new arrays if not given. */
    public T out(NDArray... arrays) {
        out = arrays;
        return self();
    }

    /** On symbols: the name of the node. */
    public T name(String name) {
        this.name = name;
        return self();
    }

    /** On symbols: an attribute of the node, such as {@code lr_mult}. */
    public T attr(String key, String value) {
        if (nodeAttrs == null) nodeAttrs = new LinkedHashMap<>();
        nodeAttrs.put(key, value);
        return self();
    }
}
