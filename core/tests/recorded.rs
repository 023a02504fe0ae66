//! Recorded computations as symbols: names and files as MXNet 1.9.1's `autograd.get_symbol` gives them, and plans that
//! compute what the tape computed, to the bit.

mod nets;

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::graph::Symbol;
use mxr_core::graph::cached_op::CachedOp;
use mxr_core::graph::compile::Options;
use mxr_core::graph::executor::Executor;
use mxr_core::op::invoke::Call;
use mxr_core::op::{AttrValue, Req, registry};
use mxr_core::{DType, Device, ErrorCode, NdArray, Shape};
use nets::var;

fn recording() -> Mode {
    Mode { recording: true, call: Call { training: true, ..Call::default() } }
}

fn numbers(shape: &[i64]) -> NdArray {
    let n = Shape::new(shape).len();
    let data: Vec<f32> = (0..n).map(|i| ((i * 37 % 23) as f32 - 11.0) / 7.0).collect();
    NdArray::from_slice(Shape::new(shape), &data, Device::cpu(0)).unwrap()
}

fn zeros(like: &NdArray) -> NdArray {
    NdArray::full(like.shape().unwrap().clone(), 0.0, DType::F32, Device::cpu(0)).unwrap()
}

fn variable(shape: &[i64]) -> NdArray {
    let x = numbers(shape);
    let gradient = zeros(&x);
    autograd::mark_variables(std::slice::from_ref(&x), &[gradient], &[Req::Write]).unwrap();
    x
}

fn call(name: &str, inputs: &[&NdArray], attrs: &[(&str, AttrValue)]) -> NdArray {
    let op = registry().find(name).unwrap().with_named(attrs).unwrap();
    let inputs: Vec<NdArray> = inputs.iter().map(|a| (*a).clone()).collect();
    autograd::invoke(&op, &inputs, &[], &recording()).unwrap().swap_remove(0)
}

fn bits(a: &NdArray) -> Vec<u32> {
    a.to_vec::<f32>().unwrap().iter().map(|v| v.to_bits()).collect()
}

fn recorded(head: &NdArray) -> Symbol {
    Symbol::recorded(std::slice::from_ref(head)).unwrap()
}

/// The array's value and its gradients from the tape and from an executor of the symbol, bound to the same
/// arrays: those with gradients in the order of their making, then the others in that of their use.
fn assert_planned_like_the_tape(head: &NdArray, variables: &[&NdArray], others: &[&NdArray]) {
    let symbol = recorded(head);
    let numbered = |name: &String| match name.strip_prefix("var") {
        Some(n) => variables[n.parse::<usize>().unwrap()].clone(),
        None => others[name[4..].parse::<usize>().unwrap() - variables.len()].clone(),
    };
    let arrays: Vec<NdArray> = symbol.list_inputs().iter().map(numbered).collect();
    let variables: Vec<NdArray> = arrays.iter().map(|a| a.detach().unwrap()).collect();
    let gradients: Vec<_> = variables.iter().map(|a| Some(zeros(a))).collect();
    let requests = vec![Req::Write; arrays.len()];
    let executor = Executor::bind(&symbol, variables, gradients, requests, None, Options::default()).unwrap();
    assert_eq!(bits(&executor.forward(true).unwrap()[0]), bits(head));
    let weights = numbers(head.shape().unwrap());
    executor.backward(std::slice::from_ref(&weights)).unwrap();
    let options = BackwardOptions { training: true, ..BackwardOptions::default() };
    autograd::backward(std::slice::from_ref(head), &[Some(weights)], options).unwrap();
    for (name, planned) in executor.gradients() {
        if let Some(taped) = autograd::gradient_of(&numbered(&name.to_owned())) {
            assert!(bits(planned.unwrap()) == bits(&taped), "{name}");
        }
    }
}

