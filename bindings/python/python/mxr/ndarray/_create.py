"""Making arrays, and joining them."""

import numpy as np

from .. import _core
from .._core import NDArray
from .._dtype import code_of, storage_of
from ..base import InvalidValueError, _dense_only, _unsupported
from ..context import _device
from ._find import find
from ._indexing import _from_host

__all__ = [
    "arange",
    "array",
    "cast_storage",
    "concatenate",
    "empty",
    "eye",
    "full",
    "histogram",
    "linspace",
    "moveaxis",
    "ones",
    "onehot_encode",
    "split_v2",
    "waitall",
    "zeros",
]


def _sizes(shape):
    return (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)


def array(source_array, ctx=None, dtype=None) -> NDArray:
    """An array from anything that has elements: a list, a ``numpy.ndarray``, an ``NDArray``.

    Parameters
    ----------
    source_array : array_like
    ctx : Context, optional
        The device; the current one if not given.
    dtype : str or numpy.dtype, optional
        The type of the elements; ``float32`` if not given, or that of an ``NDArray``.

    Examples
    --------
    >>> mx.nd.array([[1, 2], [3, 4]])
    <BLANKLINE>
    [[1. 2.]
     [3. 4.]]
    <NDArray 2x2 @cpu(0)>
    """
    if isinstance(source_array, NDArray):
        code = source_array._dtype_code if dtype is None else code_of(dtype)
        source_array = source_array.asnumpy()
    else:
        if hasattr(source_array, "tocsr"):
            # A sparse matrix of scipy's, of which MXNet makes a sparse array.
            _dense_only("csr", "source_array")
        code = code_of(np.float32 if dtype is None else dtype)
    if code == 12 and storage_of(code) is np.uint16:
        host = _bfloat16_bits(np.asarray(source_array, np.float32))
    else:
        host = np.asarray(source_array, storage_of(code))
    return _from_host(host, code, _device(ctx))


def _bfloat16_bits(host):
    """The upper half of each number, rounded to the nearest, ties to even."""
    bits = np.ascontiguousarray(host).view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(host), np.uint16(0x7FC0), rounded)


def empty(shape, ctx=None, dtype=None, stype=None) -> NDArray:
    """An array whose elements are not set."""
    _dense_only(stype)
    return _core.empty(
        _sizes(shape), code_of(np.float32 if dtype is None else dtype), *_device(ctx)
    )


def _filled(name, shape, ctx, dtype, out=None, **attrs):
    dtype = np.float32 if dtype is None else dtype
    ctx = "" if ctx is None else ctx
    return find(name)(shape=_sizes(shape), ctx=ctx, dtype=dtype, out=out, **attrs)


def zeros(shape, ctx=None, dtype=None, stype=None, out=None) -> NDArray:
    """An array of zeros."""
    _dense_only(stype)
    return _filled("_zeros", shape, ctx, dtype, out)


def ones(shape, ctx=None, dtype=None, out=None) -> NDArray:
    """An array of ones."""
    return _filled("_ones", shape, ctx, dtype, out)


def full(shape, val, ctx=None, dtype=None, out=None) -> NDArray:
    """An array whose elements are all ``val``."""
    return _filled("_full", shape, ctx, dtype, out, value=float(val))


def arange(
    start, stop=None, step=1.0, repeat=1, infer_range=None, ctx=None, dtype=np.float32
) -> NDArray:
    """Numbers from ``start`` to before ``stop`` in equal steps, each ``repeat`` times."""
    if infer_range:
        raise _unsupported("infer_range: use mx.nd.contrib.arange_like")
    if stop is None:
        start, stop = 0, start
    ctx = "" if ctx is None else ctx
    return find("_arange")(start=start, stop=stop, step=step, repeat=repeat, dtype=dtype, ctx=ctx)


def linspace(start, stop, num, endpoint=True, ctx=None, dtype=np.float32) -> NDArray:
    """``num`` numbers at equal distances from ``start`` to ``stop``."""
    ctx = "" if ctx is None else ctx
    return find("_linspace")(
        start=start, stop=stop, num=num, endpoint=endpoint, dtype=dtype, ctx=ctx
    )


def eye(N, M=0, k=0, ctx=None, dtype=None, **kwargs) -> NDArray:
    """A matrix of N rows and M columns with ones on its diagonal ``k``."""
    dtype = np.float32 if dtype is None else dtype
    return find("_eye")(N=N, M=M, k=k, ctx="" if ctx is None else ctx, dtype=dtype, **kwargs)


def cast_storage(data, stype) -> NDArray:
    """The array with its elements stored as ``stype`` says: itself, for there is one way."""
    return data.tostype(stype)


def concatenate(arrays, axis=0, always_copy=True) -> NDArray:
    """Arrays one behind the other along an axis."""
    if not arrays:
        raise InvalidValueError("arrays: expected at least one array, got none")
    if len(arrays) == 1 and not always_copy:
        return arrays[0]
    return find("concat")(*arrays, dim=axis)


def moveaxis(tensor, source, destination) -> NDArray:
    """The array with axes moved to other places."""
    ndim = tensor.ndim
    given = [np.atleast_1d(axes) for axes in (source, destination)]
    if len(given[0]) != len(given[1]):
        raise InvalidValueError("source and destination: expected as many axes in each")
    if any(not -ndim <= a < ndim for axes in given for a in axes):
        raise InvalidValueError(f"source and destination: expected axes of {ndim}")
    source, destination = ([int(a) % ndim for a in axes] for axes in given)
    order = [a for a in range(ndim) if a not in source]
    for to, axis in sorted(zip(destination, source)):
        order.insert(to, axis)
    return find("transpose")(tensor, axes=order)


def split_v2(ary, indices_or_sections, axis=0, squeeze_axis=False):
    """Pieces of an array along an axis: a number of equal ones, or those between indices."""
    size = ary.shape[axis]
    if isinstance(indices_or_sections, int):
        sections = indices_or_sections
        if size % sections:
            raise InvalidValueError(f"{size} elements do not make {sections} equal pieces")
        ends = [size // sections * i for i in range(1, sections)]
    else:
        ends = list(indices_or_sections)
    pieces = [
        find("slice_axis")(ary, axis=axis, begin=b, end=e)
        for b, e in zip([0, *ends], [*ends, size])
    ]
    return [p.squeeze(axis=axis) for p in pieces] if squeeze_axis else pieces


def histogram(a, bins=10, range=None):
    """How many elements lie between each two of a number of limits, and the limits."""
    if isinstance(bins, NDArray):
        return find("_histogram")(a, bins)
    low, high = (float(a.min()), float(a.max())) if range is None else range
    return find("_histogram")(a, bin_cnt=bins, range=(low, high))


def onehot_encode(indices, out) -> NDArray:
    """Writes a row for each index to ``out``, with a one at the index and zeros elsewhere."""
    return find("one_hot")(indices, depth=out.shape[1], out=out)


def waitall():
    """Waits until everything asked so far is done; failures of that are raised here."""
    _core.wait_all()
