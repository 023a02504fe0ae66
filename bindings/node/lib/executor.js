'use strict';
// Compiled symbols: plans, executors, cached operators, and predictors over them.

const native = require('./native.js');
const abi = require('./gen/abi.js');
const { codeOf } = require('./dtype.js');
const { deviceOf, within } = require('./context.js');
const { MXRError, wrongType, wrongValue } = require('./error.js');
const { Handle } = require('./handle.js');
const { NDArray } = require('./ndarray.js');
const { MxSymbol } = require('./symbol_base.js');
const { ARGUMENTS, AUXILIARY_STATES, OUTPUTS, named } = require('./symbol.js');
const { requestOf } = require('./autograd.js');

const FLAGS = {
    training: abi.PLAN_TRAINING,
    noFusion: abi.PLAN_NO_FUSION,
    noSimplification: abi.PLAN_NO_SIMPLIFICATION,
    noFolding: abi.PLAN_NO_FOLDING,
    noAlgorithms: abi.PLAN_NO_ALGORITHMS,
    noSharing: abi.PLAN_NO_SHARING,
    noRepeating: abi.PLAN_NO_REPEATING,
    mirror: abi.PLAN_MIRROR,
    keepPasses: abi.PLAN_KEEP_PASSES,
};

/** How to compile, as the addon takes it. */
function options({
    ctx,
    budget = null,
    fuse = true,
    simplify = true,
    fold = true,
    algorithms = true,
    share = true,
    repeat = true,
    ...flags
} = {}) {
    const on = {
        ...flags,
        noFusion: !fuse,
        noSimplification: !simplify,
        noFolding: !fold,
        noAlgorithms: !algorithms,
        noSharing: !share,
        noRepeating: !repeat,
    };
    let bits = 0;
    for (const [name, value] of Object.entries(on)) {
        if (!(name in FLAGS)) throw wrongValue(name, 'an option of plans', name);
        if (value) bits |= FLAGS[name];
    }
    if (budget !== null && budget !== 'least' && !(typeof budget === 'number' && budget >= 1)) {
        throw wrongValue('budget', "bytes or 'least'", budget);
    }
    return [bits, budget === null ? 0 : budget === 'least' ? abi.BUDGET_LEAST : Math.floor(budget), ...deviceOf(ctx)];
}

/** Requests for gradients, by name, and that for other arguments. */
function requests(gradReq, names) {
    if (typeof gradReq === 'string') return [{}, requestOf(gradReq, 'gradReq')];
    if (Array.isArray(gradReq)) return requests(named(names, gradReq), names);
    const numbers = Object.entries(gradReq).map(([name, request]) => [name, requestOf(request, 'gradReq')]);
    return [Object.fromEntries(numbers), 0];
}

/** What is known of variables, as the addon takes it. */
function known(shapes, dtypes, [wanted, others]) {
    const sizes = Object.values(shapes).map((shape) => {
        if (!Array.isArray(shape)) throw wrongType('shapes', 'arrays of sizes', shape);
        return shape.map((n) => (n > 0 ? n : -1));
    });
    const codes = Object.values(dtypes).map((dtype) => codeOf(dtype));
    return [
        Object.keys(shapes),
        sizes,
        Object.keys(dtypes),
        codes,
        Object.keys(wanted),
        Object.values(wanted),
        others,
    ];
}

const REPORT = [
    'peakBytes',
    'parameterBytes',
    'unplannedBytes',
    'arenaBytes',
    'workspaceBytes',
    'flops',
    'againFlops',
    'steps',
];

/** A compiled symbol: what it takes and does, known without running it. */
class Plan extends Handle {
    constructor(slot) {
        super(slot);
        Object.assign(this, named(REPORT, native.planReport(slot)));
        /** What was applied that changes rounding. */
        this.choices = native.planLists(slot, false);
    }

    /** The graph after each pass, if the option `keepPasses` was given. */
    passes() {
        const flat = native.planLists(this._slot, true),
            out = [];
        for (let i = 0; i + 2 < flat.length; i += 3)
            out.push({ name: flat[i], text: flat[i + 1], dot: flat[i + 2] });
        return out;
    }

    toString() {
        return native.planText(this._slot);
    }
}

