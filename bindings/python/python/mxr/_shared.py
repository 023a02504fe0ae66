"""Arrays that executors share by name: MXNet's ``shared_buffer`` and ``shared_arg_names``."""

import numpy as np

from . import executor
from ._options import REQUESTS, requests
from .base import InvalidValueError, ShapeError
from .ndarray import zeros

__all__ = []


class _Arrays:
    """Arrays for an executor, from a buffer by name or from the executor that shares its own."""

    def __init__(self, buffer, lender, lent, ctx):
        self._buffer, self._lender, self._lent, self._ctx = buffer, lender, set(lent or ()), ctx

    def argument(self, name, shape, dtype):
        if name in self._lent and self._lender is not None:
            return _fitting(name, self._lender.arg_dict[name], shape, dtype)
        return self._buffered(name, shape, dtype)

    def gradient(self, name, shape, dtype):
        lent = self._lender.grad_dict.get(name) if name in self._lent and self._lender else None
        if lent is not None:
            return _fitting(name, lent, shape, dtype)
        return self._buffered(f"grad of {name}", shape, dtype)

    def state(self, name, shape, dtype):
        lent = self._lender.aux_dict.get(name) if self._lender else None
        same = lent is not None and lent.shape == shape and lent.dtype == dtype
        return lent if same else zeros(shape, self._ctx, dtype)

    def _buffered(self, name, shape, dtype):
        """The beginning of the buffer's array, which grows if it is too small."""
        kept, size = self._buffer.get(name), int(np.prod(shape))
        if kept is not None and kept.dtype != dtype:
            raise InvalidValueError(
                f"shared_buffer['{name}']: expected dtype {np.dtype(dtype)}, got {np.dtype(kept.dtype)}"
            )
        if kept is None or kept.size < size:
            kept = self._buffer[name] = zeros(shape, self._ctx, dtype)
        return kept if kept.shape == shape else kept.reshape((-1,))[:size].reshape(shape)


def _fitting(name, array, shape, dtype):
    if array.shape != shape or array.dtype != dtype:
        raise InvalidValueError(
            f"shared_arg_names: expected an array of shape {shape} for '{name}', "
            f"got one of shape {array.shape}"
        )
    return array


def bind(symbol, ctx, grad_req, type_dict, lender, lent, buffer, budget, passes, shapes):
    """``simple_bind`` on arrays of a buffer, where those that it lacks are put."""
    arrays = _Arrays(buffer, lender, lent, ctx)
    names, states = symbol.list_arguments(), symbol.list_auxiliary_states()
    wanted, others = requests(grad_req, names)
    wanted = dict(wanted)
    arg_shapes, _, aux_shapes = symbol.infer_shape_partial(**shapes)
    arg_types, _, aux_types = symbol.infer_type_partial(**(type_dict or {}))
    args, gradients, aux = {}, {}, {}
    for name, shape, dtype in zip(names, arg_shapes, arg_types):
        if not shape or 0 in shape:
            raise ShapeError(f"the shape of '{name}' does not follow from those given")
        args[name] = arrays.argument(name, shape, dtype or np.float32)
        if wanted.get(name, others) != REQUESTS["null"]:
            gradients[name] = arrays.gradient(name, shape, dtype or np.float32)
    for name, shape, dtype in zip(states, aux_shapes, aux_types):
        aux[name] = arrays.state(name, shape, dtype or np.float32)
    return executor.bind(symbol, ctx, args, gradients, grad_req, aux, lender, budget, passes)
