'use strict';
// Arrays: made from JavaScript's, taken apart, changed, shown, and handed back.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const util = require('node:util');
const { test } = require('node:test');
const mx = require('mxr');

const { nd } = mx;
const list = (array) => array.toArraySync();

test('arrays come from nested arrays, typed arrays, numbers and arrays', () => {
    const a = nd.array([
        [1, 2, 3],
        [4, 5, 6],
    ]);
    assert.deepStrictEqual(
        [a.shape, a.ndim, a.size, a.dtype, String(a.context)],
        [[2, 3], 2, 6, 'float32', 'cpu(0)'],
    );
    assert.strictEqual(nd.array(new Int32Array([1, 2])).dtype, 'int32');
    assert.deepStrictEqual(nd.array(new Float64Array(6), { shape: [2, 3] }).shape, [2, 3]);
    assert.deepStrictEqual([nd.array(3).shape, nd.array(3).item()], [[], 3]);
    const copy = nd.array(a, 'float64');
    copy.set([0, 0], 9);
    assert.deepStrictEqual([copy.dtype, list(a)[0][0]], ['float64', 1]);
    assert.deepStrictEqual(list(nd.arange(2, 8, { step: 2, dtype: 'int32' })), [2, 4, 6]);
    assert.deepStrictEqual(list(nd.linspace(0, 1, 5)), [0, 0.25, 0.5, 0.75, 1]);
    assert.deepStrictEqual(list(nd.eye(2)), [
        [1, 0],
        [0, 1],
    ]);
    assert.deepStrictEqual(list(nd.full([2], 1.5, 'float16')), [1.5, 1.5]);
    assert.deepStrictEqual(nd.empty([2, 0]).shape, [2, 0]);
});

test('every dtype goes in and out', () => {
    const values = [0, 1, 2.5, -3];
    const expected = {
        float32: values,
        float64: values,
        float16: values,
        bfloat16: values,
        int8: [0, 1, 2, -3],
        int32: [0, 1, 2, -3],
        int64: [0, 1, 2, -3],
        uint8: [0, 1, 2, 253],
        bool: [false, true, true, true],
    };
    for (const [dtype, want] of Object.entries(expected))
        assert.deepStrictEqual(list(nd.array(values, { dtype })), want);
});

test('halves are rounded to the nearest, ties to even, and keep their bits', () => {
    // Bits as IEEE 754 and the definition of bfloat16 have them.
    const half = nd
        .array([1, -2, 65504, 65520, 6e-8, 1 + 2 ** -11, 1 + 3 * 2 ** -11, NaN], 'float16')
        .dataSync();
    assert.deepStrictEqual([...half], [0x3c00, 0xc000, 0x7bff, 0x7c00, 1, 0x3c00, 0x3c02, 0x7e00]);
    const upper = nd.array([1, -2, 1 + 2 ** -8, 1 + 3 * 2 ** -8, Infinity], 'bfloat16').dataSync();
    assert.deepStrictEqual([...upper], [0x3f80, 0xc000, 0x3f80, 0x3f82, 0x7f80]);
    assert.deepStrictEqual(list(nd.array(new Uint16Array([0x3c00, 1]), 'float16')), [1, 2 ** -24]);
    assert.throws(() => nd.array(new Uint16Array(2)), { code: 'InvalidType', argument: 'dtype' });
});

test('64-bit integers are BigInts in typed arrays, and numbers where these are exact', () => {
    const big = nd.array(new BigInt64Array([5n, 2n ** 60n + 1n]));
    assert.deepStrictEqual([...big.dataSync()], [5n, 2n ** 60n + 1n]);
    assert.deepStrictEqual(list(big), [5, 2n ** 60n + 1n]);
});

test('a typed array may be an array without a copy, and a view shows the memory of an array', async () => {
    const memory = new Float32Array([1, 2, 3, 4]);
    const a = nd.fromTypedArray(memory, { shape: [2, 2] });
    a.set([0], 7);
    a.waitToRead();
    assert.deepStrictEqual([...memory], [7, 7, 3, 4]);
    const b = nd.zeros([4]),
        view = b.view();
    view[2] = 5;
    assert.deepStrictEqual(list(b), [0, 0, 5, 0]);
    // The view keeps the memory when the array is closed.
    b.close();
    assert.deepStrictEqual([...view], [0, 0, 5, 0]);
    assert.throws(() => nd.fromTypedArray(memory, { shape: [5] }), {
        code: 'InvalidValue',
        argument: 'shape',
    });
    assert.throws(() => nd.fromTypedArray(memory, { dtype: 'int32' }), {
        code: 'InvalidType',
        argument: 'source',
    });
});

