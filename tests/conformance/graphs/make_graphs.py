"""Makes the graph fixtures beside this script with MXNet 1.9.1.

    PYTHON_WITH_MXNET make_graphs.py

* operators.json: for every operator and the attributes of its conformance cases, what composing it with nothing
  gives: names of inputs, auxiliary states, outputs, what files count and the attributes of variables.
* files/NAME.json: symbols as MXNet 0.8, 0.9, 1.x and 2.0 wrote them; files/NAME.out: what MXNet 1.9.1 writes
  after loading them.
* net-symbol.json, net-0003.params: a checkpoint; net-expected.params: an input and MXNet's outputs.
* programs.json: the results of programs.py.
"""

import ctypes
import json
import pathlib

import mxnet as mx
from mxnet.base import _LIB, SymbolHandle, c_str, c_str_array, check_call

import programs

HERE = pathlib.Path(__file__).parent


def text(value):
    return str(tuple(value)) if isinstance(value, list) else str(value)


def atomic(name, attrs):
    """A call of an operator by its registered name, not composed yet; None if there is none."""
    handle = ctypes.c_void_p()
    if _LIB.NNGetOpHandle(c_str(name), ctypes.byref(handle)):
        return None
    out = SymbolHandle()
    values = c_str_array(list(attrs.values()))
    check_call(
        _LIB.MXSymbolCreateAtomicSymbol(
            handle, len(attrs), c_str_array(list(attrs)), values, ctypes.byref(out)
        )
    )
    return mx.sym.Symbol(out)


COUNTS = {
    "Concat": "num_args",
    "stack": "num_args",
    "add_n": "num_args",
    "amp_multicast": "num_outputs",
    "multi_all_finite": "num_arrays",
    "multi_sum_sq": "num_arrays",
}


def lists(name, attrs):
    symbol = atomic(name, attrs)
    if symbol is None:
        return None
    symbol._compose(name="x")
    graph = json.loads(symbol.tojson())
    i = next(i for i, node in enumerate(graph["nodes"]) if node["name"] == "x")
    rows = graph["node_row_ptr"]
    made = {n["name"]: n.get("attrs", {}) for n in graph["nodes"] if n["op"] == "null"}
    return {
        "attrs": attrs,
        "inputs": symbol.list_inputs(),
        "auxiliary": symbol.list_auxiliary_states(),
        "outputs": symbol.list_outputs(),
        "internals": symbol.get_internals().list_outputs(),
        "listed_outputs": rows[i + 1] - rows[i],
        "variables": made,
    }


def operators():
    found = {}
    for path in sorted((HERE / "../cases").glob("*.json")):
        cases = json.loads(path.read_text())
        name, entries = cases["operator"], []
        if name.startswith("_backward"):
            continue
        for case in cases["cases"]:
            attrs = {k: text(v) for k, v in case["attrs"].items()}
            if "error" in case or attrs.get("dtype") == "bfloat16":
                continue
            if name in COUNTS:
                attrs.setdefault(COUNTS[name], str(len(case["inputs"])))
            try:
                entry = lists(name, attrs)
            except mx.MXNetError:
                continue  # Optimizers: MXNet makes no variables for their inputs.
            if entry is not None and entry not in entries:
                entries.append(entry)
        if entries:
            found[name] = entries
    return found


HIDDEN = ["ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage"]


def older(graph, version):
    """The same graph as an older MXNet would have written it."""
    graph = json.loads(json.dumps(graph))
    for node in graph["nodes"]:
        attrs = node.pop("attrs", {})
        if version < 904:
            attrs.pop("__init__", None)
        if version >= 10000:
            node["attrs"] = attrs
        elif version >= 900:
            node["attr"] = attrs
        else:
            users = {k: attrs.pop(k) for k in list(attrs) if k.startswith("__")}
            node["param"], node["backward_source_id"] = attrs, -1
            if users:
                node["attr"] = {k.strip("_") if k.strip("_") in HIDDEN else k: v for k, v in users.items()}
    if version < 900:
        drop_auxiliary(graph)
        graph["heads"] = [h[:2] for h in graph["heads"]]
        del graph["attrs"], graph["node_row_ptr"]
    else:
        graph["attrs"]["mxnet_version"][1] = version
    return graph


