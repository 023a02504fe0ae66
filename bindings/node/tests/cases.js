'use strict';
// The conformance cases that all languages share, and how results are compared with them.

const fs = require('node:fs');
const path = require('node:path');
const mx = require('mxr');

// The stage runs a copy of the tests, outside of the package's own folder.
const ROOT = process.env.MXR_SOURCE ?? path.join(__dirname, '../../..');
const read = (file) => JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8'));

const QUIRKS = read('bindings/node/tests/quirks.json');
/** Every operator that has functions. */
const OPERATORS = read('schema/ops.json').operators.filter((op) => !op.internal);

const KINDS = {
    float: ['float64', 'float32', 'float16', 'bfloat16'],
    int: ['int64', 'int32', 'int8', 'uint8'],
    bool: ['bool'],
};
const PRECISION = { float32: 1e-5, float16: 4e-3, bfloat16: 3e-2 };
/** The gradient that every runner feeds to an output, over and over. */
const HEAD = [0.5, -1, 1.5, 0.25, -0.75];

/** The function of an operator in a module of functions, found as MXNet's users find it. */
function find(module, name) {
    for (const [prefix, space] of [
        ['_contrib_', 'contrib'],
        ['_linalg_', 'linalg'],
        ['_sparse_', 'sparse'],
        ['_image_', 'image'],
    ]) {
        if (name.startsWith(prefix)) return module[space][name.slice(prefix.length)];
    }
    if (name.startsWith('_random_') && name.endsWith('_like'))
        return module.random[name.slice('_random_'.length)];
    return (name.startsWith('_') ? module._internal : module)[name];
}

const cases = (name) => read(`tests/conformance/cases/${name}.json`).cases;

/** The dtypes that a case runs in: one of a family, or all. */
function dtypes(op, test) {
    if (test.error) return ['float32'];
    if (test.run === 'as given') {
        const own = test.attrs.dtype;
        return [(op.dtypes.includes(own) && own) || test.inputs[0]?.dtype || 'float32'];
    }
    const all = op.dtypes.filter((dtype) => KINDS[test.run].includes(dtype));
    if (process.env.MXR_TEST_FULL === '1') return all;
    const few = all.filter((dtype) => ['float32', 'float64', 'int32'].includes(dtype));
    return few.length > 0 ? few : all.slice(0, 1);
}

const numbers = (data) =>
    data.map((value) => (value === null ? NaN : Number(String(value).replace('inf', 'Infinity'))));

/** An array of a case; as a view, the third of four rows of another. */
function array(spec, dtype, view) {
    const data = numbers(spec.data),
        options = { dtype: spec.dtype ?? dtype, shape: spec.shape };
    if (!view) return mx.nd.array(data, options);
    const other = data.map(() => 77);
    return mx.nd.array([other, other, data, other].flat(), { ...options, shape: [4, ...spec.shape] }).at(2);
}

/** The gradient that is fed to output number i. */
function head(output, i) {
    const data = Array.from({ length: output.size }, (_, j) => HEAD[(i + j) % HEAD.length]);
    return mx.nd.array(data, { dtype: output.dtype, shape: output.shape });
}

/** An integer as it is in memory. */
function wrapped(dtype, number) {
    const bits = { int8: 8, int32: 32, int64: 64, uint8: 8 }[dtype];
    if (bits === undefined || !Number.isFinite(number)) return number;
    const whole = BigInt(Math.trunc(number));
    return Number(dtype === 'uint8' ? BigInt.asUintN(bits, whole) : BigInt.asIntN(bits, whole));
}

/** Says how an array differs from what is expected, or nothing. */
function compare(expected, got, precision, factor) {
    if (String(got.shape) !== String(expected.shape))
        return `expected shape [${expected.shape}], got [${got.shape}]`;
    const want = numbers(expected.data).map((number) => wrapped(got.dtype, number));
    const have = got.reshape(-1).toArraySync().map(Number);
    const epsilon = factor * (got.dtype === 'float64' ? precision : (PRECISION[got.dtype] ?? 0));
    const scale = want.reduce((most, n) => (Number.isFinite(n) ? Math.max(most, Math.abs(n)) : most), 0);
    for (let i = 0; i < want.length; i++) {
        const [w, h] = [want[i], have[i]];
        const close = Math.abs(h - w) <= epsilon * (Math.abs(w) + 0.2 * scale + 1e-3);
        if (!close && h !== w && !(Number.isNaN(h) && Number.isNaN(w)))
            return `element ${i}: expected ${w}, got ${h}`;
    }
    return undefined;
}

module.exports = { OPERATORS, QUIRKS, ROOT, array, cases, compare, dtypes, find, head };
