"""Symbols that are called like operators."""

from .._core import CachedOpHandle
from .._options import options

__all__ = ["CachedOp"]


class CachedOp:
    """A symbol that is called on arrays for all its variables, in the order of ``list_inputs``.

    It is compiled for each combination of shapes and dtypes when that first comes. While recording,
    a call is one operation. Symbols whose shapes only running shows, as those with ``boolean_mask``,
    run node by node.

    Parameters
    ----------
    sym : Symbol
    flags : list of (str, value) or dict
        ``static_alloc`` keeps the memory of a call for the next; others of MXNet's are taken and
        have no effect.
    passes : dict of str to bool
        Turns passes of the compiler off, as in ``mx.plan``.
    """

    def __init__(self, sym, flags=(), passes=None):
        flags = dict(flags)
        keep = str(flags.get("static_alloc", False)).lower() in ("true", "1")
        self._handle = CachedOpHandle(sym._handle, keep, options(**(passes or {})))
        self._num_outputs = len(sym.list_outputs())

    def __call__(self, *args, out=None, default_ctx=None):
        outputs = self._handle.call(list(args), self._num_outputs)
        if out is not None:
            targets = out if isinstance(out, (list, tuple)) else [out]
            for value, target in zip(outputs, targets):
                value.copyto(target)
            return out
        return outputs[0] if self._num_outputs == 1 else outputs
