"""Models in files: MXNet's checkpoints, a symbol's file and its arrays' file; mxr's own, all in one."""

import os
from typing import NamedTuple

from . import _core, _dtype
from . import symbol as _symbol
from .base import InvalidTypeError, InvalidValueError, MissingFileError, NotFoundError
from .context import cpu
from .ndarray import load as _load_arrays
from .ndarray import save as _save_arrays

__all__ = [
    "BatchEndParam",
    "Input",
    "Model",
    "load_checkpoint",
    "load_model",
    "load_params",
    "save_checkpoint",
    "save_model",
]


class BatchEndParam(NamedTuple):
    """What callbacks are told after a batch."""

    #: The epoch and the batch, from 0.
    epoch: int
    nbatch: int
    eval_metric: object
    #: The local variables of the caller.
    locals: dict


class Input(NamedTuple):
    """What a user gives to a model."""

    name: str
    #: None if it may be any; -1 for an axis of any size.
    shape: tuple | None = None
    dtype: object = "float32"
    #: True for what only training needs.
    label: bool = False


class Model(NamedTuple):
    """What a model file holds."""

    symbol: object
    #: Arrays by the names of arguments.
    arg_params: dict
    #: Arrays by the names of auxiliary states.
    aux_params: dict
    #: The arguments that have no array.
    inputs: list
    #: The user's own texts.
    metadata: dict


def save_model(path, symbol, arg_params=None, aux_params=None, inputs=(), metadata=None):
    """Writes a model to one file, which any reader of safetensors opens and which mxr maps.

    Parameters
    ----------
    path : str or path
        By custom it ends in ``.safetensors``. An existing file is replaced only by a whole one.
    symbol : Symbol
    arg_params, aux_params : dict of str to NDArray
        Arguments without an array are the model's inputs; no auxiliary state may be missing.
    inputs : sequence of Input
        What is known of inputs beyond what the graph tells; a tuple of the first fields does.
    metadata : dict of str to str
        The user's own texts: names of classes, a licence.

    >>> mx.save_model("net.safetensors", net, args, auxs, [("data", (-1, 3, 224, 224))])
    """
    if not isinstance(symbol, _symbol.Symbol):
        raise InvalidTypeError(f"symbol: expected a Symbol, got {type(symbol).__name__}")
    arrays = {f"arg:{name}": array for name, array in (arg_params or {}).items()}
    arrays |= {f"aux:{name}": array for name, array in (aux_params or {}).items()}
    known = [Input(*given) for given in inputs]
    _core.save_model(
        os.fspath(path),
        symbol._handle,
        list(arrays),
        list(arrays.values()),
        [(i.name, i.shape, _dtype.code_of(i.dtype), i.label) for i in known],
        list((metadata or {}).items()),
    )


def load_model(path, copy=False):
    """Opens a model file. Its arrays stay in the file until they are written to, which never changes it.

    Parameters
    ----------
    path : str or path
    copy : bool
        Read the file at once, for when another program may shorten it while it is open.

    Returns
    -------
    Model
    """
    try:
        handle, arrays, inputs, texts = _core.load_model(os.fspath(path), bool(copy))
    except NotFoundError as error:
        if os.path.exists(path):
            raise
        raise MissingFileError(str(error)) from None
    parts = {"arg": {}, "aux": {}}
    for key, array in arrays:
        kind, _, name = key.partition(":")
        parts[kind][name] = array
    known = [Input(name, shape, _dtype.type_of(code), label) for name, shape, code, label in inputs]
    metadata = dict(zip(texts[::2], texts[1::2]))
    return Model(_symbol.Symbol(handle), parts["arg"], parts["aux"], known, metadata)


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
    save_arrays(f"{prefix}-{epoch:04d}.params", arg_params, aux_params)


def save_arrays(path, arg_params, aux_params):
    """Writes arguments and auxiliary states to a file, as checkpoints have them."""
    arrays = {f"arg:{name}": array.as_in_context(cpu()) for name, array in arg_params.items()}
    arrays |= {f"aux:{name}": array.as_in_context(cpu()) for name, array in aux_params.items()}
    _save_arrays(path, arrays)


def load_params(prefix, epoch):
    """The arrays of a checkpoint: arguments and auxiliary states by name."""
    return load_arrays(f"{prefix}-{epoch:04d}.params")


def load_arrays(path):
    """Reads arguments and auxiliary states by name."""
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


def load_checkpoint(prefix, epoch=None):
    """Reads what ``save_checkpoint`` of mxr or MXNet wrote: symbol, arguments, auxiliary states.

    A ``prefix`` that is a file is one of ``save_model``, which knows no epochs.
    """
    if os.path.isfile(prefix):
        return tuple(load_model(prefix)[:3])
    if epoch is None:
        raise InvalidValueError(f"epoch: expected a number, since there is no file {prefix}")
    return (_symbol.load(f"{prefix}-symbol.json"), *load_params(prefix, epoch))


def __getattr__(name):
    # It is made of modules, which read and write files by this one.
    if name == "FeedForward":
        from .module.feed_forward import FeedForward

        return FeedForward
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
