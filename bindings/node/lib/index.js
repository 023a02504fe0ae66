'use strict';
// The package: what `require('mxr')` gives.

const native = require('./native.js');
const { MXRError } = require('./error.js');
const { scope } = require('./handle.js');
const { Context, cpu, currentContext, gpu } = require('./context.js');
const { NDArray } = require('./ndarray.js');
const ndModules = require('./gen/nd.js');
const symModules = require('./gen/sym.js');
const elementwise = require('./elementwise.js');
require('./indexing.js');
const create = require('./create.js');
const autograd = require('./autograd.js');
const symbol = require('./symbol.js');
const control = require('./control.js');
const { CachedOp, Executor, Plan, Predictor, plan } = require('./executor.js');
const model = require('./model.js');
const random = require('./random.js');
const registered = require('./registered.js');
const kinds = require('./gen/registered.js');
const naming = require('./name.js');
const { Metric } = require('./metric.js');
const { DataIter } = require('./io.js');
const { KVStore, create: createStore } = require('./kvstore.js');
const { Callback } = require('./callback.js');
const { Module } = require('./module.js');

const { seed, ...distributions } = random;
const { slots, named, ARGUMENTS, OUTPUTS, AUXILIARY_STATES, ...symbolFunctions } = symbol;

/** Operators, creation and arithmetic on arrays. */
const nd = {
    ...ndModules.op,
    ...elementwise.onArrays,
    ...create,
    CachedOp,
    contrib: { ...ndModules.contrib, ...control.onArrays },
    linalg: ndModules.linalg,
    image: ndModules.image,
    sparse: ndModules.sparse,
    random: { ...ndModules.random, ...distributions },
    _internal: ndModules._internal,
};

/** The same on symbols. */
const sym = {
    ...symModules.op,
    ...elementwise.onSymbols,
    ...symbolFunctions,
    contrib: { ...symModules.contrib, ...control.onSymbols },
    linalg: symModules.linalg,
    image: symModules.image,
    sparse: symModules.sparse,
    random: symModules.random,
    _internal: symModules._internal,
};

const { Optimizer, LRScheduler, Initializer, finder, roleOf } = registered;
const optimizer = { ...kinds.optimizers, Optimizer, create: finder(kinds.optimizers, 'optimizer') };
const lrScheduler = {
    ...kinds.lr_schedulers,
    LRScheduler,
    create: finder(kinds.lr_schedulers, 'learning-rate schedule'),
};
const init = {
    ...kinds.initializers,
    Initializer,
    create: finder(kinds.initializers, 'initializer'),
    roleOf,
};

const metric = { ...kinds.metrics, Metric, create: finder(kinds.metrics, 'metric') };
const io = { ...kinds.data_iters, DataIter, create: finder(kinds.data_iters, 'data iterator') };
const callback = { ...kinds.callbacks, Callback, create: finder(kinds.callbacks, 'callback') };
const kvstore = { KVStore, create: createStore };

const { requestOf, ...differentiation } = autograd;

/** Bytes of main memory in use, kept for later use, and the largest use so far. */
function memoryStats() {
    const [inUse, kept, peak] = native.memoryStats();
    return { inUse, kept, peak };
}

module.exports = {
    CachedOp,
    Context,
    Executor,
    MXRError,
    NDArray,
    Plan,
    Predictor,
    Symbol: symbol.Symbol,
    autograd: differentiation,
    callback,
    io,
    kvstore,
    kv: kvstore,
    metric,
    mod: { Module },
    Module,
    /** How libmxr was built. */
    buildInfo: native.buildInfo,
    cpu,
    currentContext,
    gpu,
    init,
    initializer: init,
    /** The file that libmxr was loaded from. */
    library: () => native.file,
    lrScheduler,
    memoryStats,
    /** Returns memory that is kept for later use to the system. */
    memoryTrim: native.memoryTrim,
    model,
    name: { withAttributes: naming.withAttributes, withPrefix: naming.withPrefix },
    nd,
    numThreads: native.numThreads,
    optimizer,
    plan,
    random: { seed, ...distributions },
    scope,
    sym,
    symbol: sym,
    /** The version of libmxr. */
    version: native.version(),
    waitall: create.waitall,
    ...model,
};
