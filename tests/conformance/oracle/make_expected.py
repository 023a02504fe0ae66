"""Computes what the operators' samples must give, with MXNet 1.9.1 and NumPy.

    make_expected.py SAMPLES.json CASES_DIR [OPERATOR ...]

Writes CASES_DIR/<operator>.json, one case for each sample. mxr itself is not involved. MXNet is needed only for
operators with a sample that it computes.
"""

import ctypes
import json
import pathlib
import sys

import numpy as np
from rnn import rnn

HEAD = [0.5, -1.0, 1.5, 0.25, -0.75]


def head_gradient(shape, output):
    """The gradient that every runner feeds to an output: a fixed pattern."""
    n = int(np.prod(shape)) if shape else 1
    return np.array([HEAD[(i + output) % 5] for i in range(n)]).reshape(shape)


def counted_by(handle):
    """The attribute that says how many arrays a variadic operator was called with, or ''."""
    from mxnet.base import _LIB, check_call

    text = [ctypes.c_char_p() for _ in range(4)]
    lists = [ctypes.POINTER(ctypes.c_char_p)() for _ in range(3)]
    count = ctypes.c_int()
    name, doc, key, returned = text
    refs = [ctypes.byref(x) for x in (name, doc, count, *lists, key, returned)]
    check_call(_LIB.MXSymbolGetAtomicSymbolInfo(handle, *refs))
    return key.value.decode()


def call_mxnet(name, arrays, attrs):
    """Calls any registered operator of MXNet by its name."""
    from mxnet._ctypes.ndarray import _imperative_invoke
    from mxnet.base import _LIB, c_str, check_call

    handle = ctypes.c_void_p()
    check_call(_LIB.NNGetOpHandle(c_str(name), ctypes.byref(handle)))
    key = counted_by(handle)
    if key:
        attrs = {key: str(len(arrays)), **attrs}
    result = _imperative_invoke(handle.value, arrays, list(attrs), list(attrs.values()), None, False, False)
    return list(result) if isinstance(result, (list, tuple)) else [result]


def listed(result):
    return list(result) if isinstance(result, (list, tuple)) else [result]


def array_json(a, dtype=None):
    a = np.asarray(a)
    data = a.astype(np.float64).ravel().tolist()
    data = [x if np.isfinite(x) else str(x) for x in data]
    data = [int(x) if isinstance(x, float) and x.is_integer() and abs(x) < 2**53 else x for x in data]
    return {"shape": list(a.shape), "dtype": dtype, "data": data}


def dtype_of(sample):
    return {"float": "float64", "int": "int32", "bool": "bool", "as given": "float32"}[sample["run"]]


def numpy_inputs(sample, dtype):
    out = []
    for i in sample["inputs"]:
        own = i["dtype"] or dtype
        own = "float32" if own == "bfloat16" else own
        out.append(np.array(i["data"]).reshape(i["shape"]).astype(own))
    return out


def by_numpy(sample):
    x = numpy_inputs(sample, dtype_of(sample))
    scope = {"np": np, "x": x, "attrs": sample["attrs"], "rnn": rnn}
    try:
        import scipy.special

        scope["special"] = scipy.special
    except ImportError:
        pass
    return {"outputs": listed(eval(sample["oracle"]["code"], scope)), "gradients": None}


def by_mxnet(operator, sample, dtype):
    import mxnet as mx

    x = [mx.nd.array(v, dtype=v.dtype) for v in numpy_inputs(sample, dtype)]
    attrs = sample["oracle"]["attrs"]
    gradient = sample["gradient"]
    if gradient:
        for a in x:
            if np.dtype(a.dtype).kind == "f":
                a.attach_grad()
    before = [a.asnumpy() for a in x]
    with mx.autograd.record(train_mode=sample["training"]) if gradient else mx.autograd.pause(sample["training"]):
        if sample["oracle"]["kind"] == "mxnet code":
            outputs = listed(eval(sample["oracle"]["code"], {"mx": mx, "np": np, "x": x, "attrs": sample["attrs"]}))
        else:
            outputs = call_mxnet(operator, x, attrs)
    result = {"outputs": [o.asnumpy() for o in outputs], "gradients": None}
    if gradient:
        heads = [mx.nd.array(head_gradient(o.shape, i), dtype=o.dtype) for i, o in enumerate(outputs)]
        mx.autograd.backward(outputs, heads)
        result["gradients"] = [np.zeros(a.shape) if a.grad is None else a.grad.asnumpy() for a in x]
    after = [a.asnumpy() for a in x]
    changed = {
        str(i): array_json(b) for i, (a, b) in enumerate(zip(before, after)) if not np.array_equal(a, b, equal_nan=True)
    }
    if changed:
        result["states"] = changed
    return result


def expected(operator, sample):
    """The results, and in which dtype they were computed."""
    if sample["oracle"]["kind"] == "numpy":
        return by_numpy(sample), dtype_of(sample)
    import mxnet as mx

    dtypes = {"float": ["float64", "float32"], "int": ["int32", "int64", "float64"]}
    if sample["oracle"]["kind"] == "mxnet single":
        dtypes["float"] = ["float32"]
    sizes = [d for i in sample["inputs"] for d in i["shape"]]
    np_shape = 0 in sizes or any(not i["shape"] for i in sample["inputs"])
    errors = []
    for dtype in dtypes.get(sample["run"], [dtype_of(sample)]):
        try:
            with mx.util.np_shape(np_shape):
                return by_mxnet(operator, sample, dtype), dtype
        except (mx.MXNetError, TypeError) as e:
            errors.append(f"{dtype}: {str(e).splitlines()[-1] if 'Error' in str(e) else str(e)[:300]}")
    raise SystemExit(f"{operator}, '{sample['name']}': MXNet computes it in no dtype: " + "; ".join(errors))


def case(operator, sample):
    out = {k: sample[k] for k in ("name", "run", "attrs", "inputs", "training", "tolerance")}
    if sample["error"]:
        return {**out, "error": sample["error"]}
    if sample["oracle"]["kind"] == "none":
        return out
    result, dtype = expected(operator, sample)
    out["computed_in"] = dtype
    fixed = sample["run"] == "as given"
    out["outputs"] = [array_json(o, str(np.asarray(o).dtype) if fixed else None) for o in result["outputs"]]
    if result["gradients"] is not None:
        out["gradients"] = [array_json(g) for g in result["gradients"]]
    if "states" in result:
        out["states"] = result["states"]
    return out


def text_of(value, indent=0):
    """JSON with one line for each array of numbers."""
    pad = " " * indent
    if isinstance(value, dict) and any(isinstance(v, (dict, list)) for v in value.values()) and "data" not in value:
        items = [f'{pad} {json.dumps(k)}: {text_of(v, indent + 1)}' for k, v in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{pad}}}"
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        return "[\n" + ",\n".join(f"{pad} {text_of(v, indent + 1)}" for v in value) + f"\n{pad}]"
    return json.dumps(value)


def main():
    samples = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(sys.argv[2])
    chosen = set(sys.argv[3:])
    names = set()
    for entry in samples:
        name = entry["operator"]
        names.add(name + ".json")
        if chosen and name not in chosen:
            continue
        cases = [case(name, s) for s in entry["samples"]]
        (folder / (name + ".json")).write_text(text_of({"operator": name, "cases": cases}) + "\n")
    if not chosen:
        for stale in sorted(p for p in folder.glob("*.json") if p.name not in names):
            stale.unlink()


main()
