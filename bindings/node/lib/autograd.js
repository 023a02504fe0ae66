'use strict';
// Automatic differentiation: recording, gradients, and functions with gradients of one's own.

const native = require('./native.js');
const abi = require('./gen/abi.js');
const { now, within } = require('./context.js');
const { NDArray } = require('./ndarray.js');
const { wrongType, wrongValue } = require('./error.js');

const REQUESTS = { null: abi.REQUEST_NULL, write: abi.REQUEST_WRITE, add: abi.REQUEST_ADD };
const { BACKWARD_RETAIN_GRAPH: RETAIN, BACKWARD_CREATE_GRAPH: CREATE, BACKWARD_TRAINING: TRAINING } = abi;

/** Runs a function whose operations are recorded; they train unless `trainMode` is false. */
const record = (run, trainMode = true) => within({ recording: true, training: trainMode }, run);
/** Runs a function whose operations are not recorded. */
const pause = (run, trainMode = false) => within({ recording: false, training: trainMode }, run);
/** Runs a function whose operations train: dropout drops, batch normalisation takes the batch's statistics. */
const trainMode = (run) => within({ training: true }, run);
/** Runs a function whose operations predict. */
const predictMode = (run) => within({ training: false }, run);

const listOf = (value) => (Array.isArray(value) ? value : [value]);

function slots(arrays, argument) {
    return arrays.map((array) => {
        if (!(array instanceof NDArray)) throw wrongType(argument, 'NDArrays', array);
        return array._slot;
    });
}

/** The number of a request for a gradient. */
function requestOf(gradReq, argument = 'gradReq') {
    if (!Object.hasOwn(REQUESTS, gradReq)) throw wrongValue(argument, "'write', 'add' or 'null'", gradReq);
    return REQUESTS[gradReq];
}

/** Makes arrays variables, whose gradients `backward` leaves in `gradients`. */
function markVariables(variables, gradients, gradReqs = 'write') {
    const all = listOf(variables),
        requests = Array.isArray(gradReqs) ? gradReqs : all.map(() => gradReqs);
    native.mark(
        slots(all, 'variables'),
        slots(listOf(gradients), 'gradients'),
        requests.map((r) => requestOf(r)),
    );
}

function headSlots(headGrads) {
    if (headGrads === undefined || headGrads === null) return [];
    return listOf(headGrads).map((grad) => (grad === null ? null : slots([grad], 'headGrads')[0]));
}

/** Leaves the gradients of the sum of all heads in the gradients of the variables. */
function backward(heads, headGrads, { retainGraph = false, trainMode = true } = {}) {
    const flags = (retainGraph ? RETAIN : 0) | (trainMode ? TRAINING : 0);
    native.backward(slots(listOf(heads), 'heads'), headSlots(headGrads), flags);
}

/** The gradients of the sum of all heads with respect to variables; with `createGraph` they can be differentiated. */
function grad(heads, variables, headGrads, { retainGraph, createGraph = false, trainMode = true } = {}) {
    const flags =
        ((retainGraph ?? createGraph) ? RETAIN : 0) | (createGraph ? CREATE : 0) | (trainMode ? TRAINING : 0);
    const all = listOf(variables);
    const found = native.grad(
        slots(listOf(heads), 'heads'),
        headSlots(headGrads),
        slots(all, 'variables'),
        flags,
    );
    const arrays = found.map((slot) => new NDArray(slot));
    return Array.isArray(variables) ? arrays : arrays[0];
}

/** What was recorded, as a symbol with an output for each array. */
function getSymbol(heads) {
    const { MxSymbol } = require('./symbol_base.js');
    return new MxSymbol(native.autogradSymbol(slots(listOf(heads), 'heads')));
}

/**
 * A function with a gradient of one's own: `forward(...inputs)` and `backward(...outputGradients)`, each of which
 * gives an array or several.
 */
class Function {
    /** Calls `forward`, and records it with `backward` as its gradient. */
    call(...inputs) {
        const made = within({ recording: false }, () => this.forward(...inputs));
        if (!now.recording) return made;
        const outputs = listOf(made);
        const run = (given) => {
            const gradients = given.map((slot) => new NDArray(slot));
            // What is recorded now has gradients of its own.
            const found = listOf(this.backward(...gradients));
            return slots(found, 'backward');
        };
        native.recordCustom(this.constructor.name, slots(inputs, 'inputs'), slots(outputs, 'outputs'), run);
        return made;
    }
}

/** Gives an array a gradient, of zeros. */
function attachGrad(gradReq = 'write') {
    const { op } = require('./gen/nd.js');
    markVariables([this], [within({ recording: false }, () => op.zeros_like(this))], gradReq);
    return this;
}

for (const [name, value] of Object.entries({
    attachGrad,
    backward(headGrad, options) {
        backward([this], headGrad === undefined ? undefined : [headGrad], options);
    },
})) {
    Object.defineProperty(NDArray.prototype, name, { value, configurable: true, writable: true });
}

module.exports = {
    Function,
    backward,
    getSymbol,
    grad,
    isRecording: () => now.recording,
    isTraining: () => now.training,
    markVariables,
    pause,
    predictMode,
    record,
    requestOf,
    trainMode,
};
