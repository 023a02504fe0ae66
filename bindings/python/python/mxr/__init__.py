"""mxr: deep learning with MXNet's programming interface, on a new engine.

>>> import mxr as mx
>>> mx.nd.ones((2, 3)) + 1
<BLANKLINE>
[[2. 2. 2.]
 [2. 2. 2.]]
<NDArray 2x3 @cpu(0)>
"""

from . import _library  # libmxr first: everything else calls it
from . import base, error
from . import context
from .context import Context, cpu, cpu_pinned, current_context, gpu, num_gpus
from .base import MXNetError, MXRError
from . import _dtype, autograd
from . import ndarray
from . import ndarray as nd
from . import attribute, name
from .attribute import AttrScope
from . import symbol
from . import symbol as sym
from . import executor
from .executor import Executor
from ._plan import Plan, plan
from . import debug
from . import model
from .model import load_model, save_model
from . import visualization
from . import visualization as viz
from . import random
from . import random as rnd
from . import lr_scheduler, initializer, optimizer, registry
from . import initializer as init
from . import metric, io, kvstore, callback, module, monitor, recordio
from . import kvstore as kv
from . import module as mod
from . import monitor as mon
from . import engine, runtime, test_utils, util
from ._library import __version__, install_as_mxnet
from ._notebook import help

__all__ = [
    "AttrScope",
    "Context",
    "Executor",
    "MXNetError",
    "MXRError",
    "Plan",
    "autograd",
    "base",
    "callback",
    "context",
    "cpu",
    "cpu_pinned",
    "current_context",
    "debug",
    "executor",
    "gpu",
    "init",
    "initializer",
    "io",
    "help",
    "install_as_mxnet",
    "kv",
    "kvstore",
    "load_model",
    "lr_scheduler",
    "metric",
    "mod",
    "model",
    "module",
    "mon",
    "monitor",
    "name",
    "nd",
    "ndarray",
    "num_gpus",
    "plan",
    "optimizer",
    "random",
    "recordio",
    "save_model",
    "sym",
    "symbol",
    "viz",
]
