"""Operators that MXNet calls contributed, and control flow."""

from ._control import cond, foreach, while_loop
from ._gen.contrib import *  # noqa: F403
from ._gen.contrib import __all__ as _generated

__all__ = [*_generated, "cond", "foreach", "isfinite", "isinf", "isnan", "while_loop"]


def isnan(data):
    """1 where an element is not a number, else 0."""
    return data != data


def isinf(data):
    """1 where an element is infinite, else 0."""
    return data.abs() == float("inf")


def isfinite(data):
    """1 where an element is a number and finite, else 0."""
    return (data == data) * (data.abs() != float("inf"))
