package io.mxr;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A symbol that can be trained: MXNet's {@code Module}.
 *
 * <pre>{@code
 * Module module = new Module(net);
 * module.fit(train, 10, o -> o.evalData(test).optimizer("sgd", Map.of("learning_rate", 0.1)));
 * }</pre>
 */
public final class Module extends Handle {
    /** Called after a batch. */
    @FunctionalInterface
    public interface BatchEnd {
        /** After batch {@code batch} of an epoch, both from 0. The metric is null where nothing is measured. */
        void batchEnd(Module module, int epoch, int batch, Metric metric);
    }

    /** Called after an epoch. */
    @FunctionalInterface
    public interface EpochEnd {
        /** After an epoch, from 0. */
        void epochEnd(Module module, int epoch);
    }

    private Module(long pointer) {
        super(pointer, Native::moduleFree);
    }

    /** With the data {@code data} and the label {@code softmax_label}, on the current device. */
    public Module(Symbol symbol) {
        this(symbol, options -> {});
    }

    /** With other names and devices. */
    public Module(Symbol symbol, Consumer<ModuleOptions> options) {
        this(made(symbol, options));
    }

    private static long made(Symbol symbol, Consumer<ModuleOptions> options) {
        ModuleOptions chosen = new ModuleOptions();
        options.accept(chosen);
        return asked(frame -> {
            long how = chosen.write(frame);
            return Texts.place(out -> Native.moduleCreate(symbol.handle(), how, out));
        }, symbol);
    }

    /** Reads MXNet's files of a checkpoint; with {@code states} the next optimizer goes on from those saved. */
    public static Module load(String prefix, int epoch, boolean states, Consumer<ModuleOptions> options) {
        ModuleOptions chosen = new ModuleOptions();
        options.accept(chosen);
        long loaded = asked(frame -> {
            long how = chosen.write(frame);
            long text = frame.text(prefix);
            return Texts.place(out -> Native.moduleLoad(text, epoch, states ? 1 : 0, how, out));
        }, prefix);
        return new Module(loaded);
    }

    /** Reads MXNet's files of a checkpoint. */
    public static Module load(String prefix, int epoch) {
        return load(prefix, epoch, false, options -> {});
    }

    /** Runs a call with the thread's frame. */
    private static <T> T asked(java.util.function.Function<Frame, T> call, Object used) {
        Frame frame = Local.get().frame;
        long mark = frame.mark();
        try {
            return call.apply(frame);
        } finally {
            frame.reset(mark);
            Reference.reachabilityFence(used);
        }
    }

    private interface Call {
        long run(Frame frame);
    }

    private void check(Call call, Object used) {
        asked(frame -> {
            MxrException.check(call.run(frame));
            return null;
        }, used);
        Reference.reachabilityFence(this);
    }

    // Binding.

    /** Makes executors for data and labels of these shapes, for training. */
    public Module bind(List<DataDesc> data, List<DataDesc> labels) {
        return bind(data, labels, true, false, "write");
    }

    /** Makes executors; parameters keep their values. */
    public Module bind(
            List<DataDesc> data, List<DataDesc> labels, boolean training, boolean inputGradients, String gradReq) {
        int flags = (training ? Native.BIND_TRAINING : 0) | (inputGradients ? Native.BIND_INPUT_GRADIENTS : 0);
        check(frame -> Native.moduleBind(
                handle(), DataDesc.write(frame, data), data.size(), DataDesc.write(frame, labels), labels.size(), flags,
                GradReq.code(gradReq), 0), null);
        return this;
    }

    /** Makes executors for other shapes, with the same parameters. */
    public void reshape(List<DataDesc> data, List<DataDesc> labels) {
        check(frame -> Native.moduleReshape(
                handle(), DataDesc.write(frame, data), data.size(), DataDesc.write(frame, labels), labels.size()), null);
    }

    private boolean is(int state) {
        return ((int) Texts.place(out -> Native.moduleState(handle(), out)) & state) != 0;
    }

    /** Whether it is bound. */
    public boolean isBound() {
        return is(Native.MODULE_BOUND);
    }

    /** Whether the parameters have values. */
    public boolean isInitialized() {
        return is(Native.MODULE_INITIALIZED);
    }

    private List<String> names(int list) {
        return Texts.list(out -> Native.moduleNames(handle(), list, out));
    }

    /** The names of the data. */
    public List<String> dataNames() {
        return names(Native.DATA);
    }

    /** The names of the labels. */
    public List<String> labelNames() {
        return names(Native.LABELS);
    }

    /** The names of the parameters. */
    public List<String> paramNames() {
        return names(Native.PARAMETERS);
    }

    /** The symbol. */
    public Symbol symbol() {
        return new Symbol(Texts.place(out -> Native.moduleSymbol(handle(), out)));
    }

    // Parameters.

    /** Gives the parameters their first values by an initializer. */
    public Module initParams(Initializer initializer) {
        return initParams(initializer, null, null, 0);
    }

    /** Gives the parameters these values; an initializer, if not null, fills the others. */
    public Module initParams(Initializer initializer, Map<String, NDArray> args, Map<String, NDArray> aux) {
        return initParams(initializer, args, aux, Native.FORCE | (initializer == null ? 0 : Native.ALLOW_MISSING));
    }

    Module initParams(Initializer initializer, Map<String, NDArray> args, Map<String, NDArray> aux, int flags) {
        check(frame -> Native.moduleInitParams(
                handle(), initializer == null ? 0 : initializer.handle(), names(frame, args), arrays(frame, args),
                args == null ? -1 : args.size(), names(frame, aux), arrays(frame, aux), aux == null ? -1 : aux.size(),
                flags, frame.slot()), initializer);
        Reference.reachabilityFence(args);
        Reference.reachabilityFence(aux);
        return this;
    }

