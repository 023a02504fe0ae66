//! Gradients of gradients through compiled calls, loops and branches: against finite differences of gradients, and
//! against the same calls made one by one.

mod nets;

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::graph::Symbol;
use mxr_core::graph::cached_op::CachedOp;
use mxr_core::graph::compile::Options;
use mxr_core::op::Req;
use mxr_core::op::invoke::Call;
use mxr_core::{DType, Device, ErrorCode, NdArray, Shape, rng};
use nets::{call, var};
use serde_json::Value;
use std::path::PathBuf;

const ONCE: BackwardOptions = BackwardOptions { retain_graph: false, create_graph: false, training: true };
const TWICE: BackwardOptions = BackwardOptions { retain_graph: true, create_graph: true, training: true };

fn recording() -> Mode {
    Mode { recording: true, call: Call { training: true, ..Call::default() } }
}

fn array(shape: &[i64], data: &[f64]) -> NdArray {
    NdArray::from_slice(Shape::new(shape), data, Device::cpu(0)).unwrap()
}

/// Some numbers, all different.
fn numbers(shape: &[i64]) -> NdArray {
    let n = Shape::new(shape).len();
    array(shape, &(0..n).map(|i| ((i * 37 % 23) as f64 - 11.0) / 8.0).collect::<Vec<_>>())
}

fn values(a: &NdArray) -> Vec<f64> {
    a.to_vec().unwrap()
}

fn copies(arrays: &[NdArray]) -> Vec<NdArray> {
    arrays.iter().map(|a| array(a.shape().unwrap(), &values(a))).collect()
}

/// Weights that no two neighbours share.
fn weights(like: &NdArray) -> NdArray {
    let n = like.len().unwrap();
    let data: Vec<f64> = (0..n).map(|i| [0.5, -1.0, 1.5, 0.25, -0.75, 1.25, -0.5][(i * 3 + 1) % 7]).collect();
    array(like.shape().unwrap(), &data)
}

fn marked(arrays: &[NdArray]) -> Vec<NdArray> {
    let zeros = |a: &NdArray| NdArray::full(a.shape().unwrap().clone(), 0.0, DType::F64, a.device()).unwrap();
    let gradients: Vec<NdArray> = arrays.iter().map(zeros).collect();
    autograd::mark_variables(arrays, &gradients, &vec![Req::Write; arrays.len()]).unwrap();
    gradients
}

/// A way to compute outputs from inputs.
type Function<'a> = &'a dyn Fn(&[NdArray]) -> Vec<NdArray>;

fn gradients(function: Function, inputs: &[NdArray], options: BackwardOptions) -> Vec<NdArray> {
    let outputs = function(inputs);
    let heads: Vec<_> = outputs.iter().map(|o| Some(weights(o))).collect();
    autograd::grad(&outputs, &heads, inputs, options).unwrap()
}

/// The first derivatives, and the gradients of their weighted sum.
fn derivatives(function: Function, inputs: &[NdArray]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let second = marked(inputs);
    let first = gradients(function, inputs, TWICE);
    let recorded: Vec<NdArray> = first.iter().filter(|g| g.is_recorded()).cloned().collect();
    let heads: Vec<_> = recorded.iter().map(|g| Some(weights(g))).collect();
    autograd::backward(&recorded, &heads, ONCE).unwrap();
    (first.iter().map(values).collect(), second.iter().map(values).collect())
}

fn assert_slopes_agree(name: &str, function: Function, inputs: &[NdArray]) {
    let (_, second) = derivatives(function, &copies(inputs));
    let objective = |inputs: &[NdArray]| -> f64 {
        marked(inputs);
        let products = gradients(function, inputs, ONCE).into_iter().flat_map(|g| {
            values(&g).into_iter().zip(values(&weights(&g))).map(|(a, b)| a * b).collect::<Vec<_>>()
        });
        products.sum()
    };
    for (i, want) in second.iter().enumerate() {
        for (at, want) in want.iter().enumerate() {
            let side = |step: f64| {
                let mut arrays = copies(inputs);
                let mut data = values(&arrays[i]);
                data[at] += step;
                arrays[i] = array(arrays[i].shape().unwrap(), &data);
                objective(&arrays)
            };
            let slope = (side(1e-5) - side(-1e-5)) / 2e-5;
            let close = (slope - want).abs() < 1e-5 * (1.0 + want.abs());
            assert!(close, "{name}: input {i}, element {at}: {slope} by differences, {want}");
        }
    }
}

