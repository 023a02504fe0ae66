"""Initializers: what the elements of new parameters are.

>>> weight = mx.nd.empty((2, 3))
>>> mx.init.Xavier(factor_type="in", magnitude=2)(mx.init.InitDesc("fc_weight"), weight)
"""

import logging
import re

from ._gen.initializer import *  # noqa: F403
from ._gen.initializer import __all__ as _classes
from ._initialize import InitDesc, Initializer, alias, create, register
from .base import InvalidTypeError, InvalidValueError, ShapeError

__all__ = ["InitDesc", "Initializer", "Load", "Mixed", "alias", "create", "register", *_classes]


class Load:
    """Fills parameters from a file or a dictionary.

    Parameters
    ----------
    param : str or dict of str to NDArray
        Arrays by name; ``arg:`` and ``aux:`` before a name do not count.
    default_init : Initializer, optional
        Fills parameters that have no array.
    verbose : bool
        Log where each parameter came from.
    """

    def __init__(self, param, default_init=None, verbose=False):
        if isinstance(param, str):
            from .ndarray import load

            param = load(param)
        if not isinstance(param, dict):
            raise InvalidTypeError(f"param: expected arrays by name, got {type(param).__name__}")
        self.param = {re.sub("^(arg|aux):", "", name): array for name, array in param.items()}
        self.default_init = default_init
        self.verbose = verbose

    def __call__(self, name, arr):
        """Fills a parameter."""
        found = self.param.get(name)
        if found is not None:
            if found.shape != arr.shape:
                raise ShapeError(f"{name}: expected shape {arr.shape}, got {found.shape}")
            arr[:] = found
        elif self.default_init is not None:
            self.default_init(name, arr)
        else:
            raise InvalidValueError(f"there is no array for {name}, and no default initializer")
        if self.verbose:
            logging.info("Initialized %s by %s", name, "default" if found is None else "loading")


class Mixed:
    """Fills each parameter by the first initializer whose pattern its name begins with.

    Parameters
    ----------
    patterns : list of str
        Regular expressions.
    initializers : list of Initializer
        One for each.
    """

    def __init__(self, patterns, initializers):
        if len(patterns) != len(initializers):
            raise InvalidValueError(
                f"initializers: expected {len(patterns)}, one a pattern, got {len(initializers)}"
            )
        self.map = [(re.compile(p), init) for p, init in zip(patterns, initializers)]

    def __call__(self, name, arr):
        """Fills a parameter."""
        for pattern, init in self.map:
            if pattern.match(name):
                return init(name, arr)
        raise InvalidValueError(f"no pattern fits '{name}'; a last pattern '.*' fits all names")
