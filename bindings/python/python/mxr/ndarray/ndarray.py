"""The class ``NDArray``: its methods that are made of others."""

import numpy as np

from .. import _core
from .. import autograd as _autograd
from .. import context as _context
from .._core import NDArray
from .._dtype import code_of, storage_of
from ..base import _STYPES, InvalidValueError, ShapeError, _dense_only, _unsupported
from . import _indexing
from ._find import find
from ._shape import target_shape

__all__ = ["NDArray"]

def method(function):
    """Puts a function into the class under its name."""
    function.__qualname__ = f"NDArray.{function.__name__}"
    setattr(NDArray, function.__name__, function)
    return function


def attribute(function):
    """Puts a property into the class under the function's name."""
    setattr(NDArray, function.__name__, property(function))
    return function


NDArray.__getitem__ = _indexing.getitem
NDArray.__setitem__ = _indexing.setitem
NDArray.__array_priority__ = 1000.0


@attribute
def context(self):
    """The device that holds the array."""
    return _context._of(self._device)


NDArray.ctx = NDArray.context


@attribute
def stype(self):
    """How elements are stored: 'default', 'row_sparse' or 'csr'."""
    return _STYPES[self._storage_kind]


@attribute
def T(self):
    """The array with its axes in reverse order, a copy."""
    return self if self.ndim < 2 else find("transpose")(self)


@attribute
def _fresh_grad(self):
    return False


@method
def asnumpy(self):
    """The elements as a ``numpy.ndarray``, a copy. Waits for them."""
    code = self._dtype_code
    out = np.empty(self.shape, storage_of(code))
    self._read_into(out.view(np.uint16) if code == 12 else out)
    return out


@method
def asscalar(self):
    """The element of an array that has one, as a number."""
    if self.size != 1:
        raise InvalidValueError(f"expected an array of one element, got shape {self.shape}")
    return self.asnumpy().reshape(-1)[0]


NDArray.item = asscalar


@method
def tolist(self):
    """The elements as lists in lists."""
    return self.asnumpy().tolist()


@method
def __array__(self, dtype=None, copy=None):
    if copy is False:
        raise ValueError("an NDArray is copied to become a numpy.ndarray; use from_dlpack to share")
    array = self.asnumpy()
    return array if dtype is None else array.astype(dtype, copy=False)


@method
def __iter__(self):
    return (self[i] for i in range(len(self)))


def _one(self, what):
    if self.size != 1:
        raise InvalidValueError(f"{what} of an array of {self.size} elements is ambiguous")
    return self.asscalar()


@method
def __bool__(self):
    return self.size != 0 and bool(_one(self, "the truth value"))


@method
def __float__(self):
    return float(_one(self, "the value"))


@method
def __int__(self):
    return int(_one(self, "the value"))


@method
def __index__(self):
    if np.dtype(storage_of(self._dtype_code)).kind not in "iu":
        raise TypeError("only arrays of integers can be an index")
    return int(_one(self, "the value"))


@method
def __contains__(self, value):
    return bool((self.asnumpy() == value).any())


@method
def __repr__(self):
    shape = "x".join(str(n) for n in self.shape)
    return f"\n{self.asnumpy()}\n<{type(self).__name__} {shape} @{self.context}>"


@method
def _repr_html_(self):
    from html import escape

    kind = f"{type(self).__name__} {'x'.join(str(n) for n in self.shape)}"
    dtype = getattr(self.dtype, "__name__", self.dtype)
    return f"<pre>{escape(str(self.asnumpy()))}</pre><small>{kind} {dtype} @{self.context}</small>"


@method
def __format__(self, spec):
    return format(self.asscalar(), spec) if spec else str(self)


def _rebuild(raw, code, device):
    return _core.from_buffer(raw, raw.shape, code, *device)


@method
def __reduce__(self):
    raw = self.asnumpy()
    raw = raw.view(np.uint16) if self._dtype_code == 12 else raw
    return _rebuild, (raw, self._dtype_code, self._device)


@method
def __copy__(self):
    return self.copy()


@method
def __deepcopy__(self, memo):
    return self.copy().detach()


@method
def astype(self, dtype, copy=True):
    """The array with elements of another type; itself if they are so already and not ``copy``."""
    if code_of(dtype) == self._dtype_code:
        return self.copy() if copy else self
    return find("cast")(self, dtype=dtype)


@method
def copy(self):
    """A copy on the same device."""
    return find("identity")(self)


@method
def copyto(self, other):
    """Copies the elements to another array, or to a new one on a device; returns that."""
    if isinstance(other, NDArray):
        if other is self:
            return other
        if other.shape != self.shape:
            raise ShapeError(f"expected an array of shape {self.shape}, got {other.shape}")
        source = self
        if other._dtype_code != self._dtype_code:
            source = self.astype(other.dtype)
        source._copy_to(other)
        return other
    if isinstance(other, _context.Context):
        out = _core.empty(self.shape, self._dtype_code, *other._memory)
        self._copy_to(out)
        return out
    raise TypeError(f"expected an NDArray or a Context, got {type(other).__name__}")


