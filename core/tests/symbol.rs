//! Symbols against what MXNet 1.9.1 gives: the fixtures in tests/conformance/graphs (make_graphs.py there).

use mxr_core::autograd::Mode;
use mxr_core::graph::{AttrMap, Call, Symbol};
use mxr_core::ndarray::file;
use mxr_core::op::registry;
use mxr_core::{ErrorCode, NdArray, Shape};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;

fn graphs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/graphs")
}

fn variable(name: &str) -> Symbol {
    Symbol::variable(name, AttrMap::new())
}

fn call(op: &str, name: &str, attrs: &[(&str, &str)], args: &[&Symbol]) -> Symbol {
    named_call(op, name, attrs, args, &[]).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn named_call(
    op: &str,
    name: &str,
    attrs: &[(&str, &str)],
    args: &[&Symbol],
    named: &[(&str, &Symbol)],
) -> mxr_core::Result<Symbol> {
    Call { op: registry().find(op).unwrap(), name, attrs, args, named }.compose()
}

fn strings(v: &Value) -> Vec<String> {
    v.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect()
}

fn texts(v: &Value) -> AttrMap {
    let pairs = v.as_object().into_iter().flatten();
    pairs.map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned())).collect()
}

/// MXNet shows the mask of random slopes, which mxr hides as that of dropout.
fn shows_another_output(name: &str, attrs: &AttrMap) -> bool {
    name == "LeakyReLU" && attrs.get("act_type").is_some_and(|t| t == "rrelu")
}

#[test]
fn every_operator_has_mxnets_names_of_inputs_outputs_and_variables() {
    let text = std::fs::read_to_string(graphs().join("operators.json")).unwrap();
    let fixtures: Value = serde_json::from_str(&text).unwrap();
    let mut wrong = vec![];
    for (name, entries) in fixtures.as_object().unwrap() {
        for want in entries.as_array().unwrap() {
            let attrs = texts(&want["attrs"]);
            if shows_another_output(name, &attrs) {
                continue;
            }
            let pairs: Vec<(&str, &str)> = attrs.iter().map(|(k, v)| (&k[..], &v[..])).collect();
            let symbol = match named_call(name, "x", &pairs, &[], &[]) {
                Ok(symbol) => symbol,
                Err(e) => {
                    wrong.push(format!("{name} {attrs:?}: {e}"));
                    continue;
                }
            };
            let mut check = |what: &str, got: Vec<String>| {
                if got != strings(&want[what]) {
                    wrong.push(format!("{name} {attrs:?}: {what} {got:?}, MXNet has {}", want[what]));
                }
            };
            check("inputs", symbol.list_inputs());
            check("auxiliary", symbol.list_auxiliary_states());
            check("outputs", symbol.list_outputs());
            check("internals", symbol.internals().list_outputs());
            let op = symbol.head().unwrap().op.as_ref().unwrap();
            if op.op.num_listed_outputs() as u64 != want["listed_outputs"].as_u64().unwrap() {
                let counts = (op.op.num_listed_outputs(), &want["listed_outputs"]);
                wrong.push(format!("{name} {attrs:?}: outputs {counts:?}"));
            }
            for node in symbol.topo().iter().filter(|n| n.is_variable()) {
                if *node.attrs() != texts(&want["variables"][&node.name]) {
                    wrong.push(format!("{name}: {} {:?}, {}", node.name, node.attrs(), want["variables"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_of_every_version_are_written_as_mxnet_writes_them() {
    let mut seen = 0;
    for file in std::fs::read_dir(graphs().join("files")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let symbol = Symbol::load(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let want = std::fs::read_to_string(path.with_extension("out")).unwrap();
        assert_eq!(symbol.to_json(), want, "{}", path.display());
        seen += 1;
    }
    assert!(seen > 8, "only {seen} files");
}

#[test]
fn composing_makes_variables_for_what_is_not_given() {
    let net = call("FullyConnected", "fc", &[("num_hidden", "3"), ("lr_mult", "2")], &[&variable("data")]);
    assert_eq!(net.list_arguments(), ["data", "fc_weight", "fc_bias"]);
    let nodes = net.topo();
    let weight = nodes.iter().find(|n| n.name == "fc_weight").unwrap();
    assert_eq!(weight.attr("lr_mult").as_deref(), Some("2"));
    assert_eq!(weight.attr("__lr_mult__").as_deref(), Some("2"));
}

#[test]
fn inputs_that_do_not_exist_or_are_given_twice_are_errors() {
    let x = variable("x");
    let attrs = [("num_hidden", "3")];
    let error = named_call("FullyConnected", "fc", &attrs, &[&x], &[("wieght", &x)]).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::NotFound, Some("wieght")));
    let error = named_call("FullyConnected", "fc", &attrs, &[&x], &[("data", &x)]).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::InvalidValue, Some("data")));
    let pair = Symbol::group([&x, &x]);
    let error = named_call("FullyConnected", "fc", &attrs, &[&pair], &[]).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::InvalidValue, Some("data")));
    let error = named_call("FullyConnected", "fc", &[("num_hiden", "3")], &[&x], &[]).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::NotFound, Some("num_hiden")));
    let error = named_call("FullyConnected", "fc", &[("weight_lr_mult", "3")], &[&x], &[]).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::InvalidValue, Some("weight_lr_mult")));
    let changed =
        named_call("BatchNorm", "bn", &[], &[&x], &[("moving_mean", &call("exp", "e", &[], &[&x]))]);
    assert_eq!(changed.unwrap_err().argument(), Some("moving_mean"));
    let many = named_call("Concat", "c", &[("num_args", "99999999999")], &[&x], &[]).unwrap_err();
    assert_eq!(many.code(), ErrorCode::InvalidValue);
}

