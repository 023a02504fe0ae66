"""Learning-rate schedules: MXNet's values, a user's own, wrong use."""

import json
import pickle
from pathlib import Path

import pytest

import mxr as mx
from mxr import lr_scheduler

#: What MXNet 1.9.1 did; see tests/conformance/oracle/make_optimizers.py.
ORACLE = json.loads((Path(__file__).parents[3] / "tests/conformance/optimizers.json").read_text())
CLASSES = {
    "factor": lr_scheduler.FactorScheduler,
    "multifactor": lr_scheduler.MultiFactorScheduler,
    "poly": lr_scheduler.PolyScheduler,
    "cosine": lr_scheduler.CosineScheduler,
}


@pytest.mark.parametrize("case", ORACLE["schedules"], ids=lambda c: c["schedule"])
def test_learning_rates_are_those_of_mxnet(case):
    schedule = CLASSES[case["schedule"]](**case["attrs"])
    found = [schedule(t) for t in range(1, len(case["lrs"]) + 1)]
    assert found == pytest.approx(case["lrs"], abs=1e-12)
    again = pickle.loads(pickle.dumps(schedule))
    assert [again(t) for t in range(1, len(found) + 1)] == found


def test_arguments_may_be_positional_as_in_mxnet():
    # Warm-up steps come after the base in all of them, and the power after that.
    assert lr_scheduler.FactorScheduler(2, 0.5, 1e-3, 1.0)(3) == 0.5
    assert lr_scheduler.MultiFactorScheduler([1, 2], 0.5, 1.0)(3) == 0.25
    assert lr_scheduler.PolyScheduler(4, 1.0, 1)(2) == 0.5
    assert lr_scheduler.CosineScheduler(4, 1.0, 0.5)(4) == 0.5


def test_the_warm_up_is_there_to_see():
    schedule = lr_scheduler.FactorScheduler(1, base_lr=1.0, warmup_steps=4, warmup_begin_lr=0.5)
    assert [schedule.get_warmup_lr(t) for t in range(4)] == [0.5, 0.625, 0.75, 0.875]
    assert (schedule.warmup_final_lr, schedule.warmup_steps) == (1.0, 4)
    with pytest.raises(ValueError, match="less than 4, got 4"):
        schedule.get_warmup_lr(4)
    constant = lr_scheduler.LRScheduler(1.0, 2, 0.25, "constant")
    assert [constant(t) for t in range(4)] == [0.25, 0.25, 1.0, 1.0]


def test_attributes_count_when_they_are_set():
    schedule = lr_scheduler.FactorScheduler(step=1, factor=0.5, base_lr=1.0)
    schedule.base_lr = 8.0
    schedule.factor = 0.25
    assert (schedule(1), schedule(2), schedule.base_lr) == (8.0, 2.0, 8.0)


class Inverse(lr_scheduler.LRScheduler):
    def __call__(self, num_update):
        return self.base_lr / max(num_update, 1)


class Bare(lr_scheduler.LRScheduler):
    def __init__(self):
        self.base_lr = 3

    def __call__(self, num_update):
        return self.base_lr


class Doubled(lr_scheduler.FactorScheduler):
    def __call__(self, num_update):
        return 2 * super().__call__(num_update)


def test_a_schedule_of_a_users_own_guides_an_optimizer():
    sgd = mx.optimizer.SGD(learning_rate=1.0, lr_scheduler=Inverse(base_lr=5.0))
    weight = mx.nd.zeros(1)
    for _ in range(3):
        sgd.update(0, weight, mx.nd.ones(1), None)
    assert weight.asscalar() == pytest.approx(-(1 + 1 / 2 + 1 / 3), rel=1e-6)
    assert pickle.loads(pickle.dumps(sgd)).learning_rate == pytest.approx(1 / 3)
    assert Doubled(1, 0.5, base_lr=1.0)(2) == 1.0
    assert pickle.loads(pickle.dumps(Bare()))(1) == 3


WRONG = {
    "no step": (lambda: lr_scheduler.FactorScheduler(), TypeError, "step"),
    "a step of none": (
        lambda: lr_scheduler.FactorScheduler(0),
        ValueError,
        "step.*at least 1, got 0",
    ),
    "a factor that grows": (
        lambda: lr_scheduler.FactorScheduler(1, factor=2.0),
        ValueError,
        "FactorScheduler.*factor.*at most 1, got 2",
    ),
    "a factor that is no number": (
        lambda: lr_scheduler.FactorScheduler(1, factor=float("nan")),
        ValueError,
        "factor.*NaN",
    ),
    "steps that fall": (
        lambda: lr_scheduler.MultiFactorScheduler([5, 3]),
        ValueError,
        "step.*rising",
    ),
    "a warm-up from above": (
        lambda: lr_scheduler.CosineScheduler(9, base_lr=1, warmup_begin_lr=2),
        ValueError,
        "warmup_begin_lr.*at most base_lr",
    ),
    "an unknown mode": (
        lambda: lr_scheduler.LRScheduler(warmup_mode="steep"),
        ValueError,
        "warmup_mode.*'linear', 'constant', got 'steep'",
    ),
    "a step that is a text": (
        lambda: lr_scheduler.FactorScheduler("a"),
        TypeError,
        "FactorScheduler: argument 'step': expected an integer, got 'a'",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_use_is_an_exception_that_says_what_was_expected(what):
    call, kind, words = WRONG[what]
    with pytest.raises(kind, match=f"(?s){words}"):
        call()
