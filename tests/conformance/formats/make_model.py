"""Makes the checkpoint model-symbol.json and model-0000.params beside this script with MXNet 1.9.1.

A convolution, a batch normalisation (auxiliary states), a dense layer and a softmax that takes labels; the
values are fixed.

Usage: PYTHON_WITH_MXNET make_model.py
"""
import os

import mxnet as mx
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))

data = mx.sym.Variable("data")
net = mx.sym.Convolution(data, kernel=(3, 3), num_filter=4, name="conv")
net = mx.sym.BatchNorm(net, fix_gamma=False, name="bn")
net = mx.sym.Activation(net, act_type="relu", name="relu")
net = mx.sym.FullyConnected(net, num_hidden=3, name="fc")
net = mx.sym.SoftmaxOutput(net, name="softmax")

shapes, _, aux_shapes = net.infer_shape(data=(1, 2, 5, 5))
values = np.random.RandomState(0)


def arrays(names, shapes):
    given = {"data", "softmax_label"}
    return {
        n: mx.nd.array(np.round(values.uniform(-1, 1, s) * 16) / 16)
        for n, s in zip(names, shapes)
        if n not in given
    }


mx.model.save_checkpoint(
    os.path.join(HERE, "model"),
    0,
    net,
    arrays(net.list_arguments(), shapes),
    arrays(net.list_auxiliary_states(), aux_shapes),
)
