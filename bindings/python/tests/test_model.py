"""Models in mxr's own file, and MXNet's checkpoints beside them."""

import json
import struct
from pathlib import Path

import mxr as mx
import numpy as np
import pytest

FORMATS = Path(__file__).parents[3] / "tests/conformance/formats"


def checkpoint():
    """MXNet 1.9.1's (make_model.py beside it)."""
    return mx.model.load_checkpoint(str(FORMATS / "model"), 0)


def same(a, b):
    assert set(a) == set(b)
    for name in a:
        assert a[name].dtype is b[name].dtype
        np.testing.assert_array_equal(a[name].asnumpy(), b[name].asnumpy())


@pytest.mark.parametrize("copy", [False, True])
def test_a_model_comes_back_with_all_its_parts(tmp_path, copy):
    symbol, args, auxs = checkpoint()
    path = tmp_path / "net.safetensors"
    mx.save_model(path, symbol, args, auxs, [("data", (-1, 2, 5, 5))], {"classes": "cat\ndog"})
    model = mx.load_model(path, copy=copy)
    assert model.symbol.tojson() == symbol.tojson()
    same(model.arg_params, args)
    same(model.aux_params, auxs)
    assert model.inputs == [
        mx.model.Input("data", (-1, 2, 5, 5), np.float32),
        mx.model.Input("softmax_label", None, np.float32, True),
    ]
    assert model.metadata == {"classes": "cat\ndog"}


def test_load_checkpoint_opens_a_model_file_where_the_path_is_one(tmp_path):
    symbol, args, auxs = checkpoint()
    path = tmp_path / "net.safetensors"
    mx.save_model(path, symbol, args, auxs)
    found, found_args, found_auxs = mx.model.load_checkpoint(str(path))
    assert found.list_outputs() == ["softmax_output"]
    same(found_args, args)
    same(found_auxs, auxs)
    with pytest.raises(ValueError, match="epoch: expected a number"):
        mx.model.load_checkpoint(str(tmp_path / "none"))


def test_writing_a_loaded_array_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "net.safetensors"
    mx.save_model(path, mx.sym.Variable("w"), {"w": mx.nd.ones((64, 64))})
    before = path.read_bytes()
    array = mx.load_model(path).arg_params["w"]
    array[:] = 7
    array += 1
    assert array.asnumpy().sum() == 8 * 64 * 64
    assert path.read_bytes() == before
    assert mx.load_model(path).arg_params["w"].asnumpy().sum() == 64 * 64


def test_arrays_of_a_model_are_loaded_as_a_list_too(tmp_path):
    symbol, args, auxs = checkpoint()
    path = tmp_path / "net.safetensors"
    mx.save_model(path, symbol, args, auxs)
    found = mx.nd.load(str(path))
    same(found, {f"arg:{k}": v for k, v in args.items()} | {f"aux:{k}": v for k, v in auxs.items()})


def test_another_reader_finds_the_arrays(tmp_path):
    path = tmp_path / "net.safetensors"
    values = {"w": mx.nd.array([[1.5, -2]]), "n": mx.nd.array([3], dtype="int64")}
    mx.save_model(path, mx.sym.Variable("w"), values)
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    for name, dtype in [("w", "F32"), ("n", "I64")]:
        info = header[f"arg:{name}"]
        begin, end = (8 + length + at for at in info["data_offsets"])
        assert info["dtype"] == dtype and info["shape"] == list(values[name].shape)
        assert data[begin:end] == values[name].asnumpy().tobytes()


def test_wrong_arguments_and_files_are_told(tmp_path):
    symbol, args, auxs = checkpoint()
    path = tmp_path / "net.safetensors"
    with pytest.raises(mx.error.MissingFileError, match="none.safetensors"):
        mx.load_model(tmp_path / "none.safetensors")
    with pytest.raises(TypeError, match="symbol: expected a Symbol, got str"):
        mx.save_model(path, "net", args)
    with pytest.raises(mx.error.NotFoundError, match="bn_moving_mean"):
        mx.save_model(path, symbol, args)
    with pytest.raises(mx.error.NotFoundError, match="expected one of the inputs data, softmax_label"):
        mx.save_model(path, symbol, args, auxs, [("image", (1,))])
    with pytest.raises(mx.error.ShapeError, match="conv_bias"):
        mx.save_model(path, symbol, args | {"conv_bias": mx.nd.ones(5)}, auxs)
    with pytest.raises(mx.error.InvalidValueError, match="mxr.symbol"):
        mx.save_model(path, symbol, args, auxs, metadata={"mxr.symbol": "mine"})
    assert not path.exists()
    path.write_bytes(b"not a model")
    with pytest.raises(mx.error.FormatError, match="net.safetensors"):
        mx.load_model(path)
