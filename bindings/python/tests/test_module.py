"""Modules: trainings that go as MXNet's, checkpoints, optimizers and metrics of one's own, wrong use."""

import json
import logging
import math
from pathlib import Path

import numpy as np
import pytest

import mxr as mx

#: What MXNet 1.9.1 did; see tests/conformance/oracle/make_training.py.
ORACLE = json.loads((Path(__file__).parents[3] / "tests/conformance/training.json").read_text())
FILE = ORACLE["module"]


def array(given):
    return mx.nd.array(np.array(given["data"]).reshape(given["shape"]), dtype=given["dtype"])


def network():
    return mx.sym.load_json(FILE["symbol"])


def batches(size=6):
    return mx.io.NDArrayIter(array(FILE["data"]), array(FILE["label"]), size)


def begin():
    """The file's first values of arguments and of auxiliary states."""
    values = {name: array(given) for name, given in FILE["begin"].items()}
    states = {name: value for name, value in values.items() if "moving" in name}
    return {name: value for name, value in values.items() if name not in states}, states


def ready(devices=1, **kwargs):
    """A module that is bound, with the file's first values."""
    module = mx.mod.Module(network(), context=[mx.cpu(i) for i in range(devices)], **kwargs)
    module.bind(batches().provide_data, batches().provide_label)
    module.init_params(None, *begin())
    return module


def flat(module):
    arguments, states = module.get_params()
    return {n: v.asnumpy().ravel().tolist() for n, v in {**arguments, **states}.items()}


def train(module, train_data, metric=None):
    train_data.reset()
    for batch in train_data:
        module.forward_backward(batch)
        module.update()
        if metric is not None:
            module.update_metric(metric, batch.label)


@pytest.mark.parametrize(
    "case",
    FILE["cases"],
    ids=lambda c: f"{c['devices']} {c['store']} {'given ' * c['given']}{c['optimizer']}",
)
def test_trainings_are_those_of_mxnet_on_one_and_on_two_devices(case):
    module, train_data = ready(case["devices"]), batches()
    name, attrs = case["optimizer"], case["attrs"]
    if case["given"]:
        module.init_optimizer(case["store"], mx.optimizer.create(name, **attrs))
    else:
        module.init_optimizer(case["store"], name, tuple(attrs.items()))
    metric = mx.metric.create(["acc", "ce"])
    for epoch in case["epochs"]:
        metric.reset()
        train(module, train_data, metric)
        names, values = metric.get()
        assert names == [name for name, _ in epoch["metric"]]
        assert values == pytest.approx([value for _, value in epoch["metric"]], rel=1e-5)
        found = flat(module)
        assert found.keys() == epoch["params"].keys()
        for name, expected in epoch["params"].items():
            assert found[name] == pytest.approx(expected, abs=2e-5), name
    predicted = module.predict(train_data)
    assert predicted.shape == tuple(case["predicted"]["shape"])
    expected = case["predicted"]["data"]
    assert predicted.asnumpy().ravel().tolist() == pytest.approx(expected, abs=2e-5)


def test_fit_does_the_same_and_says_how_it_goes(caplog):
    caplog.set_level(logging.INFO)
    case = FILE["cases"][0]
    arguments, states = begin()
    module, epochs, ends = mx.mod.Module(network()), [], []
    module.fit(
        batches(),
        eval_data=batches(),
        eval_metric=["acc", "ce"],
        epoch_end_callback=lambda epoch, sym, args, auxs: epochs.append((epoch, sorted(auxs))),
        batch_end_callback=[mx.callback.Speedometer(6, 2), lambda p: ends.append(p.nbatch)],
        optimizer=case["optimizer"],
        optimizer_params=case["attrs"],
        arg_params=arguments,
        aux_params=states,
        num_epoch=3,
    )
    for name, expected in case["epochs"][2]["params"].items():
        assert flat(module)[name] == pytest.approx(expected, abs=2e-5), name
    assert epochs == [(i, ["bn_moving_mean", "bn_moving_var"]) for i in range(3)]
    assert ends == [0, 1, 2, 3] * 3
    lines = [record.getMessage() for record in caplog.records]
    # The whole epoch's, though the Speedometer began the metric again.
    for epoch, told in enumerate(case["epochs"]):
        for name, value in told["metric"]:
            assert f"Epoch[{epoch}] Train-{name}={value:f}" in lines
    assert any(line.startswith("Epoch[0] Batch [0-2]\tSpeed: ") for line in lines)
    assert any(line.startswith("Epoch[2] Validation-cross-entropy=") for line in lines)
    assert sum("Time cost=" in line for line in lines) == 3


