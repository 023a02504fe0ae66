//! The passes over graphs, one by one, and what the verifier finds.

mod nets;

use mxr_core::graph::compile::{Options, compile_observed};
use mxr_core::graph::ir::{Graph, Phase, ValueId};
use mxr_core::graph::verify::verify;
use mxr_core::graph::{Symbol, ir};
use mxr_core::op::Req;
use mxr_core::{DType, Shape};
use nets::{call, var};

/// The graph after a pass.
fn after(pass: &str, symbol: &Symbol, shapes: &[(&str, &[i64])], gradients: bool) -> Graph {
    let shapes: Vec<(&str, Shape)> = shapes.iter().map(|(n, s)| (*n, Shape::new(s))).collect();
    let types = symbol.infer_types(&shapes, &[]).unwrap();
    let requests = if gradients { vec![Req::Write; types.len()] } else { vec![] };
    let mut found = None;
    let options = Options { training: gradients, requests, ..Options::default() };
    compile_observed(symbol, &types, &options, &mut |name, graph| {
        if name == pass {
            found = Some(graph.clone());
        }
    })
    .unwrap();
    found.expect("the pass ran")
}

fn names(graph: &Graph) -> Vec<&'static str> {
    graph.nodes.iter().map(|n| n.work.name()).collect()
}

#[test]
fn calls_that_nobody_reads_are_removed() {
    let parts = call("SliceChannel", &[&var("x")], &[("num_outputs", "2")]);
    let first = Symbol { outputs: vec![parts.outputs[0].clone()] };
    let unused = call("exp", &[&var("y")], &[]);
    let both = call("_identity_with_attr_like_rhs", &[&first, &unused], &[]);
    let shapes: [(&str, &[i64]); 2] = [("x", &[2, 4]), ("y", &[2, 2])];
    assert_eq!(names(&after("lower", &both, &shapes, false)).len(), 3);
    let graph = after("dead code", &both, &shapes, false);
    assert!(!names(&graph).contains(&"exp"), "only the shape of exp is read: {:?}", names(&graph));
}

#[test]
fn the_same_call_on_the_same_values_is_made_once() {
    let x = var("x");
    let twice = call("elemwise_mul", &[&call("exp", &[&x], &[]), &call("exp", &[&x], &[])], &[]);
    let graph = after("transposes", &twice, &[("x", &[3])], false);
    assert_eq!(names(&graph), ["exp", "elemwise_mul"]);
    let other = call(
        "elemwise_mul",
        &[&call("_plus_scalar", &[&x], &[("scalar", "1")]), &call("_plus_scalar", &[&x], &[("scalar", "2")])],
        &[],
    );
    assert_eq!(names(&after("transposes", &other, &[("x", &[3])], false)).len(), 3);
    let drawn = call("elemwise_mul", &[&call("Dropout", &[&x], &[]), &call("Dropout", &[&x], &[])], &[]);
    assert_eq!(
        names(&after("transposes", &drawn, &[("x", &[3])], true)).iter().filter(|n| **n == "Dropout").count(),
        2
    );
}

#[test]
fn what_depends_on_constants_alone_is_computed_once() {
    let ones = call("_ones", &[], &[("shape", "(3,)")]);
    let two = call("_plus_scalar", &[&ones], &[("scalar", "1")]);
    let y = call("elemwise_mul", &[&var("x"), &two], &[]);
    let graph = after("constants", &y, &[("x", &[3])], false);
    assert_eq!(names(&graph), ["elemwise_mul"]);
    let constants = graph.variables.iter().filter_map(|v| match &v.kind {
        ir::Kind::Constant(a) => Some(a.to_vec::<f32>().unwrap()),
        _ => None,
    });
    assert!(constants.into_iter().any(|c| c == [2.0; 3]));
    let large = call("_ones", &[], &[("shape", "(300, 300)")]);
    let y = call("elemwise_mul", &[&var("x"), &large], &[]);
    assert_eq!(names(&after("constants", &y, &[("x", &[300, 300])], false)), ["_ones", "elemwise_mul"]);
}

#[test]
fn transposes_that_undo_each_other_are_removed() {
    let there = call("transpose", &[&var("x")], &[("axes", "(1, 2, 0)")]);
    let back = call("transpose", &[&there], &[("axes", "(2, 0, 1)")]);
    let graph = after("transposes", &call("exp", &[&back], &[]), &[("x", &[2, 3, 4])], false);
    assert_eq!(names(&graph), ["exp"]);
    let on = call("transpose", &[&there], &[("axes", "(1, 2, 0)")]);
    assert_eq!(names(&after("transposes", &on, &[("x", &[2, 3, 4])], false)).len(), 2);
    let swapped = call(
        "SwapAxis",
        &[&call("SwapAxis", &[&var("x")], &[("dim1", "0"), ("dim2", "2")])],
        &[("dim1", "2"), ("dim2", "0")],
    );
    assert!(names(&after("transposes", &swapped, &[("x", &[2, 3, 4])], false)).is_empty());
}

