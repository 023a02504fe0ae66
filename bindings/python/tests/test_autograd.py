"""Automatic differentiation."""

import threading

import numpy as np
import pytest

import mxr as mx
from mxr import autograd, nd


def variable(*values):
    array = nd.array(values)
    array.attach_grad()
    return array


def test_backward_leaves_gradients():
    x = variable(1, 2, 3)
    with autograd.record():
        y = x * x
    y.backward()
    assert x.grad.asnumpy().tolist() == [2, 4, 6]


def test_out_grad_weighs_the_elements():
    x = variable(1, 2, 3)
    with autograd.record():
        y = x * x
    y.backward(nd.array([1, 10, 100]))
    assert x.grad.asnumpy().tolist() == [2, 40, 600]


def test_several_heads_add_up():
    x = variable(1, 2)
    with autograd.record():
        heads = [x * 2, x * x]
    autograd.backward(heads, [nd.array([1, 1]), None])
    assert x.grad.asnumpy().tolist() == [4, 6]


def test_write_replaces_and_add_accumulates():
    x, y = nd.array([1, 2]), nd.array([1, 2])
    x.attach_grad()
    y.attach_grad("add")
    for _ in range(3):
        with autograd.record():
            z = x * x + y * y
        z.backward()
    assert x.grad.asnumpy().tolist() == [2, 4]
    assert y.grad.asnumpy().tolist() == [6, 12]
    y.zero_grad()
    assert y.grad.asnumpy().tolist() == [0, 0]


def test_null_leaves_no_gradient():
    x = nd.array([1, 2])
    x.attach_grad("null")
    y = variable(3, 4)
    with autograd.record():
        z = x * y
    z.backward()
    assert x.grad.asnumpy().tolist() == [0, 0]
    assert y.grad.asnumpy().tolist() == [1, 2]


def test_an_array_without_attach_grad_has_no_gradient():
    assert nd.ones(2).grad is None


def test_scopes_nest_and_restore():
    assert not autograd.is_recording() and not autograd.is_training()
    with autograd.record():
        assert autograd.is_recording() and autograd.is_training()
        with autograd.pause():
            assert not autograd.is_recording() and not autograd.is_training()
            with autograd.train_mode():
                assert not autograd.is_recording() and autograd.is_training()
        with autograd.predict_mode():
            assert autograd.is_recording() and not autograd.is_training()
        assert autograd.is_recording() and autograd.is_training()
    with autograd.record(train_mode=False):
        assert autograd.is_recording() and not autograd.is_training()


def test_scopes_end_with_exceptions():
    with pytest.raises(KeyError), autograd.record():
        raise KeyError
    assert not autograd.is_recording()


def test_set_recording_returns_what_held_before():
    assert autograd.set_recording(True) is False
    assert autograd.set_recording(False) is True
    assert autograd.set_training(True) is False
    assert autograd.set_training(False) is True


