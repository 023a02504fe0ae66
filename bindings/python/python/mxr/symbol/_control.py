"""Loops and branches in symbols.

A function of the user composes the body in a scope of its own, ``__subgraph_name__``; the library
cuts out what was composed there and makes inputs of whatever else it reads.
"""

import itertools
import threading

from .. import attribute
from .. import name as _name
from .._core import symbol_cond, symbol_foreach, symbol_while_loop
from ..base import InvalidTypeError, InvalidValueError
from .symbol import Symbol, var

__all__ = ["cond", "foreach", "while_loop"]

_SCOPE = "__subgraph_name__"
_lock = threading.Lock()
_counters = {}


def _scope(name):
    """A scope that is like no other."""
    outer = attribute._current(None).get(_SCOPE)
    name = f"{outer}${name}" if outer else name
    with _lock:
        return f"{name}{next(_counters.setdefault(name, itertools.count()))}"


def _flat(nested, what):
    """The symbols of one output in lists in lists, and how they are nested."""
    if isinstance(nested, Symbol):
        parts = list(nested)
        return (parts, None) if len(parts) == 1 else (parts, [None] * len(parts))
    if not isinstance(nested, (list, tuple)):
        got = type(nested).__name__
        raise InvalidTypeError(f"{what}: expected Symbols in lists, got {got}")
    each = [_flat(part, what) for part in nested]
    return [s for symbols, _ in each for s in symbols], [form for _, form in each]


def _nested(symbols, form):
    """Symbols from an iterator, nested as ``form`` says."""
    return next(symbols) if form is None else [_nested(symbols, part) for part in form]


def _variables(symbols):
    """Variables of the present scope that stand for symbols."""
    taken, out = set(), []
    for symbol in symbols:
        numbers = (f"{symbol.name}-{i}" for i in itertools.count())
        name = next(n for n in numbers if n not in taken)
        taken.add(name)
        out.append(var(name))
    return out


def _handles(symbols):
    return [s._handle for s in symbols]


def _body(scope, variables, outputs):
    return scope, _handles(variables), _handles(outputs)


def _node(hint):
    """Name and attributes of the node of a loop or a branch."""
    return _name._current().get(None, hint), list(attribute._current(None).items())


def foreach(body, data, init_states, name="foreach"):
    """A symbol that runs a body for each row of arrays.

    Parameters
    ----------
    body : function
        Is given a symbol of a row, nested as ``data``, and the states, and returns outputs and the
        states for the next row, nested as ``init_states``. It is called once. It must read all
        rows and states; it may read other symbols from outside.
    data : Symbol or nested lists of Symbol
        Arrays with as many rows.
    init_states : Symbol or nested lists of Symbol
        The states for the first row.
    name : str
        What the body is called.

    Returns
    -------
    outputs : Symbol or nested lists of Symbol
        The outputs of all rows, stacked.
    states : Symbol or nested lists of Symbol
        The states after the last row.

    Examples
    --------
    >>> step = lambda x, total: (x + total, x + total)
    >>> sums, total = mx.sym.contrib.foreach(step, mx.sym.var("x"), mx.sym.var("total"))
    """
    rows, data_form = _flat(data, "data")
    states, states_form = _flat(init_states, "init_states")
    scope = _scope(name)
    with attribute.AttrScope(**{_SCOPE: scope}):
        variables = _variables(rows + states)
        given = iter(variables)
        outputs, new = body(_nested(given, data_form), _nested(given, states_form))
    outputs, outputs_form = _flat(outputs, "outputs of the body")
    new, new_form = _flat(new, "states from the body")
    if new_form != states_form:
        raise InvalidValueError(
            f"states from the body: expected {len(states)} nested as init_states, got {len(new)}"
        )
    made = Symbol(
        symbol_foreach(
            _node("_foreach"),
            _handles(rows),
            _handles(states),
            _body(scope, variables, outputs + new),
        )
    )
    parts = iter(made)
    return _nested(parts, outputs_form), _nested(parts, states_form)


