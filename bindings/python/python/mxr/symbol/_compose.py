"""Calls of operators on symbols, of which the generated functions are made."""

import functools

import numpy as np

from .. import attribute
from .. import name as _name
from .._core import SymbolHandle
from .._dtype import code_of, name_of
from ..base import InvalidTypeError, _Null
from .symbol import Symbol

__all__ = ["alias", "call"]


def plain(value):
    """Numbers of numpy as Python's own, which are written without their type."""
    if isinstance(value, (tuple, list)):
        return type(value)(plain(v) for v in value)
    return value.item() if isinstance(value, np.generic) else value


def text(key, value):
    """MXNet's text for the value of an attribute."""
    if key == "dtype" and value is not None and not isinstance(value, str):
        return name_of(code_of(value))
    return str(plain(value))


def _symbol(key, value):
    if not isinstance(value, Symbol):
        got = type(value).__name__
        raise InvalidTypeError(f"argument '{key}': expected a Symbol, got {got}")
    return value


def call(op, hint, inputs, rest, attrs, name, attr, kwargs):
    """The symbol of a call.

    Parameters
    ----------
    op : str
        The operator.
    hint : str
        What a symbol without a name is named after, unless an alias says otherwise.
    inputs : tuple of (str, Symbol or None)
    rest : tuple of Symbol
        Any number of inputs, or one list of them.
    attrs : tuple of (str, object)
    name, attr, kwargs
        As given to the function; ``kwargs`` may hold inputs and attributes too.
    """
    hint = kwargs.pop("_hint", hint)
    given = {key: value for key, value in attrs if value is not _Null}
    named = {key: _symbol(key, value) for key, value in inputs if value is not None}
    for key, value in {**kwargs, **attribute._current(attr)}.items():
        (named if isinstance(value, Symbol) else given)[key] = value
    if len(rest) == 1 and isinstance(rest[0], (list, tuple)):
        rest = rest[0]
    symbols = [(None, _symbol("data", value)._handle) for value in rest]
    symbols += [(key, value._handle) for key, value in named.items()]
    texts = [(key, text(key, value)) for key, value in given.items()]
    name = _name._current().get(name, hint)
    return Symbol(SymbolHandle.call(op, name, texts, symbols))


def alias(function, name):
    """The function under another name, after which its symbols are named."""

    @functools.wraps(function)
    def other(*args, **kwargs):
        kwargs.setdefault("_hint", name.lower())
        return function(*args, **kwargs)

    other.__name__ = other.__qualname__ = name
    return other
