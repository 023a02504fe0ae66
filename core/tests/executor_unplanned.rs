//! Executors of symbols whose shapes only running shows: what they compute is MXNet 1.9.1's, whose outputs however
//! keep the shape of the first run.

mod nets;

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::graph::Symbol;
use mxr_core::graph::compile::Options;
use mxr_core::graph::executor::Executor;
use mxr_core::op::Req;
use mxr_core::op::invoke::Call;
use mxr_core::{DType, Device, ErrorCode, NdArray, Shape};
use std::sync::{Arc, Mutex};

fn array(shape: &[i64], values: &[f32]) -> NdArray {
    NdArray::from_slice(Shape::new(shape), values, Device::cpu(0)).unwrap()
}

fn set(a: &NdArray, values: &[f32]) {
    a.copy_from_bytes(&values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>()).unwrap();
}

fn values(a: &NdArray) -> Vec<f32> {
    a.to_vec().unwrap()
}

/// The rows of `data` · `w` for which `mask` is not zero.
fn chosen() -> Symbol {
    let product = nets::call("elemwise_mul", &[&nets::var("data"), &nets::var("w")], &[]);
    nets::named("_contrib_boolean_mask", "chosen", &[&product, &nets::var("mask")], &[])
}

fn squares() -> Symbol {
    nets::named("square", "squares", &[&chosen()], &[])
}

fn arrays() -> Vec<NdArray> {
    vec![
        array(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        array(&[3, 2], &[2.0; 6]),
        array(&[3], &[1.0, 0.0, 1.0]),
    ]
}

/// With gradients of hundreds for `data` and `w`.
fn bound(symbol: &Symbol, request: Req) -> Executor {
    let hundreds = || Some(array(&[3, 2], &[100.0; 6]));
    let gradients = vec![hundreds(), hundreds(), None];
    Executor::bind(symbol, arrays(), gradients, vec![request; 3], None, Options::default()).unwrap()
}

fn gradients(executor: &Executor) -> Vec<Vec<f32>> {
    executor.gradients().filter_map(|(_, g)| g.map(values)).collect()
}

#[test]
fn gradients_are_written_added_or_left_alone() {
    let head = || array(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let written = [[8.0, 32.0, 0.0, 0.0, 120.0, 192.0], [4.0, 32.0, 0.0, 0.0, 300.0, 576.0]];
    for (request, kept) in [(Req::Write, 0.0), (Req::Add, 100.0)] {
        let executor = bound(&squares(), request);
        let outputs = executor.forward(true).unwrap();
        assert_eq!(values(&outputs[0]), [4.0, 16.0, 100.0, 144.0]);
        executor.backward(&[head()]).unwrap();
        assert_eq!(gradients(&executor), written.map(|g| g.map(|v| v + kept).to_vec()));
    }
    let executor = bound(&squares(), Req::Null);
    executor.forward(true).unwrap();
    executor.backward(&[head()]).unwrap();
    assert_eq!(gradients(&executor), [[100.0; 6]; 2]);
}

#[test]
fn losses_need_no_head_gradient() {
    let sum = nets::call("sum", &[&squares()], &[]);
    let loss = bound(&nets::call("MakeLoss", &[&sum], &[]), Req::Write);
    assert_eq!(values(&loss.forward(true).unwrap()[0]), [264.0]);
    loss.backward(&[]).unwrap();
    let expected = [[8.0, 16.0, 0.0, 0.0, 40.0, 48.0], [4.0, 16.0, 0.0, 0.0, 100.0, 144.0]];
    assert_eq!(gradients(&loss), expected);
    // Nor does what comes of a loss.
    let label = nets::var("label");
    let softmax = nets::named("SoftmaxOutput", "softmax", &[&chosen(), &label], &[]);
    let flat = nets::call("Reshape", &[&softmax], &[("shape", "(-1,)")]);
    let mut variables = arrays();
    variables.push(array(&[2], &[1.0; 2]));
    let into = vec![Some(array(&[3, 2], &[100.0; 6])), None, None, None];
    let requests = vec![Req::Write; 4];
    let executor = Executor::bind(&flat, variables, into, requests, None, Options::default()).unwrap();
    executor.forward(true).unwrap();
    executor.backward(&[]).unwrap();
    let expected = [0.238_405_84, -0.238_405_94, 0.0, 0.0, 0.238_405_84, -0.238_405_94];
    for (got, expected) in gradients(&executor)[0].iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6, "{got} {expected}");
    }
    let error = bound(&squares(), Req::Write);
    error.forward(true).unwrap();
    let error = error.backward(&[]).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::Autograd, Some("out_grads")));
}

