"""What MXNet's users expect of ``mx.util``: this package has MXNet's classic arrays."""

from .context import num_gpus

__all__ = ["get_gpu_count", "is_np_array", "is_np_shape", "makedirs", "use_np"]


def is_np_array():
    """Whether arrays are ``mx.np.ndarray``: no."""
    return False


def is_np_shape():
    """Whether shapes follow NumPy's meaning: no."""
    return False


def get_gpu_count():
    """Number of CUDA devices that can be used."""
    return num_gpus()


def makedirs(d):
    """Makes a folder and those above it, where they are missing."""
    import os

    os.makedirs(os.path.expanduser(d), exist_ok=True)


def use_np(func):
    """Marks what is written for ``mx.np``; not supported."""
    from .base import _unsupported

    raise _unsupported("use_np: this build of mxr has no mx.np")
