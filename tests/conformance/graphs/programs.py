"""Programs that make symbols, written for MXNet's interface: `results(mx)` runs them with any package that has it.

programs.json holds what MXNet 1.9.1 gives; other packages must give the same.
"""

import contextlib
import io
import warnings


def described(symbol):
    return {
        "json": symbol.tojson(),
        "text": symbol.debug_str(),
        "name": symbol.name,
        "arguments": symbol.list_arguments(),
        "auxiliary": symbol.list_auxiliary_states(),
        "inputs": symbol.list_inputs(),
        "outputs": symbol.list_outputs(),
        "attributes": symbol.attr_dict(),
        "internals": symbol.get_internals().list_outputs(),
    }


def shapes(symbol, partial=False, **known):
    infer = symbol.infer_shape_partial if partial else symbol.infer_shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [None if part is None else [list(s) for s in part] for part in infer(**known)]


def types(symbol, **known):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = symbol.infer_type(**known)
    return [None if part is None else [getattr(t, "__name__", str(t)) for t in part] for part in parts]


def multilayer(mx):
    data = mx.sym.Variable("data")
    net = mx.sym.FullyConnected(data, num_hidden=128)
    net = mx.sym.Activation(net, act_type="relu")
    net = mx.sym.FullyConnected(data=net, num_hidden=10, no_bias=True, name="last")
    return mx.sym.SoftmaxOutput(net, name="softmax")


def convolutions(mx):
    data = mx.sym.var("data", shape=(0, 3, 16, 16), dtype="float32", lr_mult=2.5, wd_mult=0.0)
    with mx.AttrScope(ctx_group="dev1", __tag__="a"):
        net = mx.sym.Convolution(data, kernel=(3, 3), pad=(1, 1), num_filter=8)
        net = mx.sym.BatchNorm(net, fix_gamma=False, momentum=0.9, eps=2e-05)
        with mx.AttrScope(__tag__="b", lr_mult="0.1"):
            net = mx.sym.LeakyReLU(net, act_type="prelu")
    return mx.sym.Pooling(net, kernel=(2, 2), stride=(2, 2), pool_type="max", global_pool=False)


def arithmetic(mx):
    a, b = mx.sym.Variable("a"), mx.sym.Variable("b")
    parts = [
        a + b,
        a - b,
        a * b,
        a / b,
        a % b,
        a**b,
        a + 1,
        1 + a,
        a - 1.5,
        1.5 - a,
        a * 2,
        2 / a,
        a / 2,
        a % 3,
        3 % a,
        a**2,
        2**a,
        -a,
        abs(a),
        a == b,
        a != b,
        a > b,
        a >= b,
        a < b,
        a <= b,
        a == 1,
        a != 1,
        a > 1,
        a >= 1,
        a < 1,
        a <= 1,
        mx.sym.maximum(a, b),
        mx.sym.maximum(a, 1),
        mx.sym.minimum(2, a),
        mx.sym.power(a, 2),
        mx.sym.power(2, a),
        mx.sym.hypot(a, b),
        mx.sym.hypot(a, 3),
    ]
    return mx.sym.Group(parts)


def names(mx):
    a = mx.sym.Variable("a")
    with mx.name.Prefix("outer_"):
        one = mx.sym.exp(a)
        two = mx.sym.FullyConnected(one, num_hidden=2, name="given")
        with mx.name.NameManager():
            three = mx.sym.exp(two)
    four = mx.sym.exp(three)
    return mx.sym.Group([one, two, three, four, mx.sym.exp(a)])


def variadic(mx):
    a, b, c = (mx.sym.Variable(n) for n in "abc")
    parts = [
        mx.sym.Concat(a, b, dim=0),
        mx.sym.concat(a, b, c),
        mx.sym.add_n(a, b),
        mx.sym.ElementWiseSum(a, b),
        mx.sym.stack(a, b, axis=1),
        mx.sym.Concat(arg0=a, arg1=b),
    ]
    parts += list(mx.sym.split(a, num_outputs=3, axis=1))
    return mx.sym.Group(parts)


def values(mx):
    parts = [
        mx.sym.zeros((2, 3)),
        mx.sym.ones(4),
        mx.sym.full((2,), 2.5),
        mx.sym.arange(3),
        mx.sym.arange(1, 5, 0.5, dtype="float64"),
        mx.sym.zeros((0, 3), dtype="int32"),
        mx.sym.eye(3),
        mx.sym.linspace(0, 1, 5),
    ]
    return mx.sym.Group(parts)