test('keys name rows, ranges, new axes and the rest', () => {
    const a = nd.arange(24).reshape(2, 3, 4);
    assert.deepStrictEqual(list(a.get(1, 2, 3)), 23);
    assert.deepStrictEqual(list(a.get(-1, 0)), [12, 13, 14, 15]);
    assert.deepStrictEqual(list(a.get(0, [0, 2], [1, 3])), [
        [1, 2],
        [5, 6],
    ]);
    assert.deepStrictEqual(list(a.get(0, '::2', 0)), [0, 8]);
    assert.deepStrictEqual(list(a.get('...', '::-1')).at(0).at(0), [3, 2, 1, 0]);
    assert.deepStrictEqual(a.get(null, 0, '...').shape, [1, 3, 4]);
    assert.deepStrictEqual(a.get([2, null]).shape, [0, 3, 4]);
    assert.deepStrictEqual(
        list(a.get(nd.array([1, 0]))).map((row) => row[0][0]),
        [12, 0],
    );
    assert.deepStrictEqual(
        [...a].map((row) => row.get(0, 0).item()),
        [0, 12],
    );
    assert.throws(() => a.get(2), { code: 'Index' });
    assert.throws(() => a.get(0, 0, 0, 0), { code: 'Index' });
    assert.throws(() => a.get('1-2'), { code: 'InvalidType' });
});

test('rows that lie together share memory, and elements are set by keys', () => {
    const a = nd.zeros([3, 4]);
    a.at(1).assign(1);
    a.rows(2).set([0, 0], 2);
    assert.deepStrictEqual(list(a), [
        [0, 0, 0, 0],
        [1, 1, 1, 1],
        [2, 0, 0, 0],
    ]);
    a.set([':', 3], 9);
    a.set([0, [0, 2]], [5, 6]);
    a.set([[1, 3], '::2'], nd.array([[7, 8]]));
    assert.deepStrictEqual(list(a), [
        [5, 6, 0, 9],
        [7, 1, 8, 9],
        [7, 0, 8, 9],
    ]);
    a.assign(nd.ones([3, 4], 'int32'));
    assert.strictEqual(a.sum().item(), 12);
    assert.throws(() => a.assign([[1]]), { code: 'Shape' });
});

test('arithmetic takes arrays and numbers on either side', () => {
    const a = nd.array([1, 2, 3]),
        b = nd.array([[10], [20]]);
    assert.deepStrictEqual(list(a.add(b)), [
        [11, 12, 13],
        [21, 22, 23],
    ]);
    assert.deepStrictEqual(list(a.sub(1).mul(2).div(4)), [0, 0.5, 1]);
    assert.deepStrictEqual(list(nd.subtract(10, a)), [9, 8, 7]);
    assert.deepStrictEqual(list(nd.divide(6, a)), [6, 3, 2]);
    assert.deepStrictEqual(list(a.pow(2)), [1, 4, 9]);
    assert.deepStrictEqual(list(nd.power(2, a)), [2, 4, 8]);
    assert.deepStrictEqual(list(a.mod(2)), [1, 0, 1]);
    assert.deepStrictEqual(list(a.neg().maximum(-2)), [-1, -2, -2]);
    assert.deepStrictEqual(list(a.greater(1.5)), [0, 1, 1]);
    assert.deepStrictEqual(list(nd.greater(2, a)), [1, 0, 0]);
    assert.deepStrictEqual(list(a.equal(nd.array([1, 0, 3]))), [1, 0, 1]);
    a.add(1, { out: a });
    assert.deepStrictEqual(list(a), [2, 3, 4]);
    assert.throws(() => a.add('1'), { code: 'InvalidType', argument: 'rhs' });
});

