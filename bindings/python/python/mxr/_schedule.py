"""What learning-rate schedules share."""

from . import _core, registry
from ._made import Made
from .base import InvalidValueError


class Schedule(Made):
    """A learning rate that depends on the number of updates.

    A schedule of one's own derives from ``LRScheduler`` and overrides ``__call__``.
    """

    _maker = _core.LRScheduler

    def _create(self, name, attributes):
        self._make(name, attributes)

    def _remake(self):
        before = self._handle and self._handle.base()
        super()._remake()
        if before is not None:
            self._handle.set_base(before)

    def __getstate__(self):
        return {**super().__getstate__(), "_base": self._handle and self._handle.base()}

    def __setstate__(self, state):
        base = state.pop("_base")
        super().__setstate__(state)
        if base is not None:
            self._handle.set_base(base)

    @property
    def base_lr(self):
        """The learning rate that the schedule starts from after its warm-up."""
        return self._handle.base()

    @base_lr.setter
    def base_lr(self, value):
        if self._handle is None:
            # A class of one's own that begins with nothing else.
            self._make("LRScheduler", {"base_lr": value})
        self._handle.set_base(value)

    @property
    def warmup_final_lr(self):
        """The learning rate at the end of the warm-up."""
        return self.__dict__["base_lr"]

    def get_warmup_lr(self, num_update):
        """The learning rate during the warm-up."""
        if num_update >= self.warmup_steps:
            steps = self.warmup_steps
            raise InvalidValueError(f"num_update: expected less than {steps}, got {num_update}")
        return self._handle.value(num_update)

    def __call__(self, num_update):
        """The learning rate when some parameter has had ``num_update`` updates, and none more."""
        return self._handle.value(num_update)


register = registry.get_register_func(Schedule, "learning-rate schedule")
