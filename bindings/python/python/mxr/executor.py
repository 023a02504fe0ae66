"""Executors: symbols bound to arrays."""

from ._core import ExecutorHandle
from ._dtype import code_of
from ._options import options, requests
from ._plan import Plan
from .base import InvalidTypeError, InvalidValueError, NotFoundError, ShapeError
from .ndarray import NDArray, array

__all__ = ["Executor"]

# The lists of the C interface.
_ARGUMENTS, _OUTPUTS, _AUXILIARY_STATES = 1, 2, 3


class Executor:
    """A symbol bound to arrays, made by ``Symbol.bind`` and ``Symbol.simple_bind``.

    Outputs and gradients are arrays that every run overwrites. A symbol with operators whose
    shapes only running shows, as ``boolean_mask``, runs node by node: it has no outputs before
    the first run, and new ones after each.

    Attributes
    ----------
    arg_dict, grad_dict, aux_dict, output_dict : dict of str to NDArray
    arg_arrays, grad_arrays, aux_arrays, outputs : list of NDArray
    """

    def __init__(self, handle, symbol, ctx, grad_req):
        self._handle, self._symbol, self._ctx, self._grad_req = handle, symbol, ctx, grad_req
        names, states = symbol.list_arguments(), symbol.list_auxiliary_states()
        self.arg_arrays = [handle.array(_ARGUMENTS, i) for i in range(len(names))]
        self.grad_arrays = [handle.gradient(i) for i in range(len(names))]
        self.aux_arrays = [handle.array(_AUXILIARY_STATES, i) for i in range(len(states))]
        self.arg_dict = dict(zip(names, self.arg_arrays))
        self.grad_dict = dict(zip(names, self.grad_arrays))
        self.aux_dict = dict(zip(states, self.aux_arrays))
        self._output_names = symbol.list_outputs()
        self._planned, self._outputs = True, None
        try:
            self._outputs = self._read_outputs()
        except ShapeError:  # there are none yet
            self._planned = False

    def _read_outputs(self):
        return [self._handle.array(_OUTPUTS, i) for i in range(len(self._output_names))]

    @property
    def outputs(self):
        """The outputs of the last run, in order."""
        if self._outputs is None:
            self._outputs = self._read_outputs()
        return self._outputs

    @property
    def output_dict(self):
        """The outputs of the last run, by name."""
        return dict(zip(self._output_names, self.outputs))

    def forward(self, is_train=False, **kwargs):
        """Computes the outputs, after copying ``kwargs`` to the arguments of their names.

        Returns
        -------
        list of NDArray
            ``outputs``, which the next run overwrites.
        """
        for name, value in kwargs.items():
            if name not in self.arg_dict:
                raise NotFoundError(f"the symbol has no argument '{name}'")
            target = self.arg_dict[name]
            if not isinstance(value, NDArray):
                value = array(value, ctx=target.context, dtype=target.dtype)
            if value.shape != target.shape:
                raise InvalidValueError(
                    f"{name}: expected shape {target.shape}, got {value.shape}; see reshape"
                )
            value.copyto(target)
        self._handle.forward(bool(is_train))
        if not self._planned:
            self._outputs = None
        return self.outputs

    def backward(self, out_grads=None, is_train=True):
        """Computes the gradients after ``forward(is_train=True)``.

        Parameters
        ----------
        out_grads : NDArray, or list or dict of them
            Gradients of the outputs; losses need none.
        is_train : bool
            As the forward pass was; taken for MXNet's sake.
        """
        if out_grads is None:
            out_grads = []
        elif isinstance(out_grads, NDArray):
            out_grads = [out_grads]
        elif isinstance(out_grads, dict):
            out_grads = [out_grads[name] for name in self._symbol.list_outputs()]
        self._handle.backward(list(out_grads))

    def set_monitor_callback(self, callback, monitor_all=False):
        """Calls ``callback(name, array)`` for every output of every operator in forward passes.

        With ``monitor_all`` the arguments and auxiliary states come as well, before a run.
        None ends it.
        """
        if callback is not None and not callable(callback):
            raise InvalidTypeError(f"callback: expected a function, got {callback!r}")
        self._handle.set_monitor(callback)
        if callback is not None and monitor_all:
            for name, value in {**self.arg_dict, **self.aux_dict}.items():
                callback(name, value)

    def copy_params_from(self, arg_params, aux_params=None, allow_extra_params=False):
        """Copies arrays to the arguments and auxiliary states of their names."""
        for params, known in [(arg_params, self.arg_dict), (aux_params or {}, self.aux_dict)]:
            arrays = [
                value.astype(known[name].dtype, copy=False) if name in known else value
                for name, value in params.items()
            ]
            try:
                self._handle.copy_params(list(params), arrays, allow_extra_params)
            except NotFoundError as error:  # which is a ValueError in MXNet
                raise InvalidValueError(error.args[0]) from None

    def reshape(self, partial_shaping=False, allow_up_sizing=False, **kwargs):
        """An executor for other shapes of some arguments.

        Arrays whose shape stays, and the memory for activations, are shared. An argument that is
        not named may change its shape only with ``partial_shaping``, and one may grow only with
        ``allow_up_sizing``.
        """
        arguments, _, _ = self._symbol.infer_shape_partial(**kwargs)
        if not all(shape and 0 not in shape for shape in arguments):
            raise InvalidValueError("the shapes of all arguments must follow from those given")
        for name, shape in zip(self._symbol.list_arguments(), arguments):
            changed = name not in kwargs and shape != self.arg_dict[name].shape
            if changed and not partial_shaping:
                raise InvalidValueError(
                    f"the shape of argument '{name}' would change from {self.arg_dict[name].shape} "
                    f"to {shape}: pass partial_shaping=True to allow it"
                )
        dtypes = [(name, code_of(value.dtype)) for name, value in self.arg_dict.items()]
        known = (list(kwargs.items()), dtypes, *self._grad_req)
        handle = self._handle.reshape(known, bool(allow_up_sizing))
        return Executor(handle, self._symbol, self._ctx, self._grad_req)

    def plan(self, is_train=False):
        """What the compiled symbol takes and does."""
        return Plan(self._handle.plan(bool(is_train)))

    def debug_str(self):
        """The plan for prediction as text; the symbol's where it has none."""
        return str(self.plan()) if self._planned else self._symbol.debug_str()


