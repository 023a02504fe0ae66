"""What MXNet 1.9.1's metrics, data iterators, stores, callbacks and modules give.

    make_training.py ../training.json
"""

import json
import logging
import math
import pathlib
import struct
import sys
import tempfile
import time

import mxnet as mx
import numpy as np

RNG = np.random.RandomState(7)


def plain(array):
    """An array as shape, dtype and elements."""
    array = array.asnumpy() if isinstance(array, mx.nd.NDArray) else array
    return {"shape": list(array.shape), "dtype": str(array.dtype), "data": array.ravel().tolist()}


def number(value):
    """A number as JSON has it."""
    return None if math.isnan(value) else float(value)


def told(pair):
    names, values = pair
    names, values = ([names], [values]) if isinstance(names, str) else (names, values)
    return [[name, number(value)] for name, value in zip(names, values)]


def classes(rows, count, labels=None):
    scores = RNG.rand(rows, count).astype("float32")
    labels = RNG.randint(0, count if labels is None else labels, rows).astype("float32")
    return labels, scores / scores.sum(1, keepdims=True)


def numbers(*shape):
    return RNG.randn(*shape).astype("float32"), RNG.randn(*shape).astype("float32")


def batches(make, count=3):
    return [[[part] for part in make()] for _ in range(count)]


def column():
    label, pred = numbers(6)
    return label, pred.reshape(6, 1)


def images():
    return RNG.randint(0, 3, (2, 4)).astype("float32"), RNG.rand(2, 3, 4).astype("float32")


def right_classes():
    return RNG.randint(0, 3, 5).astype("int32"), RNG.randint(0, 3, 5).astype("int32")


METRICS = [
    ("acc", {}, batches(lambda: classes(8, 4))),
    ("acc", {}, batches(images)),
    ("Accuracy", {"axis": -1, "name": "right"}, batches(lambda: classes(7, 3))),
    ("acc", {}, batches(right_classes)),
    ("top_k_accuracy", {"top_k": 3}, batches(lambda: classes(9, 6))),
    ("top_k_acc", {"top_k": 2}, batches(lambda: classes(4, 3))),
    ("f1", {}, batches(lambda: classes(8, 2))),
    ("f1", {"average": "micro"}, batches(lambda: classes(8, 2))),
    ("mcc", {}, batches(lambda: classes(8, 2))),
    ("mcc", {"average": "micro"}, batches(lambda: classes(8, 2))),
    ("mcc", {}, batches(lambda: classes(5, 2, 1))),
    ("perplexity", {"ignore_label": None}, batches(lambda: classes(8, 5))),
    ("perplexity", {"ignore_label": 0}, batches(lambda: classes(8, 5))),
    ("mae", {}, batches(lambda: numbers(4, 3))),
    ("mae", {}, batches(column)),
    ("mse", {}, batches(lambda: numbers(4, 3))),
    ("rmse", {}, batches(lambda: numbers(5))),
    ("ce", {}, batches(lambda: classes(8, 5))),
    ("cross-entropy", {"eps": 0.125}, batches(lambda: classes(8, 5))),
    ("nll_loss", {}, batches(lambda: classes(8, 5))),
    ("pearsonr", {}, batches(lambda: numbers(4, 3))),
    ("pearsonr", {"average": "micro"}, batches(lambda: numbers(4, 3))),
    ("pcc", {}, batches(lambda: classes(12, 4))),
    ("pcc", {}, batches(lambda: classes(12, 2))),
    ("loss", {}, batches(lambda: numbers(4, 3))),
    ("composite", {"metrics": ["acc", "ce"]}, batches(lambda: classes(6, 3))),
]


