"""Elements that are shared with other libraries."""

import gc
import weakref

import numpy as np
import pytest
import tvm_ffi

import mxr as mx
from mxr import nd

DTYPES = ["float64", "float32", "float16", "int64", "int32", "int8", "uint8", "bool"]


class Host(np.ndarray):
    """A numpy array that can be watched."""


def settle():
    nd.waitall()
    gc.collect()
    mx._core.poll_events()
    gc.collect()


@pytest.mark.parametrize("dtype", DTYPES)
def test_from_numpy_shares_elements(dtype):
    host = np.array([[1, 0], [0, 1]], dtype)
    array = nd.from_numpy(host)
    assert np.dtype(array.dtype) == dtype
    array[0, 1] = 1
    assert host[0, 1] == 1
    assert not host.flags.writeable


def test_from_numpy_copies_if_asked():
    host = np.array([1.0, 2.0])
    array = nd.from_numpy(host, zero_copy=False)
    host[0] = 5
    assert array.asnumpy().tolist() == [1, 2]
    assert array.dtype is np.float64


def test_from_numpy_refuses_what_it_cannot_share():
    with pytest.raises(ValueError, match="C-contiguous"):
        nd.from_numpy(np.zeros((2, 3)).T)
    with pytest.raises(TypeError):
        nd.from_numpy(np.zeros(2, np.complex64))


def test_shared_memory_lives_as_long_as_the_array_and_no_longer():
    host = np.zeros(1000, np.float32).view(Host)
    gone = weakref.ref(host)
    array = nd.from_numpy(host)
    view = array[10:20]
    del host, array
    settle()
    assert gone() is None or view.asnumpy().sum() == 0
    del view
    settle()
    assert gone() is None


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_reads_dlpack_without_a_copy(dtype):
    array = nd.array([[1, 0, 1], [0, 1, 1]], dtype=dtype)
    host = np.from_dlpack(array)
    assert host.dtype == dtype
    np.testing.assert_array_equal(host, array.asnumpy())
    array[0, 1] = 1
    array.wait_to_read()
    assert host[0, 1] == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_of_numpy_is_shared(dtype):
    host = np.array([[1, 0, 1], [0, 1, 1]], dtype)
    array = nd.from_dlpack(host)
    assert np.dtype(array.dtype) == dtype
    array[0, 1] = 1
    array.wait_to_read()
    assert host[0, 1] == 1


def test_a_capsule_is_used_once():
    array = nd.ones((2, 2))
    capsule = nd.to_dlpack_for_read(array)
    again = nd.from_dlpack(capsule)
    again[:] = 3
    assert array.asnumpy().sum() == 12
    with pytest.raises(ValueError, match="used"):
        nd.from_dlpack(capsule)


def test_an_unused_capsule_gives_its_array_back():
    before = mx.engine.memory_stats()[0]
    for _ in range(100):
        nd.ones(10_000).to_dlpack_for_write()
    settle()
    assert mx.engine.memory_stats()[0] <= before + 200_000


def test_imported_memory_is_given_back():
    host = np.zeros(1000, np.float32).view(Host)
    gone = weakref.ref(host)
    array = nd.from_dlpack(host)
    del host
    assert array.asnumpy().sum() == 0
    del array
    settle()
    assert gone() is None


def test_strided_tensors_are_refused():
    with pytest.raises(NotImplementedError, match="row-major"):
        nd.from_dlpack(np.zeros((4, 4))[:, ::2])


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
def test_a_library_other_than_numpy_shares_elements(dtype):
    array = nd.array([[1, 0, 1], [0, 1, 1]], dtype=dtype)
    tensor = tvm_ffi.from_dlpack(array)
    assert (tuple(tensor.shape), str(tensor.dtype)) == ((2, 3), dtype)
    back = nd.from_dlpack(tensor)
    assert back.dtype is array.dtype
    back[0, 1] = 1
    back.wait_to_read()
    assert array.astype("float32").asnumpy()[0].tolist() == [1, 1, 1]


def test_memory_that_another_library_holds_stays():
    before = mx.engine.memory_stats()[0]
    tensor = tvm_ffi.from_dlpack(nd.full((1000, 1000), 7))
    settle()
    assert mx.engine.memory_stats()[0] >= before + 4_000_000
    assert nd.from_dlpack(tensor).asnumpy().sum() == 7_000_000
    del tensor
    settle()
    assert mx.engine.memory_stats()[0] < before + 4_000_000