def _listed(values, names, what, optional=False):
    """Arrays in the order of names, from a list or a dict."""
    if isinstance(values, dict):
        missing = [name for name in names if name not in values]
        if missing and not optional:
            raise InvalidValueError(f"{what}: the array of '{missing[0]}' is missing")
        return [values.get(name) for name in names]
    values = list(values or [])
    if not values and optional:
        return [None] * len(names)
    if len(values) != len(names):
        raise InvalidValueError(f"{what}: expected {len(names)} arrays, got {len(values)}")
    return values


def bind(symbol, ctx, args, args_grad, grad_req, aux_states, shared_exec, budget, passes):
    names, states = symbol.list_arguments(), symbol.list_auxiliary_states()
    arrays = dict(zip(names, _listed(args, names, "args")))
    arrays.update(zip(states, _listed(aux_states, states, "aux_states")))
    gradients = dict(zip(names, _listed(args_grad, names, "args_grad", optional=True)))
    named, others = requests(grad_req, names)
    by_name = dict(named)
    inputs = symbol.list_inputs()
    wanted = [0 if n in states else by_name.get(n, others) for n in inputs]
    handle = ExecutorHandle.bind(
        symbol._handle,
        [arrays[n] for n in inputs],
        [gradients.get(n) for n in inputs],
        wanted,
        shared_exec._handle if shared_exec else None,
        options(ctx, budget, **(passes or {})),
    )
    return Executor(handle, symbol, ctx, (named, others))


def simple_bind(symbol, ctx, grad_req, type_dict, shared_exec, budget, passes, shapes):
    named, others = requests(grad_req, symbol.list_arguments())
    dtypes = [(name, code_of(dtype)) for name, dtype in (type_dict or {}).items()]
    shapes = [(name, tuple(d if d > 0 else -1 for d in s)) for name, s in shapes.items()]
    handle = ExecutorHandle.simple_bind(
        symbol._handle,
        (shapes, dtypes, named, others),
        shared_exec._handle if shared_exec else None,
        options(ctx, budget, **(passes or {})),
    )
    return Executor(handle, symbol, ctx, (named, others))
