"""Makes the fixtures of control flow beside this script with MXNet 1.9.1.

    PYTHON_WITH_MXNET make_control.py

* files/control_NAME.json: symbols with loops and branches as MXNet writes them; files/control_NAME.out: what it
  writes after loading them.
* control.json: for each name inputs, outputs, head gradients and gradients in double precision, and what training
  leaves in the states of batch normalisation. They come from MXNet's loops over arrays, since its symbols cannot run
  branches and while loops inside loops, nor go back through batch normalisation in one; others must agree.
"""

import json
import pathlib

import mxnet as mx
import numpy as np

HERE = pathlib.Path(__file__).parent

# Each takes mx.sym or mx.nd and a function that gives a variable or an array by its name.


def rnn(F, v):
    def step(row, state):
        both = F.concat(row, state, dim=1)
        out = F.tanh(F.FullyConnected(both, v("weight"), v("bias"), num_hidden=3))
        return out * v("scale"), out

    return F.contrib.foreach(step, v("data"), v("state"))


def cumsum(F, v):
    return F.contrib.foreach(lambda x, s: (x + s, x + s), v("x"), v("s"))


def lists(F, v):
    def step(rows, states):
        a, b = rows
        s, (t, u) = states
        return [a * s + u, b - t], [s + b, [t * a, u]]

    return F.contrib.foreach(step, [v("a"), v("b")], [v("s"), [v("t"), v("u")]])


def norm(F, v):
    names = ["gamma", "beta", "moving_mean", "moving_var"]

    def step(x, s):
        y = F.BatchNorm(x, *map(v, names), fix_gamma=False, momentum=0.75)
        return y * s, s + y

    return F.contrib.foreach(step, v("x"), v("s"))


def early(F, v):
    w, end = v("w"), v("end")
    return F.contrib.while_loop(
        lambda i, s: i.sum() < end.sum(),
        lambda i, s: ([s * i + w], [i + 1, s * w]),
        [v("i"), v("s")],
        max_iterations=5,
    )


def branch(F, v):
    x, y = v("x"), v("y")
    return F.contrib.cond(x.sum() < y.sum(), lambda: x * x + 1, lambda: x * y)


def nested(F, v):
    w = v("w")

    def outer(row, state):
        outs, last = F.contrib.foreach(lambda x, s: (x * s, s + x * w), row, state)
        chosen = F.contrib.cond(last.sum() > 2, lambda: last * 0.5, lambda: last * w)
        return outs, chosen

    return F.contrib.foreach(outer, v("x"), v("s"))


def loop_in_loop(F, v):
    w = v("w")

    def outer(i, s):
        outs, last = F.contrib.while_loop(
            lambda j, t: j < 3,
            lambda j, t: ([t + j], [j + 1, t * w]),
            [F.zeros_like(i), s],
            max_iterations=4,
        )
        return [outs[0].sum() * s], [i + 1, last[1]]

    return F.contrib.while_loop(lambda i, s: i < 2, outer, [v("i"), v("s")], max_iterations=3)


CASES = {
    rnn: [
        {"data": (4, 2, 2), "state": (2, 3), "scale": (2, 3), "weight": (3, 5), "bias": (3,)},
    ],
    cumsum: [{"x": (5, 3), "s": (3,)}, {"x": (1, 3), "s": (3,)}],
    lists: [{"a": (3, 2), "b": (3, 2), "s": (2,), "t": (2,), "u": (2,)}],
    norm: [
        {
            "x": (3, 4, 2),
            "s": (4, 2),
            "gamma": (2,),
            "beta": (2,),
            "moving_mean": (2,),
            "moving_var": (2,),
        }
    ],
    early: [
        {"i": [0.0], "s": [1.5], "w": [0.5], "end": [3.0]},
        {"i": [0.0], "s": [1.5], "w": [0.5], "end": [9.0]},
    ],
    branch: [{"x": [1.0, 2.0], "y": [2.0, 3.0]}, {"x": [4.0, 2.0], "y": [2.0, 3.0]}],
    nested: [{"x": (3, 2, 2), "s": (2,), "w": (2,)}],
    loop_in_loop: [{"i": [0.0], "s": [1.5], "w": [0.75]}],
}


def told(array):
    return {"shape": list(array.shape), "data": array.asnumpy().ravel().tolist()}


def filled(name, given, rng):
    if isinstance(given, list):
        return mx.nd.array(given, dtype="float64")
    values = rng.integers(-16, 17, given) / 16
    return mx.nd.array(np.abs(values) + 0.5 if name.endswith("var") else values, dtype="float64")


def flat(parts):
    return [f for p in parts for f in flat(p)] if isinstance(parts, (list, tuple)) else [parts]


def composed(make):
    variables = {}

    def variable(name):
        return variables.setdefault(name, mx.sym.var(name))

    with mx.name.NameManager():
        parts = flat(make(mx.sym, variable))
    return parts[0] if len(parts) == 1 else mx.sym.Group(parts)


# What MXNet's symbols can run, and of how many rows: it leaves those of steps that a while loop did not take as they are.
ROWS = {
    rnn: lambda inputs: None,
    cumsum: lambda inputs: None,
    lists: lambda inputs: None,
    early: lambda inputs: int(inputs["end"].asscalar()),
    branch: lambda inputs: None,
}


def check(symbol, inputs, outputs, rows):
    executor = symbol.bind(mx.cpu(), {n: a.astype("float32") for n, a in inputs.items()})
    for ours, theirs in zip(outputs, executor.forward(is_train=True)):
        assert np.allclose(ours[:rows].asnumpy(), theirs[:rows].asnumpy(), 1e-4, 1e-5), symbol


def run(make, symbol, shapes, rng):
    inputs = {name: filled(name, given, rng) for name, given in shapes.items()}
    assert set(inputs) == set(symbol.list_arguments()), symbol.list_arguments()
    before = {name: told(array) for name, array in inputs.items()}
    for name, array in inputs.items():
        if "moving" not in name:
            array.attach_grad()
    with mx.autograd.record():
        outputs = flat(make(mx.nd, inputs.__getitem__))
        heads = [filled("head", o.shape, rng) for o in outputs]
    if make in ROWS:
        check(symbol, inputs, outputs, ROWS[make](inputs))
    mx.autograd.backward(outputs, heads)
    mx.nd.waitall()
    return {
        "inputs": before,
        "outputs": [told(o) for o in outputs],
        "heads": [told(h) for h in heads],
        "gradients": {n: told(a.grad) for n, a in inputs.items() if a.grad is not None},
        "changed": {n: told(a) for n, a in inputs.items() if told(a) != before[n]},
    }


def main():
    rng = np.random.default_rng(7)
    results = {}
    for make, runs in CASES.items():
        symbol = composed(make)
        file = HERE / "files" / f"control_{make.__name__}"
        file.with_suffix(".json").write_text(symbol.tojson())
        file.with_suffix(".out").write_text(mx.sym.load_json(symbol.tojson()).tojson())
        results[make.__name__] = [run(make, symbol, shapes, rng) for shapes in runs]
    (HERE / "control.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
