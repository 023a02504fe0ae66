'use strict';
// Modules: symbols with parameters, an optimizer and a store, and the loop that trains them.

const native = require('./native.js');
const abi = require('./gen/abi.js');
const { codeOf, nameOf } = require('./dtype.js');
const { deviceOf } = require('./context.js');
const { wrongType, wrongValue } = require('./error.js');
const { Handle } = require('./handle.js');
const { NDArray } = require('./ndarray.js');
const { MxSymbol } = require('./symbol_base.js');
const { Initializer, Optimizer, bytes } = require('./registered.js');
const { DataIter } = require('./io.js');
const { KVStore } = require('./kvstore.js');
const { Metric } = require('./metric.js');
const { requestOf } = require('./autograd.js');
const { tell } = require('./callback.js');
const kinds = require('./gen/registered.js');
const nd = require('./gen/nd.js');

/** Names and devices, as the addon takes them. */
function options({
    dataNames = ['data'],
    labelNames = ['softmax_label'],
    fixedParamNames = [],
    stateNames = [],
    ctx,
} = {}) {
    const devices = [ctx ?? []].flat().map((each) => deviceOf(each));
    const all = devices.length > 0 ? devices : [deviceOf(undefined)];
    return [
        dataNames,
        labelNames,
        fixedParamNames,
        stateNames,
        all.map(([kind]) => kind),
        all.map(([, id]) => id),
    ];
}

/** Descriptions, as the addon takes them. */
const descs = (list) => [
    list.map((each) => each.name),
    list.map((each) => each.shape),
    list.map((each) => codeOf(each.dtype ?? 'float32')),
];

const slots = (arrays, argument) =>
    (arrays ?? []).map((array) => {
        if (!(array instanceof NDArray)) throw wrongType(argument, 'NDArrays', array);
        return array._slot;
    });

/** What was made by a name, or is made already. */
function made(Class, found, given, argument, attrs) {
    if (given instanceof Class) return given;
    if (typeof given !== 'string') throw wrongType(argument, `a name or a ${Class.name}`, given);
    return require('./registered.js').finder(found, argument)(given, attrs);
}

const metricOf = (given) =>
    Array.isArray(given)
        ? new kinds.metrics.CompositeEvalMetric({ metrics: given })
        : made(Metric, kinds.metrics, given, 'evalMetric');

/** A symbol that is trained and predicts. */
class Module extends Handle {
    /**
     * Of a symbol: `dataNames`, `labelNames`, `fixedParamNames`, `stateNames` say what its variables are, and `ctx` is a
     * device, or several among which batches are divided.
     */
    constructor(symbol, given) {
        if (typeof symbol === 'number') {
            super(symbol);
            return;
        }
        if (!(symbol instanceof MxSymbol)) throw wrongType('symbol', 'a Symbol', symbol);
        super(native.moduleCreate(symbol._slot, ...options(given)));
    }

    /** The module of a checkpoint; with `states` the next optimizer goes on from those that were saved. */
    static load(prefix, epoch, { states = false, ...given } = {}) {
        return new Module(native.moduleLoad(prefix, epoch, states, ...options(given)));
    }

    get binded() {
        return (native.moduleState(this._slot) & abi.MODULE_BOUND) !== 0;
    }
    get paramsInitialized() {
        return (native.moduleState(this._slot) & abi.MODULE_INITIALIZED) !== 0;
    }
    get optimizerInitialized() {
        return (native.moduleState(this._slot) & abi.MODULE_OPTIMIZER) !== 0;
    }
    get symbol() {
        return new MxSymbol(native.moduleSymbol(this._slot));
    }
    get dataNames() {
        return native.moduleNames(this._slot, abi.DATA);
    }
    get labelNames() {
        return native.moduleNames(this._slot, abi.LABELS);
    }
    get paramNames() {
        return native.moduleNames(this._slot, abi.PARAMETERS);
    }
    /** Name, shape and dtype of each of the data that it is bound to. */
    get dataShapes() {
        return this._describe(abi.DATA);
    }
    get labelShapes() {
        return this._describe(abi.LABELS);
    }

