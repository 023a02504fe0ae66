"""Indexing: what a key means, and reading and writing the elements it names.

Slices whose elements lie together are views; other slices are copied by ``slice``; what integer
and boolean arrays name is gathered and scattered by position.
"""

import numpy as np

from .. import _core
from .._core import NDArray
from .._dtype import storage_of
from ..base import AutogradError, InvalidTypeError, OutOfRangeError, ShapeError
from ._find import find


def _is_array(key):
    return isinstance(key, (NDArray, np.ndarray, list)) and not (
        isinstance(key, np.ndarray) and key.ndim == 0 and key.dtype != np.bool_
    )


def _host(key):
    """An index array in numpy, of integers or truth values."""
    array = key.asnumpy() if isinstance(key, NDArray) else np.asarray(key)
    if array.dtype == np.bool_ or array.dtype.kind in "iu":
        return array
    if array.size == 0:
        return array.astype(np.int64)
    whole = array.astype(np.int64)
    # MXNet's own index arrays are of float32.
    if isinstance(key, NDArray) and (whole == array).all():
        return whole
    raise OutOfRangeError(f"expected an index array of integers or bool, got {array.dtype}")


def _expand(key, ndim):
    """The key as a list: an int, slice, array or None for each axis, nothing left out."""
    key = list(key) if isinstance(key, tuple) else [key]
    used = 0
    for i, k in enumerate(key):
        if _is_array(k):
            key[i] = k = _host(k)
            used += k.ndim if k.dtype == np.bool_ else 1
        elif isinstance(k, (bool, np.bool_)):
            key[i] = np.asarray(k)
        elif k is None or k is Ellipsis:
            pass
        elif isinstance(k, slice):
            used += 1
        else:
            try:
                key[i] = k.__index__()
            except (AttributeError, TypeError):
                raise OutOfRangeError(
                    f"expected an integer, a slice, ..., None or an index array, got {k!r}"
                ) from None
            used += 1
    places = [i for i, k in enumerate(key) if k is Ellipsis]
    if len(places) > 1:
        raise OutOfRangeError("an index may have one ellipsis ('...')")
    if used > ndim:
        raise OutOfRangeError(
            f"too many indices: the array has {ndim} axes, but {used} are indexed"
        )
    at = places[0] if places else len(key)
    key[at : at + 1] = [slice(None)] * (ndim - used)
    return key


def _row(i, size, axis):
    if not -size <= i < size:
        raise OutOfRangeError(f"index {i} is out of bounds for axis {axis} with size {size}")
    return i + size if i < 0 else i


def _ranges(key, shape):
    """Of a key without arrays: (begin, end, step) for each axis, and the shape of the result."""
    ranges, sizes = [], []
    for k in key:
        axis = len(ranges)
        if k is None:
            sizes.append(1)
        elif isinstance(k, slice):
            if k.step == 0:
                raise OutOfRangeError("a slice's step must not be zero")
            begin, end, step = k.indices(shape[axis])
            n = len(range(begin, end, step))
            ranges.append((begin, begin + 1, 1) if n == 1 else (begin, begin + n * step, step))
            sizes.append(n)
        else:
            i = _row(k, shape[axis], axis)
            ranges.append((i, i + 1, 1))
    return ranges, tuple(sizes)


