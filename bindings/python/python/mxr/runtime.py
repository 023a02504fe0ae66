"""What this build of mxr can do."""

from collections import OrderedDict

from . import _core
from ._library import LIBRARY

__all__ = ["Feature", "Features", "feature_list", "build_info", "library_file", "memory_stats"]


class Feature:
    """A feature by its name, with whether this build has it."""

    def __init__(self, name, enabled):
        self.name, self.enabled = name, enabled

    def __repr__(self):
        return ("✔ " if self.enabled else "✖ ") + self.name


def feature_list():
    """All features that are asked for by name."""
    here = {"SIGNAL_HANDLER", "INT64_TENSOR_SIZE", "F16C"}
    names = ["CUDA", "CUDNN", "NCCL", "MKLDNN", "OPENCV", "DIST_KVSTORE", *sorted(here)]
    return [Feature(name, name in here) for name in names]


class Features(OrderedDict):
    """The features by name."""

    def __init__(self):
        super().__init__((f.name, f) for f in feature_list())

    def is_enabled(self, feature_name):
        """Whether this build has a feature."""
        feature = self.get(feature_name.upper())
        if feature is None:
            raise RuntimeError(f"there is no feature {feature_name!r}")
        return feature.enabled


def build_info():
    """How libmxr was built."""
    return _core.build_info()


def library_file():
    """The file that libmxr was loaded from."""
    return LIBRARY


def memory_stats():
    """What arrays take of main memory, in bytes.

    Returns
    -------
    dict
        ``in_use`` by arrays, ``kept`` for later use, and ``peak``, the most that was in use since the start or the
        last ``Context.empty_cache()``.
    """
    return dict(zip(("in_use", "kept", "peak"), _core.memory_stats()))
