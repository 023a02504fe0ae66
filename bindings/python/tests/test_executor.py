"""Executors, plans and compiled calls."""

import io

import numpy as np
import pytest

import mxr as mx


def layer():
    """x · w + b with two hidden units."""
    return mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=2, name="fc")


def arrays():
    return {
        "x": mx.nd.array([[1, 2, 3], [4, 5, 6]]),
        "fc_weight": mx.nd.array([[1, 0, -1], [0.5, 0.5, 0.5]]),
        "fc_bias": mx.nd.array([1, -1]),
    }


EXPECTED = [[-1, 2], [-1, 6.5]]


def test_eval_gives_the_outputs():
    (y,) = layer().eval(ctx=mx.cpu(), **arrays())
    assert np.array_equal(y.asnumpy(), EXPECTED)


@pytest.mark.parametrize("as_dict", [True, False])
def test_bind_takes_lists_and_dicts_and_leaves_gradients(as_dict):
    values = arrays()
    gradients = {name: mx.nd.ones(value.shape) for name, value in values.items()}
    if not as_dict:
        values, gradients = list(values.values()), list(gradients.values())
    executor = layer().bind(mx.cpu(), values, gradients, grad_req="write")
    (y,) = executor.forward(is_train=True)
    executor.backward(mx.nd.array([[1, 0], [0, 1]]))
    assert np.array_equal(y.asnumpy(), EXPECTED)
    assert np.array_equal(executor.grad_dict["fc_weight"].asnumpy(), [[1, 2, 3], [4, 5, 6]])
    assert np.array_equal(executor.grad_arrays[0].asnumpy(), [[1, 0, -1], [0.5, 0.5, 0.5]])
    assert executor.output_dict["fc_output"] is executor.outputs[0]


def test_requests_are_given_for_each_argument():
    grad_req = {"x": "null", "fc_weight": "add", "fc_bias": "write"}
    executor = layer().simple_bind(mx.cpu(), grad_req, x=(2, 3))
    executor.copy_params_from(arrays())
    for _ in range(2):
        executor.forward(is_train=True)
        executor.backward([mx.nd.ones((2, 2))])
    assert executor.grad_dict["x"] is None
    assert np.array_equal(executor.grad_dict["fc_weight"].asnumpy(), [[10, 14, 18]] * 2)
    assert np.array_equal(executor.grad_dict["fc_bias"].asnumpy(), [2, 2])


def test_forward_takes_new_data():
    executor = layer().simple_bind(mx.cpu(), "null", x=(1, 3))
    executor.copy_params_from({k: v for k, v in arrays().items() if k != "x"})
    (y,) = executor.forward(x=np.array([[1, 2, 3]]))
    assert np.array_equal(y.asnumpy(), EXPECTED[:1])
    executor.forward(x=mx.nd.array([[4, 5, 6]]))
    assert np.array_equal(y.asnumpy(), EXPECTED[1:])
    with pytest.raises(mx.base.InvalidValueError, match="expected shape"):
        executor.forward(x=mx.nd.ones((2, 3)))
    with pytest.raises(mx.base.NotFoundError, match="'z'"):
        executor.forward(z=mx.nd.ones((2, 3)))


def test_auxiliary_states_move_in_training():
    net = mx.sym.BatchNorm(mx.sym.var("x"), fix_gamma=False, name="bn", momentum=0.5)
    executor = net.simple_bind(mx.cpu(), x=(4, 1))
    executor.arg_dict["x"][:] = mx.nd.array([[1], [2], [3], [4]])
    executor.arg_dict["bn_gamma"][:] = 1
    executor.forward(is_train=True)
    executor.backward(mx.nd.ones((4, 1)))
    assert executor.aux_dict["bn_moving_mean"].asscalar() == pytest.approx(1.25)
    with pytest.raises(mx.base.InvalidValueError, match="no variable 'other'"):
        executor.copy_params_from({}, {"other": mx.nd.ones((1,))})


def test_reshape_shares_parameters():
    executor = layer().simple_bind(mx.cpu(), x=(2, 3))
    smaller = executor.reshape(x=(1, 3))
    assert smaller.outputs[0].shape == (1, 2)
    executor.arg_dict["fc_bias"][:] = 7
    assert np.array_equal(smaller.forward()[0].asnumpy(), [[7, 7]])
    with pytest.raises(mx.MXNetError, match="allow_up_sizing"):
        executor.reshape(x=(5, 3))
    assert executor.reshape(allow_up_sizing=True, x=(5, 3)).outputs[0].shape == (5, 2)
    with pytest.raises(mx.base.InvalidValueError, match="partial_shaping"):
        executor.reshape(x=(2, 2))


