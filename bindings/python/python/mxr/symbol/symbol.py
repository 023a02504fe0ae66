"""The class ``Symbol``: a graph of operators on arrays that are not there yet."""

import os
import warnings

from .. import _shared, attribute, executor
from .._core import SymbolHandle
from .._dtype import code_of, type_of
from ..base import (
    InvalidTypeError,
    InvalidValueError,
    MissingFileError,
    NotFoundError,
    _unsupported,
)

__all__ = ["Group", "Symbol", "Variable", "load", "load_json", "var"]

# The lists of the C interface.
_ARGUMENTS, _OUTPUTS, _AUXILIARY_STATES, _INPUTS = 1, 2, 3, 4
_STORAGE = {"default": 0, "row_sparse": 1, "csr": 2}


class Symbol:
    """Outputs of a graph of operators, composed by calling operators on other symbols.

    >>> net = mx.sym.FullyConnected(mx.sym.Variable("data"), num_hidden=10, name="fc")
    >>> net.list_arguments()
    ['data', 'fc_weight', 'fc_bias']
    """

    __slots__ = ("_handle", "__weakref__")
    __array_priority__ = 1000.0
    __hash__ = None

    def __init__(self, handle):
        self._handle = handle

    def __repr__(self):
        name = self.name
        if name is None:
            return f"<Symbol group [{', '.join(s.name for s in self)}]>"
        return f"<Symbol {name}>"

    def __len__(self):
        return len(self.list_outputs())

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index):
        """One output, by number or name, or several, by a slice."""
        if isinstance(index, slice):
            return Group([self[i] for i in range(*index.indices(len(self)))])
        if isinstance(index, str):
            return Symbol(self._handle.output_named(index))
        if not isinstance(index, int):
            got = type(index).__name__
            raise InvalidTypeError(f"expected a number, a name or a slice of outputs, got {got}")
        return Symbol(self._handle.output(index + len(self) if index < 0 else index))

    def __bool__(self):
        raise _unsupported("a Symbol has no truth value: its arrays are not there yet")

    def __copy__(self):
        return Symbol(self._handle)

    def __deepcopy__(self, memo):
        return Symbol(self._handle)

    def __reduce__(self):
        return load_json, (self.tojson(remove_amp_cast=False),)

    def __call__(self, *args, name=None, **kwargs):
        """A copy in which variables are replaced: ``net(data=other)``."""
        if args:
            raise InvalidTypeError("expected symbols by the names of the variables they replace")
        for key, value in kwargs.items():
            if not isinstance(value, Symbol):
                got = type(value).__name__
                raise InvalidTypeError(f"argument '{key}': expected a Symbol, got {got}")
        inputs = [(key, value._handle) for key, value in kwargs.items()]
        return Symbol(self._handle.compose(name or "", inputs))

    @property
    def name(self):
        """The name of the node; None for a group of several."""
        return self._handle.name()

    def attr(self, key):
        """An attribute of the node, a text; None if there is none."""
        return self.name if key == "name" else self._handle.attr(key)

    def list_attr(self):
        """The attributes of the node, texts by name."""
        flat = self._handle.attrs(False)
        return dict(zip(flat[1::3], flat[2::3]))

    def attr_dict(self):
        """The attributes of all nodes that have any, by node."""
        flat, out = self._handle.attrs(True), {}
        for node, key, value in zip(flat[::3], flat[1::3], flat[2::3]):
            out.setdefault(node, {})[key] = value
        return out

    def _set_attr(self, **kwargs):
        """Sets attributes, texts, in all symbols that this one is part of.

        Symbols that were composed with this one before keep an attribute that its operator reads,
        and its name.
        """
        for key, value in kwargs.items():
            if not isinstance(value, str):
                raise InvalidValueError(f"{key}: expected a text, got {value!r}")
        self._handle = self._handle.set_attrs(list(kwargs.items()))

    def get_internals(self):
        """All outputs of all nodes, as a group."""
        return Symbol(self._handle.internals())

    def get_children(self):
        """The inputs of the node, as a group; None if it has none."""
        children = Symbol(self._handle.children())
        return children if len(children) else None

    def list_arguments(self):
        """Names of the variables that no operator changes: data, weights, labels."""
        return self._handle.list(_ARGUMENTS)

    def list_outputs(self):
        """Names of the outputs."""
        return self._handle.list(_OUTPUTS)

    def list_auxiliary_states(self):
        """Names of the variables that an operator changes, as a moving mean."""
        return self._handle.list(_AUXILIARY_STATES)

    def list_inputs(self):
        """Names of all variables."""
        return self._handle.list(_INPUTS)

    def debug_str(self):
        """Outputs, variables and operators with their inputs and attributes."""
        return self._handle.text()

    def tojson(self, remove_amp_cast=True):
        """The symbol as MXNet 1.9's JSON."""
        handle = self._handle.without_amp_casts() if remove_amp_cast else self._handle
        return handle.to_json()

    def save(self, fname, remove_amp_cast=True):
        """Writes the symbol to a file. An existing file is replaced only by a whole one."""
        handle = self._handle.without_amp_casts() if remove_amp_cast else self._handle
        handle.save(os.fspath(fname))

    def infer_shape(self, *args, **kwargs):
        """The shapes that follow from those of some arguments, by position or by name.

        A size of 0 is one that is not known.

        Returns
        -------
        arguments, outputs, auxiliary_states : lists of tuple, or None three times
            None, and a warning, if not everything follows.
        """
        complete, parts = self._infer_shape(args, kwargs)
        if not complete:
            self._warn("shape", parts[0])
            return None, None, None
        return tuple(parts)

    def infer_shape_partial(self, *args, **kwargs):
        """As ``infer_shape``, with 0 for sizes and () for shapes that do not follow."""
        _, parts = self._infer_shape(args, kwargs)
        return tuple(
            [() if s is None else tuple(max(d, 0) for d in s) for s in part] for part in parts
        )

    def infer_type(self, *args, **kwargs):
        """The dtypes that follow from those of some arguments, as ``infer_shape``."""
        complete, parts = self._infer_type(args, kwargs)
        if not complete:
            self._warn("type", parts[0])
            return None, None, None
        return tuple(parts)

    def infer_type_partial(self, *args, **kwargs):
        """As ``infer_type``, with None for dtypes that do not follow."""
        return tuple(self._infer_type(args, kwargs)[1])

    def bind(
        self,
        ctx,
        args,
        args_grad=None,
        grad_req="write",
        aux_states=None,
        group2ctx=None,
        shared_exec=None,
        budget=None,
        passes=None,
    ):
        """An ``Executor`` on these arrays.

        Parameters
        ----------
        ctx : Context
        args : list or dict of NDArray
            Arrays of the arguments.
        args_grad : list or dict of NDArray
            Where gradients go; arguments without have none.
        grad_req : str, list or dict
            'write', 'add' or 'null', for all arguments or each.
        aux_states : list or dict of NDArray
            Arrays of the auxiliary states.
        shared_exec : Executor
            One that never runs at the same time, whose memory for activations is shared.
        budget : int or 'least'
            Bytes that activations may take, as in ``mx.plan``.
        passes : dict of str to bool
            Turns passes of the compiler off, as in ``mx.plan``: ``{"fold": False}`` keeps the
            rounding of MXNet's operators in prediction.
        """
        if group2ctx:
            raise _unsupported("group2ctx: a symbol runs on one device")
        return executor.bind(
            self, ctx, args, args_grad, grad_req, aux_states, shared_exec, budget, passes
        )

    def simple_bind(
        self,
        ctx,
        grad_req="write",
        type_dict=None,
        stype_dict=None,
        group2ctx=None,
        shared_arg_names=None,
        shared_exec=None,
        shared_buffer=None,
        budget=None,
        passes=None,
        **kwargs,
    ):
        """An ``Executor`` on new arrays of zeros, whose shapes follow from those in ``kwargs``.

        Shapes of what is no argument are passed over, with a warning.

        Parameters
        ----------
        type_dict : dict of str to dtype
            Dtypes by name.
        shared_buffer : dict of str to NDArray
            Arrays of arguments, and of their gradients as ``'grad of …'``, of which executors use
            as much as they need; what it lacks is put there.
        shared_arg_names : list of str
            With a buffer: arguments whose arrays are those of ``shared_exec``.
        ctx, grad_req, shared_exec, budget, passes
            See ``bind``.
        """
        if group2ctx:
            raise _unsupported("group2ctx: a symbol runs on one device")
        known = set(self.list_inputs())
        for name in kwargs.keys() - known:
            warnings.warn(f"simple_bind: the symbol has no argument '{name}'", stacklevel=2)
        shapes = {name: shape for name, shape in kwargs.items() if name in known}
        if shared_buffer is not None:
            return _shared.bind(
                self, ctx, grad_req, type_dict, shared_exec, shared_arg_names, shared_buffer,
                budget, passes, shapes,
            )  # fmt: skip
        return executor.simple_bind(
            self, ctx, grad_req, type_dict, shared_exec, budget, passes, shapes
        )

    def eval(self, ctx=None, **kwargs):
        """The outputs for these arrays of all variables, by name."""
        names = self.list_arguments()
        args = {n: a for n, a in kwargs.items() if n in names}
        states = {n: a for n, a in kwargs.items() if n not in names}
        return self.bind(ctx, args, grad_req="null", aux_states=states).forward()

    def _known(self, args, kwargs):
        """What is given of arguments, by name."""
        if args and kwargs:
            raise InvalidTypeError("expected arguments by position or by name, not both")
        if args:
            kwargs = dict(zip(self.list_arguments(), args))
        return [(key, value) for key, value in kwargs.items() if value is not None]

    def _infer_shape(self, args, kwargs):
        known = self._known(args, kwargs)
        for key, shape in known:
            if not isinstance(shape, (tuple, list)):
                raise InvalidTypeError(f"argument '{key}': expected a shape, got {shape!r}")
        shapes = [(key, tuple(d if d > 0 else -1 for d in s)) for key, s in known if len(s)]
        return self._handle.infer_shapes(shapes)

    def _infer_type(self, args, kwargs):
        known = [(key, code_of(dtype)) for key, dtype in self._known(args, kwargs)]
        complete, parts = self._handle.infer_dtypes(known)
        return complete, [[None if c < 0 else type_of(c) for c in part] for part in parts]

    def _warn(self, what, found):
        unknown = [n for n, f in zip(self.list_arguments(), found) if f is None or -1 in (f or ())]
        most = ", ".join(unknown[:10]) + (", …" if len(unknown) > 10 else "")
        warnings.warn(f"the {what}s of these arguments do not follow: {most}", stacklevel=3)


