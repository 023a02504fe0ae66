package io.mxr;

import java.util.List;

/** Gives one batch after the other: a {@link DataIter}, or the user's own. */
public interface BatchSource {
    /** What the data of batches are. */
    List<DataDesc> provideData();

    /** What the labels of batches are. */
    List<DataDesc> provideLabel();

    /** The next batch; null at the end of the epoch. */
    DataBatch next();

    /** Begins the next epoch. */
    void reset();
}