def metric(name, attrs, all_batches):
    """The values after each batch; the local ones begin again after the second."""
    made = mx.metric.create("CrossEntropy" if name == "cross-entropy" else name, **attrs)
    steps = []
    for i, (labels, preds) in enumerate(all_batches):
        made.update([mx.nd.array(x, dtype=x.dtype) for x in labels], [mx.nd.array(x, dtype=x.dtype) for x in preds])
        # MXNet keeps no global sums of correlations over all batches.
        keeps = not (name == "pearsonr" and attrs.get("average") == "micro")
        steps.append({"get": told(made.get()), "global": told(made.get_global()) if keeps else None})
        if i == 1 and keeps:
            made.reset_local()
    given = [[[plain(x) for x in labels], [plain(x) for x in preds]] for labels, preds in all_batches]
    name = "CrossEntropy" if name == "cross-entropy" else name
    return {"metric": name, "attrs": attrs, "batches": given, "steps": steps}


def epochs(iterator, count=3):
    out = []
    for _ in range(count):
        out.append([
            {"data": [plain(x) for x in b.data], "label": [plain(x) for x in b.label or []], "pad": b.pad}
            for b in iterator
        ])
        iterator.reset()
    return out


def described(descs):
    return [[d.name, list(d.shape), np.dtype(d.dtype).name, d.layout] for d in descs]


def iterator(kind, attrs, opened, **more):
    return {"iterator": kind, "attrs": attrs, "provide_data": described(opened.provide_data),
            "provide_label": described(opened.provide_label), "epochs": epochs(opened), **more}


def array_iterators():
    data = np.arange(20, dtype="float32").reshape(10, 2)
    label = np.arange(10, dtype="float32")
    out = []
    for size in (3, 5, 12, 25):
        for last in ("pad", "discard", "roll_over"):
            if last == "roll_over" and size > 10:
                continue
            attrs = {"batch_size": size, "last_batch_handle": last}
            opened = mx.io.NDArrayIter(data, label, **attrs)
            out.append(iterator("NDArrayIter", attrs, opened, data={"": plain(data)}, label={"": plain(label)}))
    named = {"b": data, "a": np.arange(30, dtype="int32").reshape(10, 3)}
    opened = mx.io.NDArrayIter({k: mx.nd.array(v, dtype=v.dtype) for k, v in named.items()}, batch_size=4)
    out.append(iterator("NDArrayIter", {"batch_size": 4}, opened, data={k: plain(v) for k, v in named.items()},
                        label={}))
    return out


def csv_iterators(folder):
    data, label = folder / "data.csv", folder / "label.csv"
    np.savetxt(data, np.arange(14).reshape(7, 2) / 4, delimiter=",", fmt="%g")
    np.savetxt(label, np.arange(7) * 10, fmt="%g")
    out = []
    for attrs, labelled in (({"batch_size": 3, "data_shape": [2]}, True),
                            ({"batch_size": 3, "data_shape": [2], "round_batch": False}, True),
                            ({"batch_size": 4, "data_shape": [2, 1]}, False)):
        given = {**attrs, "data_shape": tuple(attrs["data_shape"])}
        if labelled:
            given["label_csv"] = str(label)
        opened = mx.io.CSVIter(data_csv=str(data), **given)
        out.append(iterator("CSVIter", attrs, opened, data_csv=data.read_text(),
                            label_csv=label.read_text() if labelled else None))
    return out


def libsvm_iterators(folder):
    """Batches of CSRNDArrays as dense arrays."""
    data, label = folder / "data.libsvm", folder / "label.libsvm"
    data.write_text("1.5 0:0.5 2:1.25\n-2\n-3 0:0.625 1:2.5 2:1\n4 2:-1.25\n5 1:6e-1\n")
    label.write_text("9 0:1\n9 1:2\n9 0:3 1:4\n9\n9 1:-5\n")
    out = []
    for attrs, labelled in (({"batch_size": 3, "data_shape": [3]}, False),
                            ({"batch_size": 2, "data_shape": [3], "label_shape": [2]}, True)):
        given = {**attrs, "data_shape": (3,)}
        if labelled:
            given.update(label_libsvm=str(label), label_shape=(2,))
        opened = mx.io.LibSVMIter(data_libsvm=str(data), **given)
        out.append(iterator("LibSVMIter", attrs, opened, data_libsvm=data.read_text(),
                            label_libsvm=label.read_text() if labelled else None))
    return out


