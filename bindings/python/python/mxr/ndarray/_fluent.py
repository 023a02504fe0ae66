"""Operators that are methods of arrays too: ``x.sum(axis=0)`` is ``mx.nd.sum(x, axis=0)``."""

from ._find import find
from ._gen import op
from ._gen.methods import NAMES
from .ndarray import NDArray


def transpose(self, *axes, **kwargs):
    """The array with its axes in another order; reversed if none is given."""
    if len(axes) == 1 and isinstance(axes[0], (tuple, list)):
        axes = axes[0]
    if axes:
        kwargs["axes"] = axes
    return find("transpose")(self, **kwargs)


NDArray.transpose = transpose
for _name in NAMES:
    setattr(NDArray, _name, getattr(op, _name))
