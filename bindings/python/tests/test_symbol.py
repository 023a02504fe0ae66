"""Symbols: the programs of tests/conformance/graphs give what MXNet 1.9.1 gives; files; errors."""

import copy
import importlib
import json
import pickle
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import mxr as mx

GRAPHS = Path(__file__).parents[3] / "tests" / "conformance" / "graphs"
sys.path.insert(0, str(GRAPHS))

import programs

EXPECTED = json.loads((GRAPHS / "programs.json").read_text())


def as_json(value):
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("program", programs.PROGRAMS, ids=lambda p: p.__name__)
def test_a_program_gives_what_mxnet_gives(program):
    with mx.name.NameManager():
        got = as_json(programs.described(program(mx)))
    for key, want in EXPECTED[program.__name__].items():
        assert got[key] == want, key


@pytest.mark.parametrize("part", ["inferred", "summaries"])
def test_shapes_dtypes_and_tables_are_mxnets(part):
    with mx.name.NameManager():
        got = as_json(getattr(programs, part)(mx))
    for key, want in EXPECTED[part].items():
        assert got[key] == want, key


@pytest.mark.parametrize("path", sorted((GRAPHS / "files").glob("*.json")), ids=lambda p: p.stem)
def test_files_of_all_versions_are_written_as_mxnet_writes_them(path, tmp_path):
    symbol = mx.sym.load(path)
    want = path.with_suffix(".out").read_text()
    assert symbol.tojson() == want
    symbol.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == want


def test_a_checkpoint_of_mxnet_is_read_and_written_again(tmp_path):
    symbol, args, aux = mx.model.load_checkpoint(str(GRAPHS / "net"), 3)
    assert set(args) == set(symbol.list_arguments()) - {"data", "softmax_label"}
    assert set(aux) == set(symbol.list_auxiliary_states())
    mx.model.save_checkpoint(str(tmp_path / "net"), 3, symbol, args, aux)
    again, args2, aux2 = mx.model.load_checkpoint(str(tmp_path / "net"), 3)
    assert again.tojson() == symbol.tojson()
    assert all(np.array_equal(args[n].asnumpy(), args2[n].asnumpy()) for n in args)
    assert all(np.array_equal(aux[n].asnumpy(), aux2[n].asnumpy()) for n in aux)


def test_a_checkpoint_whose_names_are_none_is_an_error(tmp_path):
    mx.nd.save(str(tmp_path / "x-0001.params"), {"weight": mx.nd.ones(2)})
    with pytest.raises(mx.MXRError, match="arg:weight"):
        mx.model.load_params(str(tmp_path / "x"), 1)
    with pytest.raises(FileNotFoundError):
        mx.model.load_checkpoint(str(tmp_path / "nothing"), 1)


def test_outputs_are_chosen_by_number_name_and_slice():
    parts = mx.sym.split(mx.sym.Variable("x"), num_outputs=3, name="s")
    assert [p.list_outputs() for p in parts] == [["s_output0"], ["s_output1"], ["s_output2"]]
    assert parts["s_output1"].list_outputs() == parts[1].list_outputs() == parts[-2].list_outputs()
    assert parts[1:].list_outputs() == ["s_output1", "s_output2"]
    with pytest.raises(KeyError, match="did you mean"):
        parts["s_output9"]
    with pytest.raises(IndexError):
        parts[3]
    with pytest.raises(TypeError):
        parts[1.5]


def test_casts_of_mixed_precision_are_left_out_of_files():
    x = mx.sym.Variable("x")
    many = mx.sym.amp_multicast(mx.sym.amp_cast(x, dtype="float16"), x, num_outputs=2)
    net = mx.sym.elemwise_add(many[0], many[1], name="sum")
    assert [n["op"] for n in json.loads(net.tojson())["nodes"]] == ["null", "elemwise_add"]
    assert len(json.loads(net.tojson(remove_amp_cast=False))["nodes"]) == 4


