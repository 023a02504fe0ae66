package io.mxr;

import static io.mxr.Testing.check;
import static io.mxr.Testing.close;
import static io.mxr.Testing.elements;
import static io.mxr.Testing.equal;
import static io.mxr.Testing.fails;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Metrics, data iterators, stores, callbacks, modules. */
public final class ModuleTests {
    private static Symbol net() {
        Symbol scores = Sym.fullyConnected(Symbol.variable("data"), 2, o -> o.name("fc"));
        return Sym.softmaxOutput(scores, o -> o.name("softmax"));
    }

    /** Points that are right or left of a line. */
    private static DataIter points(int n, int batch) {
        Random.seed(3);
        NDArray data = Random.normal(0, 1, n, 2);
        NDArray label = data.slice(0, n).get(Index.all(), Index.at(0)).add(data.get(Index.all(), Index.at(1))).gt(0);
        return DataIters.ndArrayIter(o -> o.batchSize(batch).data(data).label(label));
    }

    public void metricsSumUp() {
        Metric accuracy = Metrics.accuracy();
        NDArray scores = NDArray.of(new float[] {0.3f, 0.7f, 0.9f, 0.1f, 0.4f, 0.6f}, 3, 2);
        accuracy.update(List.of(NDArray.of(new float[] {1, 1, 1})), List.of(scores));
        close(2.0 / 3, accuracy.get().get("accuracy"), 1e-12);
        accuracy.reset();
        check(Double.isNaN(accuracy.get().get("accuracy")), "nothing was measured");
        Metric both = Metric.create("composite").push(Metric.create("mse")).push(Metrics.mae(o -> o.name("error")));
        both.update(List.of(NDArray.of(new float[] {1, 2}, 2, 1)), List.of(NDArray.of(new float[] {1, 4}, 2, 1)));
        close(2, both.get().get("mse"), 1e-12);
        close(1, both.get().get("error"), 1e-12);
        Metric own = Metric.custom("largest", (label, prediction) -> prediction.max().item());
        own.update(List.of(NDArray.zeros(2)), List.of(NDArray.of(new float[] {3, 5})));
        own.update(List.of(NDArray.zeros(2)), List.of(NDArray.of(new float[] {1, 0})));
        close(3, own.get().get("largest"), 1e-12);
    }

    public void iteratorsGiveBatches() {
        NDArray data = NDArray.arange(10).reshape(5, 2);
        DataIter iter = DataIters.ndArrayIter(o -> o.batchSize(2).data(data).label(NDArray.arange(5)));
        equal("data", iter.provideData().get(0).name());
        equal(Shape.of(2, 2), iter.provideData().get(0).shape());
        equal("softmax_label", iter.provideLabel().get(0).name());
        equal(2L, iter.batchSize());
        List<Long> pads = new ArrayList<>();
        for (DataBatch batch : iter) pads.add(batch.pad());
        equal(List.of(0L, 0L, 1L), pads);
        check(iter.next() == null, "the epoch is over");
        iter.reset();
        elements(iter.next().data().get(0), 0, 1, 2, 3);
        DataIter named = DataIters.ndArrayIter(o -> o.batchSize(1).data(Map.of("x", data)));
        equal("x", named.provideData().get(0).name());
        DataIter resized = DataIters.resizeIter(7, o -> o.iters(named));
        int batches = 0;
        for (DataBatch batch : resized) batches++;
        equal(7, batches);
    }

