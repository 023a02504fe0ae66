"""Symbols of random numbers of many distributions.

Parameters of a distribution are numbers, or symbols of arrays of one shape: then ``shape`` is what
is drawn for each of their elements.
"""

from ..base import InvalidTypeError, _Null
from ._gen import internal
from ._gen.random import *  # noqa: F403
from ._gen.random import __all__ as _generated
from .symbol import Symbol

__all__ = [
    *_generated,
    "exponential",
    "gamma",
    "generalized_negative_binomial",
    "multinomial",
    "negative_binomial",
    "normal",
    "poisson",
    "randint",
    "randn",
    "shuffle",
    "uniform",
]


def _draw(name, params, shape, dtype, kwargs):
    """Draws by `_random_name` for numbers, by `_sample_name` for symbols."""
    symbols = [isinstance(p, Symbol) for p in params.values()]
    if any(symbols) and not all(symbols):
        raise InvalidTypeError(
            f"{name}: expected {' and '.join(params)} to be all Symbols or all numbers"
        )
    draw = getattr(internal, f"_sample_{name}" if any(symbols) else f"_random_{name}")
    return draw(**params, shape=shape, dtype=dtype, **kwargs)


def uniform(low=0, high=1, shape=_Null, dtype=_Null, **kwargs):
    """Numbers between ``low`` and ``high``, all equally likely."""
    return _draw("uniform", {"low": low, "high": high}, shape, dtype, kwargs)


def normal(loc=0, scale=1, shape=_Null, dtype=_Null, **kwargs):
    """Normally distributed numbers of mean ``loc`` and standard deviation ``scale``."""
    names = ("mu", "sigma") if isinstance(loc, Symbol) else ("loc", "scale")
    return _draw("normal", dict(zip(names, (loc, scale))), shape, dtype, kwargs)


def randn(*shape, **kwargs):
    """Normally distributed numbers in a shape that is given size by size."""
    loc, scale = kwargs.pop("loc", 0), kwargs.pop("scale", 1)
    return normal(loc, scale, shape or _Null, **kwargs)


def poisson(lam=1, shape=_Null, dtype=_Null, **kwargs):
    """Poisson distributed numbers of mean ``lam``."""
    return _draw("poisson", {"lam": lam}, shape, dtype, kwargs)


def exponential(scale=1, shape=_Null, dtype=_Null, **kwargs):
    """Exponentially distributed numbers of mean ``scale``."""
    return _draw("exponential", {"lam": 1.0 / scale}, shape, dtype, kwargs)


def gamma(alpha=1, beta=1, shape=_Null, dtype=_Null, **kwargs):
    """Gamma distributed numbers of shape ``alpha`` and scale ``beta``."""
    return _draw("gamma", {"alpha": alpha, "beta": beta}, shape, dtype, kwargs)


def negative_binomial(k=1, p=1, shape=_Null, dtype=_Null, **kwargs):
    """Failures before ``k`` successes of probability ``p``."""
    return _draw("negative_binomial", {"k": k, "p": p}, shape, dtype, kwargs)


def generalized_negative_binomial(mu=1, alpha=1, shape=_Null, dtype=_Null, **kwargs):
    """Negative binomial numbers of mean ``mu`` and dispersion ``alpha``."""
    params = {"mu": mu, "alpha": alpha}
    return _draw("generalized_negative_binomial", params, shape, dtype, kwargs)


def randint(low, high, shape=_Null, dtype=_Null, **kwargs):
    """Integers from ``low`` to before ``high``, all equally likely."""
    return _draw("randint", {"low": low, "high": high}, shape, dtype, kwargs)


def multinomial(data, shape=_Null, get_prob=True, dtype="int32", **kwargs):
    """Positions drawn with the probabilities in the last axis of ``data``."""
    return internal._sample_multinomial(data, shape=shape, get_prob=get_prob, dtype=dtype, **kwargs)


def shuffle(data, **kwargs):
    """The rows of ``data`` in random order."""
    return internal._shuffle(data, **kwargs)
