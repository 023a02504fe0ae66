"""What data iterators share."""

from collections import namedtuple

import numpy as np

from . import _core, _dtype
from .base import InvalidTypeError
from .ndarray import array


class DataDesc(namedtuple("DataDesc", ["name", "shape"])):
    """What a batch has under a name: a pair of name and shape.

    Attributes
    ----------
    dtype : type
    layout : str
        What the axes are, ``N`` that of the batch.
    """

    def __new__(cls, name, shape, dtype=np.float32, layout="NCHW"):
        desc = super().__new__(cls, name, tuple(shape))
        desc.dtype, desc.layout = dtype, layout
        return desc

    def __repr__(self):
        return f"DataDesc[{self.name},{self.shape},{self.dtype},{self.layout}]"

    @staticmethod
    def get_batch_axis(layout):
        """The axis of the batch; 0 without a layout."""
        return 0 if layout is None else layout.find("N")

    @staticmethod
    def get_list(shapes, types):
        """Descriptions, from pairs of name and shape and pairs of name and type."""
        types = dict(types or {})
        return [DataDesc(name, shape, *([types[name]] if types else [])) for name, shape in shapes]


class DataBatch:
    """Arrays for one step.

    Parameters
    ----------
    data, label : list of NDArray
    pad : int, optional
        How many examples, the last ones, only fill the batch up.
    index : numpy.ndarray, optional
        Numbers of the examples in their source.
    bucket_key, provide_data, provide_label : optional
        What the arrays are, for who has batches of several kinds.
    """

    def __init__(
        self,
        data,
        label=None,
        pad=None,
        index=None,
        bucket_key=None,
        provide_data=None,
        provide_label=None,
    ):
        for name, arrays in (("data", data), ("label", label)):
            if arrays is not None and not isinstance(arrays, (list, tuple)):
                raise InvalidTypeError(
                    f"{name}: expected a list of arrays, got {type(arrays).__name__}"
                )
        self.data, self.label, self.pad, self.index = data, label, pad, index
        self.bucket_key = bucket_key
        self.provide_data, self.provide_label = provide_data, provide_label

    def __str__(self):
        shapes = [[array.shape for array in arrays or []] for arrays in (self.data, self.label)]
        return f"{type(self).__name__}: data shapes: {shapes[0]} label shapes: {shapes[1]}"


class DataIter:
    """Gives one batch after the other.

    An iterator of one's own has ``provide_data`` and ``provide_label``, lists of ``DataDesc``, and
    overrides ``reset`` and ``next``, or ``iter_next``, ``getdata``, ``getlabel`` and ``getpad``.

    Parameters
    ----------
    batch_size : int
    """

    def __init__(self, batch_size=0):
        self.batch_size = batch_size

    def __iter__(self):
        return self

    def reset(self):
        """Begins the next epoch."""

    def next(self):
        """The next batch; raises StopIteration at the end of the epoch."""
        if not self.iter_next():
            raise StopIteration
        return DataBatch(self.getdata(), self.getlabel(), self.getpad(), self.getindex())

    def __next__(self):
        return self.next()

    def iter_next(self):
        """Goes to the next batch; False at the end of the epoch."""
        raise NotImplementedError(f"{type(self).__name__} must override next or iter_next")

    def getdata(self):
        """The data of the batch."""
        raise NotImplementedError(f"{type(self).__name__} must override next or getdata")

    def getlabel(self):
        """The labels of the batch."""
        raise NotImplementedError(f"{type(self).__name__} must override next or getlabel")

    def getindex(self):
        """Numbers of the batch's examples in their source, if they are known."""
        return None

    def getpad(self):
        """How many examples of the batch only fill it up."""
        raise NotImplementedError(f"{type(self).__name__} must override next or getpad")


class MXDataIter(DataIter):
    """An iterator of the library."""

    def _create(self, name, attributes, data=None, label=None):
        sources = (_named(data, "data"), _named(label, "label"))
        self._take(_core.DataIterHandle(name, attributes, *sources, []))

    def _take(self, handle):
        self._handle = handle
        super().__init__(handle.batch_size())
        self._descs = [[_desc(*row) for row in handle.descs(labels)] for labels in (False, True)]

    @property
    def provide_data(self):
        """What the data of a batch are."""
        return list(self._descs[0])

    @property
    def provide_label(self):
        """What the labels of a batch are."""
        return list(self._descs[1])

    def reset(self):
        """Begins the next epoch."""
        self._handle.reset(False)

    def hard_reset(self):
        """Begins as if nothing had been read: nothing is carried over from the last epoch."""
        self._handle.reset(True)

    def iter_next(self):
        """Goes to the next batch; False at the end of the epoch."""
        return self._handle.next()

    def getdata(self):
        """The data of the batch, in the order of ``provide_data``."""
        return self._handle.arrays(False, len(self._descs[0]))

    def getlabel(self):
        """The labels of the batch, in the order of ``provide_label``."""
        return self._handle.arrays(True, len(self._descs[1]))

    def getpad(self):
        """How many examples of the batch, the last ones, only fill it up."""
        return self._handle.pad()

    def getindex(self):
        """Numbers of the batch's examples in their source."""
        return np.array(self._handle.index(), dtype=np.int64)


def _desc(name, shape, code, layout):
    return DataDesc(name, shape, _dtype.type_of(code), layout)


def rows(descs):
    """Descriptions, or tuples that stand for them, as the library takes them."""
    descs = [d if isinstance(d, DataDesc) else DataDesc(*d) for d in descs or []]
    return [
        (d.name, list(d.shape), _dtype.code_of(d.dtype), "NCHW" if d.layout is None else d.layout)
        for d in descs
    ]


def _named(given, argument):
    """Arrays with their names or None, from one, a list or a dict."""
    if given is None:
        return []
    if isinstance(given, dict):
        named = list(given.items())
    elif isinstance(given, (list, tuple)):
        named = [(None, one) for one in given]
    else:
        named = [(None, given)]
    for name, one in named:
        if not hasattr(one, "shape"):
            what = argument if name is None else f"{argument} '{name}'"
            raise InvalidTypeError(
                f"{what}: expected an NDArray or numpy.ndarray, got {type(one).__name__}"
            )
    return [(n, a if isinstance(a, _core.NDArray) else array(a)) for n, a in named]
