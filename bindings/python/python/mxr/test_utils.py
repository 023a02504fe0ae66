"""Helpers for tests, as MXNet has them."""

import numpy as np

from . import ndarray as nd
from .context import current_context
from .ndarray import NDArray

__all__ = [
    "almost_equal",
    "assert_almost_equal",
    "default_context",
    "default_dtype",
    "rand_ndarray",
    "rand_shape_2d",
    "rand_shape_3d",
    "rand_shape_nd",
    "same",
]


def default_context():
    """The device that tests run on."""
    return current_context()


def default_dtype():
    """The type that tests use."""
    return np.float32


_TOLERANCES = {np.dtype(np.float16): (1e-2, 1e-2), np.dtype(np.float32): (1e-4, 1e-5)}


def _numpy(a):
    return a.asnumpy() if isinstance(a, NDArray) else np.asarray(a)


def _tolerance(a, b, rtol, atol):
    pairs = [_TOLERANCES.get(x.dtype, (1e-5, 1e-7)) for x in (a, b) if x.dtype.kind == "f"]
    widest = max(pairs, default=(0.0, 0.0))
    return (widest[0] if rtol is None else rtol), (widest[1] if atol is None else atol)


def same(a, b):
    """Whether two arrays are equal."""
    return np.array_equal(_numpy(a), _numpy(b))


def almost_equal(a, b, rtol=None, atol=None, equal_nan=False):
    """Whether two arrays are equal but for rounding."""
    a, b = _numpy(a), _numpy(b)
    rtol, atol = _tolerance(a, b, rtol, atol)
    return np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


def assert_almost_equal(a, b, rtol=None, atol=None, names=("a", "b"), equal_nan=False):
    """Fails unless two arrays are equal but for rounding."""
    a, b = _numpy(a), _numpy(b)
    rtol, atol = _tolerance(a, b, rtol, atol)
    message = f"{names[0]} and {names[1]} differ"
    np.testing.assert_allclose(a, b, rtol, atol, equal_nan=equal_nan, err_msg=message)


def rand_shape_2d(dim0=10, dim1=10):
    """A random shape of two axes."""
    return rand_shape_nd(2, (dim0, dim1))


def rand_shape_3d(dim0=10, dim1=10, dim2=10):
    """A random shape of three axes."""
    return rand_shape_nd(3, (dim0, dim1, dim2))


def rand_shape_nd(num_dim, dim=10):
    """A random shape."""
    return tuple(int(n) for n in np.random.randint(1, np.broadcast_to(dim, num_dim) + 1))


def rand_ndarray(shape, stype="default", density=None, dtype=None, **_):
    """An array of random numbers."""
    if stype != "default":
        raise ValueError(f"stype: expected 'default', got {stype!r}")
    return nd.array(np.random.uniform(-1, 1, shape), dtype=dtype or default_dtype())