/// What MXNet 1.9.1 writes in a new process for the same calls: `mx.autograd.get_symbol(z).tojson()` after
/// `y = mx.nd.FullyConnected(x, w, num_hidden=1, no_bias=True)` and `z = mx.nd.exp(y * 2) + c`.
const MXNETS: &str = r#"{
  "nodes": [
    {
      "op": "null", 
      "name": "var0", 
      "inputs": []
    }, 
    {
      "op": "null", 
      "name": "var1", 
      "inputs": []
    }, 
    {
      "op": "FullyConnected", 
      "name": "node_0", 
      "attrs": {
        "no_bias": "True", 
        "num_hidden": "1"
      }, 
      "inputs": [[0, 0, 0], [1, 0, 0]]
    }, 
    {
      "op": "_mul_scalar", 
      "name": "node_1", 
      "attrs": {"scalar": "2.0"}, 
      "inputs": [[2, 0, 0]]
    }, 
    {
      "op": "exp", 
      "name": "node_2", 
      "inputs": [[3, 0, 0]]
    }, 
    {
      "op": "null", 
      "name": "null2", 
      "inputs": []
    }, 
    {
      "op": "broadcast_add", 
      "name": "node_3", 
      "inputs": [[4, 0, 0], [5, 0, 0]]
    }
  ], 
  "arg_nodes": [0, 1, 5], 
  "node_row_ptr": [0, 1, 2, 3, 4, 5, 6, 7], 
  "heads": [[6, 0, 0]], 
  "attrs": {"mxnet_version": ["int", 10901]}
}"#;

#[test]
fn a_recorded_computation_is_the_symbol_that_mxnet_makes_of_it() {
    let (x, w, c) = (variable(&[1, 2]), variable(&[1, 2]), numbers(&[1, 1]));
    let hidden = [("num_hidden", AttrValue::Int(1)), ("no_bias", AttrValue::Bool(true))];
    let y = call("FullyConnected", &[&x, &w], &hidden);
    let twice = call("_mul_scalar", &[&y], &[("scalar", AttrValue::Float(2.0))]);
    let z = call("broadcast_add", &[&call("exp", &[&twice], &[]), &c], &[]);
    let symbol = recorded(&z);
    assert_eq!(symbol.to_json(), MXNETS);
    assert_eq!(Symbol::from_json(MXNETS).unwrap().list_outputs(), symbol.list_outputs());
    assert_planned_like_the_tape(&z, &[&x, &w], &[&c]);
}

#[test]
fn an_array_that_is_read_twice_is_one_variable_unless_it_was_written_between() {
    let (x, c) = (variable(&[3]), numbers(&[3]));
    let once = call("elemwise_mul", &[&x, &c], &[]);
    let twice = call("elemwise_add", &[&once, &c], &[]);
    assert_eq!(recorded(&twice).list_arguments(), ["var0", "null1"]);
    c.copy_from_bytes(&[0; 12]).unwrap();
    let third = call("elemwise_add", &[&twice, &c], &[]);
    assert_eq!(recorded(&third).list_arguments(), ["var0", "null1", "null2"]);
    assert_eq!(recorded(&x).list_arguments(), ["var0"]);
}

/// Depth first the calls would stand in another order, and the three parts of the gradient be added in another.
#[test]
fn calls_run_in_the_order_in_which_they_were_recorded() {
    let x = variable(&[64]);
    let part = |name, k| call("_mul_scalar", &[&call(name, &[&x], &[])], &[("scalar", AttrValue::Float(k))]);
    let (a, b, c) = (part("sin", 1e3), part("cos", 0.37), part("exp", 1e-3));
    let sum = call("elemwise_add", &[&c, &call("elemwise_add", &[&a, &b], &[])], &[]);
    assert_planned_like_the_tape(&sum, &[&x], &[]);
}

