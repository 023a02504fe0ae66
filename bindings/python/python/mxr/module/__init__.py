"""Modules: symbols with what training and prediction need.

>>> module = mx.mod.Module(network)
>>> module.fit(batches, num_epoch=2, optimizer_params={"learning_rate": 0.1})
>>> module.score(batches, "acc")
[('accuracy', 0.9)]
"""

from .base_module import BaseModule
from .module import Module

__all__ = ["BaseModule", "Module"]
