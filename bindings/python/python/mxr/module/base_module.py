"""What modules share: the loops of training, evaluation and prediction."""

import logging
import time

import numpy as np

from .. import metric, nd
from ..base import InvalidTypeError, InvalidValueError
from ..initializer import Uniform
from ..io import DataBatch
from ..model import BatchEndParam, load_arrays, save_arrays


def _each(callbacks):
    if callbacks is None:
        return []
    return callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]


class BaseModule:
    """Loops over batches, for modules that say how a batch is run.

    Attributes
    ----------
    binded, params_initialized, optimizer_initialized : bool
        How far the module is.
    for_training, inputs_need_grad : bool
        What it is bound for.
    """

    def __init__(self, logger=logging):
        self.logger = logger
        self.binded = self.params_initialized = self.optimizer_initialized = False
        self.for_training = self.inputs_need_grad = False
        self._symbol = None

    @property
    def symbol(self):
        """The symbol."""
        return self._symbol

    def _ready(self, **states):
        """Refuses to go on before the module is as far as is said."""
        how = {
            "binded": "bind",
            "params_initialized": "init_params",
            "optimizer_initialized": "init_optimizer",
        }
        for state in states or ("binded", "params_initialized"):
            if not getattr(self, state):
                raise InvalidValueError(f"the module is not ready: call {how[state]} first")

    def prepare(self, data_batch, sparse_row_id_fn=None):
        """Prepares for a batch: nothing is to be done for dense parameters."""

    def forward_backward(self, data_batch):
        """Computes outputs and gradients for a batch."""
        self.forward(data_batch, is_train=True)
        self.backward()

    def _batches(self, data, num_batch, reset):
        """The batches of an iterator, run for prediction, with their numbers."""
        self._ready()
        if not hasattr(data, "provide_data"):
            raise InvalidTypeError(f"eval_data: expected a DataIter, got {type(data).__name__}")
        if reset:
            data.reset()
        for nbatch, batch in enumerate(data):
            if nbatch == num_batch:
                break
            self.prepare(batch)
            self.forward(batch, is_train=False)
            yield nbatch, batch

    def _outputs(self, batch):
        """The outputs, without what fills the batch up."""
        return [out[0 : out.shape[0] - (batch.pad or 0)] for out in self.get_outputs()]

    def score(
        self,
        eval_data,
        eval_metric,
        num_batch=None,
        batch_end_callback=None,
        score_end_callback=None,
        reset=True,
        epoch=0,
        sparse_row_id_fn=None,
    ):
        """How good the predictions are: a list of pairs of name and value.

        Parameters
        ----------
        eval_data : DataIter
        eval_metric : EvalMetric, or what ``mx.metric.create`` takes
        num_batch : int, optional
            How many batches count; all if not given.
        batch_end_callback, score_end_callback : callable or list of callable, optional
            Is called with a ``BatchEndParam``.
        reset : bool
            Begin the iterator again.
        epoch : int
            What callbacks are told.
        """
        eval_metric = metric.create(eval_metric)
        eval_metric.reset()
        count = 0
        for nbatch, batch in self._batches(eval_data, num_batch, reset):
            self.update_metric(eval_metric, batch.label)
            for callback in _each(batch_end_callback):
                callback(BatchEndParam(epoch, nbatch, eval_metric, locals()))
            count += 1
        for callback in _each(score_end_callback):
            callback(BatchEndParam(epoch, count, eval_metric, locals()))
        return eval_metric.get_name_value()

    def iter_predict(self, eval_data, num_batch=None, reset=True, sparse_row_id_fn=None):
        """Outputs, number and batch, one after the other."""
        for nbatch, batch in self._batches(eval_data, num_batch, reset):
            yield self._outputs(batch), nbatch, batch

    def predict(
        self,
        eval_data,
        num_batch=None,
        merge_batches=True,
        reset=True,
        always_output_list=False,
        sparse_row_id_fn=None,
    ):
        """The outputs for all batches.

        Parameters
        ----------
        eval_data : DataIter, NDArray or numpy.ndarray
            An array is one batch.
        num_batch : int, optional
            How many batches are run; all if not given.
        merge_batches : bool
            Join the batches' outputs; otherwise there is a list of outputs for each batch.
        reset : bool
            Begin the iterator again.
        always_output_list : bool
            Give a list for a single output, too.
        """
        if isinstance(eval_data, (nd.NDArray, np.ndarray)):
            self._ready()
            array = eval_data if isinstance(eval_data, nd.NDArray) else nd.array(eval_data)
            self.forward(DataBatch([array]), is_train=False)
            return self.get_outputs()[0]
        # The next batch overwrites outputs.
        ran = self._batches(eval_data, num_batch, reset)
        outputs = [[out.copy() for out in self._outputs(batch)] for _, batch in ran]
        if not merge_batches or not outputs:
            return outputs
        if len({len(each) for each in outputs}) > 1:
            raise InvalidValueError("merge_batches: batches differ in their number of outputs")
        merged = [nd.concat(*parts, dim=0) for parts in zip(*outputs)]
        return merged if always_output_list or len(merged) > 1 else merged[0]

    def fit(
        self,
        train_data,
        eval_data=None,
        eval_metric="acc",
        epoch_end_callback=None,
        batch_end_callback=None,
        kvstore="local",
        optimizer="sgd",
        optimizer_params=(("learning_rate", 0.01),),
        eval_end_callback=None,
        eval_batch_end_callback=None,
        initializer=Uniform(0.01),  # noqa: B008
        arg_params=None,
        aux_params=None,
        allow_missing=False,
        force_rebind=False,
        force_init=False,
        begin_epoch=0,
        num_epoch=None,
        validation_metric=None,
        monitor=None,
        sparse_row_id_fn=None,
    ):
        """Trains the parameters.

        Parameters
        ----------
        train_data, eval_data : DataIter
            ``eval_data`` is for validation after each epoch.
        eval_metric, validation_metric : EvalMetric, or what ``mx.metric.create`` takes
        epoch_end_callback : callable or list of callable
            Is called with epoch, symbol, arguments and auxiliary states.
        batch_end_callback, eval_end_callback, eval_batch_end_callback : callable or list of them
            Is called with a ``BatchEndParam``.
        kvstore : str, KVStore or None
        optimizer : str or Optimizer
        optimizer_params : dict or tuple of pairs
            The arguments of the optimizer that a name makes.
        initializer : callable
            Fills parameters that have no value.
        arg_params, aux_params : dict of str to NDArray
            First values.
        allow_missing : bool
            Whether ``arg_params`` and ``aux_params`` may lack some.
        force_rebind, force_init : bool
            Bind, or initialize, even if that was done.
        begin_epoch, num_epoch : int
            The numbers of the first epoch and of that after the last.
        monitor : Monitor
        """
        if num_epoch is None:
            raise InvalidValueError("num_epoch: expected a number of epochs, got None")
        descs = train_data.provide_data, train_data.provide_label
        self.bind(*descs, for_training=True, force_rebind=force_rebind)
        if monitor is not None:
            self.install_monitor(monitor)
        self.init_params(initializer, arg_params, aux_params, allow_missing, force_init)
        self.init_optimizer(kvstore, optimizer, optimizer_params)
        eval_metric = metric.create(eval_metric)
        if validation_metric is None:
            validation_metric = eval_metric
        for epoch in range(begin_epoch, num_epoch):
            began = time.time()
            values = self._train(train_data, eval_metric, epoch, batch_end_callback, monitor)
            for name, value in values:
                self.logger.info("Epoch[%d] Train-%s=%f", epoch, name, value)
            self.logger.info("Epoch[%d] Time cost=%.3f", epoch, time.time() - began)
            arguments, states = self.get_params()
            # Devices that were trained apart go on together.
            self.set_params(arguments, states)
            for callback in _each(epoch_end_callback):
                callback(epoch, self.symbol, arguments, states)
            if eval_data is not None:
                found = self.score(
                    eval_data,
                    validation_metric,
                    score_end_callback=eval_end_callback,
                    batch_end_callback=eval_batch_end_callback,
                    epoch=epoch,
                )
                for name, value in found:
                    self.logger.info("Epoch[%d] Validation-%s=%f", epoch, name, value)
            train_data.reset()

    def _train(self, train_data, eval_metric, epoch, batch_end_callback, monitor):
        """Trains for an epoch; the values of the metric at its end."""
        eval_metric.reset()
        batches, nbatch, values = iter(train_data), 0, None
        batch = next(batches, None)
        if batch is None:
            raise InvalidValueError("train_data: expected an iterator that gives batches")
        while batch is not None:
            if monitor is not None:
                monitor.tic()
            self.forward_backward(batch)
            self.update()
            self.update_metric(eval_metric, batch.label)
            batch = next(batches, None)
            if batch is not None:
                self.prepare(batch)
            if monitor is not None:
                monitor.toc_print()
            if batch is None:
                # Callbacks may begin the metric again.
                values = eval_metric.get_global_name_value()
            for callback in _each(batch_end_callback):
                callback(BatchEndParam(epoch, nbatch, eval_metric, locals()))
            nbatch += 1
        return values

    def set_params(
        self, arg_params, aux_params, allow_missing=False, force_init=True, allow_extra=False
    ):
        """Sets parameters; see ``init_params``."""
        self.init_params(None, arg_params, aux_params, allow_missing, force_init, allow_extra)

    def save_params(self, fname):
        """Writes the parameters to a file."""
        save_arrays(fname, *self.get_params())

    def load_params(self, fname):
        """Reads parameters that ``save_params`` wrote."""
        self.set_params(*load_arrays(fname))
