"""Makes the seeds of tests/fuzz/corpus that no fixture of tests/conformance holds: the beginnings of trouble.

Usage: python make_seeds.py
"""
import json
import os
import struct

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def put(target, name, data):
    os.makedirs(os.path.join(HERE, target), exist_ok=True)
    with open(os.path.join(HERE, target, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def ndarray_lists():
    begin = struct.pack("<QQQ", 0x112, 0, 1)
    shape = struct.pack("<iq", 1, 1)
    dense = struct.pack("<Ii", 0xF993FAC9, 0) + shape + struct.pack("<iii", 1, 0, 0) + b"\0\0\x80\x3f"
    put("ndarray_list", "name_of_two_gigabytes", begin + dense + struct.pack("<QQ", 1, 2 << 30))
    huge = struct.pack("<iqqq", 3, 1 << 21, 1 << 21, 1 << 21)
    put("ndarray_list", "too_many_elements", begin + struct.pack("<Ii", 0xF993FAC9, 0) + huge)
    put("ndarray_list", "count_of_everything", struct.pack("<QQQ", 0x112, 0, 2**64 - 1))


def graphs():
    node = {"op": "null", "name": "x", "inputs": []}
    fc = {"op": "FullyConnected", "name": "f", "attrs": {"num_hidden": "2"}, "inputs": [[0, 0, 0]] * 3}
    cycle = {**fc, "inputs": [[1, 0, 0]] * 3}

    def graph(nodes, **more):
        return json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[len(nodes) - 1, 0, 0]], **more})

    put("symbol_json", "dense", graph([node, fc]))
    put("symbol_json", "cycle", graph([node, cycle]))
    put("symbol_json", "many_inputs", graph([node, {**fc, "op": "Concat", "attrs": {"num_args": "999999999"}}]))
    put("symbol_json", "control_dependency", graph([{**node, "control_deps": [0]}]))
    put("symbol_json", "control_character", graph([{**node, "attrs": {"__a__": "CONTROL"}}]).replace("CONTROL", "\b"))
    put("symbol_json", "escaped_control", graph([{**node, "attrs": {"__a__": "\b"}}]))
    put("symbol_json", "deep", "[" * 600)
    put("symbol_json", "deep_attribute", graph([{**node, "attrs": {"__shape__": "(" * 600}}]))
    put("symbol_json", "many_numbers", '{"nodes":[' + "0," * 600 + "0]}")


def models():
    def model(header, data=b""):
        text = header if isinstance(header, str) else json.dumps(header)
        return struct.pack("<Q", len(text.encode())) + text.encode() + data

    def tensor(dtype, shape, begin, end):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    fc = {"op": "FullyConnected", "name": "f", "attrs": {"num_hidden": "2", "no_bias": "True"}}
    nodes = [{"op": "null", "name": n, "inputs": []} for n in ("x", "w")]
    nodes.append({**fc, "inputs": [[0, 0, 0], [1, 0, 0]]})
    symbol = json.dumps({"nodes": nodes, "arg_nodes": [0, 1], "heads": [[2, 0, 0]]})
    texts = {"mxr.version": "1", "mxr.symbol": symbol}
    inputs = json.dumps([{"name": "x", "shape": [-1, 3], "dtype": "float32", "label": False}])
    weight = {"arg:w": tensor("F32", [2, 3], 0, 24)}
    put("model", "dense", model({"__metadata__": {**texts, "mxr.inputs": inputs}, **weight}, b"\0" * 24))
    put("model", "inferred_inputs", model({"__metadata__": texts, **weight}, b"\0" * 24))
    put("model", "arrays", model({"a": tensor("U8", [3], 0, 3), "b": tensor("F64", [1], 3, 11)}, b"\1" * 11))
    put("model", "twice", model('{"a":1,"a":1}'))
    put("model", "overlap", model({"a": tensor("U8", [2], 0, 2), "b": tensor("U8", [2], 1, 3)}, b"\0" * 3))
    put("model", "header_of_two_gigabytes", struct.pack("<Q", 2 << 30) + b'{"')
    put("model", "deep", model('{"__metadata__":' + '{"a":' * 600))


ndarray_lists()
graphs()
models()