/** Compiles a symbol, without running it or taking memory. */
function plan(symbol, shapes, { grad = true, dtypes = {}, ...rest } = {}) {
    const names = symbol.listArguments();
    const data = Object.fromEntries(Object.keys(shapes).map((name) => [name, 0]));
    const wanted = grad === true ? [data, 1] : grad ? requests(grad, names) : [{}, 0];
    const chosen = options({ training: Boolean(grad), ...rest });
    return new Plan(native.planNew(symbol._slot, chosen, ...known(shapes, dtypes, wanted)));
}

/** A symbol bound to arrays. */
class Executor extends Handle {
    constructor(slot, symbol, wanted) {
        super(slot);
        this.symbol = symbol;
        this._wanted = wanted;
        const array = (list) => (_, i) => new NDArray(native.executorArray(slot, list, i));
        const gradient = (_, i) => {
            const found = native.executorGradient(slot, i);
            return found === null ? null : new NDArray(found);
        };
        const names = symbol.listArguments(),
            states = symbol.listAuxiliaryStates();
        this.argArrays = names.map(array(ARGUMENTS));
        this.gradArrays = names.map(gradient);
        this.auxArrays = states.map(array(AUXILIARY_STATES));
        this.outputs = [];
        this.argDict = named(names, this.argArrays);
        this.gradDict = named(names, this.gradArrays);
        this.auxDict = named(states, this.auxArrays);
    }

    /** Computes the outputs, after copying arrays to the arguments of their names. */
    forward(isTrain = false, data = {}) {
        for (const [name, value] of Object.entries(data)) {
            if (!(name in this.argDict))
                throw new MXRError('NotFound', `forward: there is no argument '${name}'`, null, name);
            this.argDict[name].assign(value);
        }
        native.executorForward(this._slot, Boolean(isTrain));
        const count = this.symbol.length;
        this.outputs = Array.from(
            { length: count },
            (_, i) => new NDArray(native.executorArray(this._slot, OUTPUTS, i)),
        );
        return this.outputs;
    }

    /** Computes the gradients after `forward(true)`; outputs of losses need no gradient. */
    backward(outGrads = []) {
        const list = Array.isArray(outGrads) ? outGrads : [outGrads];
        native.executorBackward(
            this._slot,
            list.map((array) => array._slot),
        );
    }

    /** Copies arrays to the variables of their names. */
    copyParamsFrom(argParams, auxParams = {}, { allowExtra = false } = {}) {
        const params = { ...argParams, ...auxParams };
        const arrays = Object.values(params).map((array) => array._slot);
        native.executorCopyParams(this._slot, Object.keys(params), arrays, allowExtra);
    }

    /** An executor for other shapes of some arguments. Arrays whose shape stays, and memory, are shared. */
    reshape(shapes, { allowUpSizing = false } = {}) {
        const dtypes = Object.fromEntries(
            Object.entries(this.argDict).map(([name, array]) => [name, array.dtype]),
        );
        const given = known(shapes, dtypes, this._wanted);
        return new Executor(
            native.executorReshape(this._slot, allowUpSizing, ...given),
            this.symbol,
            this._wanted,
        );
    }

    /** What the compiled symbol takes and does. */
    plan(isTrain = false) {
        return new Plan(native.executorPlan(this._slot, isTrain));
    }

    /** Shows every output of every operator of forward passes to `callback(name, array)`; null ends it. */
    setMonitorCallback(callback) {
        const show = callback && ((name, slot) => callback(name, new NDArray(slot)));
        native.executorMonitor(this._slot, show);
    }
}

/** Arrays in the order of names, from an array or from an object. */
function listed(values, names, what, optional = false) {
    if (!Array.isArray(values)) {
        const missing = names.find((name) => !(name in (values ?? {})));
        if (missing !== undefined && !optional)
            throw wrongValue(what, `an array for '${missing}'`, undefined);
        return names.map((name) => values?.[name] ?? null);
    }
    if (values.length === 0 && optional) return names.map(() => null);
    if (values.length !== names.length) throw wrongValue(what, `${names.length} arrays`, values.length);
    return values;
}

/** Binds a symbol to arrays. */
function bind(args, { argsGrad = null, gradReq = 'write', auxStates = {}, sharedExec = null, ...rest } = {}) {
    const names = this.listArguments(),
        states = this.listAuxiliaryStates();
    const arrays = {
        ...named(names, listed(args, names, 'args')),
        ...named(states, listed(auxStates, states, 'auxStates')),
    };
    const gradients = named(names, listed(argsGrad, names, 'argsGrad', true));
    const wanted = requests(gradReq, names),
        [byName, others] = wanted;
    const inputs = this.listInputs();
    const slots = inputs.map((name) => {
        if (!(arrays[name] instanceof NDArray)) throw wrongType(name, 'an NDArray', arrays[name]);
        return arrays[name]._slot;
    });
    const requested = inputs.map((name) => (gradients[name] ? (byName[name] ?? others) : 0));
    const slot = native.executorBind(
        this._slot,
        slots,
        inputs.map((name) => gradients[name]?._slot ?? null),
        requested,
        sharedExec?._slot ?? null,
        options(rest),
    );
    return new Executor(slot, this, wanted);
}