def _together(ranges, shape):
    """The first and the last position of ranges whose elements lie together, or None."""
    begin, n, whole = 0, 1, True
    stride = 1
    for (b, e, step), size in zip(reversed(ranges), reversed(shape)):
        count = abs(e - b) if step == 1 else -(-(e - b) // step)
        if count != 1:
            if step != 1 or not whole:
                return None
        # Axes to the left may only have one element once one is not taken whole.
        if count != size:
            whole = False
        begin += b * stride
        n *= count
        stride *= size
    return begin, begin + n


def _view(array, ranges, shape, sizes):
    """A view of ranges that lie together, or None. MXNet's results have one axis at least."""
    if 0 in sizes or 0 in shape:
        return None
    ends = _together(ranges, shape)
    if ends is None:
        return None
    if all(r == (0, n, 1) for r, n in zip(ranges[1:], shape[1:])):
        rows = array._slice(ranges[0][0], ranges[0][1])
        return rows if rows.shape == (sizes or (1,)) else rows._reshape(sizes or (1,))
    return array._reshape((-1,))._slice(*ends)._reshape(sizes or (1,))


def _positions(key, shape):
    """Where the elements that a key with arrays names are.

    Returns positions along the indexed axes taken as one, in the shape of the result but for the
    trailing axes that are whole, and the number of these.
    """
    trailing = 0
    while trailing < len(key) and isinstance(key[-1 - trailing], slice):
        if key[-1 - trailing] != slice(None):
            break
        trailing += 1
    key = key[: len(key) - trailing]
    # Each entry: (index, axis of the array); a mask stands for the indices of its true elements.
    parts, axis = [], 0
    for k in key:
        if isinstance(k, np.ndarray) and k.dtype == np.bool_:
            if k.shape != tuple(shape[axis : axis + k.ndim]):
                raise OutOfRangeError(
                    f"a mask of shape {k.shape} does not fit the axes {shape[axis : axis + k.ndim]}"
                )
            found = k.nonzero() if k.ndim else (np.zeros(int(k), np.int64),)
            parts += [(i, axis + j if k.ndim else None) for j, i in enumerate(found)]
            axis += k.ndim
        elif k is None:
            parts.append((None, None))
        else:
            parts.append((k, axis))
            axis += 1
    return _grid(parts, shape[:axis]), trailing


def _grid(parts, shape):
    advanced = [i for i, (k, _) in enumerate(parts) if not isinstance(k, slice) and k is not None]
    arrays = []
    for i in advanced:
        k, axis = parts[i]
        index = np.asarray(k, np.int64)
        if axis is not None:
            size = shape[axis]
            bad = index[(index < -size) | (index >= size)]
            if bad.size:
                raise OutOfRangeError(
                    f"index {bad.flat[0]} is out of bounds for axis {axis} with size {size}"
                )
            index = np.where(index < 0, index + size, index)
        arrays.append(index)
    try:
        common = np.broadcast(*arrays).shape if len(arrays) > 1 else arrays[0].shape
    except ValueError:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise OutOfRangeError(f"index arrays of shapes {shapes} do not broadcast") from None
    # Where indices are next to each other their axes stay there, else they come first.
    beside = advanced == list(range(advanced[0], advanced[-1] + 1))
    first = advanced[0] if beside else 0
    plain = [i for i in range(len(parts)) if i not in advanced]
    order = [i for i in plain if i < first], [i for i in plain if i >= first]
    ndim = len(common) + len(plain)
    strides = [int(np.prod(shape[a + 1 :])) for a in range(len(shape))]
    where = np.zeros((1,) * ndim, np.int64)
    for i, array in zip(advanced, arrays):
        axis = parts[i][1]
        behind = len(order[1])
        spread = array.reshape(array.shape + (1,) * behind)
        where = where + spread * (0 if axis is None else strides[axis])
    out = 0
    for group in order:
        for i in group:
            k, axis = parts[i]
            if k is not None:
                steps = np.arange(*k.indices(shape[axis]))
                sizes = [1] * ndim
                sizes[out] = len(steps)
                where = where + steps.reshape(sizes) * strides[axis]
            out += 1
        out += len(common)
    return where


def _flat_rows(array, trailing):
    shape = array.shape
    keep = shape[len(shape) - trailing :] if trailing else ()
    rows = int(np.prod(shape[: len(shape) - trailing]))
    return array._reshape((rows, *keep)), keep


def getitem(self, key):
    """The elements that a key names: a view where slices lie together in memory, else a copy."""
    if type(key) is int:
        if self.ndim > 1:
            return self._at(key)
        key = _row(key, self.shape[0], 0) if self.ndim else key
        return self._slice(key, key + 1)
    if type(key) is slice and key.step is None and self.ndim:
        begin, end, _ = key.indices(self.shape[0])
        return self._slice(begin, max(begin, end))
    shape = self.shape
    key = _expand(key, len(shape))
    if any(isinstance(k, np.ndarray) for k in key):
        where, trailing = _positions(key, shape)
        rows, keep = _flat_rows(self, trailing)
        index = _core.from_buffer(np.ascontiguousarray(where.reshape(-1)), (where.size,), 6, 1, 0)
        found = find("take")(rows, index, axis=0, mode="clip")
        return found._reshape((*where.shape, *keep) or (1,))
    ranges, sizes = _ranges(key, shape)
    view = _view(self, ranges, shape, sizes)
    if view is not None:
        return view
    if 0 in sizes:
        return _core.empty(sizes, self._dtype_code, *self._device)
    found = find("slice")(self, **_slice_attrs(ranges, shape))
    return found._reshape(sizes or (1,))


def _slice_attrs(ranges, shape):
    """What the slicing operators are told; an end before the first element is None there."""
    return {
        "begin": tuple(b for b, _, _ in ranges),
        "end": tuple(None if e < 0 else e for _, e, _ in ranges),
        "step": tuple(s for _, _, s in ranges),
    }


def _value(self, value, shape):
    """A value to assign, in the array's dtype and the shape of the place, as an array."""
    if isinstance(value, NDArray):
        if value._dtype_code != self._dtype_code:
            value = value.astype(self.dtype)
    else:
        host = np.asarray(value, storage_of(self._dtype_code))
        value = _from_host(host, self._dtype_code, self._device)
    sizes = value.shape
    while len(sizes) > len(shape) and sizes[0] == 1:
        sizes = sizes[1:]
    if sizes != value.shape:
        value = value._reshape(sizes)
    if sizes == shape:
        return value
    if len(sizes) > len(shape) or any(s not in (1, n) for s, n in zip(sizes[::-1], shape[::-1])):
        raise ShapeError(f"a value of shape {sizes} cannot be assigned to a place of shape {shape}")
    ones = (1,) * (len(shape) - len(sizes))
    return find("broadcast_to")(value._reshape(ones + sizes), shape=shape)


def _from_host(host, code, device):
    host = np.ascontiguousarray(host).reshape(host.shape)
    raw = host.view(np.uint16) if code == 12 else host
    return _core.from_buffer(raw, host.shape, code, *device)


def _number(value):
    return (
        isinstance(value, (int, float, np.number, np.bool_))
        and abs(value) <= 2**53
        or (isinstance(value, (float, np.floating)) and value != value)
    )


def _fill(view, value):
    if _number(value) or value in (float("inf"), -float("inf")):
        find("_full")(shape=view.shape, value=float(value), dtype=view.dtype, out=view)
    else:
        _value(view, value, view.shape)._copy_to(view)


def setitem(self, key, value):
    """Sets the elements that a key names to a number, or to an array that is broadcast."""
    if self._is_recorded and _core.is_recording():
        raise AutogradError(
            "in-place operations (+=, x[:]=, …) are not supported when recording with autograd"
        )
    if isinstance(value, (str, bytes)) or value is None:
        raise InvalidTypeError(f"expected a number or an array, got {value!r}")
    simple = isinstance(value, (int, float, np.number, np.bool_))
    shape = self.shape
    key = _expand(key, len(shape))
    if any(isinstance(k, np.ndarray) for k in key):
        where, trailing = _positions(key, shape)
        rows, keep = _flat_rows(self, trailing)
        if where.size == 0:
            return
        index = np.ascontiguousarray(where.reshape(1, -1))
        index = _core.from_buffer(index, index.shape, 6, 1, 0)
        value = _value(self, value, (*where.shape, *keep))._reshape((where.size, *keep))
        find("_scatter_set_nd")(rows, value, index, shape=rows.shape, out=rows)
        return
    ranges, sizes = _ranges(key, shape)
    if 0 in sizes:
        return
    view = _view(self, ranges, shape, sizes)
    if view is not None:
        if simple:
            _fill(view, value)
        else:
            _value(self, value, view.shape)._copy_to(view)
        return
    place = tuple(abs((e - b) // s) for b, e, s in ranges)
    attrs = _slice_attrs(ranges, shape)
    if simple and _number(value):
        find("_slice_assign_scalar")(self, scalar=float(value), out=self, **attrs)
    else:
        value = _value(self, value, sizes or (1,))._reshape(place)
        find("_slice_assign")(self, value, out=self, **attrs)
