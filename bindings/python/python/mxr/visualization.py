"""Symbols as tables and pictures."""

import json
import re

from .base import InvalidTypeError, InvalidValueError
from .symbol import Symbol

__all__ = ["Digraph", "plot_network", "print_summary"]

_WEIGHTS = re.compile("_(weight|bias|beta|gamma|(moving|running)_(var|mean))$")
_COLORS = {
    "null": "#8dd3c7",
    "Convolution": "#fb8072",
    "FullyConnected": "#fb8072",
    "Activation": "#ffffb3",
    "LeakyReLU": "#ffffb3",
    "BatchNorm": "#bebada",
    "Pooling": "#80b1d3",
    "Concat": "#fdb462",
    "Flatten": "#fdb462",
    "Reshape": "#fdb462",
}


def _graph(symbol):
    if not isinstance(symbol, Symbol):
        raise InvalidTypeError(f"symbol: expected a Symbol, got {type(symbol).__name__}")
    return json.loads(symbol.tojson())


def _inferred(symbol, infer, known, what):
    """What is inferred of every node's outputs, by name."""
    if known is None:
        return None
    internals = symbol.get_internals()
    outputs = getattr(internals, infer)(**known)[1]
    if outputs is None:
        raise InvalidValueError(f"{what}: expected those of all inputs")
    return dict(zip(internals.list_outputs(), outputs))


def _output(node):
    """The name of a node's output, the last one."""
    if node["op"] == "null":
        return node["name"]
    number = node.get("attrs", {}).get("num_outputs")
    return f"{node['name']}_output{'' if number is None else int(number) - 1}"


def _sizes(text):
    return re.findall(r"\d+", text)


def _parameters(node, channels, shapes):
    """Number of parameters of a layer that reads so many channels."""
    attrs, op = node.get("attrs", {}), node["op"]
    bias = attrs.get("no_bias") != "True"
    if op == "Convolution":
        filters = int(attrs["num_filter"])
        count = channels * filters // int(attrs.get("num_group", 1))
        for size in _sizes(attrs["kernel"]):
            count *= int(size)
        return count + bias * filters
    if op == "FullyConnected":
        return (channels + bias) * int(attrs["num_hidden"])
    if op == "BatchNorm" and shapes is not None:
        return 2 * shapes[_output(node)][1]
    if op == "Embedding":
        return int(attrs["input_dim"]) * int(attrs["output_dim"])
    return 0


def print_summary(symbol, shape=None, line_length=120, positions=(0.44, 0.64, 0.74, 1.0)):
    """Prints a table of the layers: output shapes without the batch, numbers of parameters, inputs.

    Parameters
    ----------
    symbol : Symbol
    shape : dict of str to tuple of int
        Shapes of the inputs. Parameters are counted from them.
    line_length : int
    positions : sequence of float or int
        Where the columns end, as parts of the line or as places.
    """
    nodes = _graph(symbol)["nodes"]
    shapes = _inferred(symbol, "infer_shape", shape, "shape")
    if positions[-1] <= 1:
        positions = [int(line_length * p) for p in positions]

    def row(*fields):
        line = ""
        for field, end in zip(fields, positions):
            line = (line + str(field))[:end].ljust(end)
        print(line)

    print("_" * line_length)
    row("Layer (type)", "Output Shape", "Param #", "Previous Layer")
    print("=" * line_length)
    total = 0
    for i, node in enumerate(nodes):
        if node["op"] == "null" and i > 0:
            continue
        inputs = [nodes[j] for j, *_ in node["inputs"] if nodes[j]["op"] != "null" or j == 0]
        known = [] if shapes is None else [shapes[_output(n)] for n in inputs]
        count = _parameters(node, sum(s[1] for s in known if len(s) > 1), shapes)
        total += count
        out = () if shapes is None else shapes.get(_output(node), ())
        before = [n["name"] for n in inputs] or [""]
        row(f"{node['name']}({node['op']})", "x".join(map(str, out[1:])), count, before[0])
        for other in before[1:]:
            row("", "", "", other)
        print(("=" if i == len(nodes) - 1 else "_") * line_length)
    print(f"Total params: {total}")
    print("_" * line_length)


def _quoted(text):
    text = str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


