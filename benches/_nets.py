"""The networks of the benchmarks, written once for symbols and for arrays, for mxr and for MXNet.

A network is a function of `F` (`mx.sym` or `mx.nd`), `get(name)` (a variable or an array of that name) and the data;
it ends in a softmax loss.
"""


def lenet(F, get, data, label):
    """LeNet for 28 x 28 digits."""
    h = data
    for i, filters in enumerate([20, 50]):
        h = F.Convolution(h, get(f"c{i}"), get(f"d{i}"), kernel=(5, 5), num_filter=filters)
        h = F.Pooling(F.Activation(h, act_type="relu"), kernel=(2, 2), stride=(2, 2), pool_type="max")
    h = F.Activation(F.FullyConnected(h, get("w0"), get("b0"), num_hidden=500), act_type="relu")
    return F.SoftmaxOutput(F.FullyConnected(h, get("w1"), get("b1"), num_hidden=10), label)


def _normalised(F, get, name, h, filters, kernel, stride=1, relu=True):
    """Convolution, batch normalisation and, if asked for, a rectifier."""
    pad = kernel // 2
    shape = {"kernel": (kernel, kernel), "stride": (stride, stride), "pad": (pad, pad)}
    h = F.Convolution(h, get(f"{name}_w"), num_filter=filters, no_bias=True, **shape)
    parts = [get(f"{name}_{part}") for part in ("gamma", "beta", "mean", "var")]
    h = F.BatchNorm(h, *parts, fix_gamma=False, eps=1e-5)
    return F.Activation(h, act_type="relu") if relu else h


def resnet18(F, get, data, label):
    """ResNet-18 for 64 x 64 pictures (He et al., 2015), with 10 classes."""
    h = _normalised(F, get, "stem", data, 64, 7, 2)
    h = F.Pooling(h, kernel=(3, 3), stride=(2, 2), pad=(1, 1), pool_type="max")
    for stage, filters in enumerate([64, 128, 256, 512]):
        for block in range(2):
            name, stride = f"s{stage}b{block}", 2 if stage > 0 and block == 0 else 1
            y = _normalised(F, get, name + "a", h, filters, 3, stride)
            y = _normalised(F, get, name + "b", y, filters, 3, relu=False)
            if stride > 1:
                h = _normalised(F, get, name + "c", h, filters, 1, stride, relu=False)
            h = F.Activation(y + h, act_type="relu")
    h = F.Pooling(h, global_pool=True, kernel=(1, 1), pool_type="avg")
    return F.SoftmaxOutput(F.FullyConnected(h, get("w"), get("b"), num_hidden=10), label)


def lstm(F, get, data, label):
    """Two LSTM layers of 200 over 35 steps, data (35, batch, 200), and a softmax over 1000 words."""
    state = {"state_size": 200, "num_layers": 2, "mode": "lstm"}
    h = F.RNN(data, get("rnn"), get("h"), get("c"), **state)
    h = F.reshape(h, shape=(-1, 200))
    return F.SoftmaxOutput(F.FullyConnected(h, get("w"), get("b"), num_hidden=1000), label)


# For each network its function and the shapes of what is not a parameter.
NETS = {
    "LeNet, batch 64": (lenet, {"data": (64, 1, 28, 28), "label": (64,)}),
    "ResNet-18 at 64 x 64, batch 8": (resnet18, {"data": (8, 3, 64, 64), "label": (8,)}),
    "LSTM 2 x 200, 35 steps, batch 20": (
        lstm,
        {"data": (35, 20, 200), "label": (700,), "h": (2, 20, 200), "c": (2, 20, 200)},
    ),
}
