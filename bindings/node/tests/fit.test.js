'use strict';
// Metrics, data iterators, stores, callbacks, modules and their loop.

const assert = require('node:assert');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const mx = require('mxr');

const { nd, sym } = mx;
const list = (array) => array.toArraySync();
const near = (got, want) => assert.ok(Math.abs(got - want) < 1e-5, `${got} is not near ${want}`);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mxr-'));
after(() => fs.rmSync(folder, { recursive: true }));

test('metrics sum up batches', () => {
    const accuracy = new mx.metric.Accuracy();
    accuracy.update(
        nd.array([0, 1, 1]),
        nd.array([
            [0.9, 0.1],
            [0.2, 0.8],
            [0.7, 0.3],
        ]),
    );
    near(accuracy.get().accuracy, 2 / 3);
    accuracy.reset({ local: true });
    assert.ok(Number.isNaN(accuracy.get().accuracy));
    near(accuracy.get({ global: true }).accuracy, 2 / 3);

    const both = new mx.metric.CompositeEvalMetric({ metrics: ['mse', new mx.metric.MAE()] });
    both.update([nd.array([1, 2])], [nd.array([2, 4])]);
    // ((1)² + (2)²)/2, and (1 + 2)/2
    assert.deepStrictEqual(both.get(), { mse: 2.5, mae: 1.5 });

    const own = new mx.metric.CustomMetric({
        name: 'off',
        feval: (label, pred) => [pred.sub(label).sum().item(), 2],
    });
    own.update(nd.array([1, 2]), nd.array([2, 4]));
    assert.deepStrictEqual(own.get(), { off: 1.5 });
    const named = new mx.metric.Loss({ output_names: ['b'] });
    named.update({ x: nd.array([0]) }, { a: nd.array([1]), b: nd.array([5]) });
    assert.deepStrictEqual(named.get(), { loss: 5 });
    assert.ok(mx.metric.create('acc') instanceof mx.metric.Accuracy);
    assert.throws(() => accuracy.update(nd.array([1]), nd.ones([2, 2])), { code: 'Shape' });
});

test('iterators give batches, and begin anew after an epoch', () => {
    const iter = new mx.io.NDArrayIter({
        data: nd.arange(10).reshape(5, 2),
        label: [0, 1, 2, 3, 4],
        batch_size: 2,
    });
    assert.deepStrictEqual(iter.provideData, [
        { name: 'data', shape: [2, 2], dtype: 'float32', layout: 'NCHW' },
    ]);
    assert.deepStrictEqual([iter.batchSize, iter.provideLabel[0].name], [2, 'softmax_label']);
    for (let epoch = 0; epoch < 2; epoch++) {
        const batches = [...iter];
        assert.deepStrictEqual(
            batches.map((batch) => list(batch.label[0])),
            [
                [0, 1],
                [2, 3],
                [4, 0],
            ],
        );
        assert.deepStrictEqual(
            batches.map((batch) => [batch.pad, batch.index]),
            [
                [0, [0, 1]],
                [0, [2, 3]],
                [1, [4, 0]],
            ],
        );
        assert.deepStrictEqual(list(batches[2].data[0]), [
            [8, 9],
            [0, 1],
        ]);
    }
    const several = new mx.io.NDArrayIter({
        data: { b: new Float32Array(4), a: [1, 2, 3, 4] },
        batch_size: 2,
    });
    assert.deepStrictEqual(
        several.provideData.map((desc) => desc.name),
        ['a', 'b'],
    );
    assert.strictEqual([...new mx.io.ResizeIter({ iters: [iter], size: 5 })].length, 5);
    assert.deepStrictEqual(
        [...new mx.io.PrefetchingIter({ iters: [iter] })].map((batch) => list(batch.label[0])[0]),
        [0, 2, 4],
    );
    const csv = path.join(folder, 'x.csv');
    fs.writeFileSync(csv, '1,2\n3,4\n');
    const rows = new mx.io.CSVIter({ data_csv: csv, data_shape: [2], batch_size: 1 });
    assert.deepStrictEqual(
        [...rows].map((batch) => list(batch.data[0])),
        [[[1, 2]], [[3, 4]]],
    );
    assert.throws(() => new mx.io.CSVIter({ data_csv: csv }), mx.MXRError);
});