class Digraph:
    """A directed graph in Graphviz's language.

    Attributes
    ----------
    source : str
        The text. It needs no package; pictures are made by the package ``graphviz``.
    """

    def __init__(self, name, format="pdf"):
        self.name, self.format = name, format
        self._lines = []

    def _add(self, what, attrs):
        attrs = "".join(f" {key}={_quoted(value)}" for key, value in attrs.items())
        self._lines.append(f"\t{what} [{attrs[1:]}]\n")

    def node(self, name, label, **attrs):
        """Adds a node."""
        self._add(_quoted(name), {"label": label, **attrs})

    def edge(self, tail, head, **attrs):
        """Adds an edge."""
        self._add(f"{_quoted(tail)} -> {_quoted(head)}", attrs)

    @property
    def source(self):
        """The text."""
        return f"digraph {_quoted(self.name)} {{\n{''.join(self._lines)}}}\n"

    def save(self, filename):
        """Writes the text to a file."""
        with open(filename, "w", encoding="utf-8") as file:
            file.write(self.source)

    def _source(self):
        try:
            import graphviz
        except ImportError:
            raise ImportError("pictures need the package graphviz; save writes the text") from None
        return graphviz.Source(self.source, filename=f"{self.name}.gv", format=self.format)

    def render(self, filename=None, **kwargs):
        """Draws the graph into a file, with the package ``graphviz``; returns its name."""
        return self._source().render(filename, **kwargs)

    def view(self, **kwargs):
        """Draws the graph and shows it, with the package ``graphviz``."""
        return self._source().view(**kwargs)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self._source()._repr_mimebundle_(include, exclude)


def _label(node):
    attrs, op = node.get("attrs", {}), node["op"]
    sizes = {key: "x".join(_sizes(attrs[key])) for key in ("kernel", "stride") if key in attrs}
    window = f"{sizes.get('kernel', '[]')}/{sizes.get('stride', '1')}"
    return {
        "Convolution": lambda: f"{op}\n{window}, {attrs['num_filter']}",
        "FullyConnected": lambda: f"{op}\n{attrs['num_hidden']}",
        "Activation": lambda: f"{op}\n{attrs['act_type']}",
        "LeakyReLU": lambda: f"{op}\n{attrs.get('act_type', 'leaky')}",
        "Pooling": lambda: f"{op}\n{attrs.get('pool_type', 'max')}, {window}",
    }.get(op, lambda: node["name"])()


def plot_network(
    symbol,
    title="plot",
    save_format="pdf",
    shape=None,
    dtype=None,
    node_attrs=None,
    hide_weights=True,
):
    """A picture of a symbol.

    Parameters
    ----------
    symbol : Symbol
    title : str
    save_format : str
        Format of files that ``render`` writes.
    shape, dtype : dict of str to tuple of int, or to dtypes
        Those of the inputs; edges then show shapes without the batch, or dtypes.
    node_attrs : dict of str to str
        Graphviz's attributes for nodes.
    hide_weights : bool
        Leave weights, biases and statistics out.

    Returns
    -------
    Digraph
    """
    nodes = _graph(symbol)["nodes"]
    shapes = _inferred(symbol, "infer_shape", shape, "shape")
    types = _inferred(symbol, "infer_type", dtype, "dtype")
    dot = Digraph(title, save_format)
    box = {"shape": "box", "fixedsize": "true", "width": "1.3", "height": "0.8034"}
    box |= {"style": "filled", **(node_attrs or {})}
    hidden = set()
    for i, node in enumerate(nodes):
        if node["op"] == "null" and _WEIGHTS.search(node["name"]) and hide_weights:
            hidden.add(i)
            continue
        look = {**box, "fillcolor": _COLORS.get(node["op"], "#fccde5")}
        if node["op"] == "null":
            look["shape"] = "oval"
        dot.node(node["name"], _label(node), **look)
    for node in nodes:
        for j, *_ in node["inputs"]:
            if j in hidden:
                continue
            name = _output(nodes[j])
            label = "" if shapes is None else "x".join(map(str, shapes.get(name, ())[1:]))
            if types is not None and name in types:
                label += f"({types[name].__name__})"
            dot.edge(node["name"], nodes[j]["name"], dir="back", arrowtail="open", label=label)
    return dot