def test_scores_and_predictions_leave_out_what_fills_batches_up():
    module = ready()
    whole = module.predict(array(FILE["data"]))
    assert whole.shape == (22, 3)
    parts = module.predict(batches(), merge_batches=False)
    assert [part[0].shape for part in parts] == [(6, 3), (6, 3), (6, 3), (4, 3)]
    joined = np.concatenate([part[0].asnumpy() for part in parts])
    np.testing.assert_array_equal(joined, whole.asnumpy())
    [listed] = module.predict(batches(), num_batch=2, always_output_list=True)
    assert listed.shape == (12, 3)
    rows = [(n, out[0].shape[0], batch.pad) for out, n, batch in module.iter_predict(batches())]
    assert rows == [(0, 6, 0), (1, 6, 0), (2, 6, 0), (3, 4, 2)]
    ends = []
    [(name, value)] = module.score(batches(), "acc", 3, score_end_callback=lambda p: ends.append(p))
    labels = np.array(FILE["label"]["data"][:18])
    assert name == "accuracy" and ends[0].nbatch == 3
    assert value == pytest.approx((joined[:18].argmax(1) == labels).mean())


def test_a_checkpoint_with_states_continues_to_the_bit(tmp_path):
    prefix = str(tmp_path / "net")
    first = ready()
    first.init_optimizer(optimizer="adam")
    train(first, batches())
    first.save_checkpoint(prefix, 1, save_optimizer_states=True)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["net-0001.params", "net-0001.states", "net-symbol.json"]
    second = mx.mod.Module.load(prefix, 1, load_optimizer_states=True)
    assert second.params_initialized and flat(second) == flat(first)
    second.bind(batches().provide_data, batches().provide_label)
    second.init_optimizer(optimizer="adam")
    for module in (first, second):
        train(module, batches())
    assert flat(first) == flat(second)
    symbol, arguments, _ = mx.model.load_checkpoint(prefix, 1)
    assert symbol.list_outputs() == ["softmax_output"] and "fc1_weight" in arguments


def test_parameters_go_to_files_and_back(tmp_path):
    first, second = ready(), ready()
    first.set_params({"fc2_bias": mx.nd.ones(3)}, {}, allow_missing=True)
    first.save_params(tmp_path / "params")
    second.load_params(tmp_path / "params")
    assert flat(first) == flat(second) and flat(first)["fc2_bias"] == [1, 1, 1]


def test_initializers_fill_what_is_not_given():
    class Sevens(mx.init.Initializer):
        def _init_weight(self, name, arr):
            arr[:] = 7

    module = mx.mod.Module(network())
    module.bind(batches().provide_data, batches().provide_label)
    with pytest.raises(mx.MXRError, match="'bn_beta' is not among those given"):
        module.init_params(Sevens(), {"fc1_weight": mx.nd.zeros((5, 4))})
    extra = {"fc1_weight": mx.nd.zeros((5, 4)), "fc9_weight": mx.nd.zeros(1)}
    module.init_params(Sevens(), extra, allow_missing=True)
    values = flat(module)
    assert set(values["fc1_weight"]) == {0} and set(values["fc2_weight"]) == {7}
    assert set(values["fc2_bias"]) == {0} and set(values["bn_moving_var"]) == {1}
    with pytest.warns(UserWarning, match="parameters have values"):
        module.init_params(Sevens())


def test_first_values_follow_from_the_seed_in_the_order_of_names():
    def values():
        mx.random.seed(5)
        module = mx.mod.Module(network())
        module.bind(batches().provide_data, batches().provide_label)
        module.init_params(mx.init.Uniform(0.5))
        return flat(module)

    mx.random.seed(5)
    weights = {"fc1_weight": (5, 4), "fc2_weight": (3, 5)}
    drawn = {n: mx.nd.random.uniform(-0.5, 0.5, shape) for n, shape in weights.items()}
    for name, array in drawn.items():
        assert values()[name] == array.asnumpy().ravel().tolist()


