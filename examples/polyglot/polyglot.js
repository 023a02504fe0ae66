// The training of README.md in JavaScript: `node polyglot.js train MODEL` or `node polyglot.js predict MODEL OUTPUT`.
'use strict';

const mx = require('mxr');

const { nd, sym } = mx;

/** The 600 examples and their labels. */
function examples() {
    mx.random.seed(7);
    const data = nd.random_normal({ shape: [600, 8] });
    const label = nd.argmax(nd.dot(data, nd.random_normal({ shape: [8, 3] })), { axis: 1 });
    return [data, label];
}

function network() {
    let h = sym.FullyConnected(sym.Variable('data'), { num_hidden: 32, name: 'fc1' });
    h = sym.Activation(h, { act_type: 'relu', name: 'relu1' });
    return sym.SoftmaxOutput(sym.FullyConnected(h, { num_hidden: 3, name: 'fc2' }), { name: 'softmax' });
}

function train(model) {
    const [data, label] = examples();
    const batches = new mx.io.NDArrayIter({ data, label, batch_size: 50, shuffle: true, seed: 7 });
    const module = new mx.Module(network());
    const metric = new mx.metric.Accuracy();
    module.fit(batches, {
        numEpoch: 4,
        evalMetric: metric,
        initializer: new mx.init.Xavier(),
        optimizer: new mx.optimizer.SGD({ learning_rate: 0.1, momentum: 0.9, rescale_grad: 1 / 50 }),
        log: () => {},
    });
    const { argParams, auxParams } = module.getParams();
    mx.saveModel(model, module.symbol, argParams, auxParams);
    console.log(`accuracy ${metric.get().accuracy.toFixed(4)}`);
}

function predict(model, output) {
    const [data] = examples();
    const { symbol, argParams, auxParams } = mx.loadModel(model);
    const executor = symbol.simpleBind({ data: data.shape }, { gradReq: 'null' });
    executor.copyParamsFrom(argParams, auxParams);
    nd.save(output, [executor.forward(false, { data })[0]]);
}

const [verb, ...files] = process.argv.slice(2);
({ train, predict })[verb](...files);
