'use strict';
// What symbols can do, and how they are made without operators.

const util = require('node:util');
const native = require('./native.js');
const { codeOf, nameOf } = require('./dtype.js');
const { wrongType, wrongValue } = require('./error.js');
const { MxSymbol } = require('./symbol_base.js');
const { NDArray } = require('./ndarray.js');
const naming = require('./name.js');

const {
    LIST_ARGUMENTS: ARGUMENTS,
    LIST_OUTPUTS: OUTPUTS,
    LIST_AUXILIARY_STATES: AUXILIARY_STATES,
    LIST_INPUTS: INPUTS,
} = require('./gen/abi.js');

/** The slots of symbols. */
function slots(symbols, argument) {
    return symbols.map((symbol) => {
        if (!(symbol instanceof MxSymbol)) throw wrongType(argument, 'Symbols', symbol);
        return symbol._slot;
    });
}

/** An object of what there is for each name. */
const named = (names, values) => Object.fromEntries(names.map((name, i) => [name, values[i]]));

const methods = {
    /** The name of the node; null for a group of several. */
    get name() {
        return native.symbolText(this._slot, 'name');
    },

    /** The number of outputs. */
    get length() {
        return this.listOutputs().length;
    },

    listArguments() {
        return native.symbolList(this._slot, ARGUMENTS);
    },
    listOutputs() {
        return native.symbolList(this._slot, OUTPUTS);
    },
    listAuxiliaryStates() {
        return native.symbolList(this._slot, AUXILIARY_STATES);
    },
    listInputs() {
        return native.symbolList(this._slot, INPUTS);
    },

    /** One output, by its number or its name. */
    get(index) {
        if (typeof index === 'string') return new MxSymbol(native.symbolOutputNamed(this._slot, index));
        if (!Number.isInteger(index)) throw wrongType('index', 'an integer or a name', index);
        return new MxSymbol(native.symbolOutput(this._slot, index < 0 ? index + this.length : index));
    },

    getInternals() {
        return new MxSymbol(native.symbolPart(this._slot, 'internals'));
    },

    /** The inputs of the nodes of which the outputs are; null if there are none. */
    getChildren() {
        const children = new MxSymbol(native.symbolPart(this._slot, 'children'));
        return children.length === 0 ? null : children;
    },

    /** A copy in which variables are replaced by other symbols, given by name. */
    compose(inputs, { name } = {}) {
        const symbols = slots(Object.values(inputs), 'inputs');
        return new MxSymbol(native.symbolCompose(this._slot, name ?? null, symbols, Object.keys(inputs)));
    },

    /** An attribute of the node, or null. */
    attr(key) {
        return native.symbolAttr(this._slot, key);
    },

    /** The attributes of the node. */
    listAttr() {
        return this.attrDict(false)[this.name] ?? {};
    },

    /** The attributes of all nodes, by their names. */
    attrDict(recursive = true) {
        const flat = native.symbolAttrs(this._slot, recursive),
            out = {};
        for (let i = 0; i + 2 < flat.length; i += 3) (out[flat[i]] ??= {})[flat[i + 1]] = flat[i + 2];
        return out;
    },

    /** The same symbol with more attributes on its node. */
    withAttrs(attrs) {
        return new MxSymbol(
            native.symbolWithAttrs(this._slot, Object.keys(attrs), Object.values(attrs).map(String)),
        );
    },

    /**
     * Shapes of arguments, outputs and auxiliary states from some of them, by name. -1 is a size, and null a shape,
     * that does not follow.
     */
    inferShape(known) {
        const names = Object.keys(known);
        const [lists, complete] = native.inferShapes(
            this._slot,
            names,
            names.map((name) => known[name]),
        );
        return inferred(lists, complete, (shape) => shape);
    },

    /** The same of dtypes. */
    inferType(known) {
        const names = Object.keys(known);
        const [lists, complete] = native.inferDtypes(
            this._slot,
            names,
            names.map((name) => codeOf(known[name], name)),
        );
        return inferred(lists, complete, (code) => (code === null ? null : nameOf(code)));
    },

    /** The graph as JSON, as MXNet 1.9.1 writes it. */
    toJSONText({ removeAmpCast = true } = {}) {
        return native.symbolText((removeAmpCast ? this.withoutAmpCasts() : this)._slot, 'json');
    },

    /** Writes that to a file. */
    save(path, { removeAmpCast = true } = {}) {
        native.symbolSave((removeAmpCast ? this.withoutAmpCasts() : this)._slot, String(path));
    },

    withoutAmpCasts() {
        return new MxSymbol(native.symbolPart(this._slot, 'plain'));
    },

    /** Outputs, variables and operators with their inputs and attributes. */
    debugStr() {
        return native.symbolText(this._slot, 'people');
    },

    /** Runs the operators one by one on arrays, by name, without compiling; while recording, each is recorded. */
    run(arrays) {
        const names = Object.keys(arrays),
            list = Object.values(arrays);
        for (const array of list)
            if (!(array instanceof NDArray)) throw wrongType('arrays', 'NDArrays', array);
        const found = native.symbolRun(
            this._slot,
            names,
            list.map((array) => array._slot),
            this.length,
        );
        return found.map((slot) => new NDArray(slot));
    },

    toString() {
        const name = this.name;
        return name === null ? `<Symbol group [${this.listOutputs().join(', ')}]>` : `<Symbol ${name}>`;
    },
};