@method
def as_in_context(self, context):
    """The array itself if it is on a device, else a copy there."""
    return self if self._device == context._memory else self.copyto(context)


NDArray.as_in_ctx = as_in_context


@method
def as_nd_ndarray(self):
    """The array itself."""
    return self


@method
def as_np_ndarray(self):
    """The array as ``mx.np.ndarray``; not supported."""
    raise _unsupported("as_np_ndarray: this build of mxr has no mx.np")


@method
def tostype(self, stype):
    """The array with its elements stored as ``stype`` says: itself, for there is one way."""
    _dense_only(stype)
    return self


@method
def reshape(self, *shape, **kwargs):
    """A view of the same elements in another shape.

    Parameters
    ----------
    shape : int or tuple of int
        0 copies a size, -1 is inferred, -2 copies all that are left, -3 merges two, -4 splits one
        in the two that follow.
    reverse : bool
        Read ``shape`` from the right.
    """
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = shape[0]
    elif not shape:
        if "shape" not in kwargs:
            raise TypeError("reshape() needs the argument 'shape'")
        shape = kwargs.pop("shape")
        shape = (shape,) if isinstance(shape, int) else shape
    reverse = kwargs.pop("reverse", False)
    if kwargs:
        raise TypeError(f"reshape() got an unexpected keyword argument '{next(iter(kwargs))}'")
    return self._reshape(target_shape(self.shape, tuple(shape), reverse))


@method
def reshape_view(self, *shape):
    """The same as ``reshape``."""
    return self.reshape(*shape)


@method
def expand_dims(self, axis, inplace=False):
    """The array with a new axis of size 1; a view if ``inplace``."""
    if not inplace:
        return find("expand_dims")(self, axis=axis)
    shape = list(self.shape)
    shape.insert(axis if axis >= 0 else axis + len(shape) + 1, 1)
    return self._reshape(shape)


@method
def squeeze(self, axis=None, inplace=False):
    """The array without axes of size 1; a view if ``inplace``."""
    if not inplace:
        return find("squeeze")(self, axis=axis)
    shape = self.shape
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis) % len(shape)
    keep = [n for i, n in enumerate(shape) if n != 1 or i not in axes]
    return self._reshape(keep or (1,))


@method
def flatten(self, inplace=False):
    """The array with all axes but the first as one; a view if ``inplace``."""
    if not inplace:
        return find("flatten")(self)
    return self._reshape((self.shape[0], -1))


@method
def broadcast_to(self, shape):
    """The array, repeated along axes of size 1 to have a shape."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    mine = self.shape
    if len(mine) > len(shape) or any(
        m not in (1, n) and n != 0 for m, n in zip(mine[::-1], shape[::-1])
    ):
        raise ShapeError(f"shape {mine} cannot be broadcast to {shape}")
    source = self
    if len(mine) < len(shape):
        source = self._reshape((1,) * (len(shape) - len(mine)) + mine)
    return source if source.shape == shape else find("broadcast_to")(source, shape=shape)


@method
def attach_grad(self, grad_req="write", stype=None):
    """Makes the array a variable: ``backward`` then leaves its gradient in ``grad``.

    Parameters
    ----------
    grad_req : str
        ``'write'``, ``'add'`` to what is there, or ``'null'`` for no gradient.
    stype : str, optional
        How the gradient is stored; as the array is if it is not given.
    """
    _dense_only(stype)
    request = _autograd._request(grad_req)
    gradient = find("_zeros")(shape=self.shape, dtype=self.dtype, ctx=self.context)
    _core.mark([self], [gradient], [request])


@method
def zero_grad(self):
    """Sets the gradient to zero."""
    gradient = self.grad
    if gradient is not None:
        gradient[:] = 0


@method
def backward(self, out_grad=None, retain_graph=False, train_mode=True):
    """Computes the gradients of the sum of the array with respect to all variables.

    Parameters
    ----------
    out_grad : NDArray, optional
        The weight of each element; ones if not given.
    retain_graph : bool
        Keep the graph for another backward.
    train_mode : bool
        Whether a model is being trained.
    """
    grads = None if out_grad is None else [out_grad]
    _core.backward([self], grads, retain_graph, False, train_mode)


@method
def to_dlpack_for_read(self):
    """A DLPack capsule that shares the elements, to be read."""
    return self.__dlpack__()


@method
def to_dlpack_for_write(self):
    """A DLPack capsule that shares the elements, to be written."""
    return self.__dlpack__()


@method
def slice_assign(self, rhs, begin, end, step):
    """Sets a slice to the elements of an array."""
    return find("_slice_assign")(self, rhs, begin=begin, end=end, step=step, out=self)


@method
def slice_assign_scalar(self, value, begin, end, step):
    """Sets a slice to a number."""
    return find("_slice_assign_scalar")(
        self, scalar=float(value), begin=begin, end=end, step=step, out=self
    )


@method
def split_v2(self, indices_or_sections, axis=0, squeeze_axis=False):
    """Pieces along an axis: a number of equal ones, or those between indices."""
    from ._create import split_v2

    return split_v2(self, indices_or_sections, axis, squeeze_axis)
