"""Automatic differentiation.

>>> x = mx.nd.array([1, 2, 3])
>>> x.attach_grad()
>>> with mx.autograd.record():
...     y = (x * x).sum()
>>> y.backward()
>>> x.grad
<BLANKLINE>
[2. 4. 6.]
<NDArray 3 @cpu(0)>
"""

__all__ = [
    "record",
    "pause",
    "train_mode",
    "predict_mode",
    "is_recording",
    "is_training",
    "set_recording",
    "set_training",
    "mark_variables",
    "backward",
    "grad",
    "get_symbol",
    "Function",
]

from . import _core
from ._core import NDArray, is_recording, is_training
from .base import InvalidTypeError, InvalidValueError

_GRAD_REQ = {"null": 0, "write": 1, "inplace": 1, "add": 3}


def set_recording(is_recording):
    """Sets whether operations on this thread are recorded; returns what held before."""
    return _core.set_recording(bool(is_recording))


def set_training(train_mode):
    """Sets whether operations on this thread train a model; returns what held before."""
    return _core.set_training(bool(train_mode))


class _Scope:
    """Sets recording and training, where given, and sets them back."""

    __slots__ = ("_recording", "_training", "_before")

    def __init__(self, recording, training):
        self._recording, self._training, self._before = recording, training, []

    def __enter__(self):
        self._before.append(
            (
                None if self._recording is None else _core.set_recording(self._recording),
                None if self._training is None else _core.set_training(self._training),
            )
        )

    def __exit__(self, *_):
        recording, training = self._before.pop()
        if recording is not None:
            _core.set_recording(recording)
        if training is not None:
            _core.set_training(training)


def record(train_mode=True):
    """A scope in which operations are recorded for ``backward``.

    Parameters
    ----------
    train_mode : bool
        Whether a model is being trained: dropout drops, batch normalization takes the batch's
        statistics.
    """
    return _Scope(True, None if train_mode is None else bool(train_mode))


def pause(train_mode=False):
    """A scope inside ``record`` in which operations are not recorded."""
    return _Scope(False, None if train_mode is None else bool(train_mode))


def train_mode():
    """A scope in which operations train a model, recorded or not."""
    return _Scope(None, True)


def predict_mode():
    """A scope in which operations predict, recorded or not."""
    return _Scope(None, False)


def _request(grad_req):
    if grad_req not in _GRAD_REQ:
        raise InvalidValueError(f"grad_req: expected 'write', 'add' or 'null', got {grad_req!r}")
    return _GRAD_REQ[grad_req]


def mark_variables(variables, gradients, grad_reqs="write"):
    """Makes arrays variables, whose gradients ``backward`` leaves in ``gradients``.

    Parameters
    ----------
    variables : NDArray or list of NDArray
    gradients : NDArray or list of NDArray
        An array like each variable.
    grad_reqs : str or list of str
        ``'write'``, ``'add'`` or ``'null'``, for all or for each.
    """
    if isinstance(variables, NDArray):
        variables, gradients = [variables], [gradients]
    if isinstance(grad_reqs, str):
        grad_reqs = [grad_reqs] * len(variables)
    _core.mark(variables, gradients, [_request(r) for r in grad_reqs])


def _heads(heads, head_grads):
    if isinstance(heads, NDArray):
        if isinstance(head_grads, (list, tuple)):
            return [heads], head_grads
        return [heads], None if head_grads is None else [head_grads]
    return heads, head_grads


def backward(heads, head_grads=None, retain_graph=False, train_mode=True):
    """Computes the gradients of the sum of ``heads`` with respect to all variables.

    Parameters
    ----------
    heads : NDArray or list of NDArray
    head_grads : NDArray or list of NDArray or None
        The weight of each element of each head; ones if None.
    retain_graph : bool
        Keep the graph for another backward.
    train_mode : bool
        Whether a model is being trained.
    """
    heads, head_grads = _heads(heads, head_grads)
    _core.backward(heads, head_grads, retain_graph, False, train_mode)


