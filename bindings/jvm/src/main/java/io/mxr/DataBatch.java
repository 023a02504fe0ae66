package io.mxr;

import java.util.List;

/** Some examples: their data and labels, in the order of the iterator's descriptions. */
public final class DataBatch {
    private final List<NDArray> data;
    private final List<NDArray> label;
    private final long pad;

    /** Of which the last {@code pad} examples only fill it up. Labels may be none. */
    public DataBatch(List<NDArray> data, List<NDArray> label, long pad) {
        this.data = data;
        this.label = label;
        this.pad = pad;
    }

    /** The data. */
    public List<NDArray> data() {
        return data;
    }

    /** The labels. */
    public List<NDArray> label() {
        return label;
    }

    /** How many examples, the last ones, only fill it up. */
    public long pad() {
        return pad;
    }
}
