"""What initializers share."""

import json
import logging

import numpy as np

from . import _core, registry
from ._made import Made
from .base import InvalidTypeError, InvalidValueError


class InitDesc(str):
    """A parameter's name with what else is known of it.

    Parameters
    ----------
    name : str
    attrs : dict of str to str, optional
        The variable's attributes; ``'__init__'`` is an initializer of its own, as ``dumps`` has it.
    global_init : Initializer, optional
        The initializer that is used for all parameters.
    """

    def __new__(cls, name, attrs=None, global_init=None):
        desc = super().__new__(cls, name)
        desc.attrs = attrs or {}
        desc.global_init = global_init
        return desc


def _plain(value):
    """Arrays as lists, so that they can be written as JSON."""
    return value.tolist() if hasattr(value, "tolist") else value


class Initializer(Made):
    """Fills new parameters: called with a name and an array, it does what the name's end says.

    An initializer of one's own overrides ``_init_weight``, and ``_init_bias`` and its like if these
    are not to begin as zeros, or ones.

    Parameters
    ----------
    **kwargs
        What ``dumps`` writes, by which ``create`` makes an equal initializer.
    """

    _maker = _core.Initializer

    def __init__(self, **kwargs):
        self._kwargs = kwargs
        self._verbose = False
        self._print_func = None

    def _create(self, name, attributes):
        Initializer.__init__(self, **{key: _plain(value) for key, value in attributes.items()})
        self._make(name, attributes)

    def _values(self):
        values = {key: _plain(value) for key, value in super()._values().items()}
        # Nested lists are elements in order.
        return {k: np.ravel(v).tolist() if isinstance(v, list) else v for k, v in values.items()}

    def set_verbosity(self, verbose=False, print_func=None):
        """Says whether each parameter is logged when it is filled.

        Parameters
        ----------
        verbose : bool
        print_func : callable, optional
            Says of an array what is logged; the root of its elements' mean square if not given.
        """
        self._verbose = verbose
        self._print_func = print_func or (lambda x: str(np.sqrt(np.mean(np.square(x.asnumpy())))))
        return self

    def _log(self, name, what, arr):
        if self._verbose and self._print_func:
            logging.info("Initialized %s as %s: %s", name, what, self._print_func(arr))

    def dumps(self):
        """The initializer as JSON, which ``create`` understands."""
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __call__(self, desc, arr):
        """Fills a parameter.

        Parameters
        ----------
        desc : InitDesc or str
            Its name, whose end says what it is: a weight, a bias, ….
        arr : NDArray
        """
        if not isinstance(desc, str):
            raise InvalidTypeError(f"desc: expected an InitDesc or a text, got {desc!r}")
        if not isinstance(arr, _core.NDArray):
            raise InvalidTypeError(f"arr: expected an NDArray, got {type(arr).__name__}")
        own = getattr(desc, "attrs", {}).get("__init__")
        if own:
            create(own)._init_weight(desc, arr)
            self._log(desc, own, arr)
            return
        role = _core.role(desc) or "default"
        getattr(self, f"_init_{role}")(desc, arr)
        self._log(desc, role, arr)

    def _init_weight(self, name, arr):
        if self._handle is None:
            raise NotImplementedError(f"{type(self).__name__} must override _init_weight")
        self._handle.fill(arr)

    def _init_zero(self, name, arr):
        arr[:] = 0

    def _init_one(self, name, arr):
        arr[:] = 1

    def _init_bias(self, name, arr):
        self._init_zero(name, arr)

    def _init_beta(self, name, arr):
        self._init_zero(name, arr)

    def _init_gamma(self, name, arr):
        self._init_one(name, arr)

    def _init_default(self, name, arr):
        raise InvalidValueError(
            f"the name '{name}' does not say how to initialize: expected an end such as 'weight', "
            "'bias', 'gamma' or 'beta', or an initializer of its own, mx.sym.Variable(init=...)"
        )

    def __eq__(self, other):
        if not isinstance(other, Initializer):
            return NotImplemented
        return type(self) is type(other) and self._kwargs == other._kwargs


register = registry.get_register_func(Initializer, "initializer")
alias = registry.get_alias_func(Initializer, "initializer")
create = registry.get_create_func(Initializer, "initializer")
