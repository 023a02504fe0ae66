"""Operators that MXNet calls contributed, and control flow."""

from .._core import NDArray
from ..base import InvalidTypeError, InvalidValueError
from ._create import full
from ._find import find
from ._gen.contrib import *  # noqa: F403
from ._gen.contrib import __all__ as _generated

__all__ = [
    *_generated,
    "adamw_update",
    "cond",
    "foreach",
    "isfinite",
    "isinf",
    "isnan",
    "mp_adamw_update",
    "while_loop",
]


def isnan(data):
    """1 where an element is not a number, else 0."""
    return data != data


def isinf(data):
    """1 where an element is infinite, else 0."""
    return data.abs() == float("inf")


def isfinite(data):
    """1 where an element is a number and finite, else 0."""
    return (data == data) * (data.abs() != float("inf"))


def _rescale(rescale_grad, like):
    if isinstance(rescale_grad, NDArray):
        return rescale_grad
    return full((1,), rescale_grad, ctx=like.context)


def adamw_update(weight, grad, mean, var, rescale_grad, lr, eta, out=None, **kwargs):
    """One step of Adam with decoupled weight decay; nothing if ``rescale_grad`` is not finite."""
    rescale = _rescale(rescale_grad, weight)
    return find("_adamw_update")(
        weight, grad, mean, var, rescale, lr=lr, eta=eta, out=out, **kwargs
    )


def mp_adamw_update(weight, grad, mean, var, weight32, rescale_grad, lr, eta, out=None, **kwargs):
    """The same for weights of half precision with a copy in single precision."""
    rescale = _rescale(rescale_grad, weight)
    return find("_mp_adamw_update")(
        weight, grad, mean, var, weight32, rescale, lr=lr, eta=eta, out=out, **kwargs
    )


def _flat(nested):
    """The arrays in lists in lists, one after the other."""
    if isinstance(nested, (list, tuple)):
        return [array for part in nested for array in _flat(part)]
    if not isinstance(nested, NDArray):
        raise InvalidTypeError(f"expected NDArrays, got {type(nested).__name__}")
    return [nested]


def _like(arrays, nested):
    """Arrays from an iterator, nested as others are."""
    if isinstance(nested, (list, tuple)):
        return [_like(arrays, part) for part in nested]
    return next(arrays)


def _form(nested):
    """How arrays are nested."""
    return [_form(part) for part in nested] if isinstance(nested, (list, tuple)) else None


def _stacked(rows, missing=0):
    """The arrays of all rows, stacked, with zeros for missing rows."""
    if len({len(row) for row in rows}) > 1:
        numbers = sorted({len(row) for row in rows})
        raise InvalidValueError(f"outputs: expected as many in each step, got {numbers}")
    zeros = ([find("zeros_like")(each[0])] * missing for each in zip(*rows))
    return (find("stack")(*each, *more) for each, more in zip(zip(*rows), zeros))


def foreach(body, data, init_states):
    """Calls ``body(row, states)`` for each row of ``data``.

    Parameters
    ----------
    body : function
        Is given a row, nested as ``data``, and the states, and returns outputs and the states for
        the next row, nested as ``init_states``.
    data : NDArray or nested lists of NDArray
        Arrays with as many rows.
    init_states : NDArray or nested lists of NDArray
        The states for the first row.

    Returns
    -------
    outputs : NDArray or nested lists of NDArray
        The outputs of all rows, stacked.
    states : NDArray or nested lists of NDArray
        The states after the last row.
    """
    lengths = {array.shape[0] for array in _flat(data)}
    if len(lengths) != 1 or 0 in lengths:
        raise InvalidValueError(f"data: expected arrays with as many rows, got {sorted(lengths)}")
    _flat(init_states)
    states, rows, outputs = init_states, [], None
    for i in range(lengths.pop()):
        outputs, states = body(_like((a[i] for a in _flat(data)), data), states)
        if _form(states) != _form(init_states):
            raise InvalidValueError("states from the body: expected them nested as init_states")
        rows.append(_flat(outputs))
    return _like(_stacked(rows), outputs), states


def while_loop(cond, func, loop_vars, max_iterations=None):
    """Calls ``func(*loop_vars)`` as long as ``cond(*loop_vars)`` holds.

    Parameters
    ----------
    cond : function
        Returns an array of one element.
    func : function
        Returns outputs, or None, and the variables for the next step.
    loop_vars : NDArray or list of NDArray
        The variables for the first step.
    max_iterations : int
        The most steps. Stacked outputs have as many rows; those of steps not taken are zeros.

    Returns
    -------
    outputs : list of NDArray
    loop_vars : NDArray or list of NDArray
    """
    if max_iterations is None:
        raise InvalidValueError("max_iterations: expected a number of steps, got None")
    one = isinstance(loop_vars, NDArray)
    values, rows, outputs = [loop_vars] if one else list(loop_vars), [], []
    if not _flat(values):
        raise InvalidValueError("loop_vars: expected at least one NDArray")
    while len(rows) < max_iterations and bool(cond(*values)):
        outputs, new = func(*values)
        outputs = [] if outputs is None else outputs
        expected, got = len(_flat(values)), len(_flat([] if new is None else new))
        if got != expected:
            raise InvalidValueError(f"loop_vars from func: expected {expected}, got {got}")
        values = [new] if isinstance(new, NDArray) else list(new)
        rows.append(_flat(outputs))
    stacked = _stacked(rows, max_iterations - len(rows))
    return _like(stacked, outputs), values[0] if one else values


def cond(pred, then_func, else_func):
    """What ``then_func()`` returns if ``pred`` is not zero, else what ``else_func()`` returns."""
    return then_func() if bool(pred) else else_func()
