'use strict';
// The class NDArray: what arrays are, their elements in and out, and waiting. Arithmetic, indexing and the operators
// are added by other files.

const util = require('node:util');
const native = require('./native.js');
const { codeOf, decode, encode, nameOf, storageOf } = require('./dtype.js');
const { contextOf, deviceOf, now } = require('./context.js');
const { Handle } = require('./handle.js');
const { MXRError, wrongType, wrongValue } = require('./error.js');
const { format } = require('./format.js');
const waiting = require('./waiting.js');

class NDArray extends Handle {
    /** The sizes of the axes. Waits where only running tells them. */
    get shape() {
        return native.arrayShape(this._slot);
    }

    /** The number of axes. */
    get ndim() {
        return this.shape.length;
    }

    /** The number of elements. */
    get size() {
        return this.shape.reduce((n, size) => n * size, 1);
    }

    /** The type of the elements. */
    get dtype() {
        return nameOf(codeFor(this));
    }

    /** The device that holds the elements. */
    get context() {
        return contextOf(native.arrayDevice(this._slot));
    }

    /** The gradient that `backward` leaves, or null. */
    get grad() {
        const slot = native.arrayGrad(this._slot);
        return slot === null ? null : new NDArray(slot);
    }

    /** Waits, and copies the elements to a typed array. The event loop stands still meanwhile. */
    dataSync() {
        const Storage = storageOf(codeFor(this)),
            data = new Storage(this.size);
        native.arrayCopyTo(this._slot, data);
        return data;
    }

    /** The elements as a typed array, when they are computed. */
    async data() {
        await this.wait();
        return this.dataSync();
    }

    /** Waits, and gives the elements as numbers in nested arrays. The event loop stands still meanwhile. */
    toArraySync() {
        return nest(decode(codeFor(this), this.dataSync()), this.shape);
    }

    /** The elements as numbers in nested arrays, when they are computed. */
    async toArray() {
        await this.wait();
        return this.toArraySync();
    }

    /** The only element. */
    item() {
        const numbers = this.size === 1 ? decode(codeFor(this), this.dataSync()) : [];
        if (numbers.length !== 1)
            throw new MXRError('Shape', `item(): the array has ${this.size} elements, not one`);
        return numbers[0];
    }

    /**
     * Waits, and gives a typed array over the elements themselves: what is written to it is in the array. No
     * operation may be under way on the array while it is written to.
     */
    view() {
        const Storage = storageOf(codeFor(this)),
            n = this.size;
        if (n === 0) return new Storage(0);
        return new Storage(native.arrayView(this._slot, n * Storage.BYTES_PER_ELEMENT), 0, n);
    }

    /** Waits until the elements are computed, without stopping the event loop. Fails if computing them failed. */
    async wait() {
        await waiting.wait(this);
        return this;
    }

    /** Waits until the elements are computed; at most so many milliseconds. The event loop stands still meanwhile. */
    waitToRead(milliseconds = -1) {
        native.arrayWait(this._slot, milliseconds);
        return this;
    }

    /** Sets all elements: from a number, nested arrays, a typed array of the same type, or another array. */
    assign(value) {
        this.mayChange();
        if (value instanceof NDArray) {
            native.arrayCopy(value.astypeOf(this)._slot, this._slot);
            return this;
        }
        const code = codeFor(this),
            n = this.size;
        if (ArrayBuffer.isView(value) && value.constructor === storageOf(code)) {
            if (value.length !== n)
                throw new MXRError('Shape', `assign: expected ${n} elements, got ${value.length}`);
            native.arrayCopyFrom(this._slot, value);
            return this;
        }
        const numbers =
            typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
                ? new Array(n).fill(value)
                : flatten(value, this.shape);
        native.arrayCopyFrom(this._slot, encode(code, numbers));
        return this;
    }

    /** Throws if a recorded computation needs the elements as they are. */
    mayChange() {
        if (!now.recording || !native.arrayIsRecorded(this._slot)) return;
        throw new MXRError(
            'Autograd',
            'in-place changes of arrays are not supported when recording with autograd',
        );
    }

    /** This array if it has another's dtype, else a copy that has. */
    astypeOf(other) {
        return codeFor(this) === codeFor(other) ? this : this.astype(other.dtype);
    }

    /** The same elements, of which autograd does not know where they come from. */
    detach() {
        return new NDArray(native.arrayDetach(this._slot));
    }