fn eager(symbol: &Symbol) -> impl Fn(&[NdArray]) -> Vec<NdArray> + use<> {
    let symbol = symbol.clone();
    move |inputs| {
        let given = symbol.list_inputs().into_iter().zip(inputs.iter().cloned()).collect();
        symbol.run_eagerly(&given, &recording()).unwrap()
    }
}

fn compiled(symbol: &Symbol) -> impl Fn(&[NdArray]) -> Vec<NdArray> + use<> {
    let op = CachedOp::new(symbol, true, Options::default());
    move |inputs| op.call(inputs, &recording()).unwrap().to_vec()
}

/// tanh(x · wᵀ + b) · vᵀ, twice read.
fn two_layers() -> Symbol {
    let hidden = call("FullyConnected", &[&var("x")], &[("num_hidden", "4")]);
    let hidden = call("Activation", &[&hidden], &[("act_type", "tanh")]);
    let output = call("FullyConnected", &[&hidden], &[("num_hidden", "2")]);
    Symbol::group([&output, &call("elemwise_mul", &[&hidden, &hidden], &[])])
}

fn arrays_of(symbol: &Symbol, x: &[i64]) -> Vec<NdArray> {
    let types = symbol.infer_types(&[("x", Shape::new(x))], &[]).unwrap();
    types.iter().map(|t| numbers(&t.shape)).collect()
}

#[test]
fn a_compiled_call_has_the_second_derivatives_that_its_calls_have_one_by_one() {
    let symbol = two_layers();
    let inputs = arrays_of(&symbol, &[3, 5]);
    let (one, other) = (eager(&symbol), compiled(&symbol));
    assert_eq!(derivatives(&one, &copies(&inputs)), derivatives(&other, &copies(&inputs)));
    assert_slopes_agree("two layers", &other, &inputs);
}

#[test]
fn compiled_calls_after_each_other_are_gone_through_one_by_one() {
    let layer = compiled(&call("Activation", &[&var("x")], &[("act_type", "sigmoid")]));
    let thrice = |inputs: &[NdArray]| layer(&layer(&layer(inputs)));
    assert_slopes_agree("sigmoid of sigmoid of sigmoid", &thrice, &[numbers(&[4])]);
}

#[test]
fn third_derivatives_of_a_compiled_cube() {
    let x = var("x");
    let cube = call("elemwise_mul", &[&call("elemwise_mul", &[&x, &x], &[]), &x], &[]);
    let op = CachedOp::new(&cube, false, Options::default());
    let x = array(&[2], &[2.0, -3.0]);
    let found = marked(std::slice::from_ref(&x));
    let y = op.call(std::slice::from_ref(&x), &recording()).unwrap();
    let first = autograd::grad(&y, &[None], std::slice::from_ref(&x), TWICE).unwrap();
    let second = autograd::grad(&first, &[None], std::slice::from_ref(&x), TWICE).unwrap();
    assert_eq!((values(&first[0]), values(&second[0])), (vec![12.0, 27.0], vec![12.0, -18.0]));
    autograd::backward(&second, &[None], ONCE).unwrap();
    assert_eq!(values(&found[0]), [6.0, 6.0]);
}

