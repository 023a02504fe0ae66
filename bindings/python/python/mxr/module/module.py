"""`Module`: a symbol that is trained by the library."""

import logging
import os
import warnings

from .. import _core
from .. import symbol as _symbol
from .._io import DataDesc, rows
from .._metric import listed
from .._options import request
from ..base import InvalidTypeError, InvalidValueError, _unsupported
from ..context import Context, cpu
from ..executor import Executor
from ..initializer import InitDesc, Uniform
from ..ndarray import concat, empty
from ._trained import Trained


class Module(Trained):
    """A symbol with executors on one or several devices, parameters and an optimizer.

    The order of its use: ``bind``, ``init_params``, ``init_optimizer``; then for each batch
    ``forward``, ``backward``, ``update``, ``update_metric``. ``fit`` does all that.

    Parameters
    ----------
    symbol : Symbol
    data_names, label_names : list of str
        Arguments that batches bring. All others are parameters.
    logger : logging.Logger
    context : Context or list of Context
        Devices, among which batches are divided.
    work_load_list : list of number, optional
        Shares of the devices, which must be equal.
    fixed_param_names : list of str, optional
        Parameters that are not trained.
    state_names : list of str, optional
        Arguments that stay from batch to batch; see ``set_states``.
    compression_params : dict, optional
        See ``KVStore.set_gradient_compression``.
    """

    def __init__(
        self,
        symbol,
        data_names=("data",),
        label_names=("softmax_label",),
        logger=logging,
        context=cpu(),  # noqa: B008
        work_load_list=None,
        fixed_param_names=None,
        state_names=None,
        group2ctxs=None,
        compression_params=None,
    ):
        if not isinstance(symbol, _symbol.Symbol):
            raise InvalidTypeError(f"symbol: expected a Symbol, got {type(symbol).__name__}")
        if len(set(work_load_list or [])) > 1:
            raise _unsupported(f"work_load_list: expected equal shares, got {work_load_list}")
        if group2ctxs is not None:
            raise _unsupported("group2ctxs: groups of devices are not supported")
        super().__init__(logger)
        self._symbol, self._compression_params = symbol, compression_params
        self._context = [context] if isinstance(context, Context) else list(context)
        names = [data_names, label_names, fixed_param_names, state_names]
        names = [[n] if isinstance(n, str) else list(n or []) for n in names]
        self._data_names, self._label_names, _, self._state_names = names
        self._options = names, [ctx._memory for ctx in self._context]
        self._data_shapes = self._label_shapes = None
        self._executors_now = self._shapes_now = None
        self._optimizer = self._updater = self._store = self._states_file = None
        unknown = set(self._label_names) - set(symbol.list_arguments())
        if unknown:
            message = f"label_names: the symbol has no argument '{sorted(unknown)[0]}'"
            warnings.warn(message, stacklevel=2)
        self._handle = _core.ModuleHandle(symbol._handle, self._options)

    @staticmethod
    def load(prefix, epoch, load_optimizer_states=False, **kwargs):
        """A module of a checkpoint's symbol and parameters.

        Parameters
        ----------
        prefix : str
            What the names of the files begin with.
        epoch : int
        load_optimizer_states : bool
            The optimizer goes on from the states that were saved.
        **kwargs
            The further arguments of ``Module``.
        """
        made = Module(_symbol.load(f"{prefix}-symbol.json"), **kwargs)
        made._handle = _core.ModuleHandle.load(os.fspath(prefix), epoch, made._options)
        made.params_initialized = True
        if load_optimizer_states:
            made._states_file = f"{prefix}-{epoch:04d}.states"
        return made

    def save_checkpoint(self, prefix, epoch, save_optimizer_states=False, remove_amp_cast=True):
        """Writes ``prefix-symbol.json`` and ``prefix-NNNN.params``, NNNN being the epoch.

        Parameters
        ----------
        prefix : str
        epoch : int
        save_optimizer_states : bool
            Write ``prefix-NNNN.states`` too.
        remove_amp_cast : bool
            Leave out casts of automatic mixed precision.
        """
        self._handle.save_checkpoint(os.fspath(prefix), epoch)
        self.symbol.save(f"{prefix}-symbol.json", remove_amp_cast=remove_amp_cast)
        if save_optimizer_states:
            self.save_optimizer_states(f"{prefix}-{epoch:04d}.states")

    @property
    def data_names(self):
        """The names of the data."""
        return self._data_names

    @property
    def label_names(self):
        """The names of the labels."""
        return self._label_names

    @property
    def output_names(self):
        """The names of the outputs."""
        return self._symbol.list_outputs()

    @property
    def data_shapes(self):
        """What the data of a batch are: a list of ``DataDesc``."""
        self._ready(binded=True)
        return self._data_shapes

    @property
    def label_shapes(self):
        """What the labels of a batch are: a list of ``DataDesc``."""
        self._ready(binded=True)
        return self._label_shapes

    @property
    def output_shapes(self):
        """Names and shapes of the outputs."""
        return [(n, out.shape) for n, out in zip(self.output_names, self.get_outputs())]

    def bind(
        self,
        data_shapes,
        label_shapes=None,
        for_training=True,
        inputs_need_grad=False,
        force_rebind=False,
        shared_module=None,
        grad_req="write",
    ):
        """Makes executors for batches of these shapes. Parameters keep their values.

        Parameters
        ----------
        data_shapes, label_shapes : list of DataDesc, or of pairs of name and shape
            In the order in which batches bring them.
        for_training : bool
            Compute gradients.
        inputs_need_grad : bool
            Compute gradients of the data too.
        force_rebind : bool
            Bind again; otherwise a module that is bound stays as it is.
        shared_module : Module, optional
            A bound module of which parameters, memory and optimizer are taken.
        grad_req : str
            ``'write'``, ``'add'`` or ``'null'``: what to do with gradients of parameters.
        """
        if self.binded and not force_rebind:
            self.logger.warning("Already bound, ignoring bind()")
            return
        if not isinstance(grad_req, str):
            raise _unsupported(f"grad_req: expected one text for all parameters, got {grad_req!r}")
        data, labels = rows(data_shapes), rows(label_shapes)
        purpose = (request(grad_req), bool(for_training), bool(inputs_need_grad))
        shared = None if shared_module is None else shared_module._handle
        self._handle.bind(data, labels, purpose, shared)
        self._data_shapes, self._label_shapes = _descs(data_shapes), _descs(label_shapes)
        self._executors_now = self._shapes_now = None
        self.binded, self.for_training = True, bool(for_training)
        self.inputs_need_grad = bool(inputs_need_grad)
        if shared_module is not None:
            self.params_initialized = shared_module.params_initialized
            self.optimizer_initialized = shared_module.optimizer_initialized
            self._optimizer, self._updater = shared_module._optimizer, shared_module._updater
            self._store = shared_module._store

    def reshape(self, data_shapes, label_shapes=None):
        """Makes executors for batches of other shapes, with the same parameters."""
        self._ready(binded=True)
        self._handle.reshape(rows(data_shapes), rows(label_shapes))
        self._data_shapes, self._label_shapes = _descs(data_shapes), _descs(label_shapes)
        self._executors_now = self._shapes_now = None

    def _executors(self):
        """The executors of the devices."""
        if self._executors_now is None:
            found = [self._handle.executor(i) for i in range(len(self._context))]
            of = zip(found, self._context)
            self._executors_now = [Executor(e, self._symbol, ctx, ([], 1)) for e, ctx in of]
        return self._executors_now

    def init_params(
        self,
        initializer=Uniform(0.01),  # noqa: B008
        arg_params=None,
        aux_params=None,
        allow_missing=False,
        force_init=False,
        allow_extra=False,
    ):
        """Gives the parameters their first values.

        Parameters
        ----------
        initializer : callable or None
            Fills parameters that are not given, in the order of their names.
        arg_params, aux_params : dict of str to NDArray, optional
            Values. Those that no parameter takes are passed over.
        allow_missing : bool
            Whether those may lack some.
        force_init : bool
            Do it even if parameters have values.
        """
        if self.params_initialized and not force_init:
            warnings.warn("parameters have values: force_init=True sets them again", stacklevel=2)
            return
        self._ready(binded=True)
        attrs = self._symbol.attr_dict()
        first = self._executors()[0]
        lists = [
            (arg_params, first.arg_dict, self._handle.param_names()),
            (aux_params, first.aux_dict, self._symbol.list_auxiliary_states()),
        ]
        values = [
            _filled(given, arrays, names, initializer, allow_missing, attrs)
            for given, arrays, names in lists
        ]
        self._handle.set_params(*values, allow_missing, True)
        self.params_initialized = True

    def set_params(
        self, arg_params, aux_params, allow_missing=False, force_init=True, allow_extra=False
    ):
        """Sets parameters.

        Parameters
        ----------
        arg_params, aux_params : dict of str to NDArray
        allow_missing : bool
            Parameters that are missing keep their values; otherwise all must be there.
        force_init : bool
            Do it even if parameters have values.
        allow_extra : bool
            With ``allow_missing``: pass over values that no parameter takes. Without it, they are.
        """
        self._ready(binded=True)
        if self.params_initialized and not force_init:
            warnings.warn("parameters have values: force_init=True sets them again", stacklevel=2)
            return
        extra = allow_extra or not allow_missing
        self._handle.set_params(arg_params or {}, aux_params or {}, allow_missing, extra)
        self.params_initialized = True

    def get_params(self):
        """Copies of the parameters: arguments and auxiliary states, by name."""
        self._ready(params_initialized=True)
        return dict(self._handle.params(False)), dict(self._handle.params(True))

    def get_states(self, merge_multi_context=True):
        """The states, of all devices as one, or a list of each device's."""
        self._ready()
        lists = [[e.arg_dict[name] for e in self._executors()] for name in self._state_names]
        return [_merged(arrays) for arrays in lists] if merge_multi_context else lists

    def set_states(self, states=None, value=None):
        """Sets the states.

        Parameters
        ----------
        states : list of list of NDArray, optional
            As ``get_states(merge_multi_context=False)`` gives them.
        value : number, optional
            The value of all elements, without ``states``.
        """
        self._ready()
        if (states is None) == (value is None):
            raise InvalidValueError("expected either states or value")
        for i, name in enumerate(self._state_names):
            for k, executor in enumerate(self._executors()):
                executor.arg_dict[name][:] = value if states is None else states[i][k]

    def forward(self, data_batch, is_train=None):
        """Computes the outputs for a batch; one of other shapes than before is bound first.

        Parameters
        ----------
        data_batch : DataBatch
        is_train : bool, optional
            As the module was bound if not given.
        """
        self._ready()
        if isinstance(data_batch, (list, tuple)):
            raise _unsupported("data_batch: a batch is divided among devices here; expected one")
        data, labels = listed(data_batch.data), listed(data_batch.label)
        shapes = [array.shape for array in data], [array.shape for array in labels]
        self._handle.forward(data, labels, None if is_train is None else bool(is_train))
        if shapes != self._shapes_now:
            self._shapes_now, self._executors_now = shapes, None
            self._data_shapes = _resized(self._data_shapes, shapes[0])
            self._label_shapes = _resized(self._label_shapes, shapes[1])

    def backward(self, out_grads=None):
        """Computes the gradients.

        Parameters
        ----------
        out_grads : NDArray or list of NDArray, optional
            Gradients of the outputs; losses need none.
        """
        self._ready()
        self._handle.backward(listed(out_grads))

    def get_outputs(self, merge_multi_context=True):
        """The outputs of the last forward pass, of all devices as one, or a list of each device's.

        With one device they are arrays that the next pass overwrites.
        """
        self._ready()
        if not merge_multi_context:
            return [list(arrays) for arrays in zip(*(e.outputs for e in self._executors()))]
        return self._handle.outputs(len(self.output_names))

    def get_input_grads(self, merge_multi_context=True):
        """The gradients of the data, of all devices as one, or a list of each device's."""
        self._ready()
        if merge_multi_context:
            return self._handle.input_grads(len(self._data_names))
        if not self.inputs_need_grad:
            raise InvalidValueError("the module was not bound with inputs_need_grad=True")
        names = [desc.name for desc in self._data_shapes]
        return [[e.grad_dict[name] for e in self._executors()] for name in names]

    def install_monitor(self, mon):
        """Shows a monitor what the executors compute."""
        self._ready(binded=True)
        for executor in self._executors():
            mon.install(executor)


def _descs(given):
    return [d if isinstance(d, DataDesc) else DataDesc(*d) for d in given or []]


def _resized(descs, shapes):
    """Descriptions with other shapes, where there are some."""
    pairs = zip(descs, [*shapes, *(d.shape for d in descs[len(shapes) :])])
    return [DataDesc(d.name, shape, d.dtype, d.layout) for d, shape in pairs]


def _merged(arrays):
    return arrays[0] if len(arrays) == 1 else concat(*arrays, dim=0)


def _filled(given, arrays, names, initializer, allow_missing, attrs):
    """Values by name: those given, and others by the initializer where they may be missing."""
    if initializer is None or (given is not None and not allow_missing):
        return given
    values = dict(given or {})
    for name in sorted(set(names) - set(values)):
        like = arrays[name]
        values[name] = empty(like.shape, ctx=like.context, dtype=like.dtype)
        initializer(InitDesc(name, attrs.get(name)), values[name])
    return values
