"""Symbols of arrays with given elements, and functions that MXNet writes in Python."""

import numpy as np

from ..base import InvalidTypeError
from ._gen import internal

__all__ = ["arange", "eye", "full", "linspace", "ones", "split_v2", "zeros"]


def zeros(shape, dtype=None, **kwargs):
    """Zeros."""
    return internal._zeros(shape=shape, dtype=dtype or np.float32, **kwargs)


def ones(shape, dtype=None, **kwargs):
    """Ones."""
    return internal._ones(shape=shape, dtype=dtype or np.float32, **kwargs)


def full(shape, val, dtype=None, **kwargs):
    """One value everywhere."""
    return internal._full(shape=shape, dtype=dtype or np.float32, value=float(val), **kwargs)


def arange(start, stop=None, step=1.0, repeat=1, infer_range=False, name=None, dtype=None):
    """Numbers from ``start`` to before ``stop``, or from 0 to before ``start``."""
    return internal._arange(
        start=start,
        stop=stop,
        step=step,
        repeat=repeat,
        infer_range=infer_range,
        name=name,
        dtype=dtype or np.float32,
    )


def linspace(start, stop, num, endpoint=True, name=None, dtype=None):
    """``num`` numbers from ``start`` to ``stop`` at equal distances."""
    return internal._linspace(
        start=start, stop=stop, num=num, endpoint=endpoint, name=name, dtype=dtype or np.float32
    )


def eye(N, M=0, k=0, dtype=None, **kwargs):
    """Ones on a diagonal of a matrix of N rows and M, or N, columns."""
    return internal._eye(N=N, M=M, k=k, dtype=dtype or np.float32, **kwargs)


def split_v2(ary, indices_or_sections, axis=0, squeeze_axis=False):
    """Parts along an axis: a number of equal ones, or those that begin at 0 and at given places."""
    indices, sections = [], 0
    if isinstance(indices_or_sections, int):
        sections = indices_or_sections
    elif isinstance(indices_or_sections, tuple):
        indices = [0, *indices_or_sections]
    else:
        got = type(indices_or_sections).__name__
        raise InvalidTypeError(f"indices_or_sections: expected an int or a tuple of int, got {got}")
    return internal._split_v2(
        ary, indices=indices, axis=axis, squeeze_axis=squeeze_axis, sections=sections
    )