#[test]
fn a_network_is_planned_as_it_was_recorded() {
    let (x, y) = (numbers(&[4, 3, 9, 9]), numbers(&[4, 5]));
    let (w, gamma, beta) = (variable(&[6, 3, 3, 3]), variable(&[6]), variable(&[6]));
    let (mean, var) = (numbers(&[6]), NdArray::full([6].into(), 1.0, DType::F32, Device::cpu(0)).unwrap());
    let (v, b) = (variable(&[5, 294]), variable(&[5]));
    let kernel = AttrValue::Ints(Shape::new(&[3, 3]));
    let conv = [("kernel", kernel), ("num_filter", AttrValue::Int(6)), ("no_bias", AttrValue::Bool(true))];
    let h = call("Convolution", &[&x, &w], &conv);
    let h = call("BatchNorm", &[&h, &gamma, &beta, &mean, &var], &[("fix_gamma", AttrValue::Bool(false))]);
    let h = call("Activation", &[&h], &[("act_type", AttrValue::Str("relu".into()))]);
    let out = call("FullyConnected", &[&h, &v, &b], &[("num_hidden", AttrValue::Int(5))]);
    let loss = call("sum", &[&call("elemwise_mul", &[&call("log_softmax", &[&out], &[]), &y], &[])], &[]);
    let symbol = recorded(&loss);
    assert_eq!(symbol.list_auxiliary_states(), ["null6", "null7"]);
    assert_planned_like_the_tape(&loss, &[&w, &gamma, &beta, &v, &b], &[&x, &mean, &var, &y]);
}

#[test]
fn a_compiled_call_becomes_its_calls() {
    let hidden = nets::named("FullyConnected", "fc", &[&var("data")], &[("num_hidden", "2")]);
    let op = CachedOp::new(&hidden, false, Options::default());
    let (x, w, b) = (variable(&[3, 4]), variable(&[2, 4]), variable(&[2]));
    let y = op.call(&[x.clone(), w.clone(), b.clone()], &recording()).unwrap().swap_remove(0);
    let z = call("_plus_scalar", &[&y], &[("scalar", AttrValue::Float(1.0))]);
    let symbol = recorded(&z);
    assert_eq!(symbol.list_arguments(), ["var0", "var1", "var2"]);
    assert_eq!(symbol.internals().list_outputs()[3..], ["node_0_output", "node_1_output"]);
    assert_planned_like_the_tape(&z, &[&x, &w, &b], &[]);
}

/// The gradient of a gradient, taken by a plan.
#[test]
fn a_recorded_gradient_can_be_planned() {
    let x = variable(&[5]);
    let y = call("tanh", &[&x], &[]);
    let options = BackwardOptions { create_graph: true, training: true, ..BackwardOptions::default() };
    let slope = autograd::grad(&[y], &[None], std::slice::from_ref(&x), options).unwrap().swap_remove(0);
    let ones = NdArray::full([5].into(), 1.0, DType::F32, Device::cpu(0)).unwrap();
    assert_eq!(recorded(&slope).list_arguments(), ["null1", "var0"]);
    assert_planned_like_the_tape(&slope, &[&x], &[&ones]);
}

#[test]
fn what_is_no_recorded_computation_of_operators_is_refused() {
    let code = |head: &NdArray| Symbol::recorded(std::slice::from_ref(head)).unwrap_err().code();
    assert_eq!(code(&numbers(&[2])), ErrorCode::Autograd);
    let (x, y) = (variable(&[2]), numbers(&[2]));
    let same = Box::new(|heads: &[NdArray]| Ok(heads.to_vec()));
    autograd::record_custom("mine", &[x], std::slice::from_ref(&y), same).unwrap();
    let error = Symbol::recorded(&[call("exp", &[&y], &[])]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unsupported);
    assert!(error.message().contains("'mine'"), "{error}");
}

#[test]
fn a_call_that_reads_only_a_shape_keeps_what_it_reads() {
    let x = variable(&[2, 3]);
    let y = call("elemwise_add", &[&call("zeros_like", &[&x], &[]), &x], &[]);
    let symbol = recorded(&y);
    assert_eq!(symbol.list_inputs(), ["var0"]);
    let names: Vec<String> = symbol.internals().list_outputs();
    assert_eq!(names, ["var0", "node_0_output", "node_1_output"]);
    assert_planned_like_the_tape(&y, &[&x], &[]);
    let alone = call("ones_like", &[&x], &[]);
    assert_eq!(recorded(&alone).list_inputs(), ["var0"]);
    assert_planned_like_the_tape(&alone, &[&x], &[]);
}
