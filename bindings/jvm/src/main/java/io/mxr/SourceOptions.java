package io.mxr;

import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** What need not be given to a data iterator, and what it reads from: arrays or other iterators, where it takes them. */
public abstract class SourceOptions<T extends SourceOptions<T>> extends AttrOptions<T> {
    Collection<String> dataNames;
    Collection<NDArray> data = Collections.emptyList();
    Collection<String> labelNames;
    Collection<NDArray> label = Collections.emptyList();
    List<DataIter> iters = Collections.emptyList();

    SourceOptions() {}

    /** The data, whose names follow from the attributes. */
    public T data(NDArray... arrays) {
        data = Arrays.asList(arrays);
        return self();
    }

    /** The data by name. */
    public T data(Map<String, NDArray> arrays) {
        dataNames = arrays.keySet();
        data = arrays.values();
        return self();
    }

    /** The labels, whose names follow from the attributes. */
    public T label(NDArray... arrays) {
        label = Arrays.asList(arrays);
        return self();
    }

    /** The labels by name. */
    public T label(Map<String, NDArray> arrays) {
        labelNames = arrays.keySet();
        label = arrays.values();
        return self();
    }

    /** The iterators. */
    public T iters(DataIter... iters) {
        this.iters = Arrays.asList(iters);
        return self();
    }
}
