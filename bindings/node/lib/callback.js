'use strict';
// What is told of batches and epochs while a module is trained.

const native = require('./native.js');
const { write } = require('./attrs.js');
const { Handle } = require('./handle.js');
const { describe } = require('./registered.js');

const { CALLBACK_RESET_METRIC: RESET_METRIC, CALLBACK_SAVE: SAVE } = require('./gen/abi.js');

/** A callback of the library: says something, or asks for something to be done. */
class Callback extends Handle {
    constructor(attrs = {}) {
        const [name, types] = describe(new.target);
        super(native.callbackCreate(name, write(name, types, attrs, 0)));
        this._given = attrs;
    }

    /** Tells of a batch of an epoch, both from 0, with the metric and the module if there are any. */
    tell({ epoch, batch = 0, metric = null, module: model = null }) {
        const seconds = Number(process.hrtime.bigint()) / 1e9;
        if (!native.callbackDue(this._slot, epoch, batch, seconds)) return;
        const values = metric === null ? {} : metric.get();
        const names = metric === null ? null : Object.keys(values);
        const [text, actions] = native.callbackCall(
            this._slot,
            epoch,
            batch,
            seconds,
            names,
            Object.values(values),
        );
        if (text !== null) process.stdout.write(text.endsWith('\r') ? text : `${text}\n`);
        if (actions & RESET_METRIC) metric?.reset({ local: true });
        if (actions & SAVE) {
            model?.saveCheckpoint(this._given.prefix, epoch + 1, {
                states: this._given.save_optimizer_states ?? false,
            });
        }
    }
}

/** Tells all callbacks, of the library or functions, one or an array of them. */
function tell(callbacks, told) {
    for (const callback of Array.isArray(callbacks) ? callbacks : [callbacks ?? []].flat()) {
        if (typeof callback === 'function') callback(told);
        else callback.tell(told);
    }
}

module.exports = { Callback, tell };
