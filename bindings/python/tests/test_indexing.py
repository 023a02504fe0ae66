"""Indexing, against NumPy. In MXNet a single element has an axis too: its shape is (1,)."""

import numpy as np
import pytest

import mxr as mx
from mxr import nd

BASIC = [
    0, -1, 1, np.int64(1), slice(None), slice(1, 2), slice(0, 0), slice(None, None, 2),
    slice(None, None, -1), slice(2, 0, -1), slice(-2, None), slice(5, 9), Ellipsis, None, (),
    (0, 0), (1, -1, 2), (slice(None), 1), (slice(None), slice(1, 3)), (0, slice(1, 3)),
    (1, slice(None), 2), (Ellipsis, 0), (Ellipsis, slice(1, None)), (0, Ellipsis, 0),
    (slice(None), None, 1), (None, 0), (None, Ellipsis, None), (slice(None, None, -1), 0),
    (slice(None, None, -2), slice(None, None, -1)), (slice(1, 1), 0), (0, 1, 2),
    (slice(0, 1), slice(None), slice(None)), (slice(0, 1), slice(1, 2), slice(1, 3)),
    (1, slice(0, 1), slice(None)), (Ellipsis, slice(3, None, -2)),
]  # fmt: skip

ADVANCED = [
    [0, 1], [1, 0, 1], [[0, 1], [1, 1]], np.array([-1, 0]), np.array([], int),
    ([0, 1], [1, 2]), ([0, 1], slice(None), [1, 2]), (slice(None), [0, 2]), (slice(None), [0, 2], 1),
    (0, [0, 2]), ([0, 1], 1), ([0, 1], Ellipsis), (Ellipsis, [0, 3]), (Ellipsis, [[0], [1]], [0, 3]),
    ([[0], [1]], [0, 2, 1]), (slice(None), slice(1, None), [0, 2]), (slice(None, None, -1), [0, 2]),
    ([0, 1], None), (None, [0, 1]), ([0, 1], None, [1, 2]), (slice(None), [0, 1], [2, 3]),
    np.array([True, False]), [False, True], (slice(None), np.array([True, False, True])),
    np.array([False, False]), (np.array([True, True]), [0, 2]),
    np.arange(24).reshape(2, 3, 4) % 3 == 0, (np.arange(6).reshape(2, 3) > 2),
    (np.arange(6).reshape(2, 3) > 2, slice(1, 3)), (0, np.arange(12).reshape(3, 4) % 2 == 0),
    ([0, 1], slice(None), np.array([True, False, True, False])),
]  # fmt: skip


def like_mxnet(result):
    """A single element has an axis."""
    return result.reshape(1) if result.ndim == 0 else result


@pytest.mark.parametrize("key", BASIC + ADVANCED, ids=str)
def test_reading_follows_numpy(key):
    host = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    expected = like_mxnet(host[tuple(key) if isinstance(key, tuple) else key])
    got = nd.array(host)[key]
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got.asnumpy(), expected)


@pytest.mark.parametrize("key", BASIC + ADVANCED, ids=str)
def test_writing_a_number_follows_numpy(key):
    host = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    array = nd.array(host)
    array[key] = -5
    host[key] = -5
    np.testing.assert_array_equal(array.asnumpy(), host)


@pytest.mark.parametrize("key", BASIC + ADVANCED, ids=str)
def test_writing_an_array_follows_numpy(key):
    host = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    array = nd.array(host)
    value = -1 - np.arange(host[key].size, dtype=np.float32).reshape(host[key].shape)
    # Where a key names an element twice, the order of writing is nobody's promise.
    numbers = np.arange(24).reshape(2, 3, 4)[key]
    if len(np.unique(numbers)) != numbers.size:
        value[...] = -7
    array[key] = nd.array(value).reshape(value.shape) if value.size else value
    host[key] = value
    np.testing.assert_array_equal(array.asnumpy(), host)


def test_values_are_broadcast_to_the_place():
    array = nd.zeros((2, 3, 4))
    array[:, 1] = nd.array([1, 2, 3, 4])
    array[0] = [[5], [6], [7]]
    expected = np.zeros((2, 3, 4))
    expected[:, 1] = [1, 2, 3, 4]
    expected[0] = [[5], [6], [7]]
    np.testing.assert_array_equal(array.asnumpy(), expected)


def test_values_that_do_not_fit_are_refused():
    array = nd.zeros((2, 3))
    with pytest.raises(ValueError):
        array[0] = nd.ones(2)
    with pytest.raises(ValueError):
        array[:, 1] = np.ones((3, 2))


@pytest.mark.parametrize(
    "key", [1, slice(0, 1), slice(1, 2), (0, slice(1, 3)), (1, 2), (1, 1, slice(1, 3))]
)
def test_slices_that_lie_together_are_views(key):
    array = nd.zeros((2, 3, 4))
    array[key][:] = 1
    expected = np.zeros((2, 3, 4))
    expected[key] = 1
    np.testing.assert_array_equal(array.asnumpy(), expected)


@pytest.mark.parametrize(
    "key", [(slice(None), 1), slice(None, None, 2), [0, 1], (Ellipsis, slice(0, 2))]
)
def test_other_keys_copy(key):
    array = nd.zeros((4, 3, 4))
    array[key][:] = 1
    assert array.asnumpy().sum() == 0


def test_index_arrays_may_be_ndarrays():
    array = nd.array([[1, 2], [3, 4], [5, 6]])
    for dtype in ["int32", "int64", "float32"]:
        found = array[nd.array([2, 0], dtype=dtype)]
        np.testing.assert_array_equal(found.asnumpy(), [[5, 6], [1, 2]])
    mask = nd.array([1, 0, 1], dtype="bool")
    np.testing.assert_array_equal(array[mask].asnumpy(), [[1, 2], [5, 6]])


@pytest.mark.parametrize(
    "key",
    [
        2,
        -3,
        (0, 3),
        (0, 0, 0, 0),
        [0, 2],
        ([0], [3]),
        np.ones((3, 3), bool),
        "a",
        1.5,
        ([0, 1], [0, 1, 2]),
    ],
)
def test_keys_that_do_not_fit_are_index_errors(key):
    array = nd.zeros((2, 3, 4))
    with pytest.raises(IndexError):
        array[key]
    with pytest.raises(IndexError):
        array[key] = 1


def test_gradients_flow_through_indexing():
    array = nd.array(np.arange(24).reshape(2, 3, 4))
    array.attach_grad()
    for key in [
        1,
        slice(0, 1),
        (0, slice(1, 3)),
        (slice(None), 1),
        [1, 0, 1],
        (slice(None), [0, 2]),
    ]:
        with mx.autograd.record():
            total = (array[key] * 2).sum()
        total.backward()
        expected = np.zeros((2, 3, 4))
        np.add.at(expected, key, 2)
        np.testing.assert_array_equal(array.grad.asnumpy(), expected)


def test_writing_while_recorded_is_refused():
    array = nd.zeros((2, 2))
    array.attach_grad()
    with mx.autograd.record():
        result = array * 2
        with pytest.raises(mx.MXNetError, match="recording"):
            result[0] = 1
