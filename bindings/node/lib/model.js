'use strict';
// Models in files: MXNet's checkpoints, and mxr's own, all in one.

const fs = require('node:fs');
const native = require('./native.js');
const { codeOf, nameOf } = require('./dtype.js');
const { wrongType, wrongValue } = require('./error.js');
const { NDArray } = require('./ndarray.js');
const { MxSymbol } = require('./symbol_base.js');
const arrays = require('./create.js');
const symbols = require('./symbol.js');

const join = (argParams, auxParams) => ({
    ...Object.fromEntries(Object.entries(argParams ?? {}).map(([name, array]) => [`arg:${name}`, array])),
    ...Object.fromEntries(Object.entries(auxParams ?? {}).map(([name, array]) => [`aux:${name}`, array])),
});

function split(params) {
    const parts = { arg: {}, aux: {} };
    for (const [key, array] of Object.entries(params)) {
        const [, kind, name] = /^(arg|aux):(.+)$/s.exec(key) ?? [];
        if (kind === undefined) throw wrongValue('params', "names as 'arg:weight'", key);
        parts[kind][name] = array;
    }
    return { argParams: parts.arg, auxParams: parts.aux };
}

/**
 * Writes a model to one file. Arguments without an array are its inputs, of which `inputs` may say more: objects of
 * name, shape, dtype and label; `metadata` has texts of the user's own.
 */
function saveModel(path, symbol, argParams = {}, auxParams = {}, { inputs = [], metadata = {} } = {}) {
    if (!(symbol instanceof MxSymbol)) throw wrongType('symbol', 'a Symbol', symbol);
    const params = join(argParams, auxParams);
    native.modelSave(
        String(path),
        symbol._slot,
        Object.keys(params),
        Object.values(params).map((a) => a._slot),
        inputs.map((input) => input.name),
        inputs.map((input) => codeOf(input.dtype ?? 'float32')),
        inputs.map((input) => input.shape ?? null),
        inputs.map((input) => Boolean(input.label)),
        Object.keys(metadata),
        Object.values(metadata),
    );
}

/**
 * Opens a model file. Its arrays stay in the file until they are written to, which never changes it; with `copy` the
 * file is read at once.
 */
function loadModel(path, { copy = false } = {}) {
    const [symbol, [names, slots], inputs, texts] = native.modelLoad(String(path), copy);
    const params = Object.fromEntries(names.map((name, i) => [name, new NDArray(slots[i])]));
    const metadata = {};
    for (let i = 0; i + 1 < texts.length; i += 2) metadata[texts[i]] = texts[i + 1];
    return {
        symbol: new MxSymbol(symbol),
        ...split(params),
        inputs: inputs.map(([name, shape, code, label]) => ({ name, shape, dtype: nameOf(code), label })),
        metadata,
    };
}

const paramsFile = (prefix, epoch) => `${prefix}-${String(epoch).padStart(4, '0')}.params`;

/** Writes `prefix-symbol.json` and `prefix-NNNN.params`, NNNN being the epoch. A symbol that is null is not written. */
function saveCheckpoint(prefix, epoch, symbol, argParams, auxParams, options) {
    if (symbol !== null) symbol.save(`${prefix}-symbol.json`, options);
    arrays.save(paramsFile(prefix, epoch), join(argParams, auxParams));
}

/** Reads what `saveCheckpoint` or MXNet wrote. A prefix that is a file is one of `saveModel`. */
function loadCheckpoint(prefix, epoch) {
    if (fs.statSync(prefix, { throwIfNoEntry: false })?.isFile()) {
        const { symbol, argParams, auxParams } = loadModel(prefix);
        return { symbol, argParams, auxParams };
    }
    if (epoch === undefined) throw wrongValue('epoch', `a number, since there is no file ${prefix}`, epoch);
    return { symbol: symbols.load(`${prefix}-symbol.json`), ...loadParams(prefix, epoch) };
}

/** The arrays of a checkpoint. */
function loadParams(prefix, epoch) {
    const params = arrays.load(paramsFile(prefix, epoch));
    return split(Array.isArray(params) && params.length === 0 ? {} : params);
}

module.exports = { loadCheckpoint, loadModel, loadParams, saveCheckpoint, saveModel };