#[test]
fn a_rectifier_and_the_maximum_of_its_windows_become_one_call() {
    let relu = |x: &Symbol| call("Activation", &[x], &[("act_type", "relu")]);
    let pool = |x: &Symbol, kind| {
        call("Pooling", &[x], &[("kernel", "(2, 2)"), ("stride", "(2, 2)"), ("pool_type", kind)])
    };
    let shapes: [(&str, &[i64]); 1] = [("x", &[1, 1, 4, 4])];
    let joined = |symbol: &Symbol| names(&after("joining", symbol, &shapes, false));
    let x = var("x");
    assert_eq!(joined(&pool(&relu(&x), "max")), ["_relu_pooling"]);
    assert_eq!(joined(&pool(&relu(&x), "avg")), ["Activation", "Pooling"]);
    let read_twice = relu(&x);
    let both = Symbol::group(&[pool(&read_twice, "max"), read_twice]);
    assert_eq!(joined(&both), ["Activation", "Pooling"]);
    let graph = after("dead code", &pool(&relu(&x), "max"), &shapes, true);
    assert_eq!(names(&graph), ["_relu_pooling", "_backward_relu_pooling"]);
}

#[test]
fn chains_of_elementwise_calls_are_fused() {
    let x = var("x");
    let a = call("tanh", &[&call("elemwise_add", &[&x, &var("y")], &[])], &[]);
    let b = call("broadcast_mul", &[&a, &var("row")], &[]);
    let shapes: [(&str, &[i64]); 3] = [("x", &[4, 5]), ("y", &[4, 5]), ("row", &[1, 5])];
    assert_eq!(names(&after("fusion", &b, &shapes, false)), ["fused"]);
    // What two calls read is made once, by itself.
    let shared = call("elemwise_add", &[&call("exp", &[&a], &[]), &a], &[]);
    assert_eq!(names(&after("fusion", &shared, &shapes[..2], false)), ["fused", "fused"]);
    // A sum over rows ends a chain.
    let sum = call("sum", &[&a], &[("axis", "1")]);
    assert_eq!(names(&after("fusion", &sum, &shapes[..2], false)), ["fused", "sum"]);
}

#[test]
fn a_composite_becomes_its_body() {
    let y = call("SoftmaxActivation", &[&var("x")], &[]);
    assert_eq!(names(&after("lower", &y, &[("x", &[2, 3])], false)), ["softmax"]);
}

#[test]
fn a_graph_is_printed_as_text_and_as_a_picture() {
    let y = call("exp", &[&call("FullyConnected", &[&var("x")], &[("num_hidden", "2")])], &[]);
    let graph = after("gradient", &y, &[("x", &[3, 4])], true);
    let text = graph.to_text();
    assert!(text.contains("%0: float32 (3, 4) = argument 'x'") && text.contains("(backward)"), "{text}");
    let dot = graph.to_dot();
    assert!(dot.starts_with("digraph mxr {") && dot.ends_with("}\n") && dot.contains("mistyrose"));
}

#[test]
fn the_verifier_finds_what_is_wrong() {
    let y = call("exp", &[&call("tanh", &[&var("x")], &[])], &[]);
    let good = after("lower", &y, &[("x", &[3])], true);
    verify(&good, "test").unwrap();
    let broken = |change: &dyn Fn(&mut Graph)| {
        let mut graph = good.clone();
        change(&mut graph);
        verify(&graph, "test").unwrap_err().message().to_owned()
    };
    assert!(broken(&|g| g.nodes.swap(0, 1)).contains("before it is made"));
    assert!(broken(&|g| g.nodes[1].outputs[0] = g.nodes[0].outputs[0]).contains("made already"));
    assert!(broken(&|g| g.nodes[1].inputs[0] = ValueId(99)).contains("is no value"));
    assert!(broken(&|g| g.nodes[0].phase = Phase::Backward(0)).contains("follows backward"));
    assert!(broken(&|g| g.outputs[0] = g.value(Shape::new(&[3]), DType::F32)).contains("is not made"));
    assert!(broken(&|g| g.values[1].shape[0] = -1).contains("shape"));
    assert!(broken(&|g| g.variables[0].value = ValueId(77)).contains("'x'"));
}
