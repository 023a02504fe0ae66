"""Optimizers: how weights change by their gradients.

>>> weight, grad = mx.nd.ones(2), mx.nd.ones(2)
>>> update = mx.optimizer.get_updater(mx.optimizer.SGD(learning_rate=0.5))
>>> update(0, grad, weight)
>>> weight
<BLANKLINE>
[0.5 0.5]
<NDArray 2 @cpu(0)>
"""

from . import optimizer
from .optimizer import *  # noqa: F403
from .optimizer import __all__ as _names

__all__ = ["optimizer", *_names]
