//! Gradients of recorded programs.

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::op::invoke::Req;
use mxr_core::op::{AttrValue, registry};
use mxr_core::{DType, Device, ErrorCode, NdArray, Result, Shape};
use std::slice;

fn array(values: &[f64]) -> NdArray {
    NdArray::from_slice([values.len() as i64], values, Device::cpu(0)).unwrap()
}

fn variable(values: &[f64], request: Req) -> NdArray {
    let x = array(values);
    let gradient = NdArray::full(x.shape().unwrap().clone(), 0.0, DType::F64, x.device()).unwrap();
    autograd::mark_variables(slice::from_ref(&x), &[gradient], &[request]).unwrap();
    x
}

fn call(name: &str, inputs: &[&NdArray], attrs: &[(&str, AttrValue)]) -> Result<NdArray> {
    let op = registry().find(name)?.with_named(attrs)?;
    let inputs: Vec<NdArray> = inputs.iter().map(|a| (*a).clone()).collect();
    let mode = Mode { recording: true, ..Mode::default() };
    Ok(autograd::invoke(&op, &inputs, &[], &mode)?.swap_remove(0))
}

fn gradient(x: &NdArray) -> Vec<f64> {
    autograd::gradient_of(x).unwrap().to_vec().unwrap()
}

fn backward(head: &NdArray) -> Result<()> {
    autograd::backward(slice::from_ref(head), &[None], BackwardOptions::default())
}

#[test]
fn the_gradient_of_a_product_is_the_other_factor() {
    let (x, y) = (variable(&[1.0, 2.0], Req::Write), variable(&[3.0, 5.0], Req::Write));
    backward(&call("elemwise_mul", &[&x, &y], &[]).unwrap()).unwrap();
    assert_eq!(gradient(&x), [3.0, 5.0]);
    assert_eq!(gradient(&y), [1.0, 2.0]);
}

#[test]
fn a_variable_used_twice_gets_the_sum() {
    let x = variable(&[1.5, -2.0], Req::Write);
    backward(&call("elemwise_mul", &[&x, &x], &[]).unwrap()).unwrap();
    assert_eq!(gradient(&x), [3.0, -4.0]);
}

#[test]
fn the_request_add_adds_to_what_is_there() {
    let x = variable(&[1.0, 2.0], Req::Add);
    for _ in 0..3 {
        backward(&call("square", &[&x], &[]).unwrap()).unwrap();
    }
    assert_eq!(gradient(&x), [6.0, 12.0]);
}

#[test]
fn a_broadcast_operand_gets_the_sum_over_the_repeated_axis() {
    let x = variable(&[1.0], Req::Write);
    let y = array(&[1.0, 2.0, 3.0]);
    backward(&call("broadcast_mul", &[&x, &y], &[]).unwrap()).unwrap();
    assert_eq!(gradient(&x), [6.0]);
}

#[test]
fn second_and_third_derivatives_of_a_cube() {
    let x = variable(&[2.0], Req::Write);
    let square = call("square", &[&x], &[]).unwrap();
    let mut y = call("elemwise_mul", &[&square, &x], &[]).unwrap();
    let options = BackwardOptions { create_graph: true, retain_graph: true, training: true };
    let mut seen = vec![];
    for _ in 0..3 {
        y = autograd::grad(&[y], &[None], slice::from_ref(&x), options).unwrap().swap_remove(0);
        seen.push(y.to_vec::<f64>().unwrap()[0]);
    }
    assert_eq!(seen, [12.0, 12.0, 6.0]);
}

#[test]
fn a_second_backward_needs_a_retained_graph() {
    let x = variable(&[2.0], Req::Write);
    let y = call("square", &[&x], &[]).unwrap();
    backward(&y).unwrap();
    let e = backward(&y).unwrap_err();
    assert_eq!(e.code(), ErrorCode::Autograd);
    assert!(e.message().contains("retain_graph"), "{e}");
}

#[test]
fn an_overwritten_value_is_an_error_not_a_wrong_gradient() {
    let x = variable(&[2.0], Req::Write);
    let y = call("square", &[&x], &[]).unwrap();
    x.copy_from_bytes(&3.0f64.to_ne_bytes()).unwrap();
    assert!(backward(&y).unwrap_err().message().contains("overwritten"));
}

#[test]
fn backward_of_an_array_that_was_not_recorded_says_so() {
    assert!(backward(&array(&[1.0])).unwrap_err().message().contains("record"));
}