#[test]
fn each_run_has_outputs_of_its_own_shape() {
    let executor = bound(&squares(), Req::Write);
    assert_eq!(executor.outputs().unwrap_err().code(), ErrorCode::Shape);
    let mask = executor.arguments().nth(2).unwrap().1.clone();
    let first = executor.forward(true).unwrap().swap_remove(0);
    for (chosen, rows) in [([0.0, 1.0, 0.0], 1), ([1.0, 1.0, 1.0], 3), ([0.0; 3], 0)] {
        set(&mask, &chosen);
        let output = executor.forward(true).unwrap().swap_remove(0);
        assert_eq!(output.shape().unwrap(), &Shape::new(&[rows, 2]));
        assert!(executor.outputs().unwrap()[0].same_elements(&output));
        executor.backward(&[array(&[rows, 2], &vec![1.0; 2 * rows as usize])]).unwrap();
        // The gradient of (data · 2)² is 8 · data.
        let expected = [8.0, 16.0, 24.0, 32.0, 40.0, 48.0];
        let expected: Vec<f32> = (0..6).map(|i| expected[i] * chosen[i / 2]).collect();
        assert_eq!(gradients(&executor)[0], expected);
    }
    assert_eq!(values(&first), [4.0, 16.0, 100.0, 144.0]);
    let error = executor.backward(&[array(&[1, 2], &[1.0; 2])]).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::Shape, Some("head_grads[0]")));
}

#[test]
fn a_gradient_that_no_output_needs_is_zero() {
    let group = Symbol::group([&chosen(), &nets::var("u")]);
    let mut variables = arrays();
    variables.push(array(&[2], &[7.0, 8.0]));
    let into = vec![None, None, None, Some(array(&[2], &[100.0; 2]))];
    let requests = vec![Req::Write; 4];
    let executor =
        Executor::bind(&group, variables.clone(), into.clone(), requests.clone(), None, Options::default());
    let executor = executor.unwrap();
    // An output that is a variable is a copy.
    let outputs = executor.forward(true).unwrap();
    assert_eq!(values(&outputs[1]), [7.0, 8.0]);
    assert!(!outputs[1].overlaps(&variables[3]));
    executor.backward(&[array(&[2, 2], &[1.0; 4]), array(&[2], &[5.0, 6.0])]).unwrap();
    assert_eq!(gradients(&executor), [[5.0, 6.0]]);
    let blocked = nets::call("BlockGrad", &[&nets::var("u")], &[]);
    let group = Symbol::group([&chosen(), &blocked]);
    let executor = Executor::bind(&group, variables, into, requests, None, Options::default()).unwrap();
    executor.forward(true).unwrap();
    executor.backward(&[]).unwrap();
    assert_eq!(gradients(&executor), [[0.0; 2]]);
}

