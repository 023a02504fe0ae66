"""Monitors: what operators give and variables hold, in numbers, every so many batches.

>>> monitor = mx.mon.Monitor(100, pattern=".*weight|.*output")
>>> module.fit(batches, num_epoch=1, monitor=monitor)
"""

import logging
import re

from .ndarray import NDArray, norm

__all__ = ["Monitor"]


def _root_mean_square(array):
    return norm(array) / array.size**0.5


class Monitor:
    """Says something of each operator's outputs, and of the variables.

    Parameters
    ----------
    interval : int
        Batches from one look to the next.
    stat_func : callable, optional
        Says of an array an array, or a list of arrays, that is shown; the root of the elements'
        mean square if not given.
    pattern : str
        A regular expression that names must begin with.
    sort : bool
        Sort by name; otherwise operators come in the order in which they ran.
    monitor_all : bool
        Look at variables before a run too.
    """

    def __init__(self, interval, stat_func=None, pattern=".*", sort=False, monitor_all=False):
        self.interval, self.sort, self.monitor_all = interval, sort, monitor_all
        self.stat_func = stat_func or _root_mean_square
        self.re_prog = re.compile(pattern)
        self.activated, self.step = False, 0
        self.queue, self.exes = [], []

    def install(self, exe):
        """Looks at an executor, too."""
        exe.set_monitor_callback(self.stat_helper, self.monitor_all)
        self.exes.append(exe)

    def stat_helper(self, name, array):
        """Notes an array if its name is asked for."""
        if self.activated and self.re_prog.match(name):
            self.queue.append((self.step, name, self.stat_func(array)))

    def tic(self):
        """Begins to look if it is time, before a batch runs."""
        if self.step % self.interval == 0:
            self.queue, self.activated = [], True
        self.step += 1

    def toc(self):
        """What was seen since ``tic``: a list of tuples of batch, name and text."""
        if not self.activated:
            return []
        for exe in self.exes:
            for name, array in {**exe.arg_dict, **exe.aux_dict}.items():
                self.stat_helper(name, array)
        self.activated = False
        seen = sorted(self.queue, key=lambda each: each[1]) if self.sort else self.queue
        self.queue = []
        return [(step, name, _shown(value)) for step, name, value in seen]

    def toc_print(self):
        """Logs what was seen."""
        for step, name, text in self.toc():
            logging.info("Batch: %7d %-30s %s", step, name, text)


def _shown(value):
    values = [value] if isinstance(value, NDArray) else value
    texts = (v.asscalar() if v.shape == (1,) else v.asnumpy() for v in values)
    return "".join(f"{text}\t" for text in texts)
