'use strict';
// What is made by name and attributes: optimizers, learning-rate schedules, initializers. The generated classes
// extend those here.

const native = require('./native.js');
const { write } = require('./attrs.js');
const { MXRError, wrongType } = require('./error.js');
const { Handle } = require('./handle.js');
const { NDArray } = require('./ndarray.js');

const slotOf = (array, argument) => {
    if (!(array instanceof NDArray)) throw wrongType(argument, 'an NDArray', array);
    return array._slot;
};

/** What a class of a kind has: its name in the library, and the ids and types of its attributes. */
const describe = (Class) => {
    if (Class.attributes === undefined) throw new MXRError('InvalidType', `${Class.name} is not made itself`);
    return [Class.registeredName ?? Class.name, Class.attributes];
};

/** A learning rate that depends on the number of updates. Optimizers may share one. */
class LRScheduler extends Handle {
    constructor(attrs = {}) {
        const [name, types] = describe(new.target);
        super(native.schedulerCreate(name, write(name, types, attrs, 0)));
    }

    /** The learning rate when some parameter has had so many updates, and none more. */
    value(numUpdate) {
        return native.schedulerValue(this._slot, numUpdate);
    }

    /** The learning rate to start from, after the warm-up. */
    get baseLr() {
        return native.schedulerBase(this._slot);
    }
    set baseLr(lr) {
        native.schedulerSetBase(this._slot, lr);
    }
}

/** Fills new parameters. */
class Initializer extends Handle {
    constructor(attrs = {}) {
        if (typeof attrs === 'number') {
            super(attrs);
            return;
        }
        const [name, types] = describe(new.target);
        super(native.initializerCreate(name, write(name, types, attrs, 0)));
    }

    /** The initializer that MXNet's text means: a name, or `["xavier", {"magnitude": 2}]`. */
    static parse(text) {
        return new Initializer(native.initializerParse(text));
    }

    /**
     * Fills a parameter by its name: a weight as the initializer does, a bias with zeros, a gamma with ones. `own` may
     * be the parameter's own initializer, as text.
     */
    apply(name, array, own = null) {
        native.initializerApply(this._slot, name, own, slotOf(array, 'array'));
    }

    /** Fills an array, whatever it is. */
    fill(array) {
        native.initializerApply(this._slot, null, null, slotOf(array, 'array'));
    }
}

/** What the name of a parameter says that it is: 'weight', 'bias', 'gamma', …; null if it does not say. */
const roleOf = (name) => native.initializerRole(name);

/** An optimizer: changes weights by their gradients, with states that it keeps. */
class Optimizer extends Handle {
    /** Attributes; besides, `lr_scheduler`, an LRScheduler, and `paramNames`, the names of parameters from number 0. */
    constructor(attrs = {}) {
        const [name, types] = describe(new.target);
        const { lr_scheduler = null, paramNames, ...rest } = attrs;
        if (lr_scheduler !== null && !(lr_scheduler instanceof LRScheduler)) {
            throw wrongType('lr_scheduler', 'an LRScheduler', lr_scheduler, name);
        }
        super(native.optimizerCreate(name, write(name, types, rest, 0), lr_scheduler?._slot ?? null));
        this._updater = new Updater(native.updaterCreate(this._slot));
        if (paramNames !== undefined) this.setNames(paramNames);
    }

    /** Changes a weight by its gradient; its state is made with the first call. */
    update(index, weight, grad) {
        native.updaterUpdate(this._updater._slot, index, slotOf(grad, 'grad'), slotOf(weight, 'weight'));
    }

    /** Changes attributes; what was counted stays. */
    set(attrs) {
        const [name, types] = describe(this.constructor);
        native.optimizerSet(this._slot, write(name, types, attrs, 0));
    }

    /** The learning rate now, without factors of parameters. */
    get learningRate() {
        return native.optimizerLearningRate(this._slot);
    }
    set learningRate(lr) {
        native.optimizerSetLearningRate(this._slot, lr);
    }

    /** The largest number of updates that any parameter has had. */
    get numUpdate() {
        return native.optimizerNumUpdate(this._slot);
    }

    /** Counts an update of a parameter, and says how many there are now: for an optimizer of one's own. */
    count(index) {
        return native.optimizerCount(this._slot, index);
    }

    /** Names of parameters from number 0. Those that end neither in `_weight` nor in `_gamma` then do not decay. */
    setNames(names) {
        native.optimizerSetNames(
            this._slot,
            names.map((_, i) => i),
            names,
        );
    }

    /** Factors of the learning rate, by the names of parameters. */
    setLrMult(factors) {
        native.optimizerSetMults(this._slot, false, Object.keys(factors), Object.values(factors));
    }

    /** Factors of the decay, by the names of parameters. */
    setWdMult(factors) {
        native.optimizerSetMults(this._slot, true, Object.keys(factors), Object.values(factors));
    }

    /** Both factors of one parameter, which count before those by its name. */
    setMult(index, lrMult, wdMult) {
        native.optimizerSetMult(this._slot, index, lrMult, wdMult);
    }

    /** The learning rate and the decay of a parameter now. */
    rates(index) {
        const [lr, wd] = native.optimizerRates(this._slot, index);
        return { lr, wd };
    }

    /** The arrays of a parameter's state; null if it has none yet. */
    state(index) {
        if (!native.updaterIndices(this._updater._slot).includes(index)) return null;
        return native.updaterState(this._updater._slot, index).map((slot) => new NDArray(slot));
    }

    /** Gives a parameter a state. */
    setState(index, arrays) {
        native.updaterSetState(
            this._updater._slot,
            index,
            arrays.map((array) => slotOf(array, 'arrays')),
        );
    }

    /** All states and counts. */
    saveStates() {
        return bytes((place) => native.updaterToBytes(this._updater._slot, place));
    }

    /** Replaces all states and counts by those that `saveStates` gave. */
    loadStates(bytes) {
        native.updaterSetBytes(this._updater._slot, bytes);
    }

    close() {
        this._updater.close();
        super.close();
    }
}

/** Bytes that the addon copies to a place of their number, which it says. */
function bytes(copy) {
    const found = new Uint8Array(copy(new Uint8Array(0)));
    copy(found);
    return found;
}

/** The states of an optimizer. */
class Updater extends Handle {}

/** A function that makes what is registered under a name, whatever its capitals. */
function finder(classes, what) {
    const byName = new Map();
    for (const [name, Class] of Object.entries(classes)) {
        for (const each of [name, ...Class.aliases]) byName.set(each.toLowerCase(), Class);
    }
    return (name, attrs) => {
        const Class = byName.get(String(name).toLowerCase());
        if (Class === undefined)
            throw new MXRError('NotFound', `there is no ${what} '${name}'`, null, 'name');
        return new Class(attrs);
    };
}

module.exports = { Initializer, LRScheduler, Optimizer, bytes, describe, finder, roleOf };
