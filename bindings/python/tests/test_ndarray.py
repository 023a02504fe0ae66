"""Arrays: making them, looking at them, computing with Python's operators."""

import copy
import pickle

import numpy as np
import pytest

import mxr as mx
from mxr import nd

DTYPES = ["float64", "float32", "float16", "int64", "int32", "int8", "uint8", "bool"]


def same(array, expected):
    np.testing.assert_array_equal(array.asnumpy(), np.asarray(expected))


def test_array_makes_float32_from_anything():
    for source in [[1, 2], (1.0, 2.0), np.array([1, 2]), np.array([1.0, 2.0])]:
        assert nd.array(source).dtype is np.float32


def test_array_takes_the_dtype_of_an_ndarray():
    assert nd.array(nd.array([1, 2], dtype="int32")).dtype is np.int32


@pytest.mark.parametrize("dtype", DTYPES)
def test_elements_survive_the_way_there_and_back(dtype):
    host = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    array = nd.array(host, dtype=dtype)
    assert np.dtype(array.dtype) == dtype
    assert array.asnumpy().dtype == dtype
    same(array, host)


def test_bfloat16_elements_are_rounded_to_even():
    array = nd.array([1.0, 1 + 2**-8, 1 + 3 * 2**-8], dtype="bfloat16")
    wide = (array.asnumpy().view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    assert wide.tolist() == [1.0, 1.0, 1 + 2**-6]
    assert str(array.dtype) == "bfloat16" or array.dtype.__name__ == "bfloat16"


def test_shape_size_and_ndim_describe_an_array():
    array = nd.zeros((2, 3, 4))
    assert (array.shape, array.size, array.ndim, len(array)) == ((2, 3, 4), 24, 3, 2)


def test_shapes_with_many_axes_are_whole():
    assert nd.zeros((1, 2) * 6).shape == (1, 2) * 6


def test_full_ones_and_zeros_fill():
    same(nd.full((2, 2), 7), np.full((2, 2), 7))
    same(nd.ones(3), np.ones(3))
    same(nd.zeros((2, 3), dtype="int32"), np.zeros((2, 3)))


def test_out_receives_the_result():
    out = nd.empty((2, 2))
    assert nd.ones((2, 2), out=out) is out
    same(out, np.ones((2, 2)))


def test_operators_of_python_follow_numpy():
    a, b = np.array([[1.0, 2], [3, 4]], np.float32), np.array([[4.0, 3], [2, 1]], np.float32)
    x, y = nd.array(a), nd.array(b)
    same(x + y, a + b)
    same(x - y, a - b)
    same(x * y, a * b)
    same(x / y, a / b)
    same(-x, -a)
    same(+x, a)


def test_numbers_go_on_either_side():
    a = np.array([1.0, 2, 4], np.float32)
    x = nd.array(a)
    for number in [2, 2.0, np.float32(2), np.int64(2), True]:
        same(x + number, a + number)
        same(number + x, number + a)
        same(x - number, a - number)
        same(number - x, number - a)
        same(x * number, a * number)
        same(number * x, number * a)
        same(x / number, a / number)
        same(number / x, number / a)


def test_arrays_broadcast():
    x, y = nd.array([[1], [2]]), nd.array([[10, 20, 30]])
    same(x + y, [[11, 21, 31], [12, 22, 32]])


def test_power_and_remainder_follow_numpy():
    a = np.array([1.0, 2, 3], np.float32)
    x = nd.array(a)
    same(x**2, a**2)
    same(2**x, 2**a)
    same(x % 2, a % 2)


def test_comparisons_give_ones_and_zeros():
    x, y = nd.array([1, 2, 3]), nd.array([3, 2, 1])
    same(x == y, [0, 1, 0])
    same(x != y, [1, 0, 1])
    same(x < y, [1, 0, 0])
    same(x <= y, [1, 1, 0])
    same(x > 1, [0, 1, 1])
    same(2 >= x, [1, 1, 0])


def test_an_array_differs_from_what_it_cannot_be_compared_with():
    x = nd.ones(2)
    assert x is not None
    assert (x == None) is False  # noqa: E711
    assert x != "text"


def test_in_place_operators_keep_the_array():
    x = nd.array([1, 2, 3])
    same_object = x
    x += 1
    x *= nd.array([2, 2, 2])
    x -= 1
    x /= 2
    assert x is same_object
    same(x, (np.array([2, 3, 4]) * 2 - 1) / 2)


def test_numpy_arrays_are_not_mixed_in_silently():
    with pytest.raises(TypeError):
        nd.ones(2) + np.ones(2)
    with pytest.raises(TypeError):
        np.ones(2) + nd.ones(2)


def test_matrix_product_operator_is_dot():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    same(nd.array(a) @ nd.array(b), a @ b)


def test_one_element_converts_to_a_number():
    assert float(nd.array([2.5])) == 2.5
    assert int(nd.array([2], dtype="int32")) == 2
    assert nd.array([3.5]).asscalar() == 3.5
    assert [10, 20, 30][nd.array([1], dtype="int64")] == 20


def test_truth_is_that_of_the_one_element():
    assert nd.array([1])
    assert not nd.array([0])
    with pytest.raises(ValueError):
        bool(nd.ones(2))


def test_float_index_is_refused():
    with pytest.raises(TypeError):
        [1, 2][nd.array([1.0])]


def test_iteration_gives_rows():
    rows = list(nd.array([[1, 2], [3, 4]]))
    assert [r.asnumpy().tolist() for r in rows] == [[1, 2], [3, 4]]


def test_repr_shows_elements_shape_and_device():
    assert repr(nd.array([[1, 2]])) == "\n[[1. 2.]]\n<NDArray 1x2 @cpu(0)>"
    assert "NDArray 1x2" in nd.array([[1, 2]])._repr_html_()


def test_numpy_functions_take_arrays():
    assert np.asarray(nd.array([1, 2])).tolist() == [1, 2]
    assert np.array(nd.array([1, 2]), dtype="int64").dtype == np.int64
    assert np.exp(nd.array([0.0])).tolist() == [1]


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
def test_pickling_keeps_dtype_and_elements(dtype):
    array = nd.array([[1, 0, 1]], dtype=dtype)
    again = pickle.loads(pickle.dumps(array))
    assert again.dtype == array.dtype
    assert again.asnumpy().tobytes() == array.asnumpy().tobytes()
    assert again.context == array.context


def test_copies_are_independent():
    array = nd.array([1, 2, 3])
    for other in [array.copy(), copy.copy(array), copy.deepcopy(array), array.copyto(mx.cpu())]:
        other += 1
        same(array, [1, 2, 3])
        same(other, [2, 3, 4])


def test_copyto_writes_another_array_and_converts():
    out = nd.zeros(3, dtype="int32")
    assert nd.array([1, 2, 3]).copyto(out) is out
    same(out, [1, 2, 3])


def test_as_in_context_copies_only_to_another_device():
    array = nd.ones(2)
    assert array.as_in_context(mx.cpu()) is array
    assert array.as_in_context(mx.cpu(1)).context == mx.cpu(1)


def test_astype_converts():
    array = nd.array([1.7, -1.7])
    same(array.astype("int32"), [1, -1])
    assert array.astype("float32", copy=False) is array
    assert array.astype("float32") is not array


def test_reshape_shares_elements():
    array = nd.zeros((2, 3))
    array.reshape((3, 2))[:] = 1
    same(array, np.ones((2, 3)))


@pytest.mark.parametrize(
    ("shape", "codes", "expected"),
    [
        ((2, 3, 4), (4, 0, 2), (4, 3, 2)),
        ((2, 3, 4), (2, 0, 0), (2, 3, 4)),
        ((2, 3, 4), (6, 1, -1), (6, 1, 4)),
        ((2, 3, 4), (-1,), (24,)),
        ((2, 3, 4), (-2,), (2, 3, 4)),
        ((2, 3, 4), (2, -2), (2, 3, 4)),
        ((2, 3, 4), (-2, 1, 1), (2, 3, 4, 1, 1)),
        ((2, 3, 4), (-3, 4), (6, 4)),
        ((2, 3, 4, 5), (-3, -3), (6, 20)),
        ((2, 3, 4), (0, -3), (2, 12)),
        ((2, 3, 4), (-4, 1, 2, -2), (1, 2, 3, 4)),
        ((2, 3, 4), (2, -4, -1, 3, -2), (2, 1, 3, 4)),
    ],
)
def test_reshape_knows_the_special_codes(shape, codes, expected):
    assert nd.zeros(shape).reshape(codes).shape == expected
    assert nd.zeros(shape).reshape(*codes).shape == expected
    assert nd.zeros(shape).reshape(shape=codes).shape == expected


def test_reshape_reads_from_the_right_with_reverse():
    assert nd.zeros((10, 5, 4)).reshape((-1, 0)).shape == (40, 5)
    assert nd.zeros((10, 5, 4)).reshape((-1, 0), reverse=True).shape == (50, 4)


def test_methods_are_the_functions_of_the_operators():
    array = nd.array([[1, 2], [3, 4]])
    same(array.sum(axis=0), [4, 6])
    same(array.T, [[1, 3], [2, 4]])
    same(array.mean(), [2.5])
    same(array.transpose((1, 0)), [[1, 3], [2, 4]])
    assert array.expand_dims(0).shape == (1, 2, 2)
    assert array.flatten().shape == (2, 2)


def test_devices_are_scoped():
    assert nd.zeros(1).context == mx.cpu(0)
    with mx.cpu(1):
        assert mx.current_context() == mx.cpu(1)
        assert nd.zeros(1).context == mx.cpu(1)
        assert nd.array([1]).context == mx.cpu(1)
    assert mx.current_context() == mx.cpu(0)
    assert nd.zeros(1, ctx=mx.cpu(2)).ctx == mx.cpu(2)
    assert mx.Context("cpu", 1) == mx.cpu(1) != mx.cpu(0)
    assert str(mx.gpu(1)) == "gpu(1)"
    assert mx.num_gpus() == 0


def test_sizes_of_zero_are_allowed():
    assert nd.zeros((0, 3)).asnumpy().shape == (0, 3)


def test_temporaries_do_not_pile_up():
    array = nd.ones(1000)
    for _ in range(1000):
        array + 1
    nd.waitall()
    before = mx.engine.memory_stats()[0]
    for _ in range(100_000):
        array + 1
    nd.waitall()
    assert mx.engine.memory_stats()[0] <= before + 10 * array.size * 4


def test_helpers_stand_in_for_mxnet_imports():
    import subprocess
    import sys

    code = (
        "import mxr; mxr.install_as_mxnet(); import mxnet as mx; from mxnet import nd, autograd; "
        "import mxnet.ndarray as x; assert x is nd is mx.nd; print(nd.ones(1).asscalar())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "1.0"), done.stderr
