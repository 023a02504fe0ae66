"""Planned mxr beside eager mxr and symbolic MXNet: time and peak memory of inference and training.

LeNet, ResNet-18 on pictures of 64 by 64, and an LSTM of two layers, each in a process of its own.
"""

import json
import os
import resource
import subprocess
import sys
import time

if "--quick" in sys.argv:
    os.environ["MXR_BENCH_QUICK"] = "1"
QUICK = os.environ.get("MXR_BENCH_QUICK") == "1"
ROUNDS = 3 if QUICK else 8


def lenet(F, p, x):
    for i, filters in enumerate([20, 50]):
        c = f"conv{i}"
        x = F.Convolution(
            x, p(f"{c}_weight"), p(f"{c}_bias"), kernel=(5, 5), num_filter=filters
        )
        x = F.Pooling(
            F.Activation(x, act_type="tanh"),
            pool_type="max",
            kernel=(2, 2),
            stride=(2, 2),
        )
    x = F.FullyConnected(x, p("fc0_weight"), p("fc0_bias"), num_hidden=500)
    x = F.FullyConnected(
        F.Activation(x, act_type="tanh"), p("fc1_weight"), p("fc1_bias"), num_hidden=10
    )
    return F.SoftmaxOutput(x, p("softmax_label"))


def resnet18(F, p, x):
    def conv(x, name, filters, kernel, stride):
        attrs = {
            "kernel": (kernel,) * 2,
            "stride": (stride,) * 2,
            "pad": (kernel // 2,) * 2,
        }
        x = F.Convolution(
            x, p(f"{name}_weight"), num_filter=filters, no_bias=True, **attrs
        )
        states = [p(f"{name}_{s}") for s in ("gamma", "beta", "mean", "var")]
        return F.BatchNorm(x, *states, fix_gamma=False)

    x = F.Activation(conv(x, "stem", 64, 3, 1), act_type="relu")
    for stage in range(4):
        for unit in range(2):
            n, f = f"s{stage}u{unit}", 64 << stage
            stride = 2 if stage and not unit else 1
            y = F.Activation(conv(x, n + "a", f, 3, stride), act_type="relu")
            y = conv(y, n + "b", f, 3, 1)
            x = conv(x, n + "c", f, 1, stride) if stride > 1 else x
            x = F.Activation(F.elemwise_add(x, y), act_type="relu")
    x = F.Pooling(x, pool_type="avg", global_pool=True, kernel=(1, 1))
    x = F.FullyConnected(F.Flatten(x), p("fc_weight"), p("fc_bias"), num_hidden=10)
    return F.SoftmaxOutput(x, p("softmax_label"))


HIDDEN, STEPS, LAYERS = 128, 20, 2


def lstm(F, p, x):
    steps = F.SliceChannel(x, num_outputs=STEPS, axis=1, squeeze_axis=True)
    states = [(p(f"l{i}_c"), p(f"l{i}_h")) for i in range(LAYERS)]
    for t in range(STEPS):
        x = steps[t]
        for i, (c, h) in enumerate(states):
            a = F.FullyConnected(
                x, p(f"l{i}_xw"), p(f"l{i}_xb"), num_hidden=4 * HIDDEN
            ) + F.FullyConnected(h, p(f"l{i}_hw"), p(f"l{i}_hb"), num_hidden=4 * HIDDEN)
            a = F.SliceChannel(a, num_outputs=4)
            c = F.sigmoid(a[1]) * c + F.sigmoid(a[0]) * F.tanh(a[2])
            x = F.sigmoid(a[3]) * F.tanh(c)
            states[i] = (c, x)
    x = F.FullyConnected(x, p("fc_weight"), p("fc_bias"), num_hidden=10)
    return F.SoftmaxOutput(x, p("softmax_label"))


NETS = {
    "LeNet": (lenet, {"data": (64, 1, 28, 28)}),
    "ResNet-18": (resnet18, {"data": (16, 3, 64, 64)}),
    "LSTM": (
        lstm,
        {"data": (32, STEPS, 64)}
        | {f"l{i}_{s}": (32, HIDDEN) for i in range(2) for s in "ch"},
    ),
}


def given(name):
    return name.endswith(("data", "label", "_c", "_h"))


def measured(package, net, training, planned):
    """Milliseconds of a run, and the bytes at the peak: of arrays for mxr, of the process for MXNet."""
    import importlib

    import numpy as np

    mx = importlib.import_module(package)
    build, shapes = NETS[net]
    variables = {}
    symbol = build(
        mx.sym, lambda n: variables.setdefault(n, mx.sym.var(n)), mx.sym.var("data")
    )
    names, states = symbol.list_arguments(), symbol.list_auxiliary_states()
    args, _, aux = symbol.infer_shape(**shapes)
    rng = np.random.default_rng(0)

    def array(name, shape):
        value = np.zeros(shape) if name.endswith("label") else rng.normal(0, 0.1, shape)
        return mx.nd.array(np.abs(value) if name.endswith("var") else value)

    arrays = {n: array(n, s) for n, s in zip(names, args)}
    aux = {n: array(n, s) for n, s in zip(states, aux)}
    request = {n: "write" if training and not given(n) else "null" for n in names}
    wanted = {n: mx.nd.zeros(arrays[n].shape) for n in names if request[n] == "write"}
    mx.nd.waitall()
    if planned:
        executor = symbol.bind(mx.cpu(), arrays, wanted, request, aux)

        def run():
            executor.forward(is_train=training)
            if training:
                executor.backward()
    else:
        mx.autograd.mark_variables([arrays[n] for n in wanted], list(wanted.values()))
        both = {**arrays, **aux}

        def run():
            if not training:
                return build(mx.nd, both.__getitem__, both["data"])
            with mx.autograd.record():
                out = build(mx.nd, both.__getitem__, both["data"])
            out.backward()

    times, kept = [], None
    for _ in range(ROUNDS):
        start = time.perf_counter()
        kept = run()
        mx.nd.waitall()
        times.append(time.perf_counter() - start)
    del kept
    if package == "mxr":
        parameters = sum(
            a.size * 4 for a in [*arrays.values(), *aux.values(), *wanted.values()]
        )
        peak = mx._core.memory_stats()[2] - parameters
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return min(times) * 1e3, peak


def main():
    for net in NETS:
        for training in [False, True]:
            what = f"{net}, {'training' if training else 'inference'}"
            ours = started("mxr", net, training, True)
            eager = started("mxr", net, training, False)
            report(what, ours[0], eager[0], "eager mxr, ms")
            report(what + ", memory", ours[1] / 1e6, eager[1] / 1e6, "eager mxr, MB")
            theirs = started("mxnet", net, training, True)
            report(what, ours[0], theirs[0], "MXNet 1.9.1 symbolic, ms")


def started(*what):
    """The measurement, in a process of its own."""
    python = (
        os.environ.get("MXR_BENCH_MXNET_PYTHON")
        if what[0] == "mxnet"
        else sys.executable
    )
    code = json.dumps(what)
    done = subprocess.run(
        [python, __file__, "--measure", code], capture_output=True, check=True
    )
    return json.loads(done.stdout.decode().strip().splitlines()[-1])


def report(name, ours, peer, peer_name):
    row = {
        "name": name,
        "mxr": ours,
        "peer": peer,
        "peer_name": peer_name,
        "threads": "all",
    }
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    if "--measure" in sys.argv:
        print(json.dumps(measured(*json.loads(sys.argv[-1]))))
    else:
        main()