test('operators are methods, and take their attributes as an object', () => {
    const x = nd.array([
        [1, 2],
        [3, 4],
    ]);
    assert.deepStrictEqual(list(x.sum({ axis: 1 })), [3, 7]);
    assert.deepStrictEqual(list(x.dot(x)), [
        [7, 10],
        [15, 22],
    ]);
    assert.deepStrictEqual(list(x.T), [
        [1, 3],
        [2, 4],
    ]);
    assert.deepStrictEqual(list(x.reshape(-1)), [1, 2, 3, 4]);
    assert.deepStrictEqual(x.reshape({ shape: [0, -1] }).shape, [2, 2]);
    assert.deepStrictEqual(x.expand_dims({ axis: 0 }).shape, [1, 2, 2]);
    assert.deepStrictEqual(list(nd.concat([x, x], { dim: 1 })), [
        [1, 2, 1, 2],
        [3, 4, 3, 4],
    ]);
    const [left, right] = nd.split({ data: x, num_outputs: 2, axis: 1, squeeze_axis: true });
    assert.deepStrictEqual(
        [list(left), list(right)],
        [
            [1, 3],
            [2, 4],
        ],
    );
    const out = nd.empty([2]);
    assert.strictEqual(nd.sum(x, { axis: 0, out }), out);
    assert.deepStrictEqual(list(out), [4, 6]);
    assert.strictEqual(nd.FullyConnected.name, 'FullyConnected');
    assert.strictEqual(nd.FullyConnected.length, 4);
});

test('arrays are equal by shape, dtype and elements', () => {
    const a = nd.array([1, 2]);
    assert.ok(a.equals(nd.array([1, 2])));
    assert.ok(
        !a.equals(nd.array([1, 3])) &&
            !a.equals(nd.array([[1, 2]])) &&
            !a.equals(nd.array([1, 2], 'float64')),
    );
});

test('arrays are shown with their elements, and long ones with the ends of their axes', () => {
    assert.strictEqual(
        String(
            nd.array([
                [1, -2.5],
                [10, 4],
            ]),
        ),
        '[[   1, -2.5],\n [  10,    4]]\n<NDArray 2x2 float32 @cpu(0)>',
    );
    assert.strictEqual(util.inspect(nd.array(2)), '2\n<NDArray scalar float32 @cpu(0)>');
    assert.match(String(nd.arange(5000)), /^\[ *0, *1, *2, …, 4997, 4998, 4999\]\n<NDArray 5000 float32/);
    assert.strictEqual(JSON.stringify({ x: nd.array([1, 2]) }), '{"x":[1,2]}');
});

test('files hold arrays with names and without, as MXNet writes them', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mxr-'));
    const file = path.join(folder, 'arrays.params');
    nd.save(file, { w: nd.array([1, 2]), b: nd.array([3], 'int32') });
    const { w, b } = nd.load(file);
    assert.deepStrictEqual([list(w), list(b), b.dtype], [[1, 2], [3], 'int32']);
    nd.save(file, [w, b]);
    assert.deepStrictEqual(nd.load(file).map(list), [[1, 2], [3]]);
    assert.throws(() => nd.load(path.join(folder, 'none')), { name: 'MXRError' });
    fs.rmSync(folder, { recursive: true });
});

test('equal seeds give equal numbers, and contexts say where arrays are', () => {
    mx.random.seed(7);
    const first = mx.random.normal(0, 1, { shape: [3] });
    mx.random.seed(7n);
    assert.ok(first.equals(nd.random.normal(0, 1, { shape: [3] })));
    assert.deepStrictEqual(nd.random.uniform(nd.array([0, 10]), nd.array([1, 11])).shape, [2]);
    const kept = nd.random.randint(5, 6, { shape: [2] });
    assert.deepStrictEqual(list(kept), [5, 5]);
    assert.strictEqual(
        mx.cpu(1).use(() => String(mx.currentContext())),
        'cpu(1)',
    );
    assert.throws(() => nd.zeros([1], { ctx: mx.gpu() }).waitToRead(), { code: 'Device' });
});

test('loops and branches run on arrays', () => {
    const data = nd.array([
        [1, 2],
        [3, 4],
        [5, 6],
    ]);
    const [sums, total] = nd.contrib.foreach(
        (row, state) => [row.add(state), row.add(state)],
        data,
        nd.zeros([2]),
    );
    assert.deepStrictEqual(
        [list(sums), list(total)],
        [
            [
                [1, 2],
                [4, 6],
                [9, 12],
            ],
            [9, 12],
        ],
    );
    const more = (i) => i.lesser(3),
        step = (i, t) => [[t], [i.add(1), t.add(i)]];
    const [steps, last] = nd.contrib.while_loop(more, step, [nd.array([0]), nd.array([10])], 4);
    assert.deepStrictEqual(
        [list(steps[0]), last.map(list)],
        [
            [[10], [10], [11], [0]],
            [[3], [13]],
        ],
    );
    assert.strictEqual(
        nd.contrib.cond(
            nd.array([1]),
            () => 'yes',
            () => 'no',
        ),
        'yes',
    );
});