def mnist_iterators(folder):
    image, label = folder / "images", folder / "labels"
    image.write_bytes(struct.pack(">IIII", 2051, 10, 2, 3) + bytes(i * 4 for i in range(60)))
    label.write_bytes(struct.pack(">II", 2049, 10) + bytes(range(10)))
    out = []
    for flat in (False, True):
        attrs = {"batch_size": 4, "shuffle": False, "flat": flat, "silent": True}
        opened = mx.io.MNISTIter(image=str(image), label=str(label), **attrs)
        out.append(iterator("MNISTIter", attrs, opened, image=list(image.read_bytes()),
                            label_file=list(label.read_bytes())))
    return out


def stores():
    """Pulled values after pushes of lists of arrays."""
    out = []
    # Always as many: MXNet 1.9.1's store `device` crashes where a key gets more arrays than at first.
    pushed = [[RNG.randn(4).astype("float32") for _ in range(n)] for n in (2, 2, 2, 2)]
    cases = [("local", None, None), ("device", None, None), ("local", {"learning_rate": 0.125, "momentum": 0.75}, None),
             ("device", {"learning_rate": 0.125, "wd": 0.25}, None), ("device", None, 0.5)]
    for kind, sgd, threshold in cases:
        store = mx.kv.create(kind)
        if threshold:
            store.set_gradient_compression({"type": "2bit", "threshold": threshold})
        begin = np.ones(4, "float32")
        store.init("w", mx.nd.array(begin))
        if sgd:
            store.set_optimizer(mx.optimizer.SGD(**sgd))
        steps = []
        for values in pushed:
            store.push("w", [mx.nd.array(v) for v in values])
            got = mx.nd.zeros(4)
            store.pull("w", out=got)
            steps.append({"pushed": [v.tolist() for v in values], "pulled": got.asnumpy().tolist()})
        out.append({"store": kind, "sgd": sgd, "threshold": threshold, "begin": begin.tolist(), "steps": steps})
    return out


class Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def callbacks():
    """The lines of callbacks over two epochs of seven batches, a second each."""
    now = [100.0]
    real, time.time = time.time, lambda: now[0]
    lines, logger = Lines(), logging.getLogger()
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    out = []
    made = [
        ("Speedometer", {"batch_size": 20, "frequent": 3}, mx.callback.Speedometer(20, 3)),
        ("Speedometer", {"batch_size": 20, "frequent": 2, "auto_reset": False}, mx.callback.Speedometer(20, 2, False)),
        ("ProgressBar", {"total": 6, "length": 15}, mx.callback.ProgressBar(6, 15)),
        ("log_train_metric", {"period": 3}, mx.callback.log_train_metric(3)),
        ("log_train_metric", {"period": 2, "auto_reset": True}, mx.callback.log_train_metric(2, True)),
        ("LogValidationMetricsCallback", {}, mx.callback.LogValidationMetricsCallback()),
    ]
    for name, attrs, callback in made:
        told_lines = []
        for epoch in range(2):
            custom = mx.metric.CustomMetric(lambda label, pred: (float(label.sum()), 1), name="sum")
            for batch in range(7):
                custom.update([mx.nd.array([batch])], [mx.nd.array([0])])
                now[0] += 1.0
                lines.lines = []
                callback(mx.model.BatchEndParam(epoch, batch, custom, None))
                told_lines.append(list(lines.lines))
        out.append({"callback": name, "attrs": attrs, "lines": told_lines})
    time.time = real
    logger.removeHandler(lines)
    return out


