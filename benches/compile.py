"""How long compiling takes: the training graph of a residual network of 250 to 2,000 layers, without a budget and with
an eighth of its memory, for pictures of 224 x 224 in batches of 32. Nothing runs. The peer of each depth is the one
before it, in proportion to the layers: a ratio of 1 is linear."""

import json
import sys
import time

import mxr as mx

DEPTHS = [250, 500, 1000] if "--quick" in sys.argv else [250, 500, 1000, 2000]


def unit(h, name, filters, stride):
    """Batch normalisation, rectifier and convolution, twice, beside the identity (He et al., 2016)."""
    y, shortcut = h, h
    for part, step in (("a", stride), ("b", 1)):
        y = mx.sym.BatchNorm(y, fix_gamma=False, name=f"{name}{part}_bn")
        y = mx.sym.Activation(y, act_type="relu")
        if part == "a" and stride > 1:
            shortcut = mx.sym.Convolution(y, num_filter=filters, kernel=(1, 1), stride=(stride, stride), no_bias=True)
        shape = {"kernel": (3, 3), "stride": (step, step), "pad": (1, 1)}
        y = mx.sym.Convolution(y, num_filter=filters, no_bias=True, name=f"{name}{part}", **shape)
    return y + shortcut


def residual(layers):
    """A network of about so many convolutions in four stages."""
    h = mx.sym.Convolution(mx.sym.var("data"), num_filter=16, kernel=(7, 7), stride=(2, 2), pad=(3, 3), no_bias=True)
    for stage in range(4):
        for i in range(layers // 8):
            h = unit(h, f"s{stage}u{i}", 16 << stage, 2 if i == 0 and stage > 0 else 1)
    h = mx.sym.Pooling(mx.sym.Activation(h, act_type="relu"), global_pool=True, kernel=(1, 1), pool_type="avg")
    return mx.sym.SoftmaxOutput(mx.sym.FullyConnected(h, num_hidden=1000), name="softmax")


def timed(net, shapes, budget):
    """A plan and the milliseconds that it took."""
    start = time.perf_counter()
    plan = mx.plan(net, budget=budget, **shapes)
    return plan, (time.perf_counter() - start) * 1e3


def main():
    before = {}
    for layers in DEPTHS:
        net, shapes = residual(layers), {"data": (32, 3, 224, 224), "softmax_label": (32,)}
        all_kept, ms = timed(net, shapes, None)
        peak = all_kept.peak_bytes
        report(before, layers, f"{peak / 1e9:.1f} GB", "without a budget", ms)
        plan, ms = timed(net, shapes, peak // 8)
        report(before, layers, f"{plan.peak_bytes / 1e9:.1f} of {peak / 1e9:.1f} GB", "with a budget", ms)


def report(before, layers, memory, kind, ms):
    """A line of the table, beside the depth before this one."""
    line = {"name": f"compiling {layers} layers {kind}, {memory}", "mxr": ms, "threads": 1}
    if kind in before:
        fewer, less = before[kind]
        line |= {"peer": less * layers / fewer, "peer_name": f"{fewer} layers, in proportion"}
    print(json.dumps(line), flush=True)
    before[kind] = (layers, ms)


if __name__ == "__main__":
    main()