#[test]
fn replacing_a_variable_leaves_the_old_symbol_alone() {
    let net = call("exp", "e", &[], &[&variable("x")]);
    let other = net.compose(&[("x", &call("sin", "s", &[], &[&variable("y")]))], "again").unwrap();
    assert_eq!(other.list_arguments(), ["y"]);
    assert_eq!(other.list_outputs(), ["again_output"]);
    assert_eq!(net.list_arguments(), ["x"]);
    assert_eq!(net.compose(&[("z", &net)], "").unwrap_err().code(), ErrorCode::NotFound);
}

#[test]
fn a_chain_of_ten_thousand_layers_neither_overflows_a_stack_nor_takes_long() {
    let mut net = variable("x");
    for i in 0..10_000 {
        net = call("_plus_scalar", &format!("p{i}"), &[("scalar", "1")], &[&net]);
    }
    assert_eq!(net.topo().len(), 10_001);
    let shapes = net.infer_shape([("x", Shape::new(&[2, 3]))]).unwrap();
    assert_eq!(shapes.outputs, [Some(Shape::new(&[2, 3]))]);
    let text = net.to_json();
    let again = Symbol::from_json(&text).unwrap();
    drop(net);
    assert_eq!(again.to_json(), text);
    assert_eq!(again.compose(&[("x", &variable("y"))], "").unwrap().list_arguments(), ["y"]);
}

#[test]
fn a_shape_conflict_names_the_nodes_and_the_path() {
    let (x, y) = (variable("x"), variable("y"));
    let left = call("FullyConnected", "left", &[("num_hidden", "4")], &[&call("relu", "r", &[], &[&x])]);
    let sum = call("elemwise_add", "sum", &[], &[&left, &call("tanh", "t", &[], &[&y])]);
    let error = sum.infer_shape([("x", Shape::new(&[2, 3])), ("y", Shape::new(&[2, 5]))]).unwrap_err();
    assert_eq!((error.code(), error.operator()), (ErrorCode::Shape, Some("elemwise_add")));
    let text = error.message();
    for part in ["'sum'", "'left'", "'t'", "'y' → 't'", "'x' → 'r' → 'left'", "(2, 4)", "(2, 5)"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn an_argument_that_is_not_there_is_an_error_with_the_nearest_name() {
    let error = variable("data").infer_shape([("dta", Shape::new(&[2]))]).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::NotFound, Some("dta")));
    assert!(error.message().contains("'data'"), "{error}");
}

