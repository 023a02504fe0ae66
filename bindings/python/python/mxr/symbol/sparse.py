"""Operators on arrays with few elements that are not zero."""

from ._gen.sparse import *  # noqa: F403
from ._gen.sparse import __all__  # noqa: F401
