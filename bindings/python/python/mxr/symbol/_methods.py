"""Operators that are methods of symbols too: ``x.sum(axis=0)`` is ``mx.sym.sum(x, axis=0)``."""

from ..ndarray._gen.methods import NAMES
from ._create import split_v2
from ._gen import op
from .symbol import Symbol


def _method(name):
    function = getattr(op, name)

    def method(self, *args, **kwargs):
        kwargs.pop("inplace", None)
        return function(self, *args, **kwargs)

    method.__name__, method.__doc__ = name, function.__doc__
    return method


def astype(self, dtype, **kwargs):
    """The elements in another dtype."""
    return op.cast(self, dtype=dtype, **kwargs)


for _name in [*NAMES, "broadcast_to", "expand_dims", "flatten", "reshape", "squeeze", "transpose"]:
    setattr(Symbol, _name, _method(_name))
Symbol.astype = astype
Symbol.split_v2 = split_v2
