"""What optimizers share: their books, which the library keeps, and the calls by MXNet's names."""

import difflib

from .. import _core, _dtype, registry
from ..base import InvalidTypeError


class Base:
    """Learning rate and weight decay with their factors by parameter, counts of updates, states.

    An optimizer of one's own derives from ``Optimizer`` and overrides ``create_state`` and
    ``update``, which finds its rates by ``_get_lr`` and ``_get_wd`` and counts by
    ``_update_count``.
    """

    #: Names of the attributes that the library is told of when they are set.
    _attributes = frozenset()

    def _create(self, name, attributes, lr_scheduler, names, sym, param_dict, unknown):
        for keyword in unknown:
            known = [*attributes, "lr_scheduler", "param_idx2name", "sym", "param_dict"]
            close = difflib.get_close_matches(keyword, known, 1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise InvalidTypeError(f"{name}() got an unexpected keyword argument '{keyword}'{hint}")
        self._name, self._handle = name, _core.Optimizer(name, attributes)
        lr = attributes["learning_rate"]
        if lr_scheduler is not None and lr is not None:
            lr_scheduler.base_lr = lr
        self.__dict__.update({k: v for k, v in attributes.items() if k != "learning_rate"})
        self._attributes = frozenset(attributes) - {"learning_rate"}
        self._device_id = 0
        self.aggregate_num = 0
        self.lr_scheduler = lr_scheduler
        self.param_dict = param_dict or {}
        self.sym_info = () if sym is None else (sym.attr_dict(), sym.list_arguments())
        self.lr_mult, self.wd_mult = {}, {}
        self.idx2name = names or {}
        self.set_lr_mult({})
        self.set_wd_mult({})

    def __setattr__(self, name, value):
        if name in self._attributes:
            self._handle.set({name: value})
        object.__setattr__(self, name, value)

    @staticmethod
    def register(klass):
        """Registers a class for ``create``, under its name; a decorator."""
        return register(klass)

    @staticmethod
    def create_optimizer(name, **kwargs):
        """Makes an optimizer by the name of its class; capital letters do not matter."""
        return create(name, **kwargs)

    @property
    def lr(self):
        """The learning rate that was set, or that the schedule said last."""
        return self._handle.learning_rate()

    @lr.setter
    def lr(self, value):
        self._handle.set_learning_rate(value)

    @property
    def learning_rate(self):
        """The learning rate now, without factors of parameters."""
        return self.lr if self.lr_scheduler is None else self.lr_scheduler(self.num_update)

    def set_learning_rate(self, lr):
        """Sets the learning rate. A UserWarning is raised if a schedule says it."""
        if self.lr_scheduler is not None:
            raise UserWarning("a schedule says the learning rate, so it cannot be set")
        self.lr = lr

    @property
    def num_update(self):
        """The largest number of updates that any parameter has had."""
        return self._handle.num_update()

    @property
    def idx2name(self):
        """The parameters' names, by index."""
        return self._names

    @idx2name.setter
    def idx2name(self, names):
        self._names = dict(names)
        self._handle.set_names(self._names)
        self._handle.set_wd_mults(self.wd_mult)

    def _add_names(self, names):
        """Says more parameters' names, by which factors are found; all of them decay as before."""
        self._names |= names
        self._handle.add_names(names)

    def _of_symbol(self, attribute):
        attrs, names = self.sym_info or ({}, ())
        given = {name: attrs.get(name, {}).get(attribute) for name in names}
        return {name: float(value) for name, value in given.items() if value is not None}

    def set_lr_mult(self, args_lr_mult):
        """Sets factors of the learning rate, by name or index of parameters; 1 for all others."""
        self.lr_mult = self._of_symbol("__lr_mult__") | args_lr_mult
        self._handle.set_lr_mults(self.lr_mult)

    def set_wd_mult(self, args_wd_mult):
        """Sets factors of the weight decay, by name or index of parameters; 1 for all others.

        Parameters with names that end neither in ``_weight`` nor in ``_gamma`` have 0 by default.
        """
        self.wd_mult = self._of_symbol("__wd_mult__") | args_wd_mult
        self._handle.set_wd_mults(self.wd_mult)

    def _rates(self, index):
        """The learning rate and the weight decay of a parameter now."""
        if self.lr_scheduler is not None:
            self._handle.set_learning_rate(self.lr_scheduler(self.num_update))
        parameter = self.param_dict.get(index)
        if parameter is not None:
            self._handle.set_mult(index, parameter.lr_mult, parameter.wd_mult)
        return self._handle.rates(index)

    def _get_lr(self, index):
        return self._rates(index)[0]

    def _get_wd(self, index):
        return self._rates(index)[1]

    def _get_lrs(self, indices):
        return [self._get_lr(index) for index in indices]

    def _get_wds(self, indices):
        return [self._get_wd(index) for index in indices]

    def _set_current_context(self, device_id):
        self._device_id = device_id

    @property
    def _index_update_count(self):
        return _Counts(self)

    def _update_count(self, index):
        """Counts an update of a parameter, or of each of a list."""
        for i in index if isinstance(index, (list, tuple)) else [index]:
            self._handle.count(i, self._device_id)

    def create_state(self, index, weight):
        """The state that a parameter begins with: None, an array, or a tuple.

        Parameters
        ----------
        index : int
            The parameter's number.
        weight : NDArray
        """
        return shaped(self._handle.create_state(weight))

    def create_state_multi_precision(self, index, weight):
        """The state with a copy of the weight in float32, for half precision and if asked for."""
        if self._is_the_librarys or not self._keeps_copy(weight):
            return self.create_state(index, weight)
        copy = weight.astype("float32")
        return copy, self.create_state(index, copy)

    def update(self, index, weight, grad, state):
        """Changes a weight and its state by its gradient.

        Parameters
        ----------
        index : int
            The parameter's number.
        weight : NDArray
        grad : NDArray
        state
            What ``create_state`` gave.
        """
        self._update_count(index)
        self._rates(index)
        t = self._index_update_count[index]
        self._handle.step(index, t, weight, grad, flat(state))

    def update_multi_precision(self, index, weight, grad, state):
        """As ``update``, with the state of ``create_state_multi_precision``."""
        if self._is_the_librarys or not self._keeps_copy(weight):
            return self.update(index, weight, grad, state)
        copy, state = state
        self.update(index, copy, grad.astype("float32"), state)
        weight[:] = copy.astype(weight.dtype)

    def _keeps_copy(self, weight):
        return self.multi_precision and _dtype.name_of(weight._dtype_code) in _HALF

    @property
    def _is_the_librarys(self):
        """Whether states and updates are the library's alone, so that it handles copies too."""
        mine = type(self)
        return mine.update is Base.update and mine.create_state is Base.create_state

    def __getstate__(self):
        state = {k: v for k, v in self.__dict__.items() if k not in ("_handle", "param_dict")}
        return {**state, "_saved": (self.lr, _core.Updater(self._handle).to_bytes())}

    def __setstate__(self, state):
        lr, saved = state.pop("_saved")
        self.__dict__.update(state, param_dict={})
        self._handle = _core.Optimizer(self._name, {k: state[k] for k in self._attributes})
        _core.Updater(self._handle).set_bytes(saved)
        self._handle.set_learning_rate(lr)
        self._handle.set_names(self._names)
        self._handle.set_lr_mults(self.lr_mult)
        self._handle.set_wd_mults(self.wd_mult)


_HALF = ("float16", "bfloat16")


class _Counts:
    """How many updates each parameter has had on the current device."""

    def __init__(self, optimizer):
        self._optimizer = optimizer

    def __getitem__(self, index):
        return self._optimizer._handle.updates(index, self._optimizer._device_id)


def flat(state):
    """The arrays of a state in order."""
    if state is None:
        return []
    if isinstance(state, (tuple, list)):
        return [array for part in state for array in flat(part)]
    return [state]


def shaped(arrays):
    """Arrays as a state: None, an array, or a tuple."""
    return tuple(arrays) if len(arrays) > 1 else next(iter(arrays), None)


register = registry.get_register_func(Base, "optimizer")
create = registry.get_create_func(Base, "optimizer")
Base.opt_registry = registry._REGISTRY[Base]