class Descent(mx.optimizer.Optimizer):
    """SGD with momentum as one's own optimizer."""

    def create_state(self, index, weight):
        return mx.nd.zeros(weight.shape, ctx=weight.context)

    def update(self, index, weight, grad, state):
        self._update_count(index)
        lr, wd = self._get_lr(index), self._get_wd(index)
        state[:] = 0.5 * state - lr * (grad * self.rescale_grad + wd * weight)
        weight += state


mx.optimizer.register(Descent)


@pytest.mark.parametrize("devices", [1, 2])
def test_an_optimizer_of_ones_own_trains_too(devices, tmp_path):
    params = {"learning_rate": 0.5, "wd": 0.01}
    own, librarys = ready(devices), ready(devices)
    own.init_optimizer("local", "descent", params)
    librarys.init_optimizer("local", "sgd", {**params, "momentum": 0.5})
    for module in (own, librarys):
        train(module, batches())
    for name, expected in flat(librarys).items():
        assert flat(own)[name] == pytest.approx(expected, abs=1e-5), name
    own.save_optimizer_states(tmp_path / "states")
    own.load_optimizer_states(tmp_path / "states")
    train(own, batches())


def test_an_optimizer_that_is_given_decays_as_it_says():
    def trained(optimizer, params=()):
        module = ready()
        module.init_optimizer(None, optimizer, params)
        train(module, batches())
        return flat(module)

    sgd = {"learning_rate": 0.5, "wd": 0.5, "rescale_grad": 1 / 6}
    by_name, given = trained("sgd", sgd), trained(mx.optimizer.SGD(**sgd))
    # MXNet exempts biases, and asks the symbol's variables, only for optimizers that it makes by a name.
    assert by_name["fc2_bias"] != given["fc2_bias"]
    exempt = mx.optimizer.SGD(**sgd)
    exempt.set_lr_mult({"fc1_weight": 0.5})
    exempt.set_wd_mult({"fc2_bias": 0.0, "bn_beta": 0.0, "bn_gamma": 3.0})
    assert trained(exempt) == by_name
    slow = mx.optimizer.SGD(**sgd)
    slow.set_lr_mult({"fc1_weight": 0.0})
    assert trained(slow)["fc1_weight"] == pytest.approx(FILE["begin"]["fc1_weight"]["data"])
    with pytest.warns(UserWarning, match="multiplies gradients by 1.0, not by 1 / 6"):
        trained(mx.optimizer.SGD())


def test_a_schedule_says_the_rate_of_every_update():
    halved = mx.lr_scheduler.FactorScheduler(step=4, factor=0.5)
    scheduled, by_hand = ready(), ready()
    scheduled.init_optimizer(None, "sgd", {"learning_rate": 0.5, "lr_scheduler": halved})
    by_hand.init_optimizer(None, "sgd", {"learning_rate": 0.5})
    for epoch in range(2):
        by_hand._optimizer.lr = 0.5 / 2**epoch
        for module in (scheduled, by_hand):
            train(module, batches())
    assert flat(scheduled) == flat(by_hand)


def test_metrics_of_ones_own_see_the_labels_and_outputs_of_each_device():
    shapes = []

    class Seen(mx.metric.EvalMetric):
        def update_dict(self, label, pred):
            shapes.append({name: a.shape for name, a in {**label, **pred}.items()})

    module, batch = ready(2), next(batches())
    module.forward(batch)
    module.update_metric(mx.metric.create([Seen("seen"), "acc"]), batch.label)
    assert shapes == [{"softmax_label": (3,), "softmax_output": (3, 3)}] * 2
    counted = mx.metric.np(lambda label, pred: (float((pred.argmax(1) == label).sum()), len(label)))
    known = mx.metric.Accuracy()
    for metric in (counted, known):
        module.update_metric(metric, batch.label)
    assert counted.get()[1] == known.get()[1]


def test_fit_takes_iterators_of_ones_own():
    class Random(mx.io.DataIter):
        provide_data, provide_label = [("data", (6, 4))], [("softmax_label", (6,))]

        def reset(self):
            self.left = 2

        def next(self):
            if not self.left:
                raise StopIteration
            self.left -= 1
            return mx.io.DataBatch([mx.nd.random.normal(shape=(6, 4))], [mx.nd.zeros(6)], pad=0)

    iterator, module = Random(6), mx.mod.Module(network())
    iterator.reset()
    module.fit(iterator, num_epoch=3, optimizer_params={"learning_rate": 0.5})
    [(_, loss)] = module.score(iterator, "ce")
    assert loss < math.log(3)


