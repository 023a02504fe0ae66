"""The part of a module that trains: optimizer, store, metrics."""

import os
import warnings

from .. import kvstore as _kvstore
from .. import optimizer as opt
from .._io import DataDesc
from .._metric import Known, listed
from ..base import InvalidTypeError, _unsupported
from ..metric import CompositeEvalMetric
from .base_module import BaseModule


class Trained(BaseModule):
    """What changes parameters, and says how good they are.

    The library updates by its own optimizers; those of one's own are called here.
    """

    def init_optimizer(
        self,
        kvstore="local",
        optimizer="sgd",
        optimizer_params=(("learning_rate", 0.01),),
        force_init=False,
    ):
        """Makes or takes an optimizer.

        Parameters
        ----------
        kvstore : str, KVStore or None
            Sums the gradients of several devices.
        optimizer : str or Optimizer
            One that is made by a name divides gradients by the batch size.
        optimizer_params : dict or tuple of pairs
            The arguments of an optimizer that is made by a name.
        force_init : bool
            Do it even if there is an optimizer.
        """
        self._ready()
        if self.optimizer_initialized and not force_init:
            self.logger.warning("optimizer already initialized, ignoring...")
            return
        store = self._store_of(kvstore)
        optimizer, named = self._optimizer_of(optimizer, dict(optimizer_params))
        self._optimizer, self._updater, self._store = optimizer, None, store
        if optimizer._is_the_librarys:
            name = store if isinstance(store, str) else None
            handle = None if name or store is None else store._handle
            self._handle.init_optimizer(optimizer._handle, name, handle, named)
        else:
            self._train_by_updater(named)
        self.optimizer_initialized = True
        if self._states_file is not None:
            self.load_optimizer_states(self._states_file)
            self._states_file = None

    def _store_of(self, kvstore):
        """The store: None, a name or a ``KVStore``."""
        if kvstore is None or isinstance(kvstore, _kvstore.KVStore):
            return kvstore
        if not isinstance(kvstore, str):
            raise InvalidTypeError(f"kvstore: expected a text or a KVStore, got {kvstore!r}")
        if not self._compression_params:
            return kvstore
        store = _kvstore.create(kvstore)
        store.set_gradient_compression(self._compression_params)
        return store

    def _optimizer_of(self, optimizer, params):
        """The optimizer, and whether it was made by a name."""
        batch = self._data_shapes[0]
        size = batch.shape[DataDesc.get_batch_axis(batch.layout)]
        if isinstance(optimizer, str):
            params = {"rescale_grad": 1 / size, **params}
            return opt.create(optimizer, sym=self._symbol, **params), True
        if not isinstance(optimizer, opt.Optimizer):
            raise InvalidTypeError(
                f"optimizer: expected a text or an Optimizer, got {type(optimizer).__name__}"
            )
        if optimizer.rescale_grad != 1 / size:
            warnings.warn(
                f"the optimizer multiplies gradients by {optimizer.rescale_grad}, "
                f"not by 1 / {size}, which would be the mean over a batch",
                stacklevel=3,
            )
        return optimizer, False

    def _train_by_updater(self, named):
        """Lets an optimizer of one's own change the parameters on each device."""
        copies, names = len(self._context), self._handle.param_names()
        if named or not self._optimizer.idx2name:
            by_index = {i * copies + k: n for i, n in enumerate(names) for k in range(copies)}
            if named:
                self._optimizer.idx2name = by_index
            else:
                self._optimizer._add_names(by_index)
        self._updater = opt.get_updater(self._optimizer)
        if isinstance(self._store, str):
            self._store = _kvstore.create(self._store) if copies > 1 else None
        if self._store is not None:
            for name in names:
                self._store.init(name, self._executors()[0].arg_dict[name])

    def update(self):
        """Changes the parameters by their gradients."""
        self._ready(binded=True, params_initialized=True, optimizer_initialized=True)
        if self._updater is None:
            schedule = self._optimizer.lr_scheduler
            if schedule is not None:
                self._optimizer.lr = schedule(self._optimizer.num_update + 1)
            self._handle.update()
            return
        executors = self._executors()
        for i, name in enumerate(self._handle.param_names()):
            gradients = [e.grad_dict[name] for e in executors]
            if gradients[0] is None:
                continue
            if self._store is not None:
                self._store.pushpull(name, gradients)
            for k, (executor, gradient) in enumerate(zip(executors, gradients)):
                self._updater(i * len(executors) + k, gradient, executor.arg_dict[name])

    def update_metric(self, eval_metric, labels, pre_sliced=False):
        """Shows the outputs of the last forward pass to a metric.

        Parameters
        ----------
        eval_metric : EvalMetric
        labels : list of NDArray
            The labels of the batch.
        """
        if pre_sliced:
            raise _unsupported("pre_sliced: labels are divided among devices here")
        labels = listed(labels)
        if isinstance(eval_metric, Known) and eval_metric._is_the_librarys:
            self._handle.update_metric(eval_metric._handle, labels)
        elif _passes_all(eval_metric):
            for part in eval_metric.metrics:
                self.update_metric(part, labels)
        else:
            self._show(eval_metric, labels)

    def _show(self, eval_metric, labels):
        """Shows labels and outputs of each device to a metric of one's own."""
        names = [desc.name for desc in self._label_shapes or []] or self._label_names
        begin = 0
        for executor in self._executors():
            parts = labels
            if len(self._context) > 1:
                end = begin + executor.arg_dict[self._data_shapes[0].name].shape[0]
                parts = [label[begin:end] for label in labels]
                begin = end
            eval_metric.update_dict(dict(zip(names, parts)), executor.output_dict)

    def save_optimizer_states(self, fname):
        """Writes the states of the optimizer to a file."""
        self._ready(optimizer_initialized=True)
        own = self._updater
        states = self._handle.optimizer_states() if own is None else own.get_states()
        with open(os.fspath(fname), "wb") as file:
            file.write(states)

    def load_optimizer_states(self, fname):
        """Reads what ``save_optimizer_states`` wrote. A file that is pickled must be trusted."""
        self._ready(optimizer_initialized=True)
        with open(os.fspath(fname), "rb") as file:
            states = file.read()
        if self._updater is None:
            self._handle.set_optimizer_states(states)
        else:
            self._updater.set_states(states)


def _passes_all(metric):
    """Whether a metric only shows all that it sees to its parts."""
    names = (getattr(metric, "output_names", None), getattr(metric, "label_names", None))
    return type(metric) is CompositeEvalMetric and names == (None, None)
