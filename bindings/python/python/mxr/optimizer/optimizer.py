"""Optimizers, and updaters, which keep their states."""

from .._gen.optimizer import *  # noqa: F403
from .._gen.optimizer import __all__ as _classes
from ._base import create, register
from ._updater import Updater, get_updater

__all__ = ["Updater", "create", "get_updater", "register", *_classes]
