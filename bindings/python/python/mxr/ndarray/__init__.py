"""Arrays and the operators on them."""

from ._gen import SCHEMA as _schema
from .. import _core

if _core.SCHEMA != _schema:
    raise ImportError(
        f"{_core.__file__} and {__path__[0]} were made from different schemas; build mxr again"
    )

from ._gen import internal as _internal
from ._gen import op
from ._gen.op import *  # noqa: F403
from .ndarray import NDArray
from . import _create, _elementwise, _fluent
from ._cached_op import CachedOp
from ._create import *  # noqa: F403
from ._elementwise import *  # noqa: F403
from . import contrib, image, linalg, random, sparse
from ._files import load, load_frombuffer, save
from ._interchange import from_dlpack, from_numpy, to_dlpack_for_read, to_dlpack_for_write

__all__ = [
    "CachedOp",
    "NDArray",
    "contrib",
    "from_dlpack",
    "from_numpy",
    "image",
    "linalg",
    "load",
    "load_frombuffer",
    "op",
    "random",
    "save",
    "sparse",
    "to_dlpack_for_read",
    "to_dlpack_for_write",
    *op.__all__,
    *_create.__all__,
    *_elementwise.__all__,
]