def while_loop(cond, func, loop_vars, max_iterations=None, name="while_loop"):
    """A symbol that runs a body on its own results as long as a condition holds.

    Parameters
    ----------
    cond : function
        Is given the variables of the loop and returns a symbol of one element: 0 ends the loop.
    func : function
        Is given the variables of the loop, all of which it must read, and returns outputs, or None,
        and the variables for the next step. Both functions are called once.
    loop_vars : Symbol or nested lists of Symbol
        The variables for the first step.
    max_iterations : int
        The most steps. Stacked outputs have as many rows; those of steps not taken are zeros.
    name : str
        What the bodies are called.

    Returns
    -------
    outputs : Symbol or nested lists of Symbol
    loop_vars : Symbol or nested lists of Symbol

    Examples
    --------
    >>> start = [mx.sym.var("i"), mx.sym.var("total")]
    >>> more = lambda i, total: i < 5
    >>> step = lambda i, total: ([total], [i + 1, total + i])
    >>> totals, last = mx.sym.contrib.while_loop(more, step, start, max_iterations=10)
    """
    if max_iterations is None:
        raise InvalidValueError("max_iterations: expected a number of steps, got None")
    states, form = _flat(loop_vars, "loop_vars")
    if not states:
        raise InvalidValueError("loop_vars: expected at least one Symbol")
    tests = _scope(f"{name}_cond")
    with attribute.AttrScope(**{_SCOPE: tests}):
        tested = _variables(states)
        test = cond(*_arguments(tested, form))
        if not isinstance(test, Symbol):
            raise InvalidTypeError(f"cond: expected a Symbol, got {type(test).__name__}")
    scope = _scope(f"{name}_func")
    with attribute.AttrScope(**{_SCOPE: scope}):
        variables = _variables(states)
        outputs, new = func(*_arguments(variables, form))
    outputs, outputs_form = _flat([] if outputs is None else outputs, "outputs of func")
    new = _flat([] if new is None else new, "loop_vars from func")[0]
    if len(new) != len(states):
        raise InvalidValueError(
            f"loop_vars from func: expected {len(states)} Symbols, got {len(new)}"
        )
    made = Symbol(
        symbol_while_loop(
            _node("_while_loop"),
            _handles(states),
            _body(tests, tested, [test]),
            _body(scope, variables, outputs + new),
            int(max_iterations),
        )
    )
    parts = iter(made)
    return _nested(parts, outputs_form), _nested(parts, form)


def _arguments(variables, form):
    """The arguments of a function that takes what is nested one level less."""
    nested = _nested(iter(variables), form)
    return [nested] if form is None else nested


def cond(pred, then_func, else_func, name="cond"):
    """A symbol that is one of two, of which only that one is run.

    Parameters
    ----------
    pred : Symbol
        Of one element; 0 means ``else_func``.
    then_func, else_func : function
        Take nothing and return symbols, nested alike, of the same shapes. Both are called once.
    name : str
        What the branches are called.

    Returns
    -------
    outputs : Symbol or nested lists of Symbol

    Examples
    --------
    >>> x, y = mx.sym.var("x"), mx.sym.var("y")
    >>> larger = mx.sym.contrib.cond(x.sum() > y.sum(), lambda: x, lambda: y)
    """
    if not isinstance(pred, Symbol):
        raise InvalidTypeError(f"pred: expected a Symbol, got {type(pred).__name__}")
    parts, forms = [(_scope(f"{name}_pred"), [pred])], []
    for word, function in [("then", then_func), ("else", else_func)]:
        scope = _scope(f"{name}_{word}")
        with attribute.AttrScope(**{_SCOPE: scope}):
            outputs, form = _flat(function(), f"outputs of {word}_func")
        parts.append((scope, outputs))
        forms.append(form)
    if forms[0] != forms[1]:
        numbers = f"{len(parts[1][1])} and {len(parts[2][1])}"
        raise InvalidValueError(
            f"then_func, else_func: expected outputs that are nested alike, got {numbers} Symbols"
        )
    bodies = [_body(scope, [], outputs) for scope, outputs in parts]
    return _nested(iter(Symbol(symbol_cond(_node("_cond"), *bodies))), forms[0])
