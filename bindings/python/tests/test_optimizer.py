"""Optimizers: MXNet's trajectories, the books they keep, classes of a user's own, states, wrong use."""

import copy
import inspect
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import mxr as mx
from mxr import autograd, nd

#: What MXNet 1.9.1 did; see tests/conformance/oracle/make_optimizers.py.
ORACLE = json.loads((Path(__file__).parents[3] / "tests/conformance/optimizers.json").read_text())
CASES = ORACLE["cases"]
NAMES = {int(i): name for i, name in ORACLE["names"].items()}
SCHEDULES = {
    "factor": mx.lr_scheduler.FactorScheduler,
    "poly": mx.lr_scheduler.PolyScheduler,
}
#: The library's optimizers, by the names of their classes.
CLASSES = sorted(set(mx.optimizer.optimizer._classes) - {"Optimizer", "ccSGD"})


def array(index, values, dtype="float32"):
    shape = ORACLE["shapes"][str(index)]
    return nd.array(np.reshape(values, shape), dtype=dtype)


def optimizer(case, **more):
    attrs = dict(case["attrs"], **more)
    if "schedule" in case:
        name, given = case["schedule"]
        attrs["lr_scheduler"] = SCHEDULES[name](**given)
    made = mx.optimizer.create(case["optimizer"], param_idx2name=NAMES, **attrs)
    made.set_lr_mult({"fc_bias": 0.5})
    return made


def follow(case, updater, weights, steps, tolerance=3e-5):
    """Makes updates, after each of which the weights are those of MXNet."""
    for t in steps:
        for i, weight in weights.items():
            updater(i, array(i, ORACLE["grads"][t][str(i)], weight.dtype), weight)
            want = np.reshape(case["weights"][t][i], weight.shape)
            np.testing.assert_allclose(weight.asnumpy(), want, tolerance, tolerance, err_msg=str(t))


def weights(dtype="float32"):
    return {i: array(i, ORACLE["weights"][str(i)], dtype) for i in NAMES}


def name_of(case):
    return "-".join(
        [case["optimizer"], *case["attrs"], *(["schedule"] if "schedule" in case else [])]
    )


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_weights_go_where_mxnets_go(case):
    follow(case, mx.optimizer.get_updater(optimizer(case)), weights(), range(10))


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.parametrize("whole", [False, True], ids=["states", "optimizer"])
def test_saved_states_go_on_where_they_were(case, whole):
    updater, all_weights = mx.optimizer.get_updater(optimizer(case)), weights()
    follow(case, updater, all_weights, range(4))
    saved = updater.get_states(dump_optimizer=whole)
    again = mx.optimizer.get_updater(mx.optimizer.SGD() if whole else optimizer(case))
    again.set_states(saved)
    follow(case, again, all_weights, range(4, 10))


@pytest.mark.parametrize("name", CLASSES)
def test_half_precision_weights_follow_a_copy(name):
    case = next(c for c in CASES if c["optimizer"] == name.lower())
    updater = mx.optimizer.get_updater(optimizer(case, multi_precision=True))
    tolerance = 3e-2 if name == "LAMB" else 2e-3
    all_weights = weights("float16")
    follow(case, updater, all_weights, range(4), tolerance)
    again = mx.optimizer.get_updater(optimizer(case, multi_precision=True))
    again.set_states(updater.get_states())
    follow(case, again, all_weights, range(4, 10), tolerance)
    assert [a.dtype for a in nested(again.states[0])][-1] is np.float32


def nested(state):
    return state if isinstance(state, tuple) else [state]


@pytest.mark.parametrize("name", CLASSES)
def test_every_optimizer_trains(name):
    """A line is fitted: the loss falls to a small part of what it was."""
    mx.random.seed(3)
    x = nd.random.normal(shape=(64, 3))
    y = nd.dot(x, nd.array([[0.5], [-0.25], [0.125]]))
    weight = nd.zeros((3, 1))
    weight.attach_grad()
    # What these need to be done in a hundred steps.
    fast = {
        "AdaDelta": {},
        "Ftrl": {"learning_rate": 1.0, "lamda1": 1e-4},
        "LAMB": {"learning_rate": 0.1},
        "Signum": {"learning_rate": 0.01},
    }
    given = fast.get(name, {"learning_rate": 0.05})
    update = mx.optimizer.get_updater(mx.optimizer.create(name, **given))
    losses = []
    for _ in range(100):
        with autograd.record():
            loss = nd.mean((nd.dot(x, weight) - y) ** 2)
        loss.backward()
        update(0, weight.grad, weight)
        losses.append(loss.asscalar())
    assert losses[-1] < 0.2 * losses[0]


