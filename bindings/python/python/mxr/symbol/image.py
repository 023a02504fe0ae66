"""Operators on images."""

from ._gen.image import *  # noqa: F403
from ._gen.image import __all__  # noqa: F401