def test_batches_of_other_shapes_are_bound_on_the_way():
    module = ready()
    six, four = (module.predict(array(FILE["data"])[:n]).asnumpy() for n in (6, 4))
    np.testing.assert_array_equal(six[:4], four)
    assert module.data_shapes == [("data", (4, 4))] and module.output_shapes[0][1] == (4, 3)
    module.reshape([("data", (2, 4))], [("softmax_label", (2,))])
    assert module.data_shapes[0].shape == (2, 4)
    assert module.predict(array(FILE["data"])[:2]).shape == (2, 3)


def test_a_module_may_take_the_parameters_of_another():
    first, second = ready(), mx.mod.Module(network())
    first.init_optimizer()
    second.bind([("data", (2, 4))], [("softmax_label", (2,))], shared_module=first)
    assert second.params_initialized and second.optimizer_initialized
    train(first, batches())
    assert flat(first) == flat(second)
    train(second, batches(2))
    assert flat(first) == flat(second)


def test_gradients_of_inputs_are_given_to_those_who_bound_for_them():
    x, weight = mx.sym.var("x"), mx.sym.var("w")
    module = mx.mod.Module(x * weight, data_names=["x"], label_names=None)
    module.bind([("x", (2, 3))], inputs_need_grad=True)
    module.init_params(None, {"w": mx.nd.array([[1, 2, 3], [4, 5, 6]])}, {})
    module.forward(mx.io.DataBatch([mx.nd.ones((2, 3))]), is_train=True)
    module.backward([mx.nd.ones((2, 3)) * 2])
    # The derivative of x w with respect to x is w.
    assert module.get_input_grads()[0].asnumpy().tolist() == [[2, 4, 6], [8, 10, 12]]
    [[per_device]] = module.get_input_grads(merge_multi_context=False)
    assert per_device.shape == (2, 3)
    with pytest.raises(mx.MXRError, match="gradients of inputs"):
        ready().get_input_grads()


def test_outputs_are_of_all_devices_or_of_each():
    module = ready(2)
    module.forward(next(batches()), is_train=False)
    [merged], [[first, second]] = module.get_outputs(), module.get_outputs(False)
    assert merged.shape == (6, 3) and first.shape == second.shape == (3, 3)
    np.testing.assert_array_equal(merged.asnumpy()[3:], second.asnumpy())


def test_parameters_can_be_kept_from_training_and_states_from_batches():
    module = ready(fixed_param_names=["fc1_weight"])
    module.init_optimizer()
    before = flat(module)
    train(module, batches())
    assert flat(module)["fc1_weight"] == before["fc1_weight"]
    assert flat(module)["fc2_weight"] != before["fc2_weight"]
    total = mx.sym.var("data") + mx.sym.var("state")
    keeping = mx.mod.Module(total, label_names=None, state_names=["state"])
    keeping.bind([("data", (2,))], for_training=False)
    keeping.init_params(None, {}, {})
    keeping.set_states(value=3)
    assert keeping.predict(mx.nd.ones(2)).asnumpy().tolist() == [4, 4]
    keeping.set_states(states=[[mx.nd.array([1, 2])]])
    assert keeping.get_states()[0].asnumpy().tolist() == [1, 2]


def test_monitors_see_what_every_operator_gives_and_variables_hold(caplog):
    caplog.set_level(logging.INFO)
    monitor, module, shown = mx.mon.Monitor(2), ready(), []
    module.init_optimizer()
    module.install_monitor(monitor)
    for batch in batches():
        monitor.tic()
        module.forward_backward(batch)
        shown.append(monitor.toc())
    assert [len(each) > 0 for each in shown] == [True, False, True, False]
    steps, names, texts = zip(*shown[2])
    assert set(steps) == {3}
    # MXNet's order; between these it has operators of the backward pass.
    outputs = ["fc1_output", "relu_output", "fc2_output", "softmax_output"]
    variables = ["data", "fc1_weight", "bn_gamma", "bn_beta", "fc2_weight", "fc2_bias"]
    variables += ["softmax_label", "bn_moving_mean", "bn_moving_var"]
    assert [name for name in names if name in outputs + variables] == outputs + variables
    weight = np.array(FILE["begin"]["fc1_weight"]["data"])
    text = texts[names.index("fc1_weight")]
    assert float(text.strip("[]\t")) == pytest.approx(np.sqrt((weight**2).mean()), rel=1e-5)
    own = mx.mon.Monitor(1, lambda x: [x.min(), x.max()], "fc2_bias", sort=True)
    mx.mod.Module(network()).fit(batches(), num_epoch=1, monitor=own)
    assert caplog.text.count("fc2_bias") == 4


