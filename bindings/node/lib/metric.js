'use strict';
// Metrics, which take in batches without waiting; asking for a value waits.

const native = require('./native.js');
const { write } = require('./attrs.js');
const { wrongType } = require('./error.js');
const { Handle } = require('./handle.js');
const { NDArray } = require('./ndarray.js');
const { describe } = require('./registered.js');

const listOf = (value) => (Array.isArray(value) ? value : [value]);

function slots(arrays, argument) {
    return arrays.map((array) => {
        if (!(array instanceof NDArray)) throw wrongType(argument, 'NDArrays', array);
        return array._slot;
    });
}

/** A metric with what it has summed up. */
class Metric extends Handle {
    /**
     * Attributes; those of `CustomMetric` may have `feval`, a function of a label and a prediction that gives a value,
     * or a sum and a count, and those of `CompositeEvalMetric` metrics.
     */
    constructor(attrs = {}) {
        const [name, types] = describe(new.target);
        const { feval, metrics, ...rest } = attrs;
        const made = (metrics ?? []).filter((each) => each instanceof Metric);
        const names = metrics?.filter((each) => !(each instanceof Metric));
        super(native.metricCreate(name, write(name, types, { ...rest, metrics: names }, 0)));
        this._feval = feval;
        made.forEach((each) => this.push(each));
    }

    /** Takes in a batch: as many labels as predictions, in arrays, or in objects by their names. */
    update(labels, preds) {
        if (this._feval) {
            listOf(preds).forEach((pred, i) =>
                this.add(...[this._feval(listOf(labels)[i], pred), 1].flat().slice(0, 2)),
            );
            return;
        }
        if (!(labels instanceof NDArray) && !Array.isArray(labels)) {
            native.metricUpdateNamed(
                this._slot,
                Object.keys(labels),
                slots(Object.values(labels), 'labels'),
                Object.keys(preds),
                slots(Object.values(preds), 'preds'),
            );
            return;
        }
        native.metricUpdate(this._slot, slots(listOf(labels), 'labels'), slots(listOf(preds), 'preds'));
    }

    /** Adds a metric to a `CompositeEvalMetric`. */
    push(metric) {
        if (!(metric instanceof Metric)) throw wrongType('metric', 'a Metric', metric);
        native.metricPush(this._slot, metric._slot);
    }

    /** Adds a sum and a count that were found otherwise. */
    add(sum, count) {
        native.metricAdd(this._slot, sum, count);
    }

    /** Forgets everything; with `local` all but what `get({ global: true })` tells. */
    reset({ local = false } = {}) {
        native.metricReset(this._slot, local);
    }

    /** The values by their names since the last reset, with `global` since the last that was not local. Waits. */
    get({ global = false } = {}) {
        const [names, values] = native.metricGet(this._slot, global);
        return Object.fromEntries(names.map((name, i) => [name, values[i]]));
    }
}

module.exports = { Metric };
