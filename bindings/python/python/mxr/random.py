"""Random numbers: the seed, and the functions of ``mx.nd.random``."""

from . import _core
from .base import InvalidValueError
from .context import Context, _device
from .ndarray.random import *  # noqa: F403
from .ndarray.random import __all__ as _functions

__all__ = ["seed", *_functions]


def seed(seed_state, ctx="all"):
    """Seeds the random numbers of a device, or of all.

    Equal seeds give equal numbers, on every machine.

    Parameters
    ----------
    seed_state : int
    ctx : Context or 'all'
    """
    if isinstance(seed_state, float) and not seed_state.is_integer():
        raise InvalidValueError(f"seed: argument 'seed_state': expected an integer, got {seed_state}")
    seed_state = int(seed_state) & (2**64 - 1)
    kind, number = (0, 0) if ctx == "all" else _device(Context(ctx) if ctx is None else ctx)
    _core.seed(seed_state, kind, number)