    /** Makes executors for the batches of an iterator, or for descriptions of data and labels. */
    bind(
        data,
        labels,
        { forTraining = true, inputsNeedGrad = false, gradReq = 'write', sharedModule = null } = {},
    ) {
        const [given, more] =
            data instanceof DataIter ? [data.provideData, data.provideLabel] : [data, labels ?? []];
        const flags = (forTraining ? abi.BIND_TRAINING : 0) | (inputsNeedGrad ? abi.BIND_INPUT_GRADIENTS : 0);
        native.moduleBind(
            this._slot,
            ...descs(given),
            ...descs(more),
            flags,
            requestOf(gradReq),
            sharedModule?._slot ?? null,
        );
        return this;
    }

    /** Makes executors for other shapes, with the same parameters. */
    reshape(data, labels = []) {
        native.moduleReshape(this._slot, ...descs(data), ...descs(labels));
    }

    /** Gives parameters their first values: those given, others by the initializer. Says whether anything was done. */
    initParams({
        initializer = new kinds.initializers.Uniform({ scale: 0.01 }),
        argParams = null,
        auxParams = null,
        allowMissing = false,
        allowExtra = false,
        force = false,
    } = {}) {
        const filled =
            initializer === null ? null : made(Initializer, kinds.initializers, initializer, 'initializer');
        const flags =
            (allowMissing ? abi.ALLOW_MISSING : 0) | (allowExtra ? abi.ALLOW_EXTRA : 0) | (force ? abi.FORCE : 0);
        const parts = [argParams, auxParams].flatMap((params) =>
            params === null ? [null, []] : [Object.keys(params), slots(Object.values(params), 'params')],
        );
        return native.moduleInitParams(this._slot, filled?._slot ?? null, ...parts, flags);
    }

    /** Sets parameters that are given by name. */
    setParams(argParams, auxParams = {}, { allowMissing = false, allowExtra = false } = {}) {
        this.initParams({ initializer: null, argParams, auxParams, allowMissing, allowExtra, force: true });
    }

    /** Copies of the parameters by their names. */
    getParams() {
        const part = (list) => {
            const [names, found] = native.moduleParams(this._slot, list);
            return Object.fromEntries(names.map((name, i) => [name, new NDArray(found[i])]));
        };
        return { argParams: part(abi.LIST_ARGUMENTS), auxParams: part(abi.LIST_AUXILIARY_STATES) };
    }

    /**
     * Takes an optimizer, which divides gradients by the batch size unless it was given a `rescale_grad`. With one that
     * is named, parameters whose names end neither in `_weight` nor in `_gamma` do not decay, and the factors that the
     * symbol's variables have count.
     */
    initOptimizer({ optimizer = 'sgd', optimizerParams = {}, kvstore = 'local', force = false } = {}) {
        const chosen = made(Optimizer, kinds.optimizers, optimizer, 'optimizer', optimizerParams);
        const [name, store] = kvstore instanceof KVStore ? [null, kvstore._slot] : [kvstore, null];
        return native.moduleInitOptimizer(
            this._slot,
            chosen._slot,
            name,
            store,
            abi.RESCALE | (typeof optimizer === 'string' ? abi.BY_NAME : 0) | (force ? abi.FORCE : 0),
        );
    }

    /** Computes the outputs for a batch. */
    forward({ data, label }, isTrain = null) {
        native.moduleForward(
            this._slot,
            slots(data, 'data'),
            slots(label, 'label'),
            isTrain === null ? -1 : Number(isTrain),
        );
    }

    /** Computes the gradients after `forward`; outputs of losses need no gradient. */
    backward(outGrads = []) {
        native.moduleBackward(this._slot, slots(outGrads, 'outGrads'));
    }

    /** Changes the parameters by their gradients. */
    update() {
        native.moduleUpdate(this._slot);
    }

    /** The outputs of the last batch, which the next overwrites. */
    getOutputs() {
        return Array.from(
            { length: this.symbol.length },
            (_, i) => new NDArray(native.moduleArray(this._slot, false, i)),
        );
    }

    /** The gradients of the data, if the module is bound for it. */
    getInputGrads() {
        return this.dataNames.map((_, i) => new NDArray(native.moduleArray(this._slot, true, i)));
    }

