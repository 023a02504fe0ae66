"""The generated functions: signatures, help, and how values get to the operators."""

import inspect

import numpy as np
import pytest

import mxr as mx
from cases import OPERATORS, function
from mxr import nd


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_signature_and_help_say_what_the_schema_says(name):
    schema, call = OPERATORS[name], function(name)
    signature = inspect.signature(call)
    names = [i["name"] for i in schema["inputs"]] + [a["name"] for a in schema["attrs"]]
    shown = list(signature.parameters)
    assert [n.rstrip("_") if n not in names else n for n in shown] == [
        *names,
        "out",
        "name",
        "kwargs",
    ]
    text = inspect.getdoc(call)
    first = " ".join(schema["doc"].split()[:3])
    assert " ".join(text.split()).startswith(first)
    for part in schema["inputs"] + schema["attrs"]:
        assert f"{part['name']} : " in text
    assert "Parameters\n----------" in text and "Returns\n-------" in text


def test_defaults_are_shown():
    parameters = inspect.signature(nd.sum).parameters
    assert str(inspect.signature(nd.sum)) == (
        "(data, axis=None, keepdims=False, exclude=False, out=None, name=None, **kwargs)"
    )
    assert parameters["keepdims"].default is False


def test_attributes_come_by_position_and_by_name():
    x = nd.ones((2, 3))
    for result in [
        nd.sum(x, 1),
        nd.sum(x, axis=1),
        nd.sum(data=x, axis=(1,)),
        nd.sum(x, [1]),
        x.sum(1),
    ]:
        assert result.asnumpy().tolist() == [3, 3]
    assert nd.sum(x, 1, True).shape == (2, 1)


def test_numbers_of_numpy_are_values():
    x = nd.ones((2, 3))
    assert nd.sum(x, axis=np.int64(1), keepdims=np.bool_(True)).shape == (2, 1)
    assert nd.sum(x, axis=np.array([0, 1])).shape == (1,)
    assert nd.sum(x, axis=1.0).shape == (2,)


def test_none_is_the_default():
    assert nd.sum(nd.ones((2, 3)), axis=None, keepdims=None).shape == (1,)


def test_name_is_accepted():
    assert nd.exp(nd.zeros(1), name="exp0").asscalar() == 1


def test_out_may_be_an_input():
    x = nd.array([1, 4])
    assert nd.sqrt(x, out=x) is x
    assert x.asnumpy().tolist() == [1, 2]


def test_aliases_are_the_same_function():
    assert nd.sum_axis is nd.sum
    assert nd._internal._plus is nd.elemwise_add


def test_functions_of_namespaces_are_where_mxnet_has_them():
    assert hasattr(nd._internal, "_plus_scalar")
    assert not hasattr(nd, "_sum_like")
    for module in (nd.contrib, nd.linalg, nd.image, nd.sparse, nd.random, nd.op):
        assert inspect.ismodule(module)


def test_functions_for_arrays_and_numbers_broadcast():
    x = nd.array([1, 2, 3])
    assert nd.add(x, 1).asnumpy().tolist() == [2, 3, 4]
    assert nd.subtract(1, x).asnumpy().tolist() == [0, -1, -2]
    assert nd.maximum(x, 2).asnumpy().tolist() == [2, 2, 3]
    assert nd.minimum(2, x).asnumpy().tolist() == [1, 2, 2]
    assert nd.greater(2, x).asnumpy().tolist() == [1, 0, 0]
    assert nd.power(x, x).asnumpy().tolist() == [1, 4, 27]
    assert nd.add(1, 2) == 3


def test_seeds_repeat_random_numbers():
    mx.random.seed(7)
    first = nd.random.uniform(shape=(5,)).asnumpy()
    second = nd.random.uniform(shape=(5,)).asnumpy()
    mx.random.seed(7)
    assert (nd.random.uniform(shape=(5,)).asnumpy() == first).all()
    assert (first != second).any()


def test_random_functions_follow_their_parameters():
    mx.random.seed(1)
    assert nd.random.normal(5, 0.1, shape=(2, 3)).shape == (2, 3)
    assert abs(nd.random.normal(5, 0.1, shape=(1000,)).asnumpy().mean() - 5) < 0.02
    assert nd.random.randn(2, 3).shape == (2, 3)
    assert nd.random.randint(0, 5, shape=(100,)).asnumpy().max() == 4
    assert nd.random.uniform(nd.array([0, 10]), nd.array([1, 20]), shape=3).shape == (2, 3)
    assert nd.random.poisson(3, shape=4).shape == (4,)
    assert nd.random.gamma(2, 2, shape=4).shape == (4,)
    assert nd.random.exponential(2, shape=4).shape == (4,)
    assert mx.random.uniform is nd.random.uniform


def test_foreach_steps_through_rows():
    data, start = nd.array([[1, 2], [3, 4], [5, 6]]), nd.zeros(2)
    start.attach_grad()
    with mx.autograd.record():
        sums, last = nd.contrib.foreach(lambda row, s: (row + s, row + s), data, start)
        total = sums.sum()
    assert sums.asnumpy().tolist() == [[1, 2], [4, 6], [9, 12]]
    assert last.asnumpy().tolist() == [9, 12]
    total.backward()
    assert start.grad.asnumpy().tolist() == [3, 3]


def test_while_loop_stacks_its_outputs():
    outputs, values = nd.contrib.while_loop(
        lambda i, s: i <= 3,
        lambda i, s: ([i * s], [i + 1, s + i]),
        [nd.array([1]), nd.array([1])],
        max_iterations=5,
    )
    assert outputs[0].asnumpy().ravel().tolist() == [1, 4, 12, 0, 0]
    assert [v.asscalar() for v in values] == [4, 7]


def test_cond_takes_one_side():
    assert nd.contrib.cond(nd.array([1]), lambda: nd.ones(1), lambda: nd.zeros(1)).asscalar() == 1
    assert nd.contrib.cond(nd.array([0]), lambda: nd.ones(1), lambda: nd.zeros(1)).asscalar() == 0


def test_numbers_are_told_apart():
    x = nd.array([1, np.nan, np.inf, -np.inf])
    assert nd.contrib.isnan(x).asnumpy().tolist() == [0, 1, 0, 0]
    assert nd.contrib.isinf(x).asnumpy().tolist() == [0, 0, 1, 1]
    assert nd.contrib.isfinite(x).asnumpy().tolist() == [1, 0, 0, 0]


def test_pieces_are_cut_where_asked():
    x = nd.array([[1, 2, 3, 4]])
    assert [p.asnumpy().tolist() for p in nd.split_v2(x, (1, 3), axis=1)] == [
        [[1]],
        [[2, 3]],
        [[4]],
    ]
    assert [p.shape for p in x.split_v2(2, axis=1)] == [(1, 2), (1, 2)]
    assert [p.shape for p in nd.split(x, num_outputs=4, axis=1)] == [(1, 1)] * 4
    assert len(nd.split(nd.ones((20, 1)), num_outputs=20, axis=0)) == 20
