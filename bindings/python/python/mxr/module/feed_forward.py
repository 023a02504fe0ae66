"""`FeedForward`: a symbol with its parameters, trained and used by a module."""

import numpy as np

from .. import metric as _metric
from .. import optimizer as opt
from ..base import InvalidTypeError, InvalidValueError
from ..callback import LogValidationMetricsCallback
from ..context import cpu
from ..initializer import Uniform
from ..io import NDArrayIter, ResizeIter
from ..model import load_checkpoint, save_checkpoint
from ..ndarray import NDArray
from .module import Module

_SAYS = LogValidationMetricsCallback()


class FeedForward:
    """A symbol with its parameters, as MXNet had them before ``Module``, which does more.

    Parameters
    ----------
    symbol : Symbol
    ctx : Context or list of Context, optional
        Devices, among which batches are divided.
    num_epoch : int, optional
        The number of epochs.
    epoch_size : int, optional
        Batches in an epoch; as many as the data have if not given.
    optimizer : str or Optimizer
    initializer : callable
        Fills parameters that have no value.
    numpy_batch_size : int
        Size of batches of data in memory.
    arg_params, aux_params : dict of str to NDArray, optional
        Parameters.
    allow_extra_params : bool
        Taken for MXNet's sake: values that no parameter takes are passed over.
    begin_epoch : int
    **kwargs
        The arguments of an optimizer that is made by a name.
    """

    def __init__(
        self,
        symbol,
        ctx=None,
        num_epoch=None,
        epoch_size=None,
        optimizer="sgd",
        initializer=Uniform(0.01),  # noqa: B008
        numpy_batch_size=128,
        arg_params=None,
        aux_params=None,
        allow_extra_params=False,
        begin_epoch=0,
        **kwargs,
    ):
        self.symbol, self.ctx, self.kwargs = symbol, ctx or cpu(), kwargs
        self.num_epoch, self.epoch_size, self.begin_epoch = num_epoch, epoch_size, begin_epoch
        self.optimizer, self.initializer = optimizer, initializer
        self.numpy_batch_size, self.allow_extra_params = numpy_batch_size, allow_extra_params
        self.arg_params, self.aux_params = arg_params, aux_params

    def _iterator(self, data, label, training):
        """The iterator itself, or one over arrays."""
        if hasattr(data, "provide_data"):
            return data
        if not isinstance(data, (np.ndarray, NDArray)):
            kind = type(data).__name__
            raise InvalidTypeError(f"X: expected a DataIter, NDArray or numpy.ndarray, got {kind}")
        if label is None and training:
            raise InvalidValueError("y: expected labels, since X is an array")
        label = np.zeros(data.shape[0]) if label is None else label
        label = label.reshape(-1) if label.ndim == 2 and label.shape[1] == 1 else label
        size = min(data.shape[0], self.numpy_batch_size)
        last = {"shuffle": True, "last_batch_handle": "roll_over"} if training else {}
        return NDArrayIter(data, label, size, **last)

    def _module(self, data):
        """A module for the batches of an iterator."""
        names, labels = [[d[0] for d in descs] for descs in (data.provide_data, data.provide_label)]
        arguments = self.symbol.list_arguments()
        labels = [name for name in arguments if name in labels or name.endswith("label")]
        return Module(self.symbol, names, labels, context=self.ctx)

    def _predictor(self, data):
        """A module for the batches of an iterator, with the parameters."""
        if self.arg_params is None:
            raise InvalidValueError("the model has no parameters: call fit first")
        module = self._module(data)
        labels = [desc for desc in data.provide_label if desc[0] in module.label_names]
        module.bind(data.provide_data, labels, for_training=False)
        module.init_params(None, self.arg_params, self.aux_params or {})
        return module

    def fit(
        self,
        X,
        y=None,
        eval_data=None,
        eval_metric="acc",
        epoch_end_callback=None,
        batch_end_callback=None,
        kvstore="local",
        logger=None,
        work_load_list=None,
        monitor=None,
        eval_end_callback=_SAYS,
        eval_batch_end_callback=None,
    ):
        """Trains the parameters.

        Parameters
        ----------
        X : DataIter, NDArray or numpy.ndarray
        y : NDArray or numpy.ndarray, optional
            Labels, if ``X`` is an array.
        eval_data : DataIter, or a pair as X and y, optional
            For validation after each epoch.
        eval_metric : EvalMetric, or what ``mx.metric.create`` takes
        epoch_end_callback, batch_end_callback : callable or list of callable, optional
            As those of ``Module.fit``.
        kvstore : str, KVStore or None
        logger : logging.Logger, optional
        monitor : Monitor, optional
        eval_end_callback, eval_batch_end_callback : callable or list of callable, optional
            As those of ``Module.fit``.
        """
        data = self._iterator(X, y, training=True)
        if self.epoch_size is not None:
            data = ResizeIter(data, self.epoch_size, reset_internal=False)
        if isinstance(eval_data, (tuple, list)):
            eval_data = self._iterator(*eval_data, training=True)
        module = self._module(data)
        if logger is not None:
            module.logger = logger
        module.fit(
            data,
            eval_data,
            _metric.create(eval_metric),
            epoch_end_callback,
            batch_end_callback,
            kvstore,
            self.optimizer,
            {} if isinstance(self.optimizer, opt.Optimizer) else self.kwargs,
            eval_end_callback,
            eval_batch_end_callback,
            self.initializer,
            self.arg_params,
            self.aux_params,
            allow_missing=True,
            begin_epoch=self.begin_epoch,
            num_epoch=self.num_epoch,
            monitor=monitor,
        )
        self.arg_params, self.aux_params = module.get_params()

    def predict(self, X, num_batch=None, return_data=False, reset=True):
        """The outputs for all batches, as ``numpy.ndarray``.

        Parameters
        ----------
        X : DataIter, NDArray or numpy.ndarray
        num_batch : int, optional
            How many batches are run; all if not given.
        return_data : bool
            Give data and labels too.
        reset : bool
            Begin the iterator again.
        """
        data = self._iterator(X, None, training=False)
        module, lists = self._predictor(data), []
        for outputs, _, batch in module.iter_predict(data, num_batch, reset):
            n = batch.data[0].shape[0] - (batch.pad or 0)
            inputs = [[array[:n] for array in arrays or []] for arrays in (batch.data, batch.label)]
            lists.append([[a.asnumpy() for a in arrays] for arrays in (outputs, *inputs)])
        outputs, *inputs = [_joined(parts) for parts in zip(*lists)]
        return (outputs, *inputs) if return_data else outputs

    def score(self, X, eval_metric="acc", num_batch=None, batch_end_callback=None, reset=True):
        """The value of a metric."""
        eval_metric = _metric.create(eval_metric)
        data = self._iterator(X, None, training=False)
        self._predictor(data).score(data, eval_metric, num_batch, batch_end_callback, None, reset)
        return eval_metric.get()[1]

    def save(self, prefix, epoch=None, remove_amp_cast=True):
        """Writes a checkpoint, of the number of epochs if ``epoch`` is not given."""
        epoch = self.num_epoch if epoch is None else epoch
        if epoch is None:
            raise InvalidValueError("epoch: expected a number, got None")
        arrays = (self.arg_params or {}, self.aux_params or {})
        save_checkpoint(prefix, epoch, self.symbol, *arrays, remove_amp_cast)

    @staticmethod
    def load(prefix, epoch, ctx=None, **kwargs):
        """The model of a checkpoint."""
        symbol, arguments, states = load_checkpoint(prefix, epoch)
        kwargs = {"arg_params": arguments, "aux_params": states, "begin_epoch": epoch, **kwargs}
        return FeedForward(symbol, ctx, **kwargs)

    @staticmethod
    def create(
        symbol,
        X,
        y=None,
        ctx=None,
        num_epoch=None,
        epoch_size=None,
        optimizer="sgd",
        initializer=Uniform(0.01),  # noqa: B008
        eval_data=None,
        eval_metric="acc",
        epoch_end_callback=None,
        batch_end_callback=None,
        kvstore="local",
        logger=None,
        work_load_list=None,
        eval_end_callback=_SAYS,
        eval_batch_end_callback=None,
        **kwargs,
    ):
        """Makes a model and trains it; see ``fit``."""
        model = FeedForward(symbol, ctx, num_epoch, epoch_size, optimizer, initializer, **kwargs)
        model.fit(
            X,
            y,
            eval_data,
            eval_metric,
            epoch_end_callback,
            batch_end_callback,
            kvstore,
            logger,
            eval_end_callback=eval_end_callback,
            eval_batch_end_callback=eval_batch_end_callback,
        )
        return model


def _joined(parts):
    """The arrays of all batches: one, or a list of several."""
    joined = [np.concatenate(arrays) for arrays in zip(*parts)]
    return joined[0] if len(joined) == 1 else joined
