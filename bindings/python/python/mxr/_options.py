"""How symbols are compiled, as the C interface takes it."""

from ._core import plan_flags
from .base import InvalidTypeError, InvalidValueError
from .context import current_context

__all__ = []

_FLAGS = dict(plan_flags())
REQUESTS = {"null": 0, "write": 1, "inplace": 2, "add": 3}


_PASSES = {
    "fuse": "no_fusion",
    "simplify": "no_simplification",
    "fold": "no_folding",
    "algorithms": "no_algorithms",
    "share": "no_sharing",
    "repeat": "no_repeating",
}


def options(ctx=None, budget=None, **passes):
    """Flags, budget and device of a plan; passes are on unless they are turned off, other flags off."""
    on = {_PASSES.get(name, name): bool(value) != (name in _PASSES) for name, value in passes.items()}
    unknown = [name for name in on if name not in _FLAGS]
    if unknown:
        raise InvalidTypeError(f"there is no option '{unknown[0]}'")
    ctx = current_context() if ctx is None else ctx
    bits = sum(_FLAGS[name] for name, value in on.items() if value)
    return bits, _budget(budget), ctx.device_typeid, ctx.device_id


def _budget(budget):
    if budget is None:
        return 0
    if budget == "least":
        return -1
    if isinstance(budget, bool) or not isinstance(budget, (int, float)) or budget < 1:
        raise InvalidValueError(f"budget: expected bytes, 'least' or None, got {budget!r}")
    return int(budget)


def request(value):
    """The number of a request for a gradient: 'null', 'write' or 'add'."""
    try:
        return REQUESTS[value]
    except (KeyError, TypeError):
        raise InvalidValueError(
            f"grad_req: expected 'write', 'add' or 'null', got {value!r}"
        ) from None


def requests(grad_req, names):
    """Requests by name, and that for other arguments, from a text, a list or a dict."""
    if isinstance(grad_req, str):
        return [], request(grad_req)
    if isinstance(grad_req, (list, tuple)):
        if len(grad_req) != len(names):
            raise InvalidValueError(
                f"grad_req: expected {len(names)}, one for each argument, got {len(grad_req)}"
            )
        grad_req = dict(zip(names, grad_req))
    if isinstance(grad_req, dict):
        return [(name, request(value)) for name, value in grad_req.items()], 0
    raise InvalidTypeError(f"grad_req: expected a text, a list or a dict, got {grad_req!r}")