def test_symbols_are_copied_and_pickled():
    net = programs.multilayer(mx)
    for other in (copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.tojson() == net.tojson()


def test_setting_an_attribute_changes_all_symbols_with_the_node():
    # As MXNet 1.9.1 does.
    x = mx.sym.Variable("x")
    y = mx.sym.exp(x, name="y")
    x._set_attr(lr_mult="2")
    assert x.attr("lr_mult") == x.attr("__lr_mult__") == "2"
    assert y.attr_dict() == {"x": {"__lr_mult__": "2", "lr_mult": "2"}}
    for part in y.get_internals():
        part._set_attr(force_mirroring="True")
    assert y.attr("force_mirroring") == "True"
    assert json.loads(y.tojson())["nodes"][1]["attrs"] == {"__force_mirroring__": "True"}
    y.get_children()[0]._set_attr(__shape__="(2,)")
    assert y.infer_shape() == ([(2,)], [(2,)], [])
    # What the operator reads, and a name, change for this symbol alone.
    fc = mx.sym.FullyConnected(x, num_hidden=3, name="fc")
    net = mx.sym.relu(fc)
    fc._set_attr(num_hidden="5", name="wide")
    assert fc.name == "wide" and fc.attr("num_hidden") == "5"
    assert net.get_internals()["fc_output"].attr("num_hidden") == "3"
    with pytest.raises(ValueError, match="expected a text"):
        x._set_attr(lr_mult=2)


def test_scopes_of_names_and_attributes_belong_to_a_thread():
    seen = []

    def work():
        seen.append(mx.sym.exp(mx.sym.Variable("x"), name="e").attr_dict())

    with mx.AttrScope(ctx_group="dev1"), mx.name.Prefix("p_"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert mx.sym.Variable("y").attr("ctx_group") == "dev1"
    assert seen == [{}]


@pytest.mark.parametrize(
    "wrong, kind, text",
    [
        (lambda x: mx.sym.FullyConnected(x, num_hiden=3), KeyError, "did you mean 'num_hidden'"),
        (lambda x: mx.sym.FullyConnected(x), ValueError, "num_hidden"),
        (lambda x: mx.sym.FullyConnected(x, num_hidden="many"), ValueError, "num_hidden"),
        (lambda x: mx.sym.FullyConnected(3, num_hidden=3), TypeError, "expected a Symbol, got int"),
        (lambda x: mx.sym.Activation(x, act_type="rela"), ValueError, "did you mean 'relu'"),
        (lambda x: mx.sym.exp(x, weight_lr_mult=2), ValueError, "weight = Variable"),
        (lambda x: mx.sym.Variable("v", mood="calm"), ValueError, "mood"),
        (lambda x: mx.sym.Variable(3), TypeError, "name"),
        (lambda x: x + "1", TypeError, "Symbol and str"),
        (lambda x: mx.sym.Group([]), TypeError, "list of Symbols"),
        (lambda x: x(y=x), KeyError, "expected one of the variables x"),
        (lambda x: x(x), TypeError, "by the names"),
        (lambda x: bool(x), NotImplementedError, "truth value"),
        (lambda x: x.asnumpy(), NotImplementedError, "asnumpy"),
        (lambda x: x.infer_shape(y=(2,)), KeyError, "no such argument"),
        (lambda x: x.infer_shape(x=3), TypeError, "expected a shape"),
        (lambda x: (x + x).infer_shape((2,), x=(2,)), TypeError, "not both"),
        (lambda x: mx.sym.load_json("{"), ValueError, "JSON"),
        (lambda x: mx.sym.load("no/such/file"), FileNotFoundError, "no/such/file"),
        (lambda x: mx.AttrScope(a=1), ValueError, "expected a text"),
    ],
)
def test_a_mistake_is_an_error_that_says_what_was_expected(wrong, kind, text):
    with pytest.raises(kind, match=text):
        wrong(mx.sym.Variable("x"))


def test_a_shape_conflict_names_both_nodes_and_the_path():
    a = mx.sym.FullyConnected(mx.sym.Variable("x"), num_hidden=4, name="left")
    b = mx.sym.tanh(mx.sym.Variable("y"), name="right")
    with pytest.raises(mx.base.ShapeError) as caught:
        mx.sym.elemwise_add(a, b, name="sum").infer_shape(x=(2, 3), y=(2, 5))
    for part in ["'sum'", "'x' → 'left'", "'y' → 'right'", "(2, 4)", "(2, 5)"]:
        assert part in str(caught.value)


def test_what_does_not_follow_is_named_in_a_warning():
    with pytest.warns(UserWarning, match="x, fc_weight"):
        net = mx.sym.FullyConnected(mx.sym.Variable("x"), num_hidden=4, name="fc")
        assert net.infer_shape() == (None, None, None)
    with pytest.warns(UserWarning, match="dtypes|types"):
        assert net.infer_type() == (None, None, None)


def test_the_picture_of_a_network_has_its_layers_and_no_weights():
    dot = mx.viz.plot_network(programs.multilayer(mx), shape={"data": (5, 7)}, title="net")
    assert dot.source.startswith('digraph "net" {')
    assert 'label="FullyConnected\\n128"' in dot.source
    assert '"softmax" -> "last"' in dot.source and 'label="10"' in dot.source
    assert "_weight" not in dot.source
    all_nodes = mx.viz.plot_network(programs.multilayer(mx), hide_weights=False).source
    assert '"last_weight"' in all_nodes


@pytest.mark.parametrize(
    "module", ["op", "internal", "contrib", "linalg", "random", "sparse", "image"]
)
def test_every_operator_of_arrays_is_one_of_symbols(module):
    arrays, symbols = (
        importlib.import_module(f"mxr.{kind}._gen.{module}") for kind in ("ndarray", "symbol")
    )
    assert symbols.__all__ == arrays.__all__
    assert all(callable(getattr(symbols, name)) for name in symbols.__all__)
