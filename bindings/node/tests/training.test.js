'use strict';
// Gradients, optimizers, schedules and initializers.

const assert = require('node:assert');
const { test } = require('node:test');
const mx = require('mxr');

const { autograd, nd } = mx;
const list = (array) => array.toArraySync();
const near = (got, want) =>
    got.forEach((g, i) => assert.ok(Math.abs(g - want[i]) < 1e-5, `${got} is not near ${want}`));

test('gradients flow to the variables of what was recorded', () => {
    const x = nd.array([1, 2, 3]).attachGrad();
    const y = autograd.record(() => {
        assert.ok(autograd.isRecording() && autograd.isTraining());
        return x.mul(x).mul(2);
    });
    assert.ok(!autograd.isRecording());
    y.backward(nd.array([1, 10, 100]));
    assert.deepStrictEqual(list(x.grad), [4, 80, 1200]);
});

test('gradients are added, or not computed, as is asked for', () => {
    const x = nd.array([3]).attachGrad('add'),
        still = nd.array([5]).attachGrad('null');
    for (let i = 0; i < 2; i++) autograd.record(() => x.mul(still)).backward();
    assert.deepStrictEqual([list(x.grad), list(still.grad)], [[10], [0]]);
    assert.throws(() => x.attachGrad('sum'), { code: 'InvalidValue' });
});

test('gradients have gradients', () => {
    const x = nd.array([2]).attachGrad();
    const second = autograd.record(() => {
        const y = x.mul(x).mul(x);
        return autograd.grad(y, x, null, { createGraph: true });
    });
    second.backward();
    // (x³)'' = 6x
    assert.deepStrictEqual([list(second), list(x.grad)], [[12], [12]]);
});

test('scopes set and set back, and refuse functions that go on later', () => {
    autograd.record(() => {
        autograd.pause(() => assert.ok(!autograd.isRecording() && !autograd.isTraining()));
        autograd.predictMode(() => assert.ok(autograd.isRecording() && !autograd.isTraining()));
        assert.ok(autograd.isRecording());
    });
    assert.throws(
        () =>
            autograd.record(() => {
                throw new Error('stop');
            }),
        /stop/,
    );
    assert.ok(!autograd.isRecording());
    assert.throws(() => autograd.record(async () => {}), { code: 'InvalidType' });
    assert.ok(nd.Dropout(nd.ones([100])).equals(nd.ones([100])));
});

test('a recorded array does not change in place', () => {
    const x = nd.array([1]).attachGrad();
    autograd.record(() => {
        const y = x.mul(2);
        assert.throws(() => y.assign(1), { code: 'Autograd' });
        assert.throws(() => y.set([0], 1), { code: 'Autograd' });
    });
});

test('a function may have a gradient of its own, and what it throws comes out as it is', () => {
    class Clipped extends autograd.Function {
        forward(x) {
            return x.clip({ a_min: -1, a_max: 1 });
        }
        backward(dy) {
            return dy.mul(0.5);
        }
    }
    const x = nd.array([-3, 0.5]).attachGrad();
    autograd.record(() => new Clipped().call(x).mul(4)).backward();
    assert.deepStrictEqual(list(x.grad), [2, 2]);

    const mistake = new RangeError('no gradient');
    class Broken extends Clipped {
        backward() {
            throw mistake;
        }
    }
    const y = autograd.record(() => new Broken().call(x));
    assert.throws(
        () => y.backward(),
        (error) => error === mistake,
    );
});

test('optimizers change weights as their definitions say', () => {
    const w = nd.array([1, 2]),
        g = nd.array([0.5, -1]);
    const sgd = new mx.optimizer.SGD({ learning_rate: 0.1, momentum: 0.9, wd: 0 });
    sgd.update(0, w, g);
    sgd.update(0, w, g);
    // v = -lr g; then v = 0.9 v - lr g: 1 - 0.05 - 0.095
    near(list(w), [0.855, 2.29]);
    near(list(sgd.state(0)[0]), [-0.095, 0.19]);
    assert.deepStrictEqual([sgd.numUpdate, sgd.learningRate, sgd.state(1)], [2, 0.1, null]);
    sgd.learningRate = 0.2;
    sgd.set({ momentum: 0 });
    assert.strictEqual(sgd.rates(0).lr, 0.2);
    assert.ok(mx.optimizer.create('adam', { learning_rate: 1 }) instanceof mx.optimizer.Adam);
    assert.throws(() => mx.optimizer.create('sdg'), { code: 'NotFound' });
    assert.throws(() => new mx.optimizer.SGD({ momentun: 1 }), {
        code: 'NotFound',
        message: /did you mean 'momentum'/,
    });
});