def test_scopes_are_those_of_a_thread():
    seen = []
    with autograd.record():
        thread = threading.Thread(target=lambda: seen.append(autograd.is_recording()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_what_is_paused_or_detached_is_a_constant():
    x = variable(1, 2)
    with autograd.record():
        with autograd.pause():
            y = x * 2
        z = x * y + (x * x).detach()
    z.backward()
    assert x.grad.asnumpy().tolist() == [2, 4]


def test_a_graph_is_freed_unless_retained():
    x = variable(2)
    with autograd.record():
        y = x * x
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(mx.error.AutogradError, match="retain_graph"):
        y.backward()


def test_grad_gives_new_arrays_and_leaves_the_variables_alone():
    x = variable(3)
    with autograd.record():
        y = x * x * x
    found = autograd.grad(y, x)
    assert found.asscalar() == 27
    assert x.grad.asscalar() == 0
    with autograd.record():
        y = x * x
    assert autograd.grad([y], [x])[0].asscalar() == 6


def test_gradients_have_gradients():
    x = variable(1, 2, 3)
    with autograd.record():
        y = x * x * x
        first = autograd.grad(y, x, create_graph=True, retain_graph=True)
        again = first * first
    again.backward()
    values = x.asnumpy()
    np.testing.assert_allclose(x.grad.asnumpy(), 2 * (3 * values**2) * (6 * values))


def test_an_overwritten_value_is_an_error():
    x = variable(1, 2)
    with autograd.record():
        y = x * x
    x[:] = 5
    with pytest.raises(mx.error.AutogradError, match="overwritten"):
        y.backward()


def test_backward_of_what_was_not_recorded_is_an_error():
    with pytest.raises(mx.error.AutogradError):
        nd.ones(2).backward()


def test_mark_variables_takes_gradients_of_the_caller():
    x, g = nd.array([1, 2]), nd.zeros(2)
    autograd.mark_variables([x], [g])
    with autograd.record():
        y = x * 3
    y.backward()
    assert g.asnumpy().tolist() == [3, 3]


class Sigmoid(autograd.Function):
    """A function with a gradient of its own."""

    def forward(self, x):
        y = 1 / (1 + nd.exp(-x))
        self.save_for_backward(y)
        return y

    def backward(self, dy):
        (y,) = self.saved_tensors
        return dy * y * (1 - y)


def test_a_function_brings_its_own_gradient():
    x = variable(-1, 0, 2)
    with autograd.record():
        y = Sigmoid()(x) * 2
    y.backward()
    s = 1 / (1 + np.exp(-x.asnumpy()))
    np.testing.assert_allclose(x.grad.asnumpy(), 2 * s * (1 - s), rtol=1e-5)


def test_a_function_may_have_several_inputs_and_outputs():
    class Both(autograd.Function):
        def forward(self, a, b):
            return a + b, a * 2

        def backward(self, first, second):
            return first + second * 2, first

    a, b = variable(1, 2), variable(3, 4)
    with autograd.record():
        total, twice = Both()(a, b)
        z = total * 10 + twice
    z.backward()
    assert a.grad.asnumpy().tolist() == [12, 12]
    assert b.grad.asnumpy().tolist() == [10, 10]


def test_an_exception_in_backward_comes_out_as_it_is():
    class Broken(autograd.Function):
        def forward(self, x):
            return x * 1

        def backward(self, dy):
            raise LookupError("of my own")

    x = variable(1)
    with autograd.record():
        y = Broken()(x)
    with pytest.raises(LookupError, match="of my own"):
        y.backward()


def test_a_wrong_number_of_gradients_is_an_error():
    class Wrong(autograd.Function):
        def forward(self, x):
            return x * 1

        def backward(self, dy):
            return dy, dy

    x = variable(1)
    with autograd.record():
        y = Wrong()(x)
    with pytest.raises(ValueError, match="expected 1 gradient"):
        y.backward()


def test_what_a_function_keeps_goes_with_the_graph():
    import gc
    import weakref

    x = variable(1)
    with autograd.record():
        function = Sigmoid()
        y = function(x)
    gone = weakref.ref(function)
    del function, y
    nd.waitall()
    gc.collect()
    mx._core.poll_events()
    gc.collect()
    assert gone() is None


def test_a_recorded_computation_becomes_a_symbol_that_can_be_planned_and_bound():
    x, w, c = variable(1, 2), variable(3, 4), nd.array([5, 6])
    with autograd.record():
        y = nd.exp(x * w) * c
    symbol = autograd.get_symbol(y)
    assert symbol.list_arguments() == ["var0", "var1", "null2"]
    assert symbol.list_outputs() == ["node_2_output"]
    assert mx.plan(symbol, grad=True, var0=(2,), var1=(2,), null2=(2,)).flops > 0
    bound = symbol.bind(
        mx.cpu(), {"var0": x, "var1": w, "null2": c}, args_grad={"var0": nd.zeros(2)}
    )
    y.backward()
    assert bound.forward(is_train=True)[0].asnumpy().tobytes() == y.asnumpy().tobytes()
    bound.backward(nd.ones(2))
    assert bound.grad_dict["var0"].asnumpy().tobytes() == x.grad.asnumpy().tobytes()


def test_only_recorded_arrays_have_a_symbol():
    assert autograd.get_symbol(variable(1)).list_outputs() == ["var0"]
    with pytest.raises(mx.MXNetError, match="not part of a recorded graph"):
        autograd.get_symbol(nd.ones(1))
    with pytest.raises(TypeError, match="expected an NDArray"):
        autograd.get_symbol([variable(1)])


def test_the_gradient_of_a_compiled_call_can_be_differentiated():
    a = mx.sym.var("a")
    cube = nd.CachedOp(a * a * a)
    x = variable(2, -3)
    with autograd.record():
        slope = autograd.grad(cube(x), x, create_graph=True)
    slope.backward()
    assert slope.asnumpy().tolist() == [12, 27]
    assert x.grad.asnumpy().tolist() == [12, -18]
