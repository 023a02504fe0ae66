'use strict';
// Objects that own something of libmxr's, and when they let go of it: when they are collected, when they are closed,
// or at the end of a scope.

const native = require('./native.js');
const { wrongType } = require('./error.js');

/** The slot of a closed object. */
const CLOSED = -1;

/** The lists of what is to be closed at the end of the scopes that are open. */
const scopes = [];

/** Something that libmxr has. Its memory is given back when nothing refers to it any more, or when it is closed. */
class Handle {
    /** Takes over the slot of a new handle, if one is given. */
    constructor(slot) {
        /** The number by which the addon knows the handle. */
        this._slot = CLOSED;
        if (slot !== undefined) {
            native.bind(this, slot);
            this._slot = slot;
            if (scopes.length > 0) scopes[scopes.length - 1].push(this);
        }
    }

    /** Whether `close` was called. */
    get closed() {
        return this._slot === CLOSED;
    }

    /** Gives memory back at once. The object cannot be used afterwards; closing it again does nothing. */
    close() {
        if (this._slot === CLOSED) return;
        const slot = this._slot;
        this._slot = CLOSED;
        native.close(slot);
    }
}
if (Symbol.dispose) {
    Object.defineProperty(Handle.prototype, Symbol.dispose, {
        value() {
            this.close();
        },
        writable: true,
    });
}

/** Calls `visit` with all handles in a value: in arrays, in maps, in the properties of plain objects. */
function each(value, visit) {
    if (value instanceof Handle) visit(value);
    else if (Array.isArray(value)) value.forEach((item) => each(item, visit));
    else if (value instanceof Map) value.forEach((item) => each(item, visit));
    else if (
        value !== null &&
        typeof value === 'object' &&
        Object.getPrototypeOf(value) === Object.prototype
    ) {
        Object.values(value).forEach((item) => each(item, visit));
    }
}

function leave(made, kept) {
    scopes.pop();
    const keep = new Set();
    each(kept, (handle) => keep.add(handle));
    const outer = scopes[scopes.length - 1];
    for (const handle of made) {
        if (!keep.has(handle)) handle.close();
        else if (outer) outer.push(handle);
    }
}

/**
 * Runs a function, and closes all arrays and other objects of mxr's that were made in it, but for those that it
 * returns: alone, in arrays, or in plain objects.
 */
function scope(run) {
    const made = [];
    scopes.push(made);
    let result;
    try {
        result = run();
        if (typeof result?.then === 'function') {
            throw wrongType('run', 'a function that does not return a promise', result);
        }
    } catch (error) {
        leave(made, undefined);
        throw error;
    }
    leave(made, result);
    return result;
}

// Between the program's own steps too a collection is followed by a sweep: of it tells a small object that nothing
// refers to. A loop that never returns to Node sweeps by itself, in the addon.
const collected = new FinalizationRegistry(() => {
    native.sweep();
    watch();
});
function watch() {
    collected.register({}, undefined);
}
watch();

module.exports = { CLOSED, Handle, scope, scopes };