test('states of an optimizer are saved and loaded', () => {
    const make = () => new mx.optimizer.Adam({ learning_rate: 0.01 });
    const [w, g, one] = [nd.array([1]), nd.array([2]), make()];
    one.update(0, w, g);
    const bytes = one.saveStates(),
        other = make(),
        same = w.copyTo(mx.cpu());
    other.loadStates(bytes);
    one.update(0, w, g);
    other.update(0, same, g);
    assert.ok(w.equals(same));
    assert.throws(() => other.loadStates(new Uint8Array(3)), { code: 'Format' });
});

test('factors of parameters are found by their names', () => {
    const sgd = new mx.optimizer.SGD({ learning_rate: 1, wd: 0.5, paramNames: ['a_weight', 'a_bias'] });
    assert.deepStrictEqual(
        [sgd.rates(0), sgd.rates(1)],
        [
            { lr: 1, wd: 0.5 },
            { lr: 1, wd: 0 },
        ],
    );
    sgd.setLrMult({ a_bias: 2 });
    sgd.setMult(0, 3, 4);
    assert.deepStrictEqual(
        [sgd.rates(0), sgd.rates(1)],
        [
            { lr: 3, wd: 2 },
            { lr: 2, wd: 0 },
        ],
    );
});

test("an optimizer of one's own counts by the library", () => {
    class Signs extends mx.optimizer.Optimizer {
        update(index, weight, grad) {
            this.count(index);
            weight.sub(grad.sign().mul(this.rates(index).lr), { out: weight });
        }
    }
    const own = new Signs({ learning_rate: 0.5 }),
        w = nd.array([1, 1]);
    own.update(0, w, nd.array([3, -2]));
    assert.deepStrictEqual([list(w), own.numUpdate], [[0.5, 1.5], 1]);
});

test('schedules say the learning rate by the number of updates', () => {
    const rate = new mx.lrScheduler.FactorScheduler({ step: 2, factor: 0.5, base_lr: 1 });
    assert.deepStrictEqual(
        [0, 3, 5].map((n) => rate.value(n)),
        [1, 0.5, 0.25],
    );
    const cosine = mx.lrScheduler.create('CosineScheduler', { max_update: 10, base_lr: 2, final_lr: 0 });
    near(
        [0, 5, 10].map((n) => cosine.value(n)),
        [2, 1, 0],
    );
    rate.baseLr = 4;
    assert.deepStrictEqual([rate.baseLr, rate.value(0), cosine.baseLr], [4, 4, 2]);
    const sgd = new mx.optimizer.SGD({ lr_scheduler: rate });
    assert.throws(() => {
        sgd.learningRate = 1;
    }, mx.MXRError);
});

test('initializers fill parameters by their names', () => {
    const fill = new mx.init.Constant({ value: 3 });
    const names = ['fc_weight', 'fc_bias', 'bn_gamma', 'bn_beta'];
    const arrays = names.map((name) => {
        const array = nd.empty([2]);
        fill.apply(name, array);
        return list(array)[0];
    });
    assert.deepStrictEqual(arrays, [3, 0, 1, 0]);
    assert.deepStrictEqual(names.map(mx.init.roleOf), ['weight', 'bias', 'gamma', 'beta']);
    mx.random.seed(1);
    const x = nd.empty([100, 50]);
    new mx.init.Xavier({ rnd_type: 'uniform', factor_type: 'in', magnitude: 6 }).fill(x);
    // Uniform in ±√(6/50), of which the standard deviation is that over √3.
    const bound = Math.sqrt(6 / 50),
        deviation = Math.sqrt(x.square().mean().item());
    assert.ok(x.abs().max().item() <= bound && Math.abs(deviation - bound / Math.sqrt(3)) < 0.01);
    const parsed = mx.init.Initializer.parse('["one", {}]');
    parsed.fill(x);
    assert.strictEqual(x.sum().item(), 5000);
});

test('a line is learnt', () => {
    const x = nd.array([[0], [1], [2], [3]]),
        y = x.mul(2).add(1);
    const [w, b] = [nd.zeros([1, 1]).attachGrad(), nd.zeros([1]).attachGrad()];
    const sgd = new mx.optimizer.SGD({ learning_rate: 0.1 });
    for (let step = 0; step < 300; step++) {
        const loss = autograd.record(() =>
            nd.FullyConnected(x, w, b, { num_hidden: 1 }).sub(y).square().mean(),
        );
        loss.backward();
        sgd.update(0, w, w.grad);
        sgd.update(1, b, b.grad);
    }
    near([w.item(), b.item()], [2, 1]);
});
