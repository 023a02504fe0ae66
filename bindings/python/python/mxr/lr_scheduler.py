"""Learning rates that depend on the number of updates.

>>> schedule = mx.lr_scheduler.FactorScheduler(step=2, factor=0.5, base_lr=1.0)
>>> [schedule(t) for t in range(1, 6)]
[1.0, 1.0, 0.5, 0.5, 0.25]
"""

from ._gen.lr_scheduler import *  # noqa: F403
from ._gen.lr_scheduler import __all__  # noqa: F401
