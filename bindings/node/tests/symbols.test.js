'use strict';
// Symbols, executors, cached operators, plans, model files and predictors.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const util = require('node:util');
const { after, test } = require('node:test');
const mx = require('mxr');

const { nd, sym } = mx;
const list = (array) => array.toArraySync();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mxr-'));
after(() => fs.rmSync(folder, { recursive: true }));

const mlp = () => {
    const hidden = sym.FullyConnected(sym.Variable('data'), { num_hidden: 3, name: 'fc1' });
    return sym.SoftmaxOutput(sym.FullyConnected(hidden.relu(), { num_hidden: 2, name: 'fc2' }), {
        name: 'softmax',
    });
};

test('symbols are composed, and inputs that are not given become variables', () => {
    const net = mlp();
    assert.deepStrictEqual(net.listArguments(), [
        'data',
        'fc1_weight',
        'fc1_bias',
        'fc2_weight',
        'fc2_bias',
        'softmax_label',
    ]);
    assert.deepStrictEqual([net.name, net.listOutputs(), net.length], ['softmax', ['softmax_output'], 1]);
    const { arguments: shapes, outputs, complete } = net.inferShape({ data: [4, 5] });
    assert.deepStrictEqual([shapes[1], shapes[5], outputs, complete], [[3, 5], [4], [[4, 2]], true]);
    assert.deepStrictEqual(net.inferShape({}).complete, false);
    assert.deepStrictEqual(net.inferType({ data: 'float64' }).arguments[1], 'float64');
    assert.strictEqual(util.inspect(net), '<Symbol softmax>');
    assert.ok(net.getInternals().listOutputs().includes('fc1_output'));
    const other = net
        .getInternals()
        .get('fc1_output')
        .compose({ data: sym.Variable('picture') });
    assert.deepStrictEqual(other.listArguments()[0], 'picture');
    assert.deepStrictEqual(sym.Group([sym.Variable('a'), sym.Variable('b')]).listOutputs(), ['a', 'b']);
    assert.throws(() => sym.exp(nd.ones([1])), { code: 'InvalidType' });
});

test('names are counted, prefixed, and attributes are kept', () => {
    mx.name.withPrefix('net_', () => {
        const x = sym.Variable('x', { shape: [2, 3], lr_mult: 2 });
        const [a, b] = [sym.exp(x), sym.exp(x, { attr: { __mark__: 'yes' } })];
        assert.deepStrictEqual([a.name, b.name, b.attr('__mark__')], ['net_exp0', 'net_exp1', 'yes']);
        assert.deepStrictEqual([x.listAttr().__shape__, x.attr('lr_mult')], ['(2, 3)', '2']);
        assert.deepStrictEqual(x.inferShape({}).arguments, [[2, 3]]);
    });
    const marked = mx.name.withAttributes({ ctx_group: 'dev1' }, () => sym.Variable('y'));
    assert.strictEqual(marked.attr('ctx_group'), 'dev1');
    assert.strictEqual(marked.withAttrs({ other: 'z' }).attr('other'), 'z');
});

test('arithmetic composes symbols', () => {
    const [a, b] = ['a', 'b'].map((name) => sym.Variable(name));
    const [result] = sym.subtract(10, a.mul(b).add(1)).run({ a: nd.array([2]), b: nd.array([3]) });
    assert.strictEqual(result.item(), 3);
});

test("graphs are JSON of MXNet's", () => {
    const net = mlp(),
        file = path.join(folder, 'mlp-symbol.json');
    net.save(file);
    const nodes = JSON.parse(fs.readFileSync(file, 'utf8')).nodes;
    assert.deepStrictEqual(nodes.find((node) => node.name === 'fc1').attrs, { num_hidden: '3' });
    assert.deepStrictEqual(sym.load(file).listArguments(), net.listArguments());
    assert.strictEqual(sym.loadJSON(net.toJSONText()).toJSONText(), net.toJSONText());
    assert.throws(() => sym.loadJSON('{'), mx.MXRError);
});

test('a bound symbol computes outputs and gradients', () => {
    const [a, b] = ['a', 'b'].map((name) => sym.Variable(name));
    const executor = a
        .mul(b)
        .bind(
            { a: nd.array([1, 2]), b: nd.array([3, 4]) },
            { argsGrad: { a: nd.zeros([2]), b: nd.zeros([2]) }, gradReq: { a: 'write', b: 'add' } },
        );
    assert.deepStrictEqual(list(executor.forward(true)[0]), [3, 8]);
    executor.backward(nd.array([1, 1]));
    executor.forward(true, { a: [5, 6] });
    executor.backward(nd.array([1, 1]));
    assert.deepStrictEqual(
        [list(executor.gradDict.a), list(executor.gradDict.b)],
        [
            [3, 4],
            [6, 8],
        ],
    );
    assert.throws(() => executor.forward(false, { c: [1] }), { code: 'NotFound' });
    assert.throws(() => a.bind([]), { code: 'InvalidValue', argument: 'args' });
});

