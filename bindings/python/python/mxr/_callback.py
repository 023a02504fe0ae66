"""What callbacks share."""

import logging
import time

from . import _core
from ._made import Made


class Callback(Made):
    """Is called after each batch or epoch, and logs what the library says of it.

    It takes a ``mx.model.BatchEndParam``.
    """

    _maker = _core.CallbackHandle

    def _create(self, name, attributes):
        self._make(name, attributes)

    def __call__(self, param):
        """Tells of a batch or an epoch."""
        now = (param.epoch, param.nbatch, time.time())
        if not self._handle.due(*now):
            return
        metric = param.eval_metric
        # Asking for values waits for them.
        told = None if metric is None else metric.get_name_value()
        text, reset, _ = self._handle.call(*now, told)
        for line in text.split("\n") if text else ():
            logging.info("%s", line)
        if reset:
            metric.reset_local()
