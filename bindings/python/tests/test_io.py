"""Data iterators: MXNet's batches, a user's own, iterators over iterators, wrong use."""

import json
from pathlib import Path

import numpy as np
import pytest

import mxr as mx

#: What MXNet 1.9.1 did; see tests/conformance/oracle/make_training.py.
ORACLE = json.loads((Path(__file__).parents[3] / "tests/conformance/training.json").read_text())


def plain(array):
    return {
        "shape": list(array.shape),
        "dtype": np.dtype(array.dtype).name,
        "data": array.asnumpy().ravel().tolist(),
    }


def array(given):
    return mx.nd.array(np.array(given["data"]).reshape(given["shape"]), dtype=given["dtype"])


def arrays(given):
    """One array or several by name, as the file has them."""
    named = {name: array(a) for name, a in given.items()}
    return named[""] if "" in named else named or None


def opened(case, folder):
    attrs = dict(case["attrs"])
    if case["iterator"] == "NDArrayIter":
        return mx.io.NDArrayIter(arrays(case["data"]), arrays(case["label"]), **attrs)
    kind = {"CSVIter": "csv", "LibSVMIter": "libsvm"}.get(case["iterator"])
    if kind is not None:
        for name in (f"data_{kind}", f"label_{kind}"):
            if case[name] is not None:
                (folder / name).write_text(case[name])
                attrs[name] = str(folder / name)
        return getattr(mx.io, case["iterator"])(**attrs)
    for name, content in (("image", case["image"]), ("label", case["label_file"])):
        (folder / name).write_bytes(bytes(content))
        attrs[name] = str(folder / name)
    return mx.io.MNISTIter(**attrs)


def described(descs):
    return [[d.name, list(d.shape), np.dtype(d.dtype).name, d.layout] for d in descs]


@pytest.mark.parametrize("case", ORACLE["iterators"], ids=lambda c: f"{c['iterator']} {c['attrs']}")
def test_batches_are_those_of_mxnet_epoch_after_epoch(case, tmp_path):
    iterator = opened(case, tmp_path)
    assert described(iterator.provide_data) == case["provide_data"]
    assert described(iterator.provide_label) == case["provide_label"]
    for epoch in case["epochs"]:
        found = [
            {"data": [plain(a) for a in b.data], "label": [plain(a) for a in b.label], "pad": b.pad}
            for b in iterator
        ]
        assert found == epoch
        iterator.reset()


def test_arrays_come_from_numpy_from_lists_and_by_name():
    two = np.arange(6).reshape(3, 2)
    iterator = mx.io.NDArrayIter([two, two + 1], {"y": np.arange(3)}, 2, label_name="unused")
    assert [d.name for d in iterator.provide_data] == ["_0_data", "_1_data"]
    assert [d.name for d in iterator.provide_label] == ["y"]
    assert iterator.batch_size == 2 and iterator.provide_data[0] == ("_0_data", (2, 2))
    batch = iterator.next()
    assert batch.data[1].asnumpy().tolist() == [[1, 2], [3, 4]]
    assert batch.index.tolist() == [0, 1] and batch.pad == 0
    assert str(batch) == "DataBatch: data shapes: [(2, 2), (2, 2)] label shapes: [(2,)]"


def test_the_order_follows_from_the_seed_and_covers_every_example():
    def order(seed):
        iterator = mx.io.NDArrayIter(mx.nd.arange(12), batch_size=4, shuffle=True, seed=seed)
        epochs = []
        for _ in range(2):
            epochs.append([x for batch in iterator for x in batch.data[0].asnumpy().tolist()])
            iterator.reset()
        return epochs

    first, second = order(3)
    assert order(3) == [first, second] and first != second
    assert sorted(first) == sorted(second) == list(range(12))
    mx.random.seed(1)
    unseeded = order(None)
    mx.random.seed(1)
    assert order(None) == unseeded


def test_a_hard_reset_carries_nothing_over():
    iterator = mx.io.NDArrayIter(mx.nd.arange(5), None, 2, last_batch_handle="roll_over")
    assert [b.data[0].asnumpy().tolist() for b in iterator] == [[0, 1], [2, 3]]
    iterator.hard_reset()
    assert next(iterator).data[0].asnumpy().tolist() == [0, 1]


