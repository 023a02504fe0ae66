"""`FeedForward`: training, prediction and files without a module in hand."""

import logging

import numpy as np
import pytest

import mxr as mx

RNG = np.random.RandomState(3)
X = RNG.randn(40, 2).astype("float32")
Y = (X[:, 0] > X[:, 1]).astype("float32")


def network():
    hidden = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2, name="fc")
    return mx.sym.SoftmaxOutput(hidden, name="softmax")


def test_a_model_learns_from_arrays(caplog):
    caplog.set_level(logging.INFO)
    mx.random.seed(1)
    model = mx.model.FeedForward.create(
        network(), X, Y, num_epoch=20, eval_data=(X, Y), learning_rate=1.0, numpy_batch_size=10
    )
    predicted = model.predict(X)
    assert isinstance(predicted, np.ndarray) and predicted.shape == (40, 2)
    assert (predicted.argmax(1) == Y).mean() > 0.9
    assert "Epoch[19] Validation-accuracy=" in caplog.text
    labelled = mx.io.NDArrayIter(X, Y, 7)
    outputs, data, label = model.predict(labelled, return_data=True)
    np.testing.assert_allclose(outputs, predicted, rtol=1e-5)
    np.testing.assert_array_equal(data, X)
    np.testing.assert_array_equal(label, Y)
    whole = mx.io.NDArrayIter(X, Y, 8)
    assert model.score(whole) == pytest.approx((predicted.argmax(1) == Y).mean())


def test_a_model_goes_to_files_and_on_from_there(tmp_path):
    prefix = str(tmp_path / "net")
    model = mx.model.FeedForward(network(), num_epoch=2, epoch_size=3, numpy_batch_size=10)
    ends = []
    model.fit(X, Y, batch_end_callback=lambda p: ends.append((p.epoch, p.nbatch)))
    assert ends == [(e, b) for e in range(2) for b in range(3)]
    model.save(prefix)
    again = mx.model.FeedForward.load(prefix, 2, num_epoch=3)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.fit(X, Y, batch_end_callback=lambda p: ends.append((p.epoch, p.nbatch)))
    assert ends[-1][0] == 2 and again.arg_params.keys() == {"fc_weight", "fc_bias"}


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda m: m.predict(X), "call fit first"),
        (lambda m: m.fit(X), "y: expected labels"),
        (lambda m: m.fit([1, 2], Y), "X: expected a DataIter, NDArray or numpy.ndarray, got list"),
        (lambda m: m.save("net"), "epoch: expected a number"),
    ],
)
def test_wrong_use_is_named(wrong, message):
    with pytest.raises(mx.MXRError, match=message):
        wrong(mx.model.FeedForward(network()))
