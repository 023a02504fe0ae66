"""Symbols: graphs of operators, composed by the same functions as arrays are computed by."""

from .symbol import Group, Symbol, Variable, load, load_json, var
from ._gen import internal as _internal
from ._gen import op
from ._gen.op import *  # noqa: F403
from . import _arithmetic, _create, _methods
from ._arithmetic import *  # noqa: F403
from ._create import *  # noqa: F403
from . import contrib, image, linalg, random, sparse

__all__ = [
    "Group",
    "Symbol",
    "Variable",
    "contrib",
    "image",
    "linalg",
    "load",
    "load_json",
    "op",
    "random",
    "sparse",
    "var",
    *op.__all__,
    *_arithmetic.__all__,
    *_create.__all__,
]
