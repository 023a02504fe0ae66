package io.mxr;

import java.lang.ref.Reference;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;

/** Sums up how good predictions are. {@link Metrics} has a function for each. */
public class Metric extends Handle {
    private static final int ROOM = 256;

    Metric(String name, Attrs attrs) {
        super(Registered.make(name, attrs, Native::metricCreate), Native::metricFree);
    }

    /** By name, as {@code acc}. */
    public static Metric create(String name) {
        return create(name, Map.of());
    }

    /** By name, as {@code acc}. */
    public static Metric create(String name, Map<String, ?> attrs) {
        return new Metric(name, Registered.attrs("metrics", name, attrs));
    }

    /** The mean over batches of what a function makes of a label and a prediction. */
    public static Metric custom(String name, ToDoubleBiFunction<NDArray, NDArray> function) {
        return new Custom(name, function);
    }

    /** A metric of the user's. */
    private static final class Custom extends Metric {
        private final ToDoubleBiFunction<NDArray, NDArray> function;

        Custom(String name, ToDoubleBiFunction<NDArray, NDArray> function) {
            super("CustomMetric", Registered.attrs("metrics", "CustomMetric", Map.of("name", name)));
            this.function = function;
        }

        @Override
        public void update(List<NDArray> labels, List<NDArray> predictions) {
            for (int i = 0; i < predictions.size(); i++) {
                add(function.applyAsDouble(labels.get(i), predictions.get(i)), 1);
            }
        }
    }

    /** Whether the library sums up by itself. */
    final boolean isOfLibrary() {
        return !(this instanceof Custom);
    }

    /** Takes in a batch: as many labels as predictions. */
    public void update(List<NDArray> labels, List<NDArray> predictions) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            MxrException.check(Native.metricUpdate(
                    handle(), frame.handles(labels), labels.size(), frame.handles(predictions), predictions.size()));
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
            Reference.reachabilityFence(labels);
            Reference.reachabilityFence(predictions);
        }
    }

    /** Adds a sum and a count. */
    public void add(double sum, double count) {
        MxrException.check(Native.metricAdd(handle(), sum, count));
    }

    /** Adds a part to a {@code CompositeEvalMetric}. */
    public Metric push(Metric part) {
        MxrException.check(Native.metricPush(handle(), part.handle()));
        return this;
    }

    /** Forgets everything. */
    public void reset() {
        MxrException.check(Native.metricReset(handle()));
    }

    /** Forgets everything but what {@link #getGlobal} tells. */
    public void resetLocal() {
        MxrException.check(Native.metricResetLocal(handle()));
    }

    /** The values by name since the last reset of either kind; not a number where there was nothing. Waits. */
    public Map<String, Double> get() {
        return values(0);
    }

    /** The values by name since the last {@link #reset}. */
    public Map<String, Double> getGlobal() {
        return values(1);
    }

    private Map<String, Double> values(int global) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            long values = frame.slots(ROOM);
            long n = frame.slot();
            List<String> names =
                    Texts.list(out -> Native.metricGet(handle(), global, out, values, ROOM, n));
            Map<String, Double> all = new LinkedHashMap<>();
            for (int i = 0; i < names.size() && i < ROOM; i++) all.put(names.get(i), frame.getDouble(values + 8L * i));
            return all;
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }
}
