"""Operators that MXNet calls contributed."""

from ._gen.contrib import *  # noqa: F403
from ._gen.contrib import __all__  # noqa: F401