def _refuse(name):
    def method(self, *args, **kwargs):
        raise _unsupported(f"a Symbol has no '{name}': its arrays are not there yet")

    method.__name__ = name
    return method


for _method in "asnumpy asscalar as_in_context backward copy detach wait_to_read".split():
    setattr(Symbol, _method, _refuse(_method))


def var(
    name,
    attr=None,
    shape=None,
    lr_mult=None,
    wd_mult=None,
    dtype=None,
    init=None,
    stype=None,
    **kwargs,
):
    """A variable.

    Parameters
    ----------
    name : str
    attr : dict of str to str
        Attributes.
    shape : tuple of int
        Its shape, where inference is told none; 0 for a size that is not known.
    lr_mult, wd_mult : float
        Factors of the learning rate and of the weight decay.
    dtype
        Its dtype, where inference is told none.
    init : str or Initializer
        How it is initialised.
    stype : str
        'default', 'row_sparse' or 'csr'.
    kwargs
        More attributes, whose names begin and end with ``__``.
    """
    if not isinstance(name, str):
        raise InvalidTypeError(f"name: expected a text, got {name!r}")
    attrs = attribute._current(attr)
    for key, value in [("shape", shape), ("lr_mult", lr_mult), ("wd_mult", wd_mult)]:
        if value is not None:
            attrs[f"__{key}__"] = str(value)
    if dtype is not None:
        attrs["__dtype__"] = str(code_of(dtype))
    if init is not None:
        attrs["__init__"] = init if isinstance(init, str) else init.dumps()
    if stype is not None:
        attrs["__storage_type__"] = str(_STORAGE[stype])
    for key, value in kwargs.items():
        if not (key.startswith("__") and key.endswith("__")):
            raise InvalidValueError(f"{key}: names of more attributes begin and end with '__'")
        attrs[key] = str(value)
    return Symbol(SymbolHandle.variable(name, list(attrs.items())))


Variable = var


def Group(symbols):
    """All outputs of several symbols as one symbol."""
    symbols = list(symbols)
    if not symbols or not all(isinstance(s, Symbol) for s in symbols):
        raise InvalidTypeError("expected a list of Symbols")
    return Symbol(SymbolHandle.group([s._handle for s in symbols]))


def load(fname):
    """Reads a symbol from a file that any version of MXNet, or ``save``, wrote."""
    try:
        return Symbol(SymbolHandle.load(os.fspath(fname)))
    except NotFoundError as error:
        if os.path.exists(fname):
            raise
        raise MissingFileError(str(error)) from None


def load_json(json_str):
    """The symbol that a JSON text describes."""
    if not isinstance(json_str, str):
        raise InvalidTypeError(f"expected a text, got {type(json_str).__name__}")
    return Symbol(SymbolHandle.from_json(json_str))
