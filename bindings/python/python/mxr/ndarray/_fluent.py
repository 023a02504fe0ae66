"""Operators that are methods of arrays too: ``x.sum(axis=0)`` is ``mx.nd.sum(x, axis=0)``."""

from ._find import find
from ._gen import op
from .ndarray import NDArray

NAMES = """
abs arccos arccosh arcsin arcsinh arctan arctanh argmax argmax_channel argmin argsort
broadcast_axes broadcast_like cbrt ceil clip cos cosh degrees depth_to_space diag exp expm1 fix
flip floor log log10 log1p log2 log_softmax max mean min nanprod nansum norm one_hot ones_like pad
pick prod radians rcbrt reciprocal relu repeat reshape_like rint round rsqrt shape_array sigmoid
sign sin sinh size_array slice slice_axis slice_like softmax softmin sort space_to_depth split
split_v2 sqrt square sum swapaxes take tan tanh tile topk trunc zeros_like
""".split()


def transpose(self, *axes, **kwargs):
    """The array with its axes in another order; reversed if none is given."""
    if len(axes) == 1 and isinstance(axes[0], (tuple, list)):
        axes = axes[0]
    if axes:
        kwargs["axes"] = axes
    return find("transpose")(self, **kwargs)


NDArray.transpose = transpose
for _name in NAMES:
    if hasattr(op, _name):
        setattr(NDArray, _name, getattr(op, _name))
