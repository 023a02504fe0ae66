'use strict';
// Devices.

const native = require('./native.js');
const { wrongType } = require('./error.js');

const KINDS = ['', 'cpu', 'gpu'];

/** A device: main memory, or a CUDA device. */
class Context {
    constructor(deviceType, deviceId = 0) {
        this.deviceType = deviceType;
        this.deviceId = deviceId;
        Object.freeze(this);
    }

    toString() {
        return `${this.deviceType}(${this.deviceId})`;
    }

    /** Runs a function in which arrays without a device of their own are made on this one. */
    use(run) {
        return within({ ctx: this }, run);
    }
}

/** Main memory. */
const cpu = (deviceId = 0) => new Context('cpu', deviceId);
/** A CUDA device. */
const gpu = (deviceId = 0) => new Context('gpu', deviceId);

/** How calls are made now. */
const now = { recording: false, training: false, ctx: cpu() };

function tell() {
    native.setCall((now.recording ? 1 : 0) | (now.training ? 2 : 0), kindOf(now.ctx), now.ctx.deviceId);
}

/** Runs a function while some of how calls are made is different. It must not be asynchronous. */
function within(changes, run) {
    if (typeof run !== 'function') throw wrongType('run', 'a function', run);
    const before = { ...now };
    Object.assign(now, changes);
    tell();
    try {
        const result = run();
        if (typeof result?.then === 'function') {
            throw wrongType(
                'run',
                'a function that does not return a promise: a scope ends when its function ' + 'returns',
                result,
            );
        }
        return result;
    } finally {
        Object.assign(now, before);
        tell();
    }
}

/** The number of a device's kind in the C interface. */
function kindOf(ctx) {
    if (!(ctx instanceof Context) || !KINDS.includes(ctx.deviceType))
        throw wrongType('ctx', 'a Context', ctx);
    return KINDS.indexOf(ctx.deviceType);
}

/** Kind and number of a device, the current one if none is given. */
function deviceOf(ctx) {
    const device = ctx ?? now.ctx;
    return [kindOf(device), device.deviceId];
}

/** The device of a kind and a number. */
const contextOf = ([kind, id]) => new Context(KINDS[kind], id);

module.exports = { Context, contextOf, cpu, currentContext: () => now.ctx, deviceOf, gpu, now, within };
