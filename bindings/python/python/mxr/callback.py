"""Callbacks: what is said and done while a model is trained.

>>> module.fit(batches, num_epoch=2, batch_end_callback=mx.callback.Speedometer(32))
"""

from . import _core
from ._gen.callback import *  # noqa: F403
from ._gen.callback import __all__ as _classes
from .model import save_checkpoint

__all__ = ["do_checkpoint", "module_checkpoint", *_classes]


def do_checkpoint(prefix, period=1):
    """A callback for the end of epochs, which writes a checkpoint every ``period`` epochs.

    Parameters
    ----------
    prefix : str
        What the names of the files begin with.
    period : int
    """
    wanted = _every(prefix, period)

    def write(iter_no, sym, arg, aux):
        if wanted(iter_no):
            save_checkpoint(prefix, iter_no + 1, sym, arg, aux)

    return write


def module_checkpoint(mod, prefix, period=1, save_optimizer_states=False):
    """A callback for the end of epochs, by which a module writes checkpoints.

    Parameters
    ----------
    mod : Module
    prefix : str
        What the names of the files begin with.
    period : int
        Epochs from one checkpoint to the next.
    save_optimizer_states : bool
        Write the states of the optimizer too.
    """
    wanted = _every(prefix, period)

    def write(iter_no, sym=None, arg=None, aux=None):
        if wanted(iter_no):
            mod.save_checkpoint(prefix, iter_no + 1, save_optimizer_states)

    return write


def _every(prefix, period):
    handle = _core.CallbackHandle("do_checkpoint", {"prefix": prefix, "period": period})

    def wanted(epoch):
        return handle.due(epoch, 0, 0.0) and handle.call(epoch, 0, 0.0, None)[2]

    return wanted
