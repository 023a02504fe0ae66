// Trains LeNet on MNIST: `node lenet.js DATA [EPOCHS [IMAGES]]`.
//
// DATA is a folder with MNIST's four IDX files, as train.py reads them; `cargo xtask demo` fetches them. The package is
// that of `cargo xtask dist node`: `npm install …/mxr-0.1.0.tgz`.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const mx = require('mxr');

const { autograd, nd } = mx;
const BATCH = 64;

/** The bytes of an IDX file after its header. */
function readIdx(folder, name) {
    const bytes = fs.readFileSync(path.join(folder, name));
    return bytes.subarray(4 + 4 * bytes[3]);
}

/** Images and the digits on them. */
class Images {
    constructor(folder, part) {
        this.pixels = readIdx(folder, `${part}-images-idx3-ubyte`);
        this.digits = readIdx(folder, `${part}-labels-idx1-ubyte`);
    }

    /** Some images, from 0 to 1 with a channel axis, and their digits. */
    batch(chosen) {
        const bytes = new Uint8Array(chosen.length * 784);
        chosen.forEach((at, i) => bytes.set(this.pixels.subarray(at * 784, (at + 1) * 784), i * 784));
        const images = nd
            .fromTypedArray(bytes, { shape: [chosen.length, 1, 28, 28] })
            .astype('float32')
            .div(255);
        return [images, nd.array(Float32Array.from(chosen, (at) => this.digits[at]))];
    }
}

const SHAPES = {
    conv1_weight: [20, 1, 5, 5],
    conv1_bias: [20],
    conv2_weight: [50, 20, 5, 5],
    conv2_bias: [50],
    fc1_weight: [500, 800],
    fc1_bias: [500],
    fc2_weight: [10, 500],
    fc2_bias: [10],
};

/** Weights that keep the size of what flows through them; biases of zero. */
function initialize() {
    const fill = new mx.init.Xavier({ rnd_type: 'uniform', factor_type: 'in', magnitude: 6 });
    const make = ([name, shape]) => {
        const array = nd.empty(shape);
        fill.apply(name, array);
        return [name, array.attachGrad()];
    };
    return Object.fromEntries(Object.entries(SHAPES).map(make));
}

const pooled = (x) => x.relu().Pooling({ kernel: [2, 2], stride: [2, 2], pool_type: 'max' });

/** The scores of the ten digits. */
function lenet(images, p) {
    let x = pooled(nd.Convolution(images, p.conv1_weight, p.conv1_bias, { kernel: [5, 5], num_filter: 20 }));
    x = pooled(nd.Convolution(x, p.conv2_weight, p.conv2_bias, { kernel: [5, 5], num_filter: 50 }));
    x = nd.FullyConnected(x, p.fc1_weight, p.fc1_bias, { num_hidden: 500 }).relu();
    return nd.FullyConnected(x, p.fc2_weight, p.fc2_bias, { num_hidden: 10 });
}

const range = (begin, end) => Array.from({ length: end - begin }, (_, i) => begin + i);

/** The part of the images that the network knows. */
function accuracy(test, params) {
    const n = test.digits.length;
    let known = 0;
    for (let i = 0; i < n; i += 500) {
        const [images, digits] = test.batch(range(i, Math.min(n, i + 500)));
        known += lenet(images, params).argmax({ axis: 1 }).equal(digits).sum().item();
    }
    return known / n;
}

/** The numbers below n in an order that a seed tells, by a generator of 32 bits (xorshift). */
function shuffled(n, seed) {
    const order = range(0, n);
    let state = seed;
    for (let i = n - 1; i > 0; i--) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        const j = (state >>> 0) % (i + 1);
        [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
}

/** A line that says how far an epoch is, where someone is looking. */
function progress(title, step, steps, loss) {
    if (!process.stderr.isTTY || (step % 10 !== 0 && step !== steps)) return;
    const done = Math.floor((28 * step) / steps);
    const line = `\r${title} ${'━'.repeat(done)}${'┈'.repeat(28 - done)} loss ${loss.toFixed(4)} `;
    process.stderr.write(step === steps ? '\r\x1b[K' : line);
}

/** One pass over the images; gives the mean loss. */
function epoch(train, order, params, sgd, title) {
    const steps = Math.floor(order.length / BATCH),
        weights = Object.values(params);
    let sum = 0;
    for (let step = 1; step <= steps; step++) {
        const [images, digits] = train.batch(order.slice((step - 1) * BATCH, step * BATCH));
        const loss = autograd.record(() => nd.softmax_cross_entropy(lenet(images, params), digits));
        loss.backward();
        weights.forEach((weight, i) => sgd.update(i, weight, weight.grad));
        sum += loss.item();
        progress(title, step, steps, sum / (step * BATCH));
    }
    return sum / (steps * BATCH);
}

function train(folder, epochs = 4, most = 60000) {
    const images = new Images(folder, 'train'),
        test = new Images(folder, 't10k');
    const n = Math.min(most, images.digits.length);
    mx.random.seed(1);
    const params = initialize();
    // The learning rate rises for a moment, then falls to zero along a cosine.
    const rate = new mx.lrScheduler.CosineScheduler({
        max_update: epochs * Math.floor(n / BATCH),
        base_lr: 0.05,
        warmup_steps: 100,
    });
    const sgd = new mx.optimizer.SGD({
        momentum: 0.9,
        wd: 1e-4,
        rescale_grad: 1 / BATCH,
        lr_scheduler: rate,
    });
    console.log(`LeNet on ${n} images, mxr ${mx.version}`);
    for (let i = 1; i <= epochs; i++) {
        const start = Date.now();
        const loss = epoch(images, shuffled(n, i), params, sgd, `epoch ${i}/${epochs}`);
        const seconds = ((Date.now() - start) / 1000).toFixed(0);
        console.log(
            `epoch ${i}/${epochs}: loss ${loss.toFixed(4)}, test ${accuracy(test, params).toFixed(4)}, ${seconds} s`,
        );
    }
    console.log(`test accuracy: ${accuracy(test, params).toFixed(4)}`);
}

const [folder, epochs, most] = process.argv.slice(2);
if (folder === undefined) {
    console.error('usage: node lenet.js DATA [EPOCHS [IMAGES]]');
    process.exitCode = 2;
} else {
    train(folder, epochs && Number(epochs), most && Number(most));
}
