"""Bad input: which exception, and what it says."""

import numpy as np
import pytest

import mxr as mx
from mxr import nd

X = nd.ones((2, 3))

BAD = {
    "shapes that do not broadcast": (lambda: X + nd.ones((2, 4)), ValueError, "broadcast_add"),
    "shapes that differ": (lambda: nd.elemwise_add(X, nd.ones((3, 2))), ValueError, "elemwise_add"),
    "dtypes that differ": (lambda: X + nd.ones((2, 3), dtype="int32"), TypeError, "dtype|float32"),
    "not an array": (lambda: nd.exp(5), TypeError, "exp: argument 'data': expected an NDArray, got int"),
    "a list for an array": (lambda: nd.exp([X]), TypeError, "expected an NDArray|exp"),
    "an input that is missing": (lambda: nd.exp(), TypeError, "data"),
    "an unknown keyword": (lambda: nd.sum(X, keepdim=True), TypeError, "did you mean 'keepdims'"),
    "a wrong kind of value": (lambda: nd.sum(X, axis="a"), TypeError, "argument 'axis'.*integer.*'a'"),
    "an axis that is not there": (lambda: nd.sum(X, axis=2), (ValueError, IndexError), "axis"),
    "an unknown dtype": (lambda: nd.zeros(2, dtype="float31"), TypeError, "did you mean 'float32'"),
    "elements that are texts": (lambda: nd.array(["a"]), ValueError, "a"),
    "a negative size": (lambda: nd.zeros((2, -3)), ValueError, "shape"),
    "a reshape of other size": (lambda: X.reshape((4, 2)), ValueError, "shape"),
    "a device that is not there": (lambda: nd.zeros(2, ctx=mx.gpu(0)), RuntimeError, "gpu"),
    "a device with a wrong name": (lambda: mx.Context("tpu"), ValueError, "tpu"),
    "out that is no array": (lambda: nd.exp(X, out=5), TypeError, "out"),
    "out of another shape": (lambda: nd.exp(X, out=nd.ones(2)), ValueError, "out"),
    "asscalar of several": (lambda: X.asscalar(), ValueError, "one element"),
    "a seed that is no number": (lambda: mx.random.seed(float("nan")), ValueError, "seed_state.*integer, got nan"),
    "len of nothing": (lambda: nd.load("/nowhere/a.params"), OSError, "/nowhere/a.params"),
    "a grad_req of its own": (lambda: X.attach_grad("plus"), ValueError, "grad_req"),
    "zeros in a sparse form": (lambda: nd.zeros(2, stype="csr"), NotImplementedError, "'default'.*'csr'.*dense"),
    "sparse zeros": (lambda: nd.sparse.zeros("row_sparse", (2, 3)), NotImplementedError, "'row_sparse'.*dense"),
    "a sparse matrix": (lambda: nd.sparse.csr_matrix((2, 3)), NotImplementedError, "'csr'.*only dense"),
    "sparse rows": (lambda: nd.sparse.row_sparse_array((2, 3)), NotImplementedError, "only dense arrays"),
    "a cast to a sparse form": (lambda: X.tostype("csr"), NotImplementedError, "stype: expected 'default'"),
    "a storage of its own": (lambda: X.tostype("coo"), ValueError, "'default', 'row_sparse' or 'csr', got 'coo'"),
    "a sparse gradient": (lambda: X.attach_grad(stype="row_sparse"), NotImplementedError, "only dense"),
    "a sparse product": (lambda: nd.dot(X, X.T, forward_stype="csr"), NotImplementedError, "forward_stype"),
    "a sparse class": (lambda: nd.sparse.CSRNDArray(), NotImplementedError, "only dense"),
    "too much memory": (lambda: nd.zeros((2**40, 2**20)).asnumpy(), (MemoryError, ValueError), ""),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_an_exception_that_says_what_was_expected(what):
    call, kind, words = BAD[what]
    with pytest.raises(kind, match=f"(?s){words}"):
        call()
    # The library is as it was.
    assert (X + 1).asnumpy().sum() == 12


def test_arrays_are_dense_whatever_makes_them():
    made = [X, nd.zeros(2, stype="default"), nd.sparse.zeros("default", 2), X.tostype("default"), nd.dot(X, X.T)]
    assert [array.stype for array in made] == ["default"] * 5
    assert not any(isinstance(array, nd.sparse.BaseSparseNDArray) for array in made)
    assert nd.sparse.add(X, X).asnumpy().sum() == 12
    assert nd.cast_storage(X, "default") is X


def test_every_failure_of_the_library_is_an_mxneterror():
    with pytest.raises(mx.MXNetError) as caught:
        X + nd.ones((2, 4))
    assert isinstance(caught.value, mx.base.MXNetError)
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.operator == "broadcast_add"
    assert caught.value.code > 0


def test_an_error_names_the_argument():
    with pytest.raises(mx.MXNetError) as caught:
        nd.sum(X, axis="a")
    assert (caught.value.operator, caught.value.argument) == ("sum", "axis")


def test_a_missing_function_of_mxnet_is_an_attribute_error():
    with pytest.raises(AttributeError):
        nd.no_such_operator


def test_numpy_strings_of_dtypes_are_understood():
    for dtype in ["float32", np.float32, np.dtype("float32"), "f4", float]:
        nd.zeros(1, dtype=dtype)
