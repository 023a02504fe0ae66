"""Plans: what a symbol takes and does when it is compiled, known without running it."""

from ._core import PlanHandle
from ._dtype import code_of
from ._options import options, requests

__all__ = ["Plan", "plan"]


class Plan:
    """A compiled symbol.

    Attributes
    ----------
    peak_bytes : int
        Activations, their gradients and workspaces at their peak, outputs included.
    parameter_bytes : int
        Parameters and other variables, and the gradients that are asked for.
    unplanned_bytes : int
        ``peak_bytes`` if every value had memory of its own.
    arena_bytes, workspace_bytes : int
        The memory that activations share, and the largest workspace of an operator.
    flops, again_flops : int
        Floating-point operations, and those of them that are repeated to save memory.
    steps : int
        Kernel calls.
    choices : list of str
        What the compiler chose to do that changes rounding, or that repeats operators.
    """

    def __init__(self, handle):
        self._handle = handle
        (
            self.peak_bytes,
            self.parameter_bytes,
            self.unplanned_bytes,
            self.arena_bytes,
            self.workspace_bytes,
            self.flops,
            self.again_flops,
            self.steps,
        ) = handle.report()
        self.choices = handle.choices()

    def __str__(self):
        return self._handle.text()

    def __repr__(self):
        return f"<Plan of {self.steps} steps, {self.peak_bytes} bytes at the peak>"


def known(symbol, grad, type_dict, shapes):
    """What is known of a symbol's variables, as the C interface takes it."""
    if grad is True:
        named, others = [(name, 0) for name in shapes], 1
    elif grad is False or grad is None:
        named, others = [], 0
    else:
        named, others = requests(grad, symbol.list_arguments())
    dtypes = [(name, code_of(dtype)) for name, dtype in (type_dict or {}).items()]
    shapes = [(name, tuple(d if d > 0 else -1 for d in s)) for name, s in shapes.items()]
    return shapes, dtypes, named, others


def plan(symbol, grad=True, budget=None, ctx=None, type_dict=None, passes=None, **shapes):
    """Compiles a symbol, without running it or taking memory.

    Parameters
    ----------
    symbol : Symbol
    grad : bool, str, list or dict
        True for training with gradients of all arguments whose shapes are not given, or what
        ``grad_req`` is for ``simple_bind``; False for prediction.
    budget : int or 'least'
        Bytes that ``peak_bytes`` may be: results are computed again instead of being kept, with
        the least extra work that is found.
    ctx : Context
    type_dict : dict of str to dtype
    passes : dict of str to bool
        ``fuse``, ``simplify``, ``fold``, ``share`` and ``repeat`` turn passes off; ``mirror``
        repeats all cheap operators.
    shapes : tuple of int
        Shapes of data and labels, by name.

    >>> net = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=10)
    >>> mx.plan(net, data=(32, 100)).parameter_bytes
    20880
    """
    training = bool(grad)
    chosen = options(ctx, budget, training=training, **(passes or {}))
    return Plan(PlanHandle(symbol._handle, known(symbol, grad, type_dict, shapes), chosen))