#[test]
fn outputs_are_found_by_name_and_number() {
    let parts = call("SliceChannel", "s", &[("num_outputs", "3")], &[&variable("x")]);
    assert_eq!(parts.list_outputs(), ["s_output0", "s_output1", "s_output2"]);
    assert_eq!(parts.output_named("s_output1").unwrap().outputs[0].index, 1);
    assert_eq!(parts.output(3).unwrap_err().code(), ErrorCode::Index);
    assert_eq!(parts.output_named("s_output").unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(
        Symbol::group([&parts, &parts]).output_named("s_output1").unwrap_err().code(),
        ErrorCode::InvalidValue
    );
}

/// As MXNet 1.9.1 writes `Variable('x', attr={'__a__': …})` and reads it: only line ends cannot stand in a string.
#[test]
fn control_characters_in_texts_are_read_as_they_are_written() {
    let with = |c: &str| {
        format!(
            "{{\n  \"nodes\": [\n    {{\n      \"op\": \"null\", \n      \"name\": \"x\", \n      \"attrs\": \
             {{\"__a__\": \"b{c}e\\\\\"}}, \n      \"inputs\": []\n    }}\n  ], \n  \"arg_nodes\": [0], \n  \
             \"node_row_ptr\": [0, 1], \n  \"heads\": [[0, 0, 0]], \n  \"attrs\": {{\"mxnet_version\": [\"int\", \
             10901]}}\n}}"
        )
    };
    let text = with("\u{8}\u{1b}\u{7f}\\\"\u{1}");
    let symbol = Symbol::from_json(&text).unwrap();
    assert_eq!(symbol.outputs[0].node.attr("__a__").as_deref(), Some("b\u{8}\u{1b}\u{7f}\"\u{1}e\\"));
    assert_eq!(symbol.to_json(), text);
    let tab = Symbol::from_json(&with("\t")).unwrap();
    assert_eq!(tab.to_json(), with("\\t"));
    for end in ["\n", "\r"] {
        assert_eq!(Symbol::from_json(&with(end)).unwrap_err().code(), ErrorCode::Format);
    }
}

#[test]
fn files_that_are_none_are_errors() {
    let node = |inputs: &str| {
        format!(
            r#"{{"nodes": [{{"op": "null", "name": "x", "inputs": []}}, {{"op": "exp", "name": "e", "inputs": {inputs}}}],
               "arg_nodes": [0], "heads": [[1, 0]]}}"#
        )
    };
    let deep = "[".repeat(1 << 20);
    let cases = [
        ("", ErrorCode::Format),
        ("[]", ErrorCode::Format),
        ("{}", ErrorCode::Format),
        (&deep, ErrorCode::Format),
        (r#"{"nodes": [], "arg_nodes": [0], "heads": []}"#, ErrorCode::Format),
        (r#"{"nodes": [], "arg_nodes": [], "heads": [[0, 0]]}"#, ErrorCode::Format),
        (
            r#"{"nodes": [{"op": "nul", "name": "x", "inputs": []}], "arg_nodes": [], "heads": []}"#,
            ErrorCode::NotFound,
        ),
        (&node("[[1, 0, 0]]"), ErrorCode::Format),
        (&node("[[4294967295, 0, 0]]"), ErrorCode::Format),
        (&node("[[0, 1, 0]]"), ErrorCode::Format),
        (&node("[[0, 0, 0, 0]]"), ErrorCode::Format),
        (&node("[[-1, 0]]"), ErrorCode::Format),
        (&node("[[0, 0], [0, 0]]"), ErrorCode::Format),
        (&node("7"), ErrorCode::Format),
    ];
    for (text, code) in cases {
        let error = Symbol::from_json(text).unwrap_err();
        assert_eq!(error.code(), code, "{}: {error}", &text[..text.len().min(200)]);
    }
    assert!(Symbol::from_json(&node("[[0, 0]]")).is_ok());
    let counts = r#"{"nodes": [{"op": "null", "name": "x", "inputs": []},
        {"op": "SliceChannel", "name": "s", "attrs": {"num_outputs": "99999999999"}, "inputs": [[0, 0, 0]]}],
        "arg_nodes": [0], "heads": [[1, 0, 0]]}"#;
    assert_eq!(Symbol::from_json(counts).unwrap_err().code(), ErrorCode::InvalidValue);
    let node =
        r#"{"op": "SliceChannel", "name": "s", "attrs": {"num_outputs": "60000"}, "inputs": [[0, 0, 0]]}"#;
    let counts = format!(
        r#"{{"nodes": [{{"op": "null", "name": "x", "inputs": []}}, {node}, {node}],
        "arg_nodes": [0], "heads": [[1, 0, 0], [2, 0, 0]]}}"#
    );
    let error = Symbol::from_json(&counts).unwrap_err();
    assert!(error.message().contains("the nodes have 120001 outputs"), "{error}");
    let counts = r#"{"nodes": [{"op": "multi_sgd_update", "name": "s", "param": {"num_weights": "30000",
        "lrs": "0.1", "wds": "0.1"}, "inputs": []}], "arg_nodes": [], "heads": [[0, 0]]}"#;
    assert_eq!(Symbol::from_json(counts).unwrap_err().code(), ErrorCode::Format);
    assert_eq!(Symbol::load("no/such/file".as_ref()).unwrap_err().code(), ErrorCode::NotFound);
}