def test_a_monitor_sees_every_operator():
    net = mx.sym.exp(layer(), name="e")
    executor = net.bind(mx.cpu(), arrays())
    seen = []
    executor.set_monitor_callback(lambda name, value: seen.append((name, value.shape)))
    executor.forward()
    assert seen == [("fc_output", (2, 2)), ("e_output", (2, 2))]
    executor.set_monitor_callback(None)
    executor.forward()
    assert len(seen) == 2


def test_misuse_is_told():
    executor = layer().simple_bind(mx.cpu(), x=(2, 3))
    with pytest.raises(mx.MXNetError, match="is_train=True"):
        executor.backward()
    executor.forward(is_train=True)
    with pytest.raises(mx.MXNetError, match="make_loss"):
        executor.backward()
    with pytest.raises(mx.base.InvalidValueError, match="grad_req"):
        layer().simple_bind(mx.cpu(), "maybe", x=(2, 3))
    with pytest.raises(mx.base.InvalidValueError, match="'fc_bias' is missing"):
        layer().bind(mx.cpu(), {k: v for k, v in arrays().items() if k != "fc_bias"})


def deep(layers=12):
    x = mx.sym.var("data")
    for i in range(layers):
        x = mx.sym.Activation(
            mx.sym.FullyConnected(x, num_hidden=64, name=f"fc{i}"), act_type="tanh"
        )
    return mx.sym.SoftmaxOutput(x, name="softmax")


def test_a_plan_is_made_without_running_and_meets_a_budget():
    net = deep()
    free = mx.plan(net, data=(128, 64))
    least = mx.plan(net, budget="least", data=(128, 64))
    assert least.peak_bytes < free.peak_bytes < free.unplanned_bytes
    assert free.again_flops == 0 < least.again_flops
    budget = (least.peak_bytes + free.peak_bytes) // 2
    assert mx.plan(net, budget=budget, data=(128, 64)).peak_bytes <= budget
    assert "FullyConnected" in str(free) and free.steps > 0
    prediction = mx.plan(net, grad=False, data=(128, 64))
    assert prediction.parameter_bytes < free.parameter_bytes
    for wrong in [0, -1, "most", True]:
        with pytest.raises(mx.base.InvalidValueError, match="budget"):
            mx.plan(net, budget=wrong, data=(128, 64))
    with pytest.raises(mx.MXNetError, match="budget"):
        mx.plan(net, budget=1000, data=(128, 64))


def test_a_budget_changes_no_result():
    results = []
    for budget in [None, "least"]:
        executor = deep().simple_bind(mx.cpu(), budget=budget, data=(32, 64))
        mx.random.seed(3)
        for name, value in executor.arg_dict.items():
            if name != "softmax_label":
                value[:] = mx.nd.random.uniform(-0.2, 0.2, value.shape)
        executor.forward(is_train=True)
        executor.backward()
        results.append([executor.outputs[0], *executor.grad_arrays])
    for a, b in zip(*results):
        assert np.array_equal(a.asnumpy(), b.asnumpy())


def test_repeating_is_listed_and_can_be_switched_off():
    net = mx.sym.var("data")
    for i in range(8):
        net = mx.sym.FullyConnected(net, num_hidden=256, no_bias=True, name=f"fc{i}")
        net = mx.sym.Activation(net + net * net, act_type="softsign")
    net = mx.sym.SoftmaxOutput(net, name="softmax")
    listed = mx.plan(net, data=(512, 256))
    kept = mx.plan(net, passes={"repeat": False}, data=(512, 256))
    assert listed.choices[0].startswith("calls repeated")
    assert kept.choices == []
    assert listed.peak_bytes < kept.peak_bytes and kept.again_flops == 0


def convolution_and_norm():
    return mx.sym.BatchNorm(mx.sym.Convolution(mx.sym.var("x"), kernel=(1, 1), num_filter=2))


def test_folding_is_listed_and_can_be_switched_off():
    net = convolution_and_norm()
    listed = mx.plan(net, grad=False, x=(1, 1, 4, 4)).choices
    assert listed == ["BatchNorm folded into Convolution (1)"]
    assert mx.plan(net, grad=False, passes={"fold": False}, x=(1, 1, 4, 4)).choices == []
    with pytest.raises(TypeError, match="'folding'"):
        mx.plan(net, passes={"folding": False}, x=(1, 1, 4, 4))


