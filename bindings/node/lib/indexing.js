'use strict';
// Indexing: `x.get(key…)` and `x.set([key…], value)`. There is a key for each axis, of
//
//   an integer        one row, without the axis; negative ones count from the end
//   [begin, end]      a range, and [begin, end, step]; null means as far as there are rows
//   '1:5', '::2', ':' the same as text
//   null              a new axis of size 1
//   '...'             all axes that are not indexed
//   an NDArray        rows by their numbers; of the first axis only

const { MXRError, wrongType } = require('./error.js');
const { NDArray, sizes } = require('./ndarray.js');
const nd = require('./gen/nd.js');

/** Begin, end and step of a key that is a text. */
function parse(text) {
    const parts = text.split(':').map((part) => part.trim());
    const numbers = parts.map((part) => (part === '' ? null : Number(part)));
    if (parts.length < 2 || parts.length > 3 || numbers.some((n) => n !== null && !Number.isInteger(n))) {
        throw wrongType('key', "a range as '1:5'", text);
    }
    return numbers;
}

/** The first row, the one after the last, and the step of a range on an axis of a size. */
function range([begin = null, end = null, step = null], size) {
    const by = step ?? 1;
    if (by === 0) throw new MXRError('Index', "a range's step must not be zero");
    const [low, high] = by > 0 ? [0, size] : [-1, size - 1];
    const place = (n, otherwise) => {
        if (n === null) return otherwise;
        return Math.min(Math.max(n < 0 ? n + size : n, low), high);
    };
    const [first, last] = [place(begin, by > 0 ? low : high), place(end, by > 0 ? high : low)];
    const count = Math.max(0, Math.ceil((last - first) / by));
    return count === 1
        ? { first, last: first + 1, by: 1, count }
        : { first, last: first + count * by, by, count };
}

/** What keys mean: a range for each axis of the array, and the shape of the result. */
function ranges(keys, shape) {
    const used = keys.filter((key) => key !== null && key !== '...').length;
    if (used > shape.length) {
        throw new MXRError(
            'Index',
            `too many keys: the array has ${shape.length} axes, but ${used} are indexed`,
        );
    }
    const at = keys.indexOf('...'),
        all = Array(shape.length - used).fill(':');
    const full = at < 0 ? [...keys, ...all] : [...keys.slice(0, at), ...all, ...keys.slice(at + 1)];
    const found = [],
        result = [];
    for (const key of full) {
        const size = shape[found.length],
            axis = found.length;
        if (key === null) {
            result.push(1);
        } else if (typeof key === 'number') {
            if (!Number.isInteger(key)) throw wrongType('key', 'an integer', key);
            if (key < -size || key >= size) {
                throw new MXRError(
                    'Index',
                    `index ${key} is out of bounds for axis ${axis} with size ${size}`,
                );
            }
            const first = key < 0 ? key + size : key;
            found.push({ first, last: first + 1, by: 1, count: 1 });
        } else if (typeof key === 'string' || Array.isArray(key)) {
            const part = range(typeof key === 'string' ? parse(key) : key, size);
            found.push(part);
            result.push(part.count);
        } else {
            throw wrongType('key', "an integer, a range, null, '...' or an NDArray", key);
        }
    }
    return { found, result };
}

/** The first element and the number of elements of ranges whose elements lie together, or null. */
function together(found, shape) {
    let begin = 0,
        n = 1,
        whole = true,
        stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
        const { first, by, count } = found[axis];
        if (count !== 1 && (by !== 1 || !whole)) return null;
        // Axes to the left may only have one element once one is not taken whole.
        if (count !== shape[axis]) whole = false;
        begin += first * stride;
        n *= count;
        stride *= shape[axis];
    }
    return [begin, begin + n];
}

/** A view of ranges that lie together, or null. */
function viewOf(array, found, shape, result) {
    if (result.includes(0) || shape.includes(0)) return null;
    const ends = together(found, shape);
    if (ends === null) return null;
    return array
        .reshape(-1)
        .rows(...ends)
        .reshape(result);
}

/** What the slicing operators are told; an end before the first element is null there. */
function bounds(found) {
    return {
        begin: found.map((part) => part.first),
        end: found.map((part) => (part.last < 0 ? null : part.last)),
        step: found.map((part) => part.by),
    };
}

/** The elements that keys name: a view where they lie together in memory, else a copy. */
function get(...keys) {
    if (keys.length === 1 && keys[0] instanceof NDArray)
        return nd.op.take(this, keys[0], { axis: 0, mode: 'raise' });
    if (keys.length === 1 && typeof keys[0] === 'number' && this.ndim > 1) return this.at(keys[0]);
    const shape = this.shape,
        { found, result } = ranges(keys, shape);
    const view = viewOf(this, found, shape, result);
    if (view !== null) return view;
    if (result.includes(0)) return nd._internal._zeros({ shape: result, dtype: this.dtype });
    return nd.op.slice(this, bounds(found)).reshape(result);
}

/** Sets the elements that keys name to a number, to nested arrays or to an array, which is broadcast. */
function set(keys, value) {
    if (!Array.isArray(keys)) throw wrongType('keys', 'an array of keys', keys);
    this.mayChange();
    const shape = this.shape,
        { found, result } = ranges(keys, shape);
    if (result.includes(0)) return this;
    const view = viewOf(this, found, shape, result);
    if (typeof value === 'number') {
        if (view !== null) nd._internal._full({ shape: result, value, dtype: this.dtype, out: view });
        else nd._internal._slice_assign_scalar(this, { ...bounds(found), scalar: value, out: this });
        return this;
    }
    const { array } = require('./create.js');
    let source = value instanceof NDArray ? value.astypeOf(this) : array(value, { dtype: this.dtype });
    const wanted = sizes(result);
    if (String(source.shape) !== String(wanted)) {
        const ones = Array(Math.max(0, wanted.length - source.ndim)).fill(1);
        source = nd.op.broadcast_to(source.reshape([...ones, ...source.shape]), { shape: wanted });
    }
    if (view !== null) source.copyTo(view);
    else
        nd._internal._slice_assign(this, source.reshape(found.map((part) => part.count)), {
            ...bounds(found),
            out: this,
        });
    return this;
}

for (const [name, value] of Object.entries({ get, set })) {
    Object.defineProperty(NDArray.prototype, name, { value, configurable: true, writable: true });
}