    /** A weight and a bias, 1 at first and with gradients of 0, after a step in which a half decays by a half. */
    private static List<Double> decayed(Consumer<Module> takeOptimizer) {
        Symbol line = Sym.fullyConnected(Symbol.variable("data"), 1, o -> o.name("fc"));
        Module module = new Module(Sym.linearRegressionOutput(line, o -> o.name("out")), o -> o.labelNames("out_label"));
        DataBatch batch = new DataBatch(List.of(NDArray.zeros(1, 1)), List.of(NDArray.ones(1, 1)), 0);
        module.bind(List.of(new DataDesc("data", Shape.of(1, 1))), List.of(new DataDesc("out_label", Shape.of(1, 1))));
        module.initParams(null, Map.of("fc_weight", NDArray.ones(1, 1), "fc_bias", NDArray.ones(1)), null);
        takeOptimizer.accept(module);
        module.forward(batch, true);
        module.backward();
        module.update();
        return List.of(module.argParams().get("fc_weight").item(), module.argParams().get("fc_bias").item());
    }

    public void biasesDecayUnlessTheOptimizerIsNamed() {
        Map<String, Double> attrs = Map.of("learning_rate", 0.5, "wd", 0.5);
        equal(List.of(0.75, 1.0), decayed(module -> module.initOptimizer("sgd", attrs, "local")));
        equal(List.of(0.75, 0.75), decayed(module -> module.initOptimizer(Optimizer.create("sgd", attrs))));
    }

    public void storesAreUpdatedByFunctions() throws Exception {
        KVStore store = KVStore.create("local");
        store.init(3, NDArray.ones(2));
        store.setUpdater((key, pushed, stored) -> stored.set(stored.add(pushed.mul(10)).add((Long) key)));
        store.push(3, List.of(NDArray.ones(2), NDArray.ones(2)));
        NDArray out = NDArray.zeros(2);
        store.pull(3, List.of(out));
        elements(out, 24, 24);
        store.setUpdater((key, pushed, stored) -> {
            throw new IllegalStateException("no");
        });
        MxrException failure = fails(MxrException.Code.CALLBACK, () -> store.push(3, List.of(out)));
        check(failure.getCause() instanceof IllegalStateException, "the function's own exception");
        store.setUpdater(null);
        store.push(3, List.of(NDArray.ones(2)));
        store.pull(3, List.of(out));
        elements(out, 1, 1);
    }

    public void storesSumAndUpdate() {
        KVStore store = KVStore.create("local");
        equal("local", store.type());
        store.init("w", NDArray.ones(2));
        store.push("w", List.of(NDArray.ones(2), NDArray.ones(2)));
        NDArray out = NDArray.zeros(2);
        store.pull("w", List.of(out));
        elements(out, 2, 2);
        store.setOptimizer(Optimizers.sgd(o -> o.learningRate(0.5)));
        store.pushPull("w", List.of(NDArray.ones(2)), List.of(out));
        elements(out, 1.5, 1.5);
        byte[] states = store.saveOptimizerStates();
        store.loadOptimizerStates(states);
    }

    public void aModuleLearnsAndIsSaved() throws Exception {
        Random.seed(1);
        DataIter train = points(256, 32);
        List<String> lines = new ArrayList<>();
        List<Integer> batches = new ArrayList<>();
        Module module = new Module(net());
        module.fit(train, 6, o -> o
                .evalData(train).optimizer("sgd", Map.of("learning_rate", 0.5, "momentum", 0.9))
                .batchEnd((m, epoch, batch, metric) -> batches.add(batch)).log(lines::add));
        equal(48, batches.size());
        check(lines.get(0).startsWith("Epoch[0] Train-accuracy="), lines.get(0));
        check(lines.stream().anyMatch(line -> line.startsWith("Epoch[5] Validation-accuracy=")), lines.toString());
        double accuracy = module.score(train, Metrics.accuracy()).get("accuracy");
        check(accuracy > 0.95, "accuracy " + accuracy);
        NDArray scores = module.predict(train).get(0);
        equal(Shape.of(256, 2), scores.shape());
        String prefix = Files.createTempDirectory("module") + "/net";
        module.saveCheckpoint(prefix, 6, true);
        Module again = Module.load(prefix, 6);
        again.bind(train.provideData(), train.provideLabel(), false, false, "null");
        check(again.predict(train).get(0).contentEquals(scores), "as before");
        check(Files.exists(Path.of(prefix + "-0006.states")), "states");
        train.reset();
        NDArray first = train.next().data().get(0);
        check(module.predictor().predict(first).allClose(scores.slice(0, 32), 1e-5, 1e-6), "a predictor of it");
    }

