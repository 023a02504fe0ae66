"""Initializers: what they fill arrays with, what names say, a user's own, texts, wrong use."""

import logging
import pickle
import sys

import numpy as np
import pytest

import mxr as mx
from mxr import init, nd


def filled(initializer, shape, name="a_weight", dtype="float32"):
    array = nd.full(shape, 77, dtype=dtype)
    initializer(init.InitDesc(name), array)
    return array.asnumpy()


def test_constants_are_exact():
    assert filled(init.Zero(), 3).tolist() == [0] * 3
    assert filled(init.One(), (2, 1)).tolist() == [[1]] * 2
    assert filled(init.Constant(0.5), 2, dtype="float16").tolist() == [0.5] * 2
    matrix = [[1.0, 2.0], [3.0, 4.0]]
    for value in [matrix, np.array(matrix), nd.array(matrix)]:
        assert filled(init.Constant(value), (2, 2)).tolist() == matrix
    assert filled(init.LSTMBias(2.0), 8).tolist() == [0, 0, 2, 2, 0, 0, 0, 0]


def test_bilinear_weights_are_those_of_mxnet():
    # mx.init.Bilinear() of MXNet 1.9.1.
    row = np.array([0.25, 0.75, 0.75, 0.25])
    assert filled(init.Bilinear(), (1, 1, 4, 4)).tolist() == [[np.outer(row, row).tolist()]]


def test_random_weights_have_their_scale():
    mx.random.seed(1)
    uniform = filled(init.Uniform(0.5), (200, 100))
    assert abs(uniform).max() <= 0.5 and uniform.std() == pytest.approx(0.5 / 3**0.5, rel=0.02)
    assert filled(init.Normal(2.0), (200, 100)).std() == pytest.approx(2, rel=0.02)
    # 40 outputs, 10 inputs, windows of 9.
    for kind, factor in [("avg", 225), ("in", 90), ("out", 360)]:
        weight = filled(init.Xavier("gaussian", kind, 2), (40, 10, 3, 3))
        assert weight.std() == pytest.approx((2 / factor) ** 0.5, rel=0.06)
    weight = filled(init.MSRAPrelu("in", 0.0), (100, 50))
    assert weight.std() == pytest.approx((2 / 50) ** 0.5, rel=0.06)


def test_orthogonal_rows_stand_at_right_angles():
    weight = filled(init.Orthogonal(2.0, "normal"), (4, 3, 2)).reshape(4, 6)
    np.testing.assert_allclose(weight @ weight.T, 4 * np.eye(4), atol=1e-5)


def test_equal_seeds_give_equal_weights():
    for initializer in [init.Xavier(), init.Orthogonal()]:
        mx.random.seed(5)
        first = filled(initializer, (3, 4))
        mx.random.seed(5)
        assert filled(initializer, (3, 4)).tolist() == first.tolist()


@pytest.mark.parametrize(
    "name, value",
    {
        "fc_weight": 0.5,
        "fc_bias": 0,
        "bn_gamma": 1,
        "bn_beta": 0,
        "bn_moving_mean": 0,
        "bn_running_var": 1,
        "q_min": 0,
        "q_max": 1,
    }.items(),
)
def test_a_name_says_what_a_parameter_is(name, value):
    assert filled(init.Constant(0.5), 2, name).tolist() == [value] * 2
    array = nd.full(2, 77)
    init.Constant(0.5)(name, array)
    assert array.asnumpy().tolist() == [value] * 2


def test_a_parameter_may_name_its_own_initializer():
    array = nd.zeros(2)
    init.Zero()(init.InitDesc("fc_bias", {"__init__": init.Constant(3.0).dumps()}), array)
    assert array.asnumpy().tolist() == [3, 3]
    init.Zero()(init.InitDesc("fc_bias", {"__init__": "ones"}), array)
    assert array.asnumpy().tolist() == [1, 1]


def test_dumps_is_what_create_reads():
    # The texts are MXNet 1.9.1's, which reads and writes the numbers as they were given.
    texts = {
        '["zero", {}]': init.Zero(),
        '["normal", {"sigma": 0.5}]': init.Normal(0.5),
        '["constant", {"value": [1.0, 2.0]}]': init.Constant(nd.array([1, 2])),
        '["xavier", {"rnd_type": "uniform", "factor_type": "in", "magnitude": 2.34}]': init.Xavier(
            factor_type="in", magnitude=2.34
        ),
        '["xavier", {"rnd_type": "uniform", "factor_type": "avg", "magnitude": 3}]': init.Xavier(),
        '["uniform", {"scale": 0.07}]': init.Uniform(),
        '["uniform", {"scale": 1}]': init.Uniform(1),
        '["orthogonal", {"scale": 1.414, "rand_type": "uniform"}]': init.Orthogonal(),
        '["msraprelu", {"factor_type": "avg", "slope": 0.25}]': init.MSRAPrelu(),
        '["lstmbias", {"forget_bias": 1.0}]': init.LSTMBias(),
    }
    for text, initializer in texts.items():
        assert initializer.dumps() == text
        assert init.create(text) == initializer
        assert pickle.loads(pickle.dumps(initializer)) == initializer
    assert init.create("zeros") == init.Zero() != init.One()
    assert init.create("Uniform", scale=2.0).scale == 2.0
    assert init.create(initializer="ones") == init.One()
    one = init.One()
    assert init.create(one) is one