/// What is dropped is what the first run dropped, and the next random number is the same as without the second
/// derivative.
#[test]
fn a_compiled_call_that_is_run_again_draws_the_same_random_numbers() {
    let x = var("x");
    let dropped = call("Dropout", &[&call("elemwise_mul", &[&x, &x], &[])], &[("p", "0.5")]);
    let run = |function: Function| {
        rng::seed(11, None);
        let x = numbers(&[64]);
        (derivatives(function, &[x]), rng::generator(Device::cpu(0)).state())
    };
    let (one, other) = (run(&eager(&dropped)), run(&compiled(&dropped)));
    assert!(one.0.1[0].contains(&0.0) && one.0.1[0].iter().any(|v| *v != 0.0));
    assert_eq!(one, other);
}

#[test]
fn a_compiled_call_whose_input_was_overwritten_is_refused() {
    let op = CachedOp::new(&two_layers(), false, Options::default());
    let inputs = arrays_of(&two_layers(), &[3, 5]);
    marked(&inputs[..1]);
    let y = op.call(&inputs, &recording()).unwrap();
    inputs[1].copy_from_bytes(&[0; 160]).unwrap();
    let error = autograd::grad(&y, &[None, None], &inputs[..1], TWICE).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::Autograd, Some(&*op.inputs()[1])));
}

#[test]
fn a_compiled_call_whose_graph_was_freed_is_refused() {
    let op = CachedOp::new(&call("square", &[&var("x")], &[]), false, Options::default());
    let x = numbers(&[3]);
    marked(std::slice::from_ref(&x));
    let y = op.call(std::slice::from_ref(&x), &recording()).unwrap();
    autograd::backward(&y, &[None], ONCE).unwrap();
    let error = autograd::grad(&y, &[None], &[x], TWICE).unwrap_err();
    assert!(error.message().contains("freed by an earlier backward"), "{error}");
}

/// Batch normalisation changes its moving statistics in its backward pass: once, as without the second derivative.
#[test]
fn states_change_once_in_a_differentiated_backward_pass() {
    let norm = call("BatchNorm", &[&var("x")], &[("fix_gamma", "False"), ("momentum", "0.5")]);
    let states = |options: BackwardOptions| {
        let inputs = arrays_of(&norm, &[4, 3]);
        marked(&inputs[..3]);
        let y = compiled(&norm)(&inputs);
        autograd::grad(&y, &[None], &inputs[..1], options).unwrap()[0].wait_to_read(None).unwrap();
        (values(&inputs[3]), values(&inputs[4]))
    };
    assert_eq!(states(ONCE), states(TWICE));
    assert_ne!(states(TWICE).0, values(&arrays_of(&norm, &[4, 3])[3]));
}

/// The loops and branches of tests/conformance/graphs, with the inputs of the cases there.
#[test]
fn loops_and_branches_have_second_derivatives() {
    let graphs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/graphs");
    let text = std::fs::read_to_string(graphs.join("control.json")).unwrap();
    let cases: Value = serde_json::from_str(&text).unwrap();
    let mut seen = 0;
    for (name, runs) in cases.as_object().unwrap() {
        let symbol = Symbol::load(&graphs.join(format!("files/control_{name}.json"))).unwrap();
        for run in runs.as_array().unwrap().iter().filter(|r| r["changed"].as_object().unwrap().is_empty()) {
            // Moved a little off the whole numbers, at which a loop takes a step more or less.
            let input = |(i, n): (usize, &String)| {
                let shape: Vec<i64> = serde_json::from_value(run["inputs"][n]["shape"].clone()).unwrap();
                let data: Vec<f64> = serde_json::from_value(run["inputs"][n]["data"].clone()).unwrap();
                array(&shape, &data.iter().map(|v| v + (i as f64 + 2.0) / 1000.0).collect::<Vec<_>>())
            };
            let inputs: Vec<NdArray> = symbol.list_inputs().iter().enumerate().map(input).collect();
            let (one, other) = (eager(&symbol), compiled(&symbol));
            assert_slopes_agree(name, &one, &inputs);
            assert_eq!(derivatives(&one, &copies(&inputs)), derivatives(&other, &copies(&inputs)), "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen}");
}