    /** Shows the outputs of the last batch to a metric, with its labels. */
    updateMetric(metric, labels) {
        if (metric._feval) metric.update(labels, this.getOutputs());
        else native.moduleUpdateMetric(this._slot, metric._slot, slots(labels, 'labels'));
    }

    /** The states of the optimizer. */
    saveOptimizerStates() {
        return bytes((place) => native.moduleStates(this._slot, place));
    }
    loadOptimizerStates(states) {
        native.moduleSetStates(this._slot, states);
    }

    /** Writes symbol and parameters, and with `states` those of the optimizer, as MXNet's checkpoints are. */
    saveCheckpoint(prefix, epoch, { states = false } = {}) {
        native.moduleSave(this._slot, prefix, epoch, states);
    }

    /**
     * Trains over the batches of an iterator. After each epoch it prints the metric, and that of `evalData`.
     *
     * Callbacks are the library's or functions of an object with epoch and batch, from 0, metric and module.
     */
    fit(
        trainData,
        {
            evalData = null,
            evalMetric = 'acc',
            numEpoch,
            beginEpoch = 0,
            optimizer = 'sgd',
            optimizerParams,
            kvstore = 'local',
            initializer,
            argParams = null,
            auxParams = null,
            allowMissing = false,
            batchEnd = [],
            epochEnd = [],
            evalEnd = [],
            log = console.log,
        } = {},
    ) {
        if (!Number.isInteger(numEpoch)) throw wrongValue('numEpoch', 'a number of epochs', numEpoch);
        if (!this.binded) this.bind(trainData);
        this.initParams({ initializer, argParams, auxParams, allowMissing });
        this.initOptimizer({ optimizer, optimizerParams, kvstore });
        const metric = metricOf(evalMetric);
        for (let epoch = beginEpoch; epoch < numEpoch; epoch++) {
            const start = Date.now();
            metric.reset();
            let batch = 0;
            for (const part of trainData) {
                this.forward(part, true);
                this.backward();
                this.update();
                this.updateMetric(metric, part.label);
                tell(batchEnd, { epoch, batch: batch++, metric, module: this });
            }
            log(`Epoch[${epoch}] Train-${said(metric.get({ global: true }))}`);
            log(`Epoch[${epoch}] Time cost=${((Date.now() - start) / 1000).toFixed(3)}`);
            tell(epochEnd, { epoch, metric, module: this });
            if (evalData === null) continue;
            log(`Epoch[${epoch}] Validation-${said(this.score(evalData, metric))}`);
            tell(evalEnd, { epoch, metric, module: this });
        }
        return this;
    }

    /** All batches of an iterator, each after the module has seen it. */
    *_evaluated(evalData) {
        if (!this.binded) this.bind(evalData, undefined, { forTraining: false });
        evalData.reset();
        for (const batch of evalData) {
            this.forward(batch, false);
            yield batch;
        }
    }

    /** The values of a metric over the batches of an iterator. */
    score(evalData, evalMetric = 'acc') {
        const metric = metricOf(evalMetric);
        metric.reset();
        for (const batch of this._evaluated(evalData)) this.updateMetric(metric, batch.label);
        return metric.get({ global: true });
    }

    /** The outputs for all examples of an iterator: an array, or several if the module has several outputs. */
    predict(evalData) {
        const parts = [];
        for (const batch of this._evaluated(evalData)) {
            // The next batch overwrites them.
            parts.push(
                this.getOutputs().map((output) =>
                    output.rows(0, output.length - batch.pad).copyTo(output.context),
                ),
            );
        }
        if (parts.length === 0) throw wrongValue('evalData', 'at least one batch', evalData);
        const outputs = parts[0].map((_, i) =>
            nd.op.concat(
                parts.map((part) => part[i]),
                { dim: 0 },
            ),
        );
        return outputs.length === 1 ? outputs[0] : outputs;
    }

    _describe(list) {
        return native.moduleNames(this._slot, list).map((name, i) => {
            const [shape, code] = native.moduleDesc(this._slot, list, i);
            return { name, shape, dtype: nameOf(code) };
        });
    }
}

const said = (values) =>
    Object.entries(values)
        .map(([name, value]) => `${name}=${value.toFixed(6)}`)
        .join(', ');

module.exports = { Module };