def network():
    data = mx.sym.var("data")
    weight = mx.sym.var("fc1_weight", lr_mult=0.5)
    hidden = mx.sym.FullyConnected(data, weight, num_hidden=5, no_bias=True, name="fc1")
    hidden = mx.sym.BatchNorm(hidden, gamma=mx.sym.var("bn_gamma", wd_mult=3.0), name="bn", fix_gamma=False)
    hidden = mx.sym.Activation(hidden, act_type="relu", name="relu")
    return mx.sym.SoftmaxOutput(mx.sym.FullyConnected(hidden, num_hidden=3, name="fc2"), name="softmax")


def modules():
    """Parameters and metrics after each epoch, and the predictions, which leave the padding out.

    An optimizer is named to the module, or `given` as an object; that one changes all parameters alike.
    """
    symbol = network()
    data, labels = RNG.randn(22, 4).astype("float32"), RNG.randint(0, 3, 22).astype("float32")
    shapes, _, aux = symbol.infer_shape(data=(6, 4))
    begin = {n: (RNG.randn(*s) / 2).astype("float32")
             for n, s in zip(symbol.list_arguments(), shapes) if n not in ("data", "softmax_label")}
    states = {n: np.full(s, float("var" in n), "float32") for n, s in zip(symbol.list_auxiliary_states(), aux)}
    cases = []
    for devices, store, optimizer, attrs, given in (
        (1, "local", "sgd", {"learning_rate": 0.5, "momentum": 0.5, "wd": 0.01}, False),
        (2, "local", "sgd", {"learning_rate": 0.5, "momentum": 0.5, "wd": 0.01}, False),
        (2, "device", "adam", {"learning_rate": 0.05}, False),
        (2, None, "sgd", {"learning_rate": 0.25}, False),
        (1, "local", "sgd", {"learning_rate": 0.5, "wd": 0.5, "rescale_grad": 1 / 6}, True),
        (2, "local", "sgd", {"learning_rate": 0.5, "wd": 0.5, "rescale_grad": 1 / 6}, True),
        (2, None, "adam", {"learning_rate": 0.05, "wd": 0.2, "rescale_grad": 1 / 6}, True),
    ):
        train = mx.io.NDArrayIter(data, labels, batch_size=6)
        module = mx.mod.Module(symbol, context=[mx.cpu(i) for i in range(devices)])
        module.bind(train.provide_data, train.provide_label)
        wrap = lambda values: {n: mx.nd.array(v) for n, v in values.items()}  # noqa: E731
        module.init_params(arg_params=wrap(begin), aux_params=wrap(states))
        made = mx.optimizer.create(optimizer, **attrs) if given else optimizer
        module.init_optimizer(store, made, () if given else tuple(attrs.items()))
        metric, after = mx.metric.create(["acc", "ce"]), []
        for _ in range(3):
            train.reset()
            metric.reset()
            for batch in train:
                module.forward_backward(batch)
                module.update()
                module.update_metric(metric, batch.label)
            arguments, auxiliary = module.get_params()
            after.append({"metric": told(metric.get()),
                          "params": {n: v.asnumpy().ravel().tolist() for n, v in {**arguments, **auxiliary}.items()}})
        cases.append({"devices": devices, "store": store, "optimizer": optimizer, "attrs": attrs, "given": given,
                      "epochs": after, "predicted": plain(module.predict(train))})
    return {"symbol": symbol.tojson(), "data": plain(data), "label": plain(labels),
            "begin": {n: plain(v) for n, v in {**begin, **states}.items()}, "cases": cases}


def main(path):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        made = {
            "metrics": [metric(*case) for case in METRICS],
            "iterators": array_iterators() + csv_iterators(folder) + libsvm_iterators(folder)
            + mnist_iterators(folder),
            "stores": stores(),
            "callbacks": callbacks(),
            "module": modules(),
        }
    pathlib.Path(path).write_text(json.dumps(made, separators=(",", ":")) + "\n")


main(sys.argv[1])
