"""Arithmetic and comparison as functions of arrays and numbers, which broadcast."""

import operator

from .._core import NDArray
from ..base import InvalidTypeError
from ._find import find

__all__ = []


def _number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidTypeError(f"expected an NDArray or a number, got {value!r}") from None


def _function(name, arrays, scalar, reflected, plain, doc):
    def function(lhs, rhs):
        if isinstance(lhs, NDArray):
            if isinstance(rhs, NDArray):
                return find(arrays)(lhs, rhs)
            return find(scalar)(lhs, scalar=_number(rhs))
        if isinstance(rhs, NDArray):
            return find(reflected)(rhs, scalar=_number(lhs))
        return plain(lhs, rhs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc}\n\n    Arrays broadcast; either may be a number."
    globals()[name] = function
    __all__.append(name)


_function("add", "broadcast_add", "_plus_scalar", "_plus_scalar", operator.add, "The sum.")
_function(
    "subtract", "broadcast_sub", "_minus_scalar", "_rminus_scalar", operator.sub, "The difference."
)
_function("multiply", "broadcast_mul", "_mul_scalar", "_mul_scalar", operator.mul, "The product.")
_function(
    "divide", "broadcast_div", "_div_scalar", "_rdiv_scalar", operator.truediv, "The quotient."
)
_function("modulo", "broadcast_mod", "_mod_scalar", "_rmod_scalar", operator.mod, "The remainder.")
_function("power", "broadcast_power", "_power_scalar", "_rpower_scalar", pow, "The power.")
_function("maximum", "broadcast_maximum", "_maximum_scalar", "_maximum_scalar", max, "The greater.")
_function("minimum", "broadcast_minimum", "_minimum_scalar", "_minimum_scalar", min, "The lesser.")
true_divide = globals()["divide"]
__all__.append("true_divide")

for _name, _mirrored, _plain, _words in [
    ("equal", "equal", operator.eq, "is equal to"),
    ("not_equal", "not_equal", operator.ne, "differs from"),
    ("greater", "lesser", operator.gt, "is greater than"),
    ("greater_equal", "lesser_equal", operator.ge, "is greater than or equal to"),
    ("lesser", "greater", operator.lt, "is less than"),
    ("lesser_equal", "greater_equal", operator.le, "is less than or equal to"),
    ("logical_and", "logical_and", lambda a, b: bool(a and b), "and"),
    ("logical_or", "logical_or", lambda a, b: bool(a or b), "or"),
    ("logical_xor", "logical_xor", lambda a, b: bool(a) != bool(b), "or else"),
]:
    _function(
        _name,
        f"broadcast_{_name}",
        f"_{_name}_scalar",
        f"_{_mirrored}_scalar",
        _plain,
        f"1 where lhs {_words} rhs, else 0.",
    )
