"""Arrays that share their elements with other libraries."""

import numpy as np

from .. import _core
from .._core import NDArray
from .._dtype import code_of
from ..base import InvalidValueError
from ._create import array

__all__ = ["from_dlpack", "from_numpy", "to_dlpack_for_read", "to_dlpack_for_write"]


def from_numpy(ndarray, zero_copy=True, array_cls=NDArray):
    """An array from a ``numpy.ndarray``, with its dtype.

    Parameters
    ----------
    ndarray : numpy.ndarray
    zero_copy : bool
        Share the elements: the ``numpy.ndarray`` must have its elements row by row, and may not be
        written from now on.
    """
    ndarray = np.asarray(ndarray)
    code = code_of(ndarray.dtype)
    if not zero_copy:
        return array(ndarray, dtype=ndarray.dtype)
    if not ndarray.flags["C_CONTIGUOUS"]:
        raise InvalidValueError("zero_copy: expected elements row by row (C-contiguous)")
    if not ndarray.dtype.isnative:
        raise InvalidValueError(
            f"zero_copy: expected the byte order of this machine, {ndarray.dtype}"
        )
    ndarray.flags["WRITEABLE"] = False
    shape = ndarray.shape or (1,)
    return _core.from_foreign(ndarray, ndarray.ctypes.data, shape, code)


def from_dlpack(dlpack):
    """An array that shares the elements of a DLPack capsule, or of an object that gives one."""
    if isinstance(dlpack, NDArray):
        return dlpack.detach()
    if hasattr(dlpack, "__dlpack__"):
        kind, _ = dlpack.__dlpack_device__()
        if kind not in (1, 3):
            raise InvalidValueError(f"expected elements in main memory, got DLPack device {kind}")
        dlpack = dlpack.__dlpack__()
    return _core.from_capsule(dlpack)


def to_dlpack_for_read(data):
    """A DLPack capsule that shares an array's elements, to be read."""
    return data.__dlpack__()


def to_dlpack_for_write(data):
    """A DLPack capsule that shares an array's elements, to be written."""
    return data.__dlpack__()
