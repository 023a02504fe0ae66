'use strict';
// When memory is given back, waiting, failures, workers, and finding the library.

const assert = require('node:assert');
const { execFileSync, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const mx = require('mxr');

const { nd } = mx;
const inUse = () => mx.memoryStats().inUse;

test('memory stays flat over a hundred thousand temporaries of a loop that never returns to Node', () => {
    const a = nd.ones([1000]);
    mx.waitall();
    const before = inUse();
    let sum = a,
        most = 0;
    for (let i = 0; i < 100000; i++) {
        sum = a.add(1).mul(0.5).sub(a.div(2));
        if (i % 1000 === 0) most = Math.max(most, inUse());
    }
    assert.strictEqual(sum.get(999).item(), 0.5);
    assert.ok(most < before + (128 << 20), `${most >> 20} MiB at the most`);
});

test('large temporaries make the collector run', () => {
    const a = nd.ones([1 << 18]);
    let most = 0;
    for (let i = 0; i < 2000; i++) {
        a.add(1).waitToRead();
        most = Math.max(most, inUse());
    }
    // Two gigabytes went through.
    assert.ok(most < 512 << 20, `${most >> 20} MiB at the most`);
});

test('between the steps of a program too, memory comes back', async () => {
    const make = () => Array.from({ length: 64 }, () => nd.ones([1 << 18]).waitToRead());
    // Held until it is measured what they take: the collector may run meanwhile.
    let held = make();
    const before = inUse();
    held = null;
    // Work of JavaScript's own, whose results live for a while, brings a whole collection about; no function of mxr's
    // that makes arrays is called meanwhile.
    const work = [];
    for (let i = 0; i < 200 && inUse() > before - (32 << 20); i++) {
        for (let j = 0; j < 50; j++) work.push(new Array(10000).fill({}));
        if (work.length > 2000) work.length = 0;
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok(inUse() <= before - (32 << 20));
});

test('what is closed is gone at once, and cannot be used', () => {
    const before = inUse(),
        a = nd.ones([1 << 18]).waitToRead();
    assert.ok(inUse() >= before + (1 << 20));
    a.close();
    a.close();
    mx.waitall();
    assert.ok(a.closed && inUse() < before + (1 << 20));
    assert.throws(() => a.shape, { code: 'Closed' });
    assert.throws(() => a.add(1), { code: 'Closed' });
    assert.throws(() => nd.ones([1]).add(a), { code: 'Closed' });
    if (Symbol.dispose) {
        const b = nd.ones([2]);
        b[Symbol.dispose]();
        assert.ok(b.closed);
    }
});

test('a scope closes what was made in it, but for what it gives', () => {
    let inner, nested;
    const {
        kept,
        more: [other],
    } = mx.scope(() => {
        inner = nd.ones([3]);
        nested = mx.scope(() => inner.add(1));
        return { kept: inner.mul(2), more: [nested] };
    });
    assert.ok(inner.closed && !kept.closed && other === nested && !nested.closed);
    assert.deepStrictEqual(kept.toArraySync(), [2, 2, 2]);
    let lost;
    assert.throws(
        () =>
            mx.scope(() => {
                lost = nd.ones([1]);
                throw new Error('stop');
            }),
        /stop/,
    );
    assert.ok(lost.closed);
    assert.throws(() => mx.scope(async () => {}), { code: 'InvalidType' });
});

test('waiting leaves the event loop alone, and tells what failed', async () => {
    let x = nd.full([400, 400], 0.01),
        ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for (let i = 0; i < 40; i++) x = nd.dot(x, x).mul(0.25);
    const [array, data] = await Promise.all([x.wait(), x.data(), nd.ones([2]).toArray()]);
    clearInterval(timer);
    assert.ok(array === x && data.length === 160000 && ticks > 0);

    // That an index is out of range only running shows.
    const taken = nd.take(x, nd.array([1000]), { mode: 'raise' });
    await assert.rejects(taken.wait(), { code: 'Index', operator: 'take' });
    await assert.rejects(taken.add(1).data(), { code: 'Index' });
    assert.throws(() => taken.toArraySync(), { code: 'Index' });
    assert.throws(() => mx.waitall(), mx.MXRError);
    mx.waitall();
    const closed = nd.ones([2]);
    closed.close();
    await assert.rejects(closed.wait(), { code: 'Closed' });
});

test('a wait may be of so many milliseconds', () => {
    let x = nd.full([600, 600], 0.001);
    for (let i = 0; i < 60; i++) x = nd.dot(x, x);
    assert.throws(() => x.waitToRead(0), { code: 'Timeout' });
    x.waitToRead();
});

test('failures say the operator, the argument, what was expected and what came', () => {
    const x = nd.ones([2, 3]);
    assert.throws(() => nd.FullyConnected(x, nd.ones([4, 9]), { num_hidden: 4, no_bias: true }), {
        name: 'MXRError',
        code: 'Shape',
        operator: 'FullyConnected',
        argument: 'weight',
        message: /\(4, 3\).*\(4, 9\)/,
    });
    assert.throws(() => nd.softmax(x, { axes: 1 }), {
        message: "softmax: there is no attribute 'axes'; did you mean 'axis'?",
    });
    assert.throws(() => nd.sum(x, { axis: 'x' }), { code: 'InvalidType', operator: 'sum', argument: 'axis' });
    assert.throws(() => nd.sum(x, { keepdims: 'yes' }), { message: /expected true or false, got "yes"/ });
    assert.throws(() => nd.exp(5), { code: 'InvalidType', argument: 'data' });
    assert.throws(() => nd.exp(x, 5), { code: 'InvalidType', argument: 'attrs' });
    assert.throws(() => nd.zeros([-1]), { code: 'InvalidValue', argument: 'shape' });
    assert.throws(() => nd.zeros([1], 'float31'), { code: 'DType', argument: 'dtype' });
    assert.throws(() => nd.array([[1, 2], [3]]), { code: 'Shape' });
    assert.ok(new mx.MXRError('Shape', 'x') instanceof Error);
});

test('workers load the package too, each with its own arrays', async () => {
    const run = (n) =>
        new Promise((resolve, reject) => {
            const code = `
            const { parentPort, workerData } = require('node:worker_threads');
            const mx = require(${JSON.stringify(require.resolve('mxr'))});
            const memory = new Float32Array(64).fill(1);
            let sum = mx.nd.fromTypedArray(memory);
            for (let i = 0; i < 2000; i++) sum = sum.add(workerData);
            mx.nd.fromTypedArray(new Float32Array(1 << 20)).add(1);
            parentPort.postMessage([sum.get(0).item(), mx.autograd.isRecording(), mx.library()]);`;
            const worker = new Worker(code, { eval: true, workerData: n });
            worker.once('message', resolve);
            worker.once('error', reject);
        });
    const found = await Promise.all([run(1), run(2), run(3)]);
    assert.deepStrictEqual(
        found,
        [2001, 4001, 6001].map((n) => [n, false, mx.library()]),
    );
});

/** Runs a program in a process of its own. */
function program(code, env = {}) {
    const source = `const mx = require(${JSON.stringify(require.resolve('mxr'))}); ${code}`;
    return spawnSync(process.execPath, ['-e', source], { encoding: 'utf8', env: { ...process.env, ...env } });
}

test('a library of another version is refused by its file', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mxr-'));
    const [source, library] = [path.join(folder, 'other.c'), path.join(folder, 'other.so')];
    fs.writeFileSync(source, 'unsigned mxr_abi_version(void) { return 999; }\n');
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source]);
    const { status, stderr } = program('', { MXR_LIBRARY: library });
    assert.notStrictEqual(status, 0);
    assert.match(stderr, /MXRError: .*other\.so has ABI version 999, and this mxr needs 1/);
    assert.match(
        program('', { MXR_LIBRARY: path.join(folder, 'none.so') }).stderr,
        /MXR_LIBRARY names .*none\.so/,
    );
    const { stdout } = program('console.log(mx.library())', { MXR_LIBRARY: fs.realpathSync(mx.library()) });
    assert.strictEqual(stdout.trim(), fs.realpathSync(mx.library()));
    fs.rmSync(folder, { recursive: true });
});

test('Ctrl-C ends a program that waits', async () => {
    const source = `const mx = require(${JSON.stringify(require.resolve('mxr'))});
        let x = mx.nd.full([1000, 1000], 0.001);
        for (let i = 0; i < 1000; i++) x = mx.nd.dot(x, x);
        console.log('waiting');
        x.waitToRead();
        console.log('waited');`;
    const child = spawn(process.execPath, ['-e', source]);
    let printed = '';
    child.stdout.on('data', (text) => {
        printed += text;
        child.kill('SIGINT');
    });
    const signal = await new Promise((resolve) => child.on('exit', (_, name) => resolve(name)));
    assert.deepStrictEqual([printed, signal], ['waiting\n', 'SIGINT']);
});

test('a process ends while work is under way', () => {
    const { status, stdout, stderr } = program(`
        let x = mx.nd.full([500, 500], 0.001);
        for (let i = 0; i < 50; i++) x = mx.nd.dot(x, x);
        console.log('end');`);
    assert.deepStrictEqual([status, stdout, stderr], [0, 'end\n', '']);
});