def test_a_store_may_be_given_and_keeps_the_states_of_the_optimizer(tmp_path):
    alone, with_store, store = ready(), ready(), mx.kv.create("device")
    params = {"learning_rate": 0.5, "momentum": 0.5}
    alone.init_optimizer(None, "sgd", params)
    with_store.init_optimizer(store, "sgd", params)
    for module in (alone, with_store):
        train(module, batches())
    assert flat(alone) == flat(with_store)
    stored = mx.nd.zeros(3)
    store.pull("fc2_bias", out=stored)
    assert stored.asnumpy().tolist() == flat(alone)["fc2_bias"]
    store.save_optimizer_states(tmp_path / "of_store")
    with_store.save_optimizer_states(tmp_path / "of_module")
    assert (tmp_path / "of_store").read_bytes() == (tmp_path / "of_module").read_bytes()


def test_gradients_may_be_compressed_on_their_way():
    module = ready(2, compression_params={"type": "2bit", "threshold": 0.5})
    module.init_optimizer("device")
    train(module, batches())
    with pytest.raises(mx.MXRError, match="use 'device'"):
        ready(2, compression_params={"type": "2bit"}).init_optimizer("local")


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: mx.mod.Module("net.json"), "symbol: expected a Symbol, got str"),
        (lambda: mx.mod.Module(network(), data_names=["x"]), "no argument 'x'; it has data"),
        (lambda: mx.mod.Module(network(), work_load_list=[1, 2]), "equal shares"),
        (lambda: mx.mod.Module(network()).forward(next(batches())), "call bind first"),
        (lambda: mx.mod.Module(network()).get_params(), "call init_params first"),
        (lambda: ready().update(), "call init_optimizer first"),
        (lambda: mx.mod.Module(network()).bind([("x", (1, 4))]), "expected data data, got x"),
        (lambda: mx.mod.Module(network()).bind([("data", (1, 4))], grad_req={}), "one text"),
        (lambda: ready().set_params({}, {}), "'bn_beta' is not among those given"),
        (
            lambda: ready().set_params({"fc2_bias": mx.nd.ones(4)}, {}, allow_missing=True),
            "fc2_bias",
        ),
        (
            lambda: ready().set_params({"fc9_bias": mx.nd.ones(4)}, {}, allow_missing=True),
            "fc9_bias|no such parameter",
        ),
        (lambda: ready().forward(mx.io.DataBatch([])), "expected 1 arrays, got 0"),
        (lambda: ready().init_optimizer(optimizer="sdg"), "did you mean 'sgd'"),
        (lambda: ready().init_optimizer(optimizer=3), "optimizer: expected a text or an Optim"),
        (lambda: ready().init_optimizer("dist_sync"), "'local' or 'device', got 'dist_sync'"),
        (lambda: ready().init_optimizer(3), "kvstore: expected a text or a KVStore, got 3"),
        (lambda: ready().score([], "acc"), "eval_data: expected a DataIter, got list"),
        (lambda: mx.mod.Module(network()).fit(batches()), "num_epoch: expected a number"),
        (lambda: ready(2).bind([("data", (1, 4))], force_rebind=True), "at least 2"),
        (lambda: mx.mod.Module.load("nowhere", 1), "nowhere"),
    ],
)
def test_wrong_use_is_named(wrong, message):
    with pytest.raises(mx.MXRError, match=message):
        wrong()


def test_a_label_that_the_symbol_lacks_is_warned_of():
    with pytest.warns(UserWarning, match="no argument 'softmax_lable'"):
        mx.mod.Module(network(), label_names=["softmax_lable"])
