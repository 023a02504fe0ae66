"""Arrays of more than 2^32 elements; collected by `cargo xtask test --full` only."""

import numpy as np
import pytest

from mxr import nd

ROWS = 2**16
N = ROWS * (ROWS + 1)
#: A place that 32 bits cannot say.
FAR = 2**32 + 7


def free_bytes():
    with open("/proc/meminfo") as lines:
        sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return sizes["MemAvailable"] * 1024


@pytest.fixture(scope="module")
def array():
    if free_bytes() < 12e9:
        pytest.skip("needs 12 GB of free memory")
    return nd.zeros(N, dtype="bool")


def test_sizes_have_64_bits(array):
    assert (array.shape, array.size, len(array)) == ((N,), N, N)
    assert array.reshape((-1, ROWS + 1)).shape == (ROWS, ROWS + 1)


def test_a_slice_far_behind_writes_through(array):
    array[FAR : FAR + 2] = True
    array[-1] = True
    assert array[FAR - 1 : FAR + 3].asnumpy().tolist() == [False, True, True, False]
    assert array[6:11].asnumpy().tolist() == [False] * 5
    assert array[N - 1].asscalar()
    rows = array.reshape((ROWS, ROWS + 1))
    assert rows[FAR // (ROWS + 1), FAR % (ROWS + 1)].asscalar()
    array[-1] = False


def test_reductions_find_what_is_far_behind(array):
    array[FAR] = True
    assert nd.argmax(array, axis=0).asscalar() == FAR
    assert nd.sum(array).asscalar()
    rows = nd.sum(array.reshape((ROWS, ROWS + 1)), axis=1).asnumpy()
    assert np.flatnonzero(rows).tolist() == [FAR // (ROWS + 1)]


def test_numpy_shares_all_of_it(array):
    host = np.from_dlpack(array)
    assert host.shape == (N,)
    array[FAR] = True
    array.wait_to_read()
    assert host[FAR]
