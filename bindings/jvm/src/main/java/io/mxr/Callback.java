package io.mxr;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Is told of each batch or epoch, and prints or saves: a speedometer, a progress bar. {@link Callbacks} has them. */
public final class Callback extends Handle implements Module.BatchEnd, Module.EpochEnd {
    private final Attrs attrs;

    Callback(String name, Attrs attrs) {
        super(Registered.make(name, attrs, Native::callbackCreate), Native::callbackFree);
        this.attrs = attrs;
    }

    /** By name, as {@code Speedometer}. */
    public static Callback create(String name, Map<String, ?> attrs) {
        return new Callback(name, Registered.attrs("callbacks", name, attrs));
    }

    @Override
    public void batchEnd(Module module, int epoch, int batch, Metric metric) {
        call(module, epoch, batch, metric);
    }

    @Override
    public void epochEnd(Module module, int epoch) {
        call(module, epoch, 0, null);
    }

    private void call(Module module, int epoch, int batch, Metric metric) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            double seconds = System.nanoTime() / 1e9;
            long out = frame.slots(2);
            MxrException.check(Native.callbackDue(handle(), epoch, batch, seconds, out));
            if (frame.getInt(out) == 0) return;
            Map<String, Double> values = metric == null ? Map.of() : metric.get();
            List<String> names = new ArrayList<>(values.keySet());
            double[] numbers = names.stream().mapToDouble(values::get).toArray();
            frame.putLong(out, 0);
            frame.putLong(out + 8, 0);
            MxrException.check(Native.callbackCall(
                    handle(), epoch, batch, seconds, metric == null ? 0 : frame.texts(names), frame.doubles(numbers),
                    numbers.length, out, out + 8));
            long text = frame.getLong(out);
            if (text != 0) print(Bridge.text(text));
            Native.stringFree(text);
            int actions = frame.getInt(out + 8);
            if ((actions & Native.CALLBACK_RESET_METRIC) != 0 && metric != null) metric.resetLocal();
            if ((actions & Native.CALLBACK_SAVE) != 0) save(module, epoch + 1);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(this);
        }
    }

    private static void print(String text) {
        if (text.endsWith("\r")) System.out.print(text);
        else System.out.println(text);
        System.out.flush();
    }

    private void save(Module module, int epoch) {
        boolean states = Boolean.TRUE.equals(attrs.get("save_optimizer_states"));
        module.saveCheckpoint((String) attrs.get("prefix"), epoch, states);
    }
}
