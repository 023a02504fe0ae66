"""Programs with loops and branches, for symbols and for arrays alike.

Each takes ``mx.sym`` or ``mx.nd`` and a function that gives a variable or an array by its name, and returns outputs in
lists. ``INPUTS`` holds for each the shapes or values of the inputs of its runs.
"""


def rnn(F, v):
    def step(row, state):
        both = F.concat(row, state, dim=1)
        out = F.tanh(F.FullyConnected(both, v("weight"), v("bias"), num_hidden=3))
        return out * v("scale"), out

    return F.contrib.foreach(step, v("data"), v("state"))


def cumsum(F, v):
    return F.contrib.foreach(lambda x, s: (x + s, x + s), v("x"), v("s"))


def lists(F, v):
    def step(rows, states):
        a, b = rows
        s, (t, u) = states
        return [a * s + u, b - t], [s + b, [t * a, u]]

    return F.contrib.foreach(step, [v("a"), v("b")], [v("s"), [v("t"), v("u")]])


def norm(F, v):
    names = ["gamma", "beta", "moving_mean", "moving_var"]

    def step(x, s):
        y = F.BatchNorm(x, *map(v, names), fix_gamma=False, momentum=0.75)
        return y * s, s + y

    return F.contrib.foreach(step, v("x"), v("s"))


def early(F, v):
    w, end = v("w"), v("end")
    return F.contrib.while_loop(
        lambda i, s: i.sum() < end.sum(),
        lambda i, s: ([s * i + w], [i + 1, s * w]),
        [v("i"), v("s")],
        max_iterations=5,
    )


def branch(F, v):
    x, y = v("x"), v("y")
    return F.contrib.cond(x.sum() < y.sum(), lambda: x * x + 1, lambda: x * y)


def nested(F, v):
    w = v("w")

    def outer(row, state):
        outs, last = F.contrib.foreach(lambda x, s: (x * s, s + x * w), row, state)
        chosen = F.contrib.cond(last.sum() > 2, lambda: last * 0.5, lambda: last * w)
        return outs, chosen

    return F.contrib.foreach(outer, v("x"), v("s"))


def loop_in_loop(F, v):
    w = v("w")

    def outer(i, s):
        outs, last = F.contrib.while_loop(
            lambda j, t: j < 3,
            lambda j, t: ([t + j], [j + 1, t * w]),
            [F.zeros_like(i), s],
            max_iterations=4,
        )
        return [outs[0].sum() * s], [i + 1, last[1]]

    return F.contrib.while_loop(lambda i, s: i < 2, outer, [v("i"), v("s")], max_iterations=3)


INPUTS = {
    rnn: [
        {"data": (4, 2, 2), "state": (2, 3), "scale": (2, 3), "weight": (3, 5), "bias": (3,)},
    ],
    cumsum: [{"x": (5, 3), "s": (3,)}, {"x": (1, 3), "s": (3,)}],
    lists: [{"a": (3, 2), "b": (3, 2), "s": (2,), "t": (2,), "u": (2,)}],
    norm: [
        {
            "x": (3, 4, 2),
            "s": (4, 2),
            "gamma": (2,),
            "beta": (2,),
            "moving_mean": (2,),
            "moving_var": (2,),
        }
    ],
    early: [
        {"i": [0.0], "s": [1.5], "w": [0.5], "end": [3.0]},
        {"i": [0.0], "s": [1.5], "w": [0.5], "end": [9.0]},
    ],
    branch: [{"x": [1.0, 2.0], "y": [2.0, 3.0]}, {"x": [4.0, 2.0], "y": [2.0, 3.0]}],
    nested: [{"x": (3, 2, 2), "s": (2,), "w": (2,)}],
    loop_in_loop: [{"i": [0.0], "s": [1.5], "w": [0.75]}],
}


def flat(parts):
    """What is in lists in lists."""
    return [f for p in parts for f in flat(p)] if isinstance(parts, (list, tuple)) else [parts]


def composed(mx, program):
    """The symbol of a program."""
    variables = {}

    def variable(name):
        return variables.setdefault(name, mx.sym.var(name))

    with mx.name.NameManager():
        parts = flat(program(mx.sym, variable))
    return parts[0] if len(parts) == 1 else mx.sym.Group(parts)
