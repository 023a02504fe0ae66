"""Optimizers with the states of all parameters."""

import pickle

from .. import _core
from ._base import flat, shaped

__all__ = ["Updater", "get_updater"]

#: What pickled states begin with; those of the library do not.
_PICKLED = b"\x80"


class Updater:
    """An optimizer with the states of the parameters that it has seen.

    Parameters
    ----------
    optimizer : Optimizer

    Attributes
    ----------
    states : dict of int to state
    """

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.states = {}
        self.states_synced = {}
        self.aggregate_updates = False

    def __call__(self, index, grad, weight):
        """Changes a weight by its gradient, or each of a list; makes states when first needed."""
        if isinstance(index, (list, tuple)):
            for each in zip(index, grad, weight):
                self(*each)
            return
        optimizer = self.optimizer
        optimizer._set_current_context(weight.context.device_id)
        if index not in self.states:
            self.states[index] = optimizer.create_state_multi_precision(index, weight)
        elif not self.states_synced[index]:
            self.states[index] = self.sync_state_context(self.states[index], weight.context)
        self.states_synced[index] = True
        optimizer.update_multi_precision(index, weight, grad, self.states[index])

    def sync_state_context(self, state, context):
        """The state on a device."""
        if isinstance(state, (tuple, list)):
            return type(state)(self.sync_state_context(part, context) for part in state)
        return state.as_in_context(context) if isinstance(state, _core.NDArray) else state

    def get_states(self, dump_optimizer=False):
        """All states as bytes, with the counts of updates.

        Those of the library's optimizers are readable in every language; those of an optimizer of
        one's own, and the optimizer itself if ``dump_optimizer``, are pickled.
        """
        if dump_optimizer or not self.optimizer._is_the_librarys:
            return pickle.dumps((self.states, self.optimizer) if dump_optimizer else self.states)
        updater = _core.Updater(self.optimizer._handle)
        for index, state in self.states.items():
            arrays = flat(state)
            # Waiting here, Ctrl-C interrupts.
            for array in arrays:
                array.wait_to_read()
            updater.set_state(index, arrays)
        return updater.to_bytes()

    def set_states(self, states):
        """Takes what ``get_states`` gave. Pickled bytes can run programs: they must be trusted."""
        if states.startswith(_PICKLED):
            states = pickle.loads(states)
            if isinstance(states, tuple) and len(states) == 2:
                states, self.optimizer = states
        else:
            updater = _core.Updater(self.optimizer._handle)
            updater.set_bytes(states)
            states = {index: shaped(updater.state(index)) for index in updater.indices()}
        self.states = states
        self.states_synced = dict.fromkeys(states, False)


def get_updater(optimizer):
    """An updater, a function of (index, gradient, weight)."""
    return Updater(optimizer)