test('shapes of arguments follow where they are not given', () => {
    const executor = mlp().simpleBind({ data: [4, 5] }, { gradReq: 'null' });
    assert.deepStrictEqual(executor.argDict.fc1_weight.shape, [3, 5]);
    executor.copyParamsFrom({ fc1_weight: nd.ones([3, 5]) });
    assert.deepStrictEqual(list(executor.forward()[0])[0], [0.5, 0.5]);
    const smaller = executor.reshape({ data: [2, 5], softmax_label: [2] });
    assert.deepStrictEqual(
        [smaller.forward()[0].shape, smaller.argDict.fc1_weight.sum().item()],
        [[2, 2], 15],
    );
    assert.throws(() => executor.copyParamsFrom({ fc9: nd.ones([1]) }), mx.MXRError);
    const seen = [];
    executor.setMonitorCallback((name, array) => seen.push([name, array.shape]));
    executor.forward();
    assert.ok(seen.some(([name, shape]) => name === 'fc1_output' && String(shape) === '4,3'));
    const mistake = new Error('seen enough');
    executor.setMonitorCallback(() => {
        throw mistake;
    });
    assert.throws(
        () => executor.forward(),
        (error) => error === mistake,
    );
    executor.setMonitorCallback(null);
    executor.forward();
});

test('a cached operator is called like a function, and recorded', () => {
    const op = new mx.CachedOp(sym.Variable('x').square());
    const x = nd.array([3]).attachGrad();
    mx.autograd.record(() => op.call(x)).backward();
    assert.deepStrictEqual(list(x.grad), [6]);
});

test('a plan says what a symbol takes without running it', () => {
    const plan = mx.plan(mlp(), { data: [32, 100] }, { keepPasses: true });
    // 3×100 + 3 + 2×3 + 2 parameters, their gradients, and data and labels, of four bytes.
    assert.ok(plan.parameterBytes >= 4 * 2 * 311 && plan.steps > 0 && plan.flops > 0);
    assert.ok(plan.passes().length > 0 && String(plan).includes('FullyConnected'));
    assert.ok(Array.isArray(plan.choices));
});

test('loops and branches are parts of graphs', () => {
    const [sums, total] = sym.contrib.foreach(
        (row, state) => [row.add(state), row.add(state)],
        sym.Variable('data'),
        sym.Variable('start'),
    );
    const arrays = { data: nd.array([[1], [2], [3]]), start: nd.array([10]) };
    assert.deepStrictEqual(sym.Group([sums, total]).run(arrays).map(list), [[[11], [13], [16]], [16]]);

    const [steps, last] = sym.contrib.while_loop(
        (i) => i.lesser(3),
        (i, t) => [[t], [i.add(1), t.add(i)]],
        [sym.Variable('i'), sym.Variable('t')],
        4,
    );
    const found = sym.Group([...steps, ...last]).run({ i: nd.array([0]), t: nd.array([10]) });
    assert.deepStrictEqual(found.map(list), [[[10], [10], [11], [0]], [3], [13]]);

    const x = sym.Variable('x');
    const branch = sym.contrib.cond(
        x.greater(0),
        () => x.mul(2),
        () => x.neg(),
    );
    assert.deepStrictEqual(
        [3, -4].map((n) => branch.run({ x: nd.array([n]) })[0].item()),
        [6, 4],
    );
});

test('checkpoints and model files come back, and predict in three lines', () => {
    const net = mlp();
    const params = {
        fc1_weight: nd.ones([3, 5]),
        fc1_bias: nd.zeros([3]),
        fc2_weight: nd.array([
            [1, 1, 1],
            [0, 0, 0],
        ]),
        fc2_bias: nd.zeros([2]),
    };
    const prefix = path.join(folder, 'mlp');
    mx.saveCheckpoint(prefix, 3, net, params, {});
    const { symbol, argParams } = mx.loadCheckpoint(prefix, 3);
    assert.deepStrictEqual(
        [symbol.listOutputs(), Object.keys(argParams).sort()],
        [net.listOutputs(), Object.keys(params).sort()],
    );

    const file = path.join(folder, 'mlp.safetensors');
    mx.saveModel(
        file,
        net,
        params,
        {},
        {
            inputs: [
                { name: 'data', shape: [-1, 5] },
                { name: 'softmax_label', label: true },
            ],
            metadata: { licence: 'none' },
        },
    );
    const model = mx.loadModel(file);
    assert.deepStrictEqual(model.metadata, { licence: 'none' });
    assert.deepStrictEqual(model.inputs[0], { name: 'data', shape: [-1, 5], dtype: 'float32', label: false });
    assert.deepStrictEqual(mx.loadCheckpoint(file).argParams.fc2_weight.shape, [2, 3]);

    // softmax of (3·0.1·…): the hidden units are all 0.5, so the scores are 1.5 and 0.
    const want = 1 / (1 + Math.exp(-1.5));
    for (const predictor of [
        mx.Predictor.load(file),
        mx.Predictor.load(`${prefix}-symbol.json`, `${prefix}-0003.params`),
    ]) {
        const [[p]] = list(predictor.predict(nd.full([1, 5], 0.1)));
        assert.ok(Math.abs(p - want) < 1e-6);
        assert.deepStrictEqual(predictor.inputs, ['data', 'softmax_label']);
    }
});
