"""Data iterators: batches for training and prediction, from arrays and from files.

>>> batches = mx.io.NDArrayIter(mx.nd.arange(5), batch_size=2)
>>> [(batch.data[0].asnumpy().tolist(), batch.pad) for batch in batches]
[([0.0, 1.0], 0), ([2.0, 3.0], 0), ([4.0, 0.0], 1)]
"""

from concurrent.futures import ThreadPoolExecutor

from . import _core
from ._gen.io import *  # noqa: F403
from ._gen.io import __all__ as _classes
from ._io import DataBatch, DataDesc, DataIter, MXDataIter, rows
from .base import InvalidTypeError, InvalidValueError

__all__ = [
    "DataBatch",
    "DataDesc",
    "DataIter",
    "MXDataIter",
    "PrefetchingIter",
    "ResizeIter",
    *_classes,
]


class PrefetchingIter(MXDataIter):
    """The batches of other iterators, side by side, the next of which a thread makes meanwhile.

    Parameters
    ----------
    iters : DataIter or list of DataIter
    rename_data, rename_label : list of dict of str to str, optional
        New names of data and labels, by the old ones, for each iterator.
    """

    def __init__(self, iters, rename_data=None, rename_label=None):
        self.iters = _iterators(iters, "iters")
        if not self.iters:
            raise InvalidValueError("iters: expected at least one iterator, got none")
        names = {
            "rename_data": _renamed([i.provide_data for i in self.iters], rename_data),
            "rename_label": _renamed([i.provide_label for i in self.iters], rename_label),
        }
        if all(isinstance(i, MXDataIter) for i in self.iters):
            handles = [i._handle for i in self.iters]
            self._take(_core.DataIterHandle("PrefetchingIter", names, [], [], handles))
        else:
            self._take(_Ahead(self.iters, names))


class ResizeIter(MXDataIter):
    """An iterator with another number of batches in an epoch: it begins again where it ends early.

    Parameters
    ----------
    data_iter : DataIter
    size : int
        Number of batches in an epoch.
    reset_internal : bool
        Begin the iterator again with every epoch.
    """

    def __init__(self, data_iter, size, reset_internal=True):
        [self.data_iter] = _iterators(data_iter, "data_iter")
        self.size, self.reset_internal = size, reset_internal
        if isinstance(data_iter, MXDataIter):
            attributes = {"size": size, "reset_internal": reset_internal}
            handle = data_iter._handle
            self._take(_core.DataIterHandle("ResizeIter", attributes, [], [], [handle]))
        else:
            self._take(_Resized(data_iter, size, reset_internal))


def _iterators(given, argument):
    iters = list(given) if isinstance(given, (list, tuple)) else [given]
    for one in iters:
        if not hasattr(one, "provide_data"):
            raise InvalidTypeError(f"{argument}: expected a DataIter, got {type(one).__name__}")
    return iters


def _renamed(descs, renamed):
    if renamed is None:
        return None
    pairs = zip(descs, renamed)
    return [names.get(name, name) for part, names in pairs for name, _ in part or []]


class _Own:
    """Stands for a handle of the library, over iterators that are classes of one's own."""

    def __init__(self, iters, names):
        self._iters, self._names, self._batches = iters, names, None

    def descs(self, labels):
        lists = (i.provide_label if labels else i.provide_data for i in self._iters)
        found = [row for descs in lists for row in rows(descs)]
        names = self._names["rename_label" if labels else "rename_data"]
        return found if names is None else [(n, *row[1:]) for n, row in zip(names, found)]

    def batch_size(self):
        return self._iters[0].batch_size

    def arrays(self, labels, n):
        lists = (batch.label if labels else batch.data for batch in self._batches)
        return [array for arrays in lists for array in arrays or []][:n]

    def pad(self):
        return self._batches[0].pad or 0

    def index(self):
        index = self._batches[0].index
        return [] if index is None else index


class _Resized(_Own):
    def __init__(self, data_iter, size, reset_internal):
        super().__init__([data_iter], {"rename_data": None, "rename_label": None})
        self._size, self._reset_internal, self._given = size, reset_internal, 0

    def next(self):
        if self._given == self._size:
            return False
        [iterator] = self._iters
        batch = next(iterator, None)
        if batch is None:
            iterator.reset()
            batch = next(iterator, None)
        if batch is None:
            raise InvalidValueError("data_iter: expected an iterator that gives batches")
        self._batches, self._given = [batch], self._given + 1
        return True

    def reset(self, hard):
        self._given = 0
        if self._reset_internal:
            self._iters[0].reset()


class _Ahead(_Own):
    def __init__(self, iters, names):
        super().__init__(iters, names)
        self._pool = ThreadPoolExecutor(1, "mxr-prefetch")
        self._coming = None

    def _begin(self):
        self._coming = self._pool.submit(lambda: [next(i, None) for i in self._iters])

    def next(self):
        if self._coming is None:
            self._begin()
        batches = self._coming.result()
        ended = [batch is None for batch in batches]
        if all(ended):
            return False
        if any(ended) or len({batch.pad for batch in batches}) > 1:
            raise InvalidValueError("iters: expected iterators of as many examples each")
        self._batches = batches
        self._begin()
        return True

    def reset(self, hard):
        if self._coming is not None:
            self._coming.result()
        for iterator in self._iters:
            iterator.reset()
        self._coming = None
