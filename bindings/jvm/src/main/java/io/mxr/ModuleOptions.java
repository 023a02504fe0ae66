package io.mxr;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** What a module's variables are, and where it runs. */
public final class ModuleOptions {
    private static final int BYTES = 72;
    private List<String> data;
    private List<String> labels;
    private List<String> fixed = Collections.emptyList();
    private List<String> states = Collections.emptyList();
    private List<Context> contexts = Collections.emptyList();

    /** The names of the data; {@code data} if not given. */
    public ModuleOptions dataNames(String... names) {
        data = Arrays.asList(names);
        return this;
    }

    /** The names of the labels, which may be none; {@code softmax_label} if not given. */
    public ModuleOptions labelNames(String... names) {
        labels = Arrays.asList(names);
        return this;
    }

    /** Parameters that are not trained. */
    public ModuleOptions fixedParamNames(String... names) {
        fixed = Arrays.asList(names);
        return this;
    }

    /** States, which stay from batch to batch. */
    public ModuleOptions stateNames(String... names) {
        states = Arrays.asList(names);
        return this;
    }

    /** Devices, among which batches are divided. */
    public ModuleOptions contexts(Context... contexts) {
        this.contexts = Arrays.asList(contexts);
        return this;
    }

    /** Writes the {@code mxr_module_options_t}. */
    long write(Frame frame) {
        long dataTexts = data == null ? 0 : frame.texts(data);
        long labelTexts = labels == null ? 0 : frame.texts(labels);
        long fixedTexts = frame.texts(fixed);
        long stateTexts = frame.texts(states);
        List<Context> all = contexts.isEmpty() ? List.of(Context.current()) : contexts;
        long kinds = frame.ints(all.stream().mapToInt(Context::kind).toArray());
        long ids = frame.ints(all.stream().mapToInt(Context::id).toArray());
        long options = frame.slots(BYTES / 8);
        frame.putInt(options, BYTES);
        frame.putInt(options + 4, data == null ? 0 : data.size());
        frame.putLong(options + 8, dataTexts);
        frame.putLong(options + 16, labelTexts);
        frame.putLong(options + 24, fixedTexts);
        frame.putLong(options + 32, stateTexts);
        frame.putInt(options + 40, labels == null ? 0 : labels.size());
        frame.putInt(options + 44, fixed.size());
        frame.putInt(options + 48, states.size());
        frame.putInt(options + 52, all.size());
        frame.putLong(options + 56, kinds);
        frame.putLong(options + 64, ids);
        return options;
    }
}
