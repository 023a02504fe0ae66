"""Arrays in files, in MXNet's format."""

import os
import tempfile

from .. import _core
from .._core import NDArray
from ..base import InvalidTypeError, MissingFileError, NotFoundError

__all__ = ["load", "load_frombuffer", "save"]


def save(fname, data):
    """Writes arrays to a file. An existing file is replaced only by a whole one.

    Parameters
    ----------
    fname : str or path
    data : NDArray, list of NDArray, or dict of str to NDArray
    """
    fname = os.fspath(fname)
    if isinstance(data, NDArray):
        data = [data]
    if isinstance(data, dict):
        for key in data:
            if not isinstance(key, str):
                raise InvalidTypeError(f"data: expected names to be str, got {key!r}")
        _core.save(fname, list(data), list(data.values()))
    elif isinstance(data, (list, tuple)):
        _core.save(fname, None, data)
    else:
        raise InvalidTypeError(
            f"data: expected an NDArray, a list or a dict of them, got {type(data).__name__}"
        )


def _of(entries):
    if entries and entries[0][0] is not None:
        return dict(entries)
    return [array for _, array in entries]


def load(fname):
    """Reads the arrays of a file: a dict if they have names, else a list; sparse as dense."""
    try:
        return _of(_core.load_list(os.fspath(fname)))
    except NotFoundError as error:
        raise MissingFileError(str(error)) from None


def load_frombuffer(buf):
    """Reads the arrays of a file's bytes."""
    if not isinstance(buf, (bytes, bytearray, memoryview)):
        raise InvalidTypeError(f"buf: expected bytes, got {type(buf).__name__}")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "arrays")
        with open(path, "wb") as file:
            file.write(buf)
        return load(path)