/** Binds a symbol to new arrays of zeros, whose shapes follow from those that are given. */
function simpleBind(shapes, { gradReq = 'write', dtypes = {}, sharedExec = null, ...rest } = {}) {
    const wanted = requests(gradReq, this.listArguments());
    const slot = native.executorSimpleBind(
        this._slot,
        sharedExec?._slot ?? null,
        options(rest),
        ...known(shapes, dtypes, wanted),
    );
    return new Executor(slot, this, wanted);
}

for (const [name, value] of Object.entries({ bind, simpleBind })) {
    Object.defineProperty(MxSymbol.prototype, name, { value, configurable: true, writable: true });
}

/** A symbol that is called like an operator; compiled for each combination of input types when it first comes. */
class CachedOp extends Handle {
    constructor(symbol, { keepMemory = false, ...rest } = {}) {
        if (!(symbol instanceof MxSymbol)) throw wrongType('symbol', 'a Symbol', symbol);
        super(native.cachedOpNew(symbol._slot, keepMemory, options(rest)));
        this._count = symbol.length;
    }

    /** Calls it on arrays for all variables, in the order of `listInputs`. Recorded as one operation. */
    call(...inputs) {
        const slots = inputs.flat().map((array, i) => {
            if (!(array instanceof NDArray)) throw wrongType(`input ${i}`, 'an NDArray', array);
            return array._slot;
        });
        const found = native.cachedOpCall(this._slot, slots, this._count).map((slot) => new NDArray(slot));
        return found.length === 1 ? found[0] : found;
    }
}

/** A saved model that predicts. */
class Predictor {
    /** Parameters by name, which may begin with 'arg:' or 'aux:'. */
    constructor(symbol, params, { ctx } = {}) {
        this.symbol = symbol;
        this._op = new CachedOp(symbol, { ctx });
        this._params = Object.fromEntries(
            Object.entries(params).map(([name, array]) => [
                /^(arg|aux):/.test(name) ? name.slice(4) : name,
                ctx ? array.asInContext(ctx) : array,
            ]),
        );
        /** The variables that no parameter is for: data and labels. */
        this.inputs = symbol.listInputs().filter((name) => !(name in this._params));
    }

    /** Reads mxr's file, or MXNet's two: the symbol's and the parameters'. */
    static load(file, params, options) {
        const { loadModel } = require('./model.js');
        if (typeof params === 'string') {
            return new Predictor(
                require('./symbol.js').load(file),
                require('./create.js').load(params),
                options,
            );
        }
        const model = loadModel(file);
        return new Predictor(model.symbol, { ...model.argParams, ...model.auxParams }, params);
    }

    /**
     * The output, or the outputs, for the model's first input, or for inputs by name. Inputs that are not given, as
     * labels, are zeros of the shapes that follow.
     */
    predict(data) {
        const given = data instanceof NDArray ? { [this.inputs[0]]: data } : data;
        for (const name in given) {
            if (!this.inputs.includes(name))
                throw new MXRError('NotFound', `the model has no input '${name}'`, null, name);
        }
        const all = { ...this._params, ...given },
            missing = this.inputs.filter((name) => !(name in all));
        return within({ recording: false, training: false }, () => {
            if (missing.length > 0) this._fill(all, missing);
            return this._op.call(this.symbol.listInputs().map((name) => all[name]));
        });
    }

    _fill(all, missing) {
        const shapes = this.symbol.inferShape(
            Object.fromEntries(Object.entries(all).map(([n, a]) => [n, a.shape])),
        );
        const names = this.symbol.listArguments();
        for (const name of missing) {
            const shape = shapes.arguments[names.indexOf(name)];
            if (!shape || shape.some((size) => size < 0)) {
                throw new MXRError(
                    'Shape',
                    `the shape of input '${name}' does not follow from those that are given`,
                    null,
                    name,
                );
            }
            all[name] = require('./create.js').zeros(shape);
        }
    }
}

module.exports = { CachedOp, Executor, Plan, Predictor, plan };
