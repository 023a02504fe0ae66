"""Files of records, RecordIO, which MXNet's data sets are kept in.

>>> import os, tempfile
>>> path = os.path.join(tempfile.mkdtemp(), "few.rec")
>>> writer = mx.recordio.MXRecordIO(path, "w")
>>> writer.write(mx.recordio.pack(mx.recordio.IRHeader(0, 4.0, 17, 0), b"an image"))
>>> writer.close()
>>> header, data = mx.recordio.unpack(mx.recordio.MXRecordIO(path, "r").read())
>>> header.label, header.id, data
(4.0, 17, b'an image')

Images are bytes here: those of a file are packed as they are, and decoded by another library.
"""

import collections
import numbers
import os

import numpy as np

from . import _core
from .base import InvalidTypeError, InvalidValueError

__all__ = ["IRHeader", "MXIndexedRecordIO", "MXRecordIO", "pack", "unpack"]


class MXRecordIO:
    """A file of records, one after the other.

    Parameters
    ----------
    uri : str or PathLike
        The file.
    flag : str
        ``"r"`` to read it, ``"w"`` to write it anew.
    """

    def __init__(self, uri, flag):
        self.uri, self.flag = os.fspath(uri), flag
        self.is_open = False
        self.open()

    def open(self):
        """Opens the file before its first record; one that is written becomes empty."""
        if self.flag not in ("r", "w"):
            raise InvalidValueError(f"flag: expected 'r' or 'w', got {self.flag!r}")
        self.writable = self.flag == "w"
        self._file = self._opened(_core.RecordWriter if self.writable else _core.RecordReader)
        self.pid = os.getpid()
        self.is_open = True

    def _opened(self, kind):
        return kind(self.uri)

    def __del__(self):
        if getattr(self, "is_open", False) and self.pid == os.getpid():
            self.close()

    def __getstate__(self):
        is_open = self.is_open
        self.close()
        return {**self.__dict__, "is_open": is_open}

    def __setstate__(self, state):
        self.__dict__.update(state)
        if self.is_open:
            self.open()

    def close(self):
        """Closes the file; what was written is then there."""
        if self.is_open:
            self.is_open = False
            file, self._file = self._file, None
            if self.writable:
                file.flush()

    def reset(self):
        """Goes to the first record; a file that is written becomes empty."""
        self.close()
        self.open()

    def write(self, buf):
        """Appends a record, bytes."""
        self._for(writing=True).write(None, buf)

    def read(self):
        """The next record as bytes; None at the end of the file."""
        return self._for(writing=False).read()

    def _for(self, writing, reopen=False):
        """The file, if it is open for this and belongs to this process."""
        if not self.is_open:
            raise InvalidValueError(f"the file {self.uri!r} is closed")
        if self.writable != writing:
            raise InvalidValueError(f"the file {self.uri!r} was opened with the flag {self.flag!r}")
        if self.pid != os.getpid():
            if not reopen:
                raise RuntimeError(f"another process opened the file {self.uri!r}: call reset() first")
            self.is_open = False
            self.open()
        return self._file


class MXIndexedRecordIO(MXRecordIO):
    """A file of records that are found by their keys.

    Parameters
    ----------
    idx_path : str or PathLike
        The index: a line for each record, with its key and where it begins.
    uri : str or PathLike
        The file.
    flag : str
        ``"r"`` to read it, ``"w"`` to write it anew.
    key_type : callable
        Makes a key from its text.
    """

    def __init__(self, idx_path, uri, flag, key_type=int):
        self.idx_path, self.key_type = os.fspath(idx_path), key_type
        super().__init__(uri, flag)

    def open(self):
        """Opens the file before its first record; one that is written becomes empty."""
        super().open()
        known = [] if self.writable else self._file.index()
        #: The keys in the order of the index.
        self.keys = [self.key_type(key) for key, _ in known]
        #: Where the record of each key begins.
        self.idx = dict(zip(self.keys, (position for _, position in known)))

    def _opened(self, kind):
        return kind(self.uri, self.idx_path)

    def seek(self, idx):
        """Goes to the record of a key."""
        self._for(writing=False, reopen=True).seek(self.idx[idx])

    def tell(self):
        """Where the next record will begin."""
        return self._for(writing=True).position()

    def read_idx(self, idx):
        """The record of a key."""
        self.seek(idx)
        return self.read()

    def write_idx(self, idx, buf):
        """Appends a record with a key."""
        key, position = self.key_type(idx), self.tell()
        self._for(writing=True).write(str(key), buf)
        self.idx[key] = position
        self.keys.append(key)


IRHeader = collections.namedtuple("HEADER", ["flag", "label", "id", "id2"])
IRHeader.__doc__ = """What a record is labelled with.

Parameters
----------
flag : int
    The number of labels that are a list, else 0; ``pack`` finds it itself.
label : float or array
    The label, or the labels.
id : int
    The record's number.
id2 : int
    The upper bits of its number, mostly 0.
"""


def pack(header, s):
    """A record of a header and bytes."""
    _, label, number, upper = header
    labels = None
    if not isinstance(label, numbers.Number):
        labels = np.asarray(label, dtype=np.float32).ravel().tolist()
        label = 0
    return _core.record_pack(label, labels, number, upper, s)


def unpack(s):
    """The header and the bytes of a record. Labels that are a list are an array of ``float32``."""
    if not isinstance(s, (bytes, bytearray, memoryview)):
        raise InvalidTypeError(f"s: expected bytes, got {type(s).__name__}")
    label, labels, number, upper, begin = _core.record_unpack(s)
    if labels is not None:
        label = np.array(labels, dtype=np.float32)
    return IRHeader(len(labels or ()), label, number, upper), s[begin:]