/** The outputs, one after the other. */
function* outputs() {
    for (let i = 0; i < this.length; i++) yield this.get(i);
}

Object.defineProperties(
    MxSymbol.prototype,
    Object.fromEntries(
        Object.entries(Object.getOwnPropertyDescriptors(methods)).map(([name, d]) => [
            name,
            { ...d, enumerable: false },
        ]),
    ),
);
for (const [key, value] of [
    [Symbol.iterator, outputs],
    [
        util.inspect.custom,
        function inspect() {
            return this.closed ? '<Symbol closed>' : this.toString();
        },
    ],
]) {
    Object.defineProperty(MxSymbol.prototype, key, { value, configurable: true, writable: true });
}

function inferred([args, outs, aux], complete, read) {
    return { arguments: args.map(read), outputs: outs.map(read), auxiliaryStates: aux.map(read), complete };
}

/**
 * A variable. `shape`, `dtype`, `init` (the text of an initializer), `lr_mult` and `wd_mult` become attributes, as do
 * those of `attr`.
 */
function Variable(name, given = {}) {
    if (typeof name !== 'string') throw wrongType('name', 'a string', name);
    const { attr, shape, dtype, ...rest } = given;
    const attrs = { ...naming.attributes(), ...attr };
    if (shape !== undefined) attrs.__shape__ = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
    if (dtype !== undefined) attrs.__dtype__ = String(codeOf(dtype));
    for (const [key, value] of Object.entries(rest)) {
        if (
            !['init', 'lr_mult', 'wd_mult', 'stype', 'profiler_scope'].includes(key) &&
            !key.startsWith('__')
        ) {
            throw wrongValue(key, 'shape, dtype, init, lr_mult, wd_mult or attr', key);
        }
        if (value !== undefined) attrs[key.startsWith('__') ? key : `__${key}__`] = value;
    }
    return new MxSymbol(native.symbolVariable(name, Object.keys(attrs), Object.values(attrs).map(String)));
}

/** All outputs of several symbols as one. */
const Group = (symbols) => new MxSymbol(native.symbolGroup(slots(symbols, 'symbols')));
/** Reads a `-symbol.json` file of any version of MXNet. */
const load = (path) => new MxSymbol(native.symbolLoad(String(path)));
/** The symbol that a JSON text describes. */
const loadJSON = (json) => new MxSymbol(native.symbolFromJson(json));

function filled(operator, shape, { dtype = 'float32', name, ...more } = {}) {
    const { _internal } = require('./gen/sym.js');
    return _internal[operator]({ shape: typeof shape === 'number' ? [shape] : shape, dtype, name, ...more });
}

/** A symbol of zeros. */
const zeros = (shape, given) => filled('_zeros', shape, given);
/** A symbol of ones. */
const ones = (shape, given) => filled('_ones', shape, given);
/** A symbol whose elements are all `value`. */
const full = (shape, value, given) => filled('_full', shape, { ...given, value });

module.exports = {
    AUXILIARY_STATES,
    ARGUMENTS,
    Group,
    OUTPUTS,
    Symbol: MxSymbol,
    Variable,
    full,
    load,
    loadJSON,
    named,
    ones,
    slots,
    var: Variable,
    zeros,
};
