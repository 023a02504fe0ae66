"""Python's operators on symbols, and functions of symbols and numbers.

The arrays must have one shape; ``broadcast_add`` and its like broadcast. A number may stand for an
array.
"""

import math
import operator
from numbers import Number

from ..base import InvalidTypeError
from ._gen import internal
from .symbol import Symbol

__all__ = ["hypot", "maximum", "minimum", "pow", "power"]


def _apply(lhs, rhs, symbols, scalar, reflected, plain):
    """A call on two symbols, or on a symbol and a number."""
    if isinstance(lhs, Symbol):
        if isinstance(rhs, Symbol):
            return getattr(internal, symbols)(lhs, rhs)
        if isinstance(rhs, Number):
            return getattr(internal, scalar)(lhs, scalar=rhs)
    elif isinstance(lhs, Number):
        if isinstance(rhs, Symbol):
            return getattr(internal, reflected)(rhs, scalar=lhs)
        if isinstance(rhs, Number):
            return plain(lhs, rhs)
    kinds = " and ".join(type(v).__name__ for v in (lhs, rhs))
    raise InvalidTypeError(f"expected Symbols or numbers, got {kinds}")


def _operator(name, symbols, scalar, reflected=None):
    setattr(
        Symbol,
        f"__{name}__",
        lambda self, other: _apply(self, other, symbols, scalar, scalar, None),
    )
    if reflected is not None:
        setattr(
            Symbol,
            f"__r{name}__",
            lambda self, other: _apply(other, self, symbols, scalar, reflected, None),
        )


for _name, _function, _reflected in [
    ("add", "Plus", "_PlusScalar"),
    ("sub", "Minus", "_RMinusScalar"),
    ("mul", "Mul", "_MulScalar"),
    ("truediv", "Div", "_RDivScalar"),
    ("mod", "Mod", "_RModScalar"),
    ("pow", "Power", "_rpower_scalar"),
]:
    _operator(_name, f"_{_function}", f"_{_function}Scalar", _reflected)

for _name, _function in [
    ("eq", "equal"),
    ("ne", "not_equal"),
    ("gt", "greater"),
    ("ge", "greater_equal"),
    ("lt", "lesser"),
    ("le", "lesser_equal"),
]:
    _operator(_name, f"_{_function}", f"_{_function}_scalar")

Symbol.__neg__ = lambda self: self * -1.0
Symbol.__abs__ = lambda self: self.abs()
Symbol.__hash__ = None


def _function(name, symbols, reflected, plain, doc):
    def function(lhs, rhs):
        return _apply(lhs, rhs, symbols, f"{symbols}Scalar", reflected, plain)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc} Either may be a number."
    return function


power = _function("power", "_Power", "_RPowerScalar", operator.pow, "The power.")
pow = power
maximum = _function("maximum", "_Maximum", "_MaximumScalar", max, "The greater.")
minimum = _function("minimum", "_Minimum", "_MinimumScalar", min, "The lesser.")
hypot = _function("hypot", "_Hypot", "_HypotScalar", math.hypot, "The length of the hypotenuse.")
