"""Metrics: how good predictions are, summed over batches.

>>> metric = mx.metric.create(["acc", "ce"])
>>> metric.update([mx.nd.array([1, 0])], [mx.nd.array([[0.5, 0.5], [1, 0]])])
>>> metric.get()
(['accuracy', 'cross-entropy'], [0.5, 0.3465735902789727])
"""

from ._gen.metric import *  # noqa: F403
from ._gen.metric import Loss
from ._gen.metric import __all__ as _classes
from ._metric import EvalMetric, alias, by_name, listed, register
from .base import InvalidValueError, OutOfRangeError, ShapeError

__all__ = [
    "Caffe",
    "CompositeEvalMetric",
    "CustomMetric",
    "EvalMetric",
    "Torch",
    "alias",
    "check_label_shapes",
    "create",
    "np",
    "register",
    *_classes,
]


def create(metric, *args, **kwargs):
    """Makes a metric.

    Parameters
    ----------
    metric : str, callable, EvalMetric or list of these
        The name of a class or a short one, such as ``'acc'``; a function of label and prediction;
        a metric, which is returned. Several become a ``CompositeEvalMetric``.
    *args, **kwargs
        The arguments of the class.
    """
    if isinstance(metric, (list, tuple)):
        return CompositeEvalMetric([create(part, *args, **kwargs) for part in metric])
    if callable(metric):
        return CustomMetric(metric, *args, **kwargs)
    return by_name(metric, *args, **kwargs)


def check_label_shapes(labels, preds, wrap=False, shape=False):
    """Refuses labels and predictions of other numbers, or with ``shape`` of other shapes.

    With ``wrap`` single arrays become lists.
    """
    what = "shape" if shape else "number"
    found, expected = (a.shape if shape else len(a) for a in (labels, preds))
    if found != expected:
        raise ShapeError(f"labels: expected the {what} of the predictions, {expected}, got {found}")
    return (listed(labels), listed(preds)) if wrap else (labels, preds)


@register
@alias("composite")
class CompositeEvalMetric(EvalMetric):
    """Several metrics, each of which takes in every batch and tells its own value.

    Parameters
    ----------
    metrics : list of str, callable or EvalMetric, optional
    name : str
    output_names, label_names : list of str, optional
        Names of the predictions and labels that the metrics see in ``update_dict``.
    """

    def __init__(self, metrics=None, name="composite", output_names=None, label_names=None):
        self.metrics = [create(metric) for metric in metrics or []]
        super().__init__(name, output_names, label_names, has_global_stats=True)

    def add(self, metric):
        """Adds a metric."""
        metric = create(metric)
        if self in _with_parts(metric):
            raise InvalidValueError("metric: a metric cannot be a part of itself")
        self.metrics.append(metric)

    def get_metric(self, index):
        """The metric at a place."""
        try:
            return self.metrics[index]
        except IndexError:
            n = len(self.metrics)
            raise OutOfRangeError(f"index: there is no metric {index} of {n}") from None

    def update(self, labels, preds):
        """Takes in a batch."""
        for metric in self.metrics:
            metric.update(labels, preds)

    def update_dict(self, labels, preds):
        """Takes in a batch of arrays by name."""
        if self.label_names is not None:
            labels = {name: labels[name] for name in labels if name in self.label_names}
        if self.output_names is not None:
            preds = {name: preds[name] for name in preds if name in self.output_names}
        for metric in self.metrics:
            metric.update_dict(labels, preds)

    def reset(self):
        """Forgets everything."""
        for metric in self.metrics:
            metric.reset()

    def reset_local(self):
        """Forgets what ``get`` tells, but not what ``get_global`` does."""
        for metric in self.metrics:
            metric.reset_local()

    def get(self):
        """Names and values, a list of each."""
        return _lists(metric.get_name_value() for metric in self.metrics)

    def get_global(self):
        """Names and values since the last ``reset``, a list of each."""
        return _lists(metric.get_global_name_value() for metric in self.metrics)

    def get_config(self):
        """What makes an equal metric by ``create(**config)``."""
        return {**super().get_config(), "metrics": [m.get_config() for m in self.metrics]}


def _lists(parts):
    pairs = [pair for part in parts for pair in part]
    return [name for name, _ in pairs], [value for _, value in pairs]


def _with_parts(metric):
    """A metric, and the parts of a composite one at any depth."""
    yield metric
    for part in getattr(metric, "metrics", ()):
        yield from _with_parts(part)


@register
class CustomMetric(EvalMetric):
    """What a function says of labels and predictions.

    Parameters
    ----------
    feval : callable
        A function of label and prediction, as ``numpy.ndarray``: the value for the batch, or a
        tuple of a sum and a count.
    name : str, optional
        The name of the function if not given.
    allow_extra_outputs : bool
        There may be more predictions than labels.
    output_names, label_names : list of str, optional
        Names of the predictions and labels that count in ``update_dict``.
    """

    def __init__(
        self, feval, name=None, allow_extra_outputs=False, output_names=None, label_names=None
    ):
        if name is None:
            name = feval.__name__
            name = f"custom({name})" if "<" in name else name
        self._feval, self._allow_extra_outputs = feval, allow_extra_outputs
        super().__init__(name, output_names, label_names, has_global_stats=True)

    def update(self, labels, preds):
        """Takes in a batch."""
        labels, preds = listed(labels), listed(preds)
        if not self._allow_extra_outputs:
            check_label_shapes(labels, preds)
        for label, pred in zip(labels, preds):
            value = self._feval(label.asnumpy(), pred.asnumpy())
            total, count = value if isinstance(value, tuple) else (value, 1)
            self.sum_metric += total
            self.global_sum_metric += total
            self.num_inst += count
            self.global_num_inst += count

    def get_config(self):
        """Raises an error: a function is no configuration."""
        raise NotImplementedError("a CustomMetric cannot be made from a configuration")


def np(numpy_feval, name=None, allow_extra_outputs=False):
    """A ``CustomMetric`` of a function of label and prediction, as ``numpy.ndarray``."""
    return CustomMetric(numpy_feval, name, allow_extra_outputs)


@register
class Torch(Loss):
    """The mean of the predictions, under another name."""

    def __init__(self, name="torch", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)


@register
class Caffe(Loss):
    """The mean of the predictions, under another name."""

    def __init__(self, name="caffe", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)
