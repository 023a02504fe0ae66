// What TypeScript must accept, and, after @ts-expect-error, what it must refuse. It is compiled, and run too.

import assert from 'node:assert';
import mx, { autograd, nd, NDArray, sym } from 'mxr';

const x: NDArray = nd.array([
    [1, 2],
    [3, 4],
]);
const w = nd.ones([3, 2]).attachGrad('write');
const y = autograd.record(() => nd.FullyConnected(x, w, null, { num_hidden: 3, no_bias: true }).sum());
y.backward();
assert.deepStrictEqual(w.grad?.toArraySync(), [
    [4, 6],
    [4, 6],
    [4, 6],
]);

// Inputs that may lack can be left out, and attributes have their types.
const same = nd.FullyConnected(x, w, { num_hidden: 3, no_bias: true });
assert.deepStrictEqual(same.shape, [2, 3]);
const pooled = nd.Pooling(nd.ones([1, 1, 4, 4]), { kernel: [2, 2], stride: [2, 2], pool_type: 'avg' });
assert.equal(pooled.at(0).at(0).get(0, 0).item(), 1);
// @ts-expect-error: there is no such attribute
assert.throws(() => nd.softmax(x, { axes: 1 }), mx.MXRError);
// @ts-expect-error: not one of the values
assert.throws(() => nd.Pooling(x, { kernel: [2, 2], pool_type: 'median' }), { code: 'InvalidValue' });
// @ts-expect-error: what must be given
assert.throws(() => nd.FullyConnected(x, w, null, { no_bias: true }), { code: 'InvalidValue' });

const parts = nd.split<NDArray[]>(x, { num_outputs: 2, axis: 1 });
assert.equal(parts.length, 2);
const net = sym.SoftmaxOutput({
    data: sym.FullyConnected({ data: sym.Variable('data'), num_hidden: 4, name: 'fc' }),
    name: 'softmax',
});
assert.deepStrictEqual(net.listArguments(), ['data', 'fc_weight', 'fc_bias', 'softmax_label']);
const shapes: (number[] | null)[] = net.inferShape({ data: [2, 5] }).arguments;
assert.deepStrictEqual(shapes[1], [4, 5]);
const sgd = new mx.optimizer.SGD({
    learning_rate: 0.5,
    lr_scheduler: new mx.lrScheduler.FactorScheduler({ step: 10 }),
});
sgd.update(0, w, w.grad!);
const kept: NDArray = mx.scope(() => x.mul(2).add(1));
assert.ok(
    kept.equals(
        nd.array([
            [3, 5],
            [7, 9],
        ]),
    ),
);
const half: Promise<mx.TypedArray> = x.astype('float16').data();
assert.ok((await half) instanceof Uint16Array);
const batches = new mx.io.NDArrayIter({ data: x, label: nd.array([0, 1]), batch_size: 2 });
const lines: string[] = [];
const model = new mx.Module(net).fit(batches, {
    numEpoch: 1,
    evalMetric: new mx.metric.Accuracy({ name: 'right' }),
    log: (line) => lines.push(line),
});
assert.ok(lines[0]!.startsWith('Epoch[0] Train-right=') && model.binded);
// @ts-expect-error: what must be given
assert.throws(() => new mx.io.CSVIter({ data_csv: 'none' }), mx.MXRError);
{
    using temporary = x.mul(2);
    assert.ok(!temporary.closed);
}
console.log('typed');
