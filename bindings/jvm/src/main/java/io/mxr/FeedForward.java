package io.mxr;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A symbol with its parameters that is trained and predicts: MXNet's older {@code FeedForward}, over {@link Module}.
 *
 * <pre>{@code
 * FeedForward model = FeedForward.newBuilder(net).setNumEpoch(10).setOptimizer(sgd).setTrainData(train).build();
 * NDArray scores = model.predict(test).get(0);
 * }</pre>
 */
public final class FeedForward {
    private final Symbol symbol;
    private final Builder how;
    private Map<String, NDArray> argParams;
    private Map<String, NDArray> auxParams;

    private FeedForward(Builder how) {
        symbol = how.symbol;
        this.how = how;
        argParams = how.argParams;
        auxParams = how.auxParams;
    }

    /** What a model is made of and how it is trained. */
    public static final class Builder {
        private final Symbol symbol;
        private Context[] contexts = {};
        private int numEpoch = 1;
        private int beginEpoch;
        private Optimizer optimizer;
        private Initializer initializer;
        private Map<String, NDArray> argParams;
        private Map<String, NDArray> auxParams;
        private BatchSource trainData;
        private BatchSource evalData;
        private Metric evalMetric;
        private String kvstore;
        private Module.BatchEnd[] batchEnds = {};
        private Module.EpochEnd[] epochEnds = {};
        private Consumer<String> log;

        private Builder(Symbol symbol) {
            this.symbol = symbol;
        }

        /** The devices. */
        public Builder setContext(Context... contexts) {
            this.contexts = contexts;
            return this;
        }

        /** For how many epochs it is trained. */
        public Builder setNumEpoch(int epochs) {
            numEpoch = epochs;
            return this;
        }

        /** The number of the first epoch. */
        public Builder setBeginEpoch(int epoch) {
            beginEpoch = epoch;
            return this;
        }

        /** The optimizer. */
        public Builder setOptimizer(Optimizer optimizer) {
            this.optimizer = optimizer;
            return this;
        }

        /** What fills parameters without a value. */
        public Builder setInitializer(Initializer initializer) {
            this.initializer = initializer;
            return this;
        }

        /** First values of the parameters. */
        public Builder setArgParams(Map<String, NDArray> params) {
            argParams = params;
            return this;
        }

        /** First values of the auxiliary states. */
        public Builder setAuxParams(Map<String, NDArray> params) {
            auxParams = params;
            return this;
        }

        /** What it is trained with by {@link #build}. */
        public Builder setTrainData(BatchSource data) {
            trainData = data;
            return this;
        }

        /** What it is measured on after each epoch. */
        public Builder setEvalData(BatchSource data) {
            evalData = data;
            return this;
        }

        /** What is measured. */
        public Builder setEvalMetric(Metric metric) {
            evalMetric = metric;
            return this;
        }

        /** The store in which several devices' gradients are summed. */
        public Builder setKVStore(String name) {
            kvstore = name;
            return this;
        }

        /** Called after each batch. */
        public Builder setBatchEndCallback(Module.BatchEnd... callbacks) {
            batchEnds = callbacks;
            return this;
        }

        /** Called after each epoch. */
        public Builder setEpochEndCallback(Module.EpochEnd... callbacks) {
            epochEnds = callbacks;
            return this;
        }

        /** Gets the lines about each epoch, which otherwise are printed. */
        public Builder setLog(Consumer<String> log) {
            this.log = log;
            return this;
        }

        /** The model, trained if there is training data. */
        public FeedForward build() {
            FeedForward model = new FeedForward(this);
            if (trainData != null) model.fit(trainData, evalData);
            return model;
        }
    }

    /** Begins a model of a symbol. */
    public static Builder newBuilder(Symbol symbol) {
        return new Builder(symbol);
    }

    /** Reads MXNet's files of a checkpoint. */
    public static FeedForward load(String prefix, int epoch) {
        Model model = Model.loadCheckpoint(prefix, epoch);
        return newBuilder(model.symbol()).setArgParams(model.argParams()).setAuxParams(model.auxParams())
                .setBeginEpoch(epoch).build();
    }

    private Module module(BatchSource data, boolean training) {
        String[] names = data.provideData().stream().map(DataDesc::name).toArray(String[]::new);
        // Labels that the symbol does not have are none.
        List<String> arguments = symbol.listArguments();
        String[] labels = data.provideLabel().stream().map(DataDesc::name).filter(arguments::contains)
                .toArray(String[]::new);
        String[] own = labels.length > 0 ? labels
                : arguments.stream().filter(name -> name.endsWith("_label")).toArray(String[]::new);
        Module module = new Module(symbol, o -> o.dataNames(names).labelNames(own).contexts(how.contexts));
        module.bind(data.provideData(), labels.length > 0 ? data.provideLabel() : List.of(), training, false, "write");
        return module;
    }

    /** Trains it; {@code evalData} may be null. */
    public void fit(BatchSource trainData, BatchSource evalData) {
        Module module = module(trainData, true);
        module.fit(trainData, how.numEpoch, o -> {
            o.evalData(evalData).evalMetric(how.evalMetric).optimizer(how.optimizer).initializer(how.initializer);
            o.params(argParams, auxParams).allowMissing().kvstore(how.kvstore).beginEpoch(how.beginEpoch);
            o.batchEnd(how.batchEnds).epochEnd(how.epochEnds);
            if (how.log != null) o.log(how.log);
        });
        argParams = module.argParams();
        auxParams = module.auxParams();
    }

    private Module ready(BatchSource data) {
        if (argParams == null) throw MxrException.invalid("model", "expected parameters: train or load it before");
        return module(data, false).initParams(null, argParams, auxParams == null ? Map.of() : auxParams);
    }

    /** The outputs for all examples. */
    public List<NDArray> predict(BatchSource data) {
        return ready(data).predict(data);
    }

    /** Measures it on all batches. */
    public Map<String, Double> score(BatchSource data, Metric metric) {
        return ready(data).score(data, metric);
    }

    /** The symbol. */
    public Symbol symbol() {
        return symbol;
    }

    /** The parameters by name; null before there are any. */
    public Map<String, NDArray> argParams() {
        return argParams;
    }

    /** The auxiliary states by name; null before there are any. */
    public Map<String, NDArray> auxParams() {
        return auxParams;
    }

    /** Writes MXNet's files of a checkpoint. */
    public void save(String prefix, int epoch) {
        new Model(symbol, argParams, auxParams == null ? Map.of() : auxParams).saveCheckpoint(prefix, epoch);
    }

    @Override
    public String toString() {
        return "FeedForward" + Arrays.toString(symbol.listOutputs().toArray());
    }
}
