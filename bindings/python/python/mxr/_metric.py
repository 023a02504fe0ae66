"""What metrics share."""

from . import _core, registry


def listed(arrays):
    """Arrays as a list, from one, several or none."""
    if arrays is None:
        return []
    return [arrays] if isinstance(arrays, _core.NDArray) else list(arrays)


def _chosen(arrays, names):
    return list(arrays.values()) if names is None else [arrays[name] for name in names]


class EvalMetric:
    """Says how good predictions are, summed over batches.

    A metric of one's own overrides ``update``, which adds to ``sum_metric`` and ``num_inst``, and
    to ``global_sum_metric`` and ``global_num_inst`` if ``reset_local`` is to leave these.

    Parameters
    ----------
    name : str
        The name under which the value is told.
    output_names, label_names : list of str, optional
        Names of the predictions and labels that count in ``update_dict``; all if not given.
    has_global_stats : bool
        ``update`` adds to the global sums too.
    **kwargs
        What ``get_config`` tells besides.
    """

    def __init__(self, name, output_names=None, label_names=None, **kwargs):
        self.name = str(name)
        self.output_names, self.label_names = output_names, label_names
        self._has_global_stats = kwargs.pop("has_global_stats", False)
        self._kwargs = kwargs
        self.reset()

    def __str__(self):
        return f"EvalMetric: {dict(self.get_name_value())}"

    def get_config(self):
        """What makes an equal metric by ``create(**config)``."""
        own = {"name": self.name, "output_names": self.output_names}
        own["label_names"] = self.label_names
        return {**self._kwargs, "metric": type(self).__name__, **own}

    def update_dict(self, label, pred):
        """Takes in a batch of arrays by name.

        Parameters
        ----------
        label, pred : dict of str to NDArray
        """
        self.update(_chosen(label, self.label_names), _chosen(pred, self.output_names))

    def update(self, labels, preds):
        """Takes in a batch.

        Parameters
        ----------
        labels, preds : list of NDArray
            As many of each.
        """
        raise NotImplementedError(f"{type(self).__name__} must override update")

    def reset(self):
        """Forgets everything."""
        self.num_inst = self.global_num_inst = 0
        self.sum_metric = self.global_sum_metric = 0.0

    def reset_local(self):
        """Forgets what ``get`` tells, but not what ``get_global`` does."""
        self.num_inst, self.sum_metric = 0, 0.0

    def get(self):
        """Name and value since the last reset of either kind; not a number if there was nothing."""
        return self.name, self.sum_metric / self.num_inst if self.num_inst else float("nan")

    def get_global(self):
        """Name and value since the last ``reset``."""
        if not self._has_global_stats:
            return self.get()
        count = self.global_num_inst
        return self.name, self.global_sum_metric / count if count else float("nan")

    def get_name_value(self):
        """As ``get``: a list of pairs."""
        return _pairs(self.get())

    def get_global_name_value(self):
        """As ``get_global``: a list of pairs."""
        return _pairs(self.get_global())


def _pairs(told):
    names, values = told
    return list(zip(names, values)) if isinstance(names, list) else [(names, values)]


class Known(EvalMetric):
    """A metric that the library computes, unless a class of one's own overrides ``update``.

    Updates wait for nothing; only ``get`` and its like do.
    """

    _handle = None

    def _create(self, name, attributes):
        self._handle = _core.MetricHandle(name, attributes)
        common = ("name", "output_names", "label_names")
        own = {key: value for key, value in attributes.items() if key not in common}
        self.__dict__.update(own)
        super().__init__(*(attributes[key] for key in common), has_global_stats=True, **own)

    @property
    def _is_the_librarys(self):
        return type(self).update is Known.update

    def update(self, labels, preds):
        """Takes in a batch.

        Parameters
        ----------
        labels, preds : list of NDArray
            As many of each.
        """
        self._handle.update(listed(labels), listed(preds))

    def update_dict(self, label, pred):
        """Takes in a batch of arrays by name.

        Parameters
        ----------
        label, pred : dict of str to NDArray
        """
        if self._is_the_librarys:
            self._handle.update_named(dict(label), dict(pred))
        else:
            super().update_dict(label, pred)

    def reset(self):
        """Forgets everything."""
        self._handle.reset(False)
        if not self._is_the_librarys:
            super().reset()

    def reset_local(self):
        """Forgets what ``get`` tells, but not what ``get_global`` does."""
        self._handle.reset(True)
        if not self._is_the_librarys:
            super().reset_local()

    def get(self):
        """Name and value since the last reset of either kind; not a number if there was nothing."""
        return self._handle.get(False) if self._is_the_librarys else super().get()

    def get_global(self):
        """Name and value since the last ``reset``."""
        return self._handle.get(True) if self._is_the_librarys else super().get_global()


register = registry.get_register_func(EvalMetric, "metric")
alias = registry.get_alias_func(EvalMetric, "metric")
by_name = registry.get_create_func(EvalMetric, "metric")