def test_a_faster_algorithm_for_prediction_is_listed_close_and_can_be_switched_off():
    x = mx.sym.var("x")
    net = mx.sym.Convolution(x, kernel=(3, 3), pad=(1, 1), num_filter=96, no_bias=True, name="c")
    shape = (2, 96, 16, 16)
    listed = mx.plan(net, grad=False, x=shape).choices
    assert listed == ["Convolution as _winograd_convolution (1)"]
    for passes in ({"algorithms": False}, {"fold": False}):
        assert mx.plan(net, grad=False, passes=passes, x=shape).choices == []
    assert mx.plan(net, grad=True, x=shape).choices == []
    bound = net.simple_bind(mx.cpu(), grad_req="null", x=shape)
    rng = np.random.default_rng(0)
    x, w = rng.normal(0, 1, shape), rng.normal(0, 1, (96, 96, 3, 3))
    bound.arg_dict["x"][:], bound.arg_dict["c_weight"][:] = x, w
    got = bound.forward()[0].asnumpy()
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    exact = np.einsum("nchwij,fcij->nfhw", patches, w, optimize=True)
    assert np.abs(got - exact).max() < 1e-5 * np.abs(exact).max()


def test_without_folding_an_executor_gives_the_bits_of_arrays():
    net = convolution_and_norm()
    bound = net.simple_bind(mx.cpu(), grad_req="null", passes={"fold": False}, x=(1, 1, 4, 4))
    arrays = {**bound.arg_dict, **bound.aux_dict}
    for i, array in enumerate(arrays.values()):
        array[:] = mx.nd.arange(array.size).reshape(array.shape) / 7 + i + 1
    planned = bound.forward()[0].asnumpy()
    called = mx.nd.CachedOp(net, passes={"fold": False})(*(arrays[n] for n in net.list_inputs()))
    assert planned.tobytes() == called.asnumpy().tobytes()
    data = mx.nd.Convolution(*(arrays[n] for n in net.list_inputs()[:3]), kernel=(1, 1), num_filter=2)
    names = net.list_inputs()[3:]
    expected = mx.nd.BatchNorm(data, *(arrays[n] for n in names))
    assert planned.tobytes() == expected.asnumpy().tobytes()


def test_the_graph_is_shown_after_each_pass(tmp_path):
    steps = mx.debug.passes(deep(2), grad=True, data=(4, 64))
    assert [s.name for s in steps][:4] == ["lower", "joining", "gradient", "dead code"]
    assert "FullyConnected" in steps[0].text and steps[0].dot.startswith("digraph")
    text = io.StringIO()
    mx.debug.print_passes(deep(2), file=text, data=(4, 64))
    assert "== fusion" in text.getvalue()
    files = mx.debug.save_pictures(deep(2), tmp_path, data=(4, 64))
    assert len(files) > 3 and all((tmp_path / f).exists() for f in files)


@pytest.mark.parametrize("static", [True, False])
def test_a_cached_op_is_one_operation_while_recording(static):
    call = mx.nd.CachedOp(layer(), [("static_alloc", static)])
    values = list(arrays().values())
    values[1].attach_grad()
    with mx.autograd.record():
        y = call(*values)
        loss = (y * y).sum()
    loss.backward()
    expected = 2 * np.array(EXPECTED).T @ values[0].asnumpy()
    assert np.allclose(values[1].grad.asnumpy(), expected)
    with pytest.raises(mx.MXNetError, match="fc_bias"):
        call(*values[:2])


def test_simple_bind_takes_arrays_of_a_buffer_and_of_another_executor():
    net = mx.sym.BatchNorm(layer(), name="bn")
    buffer = {}
    large = net.simple_bind(mx.cpu(), x=(4, 3), shared_buffer=buffer)
    # As MXNet 1.9.1 names them.
    names = net.list_arguments()
    assert sorted(buffer) == sorted([*names, *(f"grad of {name}" for name in names)])
    small = net.simple_bind(mx.cpu(), x=(2, 3), shared_buffer=buffer)
    large.arg_dict["x"][:] = mx.nd.arange(12).reshape((4, 3))
    large.grad_dict["x"][:] = 3
    large.aux_dict["bn_moving_mean"][:] = 5
    assert small.arg_dict["x"].asnumpy().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert small.grad_dict["x"].asnumpy().tolist() == [[3] * 3] * 2
    assert small.aux_dict["bn_moving_mean"].asnumpy().tolist() == [0, 0]
    larger = net.simple_bind(mx.cpu(), x=(6, 3), shared_buffer=buffer)
    large.arg_dict["fc_weight"][:] = 9
    assert buffer["x"].shape == (6, 3)
    assert larger.arg_dict["fc_weight"].asnumpy().tolist() == [[9] * 3] * 2
    with pytest.raises(ValueError, match="shared_buffer"):
        net.simple_bind(mx.cpu(), x=(2, 3), shared_buffer=buffer, type_dict={"x": "float64"})
    with pytest.raises(ValueError, match="'x'"):
        net.simple_bind(mx.cpu(), shared_buffer={})
    buffer, lent = {}, ["fc_weight"]
    shared = {"shared_exec": large, "shared_arg_names": lent, "shared_buffer": buffer}
    other = net.simple_bind(mx.cpu(), x=(2, 3), **shared)
    assert not {"fc_weight", "grad of fc_weight", "bn_moving_mean"} & buffer.keys()
    large.arg_dict["fc_weight"][:] = 7
    assert other.arg_dict["fc_weight"].asnumpy().tolist() == [[7] * 3] * 2
    assert other.aux_dict["bn_moving_mean"].asnumpy().tolist() == [5, 5]
    with pytest.raises(ValueError, match="fc_weight"):
        net.simple_bind(mx.cpu(), x=(2, 2), **shared)