    public void twoDevicesLearnWhatOneDoes() {
        Map<String, NDArray> start = Map.of("fc_weight", NDArray.zeros(2, 2), "fc_bias", NDArray.zeros(2));
        NDArray[] weights = new NDArray[2];
        for (int devices = 1; devices <= 2; devices++) {
            Context[] contexts = devices == 1 ? new Context[] {Context.cpu()} : new Context[] {Context.cpu(0), Context.cpu(1)};
            Module module = new Module(net(), o -> o.contexts(contexts));
            module.fit(points(64, 16), 2, o -> o.params(start, Map.of()).kvstore("local").log(line -> {}));
            weights[devices - 1] = module.argParams().get("fc_weight");
        }
        check(weights[0].allClose(weights[1], 1e-5, 1e-6), weights[0] + " and " + weights[1]);
    }

    public void callbacksSpeakAndSave() throws Exception {
        String prefix = Files.createTempDirectory("callbacks") + "/net";
        java.io.PrintStream before = System.out;
        java.io.ByteArrayOutputStream text = new java.io.ByteArrayOutputStream();
        System.setOut(new java.io.PrintStream(text, true));
        try {
            new Module(net()).fit(points(64, 8), 2, o -> o
                    .batchEnd(Callbacks.speedometer(8, s -> s.frequent(4)))
                    .epochEnd(Callbacks.doCheckpoint(prefix)).log(line -> {}));
        } finally {
            System.setOut(before);
        }
        check(text.toString().contains("samples/sec"), text.toString());
        check(Files.exists(Path.of(prefix + "-0001.params")) && Files.exists(Path.of(prefix + "-0002.params")), "saved");
    }

    public void anOwnSourceIsIterated() {
        DataIter points = points(64, 16);
        BatchSource own = new BatchSource() {
            @Override
            public List<DataDesc> provideData() {
                return points.provideData();
            }

            @Override
            public List<DataDesc> provideLabel() {
                return points.provideLabel();
            }

            @Override
            public DataBatch next() {
                return points.next();
            }

            @Override
            public void reset() {
                points.reset();
            }
        };
        Metric metric = Metric.custom("own", (label, prediction) -> prediction.sum().item());
        Module module = new Module(net());
        module.fit(own, 1, o -> o.evalMetric(metric).log(line -> {}));
        close(16, metric.get().get("own"), 1e-3);
    }

    public void aFeedForwardTrainsAndPredicts() throws Exception {
        DataIter train = points(256, 32);
        FeedForward model = FeedForward.newBuilder(net()).setNumEpoch(6)
                .setOptimizer(Optimizers.sgd(o -> o.learningRate(0.5).momentum(0.9)))
                .setLog(line -> {}).setTrainData(train).build();
        check(model.score(train, Metrics.accuracy()).get("accuracy") > 0.95, "it learnt");
        NDArray scores = model.predict(train).get(0);
        String prefix = Files.createTempDirectory("feed") + "/net";
        model.save(prefix, 6);
        check(FeedForward.load(prefix, 6).predict(train).get(0).contentEquals(scores), "as before");
    }

    public void wrongUseIsAnError() throws Exception {
        Module module = new Module(net());
        MxrException error = fails(MxrException.Code.INVALID_VALUE, module::update);
        check(error.getMessage().length() > 10, error.getMessage());
        fails(MxrException.Code.NOT_FOUND, () -> Metric.create("nonsense"));
        fails(MxrException.Code.INVALID_VALUE, () -> FeedForward.newBuilder(net()).build().predict(points(8, 4)));
    }
}
