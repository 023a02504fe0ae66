"""Errors, and what the other modules share."""

__all__ = ["MXNetError", "MXRError", "string_types", "numeric_types", "integer_types"]

import numpy as np

from . import _core

string_types = (str,)
numeric_types = (float, int, np.generic)
integer_types = (int, np.integer)


class _NullType:
    """Stands for a value that was not given."""

    def __repr__(self):
        return "<no value>"

    def __bool__(self):
        return False

    def __reduce__(self):
        return "_Null"


_Null = _NullType()


class MXRError(RuntimeError):
    """A failure that mxr reports.

    Attributes
    ----------
    code : int
        The kind of failure, as the C interface numbers it.
    operator : str or None
        The operator that failed.
    argument : str or None
        The argument that the failure is about.
    """

    code = 0
    operator = None
    argument = None


MXNetError = MXRError


def _kind(name, *bases, doc):
    return type(name, (MXRError, *bases), {"__doc__": doc, "__module__": __name__})


InvalidValueError = _kind("InvalidValueError", ValueError, doc="An argument has a wrong value.")
InvalidTypeError = _kind("InvalidTypeError", TypeError, doc="An argument is of a wrong kind.")
ShapeError = _kind("ShapeError", ValueError, doc="Shapes do not fit.")
DTypeError = _kind("DTypeError", TypeError, doc="Data types do not fit.")
OutOfRangeError = _kind("OutOfRangeError", IndexError, doc="An index lies outside its axis.")
NotFoundError = _kind("NotFoundError", KeyError, doc="Nothing has this name.")
ClosedError = _kind("ClosedError", ValueError, doc="The object was closed.")
NoMemoryError = _kind("NoMemoryError", MemoryError, doc="Memory could not be had.")
UnsupportedError = _kind("UnsupportedError", NotImplementedError, doc="This is not supported.")
FileError = _kind("FileError", OSError, doc="Reading or writing a file failed.")
MissingFileError = _kind("MissingFileError", FileNotFoundError, doc="There is no such file.")
FormatError = _kind("FormatError", ValueError, doc="Bytes do not follow their format.")
AutogradError = _kind("AutogradError", doc="Automatic differentiation was misused.")
VersionError = _kind("VersionError", ImportError, doc="Versions do not go together.")
DeviceError = _kind("DeviceError", doc="The device is missing or cannot be used.")
InternalError = _kind("InternalError", doc="A fault in mxr itself.")
CallbackError = _kind("CallbackError", doc="A function of the caller's failed.")

# KeyError shows the representation of its argument; a message is to be read.
NotFoundError.__str__ = RuntimeError.__str__

# By the codes of the C interface, from 1.
_CLASSES = (
    InvalidValueError,
    InvalidTypeError,
    ShapeError,
    DTypeError,
    OutOfRangeError,
    NotFoundError,
    ClosedError,
    NoMemoryError,
    UnsupportedError,
    FileError,
    FormatError,
    MXRError,
    AutogradError,
    VersionError,
    DeviceError,
    InternalError,
    CallbackError,
)


def _make_error(code, message, operator, argument):
    error = (_CLASSES[code - 1] if 0 < code <= len(_CLASSES) else MXRError)(message)
    error.code, error.operator, error.argument = code, operator, argument
    return error


def _unsupported(message):
    """The error for what this package does not do."""
    return _make_error(9, message, None, None)


_STYPES = ("default", "row_sparse", "csr")


def _dense_only(stype, argument="stype"):
    """Refuses every way of storing elements but the dense one, the only one that there is."""
    if stype in _STYPES[1:]:
        message = f"{argument}: expected 'default', got {stype!r}: only dense arrays are supported"
        raise _make_error(9, message, None, argument)
    if stype not in (None, "default"):
        message = f"{argument}: expected 'default', 'row_sparse' or 'csr', got {stype!r}"
        raise _make_error(1, message, None, argument)


_core.set_error_factory(_make_error)
_core.set_no_value(_Null)