    /** The same elements in another shape, sharing memory. One size may be -1. */
    reshape(...shape) {
        if (shape.length === 1 && Array.isArray(shape[0])) [shape] = shape;
        if (shape.length === 1 && shape[0] !== null && typeof shape[0] === 'object') {
            return this.reshapeBy(shape[0]);
        }
        return new NDArray(native.arrayReshape(this._slot, shape));
    }

    /** Row `index` of the first axis, without that axis, sharing memory. Negative indices count from the end. */
    at(index) {
        if (!Number.isInteger(index)) throw wrongType('index', 'an integer', index);
        return new NDArray(native.arrayAt(this._slot, index));
    }

    /** The rows `begin` to before `end` of the first axis, sharing memory. */
    rows(begin, end = this.shape[0]) {
        return new NDArray(native.arraySlice(this._slot, begin, end));
    }

    /** The rows of the first axis, one after the other. */
    *[Symbol.iterator]() {
        const shape = this.shape;
        if (shape.length === 0) throw new MXRError('Shape', 'an array without axes has no rows');
        for (let i = 0; i < shape[0]; i++) yield this.at(i);
    }

    /** The number of rows of the first axis. */
    get length() {
        return this.shape[0] ?? 1;
    }

    /** Copies to another array, which it gives, or to a new one on another device. */
    copyTo(other) {
        if (other instanceof NDArray) {
            native.arrayCopy(this._slot, other._slot);
            return other;
        }
        const [kind, id] = deviceOf(other);
        const made = new NDArray(native.arrayEmpty(this.shape, codeFor(this), kind, id));
        native.arrayCopy(this._slot, made._slot);
        return made;
    }

    /** This array, if it is on a device, else a copy there. */
    asInContext(ctx) {
        return String(this.context) === String(ctx) ? this : this.copyTo(ctx);
    }

    /** Whether another array has the same shape, dtype and elements. Waits. */
    equals(other) {
        if (!(other instanceof NDArray) || codeFor(this) !== codeFor(other)) return false;
        const [a, b] = [this.shape, other.shape];
        if (a.length !== b.length || a.some((size, i) => size !== b[i])) return false;
        const [mine, others] = [this.dataSync(), other.dataSync()];
        return mine.every((element, i) => element === others[i]);
    }

    /** The array as text. Waits. */
    toString() {
        return format(this, decode(codeFor(this), this.dataSync()));
    }

    [util.inspect.custom]() {
        return this.closed ? '<NDArray closed>' : this.toString();
    }

    toJSON() {
        return this.toArraySync();
    }
}

/** The code of an array's dtype. */
function codeFor(array) {
    return native.arrayDtype(array._slot);
}

/** Elements in nested arrays of a shape. */
function nest(flat, shape) {
    if (shape.length === 0) return flat[0];
    let level = flat;
    for (let axis = shape.length - 1; axis > 0; axis--) {
        const n = shape[axis],
            rows = shape.slice(0, axis).reduce((a, b) => a * b, 1);
        level = Array.from({ length: rows }, (_, i) => level.slice(i * n, (i + 1) * n));
    }
    return level;
}

/** The shape of nested arrays, by their first elements. */
function shapeOf(value) {
    if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return [];
    return [value.length, ...(value.length > 0 && !ArrayBuffer.isView(value) ? shapeOf(value[0]) : [])];
}

/** The elements of nested arrays, which must have a shape. */
function flatten(value, shape, argument = 'value') {
    const out = [];
    const visit = (item, axis) => {
        const isList = Array.isArray(item) || ArrayBuffer.isView(item);
        if (axis === shape.length && !isList) {
            if (item instanceof NDArray) item = item.item();
            if (!['number', 'bigint', 'boolean'].includes(typeof item))
                throw wrongType(argument, 'numbers', item);
            out.push(item);
            return;
        }
        if (!isList || item.length !== shape[axis]) {
            throw new MXRError(
                'Shape',
                `argument '${argument}': expected nested arrays of shape [${shape}]`,
                null,
                argument,
            );
        }
        for (const each of item) visit(each, axis + 1);
    };
    visit(value, 0);
    return out;
}

/** A shape as an array of sizes; a number is that of one axis. */
function sizes(shape, argument = 'shape') {
    const list = typeof shape === 'number' ? [shape] : shape;
    if (!Array.isArray(list)) throw wrongType(argument, 'an array of sizes', shape);
    if (!list.every((n) => Number.isSafeInteger(n) && n >= 0))
        throw wrongValue(argument, 'sizes that are not negative', shape);
    return list;
}

module.exports = { NDArray, codeFor, codeOf, flatten, shapeOf, sizes };
