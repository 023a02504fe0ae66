"""Devices that hold arrays and compute."""

__all__ = ["Context", "cpu", "cpu_pinned", "gpu", "num_gpus", "gpu_memory_info", "current_context"]

import threading

from . import _core
from .base import DeviceError, InvalidValueError


class _Scope(threading.local):
    current = None


_scope = _Scope()


class Context:
    """A device. As a context manager, the device of new arrays.

    Parameters
    ----------
    device_type : str or Context
        ``'cpu'``, ``'gpu'`` or ``'cpu_pinned'``.
    device_id : int
        Number of the device among those of its type.

    Examples
    --------
    >>> with mx.cpu():
    ...     x = mx.nd.zeros((2, 3))
    """

    __slots__ = ("device_typeid", "device_id", "_old_ctx")
    devtype2str = {1: "cpu", 2: "gpu", 3: "cpu_pinned", 5: "cpu_shared"}
    devstr2type = {"cpu": 1, "gpu": 2, "cpu_pinned": 3, "cpu_shared": 5}

    def __init__(self, device_type, device_id=0):
        if isinstance(device_type, Context):
            self.device_typeid, self.device_id = device_type.device_typeid, device_type.device_id
        elif device_type in self.devstr2type:
            self.device_typeid, self.device_id = self.devstr2type[device_type], device_id
        else:
            names = "', '".join(self.devstr2type)
            raise InvalidValueError(f"device_type: expected one of '{names}', got {device_type!r}")
        self._old_ctx = []

    @property
    def device_type(self):
        """The name of the device's type."""
        return self.devtype2str[self.device_typeid]

    def __hash__(self):
        return hash((self.device_typeid, self.device_id))

    def __eq__(self, other):
        if not isinstance(other, Context):
            return NotImplemented
        return self._pair == other._pair

    def __repr__(self):
        return f"{self.device_type}({self.device_id})"

    def __reduce__(self):
        return Context, (self.device_type, self.device_id)

    @property
    def _pair(self):
        return self.device_typeid, self.device_id

    @property
    def _memory(self):
        """The device whose memory it is: pinned and shared memory is main memory."""
        return (2, self.device_id) if self.device_typeid == 2 else (1, self.device_id)

    def __enter__(self):
        self._old_ctx.append(_scope.current)
        _scope.current = self
        _core.set_device(*self._memory)
        return self

    def __exit__(self, ptype, value, trace):
        old = _scope.current = self._old_ctx.pop()
        _core.set_device(*((0, 0) if old is None else old._memory))

    def empty_cache(self):
        """Returns memory that is kept for later use to the system."""
        _core.memory_trim()


_DEFAULT = Context("cpu", 0)


def cpu(device_id=0):
    """The main memory and its processors."""
    return Context("cpu", device_id)


def cpu_pinned(device_id=0):
    """Main memory that a GPU can read; here the same as ``cpu()``."""
    return Context("cpu_pinned", device_id)


def gpu(device_id=0):
    """A CUDA device."""
    return Context("gpu", device_id)


def num_gpus():
    """Number of CUDA devices that can be used."""
    return 0


def gpu_memory_info(device_id=0):
    """Free and total memory of a CUDA device, in bytes."""
    raise DeviceError(f"there is no device gpu({device_id})")


def current_context():
    """The device of new arrays on this thread."""
    return _DEFAULT if _scope.current is None else _scope.current


def _of(pair):
    """The device that an array says it is on."""
    return _DEFAULT if pair == (1, 0) else Context(Context.devtype2str[pair[0]], pair[1])


def _device(ctx):
    """The device's (kind, id) for a call, from a device, its name, or None for the current one."""
    if ctx is None:
        return current_context()._memory
    if isinstance(ctx, str):
        name, _, number = ctx.rstrip(")").partition("(")
        ctx = Context(name, int(number or 0))
    return ctx._memory
