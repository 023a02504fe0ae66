"""Arrays in MXNet's files."""

from pathlib import Path

import numpy as np
import pytest

from mxr import nd

FORMATS = Path(__file__).parents[3] / "tests/conformance/formats"


def test_a_dict_comes_back_with_its_names(tmp_path):
    path = tmp_path / "model.params"
    nd.save(path, {"weight": nd.array([[1, 2]]), "bias": nd.array([3], dtype="int32")})
    found = nd.load(path)
    assert list(found) == ["weight", "bias"]
    assert found["weight"].asnumpy().tolist() == [[1, 2]]
    assert found["bias"].dtype is np.int32


def test_a_list_comes_back_as_a_list(tmp_path):
    path = str(tmp_path / "arrays")
    nd.save(path, [nd.ones(2), nd.zeros((1, 3))])
    assert [a.shape for a in nd.load(path)] == [(2,), (1, 3)]
    nd.save(path, nd.ones(2))
    assert [a.shape for a in nd.load(path)] == [(2,)]


def test_bytes_are_loaded_like_a_file(tmp_path):
    path = tmp_path / "arrays"
    nd.save(path, {"a": nd.array([1, 2])})
    assert nd.load_frombuffer(path.read_bytes())["a"].asnumpy().tolist() == [1, 2]


def test_results_that_are_still_computed_are_saved(tmp_path):
    path = tmp_path / "arrays"
    array = nd.ones((300, 300))
    for _ in range(20):
        array = array + 1
    nd.save(path, array)
    assert nd.load(path)[0].asnumpy().max() == 21


@pytest.mark.parametrize(
    "name",
    sorted(p.name for p in FORMATS.glob("dtype_*.params"))
    + ["list.params", "dict.params", "v1.params"],
)
def test_files_of_mxnet_are_read(name):
    found = nd.load(FORMATS / name)
    arrays = found.values() if isinstance(found, dict) else found
    assert all(a.asnumpy().size == a.size for a in arrays)


def test_sparse_arrays_of_a_file_become_dense():
    found = nd.load(FORMATS / "converted.params")
    for name, array in found.items():
        dense = found[name.split(":")[0]].asnumpy()
        assert array.stype == "default"
        assert np.array_equal(array.asnumpy(), dense, equal_nan=array.dtype != np.int32), name


def test_what_is_no_file_of_arrays_is_refused(tmp_path):
    path = tmp_path / "arrays"
    path.write_bytes(b"something else entirely")
    with pytest.raises(ValueError):
        nd.load(path)
    with pytest.raises(OSError):
        nd.load(tmp_path / "missing")


def test_what_cannot_be_saved_is_refused(tmp_path):
    for data in [5, {1: nd.ones(1)}, [1, 2], {"a": np.ones(2)}]:
        with pytest.raises(TypeError):
            nd.save(tmp_path / "arrays", data)
    assert not (tmp_path / "arrays").exists()