test('stores sum what devices push, and update it', () => {
    const store = mx.kvstore.create('device'),
        out = nd.zeros([2]);
    store.init('w', nd.array([1, 1]));
    store.push('w', [nd.array([1, 2]), nd.array([10, 20])]);
    store.pull('w', out);
    assert.deepStrictEqual([list(out), store.type, store.rank, store.numWorkers], [[11, 22], 'device', 0, 1]);

    const local = mx.kv.create();
    local.broadcast(3, nd.array([5, 5]), out);
    assert.deepStrictEqual(list(out), [5, 5]);
    local.setUpdater((key, pushed, stored) => stored.add(pushed.mul(key), { out: stored }));
    local.pushpull(3, nd.array([1, 2]), out);
    assert.deepStrictEqual(list(out), [8, 11]);
    const mistake = new Error('no update');
    local.setUpdater(() => {
        throw mistake;
    });
    assert.throws(
        () => local.push(3, out),
        (error) => error === mistake,
    );

    const sgd = mx.kv.create();
    sgd.init(0, nd.array([1]));
    sgd.setOptimizer(new mx.optimizer.SGD({ learning_rate: 0.5, momentum: 0.9 }));
    sgd.push(0, nd.array([1]));
    const states = sgd.saveOptimizerStates(),
        w = nd.zeros([1]);
    sgd.loadOptimizerStates(states);
    sgd.pull(0, w);
    assert.ok(list(w)[0] === 0.5 && states.length > 0);
    store.setGradientCompression({ type: '2bit', threshold: 0.5 });
    assert.throws(() => store.setGradientCompression({ type: '3bit' }), { code: 'NotFound' });
    assert.throws(() => store.pull('none', out), mx.MXRError);
});

/** Two clouds of points, around -1 and 1, and which they are of. */
function clouds(n) {
    mx.random.seed(3);
    const digits = nd.arange(n).mod(2);
    return [mx.random.normal(0, 0.3, { shape: [n, 2] }).add(digits.mul(2).sub(1).reshape(n, 1)), digits];
}

const net = () =>
    sym.SoftmaxOutput(sym.FullyConnected(sym.Variable('data'), { num_hidden: 2, name: 'fc' }), {
        name: 'softmax',
    });

test('a module scores and predicts all batches of an iterator that was begun', () => {
    const [data, label] = clouds(64);
    const iter = new mx.io.NDArrayIter({ data, label, batch_size: 16 });
    const model = new mx.Module(net());
    model.bind(iter, undefined, { forTraining: false });
    model.initParams();
    const outputs = model.predict(iter);
    assert.deepStrictEqual(outputs.shape, [64, 2]);
    const all = model.score(iter, 'ce');
    iter[Symbol.iterator]().next();
    assert.deepStrictEqual(model.score(iter, 'ce'), all);
    iter[Symbol.iterator]().next();
    assert.deepStrictEqual(model.predict(iter).toArraySync(), outputs.toArraySync());
});

test('a module is fitted, scored, saved, and predicts', () => {
    const [data, label] = clouds(64),
        lines = [],
        told = [];
    const iter = new mx.io.NDArrayIter({ data, label, batch_size: 16, shuffle: true });
    const model = new mx.Module(net());
    const prefix = path.join(folder, 'clouds');
    model.fit(iter, {
        numEpoch: 3,
        evalData: iter,
        evalMetric: ['acc', 'ce'],
        optimizer: new mx.optimizer.SGD({ learning_rate: 0.5 }),
        initializer: new mx.init.Xavier(),
        log: (line) => lines.push(line),
        batchEnd: ({ epoch, batch, metric }) => told.push([epoch, batch, Object.keys(metric.get())]),
        epochEnd: new mx.callback.do_checkpoint({ prefix, save_optimizer_states: true }),
    });
    assert.deepStrictEqual([told.length, told[5]], [12, [1, 1, ['accuracy', 'cross-entropy']]]);
    assert.match(lines[0], /^Epoch\[0\] Train-accuracy=[\d.]+, cross-entropy=[\d.]+$/);
    assert.strictEqual(lines.length, 9);
    assert.deepStrictEqual(model.score(iter), { accuracy: 1 });
    assert.deepStrictEqual(model.paramNames, ['fc_weight', 'fc_bias']);
    assert.deepStrictEqual([model.dataShapes[0].shape, model.labelNames], [[16, 2], ['softmax_label']]);

    const again = mx.Module.load(prefix, 3, { states: true });
    const plain = new mx.io.NDArrayIter({ data, label, batch_size: 16 });
    const outputs = again.predict(plain);
    assert.deepStrictEqual(outputs.shape, [64, 2]);
    assert.ok(outputs.argmax({ axis: 1 }).equals(label));
    assert.ok(again.getParams().argParams.fc_weight.equals(model.getParams().argParams.fc_weight));
    assert.ok(fs.existsSync(`${prefix}-0003.states`));
});

