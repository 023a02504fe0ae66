"""Stores of parameters by key: gradients of several devices are pushed and summed, weights pulled.

>>> store = mx.kv.create("local")
>>> store.init("w", mx.nd.ones(2))
>>> store.push("w", [mx.nd.ones(2), mx.nd.ones(2)])
>>> out = mx.nd.zeros(2)
>>> store.pull("w", out=out)
>>> out
<BLANKLINE>
[2. 2.]
<NDArray 2 @cpu(0)>
"""

import os

from . import _core
from .base import InvalidTypeError, InvalidValueError, _unsupported
from .optimizer import Updater

__all__ = ["KVStore", "create"]


def create(name="local"):
    """Makes a store.

    Parameters
    ----------
    name : str
        ``'local'`` sums in main memory, ``'device'`` on the devices.
    """
    if not isinstance(name, str):
        raise InvalidTypeError(f"name: expected a text, got {name!r}")
    return KVStore(_core.KVStoreHandle(name))


def _pairs(key, value, argument):
    """Keys with their values, from one or a list."""
    if not isinstance(key, (list, tuple)):
        return [(key, value)]
    if not isinstance(value, (list, tuple)) or len(value) != len(key):
        raise InvalidValueError(f"{argument}: expected a list of {len(key)}, one for each key")
    return list(zip(key, value))


def _arrays(value):
    return [value] if isinstance(value, _core.NDArray) else list(value)


class KVStore:
    """A store, made by ``create``. Keys are texts or numbers.

    Functions take a key, or a list of keys with as many values. ``priority`` is taken for MXNet's
    sake: operations run in the order in which they were asked for.
    """

    def __init__(self, handle):
        self._handle = handle
        self._updater = None

    @property
    def type(self):
        """The name by which it is made."""
        return self._handle.kind()

    @property
    def rank(self):
        """The number of this worker among those that share the store."""
        return self._handle.workers()[0]

    @property
    def num_workers(self):
        """How many workers share the store."""
        return self._handle.workers()[1]

    @staticmethod
    def is_capable(capability):
        """True for ``'optimizer'``: the store can update what it holds."""
        return capability.lower() == "optimizer"

    def init(self, key, value):
        """Keeps a copy of a value under a new key."""
        for one, its in _pairs(key, value, "value"):
            self._handle.init(one, _arrays(its)[0])

    def push(self, key, value, priority=0):
        """Sums the arrays, one of each device, and changes the stored value by the sum.

        The optimizer that was set does that; without one the sum takes the value's place.

        Parameters
        ----------
        key : str, int or list of these
        value : NDArray, list of NDArray, or for a list of keys a list of these
        """
        for one, its in _pairs(key, value, "value"):
            self._handle.push(one, _arrays(its))

    def pull(self, key, out=None, priority=0, ignore_sparse=True):
        """Copies the stored value to an array, or to each of a list."""
        if out is None:
            raise InvalidValueError("out: expected an array or a list of arrays, got None")
        for one, its in _pairs(key, out, "out"):
            self._handle.pull(one, _arrays(its))

    def pushpull(self, key, value, out=None, priority=0):
        """Pushes values, and then pulls to ``out``, or to the same arrays without it."""
        outs = _pairs(key, value if out is None else out, "out")
        for (one, its), (_, to) in zip(_pairs(key, value, "value"), outs):
            self._handle.pushpull(one, _arrays(its), _arrays(to))

    def broadcast(self, key, value, out, priority=0):
        """Keeps a copy of a value under a new key, and copies it to each array."""
        self.init(key, value)
        self.pull(key, out, priority)

    def row_sparse_pull(self, key, out=None, priority=0, row_ids=None):
        """Raises an error: all arrays are dense."""
        raise _unsupported("row_sparse_pull: only dense arrays are supported; use pull")

    def set_gradient_compression(self, compression_params):
        """Compresses what is pushed to a store ``'device'`` from now on.

        Parameters
        ----------
        compression_params : dict
            ``{'type': '2bit', 'threshold': 0.5}``.
        """
        if not isinstance(compression_params, dict) or "type" not in compression_params:
            raise InvalidValueError(
                f"compression_params: expected a dict with 'type', got {compression_params!r}"
            )
        attributes = dict(compression_params)
        self._handle.set_compression(attributes.pop("type"), attributes)

    def set_optimizer(self, optimizer):
        """Updates stored values by an optimizer from now on, with new states."""
        if optimizer._is_the_librarys and optimizer.lr_scheduler is None:
            self._updater = None
            self._handle.set_optimizer(optimizer._handle)
        else:
            self._set_updater(_ByKey(optimizer))

    def _set_updater(self, updater):
        """Updates stored values by a function of (key, pushed, stored) from now on."""
        self._updater = updater
        self._handle.set_update(updater)

    def save_optimizer_states(self, fname, dump_optimizer=False):
        """Writes the states of the optimizer to a file.

        Parameters
        ----------
        fname : str
        dump_optimizer : bool
            Write the optimizer too; only for one of one's own, or with a schedule.
        """
        if isinstance(self._updater, _ByKey):
            states = self._updater.get_states(dump_optimizer)
        elif dump_optimizer:
            raise _unsupported("dump_optimizer: the library's optimizer is not written to files")
        else:
            states = self._handle.optimizer_states()
        with open(os.fspath(fname), "wb") as file:
            file.write(states)

    def load_optimizer_states(self, fname):
        """Reads what ``save_optimizer_states`` wrote. A file that is pickled must be trusted."""
        with open(os.fspath(fname), "rb") as file:
            states = file.read()
        if isinstance(self._updater, _ByKey):
            self._updater.set_states(states)
        else:
            self._handle.set_optimizer_states(states)

    def _barrier(self):
        """Waits for the other workers, of which there are none."""


class _ByKey(Updater):
    """An updater of the language, for an optimizer of one's own or with a schedule, by keys."""

    def __call__(self, key, pushed, stored):
        super().__call__(key if isinstance(key, int) else self._number(key), pushed, stored)

    def _number(self, name):
        """The number of the parameter with this name, a free one if none has it."""
        optimizer = self.optimizer
        for number, known in optimizer.idx2name.items():
            if known == name:
                return number
        number = max(optimizer.idx2name, default=-1) + 1
        optimizer._add_names({number: name})
        return number
