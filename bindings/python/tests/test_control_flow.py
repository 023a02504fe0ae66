"""Loops and branches, over symbols and over arrays, against what MXNet 1.9.1 gives."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import mxr as mx

GRAPHS = Path(__file__).parents[3] / "tests" / "conformance" / "graphs"
sys.path.insert(0, str(GRAPHS))

import control_programs

EXPECTED = json.loads((GRAPHS / "control.json").read_text())
RUNS = [
    pytest.param(program, run, id=f"{program.__name__}-{i}")
    for program in control_programs.INPUTS
    for i, run in enumerate(EXPECTED[program.__name__])
]

MODES = [mx.sym, mx.nd]


def array(told):
    return mx.nd.array(np.reshape(told["data"], told["shape"]), dtype="float64")


def assert_same(got, told, what):
    np.testing.assert_allclose(
        got.asnumpy(), np.reshape(told["data"], told["shape"]), 1e-9, 1e-12, err_msg=what
    )


def check(run, outputs, inputs, gradients):
    for i, (got, want) in enumerate(zip(outputs, run["outputs"])):
        assert_same(got, want, f"output {i}")
    for name, want in run["gradients"].items():
        assert_same(gradients[name], want, f"gradient of {name}")
    for name, got in inputs.items():
        assert_same(got, run["changed"].get(name, run["inputs"][name]), f"{name} afterwards")


@pytest.mark.parametrize(("program", "run"), RUNS)
def test_a_symbol_gives_mxnets_outputs_gradients_and_states(program, run):
    symbol = control_programs.composed(mx, program)
    inputs = {name: array(told) for name, told in run["inputs"].items()}
    gradients = {name: mx.nd.zeros_like(a) for name, a in inputs.items()}
    executor = symbol.bind(mx.cpu(), inputs, gradients)
    outputs = executor.forward(is_train=True)
    executor.backward([array(head) for head in run["heads"]])
    check(run, outputs, inputs, gradients)


@pytest.mark.parametrize(("program", "run"), RUNS)
def test_arrays_give_mxnets_outputs_gradients_and_states(program, run):
    inputs = {name: array(told) for name, told in run["inputs"].items()}
    for name in run["gradients"]:
        inputs[name].attach_grad()
    with mx.autograd.record():
        outputs = control_programs.flat(program(mx.nd, inputs.__getitem__))
    mx.autograd.backward(outputs, [array(head) for head in run["heads"]])
    check(run, outputs, inputs, {name: inputs[name].grad for name in run["gradients"]})


@pytest.mark.parametrize("program", control_programs.INPUTS, ids=lambda p: p.__name__)
def test_symbols_have_mxnets_arguments_and_outputs_and_survive_a_file(program, tmp_path):
    symbol = control_programs.composed(mx, program)
    theirs = mx.sym.load(GRAPHS / "files" / f"control_{program.__name__}.json")
    assert symbol.list_arguments() == theirs.list_arguments()
    assert symbol.list_outputs() == theirs.list_outputs()
    assert symbol.list_auxiliary_states() == []
    symbol.save(tmp_path / "loop.json")
    assert mx.sym.load(tmp_path / "loop.json").tojson() == symbol.tojson()


def test_a_body_makes_variables_of_its_own_arguments_of_the_loop():
    def step(x, s):
        h = mx.sym.FullyConnected(x + s, num_hidden=3, name="cell")
        return h, h

    outs, _ = mx.sym.contrib.foreach(step, mx.sym.var("x"), mx.sym.var("s"))
    assert outs.list_arguments() == ["x", "s", "cell_weight", "cell_bias"]
    shapes, outputs, _ = outs.infer_shape(x=(5, 2, 3), s=(2, 3))
    assert dict(zip(outs.list_arguments(), shapes))["cell_weight"] == (3, 3)
    assert outputs == [(5, 2, 3)]


def test_loops_are_nested_as_data_and_states_are():
    x, s = mx.sym.var("x"), mx.sym.var("s")
    outs, states = mx.sym.contrib.foreach(
        lambda rows, states: ([rows[0]], [states[0] + rows[0]]), [x], [s]
    )
    assert isinstance(outs, list) and isinstance(states, list)
    outs, states = mx.sym.contrib.foreach(lambda x, s: ([], x + s), x, s)
    assert outs == [] and isinstance(states, mx.sym.Symbol)


def test_no_rows_give_the_first_states():
    outs, last = mx.sym.contrib.foreach(
        lambda x, s: (x + s, x + s), mx.sym.var("x"), mx.sym.var("s")
    )
    executor = mx.sym.Group([outs, last]).bind(
        mx.cpu(), {"x": mx.nd.zeros((0, 2)), "s": mx.nd.array([3, 4])}
    )
    none, last = executor.forward()
    assert none.shape == (0, 2)
    assert last.asnumpy().tolist() == [3, 4]


def start(F):
    return (
        (mx.sym.var("x"), mx.sym.var("s")) if F is mx.sym else (mx.nd.ones((3, 2)), mx.nd.ones(2))
    )


@pytest.mark.parametrize("F", MODES, ids=["sym", "nd"])
def test_states_that_are_nested_otherwise_are_refused(F):
    x, s = start(F)
    with pytest.raises(mx.base.InvalidValueError, match="states"):
        F.contrib.foreach(lambda x, s: (x, [s, s]), x, s)
    with pytest.raises(mx.base.InvalidValueError, match="loop_vars"):
        F.contrib.while_loop(lambda s: s.sum() < 9, lambda s: ([], [s, s]), [s], max_iterations=2)


@pytest.mark.parametrize("F", MODES, ids=["sym", "nd"])
def test_what_is_no_symbol_or_array_is_refused(F):
    x, s = start(F)
    with pytest.raises(mx.base.InvalidTypeError):
        F.contrib.foreach(lambda x, s: (x, s), 3, s)
    with pytest.raises(mx.base.InvalidTypeError):
        F.contrib.foreach(lambda x, s: (3, s), x, s)
    with pytest.raises(mx.base.InvalidTypeError):
        F.contrib.while_loop(lambda s: s.sum(), lambda s: ([], 3), [s], max_iterations=2)


@pytest.mark.parametrize("F", MODES, ids=["sym", "nd"])
def test_a_while_loop_needs_a_number_of_steps_and_variables(F):
    _, s = start(F)
    with pytest.raises(mx.base.InvalidValueError, match="max_iterations"):
        F.contrib.while_loop(lambda s: s, lambda s: (s, s), [s])
    with pytest.raises(mx.base.InvalidValueError, match="loop_vars"):
        F.contrib.while_loop(lambda: 1, lambda: ([], []), [], max_iterations=2)


def test_branches_of_other_numbers_of_outputs_are_refused():
    x = mx.sym.var("x")
    with pytest.raises(mx.base.InvalidValueError, match="nested alike"):
        mx.sym.contrib.cond(x.sum() < 1, lambda: x, lambda: [x, x])


def test_branches_and_states_of_other_shapes_are_refused():
    x, s = mx.sym.var("x"), mx.sym.var("s")
    chosen = mx.sym.contrib.cond(x.sum() < 1, lambda: x, lambda: mx.sym.concat(x, x, dim=0))
    with pytest.raises(mx.base.ShapeError, match="both branches"):
        chosen.infer_shape(x=(3,))
    _, last = mx.sym.contrib.foreach(lambda x, s: ([], mx.sym.concat(x, s, dim=0)), x, s)
    with pytest.raises(mx.base.ShapeError, match="must not change the shape of a state"):
        last.infer_shape(x=(4, 2), s=(2,))


def test_rows_and_states_that_the_body_does_not_read_are_refused():
    x, s = mx.sym.var("x"), mx.sym.var("s")
    with pytest.raises(mx.base.InvalidValueError, match="not read"):
        mx.sym.contrib.foreach(lambda x, s: ([], s + 1), x, s)


def test_a_condition_of_several_elements_is_refused():
    s = mx.sym.var("s")
    _, last = mx.sym.contrib.while_loop(lambda s: s < 3, lambda s: ([], s + 1), s, max_iterations=4)
    with pytest.raises(mx.base.ShapeError, match="one element"):
        last.infer_shape(s=(2,))


def test_a_while_loop_of_no_steps_is_refused():
    s = mx.sym.var("s")
    with pytest.raises(mx.base.InvalidValueError, match="max_iterations"):
        mx.sym.contrib.while_loop(lambda s: s, lambda s: (s, s), [s], max_iterations=0)


def test_steps_with_other_numbers_of_outputs_are_refused():
    x, s = mx.nd.ones((2, 2)), mx.nd.zeros(2)
    with pytest.raises(mx.base.InvalidValueError, match="as many in each step"):
        mx.nd.contrib.foreach(lambda x, s: ([x] * (1 + int(s[0].asscalar())), s + 1), x, s)
