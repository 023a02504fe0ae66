"""Checkpoints: a symbol's file and its arrays' file."""

from . import symbol as _symbol
from .base import InvalidValueError
from .context import cpu
from .ndarray import load as _load_arrays
from .ndarray import save as _save_arrays

__all__ = ["load_checkpoint", "load_params", "save_checkpoint"]


def save_checkpoint(prefix, epoch, symbol, arg_params, aux_params, remove_amp_cast=True):
    """Writes ``prefix-symbol.json`` and ``prefix-NNNN.params``, NNNN being the epoch.

    Parameters
    ----------
    prefix : str
    epoch : int
    symbol : Symbol or None
        None leaves its file as it is.
    arg_params, aux_params : dict of str to NDArray
    """
    if symbol is not None:
        symbol.save(f"{prefix}-symbol.json", remove_amp_cast=remove_amp_cast)
    arrays = {f"arg:{name}": array.as_in_context(cpu()) for name, array in arg_params.items()}
    arrays |= {f"aux:{name}": array.as_in_context(cpu()) for name, array in aux_params.items()}
    _save_arrays(f"{prefix}-{epoch:04d}.params", arrays)


def load_params(prefix, epoch):
    """The arrays of a checkpoint: arguments and auxiliary states by name."""
    path = f"{prefix}-{epoch:04d}.params"
    arrays = _load_arrays(path)
    if isinstance(arrays, list):
        if arrays:
            raise InvalidValueError(f"{path}: expected arrays with names, as 'arg:weight'")
        return {}, {}
    parts = {"arg": {}, "aux": {}}
    for key, array in arrays.items():
        kind, _, name = key.partition(":")
        if kind not in parts or not name:
            raise InvalidValueError(f"{path}: expected names as 'arg:weight', got {key!r}")
        parts[kind][name] = array
    return parts["arg"], parts["aux"]


def load_checkpoint(prefix, epoch):
    """Reads what ``save_checkpoint`` of mxr or MXNet wrote: symbol, arguments, auxiliary states."""
    return (_symbol.load(f"{prefix}-symbol.json"), *load_params(prefix, epoch))
