"""Trains LeNet on MNIST: `python train.py --data FOLDER --out FOLDER`.

--data is a folder with MNIST's four IDX files, packed or not; --out receives

lenet.params    the network's weights, as `mx.nd.load` reads them
history.json    losses and accuracies
mistakes.npz    the test images that the network takes for something else

which report.py draws.
"""

import argparse
import gzip
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import mxr as mx
from mxr import autograd, nd


def read_idx(folder, name):
    """The array in an IDX file."""
    path = folder / name
    data = path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read()
    ndim = data[3]
    shape = np.frombuffer(data, ">i4", ndim, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * ndim).reshape(shape)


def load(folder, part):
    """Images from 0 to 1 with a channel axis, and labels."""
    images = read_idx(folder, f"{part}-images-idx3-ubyte")
    labels = read_idx(folder, f"{part}-labels-idx1-ubyte")
    return images[:, None].astype(np.float32) / 255, labels.astype(np.float32)


SHAPES = {
    "conv1_weight": (20, 1, 5, 5),
    "conv1_bias": (20,),
    "conv2_weight": (50, 20, 5, 5),
    "conv2_bias": (50,),
    "fc1_weight": (500, 800),
    "fc1_bias": (500,),
    "fc2_weight": (10, 500),
    "fc2_bias": (10,),
}


def initialize():
    """Weights that keep the size of what flows through them; biases of zero."""
    fill = mx.init.Xavier(rnd_type="uniform", factor_type="in", magnitude=6)
    params = {name: nd.empty(shape) for name, shape in SHAPES.items()}
    for name, array in params.items():
        fill(name, array)
        array.attach_grad()
    return params


def lenet(x, p):
    """The scores of the ten digits."""
    x = nd.Convolution(x, p["conv1_weight"], p["conv1_bias"], kernel=(5, 5), num_filter=20)
    x = nd.Pooling(nd.relu(x), kernel=(2, 2), stride=(2, 2), pool_type="max")
    x = nd.Convolution(x, p["conv2_weight"], p["conv2_bias"], kernel=(5, 5), num_filter=50)
    x = nd.Pooling(nd.relu(x), kernel=(2, 2), stride=(2, 2), pool_type="max")
    x = nd.relu(nd.FullyConnected(x, p["fc1_weight"], p["fc1_bias"], num_hidden=500))
    return nd.FullyConnected(x, p["fc2_weight"], p["fc2_bias"], num_hidden=10)


def predict(images, params, batch=500):
    """The probabilities of the digits for each image."""
    parts = []
    for i in range(0, len(images), batch):
        scores = lenet(nd.array(images[i : i + batch]), params)
        parts.append(nd.softmax(scores, axis=1))
    return np.concatenate([part.asnumpy() for part in parts])


def accuracy(images, labels, params):
    """The part of the images that the network knows."""
    return float((predict(images, params).argmax(1) == labels).mean())


class Progress:
    """A line that says how far an epoch is, where someone is looking."""

    def __init__(self, epoch, epochs, steps):
        self.title, self.steps = f"epoch {epoch + 1}/{epochs}", steps
        self.start, self.shown = time.monotonic(), 0.0

    def show(self, step, loss):
        now = time.monotonic()
        if not sys.stderr.isatty() or (now - self.shown < 0.1 and step < self.steps):
            return
        self.shown = now
        width = 28
        done = width * step // self.steps
        left = (now - self.start) / step * (self.steps - step)
        bar = "━" * done + "┈" * (width - done)
        print(f"\r{self.title} {bar} loss {loss:.4f}, {left:4.0f} s left ", end="", file=sys.stderr)
        if step == self.steps:
            print("\r\033[K", end="", file=sys.stderr)


def train(args, data):
    """Trains, and returns the weights and what happened."""
    (images, labels), test = data
    params = initialize()
    per_epoch = len(images) // args.batch
    steps = args.epochs * per_epoch
    # The learning rate rises for a moment, then falls to zero along a cosine.
    rate = mx.lr_scheduler.CosineScheduler(steps, base_lr=args.rate, warmup_steps=100)
    sgd = mx.optimizer.SGD(momentum=0.9, wd=1e-4, rescale_grad=1 / args.batch, lr_scheduler=rate)
    update = mx.optimizer.get_updater(sgd)
    order = np.random.default_rng(args.seed)
    history = {"loss": [], "epochs": []}
    step = 0
    for epoch in range(args.epochs):
        progress = Progress(epoch, args.epochs, per_epoch)
        shuffled = order.permutation(len(images))
        began, known = time.monotonic(), 0
        for i in range(per_epoch):
            chosen = shuffled[i * args.batch : (i + 1) * args.batch]
            x, y = nd.array(images[chosen]), nd.array(labels[chosen])
            with autograd.record():
                scores = lenet(x, params)
                loss = nd.softmax_cross_entropy(scores, y)
            loss.backward()
            for index, weight in enumerate(params.values()):
                update(index, weight.grad, weight)
            step += 1
            mean = loss.asscalar() / args.batch
            known += int((scores.asnumpy().argmax(1) == labels[chosen]).sum())
            if step % 10 == 0 or step == steps:
                history["loss"].append([step, float(mean)])
            progress.show(i + 1, mean)
        found = {
            "step": step,
            "train_accuracy": known / (per_epoch * args.batch),
            "test_accuracy": accuracy(*test, params),
            "seconds": time.monotonic() - began,
        }
        history["epochs"].append(found)
        print(
            f"epoch {epoch + 1}/{args.epochs}: training {found['train_accuracy']:.4f}, "
            f"test {found['test_accuracy']:.4f}, {found['seconds']:.0f} s",
            flush=True,
        )
    return params, history


def write(folder, params, history, test):
    """Writes the weights, the history and the mistakes; returns their paths."""
    images, labels = test
    probabilities = predict(images, params)
    guess = probabilities.argmax(1)
    wrong = np.flatnonzero(guess != labels)
    paths = [folder / name for name in ("lenet.params", "history.json", "mistakes.npz")]
    nd.save(paths[0], params)
    paths[1].write_text(json.dumps(history, indent=1))
    np.savez_compressed(
        paths[2],
        images=(images[wrong, 0] * 255).round().astype(np.uint8),
        truth=labels[wrong].astype(np.int64),
        predicted=guess[wrong],
        confidence=probabilities[wrong, guess[wrong]],
    )
    return paths


def main():
    """Reads the arguments, trains, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MNIST's IDX files")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.05, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--images", type=int, help="train with the first so many images only")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    mx.random.seed(args.seed)
    images, labels = load(args.data, "train")
    test = load(args.data, "t10k")
    data = (images[: args.images], labels[: args.images]), test
    print(f"LeNet on {len(data[0][0])} images, mxr {mx.__version__}", flush=True)
    params, history = train(args, data)
    paths = write(args.out, params, history, test)
    print(f"test accuracy: {history['epochs'][-1]['test_accuracy']:.4f}")
    for path in paths:
        print(os.path.relpath(path))


if __name__ == "__main__":
    main()