def drop_auxiliary(graph):
    """Files of 0.8 held no auxiliary states."""
    keep = [i for i, n in enumerate(graph["nodes"]) if "_moving_" not in n["name"]]
    place = {old: new for new, old in enumerate(keep)}
    for node in graph["nodes"]:
        node["inputs"] = [[place[i[0]], i[1]] for i in node["inputs"] if i[0] in place]
    graph["nodes"] = [graph["nodes"][i] for i in keep]
    graph["arg_nodes"] = [i for i, n in enumerate(graph["nodes"]) if n["op"] == "null"]
    graph["heads"] = [[place[h[0]], *h[1:]] for h in graph["heads"]]


def convnet():
    data = mx.sym.Variable("data", shape=(0, 3, 8, 8), lr_mult=0.5, __mood__='calm "today"\n\t\\')
    weight = mx.sym.Variable("w", lr_mult=2, wd_mult=0, init=mx.init.Xavier())
    with mx.AttrScope(ctx_group="dev1", __custom__="kept"):
        net = mx.sym.Convolution(data, weight=weight, kernel=(3, 3), num_filter=4, name="conv")
        net = mx.sym.BatchNorm(net, fix_gamma=False, eps=1e-5, name="bn")
    net = mx.sym.LeakyReLU(net, act_type="prelu", name="act")
    left = mx.sym.Pooling(net, kernel=(2, 2), stride=(2, 2), pool_type="max")
    net = mx.sym.Concat(left, left * 2, left + left, dim=1)
    best = mx.sym.argmax(net, axis=1)
    net = mx.sym.FullyConnected(mx.sym.Flatten(net), num_hidden=10)
    return mx.sym.Group([mx.sym.SoftmaxOutput(net, name="softmax"), best])


def files():
    graph = json.loads(convnet().tojson())
    for name, version in [
        ("v0_8", 800),
        ("v0_9_3", 903),
        ("v0_11", 1100),
        ("v1_3", 10300),
        ("v1_9_1", 10901),
        ("v2_0", 20000),
    ]:
        yield name, older(graph, version)
    moved = older(graph, 800)
    for node in moved["nodes"]:
        if node["name"] == "conv":
            node["attr"] = {
                "weight_lr_mult": "3",
                "bias_wd_mult": "0",
                "data_lr_mult": "4",
                "force_mirroring": "True",
            }
        if node["op"] == "argmax":
            node["param"]["axis"] = "-1"
    yield "v0_8_moved_attributes", moved
    unused = older(graph, 10300)
    unused["nodes"].append({"op": "null", "name": "nobody_reads_this", "inputs": []})
    unused["arg_nodes"].append(len(unused["nodes"]) - 1)
    yield "v1_3_unused_node", unused
    long = mx.sym.Variable("x")
    parts = [mx.sym.sin(long, name=f"part{i}") for i in range(12)]
    yield "long_lists", json.loads(mx.sym.Concat(*parts, name="joined").tojson())
    shared = mx.sym.Variable("moving")
    one, two = (mx.sym.BatchNorm(long, moving_mean=shared, name=n) for n in ("one", "two"))
    yield "shared_state", json.loads((one + two + shared).tojson())
    yield "variable", json.loads(mx.sym.Group([long, long]).tojson())


def checkpoint():
    net = convnet()
    mx.random.seed(3)
    executor = net.simple_bind(mx.cpu(), data=(2, 3, 8, 8), grad_req="null")
    for array in executor.arg_arrays + executor.aux_arrays:
        array[:] = mx.nd.random.uniform(-1, 1, array.shape)
    executor.aux_dict["bn_moving_var"][:] = 0.5
    data, label = executor.arg_dict.pop("data"), executor.arg_dict.pop("softmax_label")
    label[:] = 0
    parameters = {n: a for n, a in executor.arg_dict.items() if n not in ("data", "softmax_label")}
    mx.model.save_checkpoint(str(HERE / "net"), 3, net, parameters, executor.aux_dict)
    outputs = dict(zip(net.list_outputs(), executor.forward(is_train=False)))
    mx.nd.save(str(HERE / "net-expected.params"), {"data": data, "softmax_label": label, **outputs})


def main():
    lines = [
        json.dumps(name) + ": [\n  " + ",\n  ".join(map(json.dumps, entries)) + "]"
        for name, entries in operators().items()
    ]
    (HERE / "operators.json").write_text("{\n " + ",\n ".join(lines) + "\n}\n")
    for name, graph in files():
        path = HERE / "files" / (name + ".json")
        path.write_text(json.dumps(graph))
        (HERE / "files" / (name + ".out")).write_text(mx.sym.load(str(path)).tojson(remove_amp_cast=False))
    checkpoint()
    (HERE / "programs.json").write_text(json.dumps(programs.results(mx), indent=1) + "\n")


if __name__ == "__main__":
    main()