def test_attributes_count_when_they_are_set():
    constant = init.Constant(1.0)
    constant.value = 2.0
    assert filled(constant, 2).tolist() == [2, 2]


@init.register
@init.alias("tenth")
class Mine(init.Initializer):
    """As a user of MXNet would write it."""

    def __init__(self, value=0.5):
        super().__init__(value=value)
        self.value = value

    def _init_weight(self, _, arr):
        arr[:] = self.value

    def _init_bias(self, _, arr):
        arr[:] = 1

    def _init_default(self, _, arr):
        arr[:] = 9


def test_an_initializer_of_a_users_own_is_one_like_others():
    mine = init.create("mine", value=0.25)
    found = [filled(mine, 1, name)[0] for name in ["a_weight", "a_bias", "a_gamma", "a_thing"]]
    assert found == [0.25, 1, 1, 9]
    assert init.create("tenth") == Mine() and mine.dumps() == '["mine", {"value": 0.25}]'


def test_a_subclass_of_an_initializer_may_change_it():
    class Negative(init.Constant):
        def _init_weight(self, name, arr):
            super()._init_weight(name, arr)
            arr *= -1

    assert filled(Negative(2.0), 2).tolist() == [-2, -2]


def test_mixed_takes_the_first_that_fits():
    mixed = init.Mixed(["conv.*", ".*"], [init.One(), init.Constant(2.0)])
    assert filled(mixed, 1, "conv_weight")[0] == 1
    assert filled(mixed, 1, "fc_weight")[0] == 2
    with pytest.raises(ValueError, match="no pattern fits 'fc_weight'"):
        filled(init.Mixed(["conv"], [init.One()]), 1, "fc_weight")
    with pytest.raises(ValueError, match="expected 2"):
        init.Mixed(["a", "b"], [init.One()])


def test_load_takes_arrays_by_name(tmp_path):
    arrays = {"arg:fc_weight": nd.array([1, 2]), "aux:bn_moving_mean": nd.array([3])}
    path = str(tmp_path / "model.params")
    nd.save(path, arrays)
    for source in [arrays, path]:
        load = init.Load(source, default_init=init.One())
        assert filled(load, 2, "fc_weight").tolist() == [1, 2]
        assert filled(load, 1, "bn_moving_mean").tolist() == [3]
        assert filled(load, 1, "other_weight").tolist() == [1]
    with pytest.raises(ValueError, match=r"fc_weight: expected shape \(3,\), got \(2,\)"):
        filled(load, 3, "fc_weight")
    with pytest.raises(ValueError, match="no array for other_weight"):
        filled(init.Load(arrays), 1, "other_weight")


def test_what_is_filled_may_be_logged(caplog):
    caplog.set_level(logging.INFO)
    filled(init.Constant(3.0).set_verbosity(True), 4)
    assert "Initialized a_weight as weight: 3.0" in caplog.text


WRONG = {
    "an unknown name": (lambda: init.create("xavir"), ValueError, "did you mean 'xavier'"),
    "a name that says nothing": (lambda: filled(init.One(), 1, "thing"), ValueError, "'thing'"),
    "a wrong kind": (
        lambda: init.Uniform("x"),
        TypeError,
        "Uniform: argument 'scale': expected a number, got 'x'",
    ),
    "a negative scale": (lambda: init.Normal(-1.0), ValueError, "sigma.*at least 0, got -1"),
    "a scale that is no number": (lambda: init.Normal(float("nan")), ValueError, "sigma.*NaN"),
    "an unknown distribution": (
        lambda: init.Xavier("gausian"),
        ValueError,
        "rnd_type.*'uniform', 'gaussian', got 'gausian'",
    ),
    "too few axes": (lambda: filled(init.Xavier(), 3), ValueError, "two axes.*3"),
    "too many numbers": (
        lambda: filled(init.Constant([1, 2]), 3),
        ValueError,
        "expected one number or 3 for shape.*got 2",
    ),
    "no array": (lambda: init.One()("a_weight", [1]), TypeError, "expected an NDArray, got list"),
    "no name": (lambda: init.One()(5, nd.ones(1)), TypeError, "expected an InitDesc"),
    "a weight that nobody fills": (
        lambda: filled(init.Initializer(), 1),
        NotImplementedError,
        "_init_weight",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_use_is_an_exception_that_says_what_was_expected(what):
    call, kind, words = WRONG[what]
    with pytest.raises(kind, match=f"(?s){words}"):
        call()


def test_programs_for_mxnet_find_the_modules(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "mxnet"]:
        monkeypatch.delitem(sys.modules, name)
    before = set(sys.modules)
    mx.install_as_mxnet()
    try:
        from mxnet import init as package
        from mxnet.init import Xavier
        from mxnet.initializer import InitDesc
        from mxnet.lr_scheduler import PolyScheduler
        from mxnet.optimizer import SGD, Optimizer
        from mxnet.optimizer.optimizer import get_updater
    finally:
        for name in set(sys.modules) - before:
            del sys.modules[name]
    assert (package, Xavier, InitDesc) == (init, init.Xavier, init.InitDesc)
    assert (SGD, Optimizer) == (mx.optimizer.SGD, mx.optimizer.Optimizer)
    assert PolyScheduler is mx.lr_scheduler.PolyScheduler
    assert get_updater is mx.optimizer.get_updater
