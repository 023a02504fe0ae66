'use strict';
// Batches of data and labels, from memory and from files.

const native = require('./native.js');
const { write } = require('./attrs.js');
const { nameOf } = require('./dtype.js');
const { wrongType } = require('./error.js');
const { Handle } = require('./handle.js');
const { NDArray } = require('./ndarray.js');
const { isPlain } = require('./op.js');
const { describe } = require('./registered.js');

const { DATA, LABELS } = require('./gen/abi.js');

/** Names, or null, and arrays of what was given: nothing, one thing, an array of several, or an object by names. */
function named(given) {
    const { array } = require('./create.js');
    const make = (each) => (each instanceof NDArray ? each : array(each));
    if (given === undefined || given === null) return [null, []];
    if (isPlain(given)) return [Object.keys(given), Object.values(given).map(make)];
    const several =
        Array.isArray(given) && given.every((each) => each instanceof NDArray || ArrayBuffer.isView(each));
    return [null, several ? given.map(make) : [make(given)]];
}

/** Goes through batches. A loop over it is an epoch, after which it begins anew. */
class DataIter extends Handle {
    /** Attributes; besides, `data` and `label` are arrays that batches come from, `iters` other iterators. */
    constructor(attrs = {}) {
        const [name, types] = describe(new.target);
        const { data, label, iters = [], ...rest } = attrs;
        for (const each of iters)
            if (!(each instanceof DataIter)) throw wrongType('iters', 'DataIters', each, name);
        const [[dataNames, dataArrays], [labelNames, labelArrays]] = [named(data), named(label)];
        const slots = (list) => list.map((each) => each._slot);
        super(
            native.iterCreate(
                name,
                write(name, types, rest, 0),
                dataNames,
                slots(dataArrays),
                labelNames,
                slots(labelArrays),
                slots(iters),
            ),
        );
    }

    /** What every batch has as data: name, shape, dtype and layout of each. */
    get provideData() {
        return this._describe(DATA);
    }

    /** The same of labels. */
    get provideLabel() {
        return this._describe(LABELS);
    }

    /** The number of examples in a batch. */
    get batchSize() {
        return native.iterBatchSize(this._slot);
    }

    /** The next batch, or null at the end of the epoch. */
    next() {
        if (!native.iterNext(this._slot)) return null;
        const arrays = (list) =>
            native
                .iterNames(this._slot, list)
                .map((_, i) => new NDArray(native.iterArray(this._slot, list, i)));
        const [pad, index] = native.iterIndex(this._slot);
        return { data: arrays(DATA), label: arrays(LABELS), pad, index };
    }

    /** Begins the next epoch; with `hard` as if nothing had been read, so that nothing is carried over. */
    reset({ hard = false } = {}) {
        native.iterReset(this._slot, hard);
    }

    /** The batches that are left of the epoch; then the next epoch begins. */
    *[Symbol.iterator]() {
        for (let batch = this.next(); batch !== null; batch = this.next()) yield batch;
        this.reset();
    }

    _describe(list) {
        return native.iterNames(this._slot, list).map((name, i) => {
            const [shape, code] = native.iterDesc(this._slot, list, i);
            return { name, shape, dtype: nameOf(code), layout: native.iterLayout(this._slot, list, i) };
        });
    }
}

module.exports = { DataIter };
