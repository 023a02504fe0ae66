"""Callbacks: MXNet's lines, checkpoints."""

import json
import logging
import time
from pathlib import Path

import pytest

import mxr as mx

#: What MXNet 1.9.1 did; see tests/conformance/oracle/make_training.py.
ORACLE = json.loads((Path(__file__).parents[3] / "tests/conformance/training.json").read_text())


@pytest.mark.parametrize("case", ORACLE["callbacks"], ids=lambda c: f"{c['callback']} {c['attrs']}")
def test_lines_are_those_of_mxnet(case, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    now = [100.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    callback = getattr(mx.callback, case["callback"])(**case["attrs"])
    lines = iter(case["lines"])
    # As in the script: two epochs of seven batches, a second each.
    for epoch in range(2):
        metric = mx.metric.CustomMetric(lambda label, pred: (float(label.sum()), 1), name="sum")
        for batch in range(7):
            metric.update([mx.nd.array([batch])], [mx.nd.array([0])])
            now[0] += 1.0
            caplog.clear()
            callback(mx.model.BatchEndParam(epoch, batch, metric, None))
            assert [record.getMessage() for record in caplog.records] == next(lines)


def test_arguments_are_attributes_that_can_be_changed():
    speed = mx.callback.Speedometer(20, 5, auto_reset=False)
    assert (speed.batch_size, speed.frequent, speed.auto_reset) == (20, 5, False)
    speed.frequent = 10
    assert speed.frequent == 10
    with pytest.raises(mx.MXRError, match="frequent"):
        mx.callback.Speedometer(20, 0)


def test_nothing_is_said_of_metrics_that_are_not_there(caplog):
    caplog.set_level(logging.INFO)
    mx.callback.log_train_metric(1)(mx.model.BatchEndParam(0, 0, None, None))
    mx.callback.LogValidationMetricsCallback()(mx.model.BatchEndParam(0, 0, None, None))
    assert not caplog.records


def test_checkpoints_are_written_every_so_many_epochs(tmp_path):
    net = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2, name="fc")
    arguments = {"fc_weight": mx.nd.ones((2, 3)), "fc_bias": mx.nd.zeros(2)}
    write = mx.callback.do_checkpoint(str(tmp_path / "net"), period=2)
    for epoch in range(4):
        write(epoch, net, arguments, {})
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["net-0002.params", "net-0004.params", "net-symbol.json"]
    symbol, loaded, _ = mx.model.load_checkpoint(str(tmp_path / "net"), 4)
    assert symbol.list_arguments() == ["data", "fc_weight", "fc_bias"]
    assert loaded["fc_weight"].asnumpy().tolist() == [[1, 1, 1], [1, 1, 1]]


def test_a_module_writes_its_checkpoints():
    written = []

    class Module:
        def save_checkpoint(self, *given):
            written.append(given)

    write = mx.callback.module_checkpoint(Module(), "net", 3, save_optimizer_states=True)
    for epoch in range(6):
        write(epoch)
    assert written == [("net", 3, True), ("net", 6, True)]
