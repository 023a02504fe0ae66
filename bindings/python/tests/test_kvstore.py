"""Stores: MXNet's values, functions and optimizers of one's own, states, wrong use."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import mxr as mx

#: What MXNet 1.9.1 did; see tests/conformance/oracle/make_training.py.
ORACLE = json.loads((Path(__file__).parents[3] / "tests/conformance/training.json").read_text())


def pulled(store, key, n):
    out = mx.nd.zeros(n)
    store.pull(key, out=out)
    return out.asnumpy().tolist()


@pytest.mark.parametrize("case", ORACLE["stores"], ids=lambda c: f"{c['store']} {c['sgd']}")
def test_pulled_values_are_those_of_mxnet(case):
    store = mx.kv.create(case["store"])
    if case["threshold"]:
        store.set_gradient_compression({"type": "2bit", "threshold": case["threshold"]})
    store.init("w", mx.nd.array(case["begin"]))
    if case["sgd"]:
        store.set_optimizer(mx.optimizer.SGD(**case["sgd"]))
    for step in case["steps"]:
        store.push("w", [mx.nd.array(v) for v in step["pushed"]])
        assert pulled(store, "w", 4) == pytest.approx(step["pulled"], abs=1e-6)


def test_a_store_says_what_it_is():
    store = mx.kvstore.create("device")
    assert (store.type, store.rank, store.num_workers) == ("device", 0, 1)
    assert store.is_capable("optimizer")


def test_keys_come_in_lists_too():
    store = mx.kv.create()
    store.init([3, 5], [mx.nd.ones(2), mx.nd.zeros(2)])
    store.push([3, 5], [[mx.nd.ones(2)] * 3, mx.nd.ones(2)])
    outs = [mx.nd.zeros(2), [mx.nd.zeros(2), mx.nd.zeros(2)]]
    store.pull([3, 5], out=outs)
    assert outs[0].asnumpy().tolist() == [3, 3]
    assert [out.asnumpy().tolist() for out in outs[1]] == [[1, 1], [1, 1]]


def test_pushing_and_pulling_are_one_call_or_two():
    store, gradients = mx.kv.create(), [mx.nd.ones(2), mx.nd.ones(2)]
    out = mx.nd.zeros(2)
    store.broadcast("w", mx.nd.ones(2) * 7, out=out)
    assert out.asnumpy().tolist() == [7, 7]
    store.pushpull("w", gradients)
    assert [g.asnumpy().tolist() for g in gradients] == [[2, 2], [2, 2]]
    store.pushpull("w", gradients, out=out)
    assert out.asnumpy().tolist() == [4, 4]


def test_a_function_of_ones_own_updates_what_is_stored():
    store, keys = mx.kv.create(), []

    def update(key, pushed, stored):
        keys.append(key)
        stored += pushed * 2

    store._set_updater(update)
    store.init("w", mx.nd.ones(2))
    store.push("w", [mx.nd.ones(2), mx.nd.ones(2)])
    assert pulled(store, "w", 2) == [5, 5] and keys == ["w"]


def test_an_exception_of_a_function_arrives_where_it_was_called_from():
    store = mx.kv.create()

    def update(key, pushed, stored):
        raise LookupError(f"nothing is known of {key}")

    store._set_updater(update)
    store.init(4, mx.nd.ones(2))
    with pytest.raises(LookupError, match="nothing is known of 4"):
        store.push(4, mx.nd.ones(2))


def test_threads_may_push_to_a_store_with_a_function_of_ones_own():
    store = mx.kv.create()

    def update(key, pushed, stored):
        stored += pushed
        # Other threads run here, some of which wait for this push.
        stored.wait_to_read()

    store._set_updater(update)
    store.init("w", mx.nd.zeros(2))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: store.push("w", mx.nd.ones(2)), range(100)))
    assert pulled(store, "w", 2) == [100, 100]


class SignDescent(mx.optimizer.Optimizer):
    """An optimizer of one's own, which counts its steps."""

    def create_state(self, index, weight):
        return mx.nd.zeros(1)

    def update(self, index, weight, grad, state):
        self._update_count(index)
        state += 1
        weight -= self._get_lr(index) * grad.sign()


def test_optimizers_of_ones_own_find_factors_by_key(tmp_path):
    optimizer = SignDescent(learning_rate=0.5)
    optimizer.set_lr_mult({"slow": 0.5})
    store = mx.kv.create()
    store.set_optimizer(optimizer)
    store.init(["fast", "slow"], [mx.nd.zeros(1), mx.nd.zeros(1)])
    store.push(["fast", "slow"], [mx.nd.array([3]), mx.nd.array([3])])
    assert pulled(store, "fast", 1) == [-0.5] and pulled(store, "slow", 1) == [-0.25]
    store.save_optimizer_states(tmp_path / "states", dump_optimizer=True)
    other = mx.kv.create()
    other.set_optimizer(SignDescent())
    other.load_optimizer_states(tmp_path / "states")
    assert {i: s.asscalar() for i, s in other._updater.states.items()} == {0: 1, 1: 1}
    assert other._updater.optimizer.lr == 0.5


def test_a_schedule_says_the_rate_of_every_push():
    store = mx.kv.create()
    schedule = mx.lr_scheduler.FactorScheduler(step=1, factor=0.5)
    store.set_optimizer(mx.optimizer.SGD(learning_rate=1.0, lr_scheduler=schedule))
    store.init("w", mx.nd.zeros(1))
    found = []
    for _ in range(3):
        store.push("w", mx.nd.ones(1))
        found += pulled(store, "w", 1)
    # Rates 1, 0.5, 0.25, as FactorScheduler has them.
    assert found == [-1.0, -1.5, -1.75]


def test_states_go_to_files_and_back_to_the_bit(tmp_path):
    def store():
        made = mx.kv.create()
        made.init("w", mx.nd.ones(2))
        made.set_optimizer(mx.optimizer.Adam(learning_rate=0.1))
        return made

    first, second = store(), store()
    first.push("w", mx.nd.array([1, 2]))
    first.save_optimizer_states(tmp_path / "states")
    second.push("w", mx.nd.array([1, 2]))
    second.load_optimizer_states(tmp_path / "states")
    for each in (first, second):
        each.push("w", mx.nd.array([2, 1]))
    assert pulled(first, "w", 2) == pulled(second, "w", 2)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda s: mx.kv.create("dist_sync"), "'local' or 'device', got 'dist_sync'"),
        (lambda s: mx.kv.create(3), "name: expected a text, got 3"),
        (lambda s: s.init("w", mx.nd.ones(2)), "'w' has a value already"),
        (lambda s: s.init(1, mx.nd.ones(2)), "key"),
        (lambda s: s.push("v", mx.nd.ones(2)), "'v' has no value: init it first"),
        (lambda s: s.push("w", mx.nd.ones(3)), r"expected shape \(2,\), got \(3,\)"),
        (lambda s: s.push(["w", "v"], [mx.nd.ones(2)]), "value: expected a list of 2"),
        (lambda s: s.pull("w"), "out: expected an array"),
        (lambda s: s.row_sparse_pull("w"), "only dense arrays"),
        (lambda s: s.set_gradient_compression({"threshold": 1}), "a dict with 'type'"),
        (lambda s: s.set_gradient_compression({"type": "2bit"}), "use 'device'"),
        (lambda s: s.save_optimizer_states("none"), "no optimizer: set one first"),
    ],
)
def test_wrong_use_is_named(wrong, message):
    store = mx.kv.create()
    store.init("w", mx.nd.ones(2))
    with pytest.raises(mx.MXRError, match=message):
        wrong(store)
