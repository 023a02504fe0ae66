package io.mxr;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** How {@link Module#fit} trains. What is not set is as MXNet's {@code fit} has it. */
public final class FitOptions {
    BatchSource evalData;
    Metric evalMetric;
    Metric validationMetric;
    Optimizer optimizer;
    boolean optimizerByName;
    Initializer initializer;
    Map<String, NDArray> argParams;
    Map<String, NDArray> auxParams;
    boolean allowMissing;
    boolean forceInit;
    boolean forceRebind;
    String kvstore;
    int beginEpoch;
    final List<Module.BatchEnd> batchEnds = new ArrayList<>();
    final List<Module.EpochEnd> epochEnds = new ArrayList<>();
    Consumer<String> log = System.out::println;

    /** Data on which the module is measured after each epoch. */
    public FitOptions evalData(BatchSource data) {
        evalData = data;
        return this;
    }

    /** What is measured; the accuracy if not given. */
    public FitOptions evalMetric(Metric metric) {
        evalMetric = metric;
        return this;
    }

    /** What is measured, by its name. */
    public FitOptions evalMetric(String name) {
        return evalMetric(Metric.create(name));
    }

    /** What is measured on {@link #evalData}; what is measured in training if not given. */
    public FitOptions validationMetric(Metric metric) {
        validationMetric = metric;
        return this;
    }

    /** The optimizer; {@code sgd} with the learning rate 0.01 if not given. */
    public FitOptions optimizer(Optimizer optimizer) {
        this.optimizer = optimizer;
        optimizerByName = false;
        return this;
    }

    /** The optimizer by name; see {@link Module#initOptimizer(String, Map, String)}. */
    public FitOptions optimizer(String name, Map<String, ?> attrs) {
        optimizer(Optimizer.create(name, attrs));
        optimizerByName = true;
        return this;
    }

    /** What fills parameters that have no value; {@code Uniform(0.01)} if not given. */
    public FitOptions initializer(Initializer initializer) {
        this.initializer = initializer;
        return this;
    }

    /** First values of parameters and auxiliary states. */
    public FitOptions params(Map<String, NDArray> args, Map<String, NDArray> aux) {
        argParams = args;
        auxParams = aux;
        return this;
    }

    /** Parameters that {@link #params} lacks are filled by the initializer. */
    public FitOptions allowMissing() {
        allowMissing = true;
        return this;
    }

    /** Give the parameters new first values. */
    public FitOptions forceInit() {
        forceInit = true;
        return this;
    }

    /** Bind again. */
    public FitOptions forceRebind() {
        forceRebind = true;
        return this;
    }

    /** The store in which several devices' gradients are summed: {@code local} or {@code device}. */
    public FitOptions kvstore(String name) {
        kvstore = name;
        return this;
    }

    /** The number of the first epoch, when a training goes on. */
    public FitOptions beginEpoch(int epoch) {
        beginEpoch = epoch;
        return this;
    }

    /** Called after each batch. */
    public FitOptions batchEnd(Module.BatchEnd... callbacks) {
        batchEnds.addAll(Arrays.asList(callbacks));
        return this;
    }

    /** Called after each epoch. */
    public FitOptions epochEnd(Module.EpochEnd... callbacks) {
        epochEnds.addAll(Arrays.asList(callbacks));
        return this;
    }

    /** Gets the lines about each epoch, which otherwise are printed. */
    public FitOptions log(Consumer<String> log) {
        this.log = log;
        return this;
    }
}
