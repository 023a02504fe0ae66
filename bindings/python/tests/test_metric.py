"""Metrics: MXNet's values, composite ones, a user's own, wrong use."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import mxr as mx

#: What MXNet 1.9.1 did; see tests/conformance/oracle/make_training.py.
ORACLE = json.loads((Path(__file__).parents[3] / "tests/conformance/training.json").read_text())


def array(given):
    values = np.array(given["data"], dtype=given["dtype"]).reshape(given["shape"])
    return mx.nd.array(values, dtype=given["dtype"])


def told(pairs):
    return [[name, None if math.isnan(value) else value] for name, value in pairs]


@pytest.mark.parametrize("case", ORACLE["metrics"], ids=lambda c: f"{c['metric']} {c['attrs']}")
def test_values_are_those_of_mxnet_after_every_batch(case):
    metric = mx.metric.create(case["metric"], **case["attrs"])
    for i, ((labels, preds), step) in enumerate(zip(case["batches"], case["steps"])):
        metric.update([array(a) for a in labels], [array(a) for a in preds])
        for found, expected in [
            (metric.get_name_value(), step["get"]),
            (metric.get_global_name_value(), step["global"]),
        ]:
            if expected is not None:
                names, values = zip(*told(found))
                assert list(names) == [name for name, _ in expected]
                assert list(values) == pytest.approx([v for _, v in expected], rel=1e-5)
        if i == 1 and step["global"] is not None:
            metric.reset_local()


def test_metrics_are_made_by_name_by_class_by_function_and_in_lists():
    assert isinstance(mx.metric.create("ACC"), mx.metric.Accuracy)
    assert isinstance(mx.metric.create("top_k_accuracy", top_k=3), mx.metric.TopKAccuracy)
    same = mx.metric.MSE()
    assert mx.metric.create(same) is same
    both = mx.metric.create(["mae", lambda label, pred: 1.0])
    assert [type(m).__name__ for m in both.metrics] == ["MAE", "CustomMetric"]
    assert both.metrics[1].name == "custom(<lambda>)"
    config = mx.metric.CrossEntropy(eps=0.5, name="h").get_config()
    assert mx.metric.create(**config).get_config() == config


def test_arguments_may_be_positional_as_in_mxnet():
    assert mx.metric.Accuracy(-1, "right").axis == -1
    assert mx.metric.Perplexity(0, -1).ignore_label == 0
    assert mx.metric.F1("f", None, None, "micro").average == "micro"


def test_a_metric_without_batches_is_not_a_number():
    name, value = mx.metric.Accuracy().get()
    assert name == "accuracy" and math.isnan(value)
    assert str(mx.metric.MAE()) == "EvalMetric: {'mae': nan}"


def test_single_arrays_stand_for_lists_of_one():
    metric = mx.metric.MAE()
    metric.update(mx.nd.array([1, 2]), mx.nd.array([1, 4]))
    assert metric.get() == ("mae", 1.0)
    loss = mx.metric.Loss()
    loss.update(None, mx.nd.array([1, 3]))
    assert loss.get() == ("loss", 2.0)
    assert mx.metric.Torch().get()[0] == "torch" and mx.metric.Caffe().get()[0] == "caffe"


def test_updates_by_name_choose_what_the_metric_was_made_for():
    labels = {"one": mx.nd.array([1]), "two": mx.nd.array([0])}
    preds = {"left": mx.nd.array([[0.0, 1.0]]), "right": mx.nd.array([[0.0, 1.0]])}
    chosen = mx.metric.Accuracy(output_names=["right"], label_names=["two"])
    chosen.update_dict(labels, preds)
    assert chosen.get() == ("accuracy", 0.0)
    with pytest.raises(mx.MXRError, match="label_names.*no 'three' among one, two"):
        mx.metric.Accuracy(label_names=["three"]).update_dict(labels, preds)
    both = mx.metric.CompositeEvalMetric(["acc"], output_names=["left"], label_names=["one"])
    both.update_dict(labels, preds)
    assert both.get() == (["accuracy"], [1.0])


def test_a_composite_metric_takes_any_and_never_itself():
    inner, outer = mx.metric.CompositeEvalMetric(), mx.metric.CompositeEvalMetric(["acc"])
    outer.add(inner)
    inner.add("mae")
    outer.update([mx.nd.array([1.0, 0.0])], [mx.nd.array([1.0, 1.0])])
    assert outer.get() == (["accuracy", "mae"], [0.5, 0.5])
    assert outer.get_metric(1) is inner
    for whole, part in [(outer, outer), (inner, outer)]:
        with pytest.raises(ValueError, match="part of itself"):
            whole.add(part)
    with pytest.raises(IndexError, match="no metric 2 of 2"):
        outer.get_metric(2)


class WorstError(mx.metric.EvalMetric):
    """The largest error, summed over batches."""

    def __init__(self):
        super().__init__("worst", has_global_stats=True)

    def update(self, labels, preds):
        for label, pred in zip(labels, preds):
            worst = (label - pred).abs().max().asscalar()
            self.sum_metric += worst
            self.global_sum_metric += worst
            self.num_inst += 1
            self.global_num_inst += 1


def test_a_metric_of_ones_own_sums_up_in_update():
    metric = mx.metric.create([WorstError(), "mse"])
    metric.update([mx.nd.array([1.0, 2.0])], [mx.nd.array([1.0, 5.0])])
    metric.reset_local()
    metric.update([mx.nd.array([1.0, 2.0])], [mx.nd.array([2.0, 2.0])])
    assert metric.get() == (["worst", "mse"], [1.0, 0.5])
    assert metric.get_global() == (["worst", "mse"], [2.0, 2.5])


def test_a_metric_of_the_library_may_be_given_another_update():
    @mx.metric.register
    @mx.metric.alias("half_acc")
    class HalfAccuracy(mx.metric.Accuracy):
        def update(self, labels, preds):
            self.sum_metric += 0.5
            self.num_inst += 1

    metric = mx.metric.create("half_acc", axis=0)
    metric.update([], [])
    assert metric.get() == ("accuracy", 0.5) and metric.axis == 0
    metric.reset()
    assert math.isnan(metric.get()[1])


def test_functions_say_a_value_or_a_sum_and_a_count():
    def right(label, pred):
        assert isinstance(label, np.ndarray)
        return float((label == pred).sum()), label.size

    labels, preds = [mx.nd.array([1, 2, 3])], [mx.nd.array([1, 2, 4])]
    counted, mean = mx.metric.np(right), mx.metric.CustomMetric(lambda x, y: x.sum(), "sum")
    counted.update(labels, preds)
    mean.update(labels, preds)
    assert counted.get() == ("right", 2 / 3) and mean.get() == ("sum", 6.0)
    with pytest.raises(mx.MXRError, match="expected the number of the predictions, 2, got 1"):
        counted.update(labels, preds * 2)
    mx.metric.np(right, allow_extra_outputs=True).update(labels, preds * 2)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: mx.metric.create("accurcy"), "did you mean 'accuracy'"),
        (lambda: mx.metric.F1(average="median"), "'average'.*'macro', 'micro'"),
        (lambda: mx.metric.TopKAccuracy(), "top_k.*more than 1"),
        (lambda: mx.metric.Accuracy(axis="x"), "'axis'.*integer"),
        (lambda: mx.metric.Accuracy().update([], [mx.nd.ones(2)]), "labels.*got 0 and 1"),
        (lambda: mx.metric.MAE().update([mx.nd.ones(2)], [mx.nd.ones(3)]), r"labels.*\(3,\)"),
        (
            lambda: mx.metric.Accuracy().update([[1]], [mx.nd.ones(2)]),
            "expected an NDArray, got list",
        ),
        (lambda: mx.metric.create(3), "expected a name, got 3"),
        (lambda: mx.metric.EvalMetric("x").update([], []), "must override update"),
    ],
)
def test_wrong_use_is_named(wrong, message):
    with pytest.raises((mx.MXRError, TypeError, NotImplementedError), match=message):
        wrong()


def test_what_is_wrong_with_elements_is_told_by_get():
    metric = mx.metric.CrossEntropy()
    metric.update([mx.nd.array([2])], [mx.nd.array([[0.5, 0.5]])])
    with pytest.raises(IndexError, match="expected a class from 0 to 1, got 2"):
        metric.get()
