'use strict';
// Types of elements: their names, their codes in the C interface, and the typed arrays that hold them.

const abi = require('./gen/abi.js');
const { wrongType, wrongValue } = require('./error.js');

const DTYPES = [
    ['float32', abi.FLOAT32, Float32Array],
    ['float64', abi.FLOAT64, Float64Array],
    ['float16', abi.FLOAT16, Uint16Array],
    ['uint8', abi.UINT8, Uint8Array],
    ['int32', abi.INT32, Int32Array],
    ['int8', abi.INT8, Int8Array],
    ['int64', abi.INT64, BigInt64Array],
    ['bool', abi.BOOL, Uint8Array],
    ['bfloat16', abi.BFLOAT16, Uint16Array],
];
const byName = new Map(DTYPES.map(([name, code]) => [name, code]));
const byCode = new Map(DTYPES.map(([name, code, array]) => [code, { name, array }]));
/** The dtypes of typed arrays, of those that mean one. */
const ofArray = new Map([
    [Float32Array, 'float32'],
    [Float64Array, 'float64'],
    [Uint8Array, 'uint8'],
    [Uint8ClampedArray, 'uint8'],
    [Int32Array, 'int32'],
    [Int8Array, 'int8'],
    [BigInt64Array, 'int64'],
]);

/** The code of a dtype that is given by its name. */
function codeOf(dtype, argument = 'dtype') {
    const code = byName.get(dtype);
    if (code !== undefined) return code;
    if (typeof dtype !== 'string') throw wrongType(argument, 'the name of a dtype', dtype);
    const error = wrongValue(argument, `one of ${[...byName.keys()].join(', ')}`, dtype);
    error.code = 'DType';
    throw error;
}

/** The name of a code. */
const nameOf = (code) => byCode.get(code)?.name;
/** The class of typed arrays that holds elements of a dtype. */
const storageOf = (code) => byCode.get(code).array;
/** Whether elements are kept as the bits of a number that JavaScript has no type for. */
const isHalf = (code) => code === abi.FLOAT16 || code === abi.BFLOAT16;

const one = new Float32Array(1);
const bits = new Uint32Array(one.buffer);

/** The bits of a number as a bfloat16: its upper half, rounded to the nearest, ties to even. */
function toBfloat16(number) {
    one[0] = number;
    const b = bits[0];
    if (Number.isNaN(number)) return 0x7fc0;
    return ((b + 0x7fff + ((b >>> 16) & 1)) >>> 16) & 0xffff;
}

function fromBfloat16(half) {
    bits[0] = half << 16;
    return one[0];
}

/** The bits of a number as a float16, rounded to the nearest, ties to even. */
function toFloat16(number) {
    one[0] = number;
    const sign = (bits[0] >>> 16) & 0x8000;
    const size = Math.abs(number);
    if (Number.isNaN(number)) return 0x7e00;
    if (size >= 65520) return sign | 0x7c00;
    // Below the smallest normal number the steps are all of one size.
    const exponent = Math.max(-14, Math.floor(Math.log2(size)));
    const step = 2 ** (exponent - 10);
    const steps = even(size / step);
    return size === 0 ? sign : sign | (steps < 1024 ? steps : ((exponent + 15) << 10) + steps - 1024);
}

/** The nearest integer; the even one of two. */
function even(number) {
    const below = Math.floor(number),
        rest = number - below;
    return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function fromFloat16(half) {
    const sign = half & 0x8000 ? -1 : 1,
        exponent = (half >> 10) & 31,
        fraction = half & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** Numbers as the elements that a dtype is kept in. */
function encode(code, numbers) {
    const storage = storageOf(code);
    if (code === 2) return Uint16Array.from(numbers, toFloat16);
    if (code === 12) return Uint16Array.from(numbers, toBfloat16);
    if (code === 7) return Uint8Array.from(numbers, (number) => (number ? 1 : 0));
    if (code === 6) {
        return BigInt64Array.from(numbers, (n) =>
            typeof n === 'bigint' ? n : BigInt(Math.trunc(Number(n))),
        );
    }
    return storage.from(numbers, Number);
}

/** Kept elements as numbers. Integers beyond 2^53 stay BigInts, since no number is equal to them. */
function decode(code, data) {
    if (code === 2) return Array.from(data, fromFloat16);
    if (code === 12) return Array.from(data, fromBfloat16);
    if (code === 7) return Array.from(data, (byte) => byte !== 0);
    if (code === 6) {
        return Array.from(data, (n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n));
    }
    return Array.from(data);
}

module.exports = { codeOf, decode, encode, isHalf, nameOf, ofArray, storageOf };