#[test]
fn a_chain_of_a_hundred_thousand_operations_is_followed_and_freed() {
    let x = variable(&[1.0], Req::Write);
    let mut y = x.clone();
    for _ in 0..100_000 {
        y = call("_plus_scalar", &[&y], &[("scalar", AttrValue::Float(1.0))]).unwrap();
    }
    backward(&y).unwrap();
    assert_eq!(gradient(&x), [1.0]);
    let mut z = x.clone();
    for _ in 0..100_000 {
        z = call("negative", &[&z], &[]).unwrap();
    }
    drop(z);
}

#[test]
fn a_sum_over_an_axis_spreads_its_gradient() {
    let x = variable(&[1.0, 2.0, 3.0, 4.0], Req::Write);
    let reshaped = x.reshape(&Shape::new(&[2, 2])).unwrap();
    let gradient_of_view = NdArray::full([2, 2].into(), 0.0, DType::F64, x.device()).unwrap();
    autograd::mark_variables(slice::from_ref(&reshaped), &[gradient_of_view], &[Req::Write]).unwrap();
    let sum = call("sum", &[&reshaped], &[("axis", AttrValue::Int(1))]).unwrap();
    let weights = array(&[10.0, 20.0]);
    backward(&call("elemwise_mul", &[&sum, &weights], &[]).unwrap()).unwrap();
    assert_eq!(gradient(&reshaped), [10.0, 10.0, 20.0, 20.0]);
}

/// MXNet 1.9.1 leaves zeros, and gives them, where the heads depend on a variable only through what lets no gradient
/// through.
#[test]
fn a_variable_to_which_no_gradient_flows_has_gradient_zero() {
    let (x, w) = (variable(&[1.0, 2.0], Req::Write), variable(&[3.0, 4.0], Req::Write));
    let blocked = call("BlockGrad", &[&x], &[]).unwrap();
    let y = call("elemwise_mul", &[&blocked, &w], &[]).unwrap();
    autograd::gradient_of(&x).unwrap().copy_from_bytes(&[7; 16]).unwrap();
    let keep = BackwardOptions { retain_graph: true, ..BackwardOptions::default() };
    autograd::backward(std::slice::from_ref(&y), &[None], keep).unwrap();
    assert_eq!((gradient(&x), gradient(&w)), (vec![0.0, 0.0], vec![1.0, 2.0]));
    let found = autograd::grad(&[y], &[None], &[x, blocked], keep).unwrap();
    assert_eq!(found[0].to_vec::<f64>().unwrap(), [0.0, 0.0]);
    assert_eq!(found[1].to_vec::<f64>().unwrap(), [3.0, 4.0]);
}

/// As MXNet 1.9.1: the call is part of the graph, and no gradient flows.
#[test]
fn what_reads_only_the_shape_of_a_variable_is_recorded() {
    for name in ["zeros_like", "ones_like", "shape_array"] {
        let x = variable(&[1.0, 2.0], Req::Write);
        autograd::gradient_of(&x).unwrap().copy_from_bytes(&[7; 16]).unwrap();
        let y = call(name, &[&x], &[]).unwrap();
        let keep = BackwardOptions { retain_graph: true, ..BackwardOptions::default() };
        let found = autograd::grad(slice::from_ref(&y), &[None], slice::from_ref(&x), keep).unwrap();
        assert_eq!(found[0].to_vec::<f64>().unwrap(), [0.0, 0.0], "{name}");
        backward(&y).unwrap();
        assert_eq!(gradient(&x), [0.0, 0.0], "{name}");
    }
    let (x, like) = (variable(&[3.0], Req::Write), variable(&[1.0, 2.0], Req::Write));
    autograd::gradient_of(&like).unwrap().copy_from_bytes(&[7; 16]).unwrap();
    let y = call("broadcast_like", &[&x, &like], &[]).unwrap();
    backward(&y).unwrap();
    assert_eq!((gradient(&x), gradient(&like)), (vec![2.0], vec![0.0, 0.0]));
    // One use whose elements count, one of which only the shape does.
    let x = variable(&[1.0, 2.0], Req::Add);
    let square = call("square", &[&x], &[]).unwrap();
    let y = call("elemwise_add", &[&square, &call("ones_like", &[&x], &[]).unwrap()], &[]).unwrap();
    backward(&y).unwrap();
    assert_eq!(gradient(&x), [2.0, 4.0]);
}
