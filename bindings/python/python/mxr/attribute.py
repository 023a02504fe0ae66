"""Attributes that all symbols of a scope get.

>>> with mx.AttrScope(ctx_group="dev1"):
...     mx.sym.Variable("x").attr("ctx_group")
'dev1'
"""

import threading

from .base import InvalidValueError

__all__ = ["AttrScope"]


class _Scope(threading.local):
    def __init__(self):
        self.scopes = []


_scope = _Scope()


class AttrScope:
    """Attributes, texts by name, for symbols made in the scope. Inner scopes add to outer ones."""

    def __init__(self, **kwargs):
        for key, value in kwargs.items():
            if not isinstance(value, str):
                raise InvalidValueError(f"{key}: expected a text, got {value!r}")
        self._attr = kwargs

    def get(self, attr):
        """The scope's attributes, with ``attr`` over them."""
        return {**self._attr, **(attr or {})}

    def __enter__(self):
        if _scope.scopes:
            self._attr = _scope.scopes[-1].get(self._attr)
        _scope.scopes.append(self)
        return self

    def __exit__(self, *exception):
        _scope.scopes.pop()


def _current(attr):
    """``attr`` with the attributes of the scope."""
    return _scope.scopes[-1].get(attr) if _scope.scopes else dict(attr or {})
