"""Operators that MXNet calls contributed."""

from ._gen.contrib import *  # noqa: F403
from ._gen.contrib import __all__ as _generated

__all__ = [*_generated, "isfinite", "isinf", "isnan"]


def isnan(data):
    """1 where an element is not a number, else 0."""
    return data != data


def isinf(data):
    """1 where an element is infinite, else 0."""
    return data.abs() == float("inf")


def isfinite(data):
    """1 where an element is a number and finite, else 0."""
    return (data == data) * (data.abs() != float("inf"))