class Counted(mx.io.DataIter):
    """Counts to a number, as iterators of one's own do."""

    def __init__(self, n):
        super().__init__(batch_size=1)
        self.n, self.i = n, 0
        self.provide_data, self.provide_label = [("count", (1,))], [mx.io.DataDesc("half", (1,))]

    def reset(self):
        self.i = 0

    def iter_next(self):
        self.i += 1
        return self.i <= self.n

    def getdata(self):
        return [mx.nd.array([self.i])]

    def getlabel(self):
        return [mx.nd.array([self.i / 2])]

    def getpad(self):
        return 0


def counts(iterator):
    return [batch.data[0].asscalar() for batch in iterator]


def librarys(n):
    """The library's iterator that counts like `Counted`."""
    values = mx.nd.arange(1, n + 1)
    return mx.io.NDArrayIter({"count": values}, {"half": values / 2})


@pytest.mark.parametrize("make", [Counted, librarys])
def test_iterators_are_resized(make):
    longer = mx.io.ResizeIter(make(3), 5)
    assert counts(longer) == [1, 2, 3, 1, 2]
    longer.reset()
    assert counts(longer) == [1, 2, 3, 1, 2]
    goes_on = mx.io.ResizeIter(make(3), 2, reset_internal=False)
    assert counts(goes_on) == [1, 2]
    goes_on.reset()
    assert counts(goes_on) == [3, 1]


@pytest.mark.parametrize("make", [Counted, librarys])
def test_batches_are_made_ahead_side_by_side_under_other_names(make):
    renamed = mx.io.PrefetchingIter(
        [make(3), make(3)], rename_data=[{"count": "a"}, {"count": "b"}], rename_label=[{}, {}]
    )
    assert [d.name for d in renamed.provide_data] == ["a", "b"]
    assert [d.name for d in renamed.provide_label] == ["half", "half"]
    for _ in range(2):
        sizes = [(len(b.data), [y.asscalar() for y in b.label]) for b in renamed]
        assert sizes == [(2, [0.5, 0.5]), (2, [1.0, 1.0]), (2, [1.5, 1.5])]
        renamed.reset()


def test_an_error_of_an_iterator_arrives_through_the_thread():
    class Broken(Counted):
        def getdata(self):
            raise LookupError("no second batch")

    with pytest.raises(LookupError, match="no second batch"):
        next(mx.io.PrefetchingIter(Broken(2)))


def test_descriptions_are_pairs_that_know_more():
    desc = mx.io.DataDesc("x", (4, 3), dtype="float16", layout="TNC")
    assert desc == ("x", (4, 3)) and tuple(desc) == ("x", (4, 3))
    assert mx.io.DataDesc.get_batch_axis(desc.layout) == 1
    assert mx.io.DataDesc.get_batch_axis(None) == 0
    [listed] = mx.io.DataDesc.get_list([("x", (2,))], [("x", "int32")])
    assert listed == ("x", (2,)) and listed.dtype == "int32"


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: mx.io.NDArrayIter(None), "data.*at least one array"),
        (lambda: mx.io.NDArrayIter("data.csv"), "data: expected an NDArray.*got str"),
        (lambda: mx.io.NDArrayIter(mx.nd.ones(2), mx.nd.ones(3)), "expected 2 examples"),
        (lambda: mx.io.NDArrayIter(mx.nd.ones(2), batch_size=0), "batch_size"),
        (lambda: mx.io.NDArrayIter(mx.nd.ones(2), last_batch_handle="drop"), "'pad', 'discard'"),
        (lambda: mx.io.CSVIter(data_csv="none.csv", data_shape=(1,), batch_size=1), "none.csv"),
        (lambda: mx.io.MNISTIter(image="none.gz", label="none"), "none.gz"),
        (lambda: mx.io.ResizeIter([1], 2), "data_iter: expected a DataIter, got int"),
        (lambda: mx.io.PrefetchingIter([]), "at least one iterator"),
        (lambda: mx.io.DataBatch(mx.nd.ones(2)), "data: expected a list of arrays, got NDArray"),
        (lambda: mx.io.DataIter().next(), "must override next or iter_next"),
    ],
)
def test_wrong_use_is_named(wrong, message):
    with pytest.raises((mx.MXRError, NotImplementedError), match=message):
        wrong()