#[test]
fn moving_statistics_and_random_draws_are_those_of_eager_calls() {
    let net = nets::norm(&chosen());
    let net = nets::call("Dropout", &[&net], &[]);
    let types = net.infer_shape([("data", Shape::new(&[3, 2])), ("w", Shape::new(&[3, 2]))]).unwrap();
    assert!(!types.complete);
    let names = net.list_inputs();
    let make = || {
        let all = arrays().into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let array = |a: Option<NdArray>| a.unwrap_or_else(|| array(&[2], &[0.5, 2.0]));
        names.iter().zip(all).map(|(_, a)| array(a)).collect::<Vec<_>>()
    };
    let grads = || {
        make()
            .iter()
            .map(|a| Some(array(a.shape().unwrap(), &vec![0.0; a.len().unwrap()])))
            .collect::<Vec<_>>()
    };
    let requests = vec![Req::Write; names.len()];
    let seed = || mxr_core::rng::seed(11, None);
    let (bound, into) = (make(), grads());
    let executor =
        Executor::bind(&net, bound.clone(), into.clone(), requests.clone(), None, Options::default());
    let executor = executor.unwrap();
    seed();
    let planned = executor.forward(true).unwrap();
    let shape = planned[0].shape().unwrap().clone();
    executor.backward(&[NdArray::full(shape, 1.0, DType::F32, Device::cpu(0)).unwrap()]).unwrap();
    let (eager, wanted): (Vec<NdArray>, _) = (make(), grads());
    let wanted: Vec<NdArray> = wanted.into_iter().flatten().collect();
    autograd::mark_variables(&eager, &wanted, &requests).unwrap();
    let named = names.iter().cloned().zip(eager.iter().cloned()).collect();
    let mode = Mode { recording: true, call: Call { training: true, ..Call::default() } };
    seed();
    let outputs = net.run_eagerly(&named, &mode).unwrap();
    let options = BackwardOptions { training: true, ..BackwardOptions::default() };
    autograd::backward(&outputs, &[], options).unwrap();
    assert_eq!(values(&planned[0]), values(&outputs[0]));
    for ((a, b), name) in bound.iter().zip(&eager).zip(&names) {
        assert_eq!(values(a), values(b), "{name}");
    }
    for ((a, b), name) in executor.gradients().zip(&wanted).zip(&names) {
        assert_eq!(a.1.map(values), Some(values(b)), "{name}");
    }
}

#[test]
fn a_monitor_sees_every_call_and_reshaping_binds_again() {
    let executor = bound(&squares(), Req::Write);
    type Seen = Vec<(String, Vec<f32>)>;
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let list = seen.clone();
    executor.set_monitor(Some(Box::new(move |name, array| {
        list.lock().unwrap().push((name.to_owned(), values(array)));
    })));
    executor.forward(false).unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(
        seen[1..],
        [
            ("chosen_output".to_owned(), vec![2.0, 4.0, 10.0, 12.0]),
            ("squares_output".to_owned(), vec![4.0, 16.0, 100.0, 144.0]),
        ]
    );
    let types =
        executor.symbol().infer_types(&[("data", Shape::new(&[2, 2])), ("mask", Shape::new(&[2]))], &[]);
    let smaller = executor.reshape(&types.unwrap(), false).unwrap();
    set(smaller.arguments().nth(2).unwrap().1, &[0.0, 1.0]);
    assert_eq!(values(&smaller.forward(false).unwrap()[0]), [36.0, 64.0]);
}

#[test]
fn what_does_not_fit_is_refused_when_it_is_bound_and_when_it_runs() {
    let mut variables = arrays();
    variables[2] = array(&[2], &[1.0; 2]);
    let error = Executor::bind(&chosen(), variables, vec![], vec![], None, Options::default());
    let error = error.map(drop).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::Shape, Some("index")));
    // That the rows do not fit their labels shows only later.
    let label = nets::var("label");
    let softmax = nets::named("elemwise_add", "added", &[&chosen(), &label], &[]);
    let mut variables = arrays();
    variables.push(array(&[3, 2], &[1.0; 6]));
    let executor = Executor::bind(&softmax, variables, vec![], vec![], None, Options::default()).unwrap();
    let error = executor.forward(false).map(drop).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Shape);
    assert!(error.to_string().contains("added"), "{error}");
    assert_eq!(executor.plan(false).map(drop).unwrap_err().code(), ErrorCode::Unsupported);
    let executor = bound(&squares(), Req::Write);
    executor.forward(false).unwrap();
    assert_eq!(executor.backward(&[]).unwrap_err().code(), ErrorCode::Autograd);
}