def grad(heads, variables, head_grads=None, retain_graph=None, create_graph=False, train_mode=True):
    """The gradients of the sum of ``heads`` with respect to ``variables``, as new arrays.

    Parameters
    ----------
    heads : NDArray or list of NDArray
    variables : NDArray or list of NDArray
    head_grads : NDArray or list of NDArray or None
        The weight of each element of each head; ones if None.
    retain_graph : bool or None
        Keep the graph for another backward; like ``create_graph`` if None.
    create_graph : bool
        Record the computation of the gradients, so that they have gradients themselves.
    train_mode : bool
        Whether a model is being trained.

    Returns
    -------
    NDArray or list of NDArray
        As ``variables`` are.
    """
    heads, head_grads = _heads(heads, head_grads)
    one = isinstance(variables, NDArray)
    if not one and not variables:
        raise InvalidValueError("variables: expected at least one array, got none")
    retain_graph = create_graph if retain_graph is None else retain_graph
    given = [variables] if one else variables
    found = _core.grad(heads, given, head_grads, retain_graph, create_graph, train_mode)
    return found[0] if one else found


def get_symbol(x):
    """The computation of a recorded array as a symbol, which can be planned, bound and saved.

    Its variables are ``var0``, ``var1``, … for arrays with gradients, in the order in which these were
    attached, then ``null2``, … for other arrays in the order of their use.

    Parameters
    ----------
    x : NDArray

    Returns
    -------
    Symbol

    Examples
    --------
    >>> x = mx.nd.array([1, 2])
    >>> x.attach_grad()
    >>> with mx.autograd.record():
    ...     y = mx.nd.exp(x * 2)
    >>> mx.autograd.get_symbol(y).list_arguments()
    ['var0']
    """
    from .symbol import Symbol

    if not isinstance(x, NDArray):
        raise InvalidTypeError(f"x: expected an NDArray, got {type(x)}")
    return Symbol(_core.SymbolHandle.recorded([x]))


class Function:
    """A function with a gradient of its own.

    A subclass has ``forward`` and ``backward``; an object is called once.

    Examples
    --------
    >>> class Sigmoid(mx.autograd.Function):
    ...     def forward(self, x):
    ...         y = 1 / (1 + mx.nd.exp(-x))
    ...         self.save_for_backward(y)
    ...         return y
    ...     def backward(self, dy):
    ...         y, = self.saved_tensors
    ...         return dy * y * (1 - y)
    """

    def __init__(self):
        self._used = False
        self.saved_tensors = ()

    def save_for_backward(self, *args):
        """Keeps arrays for ``backward``, in ``self.saved_tensors``."""
        self.saved_tensors = args

    def __call__(self, *inputs):
        if self._used:
            raise InvalidValueError(
                "a Function is called once: make another object for another call"
            )
        self._used = True
        with pause(train_mode=is_training()):
            outputs = self.forward(*inputs)
        if not is_recording():
            return outputs
        many = not isinstance(outputs, NDArray)
        # What is recorded is not what the function may have saved, which would keep itself alive.
        results = [o.detach() for o in (outputs if many else (outputs,))]

        def run(*output_grads):
            with pause(train_mode=is_training()):
                grads = self.backward(*output_grads)
            grads = (grads,) if isinstance(grads, NDArray) else grads
            wrong = [g for g in grads if not isinstance(g, NDArray)]
            if wrong:
                raise InvalidTypeError(f"backward: expected NDArrays, got {type(wrong[0])}")
            return grads

        _core.record_custom(type(self).__name__, inputs, results, run)
        return type(outputs)(results) if many else results[0]

    def forward(self, *inputs):
        """Computes the outputs; what it calls is not recorded."""
        raise NotImplementedError

    def backward(self, *output_grads):
        """Computes the gradients of the inputs, one for each, from those of the outputs."""
        raise NotImplementedError
