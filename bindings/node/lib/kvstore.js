'use strict';
// Stores of values that several devices share. Keys are numbers or texts.

const native = require('./native.js');
const { write } = require('./attrs.js');
const { MXRError, wrongType } = require('./error.js');
const { Handle } = require('./handle.js');
const { NDArray } = require('./ndarray.js');
const { Optimizer, bytes } = require('./registered.js');

const listOf = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

function slots(arrays, argument) {
    return listOf(arrays).map((array) => {
        if (!(array instanceof NDArray)) throw wrongType(argument, 'NDArrays', array);
        return array._slot;
    });
}

/** A store. */
class KVStore extends Handle {
    /** The name by which it was made. */
    get type() {
        return native.storeType(this._slot);
    }

    /** The number of this worker. */
    get rank() {
        return native.storeWorkers(this._slot)[0];
    }

    /** How many workers share the store. */
    get numWorkers() {
        return native.storeWorkers(this._slot)[1];
    }

    /** Keeps a copy of a value under a new key. */
    init(key, value) {
        this._move('init', key, value);
    }

    /** Sums values, one of each device, and changes the stored one by the sum, which else takes its place. */
    push(key, value) {
        this._move('push', key, value);
    }

    /** Copies the stored value to arrays. */
    pull(key, out) {
        this._move('pull', key, undefined, out);
    }

    /** Pushes values, and then pulls, to them or to other arrays. */
    pushpull(key, value, out = value) {
        this._move('pushpull', key, value, out);
    }

    /** Keeps a copy of a value under a new key, and copies it to arrays. */
    broadcast(key, value, out) {
        this._move('broadcast', key, value, out);
    }

    /** Updates stored values by an optimizer from now on, with new states. */
    setOptimizer(optimizer) {
        if (!(optimizer instanceof Optimizer)) throw wrongType('optimizer', 'an Optimizer', optimizer);
        native.storeSetOptimizer(this._slot, optimizer._slot);
    }

    /** Updates stored values by a function of key, pushed and stored value; null lets sums take their place. */
    setUpdater(update) {
        const run =
            update && ((key, pushed, stored) => update(key, new NDArray(pushed), new NDArray(stored)));
        native.storeSetUpdate(this._slot, run);
    }

    /** Compresses what is pushed to a store `device` from now on: `{ type: '2bit', threshold: 0.5 }`. */
    setGradientCompression({ type, ...attrs }) {
        const { gradient_compressions: known } = require('./gen/registered.js');
        if (!Object.hasOwn(known, type))
            throw new MXRError('NotFound', `there is no compression '${type}'`, null, 'type');
        native.storeSetCompression(type, write(type, known[type], attrs, 0), this._slot);
    }

    /** The states of the optimizer. */
    saveOptimizerStates() {
        return bytes((place) => native.storeStates(this._slot, place));
    }

    /** Replaces them by those that `saveOptimizerStates` gave. */
    loadOptimizerStates(states) {
        native.storeSetStates(this._slot, states);
    }

    _move(verb, key, value, out) {
        const text = typeof key === 'string';
        if (!text && !Number.isSafeInteger(key)) throw wrongType('key', 'a text or an integer', key);
        native.storeMove(
            this._slot,
            verb,
            text ? key : null,
            text ? 0 : key,
            slots(value, 'value'),
            slots(out, 'out'),
        );
    }
}

/** Makes a store by its name: 'local' or 'device'. */
const create = (name = 'local') => new KVStore(native.storeCreate(name));

module.exports = { KVStore, create };
