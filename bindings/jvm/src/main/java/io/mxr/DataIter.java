package io.mxr;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** A data iterator of the library's. {@link DataIters} has a function for each. */
public final class DataIter extends Handle implements BatchSource, Iterable<DataBatch> {
    DataIter(String name, Attrs attrs, SourceOptions<?> sources) {
        super(made(name, attrs, sources), Native::dataIterFree);
    }

    private static long made(String name, Attrs attrs, SourceOptions<?> sources) {
        Frame frame = Local.get().frame;
        try {
            return Registered.make(name, attrs, (text, values, n, out) -> Native.dataIterCreate(
                    text, values, n, names(frame, sources.dataNames), frame.handles(sources.data),
                    sources.data.size(), names(frame, sources.labelNames), frame.handles(sources.label),
                    sources.label.size(), frame.handles(sources.iters), sources.iters.size(), out));
        } finally {
            Reference.reachabilityFence(sources);
        }
    }

    private static long names(Frame frame, java.util.Collection<String> names) {
        return names == null ? 0 : frame.texts(names);
    }

    private List<DataDesc> descs(int list) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            List<String> names = Texts.list(out -> Native.dataIterNames(handle(), list, out));
            List<DataDesc> all = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                int at = i;
                String layout = Texts.one(out -> Native.dataIterLayout(handle(), list, at, out));
                Described one = new Described(frame, (dims, room, ndim, dtype) ->
                        Native.dataIterDesc(handle(), list, at, dims, room, ndim, dtype));
                all.add(new DataDesc(names.get(i), one.shape, one.dtype, layout));
            }
            return all;
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    /** Shape and dtype that the library tells of something. */
    static final class Described {
        private static final int ROOM = 32;
        final Shape shape;
        final DType dtype;

        /** A function of the library's that tells them. */
        interface Teller {
            long tell(long dims, int room, long ndim, long dtype);
        }

        Described(Frame frame, Teller teller) {
            long dims = frame.slots(ROOM + 1);
            long ndim = dims + 8L * ROOM;
            MxrException.check(teller.tell(dims, ROOM, ndim, ndim + 4));
            long[] sizes = new long[frame.getInt(ndim)];
            for (int i = 0; i < sizes.length; i++) sizes[i] = frame.getLong(dims + 8L * i);
            shape = Shape.of(sizes);
            dtype = DType.of(frame.getInt(ndim + 4));
        }
    }

    @Override
    public List<DataDesc> provideData() {
        return descs(Native.DATA);
    }

    @Override
    public List<DataDesc> provideLabel() {
        return descs(Native.LABELS);
    }

    /** Examples in a batch. */
    public long batchSize() {
        return number(out -> Native.dataIterBatchSize(handle(), out));
    }

    private long number(java.util.function.LongUnaryOperator call) {
        try {
            return Texts.place(call);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public DataBatch next() {
        if ((int) number(out -> Native.dataIterNext(handle(), out)) == 0) return null;
        return new DataBatch(
                arrays(Native.DATA), arrays(Native.LABELS), number(out -> Native.dataIterPad(handle(), out)));
    }

    private List<NDArray> arrays(int list) {
        List<NDArray> all = new ArrayList<>();
        int n = Texts.list(out -> Native.dataIterNames(handle(), list, out)).size();
        for (int i = 0; i < n; i++) {
            int at = i;
            all.add(new NDArray(number(out -> Native.dataIterArray(handle(), list, at, out))));
        }
        return all;
    }

    @Override
    public void reset() {
        MxrException.check(Native.dataIterReset(handle(), 0));
    }

    /** Begins as if nothing had been read, so that nothing is carried over. */
    public void hardReset() {
        MxrException.check(Native.dataIterReset(handle(), 1));
    }

    /** The batches from here to the end of the epoch. */
    @Override
    public Iterator<DataBatch> iterator() {
        return new Iterator<>() {
            private DataBatch ahead = DataIter.this.next();

            @Override
            public boolean hasNext() {
                return ahead != null;
            }

            @Override
            public DataBatch next() {
                if (ahead == null) throw new NoSuchElementException();
                DataBatch batch = ahead;
                ahead = DataIter.this.next();
                return batch;
            }
        };
    }
}