    private static long names(Frame frame, Map<String, NDArray> arrays) {
        return arrays == null ? 0 : frame.texts(arrays.keySet());
    }

    private static long arrays(Frame frame, Map<String, NDArray> arrays) {
        return arrays == null ? 0 : frame.handles(arrays.values());
    }

    /** Copies of the parameters by name. */
    public Map<String, NDArray> argParams() {
        return NDList.taken(Texts.place(out -> Native.moduleParams(handle(), Native.LIST_ARGUMENTS, out)));
    }

    /** Copies of the auxiliary states by name. */
    public Map<String, NDArray> auxParams() {
        return NDList.taken(Texts.place(out -> Native.moduleParams(handle(), Native.LIST_AUXILIARY_STATES, out)));
    }

    /** Takes an optimizer. Gradients are divided by the batch size, unless it was given a {@code rescale_grad}. */
    public Module initOptimizer(Optimizer optimizer) {
        return initOptimizer(optimizer, null);
    }

    /** Takes an optimizer, and a store by name in which several devices' gradients are summed. */
    public Module initOptimizer(Optimizer optimizer, String kvstore) {
        return take(optimizer, kvstore, 0);
    }

    /**
     * Makes an optimizer by its name for this module: parameters whose names end neither in {@code _weight} nor in
     * {@code _gamma} do not decay, and the factors that the symbol's variables have count.
     */
    public Module initOptimizer(String name, Map<String, ?> attrs, String kvstore) {
        return take(Optimizer.create(name, attrs), kvstore, Native.BY_NAME);
    }

    Module take(Optimizer optimizer, String kvstore, int how) {
        int flags = Native.RESCALE | Native.FORCE | how;
        check(frame -> Native.moduleInitOptimizer(
                handle(), optimizer.handle(), frame.text(kvstore), 0, flags, frame.slot()), optimizer);
        return this;
    }

    // Running.

    /** Computes the outputs for a batch. */
    public void forward(DataBatch batch, boolean training) {
        check(frame -> Native.moduleForward(
                handle(), frame.handles(batch.data()), batch.data().size(), frame.handles(batch.label()),
                batch.label().size(), training ? 1 : 0), batch);
    }

    /** Computes the gradients after a forward pass in training; outputs of losses need no gradient. */
    public void backward(NDArray... outGrads) {
        check(frame -> Native.moduleBackward(handle(), frame.handles(List.of(outGrads)), outGrads.length), outGrads);
    }

    /** Changes the parameters by their gradients. */
    public void update() {
        check(frame -> Native.moduleUpdate(handle()), null);
    }

    /** What the last forward pass computed, of all devices as one. The next pass may overwrite it. */
    public List<NDArray> outputs() {
        List<NDArray> all = new ArrayList<>();
        int n = symbol().listOutputs().size();
        for (int i = 0; i < n; i++) {
            int at = i;
            all.add(new NDArray(Texts.place(out -> Native.moduleOutput(handle(), at, out))));
        }
        return all;
    }

    /** The gradients of the data, for which the module must be bound. */
    public List<NDArray> inputGrads() {
        List<NDArray> all = new ArrayList<>();
        int n = dataNames().size();
        for (int i = 0; i < n; i++) {
            int at = i;
            all.add(new NDArray(Texts.place(out -> Native.moduleInputGrad(handle(), at, out))));
        }
        return all;
    }

    /** Shows the outputs of the last forward pass to a metric. */
    public void updateMetric(Metric metric, List<NDArray> labels) {
        if (metric.isOfLibrary()) {
            check(frame -> Native.moduleUpdateMetric(handle(), metric.handle(), frame.handles(labels), labels.size()),
                    labels);
            Reference.reachabilityFence(metric);
        } else {
            metric.update(labels, outputs());
        }
    }

    // Training and predicting.

    /** Trains for so many epochs. */
    public void fit(BatchSource train, int numEpoch, Consumer<FitOptions> options) {
        FitOptions chosen = new FitOptions();
        options.accept(chosen);
        new Training(this, train, numEpoch, chosen).run();
    }

    /** Measures the module on all batches. */
    public Map<String, Double> score(BatchSource data, Metric metric) {
        data.reset();
        metric.reset();
        for (DataBatch batch = data.next(); batch != null; batch = data.next()) {
            try (NDScope scope = NDScope.open()) {
                forward(batch, false);
                updateMetric(metric, batch.label());
            }
        }
        return metric.getGlobal();
    }

    /** The outputs for all examples, without what only fills batches up. */
    public List<NDArray> predict(BatchSource data) {
        List<List<NDArray>> parts = new ArrayList<>();
        data.reset();
        for (DataBatch batch = data.next(); batch != null; batch = data.next()) {
            forward(batch, false);
            List<NDArray> outputs = outputs();
            for (int i = 0; i < outputs.size(); i++) {
                if (parts.size() <= i) parts.add(new ArrayList<>());
                NDArray output = outputs.get(i);
                // The next pass overwrites it.
                parts.get(i).add(output.slice(0, output.shape().get(0) - batch.pad()).copy());
            }
        }
        List<NDArray> all = new ArrayList<>();
        parts.forEach(part -> all.add(ND.concat(part, o -> o.dim(0))));
        return Collections.unmodifiableList(all);
    }

    // Files.

    /** Writes MXNet's files of a checkpoint, with {@code states} those of the optimizer too. */
    public void saveCheckpoint(String prefix, int epoch, boolean states) {
        check(frame -> Native.moduleSaveCheckpoint(handle(), frame.text(prefix), epoch, states ? 1 : 0), null);
    }

    /** Ready to predict. */
    public Predictor predictor() {
        return new Model(symbol(), argParams(), auxParams()).predictor();
    }
}
