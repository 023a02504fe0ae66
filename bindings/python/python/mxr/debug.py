"""Looking inside the compiler: the graph after each pass, as text and as a picture."""

import os
from collections import namedtuple

from ._core import PlanHandle
from ._options import options
from ._plan import known

__all__ = ["Pass", "passes", "print_passes", "save_pictures"]

#: A pass's name, the graph behind it as text, and as a picture in the language of Graphviz.
Pass = namedtuple("Pass", "name text dot")


def passes(symbol, grad=False, budget=None, type_dict=None, **shapes):
    """The graph after each pass of compiling, the first as it comes from the symbol.

    The arguments are those of ``mx.plan``.
    """
    chosen = options(None, budget, training=bool(grad), keep_passes=True)
    handle = PlanHandle(symbol._handle, known(symbol, grad, type_dict, shapes), chosen)
    flat = handle.passes()
    return [Pass(*flat[i : i + 3]) for i in range(0, len(flat), 3)]


def print_passes(symbol, grad=False, budget=None, type_dict=None, file=None, **shapes):
    """Prints the graph after each pass that changed it."""
    before = None
    for step in passes(symbol, grad, budget, type_dict, **shapes):
        changed = "" if step.text != before else " (nothing changed)"
        print(f"== {step.name}{changed}", file=file)
        if not changed:
            print(step.text, file=file)
        before = step.text


def save_pictures(symbol, folder, grad=False, budget=None, type_dict=None, **shapes):
    """Writes a picture of the graph after each pass to ``folder``: ``dot -Tsvg`` draws them.

    Returns
    -------
    list of str
        The files.
    """
    os.makedirs(folder, exist_ok=True)
    files = []
    for i, step in enumerate(passes(symbol, grad, budget, type_dict, **shapes)):
        path = os.path.join(folder, f"{i:02d}-{step.name.replace(' ', '-')}.dot")
        with open(path, "w", encoding="utf-8") as file:
            file.write(step.dot)
        files.append(path)
    return files
