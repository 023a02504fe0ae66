'use strict';
// Making arrays, joining them, and files of arrays.

const native = require('./native.js');
const { codeOf, encode, isHalf, ofArray, storageOf } = require('./dtype.js');
const { deviceOf } = require('./context.js');
const { MXRError, wrongType, wrongValue } = require('./error.js');
const { NDArray, flatten, shapeOf, sizes } = require('./ndarray.js');
const { isPlain } = require('./op.js');
const nd = require('./gen/nd.js');

const isTyped = (value) => ArrayBuffer.isView(value) && !(value instanceof DataView);
const product = (shape) => shape.reduce((n, size) => n * size, 1);

/** Options, or a dtype alone. */
function options(given) {
    const chosen = typeof given === 'string' ? { dtype: given } : (given ?? {});
    if (!isPlain(chosen)) throw wrongType('options', 'an object', given);
    for (const name in chosen) {
        if (!['ctx', 'dtype', 'shape', 'out'].includes(name))
            throw wrongValue(name, 'ctx, dtype or shape', name);
    }
    return chosen;
}

/** An array of the elements of nested arrays, of a typed array, of a number or of another array. */
function array(source, given) {
    const { ctx, dtype, shape } = options(given);
    if (source instanceof NDArray) {
        const copy = source.copyTo(ctx ?? source.context);
        return dtype === undefined || dtype === copy.dtype ? copy : copy.astype(dtype);
    }
    const [kind, id] = deviceOf(ctx);
    const name = dtype ?? (isTyped(source) ? ofArray.get(source.constructor) : undefined);
    if (isTyped(source) && name === undefined) {
        throw new MXRError(
            'InvalidType',
            `argument 'dtype': a ${source.constructor.name} does not say the dtype; ` +
                'it may be that of the bits of float16 or bfloat16',
            null,
            'dtype',
        );
    }
    const code = codeOf(name ?? 'float32');
    const dims = shape === undefined ? shapeOf(source) : sizes(shape);
    const same = isTyped(source) && source.constructor === storageOf(code);
    const flat = isTyped(source)
        ? source
        : shape === undefined
          ? flatten(source, dims, 'source')
          : source.flat(Infinity);
    if (flat.length !== product(dims)) {
        throw new MXRError(
            'Shape',
            `argument 'shape': [${dims}] has ${product(dims)} elements, the source ` + `${flat.length}`,
            null,
            'shape',
        );
    }
    return new NDArray(native.arrayFromData(same ? flat : encode(code, flat), dims, code, kind, id));
}

/**
 * An array over a typed array's own memory, without a copy. Whoever changes the typed array afterwards waits first
 * until no operation uses it.
 */
function fromTypedArray(source, given) {
    const { dtype, shape } = options(given);
    if (!isTyped(source)) throw wrongType('source', 'a typed array', source);
    const code = codeOf(dtype ?? ofArray.get(source.constructor));
    if (source.constructor !== storageOf(code) && !(isHalf(code) && source instanceof Uint16Array)) {
        throw wrongType('source', `a ${storageOf(code).name}`, source);
    }
    const dims = shape === undefined ? [source.length] : sizes(shape);
    return new NDArray(native.arrayFromForeign(source, dims, code, source.BYTES_PER_ELEMENT));
}

/** An array whose elements are not set. */
function empty(shape, given) {
    const { ctx, dtype } = options(given);
    return new NDArray(native.arrayEmpty(sizes(shape), codeOf(dtype ?? 'float32'), ...deviceOf(ctx)));
}

function filled(name, shape, given, more) {
    const { ctx, dtype = 'float32', out } = options(given);
    return nd._internal[name]({ shape: sizes(shape), ctx: ctx?.toString(), dtype, out, ...more });
}

/** An array of zeros. */
const zeros = (shape, given) => filled('_zeros', shape, given);
/** An array of ones. */
const ones = (shape, given) => filled('_ones', shape, given);
/** An array whose elements are all `value`. */
const full = (shape, value, given) => filled('_full', shape, given, { value });

/** Numbers from `start` to before `stop` in equal steps, each `repeat` times. */
function arange(start, stop, given) {
    if (stop !== null && typeof stop === 'object') [stop, given] = [undefined, stop];
    const { step, repeat, dtype = 'float32', ctx } = given ?? {};
    if (stop === undefined || stop === null) [start, stop] = [0, start];
    return nd._internal._arange({ start, stop, step, repeat, dtype, ctx: ctx?.toString() });
}

/** `num` numbers at equal distances from `start` to `stop`. */
function linspace(start, stop, num, { endpoint, dtype = 'float32', ctx } = {}) {
    return nd._internal._linspace({ start, stop, num, endpoint, dtype, ctx: ctx?.toString() });
}

/** Ones on a diagonal. */
function eye(N, M, given) {
    if (M !== null && typeof M === 'object') [M, given] = [undefined, M];
    const { k, dtype = 'float32', ctx } = given ?? {};
    return nd._internal._eye({ N, M, k, dtype, ctx: ctx?.toString() });
}

/** Joins arrays along an axis. */
const concatenate = (arrays, axis = 0) => nd.op.concat(arrays, { dim: axis });

/** Writes arrays to a file as MXNet does: one, an array of them, or an object of them by their names. */
function save(path, arrays) {
    if (arrays instanceof NDArray) arrays = [arrays];
    const list = Array.isArray(arrays) ? arrays : Object.values(arrays);
    for (const each of list) if (!(each instanceof NDArray)) throw wrongType('arrays', 'NDArrays', each);
    native.listSave(
        String(path),
        Array.isArray(arrays) ? null : Object.keys(arrays),
        list.map((a) => a._slot),
    );
}

/** Reads the arrays of a file: an object of them by their names, or an array of them if they have none. */
function load(path) {
    const [names, slots] = native.listLoad(String(path));
    const arrays = slots.map((slot) => new NDArray(slot));
    if (names.some((name) => name === null)) return arrays;
    return Object.fromEntries(names.map((name, i) => [name, arrays[i]]));
}

/** Waits until everything asked so far is done, and throws what failed. The event loop stands still meanwhile. */
const waitall = () => native.waitAll(-1);

module.exports = {
    NDArray,
    arange,
    array,
    concatenate,
    empty,
    eye,
    fromTypedArray,
    full,
    linspace,
    load,
    ones,
    save,
    waitall,
    zeros,
};
