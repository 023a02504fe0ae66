"""Loading libmxr, and standing in for MXNet."""

import os
import sys
from pathlib import Path

from . import _core

#: The file that libmxr was loaded from.
LIBRARY = _core.load(
    os.environ.get("MXR_LIBRARY") or None, str(Path(__file__).parent / "lib" / "libmxr.so")
)
__version__ = _core.version()


def install_as_mxnet():
    """Lets ``import mxnet`` mean this package, for programs that were written for MXNet.

    Modules of MXNet that this package does not have are then not found.
    """
    package = __package__
    for name, module in list(sys.modules.items()):
        if name == package or name.startswith(package + "."):
            sys.modules["mxnet" + name[len(package) :]] = module
    sys.modules["mxnet.nd"] = sys.modules[package].nd
    sys.modules["mxnet.init"] = sys.modules[package].init
    return sys.modules[package]
