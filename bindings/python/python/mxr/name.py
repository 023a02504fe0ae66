"""Names of symbols that were not given one.

>>> with mx.name.Prefix("net_"):
...     mx.sym.exp(mx.sym.Variable("x")).name
'net_exp0'
"""

import threading

__all__ = ["NameManager", "Prefix"]


class _Scope(threading.local):
    def __init__(self):
        self.managers = [NameManager()]


class NameManager:
    """Numbers symbols by what made them: ``exp0``, ``exp1``. As a scope, the one in use."""

    def __init__(self):
        self._counter = {}

    def get(self, name, hint):
        """``name`` if it is given, else the next name for ``hint``. Subclasses may do otherwise."""
        if name:
            return name
        number = self._counter.get(hint, 0)
        self._counter[hint] = number + 1
        return f"{hint}{number}"

    def __enter__(self):
        _scope.managers.append(self)
        return self

    def __exit__(self, *exception):
        _scope.managers.pop()


class Prefix(NameManager):
    """Puts a prefix before all names."""

    def __init__(self, prefix):
        super().__init__()
        self._prefix = prefix

    def get(self, name, hint):
        return self._prefix + super().get(name, hint)


_scope = _Scope()


def _current():
    return _scope.managers[-1]
