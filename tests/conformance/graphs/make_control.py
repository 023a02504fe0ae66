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

from control_programs import INPUTS, branch, composed, cumsum, early, flat, lists, loop_in_loop, rnn

HERE = pathlib.Path(__file__).parent


def told(array):
    return {"shape": list(array.shape), "data": array.asnumpy().ravel().tolist()}


def filled(name, given, rng):
    if isinstance(given, list):
        return mx.nd.array(given, dtype="float64")
    values = rng.integers(-16, 17, given) / 16
    return mx.nd.array(np.abs(values) + 0.5 if name.endswith("var") else values, dtype="float64")


# The steps of while loops: MXNet does not fill the rows of others.
STEPS = {early: lambda inputs: int(inputs["end"].asscalar()), loop_in_loop: lambda inputs: 2}
# What MXNet's symbols can run.
RUNS = [rnn, cumsum, lists, early, branch]


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
    if make in STEPS:
        outputs[0][STEPS[make](inputs) :] = 0
    if make in RUNS:
        check(symbol, inputs, outputs, STEPS[make](inputs) if make in STEPS else None)
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
    for make, runs in INPUTS.items():
        symbol = composed(mx, make)
        file = HERE / "files" / f"control_{make.__name__}"
        file.with_suffix(".json").write_text(symbol.tojson())
        file.with_suffix(".out").write_text(mx.sym.load_json(symbol.tojson()).tojson())
        results[make.__name__] = [run(make, symbol, shapes, rng) for shapes in runs]
    (HERE / "control.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