def test_signatures_begin_as_mxnets_do():
    # Positional arguments of MXNet 1.9.1's classes.
    expected = {
        "SGD": "momentum lazy_update",
        "NAG": "momentum",
        "Signum": "learning_rate momentum wd_lh",
        "Adam": "learning_rate beta1 beta2 epsilon lazy_update",
        "Adamax": "learning_rate beta1 beta2",
        "Nadam": "learning_rate beta1 beta2 epsilon schedule_decay",
        "RMSProp": "learning_rate gamma1 gamma2 epsilon centered clip_weights",
        "AdaGrad": "eps",
        "AdaDelta": "rho epsilon",
        "Ftrl": "lamda1 learning_rate beta",
        "FTML": "beta1 beta2 epsilon",
        "LAMB": "learning_rate beta1 beta2 epsilon lower_bound upper_bound bias_correction",
    }
    for name, arguments in expected.items():
        found = inspect.signature(getattr(mx.optimizer, name)).parameters.values()
        positional = [p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert positional[: len(arguments.split())] == arguments.split()
    assert mx.optimizer.ccSGD is mx.optimizer.SGD
    assert "momentum : float, optional, default=0.0" in mx.optimizer.SGD.__doc__


def test_attributes_count_when_they_are_set():
    sgd = mx.optimizer.SGD(learning_rate=1.0)
    weight, grad = nd.zeros(2), nd.ones(2)
    sgd.update(0, weight, grad, None)
    sgd.rescale_grad = 0.5
    sgd.update(0, weight, grad, None)
    sgd.lr = 4
    sgd.update(0, weight, grad, None)
    sgd.set_learning_rate(8)
    sgd.update(0, weight, grad, None)
    assert weight.asnumpy().tolist() == [-1 - 0.5 - 2 - 4] * 2
    assert (sgd.rescale_grad, sgd.lr, sgd.learning_rate, sgd.num_update) == (0.5, 8, 8, 4)
    with pytest.raises(TypeError, match="SGD: argument 'wd': expected a number, got 'x'"):
        sgd.wd = "x"
    assert sgd.wd == 0


def test_a_schedule_says_the_learning_rate():
    schedule = mx.lr_scheduler.FactorScheduler(step=1, factor=0.5, base_lr=3.0)
    adam = mx.optimizer.Adam(learning_rate=1.0, lr_scheduler=schedule)
    # As in MXNet, an optimizer's own learning rate is the schedule's base.
    assert schedule.base_lr == adam.learning_rate == 1.0
    adam._update_count(0)
    adam._update_count(0)
    assert adam.learning_rate == adam._get_lr(0) == 0.5
    with pytest.raises(UserWarning):
        adam.set_learning_rate(1)
    adam.lr_scheduler = None
    adam.set_learning_rate(0.25)
    assert adam.learning_rate == 0.25


def test_factors_are_by_name_index_or_parameter():
    class Parameter:
        lr_mult, wd_mult = 8, 16

    parameter = Parameter()
    names = {0: "a_weight", 1: "b_bias", 2: "c_gamma"}
    sgd = mx.optimizer.SGD(learning_rate=1, wd=1, param_idx2name=names, param_dict={2: parameter})
    sgd.set_lr_mult({"a_weight": 2, 1: 4})
    assert sgd._get_lrs([0, 1, 2, 3]) == [2, 4, 8, 1]
    assert sgd._get_wds([0, 1, 2, 3]) == [1, 0, 16, 1]
    sgd.set_wd_mult({"b_bias": 0.5})
    parameter.lr_mult = 32
    assert (sgd._get_wd(1), sgd._get_lr(2)) == (0.5, 32)
    sgd.set_lr_mult({})
    assert sgd._get_lr(0) == 1


def test_the_variables_of_a_symbol_have_factors():
    class Symbol:
        def attr_dict(self):
            return {"a_weight": {"__lr_mult__": "2", "__wd_mult__": "3"}, "b_weight": {}}

        def list_arguments(self):
            return ["data", "a_weight", "b_weight"]

    names = {0: "a_weight", 1: "b_weight"}
    sgd = mx.optimizer.SGD(learning_rate=1, wd=1, param_idx2name=names, sym=Symbol())
    assert (sgd._get_lrs([0, 1]), sgd._get_wds([0, 1])) == ([2, 1], [3, 1])


class Momentum(mx.optimizer.Optimizer):
    """SGD with momentum as a user of MXNet would write it."""

    def __init__(self, momentum=0.0, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def create_state(self, index, weight):
        return nd.zeros(weight.shape, weight.context, dtype=weight.dtype)

    def update(self, index, weight, grad, state):
        self._update_count(index)
        lr, wd = self._get_lr(index), self._get_wd(index)
        assert self._index_update_count[index] >= 1
        grad = nd.clip(grad * self.rescale_grad, -self.clip_gradient, self.clip_gradient)
        state[:] = self.momentum * state - lr * (grad + wd * weight)
        weight[:] += state


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_an_optimizer_of_a_users_own_goes_where_the_librarys_goes(dtype):
    case = next(c for c in CASES if c["optimizer"] == "sgd" and "momentum" in c["attrs"])
    mx.optimizer.register(Momentum)
    more = {"multi_precision": dtype == "float16"}
    mine = mx.optimizer.create("momentum", param_idx2name=NAMES, **case["attrs"], **more)
    mine.set_lr_mult({"fc_bias": 0.5})
    tolerance = 3e-5 if dtype == "float32" else 2e-3
    updater, all_weights = mx.optimizer.get_updater(mine), weights(dtype)
    follow(case, updater, all_weights, range(4), tolerance)
    saved = updater.get_states()
    updater.states.clear()
    updater.set_states(saved)
    follow(case, updater, all_weights, range(4, 10), tolerance)


def test_a_subclass_of_an_optimizer_may_change_its_update():
    class Halved(mx.optimizer.SGD):
        def update(self, index, weight, grad, state):
            super().update(index, weight, grad / 2, state)

    weight = nd.zeros(2, dtype="float16")
    updater = mx.optimizer.get_updater(
        Halved(learning_rate=1.0, momentum=0.5, multi_precision=True)
    )
    updater(0, nd.ones(2, dtype="float16"), weight)
    assert weight.asnumpy().tolist() == [-0.5, -0.5]


def test_an_optimizer_without_an_update_says_so():
    with pytest.raises(NotImplementedError, match="for the caller to write"):
        mx.optimizer.Optimizer().update(0, nd.ones(1), nd.ones(1), None)


@pytest.mark.parametrize("again", [lambda o: pickle.loads(pickle.dumps(o)), copy.deepcopy])
def test_a_copy_of_an_optimizer_goes_on_alike(again):
    schedule = mx.lr_scheduler.FactorScheduler(step=2, factor=0.5, base_lr=0.5)
    nadam = mx.optimizer.Nadam(lr_scheduler=schedule, param_idx2name=NAMES, wd=0.25)
    nadam.set_lr_mult({"fc_bias": 2})
    weight, grad = nd.ones(3), nd.ones(3)
    state = nadam.create_state(1, weight)
    for _ in range(3):
        nadam.update(1, weight, grad, state)
    other = again(nadam)
    weights_, states = [weight, weight.copy()], [state, [s.copy() for s in state]]
    for o, w, s in zip([nadam, other], weights_, states):
        o.update(1, w, grad, s)
    assert weights_[0].asnumpy().tolist() == weights_[1].asnumpy().tolist()
    assert (other.num_update, other.wd, other._get_wd(1)) == (4, 0.25, 0)


def test_an_updater_takes_lists():
    updater = mx.optimizer.get_updater(mx.optimizer.SGD(learning_rate=1.0))
    all_weights = [nd.zeros(2), nd.zeros(3)]
    updater([0, 1], [nd.ones(2), nd.ones(3)], all_weights)
    assert [w.asnumpy().tolist() for w in all_weights] == [[-1] * 2, [-1] * 3]


WRONG = {
    "an unknown name": (lambda: mx.optimizer.create("adamm"), ValueError, "did you mean 'adam'"),
    "a name that is none": (lambda: mx.optimizer.create(5), TypeError, "expected a name, got 5"),
    "an unknown keyword": (
        lambda: mx.optimizer.SGD(momentun=0.9),
        TypeError,
        "'momentun'; did you mean 'momentum'",
    ),
    "a wrong kind": (
        lambda: mx.optimizer.Adam(beta1="x"),
        TypeError,
        "Adam: argument 'beta1': expected a number, got 'x'",
    ),
    "no number": (lambda: mx.optimizer.Adam(beta1=None), TypeError, "beta1.*number, got None"),
    "a negative count": (
        lambda: mx.optimizer.SGD(begin_num_update=-1),
        ValueError,
        "begin_num_update.*at least 0, got -1",
    ),
    "shapes that differ": (
        lambda: mx.optimizer.SGD().update(0, nd.ones(2), nd.ones(3), None),
        ValueError,
        "sgd_update.*grad",
    ),
    "a weight of integers": (
        lambda: mx.optimizer.SGD().create_state(0, nd.ones(2, dtype="int32")),
        TypeError,
        "weight.*floating-point dtype, got int32",
    ),
    "a state of another": (
        lambda: mx.optimizer.SGD().update(0, nd.ones(2), nd.ones(2), (nd.ones(2), nd.ones(2))),
        ValueError,
        "SGD.*state.*got 2",
    ),
    "a gradient that is none": (
        lambda: mx.optimizer.SGD().update(0, nd.ones(2), np.ones(2), None),
        TypeError,
        "grad",
    ),
    "bytes that are no states": (
        lambda: mx.optimizer.get_updater(mx.optimizer.SGD()).set_states(b"nothing"),
        ValueError,
        "",
    ),
    "a class of another kind": (lambda: mx.optimizer.register(dict), TypeError, "subclass"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_use_is_an_exception_that_says_what_was_expected(what):
    call, kind, words = WRONG[what]
    with pytest.raises(kind, match=f"(?s){words}"):
        call()