test('biases decay unless the optimizer is named', () => {
    const attrs = { learning_rate: 0.5, wd: 0.5 };
    // A weight and a bias, 1 at first and with gradients of 0.
    const step = (takeOptimizer) => {
        const line = sym.FullyConnected(sym.Variable('data'), { num_hidden: 1, name: 'fc' });
        const model = new mx.Module(sym.LinearRegressionOutput(line, { name: 'out' }), {
            labelNames: ['out_label'],
        });
        model.bind([{ name: 'data', shape: [1, 1] }], [{ name: 'out_label', shape: [1, 1] }]);
        model.initParams({ argParams: { fc_weight: nd.ones([1, 1]), fc_bias: nd.ones([1]) } });
        takeOptimizer(model);
        model.forward({ data: [nd.zeros([1, 1])], label: [nd.ones([1, 1])] }, true);
        model.backward();
        model.update();
        const { fc_weight: weight, fc_bias: bias } = model.getParams().argParams;
        return [weight.item(), bias.item()];
    };
    const optimizer = new mx.optimizer.SGD(attrs);
    assert.deepStrictEqual(
        step((model) => model.initOptimizer({ optimizer })),
        [0.75, 0.75],
    );
    assert.deepStrictEqual(
        step((model) => model.initOptimizer({ optimizer: 'sgd', optimizerParams: attrs })),
        [0.75, 1],
    );
});

test('a module is driven step by step', () => {
    const model = new mx.mod.Module(net());
    model.bind([{ name: 'data', shape: [4, 2] }], [{ name: 'softmax_label', shape: [4] }], {
        inputsNeedGrad: true,
    });
    model.initParams({ initializer: 'zeros' });
    model.initOptimizer({
        optimizer: new mx.optimizer.SGD({ learning_rate: 1 }),
        kvstore: mx.kv.create('local'),
    });
    assert.ok(model.binded && model.paramsInitialized && model.optimizerInitialized);
    const batch = { data: [nd.ones([4, 2])], label: [nd.ones([4])] };
    model.forward(batch, true);
    assert.deepStrictEqual(list(model.getOutputs()[0])[0], [0.5, 0.5]);
    model.backward();
    assert.deepStrictEqual(list(model.getInputGrads()[0])[0], [0, 0]);
    model.update();
    // The gradient of each weight is ±0.5 for an example, and the batch size divides their sum.
    assert.deepStrictEqual(list(model.getParams().argParams.fc_weight), [
        [-0.5, -0.5],
        [0.5, 0.5],
    ]);
    model.setParams({ fc_weight: nd.zeros([2, 2]), fc_bias: nd.zeros([2]) });
    model.reshape([{ name: 'data', shape: [1, 2] }]);
    model.forward({ data: [nd.ones([1, 2])] }, false);
    assert.deepStrictEqual(list(model.getOutputs()[0]), [[0.5, 0.5]]);
    const states = model.saveOptimizerStates();
    model.loadOptimizerStates(states);
    assert.throws(() => new mx.Module(net()).forward(batch), mx.MXRError);
    assert.throws(() => model.fit([], {}), { code: 'InvalidValue', argument: 'numEpoch' });
});

test('callbacks of the library say what they are told', (context) => {
    const written = [];
    context.mock.method(process.stdout, 'write', (text) => written.push(text));
    const metric = new mx.metric.Loss(),
        speed = new mx.callback.Speedometer({ batch_size: 10, frequent: 2 });
    metric.update([], [nd.array([2])]);
    for (let batch = 0; batch <= 4; batch++) speed.tell({ epoch: 0, batch, metric });
    context.mock.restoreAll();
    const lines = written.filter((text) => typeof text === 'string' && text.includes('loss'));
    assert.match(lines[0], /Epoch\[0\].*loss=2/);
});

test('a recorded computation is a symbol', () => {
    const x = nd.array([2]).attachGrad();
    const symbol = mx.autograd.getSymbol(mx.autograd.record(() => x.mul(3).add(1)));
    assert.deepStrictEqual(symbol.listArguments(), ['var0']);
    assert.deepStrictEqual(list(symbol.run({ var0: nd.array([5]) })[0]), [16]);
});
