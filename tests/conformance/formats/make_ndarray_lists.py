"""Makes the NDArray list fixtures beside this script with MXNet 1.9.1.

Each NAME.params comes with an entry in ndarray_lists.json: what the file holds as MXNet sees it, and whether
MXNet itself wrote it (`written_by_mxnet`). Layouts that MXNet 1.9.1 only reads are put together here by hand,
and their contents are what MXNet reads from them.

Usage: PYTHON_WITH_MXNET make_ndarray_lists.py
"""
import json
import os
import struct

import mxnet as mx
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
CODES = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6, "bool": 7}
index = {}


def dense(array):
    """A bfloat16 array has a structured NumPy dtype with one field."""
    dtype = np.dtype(array.dtype)
    name = dtype.names[0] if dtype.names else dtype.name
    value = array.asnumpy()
    return {"dtype": name, "shape": list(array.shape), "data": value.tobytes().hex()}


def describe(array):
    if array.stype == "default":
        return {"storage": "Dense", **dense(array)}
    out = {"dtype": np.dtype(array.dtype).name, "shape": list(array.shape)}
    out["data"] = array.data.asnumpy().tobytes().hex()
    if array.stype == "row_sparse":
        return {"storage": "RowSparse", **out, "aux": [dense(array.indices)]}
    return {"storage": "Csr", **out, "aux": [dense(array.indptr), dense(array.indices)]}


def record(name, np_shape, written):
    path = os.path.join(HERE, name + ".params")
    loaded = mx.nd.load(path)
    if isinstance(loaded, dict):
        names, arrays = list(loaded), list(loaded.values())
    else:
        names, arrays = None, loaded
    index[name] = {
        "written_by_mxnet": written,
        "np_shape": np_shape,
        "names": names,
        "arrays": [describe(a) for a in arrays],
    }


def save(name, arrays, np_shape=False):
    with mx.util.np_shape(np_shape):
        mx.nd.save(os.path.join(HERE, name + ".params"), arrays)
        record(name, np_shape, True)


def by_hand(name, arrays, names=()):
    out = struct.pack("<QQQ", 0x112, 0, len(arrays)) + b"".join(arrays) + struct.pack("<Q", len(names))
    for n in names:
        out += struct.pack("<Q", len(n)) + n.encode()
    with open(os.path.join(HERE, name + ".params"), "wb") as f:
        f.write(out)
    record(name, False, False)


def shape64(dims):
    return struct.pack("<i%dq" % len(dims), len(dims), *dims)


def tail(array, device=(1, 0), code=None):
    """Device, dtype and data: the end of every dense layout."""
    code = CODES[array.dtype.name] if code is None else code
    return struct.pack("<iii", *device, code) + array.tobytes()


def mxnet_written():
    ramp = np.arange(6).reshape(2, 3)
    save("list", [mx.nd.array(ramp), mx.nd.ones((4,))])
    save("dict", {"arg:weight": mx.nd.array(ramp) / 7, "aux:mean_é": mx.nd.zeros((1, 2, 1, 2))})
    save("empty", [])
    for dtype in ["float32", "float64", "float16", "uint8", "int32", "int8", "int64"]:
        save("dtype_" + dtype, [mx.nd.array(ramp, dtype=dtype)])
    save("dtype_bool", [mx.nd.array([1, 0, 1], dtype="bool")])
    bf16 = struct.pack("<Ii", 0xF993FAC9, 0) + shape64((3,)) + tail(np.array([0x3F80, 0xC000, 0x4049], "<u2"), code=12)
    bf16 = struct.pack("<QQQ", 0x112, 0, 1) + bf16 + struct.pack("<Q", 0)
    save("dtype_bfloat16", mx.nd.load_frombuffer(bf16))

    rows = (np.arange(6, dtype="float32").reshape(2, 3), np.array([0, 2]))
    save("row_sparse", {"embedding": mx.nd.sparse.row_sparse_array(rows, shape=(4, 3))})
    save("row_sparse_empty", [mx.nd.sparse.zeros("row_sparse", (4, 3))])
    csr = (np.array([1, 2, 3], "float32"), np.array([0, 2, 1]), np.array([0, 2, 2, 3]))
    save("csr", [mx.nd.sparse.csr_matrix(csr, shape=(3, 3)), mx.nd.ones((2,))])
    save("csr_empty", [mx.nd.sparse.zeros("csr", (4, 3))])
    matrix = mx.nd.array([[0, 1.5, 0], [0, 0, 0], [-2, 0, 3], [0, 0, float("nan")]])
    cube = mx.nd.array(np.arange(12).reshape(3, 2, 2) * np.array([0, 1, 0]).reshape(3, 1, 1), dtype="int32")
    nothing = mx.nd.zeros((2, 3), dtype="float64")
    save("converted", {"matrix": matrix, "matrix:csr": matrix.tostype("csr"), "matrix:rows": matrix.tostype("row_sparse"),
                       "cube": cube, "cube:rows": cube.tostype("row_sparse"), "nothing": nothing,
                       "nothing:csr": nothing.tostype("csr"), "nothing:rows": nothing.tostype("row_sparse")})
    shapes = {"plain": mx.nd.ones((2,))}
    with mx.util.np_shape(True):
        shapes["scalar"] = mx.nd.array(2.5).reshape(())
        shapes["none"] = mx.nd.zeros((0, 3))
    save("np_shape", shapes, np_shape=True)


def hand_written():
    ramp = np.arange(6, dtype="float32").reshape(2, 3)
    v1 = struct.pack("<I", 0xF993FAC8)
    v2 = struct.pack("<Ii", 0xF993FAC9, 0)
    by_hand("v1", [v1 + shape64((2, 3)) + tail(ramp), v1 + shape64((6,)) + tail(np.arange(6, dtype="int32"))], "ab")
    by_hand("legacy", [struct.pack("<III", 2, 2, 3) + tail(ramp), struct.pack("<II", 1, 6) + tail(ramp)], ["x", "y"])
    by_hand("gpu", [v2 + shape64((2, 3)) + tail(ramp, device=(2, 3))])
    by_hand("mixed", [v1 + shape64((2, 3)) + tail(ramp), struct.pack("<II", 1, 6) + tail(ramp), v2 + shape64((6,)) + tail(ramp)])


if __name__ == "__main__":
    mxnet_written()
    hand_written()
    with open(os.path.join(HERE, "ndarray_lists.json"), "w", encoding="utf-8") as f:
        lines = ['"%s": %s' % (name, json.dumps(entry, ensure_ascii=False)) for name, entry in index.items()]
        f.write("{\n" + ",\n".join(lines) + "\n}\n")
    print("%d fixtures" % len(index))
