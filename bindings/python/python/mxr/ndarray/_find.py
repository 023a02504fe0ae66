"""Operators by name, for methods that are made of them."""

from ..base import _unsupported
from ._gen import contrib, internal, op


def find(name):
    """The function of an operator; an error that says so if this build has none of that name."""
    for module in (op, internal, contrib):
        function = getattr(module, name, None)
        if function is not None:
            return function
    raise _unsupported(f"this build of mxr has no operator '{name}'")
