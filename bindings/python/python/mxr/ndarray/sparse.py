"""Operators that MXNet also has for arrays with few elements that are not zero.

There are only dense arrays here: what would make a sparse one raises ``UnsupportedError``, and
the operators work on dense arrays, as MXNet's do.
"""

from .._core import NDArray
from ..base import InvalidTypeError, _dense_only
from . import _create
from ._create import cast_storage
from ._elementwise import add, divide, multiply, subtract
from ._gen import sparse as _gen
from ._gen.sparse import *  # noqa: F403

__all__ = [
    "BaseSparseNDArray",
    "CSRNDArray",
    "RowSparseNDArray",
    "add",
    "array",
    "cast_storage",
    "csr_matrix",
    "divide",
    "empty",
    "multiply",
    "retain",
    "row_sparse_array",
    "subtract",
    "zeros",
    *_gen.__all__,
]


class BaseSparseNDArray(NDArray):
    """What sparse arrays would be; there are none, so that ``isinstance`` says no."""

    def __new__(cls, *args, **kwargs):
        _dense_only("csr" if cls is CSRNDArray else "row_sparse")


class CSRNDArray(BaseSparseNDArray):
    """A matrix in compressed sparse rows; there are none."""


class RowSparseNDArray(BaseSparseNDArray):
    """An array most of whose rows are zero; there are none."""


def csr_matrix(arg1, shape=None, ctx=None, dtype=None):
    """A matrix in compressed sparse rows; not supported."""
    _dense_only("csr")


def row_sparse_array(arg1, shape=None, ctx=None, dtype=None):
    """An array most of whose rows are zero; not supported."""
    _dense_only("row_sparse")


def retain(data, indices):
    """The chosen rows of a row-sparse array; not supported."""
    _dense_only("row_sparse")


def array(source_array, ctx=None, dtype=None):
    """A sparse array from another; dense ones are made by ``mx.nd.array``."""
    if hasattr(source_array, "tocsr"):
        _dense_only("csr", "source_array")
    kind = type(source_array).__name__
    raise InvalidTypeError(f"source_array: expected a sparse array, got {kind}; use mx.nd.array")


def zeros(stype, shape, ctx=None, dtype=None, **kwargs) -> NDArray:
    """An array of zeros; ``stype`` must be ``'default'``."""
    return _create.zeros(shape, ctx, dtype, stype, **kwargs)


def empty(stype, shape, ctx=None, dtype=None) -> NDArray:
    """An array whose elements are not set; ``stype`` must be ``'default'``."""
    return _create.empty(shape, ctx, dtype, stype)