/// The arrays of a file of the fixtures, without the `arg:` and `aux:` of checkpoints.
fn arrays(name: &str) -> HashMap<String, NdArray> {
    let entries = file::load(&graphs().join(name)).unwrap().into_iter();
    entries
        .map(|(name, array)| {
            (name.unwrap().trim_start_matches("arg:").trim_start_matches("aux:").to_owned(), array)
        })
        .collect()
}

fn floats(array: &NdArray) -> Vec<f32> {
    let mut bytes = vec![0; array.len().unwrap() * 4];
    array.copy_to_bytes(&mut bytes).unwrap();
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

#[test]
fn a_checkpoint_gives_mxnets_outputs() {
    let symbol = Symbol::load(&graphs().join("net-symbol.json")).unwrap();
    let expected = arrays("net-expected.params");
    let mut given = arrays("net-0003.params");
    for name in ["data", "softmax_label"] {
        given.insert(name.to_owned(), expected[name].clone());
    }
    let outputs = symbol.run_eagerly(&given, &Mode::default()).unwrap();
    for (name, got) in symbol.list_outputs().iter().zip(&outputs) {
        let want = &expected[name];
        assert_eq!(got.shape().unwrap(), want.shape().unwrap(), "{name}");
        let (got, want) = (floats(got), floats(want));
        let largest = want.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let apart = got.iter().zip(&want).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
        assert!(apart <= 1e-5 * largest, "{name}: {apart} apart, of {largest}");
    }
    given.remove("bn_gamma");
    let error = symbol.run_eagerly(&given, &Mode::default()).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::NotFound, Some("bn_gamma")));
}

#[test]
fn an_error_of_an_operator_names_the_node() {
    let sum = call("elemwise_add", "sum", &[], &[&variable("x"), &variable("y")]);
    let zeros = |shape: &[i64]| {
        let op = registry()
            .find("_zeros")
            .unwrap()
            .with_strings(&[("shape", &Shape::new(shape).to_string())])
            .unwrap();
        mxr_core::op::invoke(&op, &[], &[], &Default::default()).unwrap()[0].clone()
    };
    let given = HashMap::from([("x".to_owned(), zeros(&[2, 3])), ("y".to_owned(), zeros(&[2, 4]))]);
    let error = sum.run_eagerly(&given, &Mode::default()).unwrap_err();
    assert_eq!((error.code(), error.operator()), (ErrorCode::Shape, Some("elemwise_add")));
    assert!(error.message().contains("in node 'sum'"), "{error}");
}

