"""Data types: between numpy's types and the codes of the C interface."""

import difflib

import numpy as np

from . import _core
from .base import DTypeError

try:
    from ml_dtypes import bfloat16
except ImportError:
    bfloat16 = None

_TYPES = {
    0: np.float32,
    1: np.float64,
    2: np.float16,
    3: np.uint8,
    4: np.int32,
    5: np.int8,
    6: np.int64,
    7: np.bool_,
}
BFLOAT16 = 12
_CODES = {np.dtype(t): code for code, t in _TYPES.items()}
_NAMES = {np.dtype(t).name: code for code, t in _TYPES.items()}
_NAMES["bfloat16"] = BFLOAT16
_NAMES["bool_"] = _NAMES["bool"]
if bfloat16 is not None:
    _CODES[np.dtype(bfloat16)] = BFLOAT16


class _Bfloat16:
    """The type of arrays of bfloat16 where the package ml_dtypes is not installed.

    ``asnumpy`` then gives the bits as ``numpy.uint16``.
    """

    def __repr__(self):
        return "bfloat16"

    name = "bfloat16"
    __name__ = "bfloat16"

    def __eq__(self, other):
        return other is self or other == "bfloat16"

    def __hash__(self):
        return hash("bfloat16")

    def __reduce__(self):
        return "_BFLOAT16"


_BFLOAT16 = _Bfloat16()


def code_of(dtype):
    """The code of anything that names a data type."""
    if isinstance(dtype, str) and dtype in _NAMES:
        return _NAMES[dtype]
    if isinstance(dtype, _Bfloat16):
        return BFLOAT16
    try:
        return _CODES[np.dtype(dtype)]
    except (TypeError, KeyError):
        pass
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
    close = difflib.get_close_matches(str(name), _NAMES, 1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise DTypeError(f"expected one of the dtypes {', '.join(sorted(_NAMES))}, got {dtype!r}{hint}")


def storage_of(code):
    """The numpy type that holds elements of this code."""
    if code == BFLOAT16:
        return np.uint16 if bfloat16 is None else bfloat16
    return _TYPES[code]


def type_of(code):
    """What ``NDArray.dtype`` is for this code."""
    if code == BFLOAT16:
        return _BFLOAT16 if bfloat16 is None else bfloat16
    return _TYPES[code]


def name_of(code):
    """The name of the data type with this code."""
    return "bfloat16" if code == BFLOAT16 else np.dtype(_TYPES[code]).name


_core.set_dtypes([(code, type_of(code)) for code in [*_TYPES, BFLOAT16]])
_core.set_dtype_code(code_of)