def test_simple_bind_passes_over_what_is_no_argument():
    with pytest.warns(UserWarning, match="'label'"):
        executor = layer().simple_bind(mx.cpu(), x=(2, 3), label=(2,))
    assert list(executor.arg_dict) == ["x", "fc_weight", "fc_bias"]


def chosen():
    """Twice the rows of data whose mask is not 0."""
    mask = mx.sym.var("mask")
    return mx.sym.contrib.boolean_mask(mx.sym.var("data"), mask, name="chosen") * 2


# What MXNet 1.9.1 leaves for the mask [0, 1, 1, 0], with head gradients 1 to 4 and 10 before.
@pytest.mark.parametrize(
    ("grad_req", "expected"),
    [
        ("write", [[0, 0], [2, 4], [6, 8], [0, 0]]),
        ("add", [[10, 10], [12, 14], [16, 18], [10, 10]]),
        ("null", [[10, 10]] * 4),
        ({"data": "add", "mask": "null"}, [[10, 10], [12, 14], [16, 18], [10, 10]]),
    ],
)
def test_an_executor_runs_operators_whose_shapes_only_running_shows(grad_req, expected):
    args = {"data": mx.nd.arange(8).reshape((4, 2)), "mask": mx.nd.array([0, 1, 1, 0])}
    gradients = {"data": mx.nd.full((4, 2), 10)}
    executor = chosen().bind(mx.cpu(), args, args_grad=gradients, grad_req=grad_req)
    with pytest.raises(mx.MXNetError, match="after forward"):
        _ = executor.outputs
    (y,) = executor.forward(is_train=True)
    assert np.array_equal(y.asnumpy(), [[4, 6], [8, 10]])
    executor.backward(mx.nd.array([[1, 2], [3, 4]]))
    assert np.array_equal(gradients["data"].asnumpy(), expected)
    (z,) = executor.forward(mask=mx.nd.array([0, 0, 0, 1]))
    assert executor.output_dict == {executor._output_names[0]: z}
    assert z.asnumpy().tolist() == [[12, 14]]
    assert y.shape == (2, 2)
    assert "chosen" in executor.debug_str()
    smaller = executor.reshape(data=(2, 2), mask=(2,))
    assert smaller.forward(mask=mx.nd.array([1, 1]))[0].shape == (2, 2)


def test_what_only_running_shows_is_not_inferred():
    with pytest.warns(UserWarning):
        assert chosen().infer_shape(data=(4, 2), mask=(4,)) == (None, None, None)
    # MXNet binds no symbol whose outputs it cannot infer; its arguments say enough.
    executor = chosen().simple_bind(mx.cpu(), data=(4, 2), mask=(4,))
    executor.arg_dict["mask"][2] = 1
    assert executor.forward()[0].shape == (1, 2)
    (y,) = chosen().eval(ctx=mx.cpu(), data=mx.nd.ones((2, 3)), mask=mx.nd.array([1, 0]))
    assert y.asnumpy().tolist() == [[2, 2, 2]]


@pytest.mark.parametrize("static", [True, False])
def test_a_cached_op_takes_shapes_that_only_running_shows(static):
    kept = mx.sym.contrib.boolean_mask(mx.sym.var("data"), mx.sym.var("index")) * 2
    call = mx.nd.CachedOp(kept, [("static_alloc", static)])
    x = mx.nd.array([[1, 2], [3, 4], [5, 6]])
    x.attach_grad()
    for index in ([1, 0, 1], [0, 0, 1]):
        with mx.autograd.record():
            y = call(x, mx.nd.array(index))
        y.backward()
        mask = np.array(index, bool)
        assert (y.asnumpy() == 2 * x.asnumpy()[mask]).all()
        assert (x.grad.asnumpy() == 2.0 * mask[:, None]).all()