#[test]
fn an_error_in_a_file_names_the_node() {
    let hidden = call("FullyConnected", "fc", &[("num_hidden", "3")], &[&variable("x")]);
    let text = call("exp", "e", &[], &[&hidden]).to_json();
    for (from, to, expected) in [
        ("\"num_hidden\": \"3\"", "\"num_hidden\": \"three\"", "node 'fc': expected an integer, got 'three'"),
        (
            "\"num_hidden\"",
            "\"num_hiden\"",
            "node 'fc': there is no attribute 'num_hiden'; did you mean 'num_hidden'?",
        ),
        ("\"FullyConnected\"", "\"FullyConected\"", "did you mean 'FullyConnected'?"),
        ("[[3, 0, 0]]", "[[4, 0, 0]]", "node 4: expected an earlier node, got 4: the graph has a cycle"),
        ("[[3, 0, 0]]", "[[9, 0, 0]]", "node 4: expected one of the 5 nodes, got 9"),
        ("[0, 0, 0], [1, 0, 0], ", "[0, 0, 0], ", "expected 3 inputs (data, weight, bias), got 2"),
    ] {
        let spoilt = text.replace(from, to);
        assert_ne!(spoilt, text, "{from}");
        let error = Symbol::from_json(&spoilt).unwrap_err();
        assert!(error.message().contains(expected), "{error}");
    }
}

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[test]
fn spoilt_files_give_errors_or_symbols_never_more() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let tokens = ["[", "]", "{", "}", "\"", ",", "-1", "0", "99999999999", "null", "exp", "(2, 3)", "attrs"];
    let mut loaded = 0;
    for file in std::fs::read_dir(graphs().join("files")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for _ in 0..150 {
            let mut spoilt = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(spoilt.len());
                let end = (at + random.below(12)).min(spoilt.len());
                let token = tokens[random.below(tokens.len())].bytes();
                match random.below(3) {
                    0 => spoilt[at] = random.below(256) as u8,
                    1 => drop(spoilt.drain(at..end)),
                    _ => drop(spoilt.splice(at..end, token)),
                }
            }
            let Ok(symbol) = Symbol::from_json(&String::from_utf8_lossy(&spoilt)) else { continue };
            let again = symbol.to_json();
            assert_eq!(Symbol::from_json(&again).unwrap().to_json(), again);
            assert_eq!(symbol.internals().list_outputs().len(), symbol.internals().outputs.len());
            let _ = symbol.infer_shape([]);
            let _ = symbol.infer_type([]);
            loaded += 1;
        }
    }
    assert!(loaded > 100, "only {loaded} were loaded");
}

/// As `_set_attr` of MXNet 1.9.1, which changes every attribute in place.
#[test]
fn attributes_that_no_operator_reads_are_set_in_every_symbol_with_the_node() {
    let x = variable("x");
    let fc = call("FullyConnected", "fc", &[("num_hidden", "3")], &[&x]);
    let net = call("relu", "r", &[], &[&fc]);
    fc.set_attrs([("__force_mirroring__", "True"), ("lr_mult", "2")]).unwrap();
    let inner = net.internals().output_named("fc_output").unwrap();
    for symbol in [&fc, &inner] {
        let node = symbol.head().unwrap();
        assert_eq!(node.attr("lr_mult").as_deref(), Some("2"));
        assert_eq!(node.attr("force_mirroring").as_deref(), Some("True"));
    }
    assert!(net.to_json().contains("__lr_mult__"));
    x.set_attrs([("__shape__", "(4, 5)")]).unwrap();
    assert_eq!(net.infer_shape([]).unwrap().outputs, [Some(Shape::new(&[4, 3]))]);
}

#[test]
fn a_node_whose_operator_or_name_changes_is_another() {
    let fc = call("FullyConnected", "fc", &[("num_hidden", "3")], &[&variable("x")]);
    let wider = fc.set_attrs([("num_hidden", "5"), ("name", "wide")]).unwrap();
    assert_eq!(wider.list_outputs(), ["wide_output"]);
    assert_eq!(fc.list_outputs(), ["fc_output"]);
    assert_eq!(fc.head().unwrap().attr("num_hidden").as_deref(), Some("3"));
    let refused = fc.set_attrs([("num_hidden", "many")]).unwrap_err();
    assert_eq!((refused.code(), refused.argument()), (ErrorCode::InvalidValue, Some("num_hidden")));
    let group = Symbol::group([&fc, &wider]);
    assert_eq!(group.set_attrs([("a", "b")]).unwrap_err().code(), ErrorCode::InvalidValue);
}

/// As in MXNet 1.9.1.
#[test]
fn a_variable_that_is_given_for_a_state_learns_how_it_is_initialised() {
    let (mean, var, slope) = (variable("m"), variable("v"), variable("s"));
    var.set_attrs([("__init__", "xavier")]).unwrap();
    let named: &[(&str, &Symbol)] = &[("moving_mean", &mean), ("moving_var", &var)];
    let norm = named_call("BatchNorm", "bn", &[], &[&variable("x")], named).unwrap();
    call("LeakyReLU", "prelu", &[("act_type", "prelu")], &[&norm, &slope]);
    let init = |symbol: &Symbol| symbol.head().unwrap().attr("__init__").unwrap();
    assert_eq!(init(&mean), r#"["zero", {}]"#);
    assert_eq!(init(&var), "xavier");
    assert_eq!(init(&slope), r#"["Constant", {"value": 0.25}]"#);
}