def methods(mx):
    a = mx.sym.Variable("a")
    parts = [
        a.reshape((-1, 2)),
        a.reshape(shape=(0, -1)),
        a.transpose(),
        a.transpose(axes=(1, 0)),
        a.sum(axis=1, keepdims=True),
        a.mean(),
        a.astype("float16"),
        a.exp(),
        a.flatten(),
        a.expand_dims(axis=1),
        a.slice_axis(axis=0, begin=1, end=None),
        a.slice(begin=(0, None), end=(None, 2)),
        a.clip(-1, 1),
        a.softmax(),
        a.squeeze(axis=1),
        a.tile(reps=(2, 2)),
        a.topk(k=2),
        a.norm(),
        a.zeros_like(),
        a.take(a),
        a.one_hot(3),
    ]
    return mx.sym.Group(parts)


def replaced(mx):
    net = multilayer(mx)
    x, y = mx.sym.Variable("x"), mx.sym.Variable("y")
    return mx.sym.Group([net(data=mx.sym.exp(x, name="e"), name="again"), net(data=x, softmax_label=y)])


def shared_state(mx):
    x, moving = mx.sym.Variable("x"), mx.sym.Variable("moving")
    one = mx.sym.BatchNorm(x, mx.sym.Variable("g"), name="one", moving_mean=moving)
    two = mx.sym.BatchNorm(one, name="two", moving_mean=moving)
    return two + moving


def recurrent(mx):
    return mx.sym.RNN(
        mx.sym.Variable("data"), state_size=6, num_layers=2, mode="lstm", state_outputs=True, name="lstm"
    )


def attributes(mx):
    a = mx.sym.Variable(
        "a", attr={"mood": "calm", "lr_mult": "3"}, init="zeros", stype="row_sparse", __own__="1"
    )
    a._set_attr(wd_mult="4", other="5")
    return mx.sym.exp(a, name="e", attr={"__why__": "because"})


PROGRAMS = [
    multilayer,
    convolutions,
    arithmetic,
    names,
    variadic,
    values,
    methods,
    replaced,
    recurrent,
    attributes,
]


def inferred(mx):
    a, b = mx.sym.Variable("a"), mx.sym.Variable("b")
    declared = mx.sym.Variable("u", shape=(2, 0), dtype="float64")
    fc = mx.sym.FullyConnected(a, num_hidden=3, name="fc")
    return {
        "multilayer": shapes(multilayer(mx), data=(5, 7)),
        "not enough": shapes(multilayer(mx)),
        "convolutions": shapes(convolutions(mx), data=(2, 3, 16, 16)),
        "convolutions of any batch": shapes(convolutions(mx), partial=True),
        "recurrent": shapes(recurrent(mx), data=(5, 2, 4)),
        "both ways": shapes(a + b, a=(0, 3), b=(2, 0)),
        "partly": shapes(a + b, partial=True, a=(0, 3)),
        "a declared shape": shapes(declared + b, b=(2, 5)),
        "given before declared": shapes(declared + b, u=(3, 5)),
        "back through exp": shapes(mx.sym.exp(a) + b, b=(2, 3)),
        "back through a sum": shapes(mx.sym.add_n(a, b, declared), u=(4, 4)),
        "an axis that stays unknown": shapes(
            mx.sym.Convolution(a, kernel=(3, 3), num_filter=4), partial=True, a=(0, 3, 10, 10)
        ),
        "one of two": shapes(mx.sym.Group([a, b]), partial=True, a=(2, 3)),
        "embedding": shapes(mx.sym.Embedding(a, input_dim=10, output_dim=4), a=(2, 3)),
        "types": types(a + b, a="float16"),
        "types of batch norm": types(mx.sym.BatchNorm(fc), a="float16"),
        "declared types": types(declared + b),
        "no types": types(a + b),
        "types after a cast": types(mx.sym.Cast(a, dtype="float16") + b, a="int32"),
    }


def printed(mx, symbol, **shapes):
    """The table of a symbol."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        mx.viz.print_summary(symbol, shape=shapes or None)
    return out.getvalue()


def summaries(mx):
    return {
        "multilayer": printed(mx, multilayer(mx), data=(5, 7)),
        "without shapes": printed(mx, multilayer(mx)),
        "convolutions": printed(mx, convolutions(mx), data=(2, 3, 16, 16)),
    }


def results(mx):
    out = {}
    for program in PROGRAMS:
        with mx.name.NameManager():
            out[program.__name__] = described(program(mx))
    with mx.name.NameManager():
        out["inferred"] = inferred(mx)
    with mx.name.NameManager():
        out["summaries"] = summaries(mx)
    return out
