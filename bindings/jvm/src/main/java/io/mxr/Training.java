package io.mxr;

import java.util.Map;

/** The loop of {@link Module#fit} over epochs and batches. */
final class Training {
    private final Module module;
    private final BatchSource train;
    private final int numEpoch;
    private final FitOptions options;
    private final Metric metric;

    Training(Module module, BatchSource train, int numEpoch, FitOptions options) {
        this.module = module;
        this.train = train;
        this.numEpoch = numEpoch;
        this.options = options;
        metric = options.evalMetric == null ? Metric.create("acc") : options.evalMetric;
    }

    void run() {
        prepare();
        for (int epoch = options.beginEpoch; epoch < numEpoch; epoch++) {
            long start = System.nanoTime();
            epoch(epoch);
            metric.getGlobal().forEach(line("Epoch[" + epoch + "] Train-"));
            String seconds = String.format("%.3f", (System.nanoTime() - start) / 1e9);
            options.log.accept("Epoch[" + epoch + "] Time cost=" + seconds);
            for (Module.EpochEnd callback : options.epochEnds) callback.epochEnd(module, epoch);
            if (options.evalData != null) {
                Metric measured = options.validationMetric == null ? metric : options.validationMetric;
                Map<String, Double> values = module.score(options.evalData, measured);
                values.forEach(line("Epoch[" + epoch + "] Validation-"));
            }
        }
    }

    private java.util.function.BiConsumer<String, Double> line(String begin) {
        return (name, value) -> options.log.accept(String.format("%s%s=%.6f", begin, name, value));
    }

    /** Binds, gives the parameters their first values, and takes the optimizer. */
    private void prepare() {
        if (!module.isBound() || options.forceRebind) module.bind(train.provideData(), train.provideLabel());
        Initializer initializer = options.initializer;
        if (initializer == null) initializer = Initializer.create("Uniform", Map.of("scale", 0.01));
        int flags = (options.allowMissing ? Native.ALLOW_MISSING : 0) | (options.forceInit ? Native.FORCE : 0);
        module.initParams(initializer, options.argParams, options.auxParams, flags);
        if (options.optimizer == null) options.optimizer("sgd", Map.of("learning_rate", 0.01));
        module.take(options.optimizer, options.kvstore, options.optimizerByName ? Native.BY_NAME : 0);
    }

    private void epoch(int epoch) {
        train.reset();
        metric.reset();
        int number = 0;
        for (DataBatch batch = train.next(); batch != null; batch = train.next()) {
            try (NDScope scope = NDScope.open()) {
                module.forward(batch, true);
                module.backward();
                module.update();
                module.updateMetric(metric, batch.label());
            }
            for (Module.BatchEnd callback : options.batchEnds) callback.batchEnd(module, epoch, number, metric);
            number++;
        }
    }
}
