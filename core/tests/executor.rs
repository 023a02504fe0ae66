//! Executors and compiled calls: binding, running, reshaping, sharing memory, watching, and what they refuse.

mod nets;

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::graph::Symbol;
use mxr_core::graph::cached_op::CachedOp;
use mxr_core::graph::compile::{Options, compile};
use mxr_core::graph::executor::Executor;
use mxr_core::graph::recompute::Budget;
use mxr_core::op::Req;
use mxr_core::op::invoke::Call;
use mxr_core::{DType, Device, ErrorCode, NdArray, Shape};
use std::sync::{Arc, Mutex};

fn full(shape: &[i64], value: f64) -> NdArray {
    NdArray::full(Shape::new(shape), value, DType::F32, Device::cpu(0)).unwrap()
}

fn values(a: &NdArray) -> Vec<f32> {
    a.to_vec().unwrap()
}

/// (x · w + b) with one hidden unit: `y_weight`, `y_bias`.
fn line() -> Symbol {
    nets::named("FullyConnected", "y", &[&nets::var("x")], &[("num_hidden", "1")])
}

fn bound(requests: Req) -> Executor {
    let variables = vec![full(&[2, 3], 2.0), full(&[1, 3], 0.5), full(&[1], 1.0)];
    let gradients = vec![Some(full(&[2, 3], 7.0)), Some(full(&[1, 3], 7.0)), None];
    Executor::bind(&line(), variables, gradients, vec![requests; 3], None, Options::default()).unwrap()
}

#[test]
fn outputs_and_gradients_are_arrays_that_each_run_overwrites() {
    let executor = bound(Req::Write);
    let output = executor.forward(true).unwrap()[0].clone();
    assert_eq!(values(&output), [4.0, 4.0]);
    executor.backward(&[full(&[2, 1], 10.0)]).unwrap();
    let gradients: Vec<_> = executor.gradients().collect();
    assert_eq!(gradients[0].0, "x");
    assert_eq!(values(gradients[0].1.unwrap()), [5.0; 6]);
    assert_eq!(values(gradients[1].1.unwrap()), [40.0; 3]);
    assert!(gradients[2].1.is_none());
    executor.copy_params_from(&[("y_bias", &full(&[1], -4.0))], false).unwrap();
    executor.forward(false).unwrap();
    assert_eq!(values(&output), [-1.0, -1.0]);
}

#[test]
fn gradients_are_added_where_it_is_asked_for() {
    let executor = bound(Req::Add);
    for _ in 0..2 {
        executor.forward(true).unwrap();
        executor.backward(&[full(&[2, 1], 1.0)]).unwrap();
    }
    let gradients: Vec<_> = executor.gradients().map(|(_, g)| g.map(values)).collect();
    assert_eq!(gradients[0], Some(vec![8.0; 6]));
    assert_eq!(gradients[1], Some(vec![15.0; 3]));
}

#[test]
fn an_argument_without_influence_has_gradient_zero() {
    let x = nets::var("x");
    let y = nets::call("elemwise_add", &[&nets::call("BlockGrad", &[&x], &[]), &nets::var("y")], &[]);
    let variables = vec![full(&[2], 1.0), full(&[2], 2.0)];
    let gradients = vec![Some(full(&[2], 7.0)), Some(full(&[2], 7.0))];
    let executor =
        Executor::bind(&y, variables, gradients, vec![Req::Write; 2], None, Options::default()).unwrap();
    executor.forward(true).unwrap();
    executor.backward(&[full(&[2], 3.0)]).unwrap();
    let gradients: Vec<_> = executor.gradients().map(|(_, g)| values(g.unwrap())).collect();
    assert_eq!(gradients, [[0.0; 2], [3.0; 2]]);
}

#[test]
fn a_result_that_is_a_variable_or_another_result_is_a_copy() {
    let x = nets::var("x");
    let y = nets::call("Flatten", &[&x], &[]);
    let both = Symbol::group(&[x.clone(), y.clone(), y, x]);
    let executor = Executor::bind(
        &both,
        vec![full(&[2, 2], 3.0)],
        vec![Some(full(&[2, 2], 0.0))],
        vec![Req::Write],
        None,
        Options::default(),
    )
    .unwrap();
    let outputs = executor.forward(true).unwrap();
    outputs.iter().for_each(|o| assert_eq!(values(o), [3.0; 4]));
    assert!((0..4).all(|i| (0..i).all(|j| !outputs[i].overlaps(&outputs[j]))));
    let heads: Vec<_> = (0..4).map(|i| full(&[2, 2], f64::from(1 << i))).collect();
    executor.backward(&heads).unwrap();
    assert_eq!(values(executor.gradients().next().unwrap().1.unwrap()), [15.0; 4]);
}

/// Three products with the same weight of 64 x 64, and the plan of their gradients.
fn products(requests: Req) -> Executor {
    let w = nets::var("w");
    let product = |x: &Symbol| nets::call("dot", &[x, &w], &[]);
    let net = product(&product(&product(&nets::var("x"))));
    let identity = full(&[64, 64], 0.0);
    let bytes: Vec<u8> =
        (0..64 * 64).flat_map(|i| if i % 65 == 0 { 2.0f32 } else { 0.0 }.to_ne_bytes()).collect();
    identity.copy_from_bytes(&bytes).unwrap();
    let variables = vec![full(&[64, 64], 3.0), identity];
    let gradients = vec![Some(full(&[64, 64], 7.0)), Some(full(&[64, 64], 7.0))];
    Executor::bind(&net, variables, gradients, vec![requests; 2], None, Options::default()).unwrap()
}

#[test]
fn results_that_are_not_written_yet_are_memory_for_what_comes_before_them() {
    let one = 64 * 64 * 4;
    let executor = products(Req::Null);
    let plan = executor.plan(false).unwrap();
    assert_eq!(
        plan.report.arena_bytes, one,
        "of two results at a time one is where the output will be\n{plan}"
    );
    for _ in 0..2 {
        assert_eq!(values(&executor.forward(false).unwrap()[0]), [24.0; 64 * 64]);
    }
    let arena = |requests| products(requests).plan(true).unwrap().report.arena_bytes;
    assert!(arena(Req::Write) < arena(Req::Add), "gradients that are added hold values");
    let gradients = |requests| {
        let executor = products(requests);
        executor.forward(true).unwrap();
        assert!(
            executor.gradients().all(|(_, g)| values(g.unwrap()) == [7.0; 64 * 64]),
            "only backward writes"
        );
        executor.backward(&[full(&[64, 64], 1.0)]).unwrap();
        executor.gradients().map(|(_, g)| values(g.unwrap())).collect::<Vec<_>>()
    };
    let (written, added) = (gradients(Req::Write), gradients(Req::Add));
    for (written, added) in written.iter().zip(&added) {
        assert!(written.iter().zip(added).all(|(w, a)| w + 7.0 == *a));
    }
}

#[test]
fn a_head_gradient_may_lie_in_the_array_of_a_gradient() {
    let executor = bound(Req::Write);
    executor.forward(true).unwrap();
    let gradient = executor.gradients().next().unwrap().1.unwrap().clone();
    let head = gradient.reshape(&Shape::new(&[6])).unwrap().slice(0, 2).unwrap();
    executor.backward(&[head.reshape(&Shape::new(&[2, 1])).unwrap()]).unwrap();
    let gradients: Vec<_> = executor.gradients().map(|(_, g)| g.map(values)).collect();
    assert_eq!(gradients[0], Some(vec![3.5; 6]));
    assert_eq!(gradients[1], Some(vec![28.0; 3]));
}

#[test]
fn repeated_calls_are_listed_and_can_be_turned_off() {
    let net = nets::deep::small_residual([2, 2, 2, 2], 8);
    let types = net.infer_types(&[("data", Shape::new(&[2, 3, 32, 32]))], &[]).unwrap();
    let requests = net.requests(&[("data", Req::Null), ("softmax_label", Req::Null)], Req::Write).unwrap();
    let plan = |spare| {
        let options = Options { training: true, requests: requests.clone(), spare, ..Options::default() };
        compile(&net, &types, &options).unwrap().report
    };
    let (all, less) = (plan(false), plan(true));
    assert_eq!(all.choices, [] as [&str; 0]);
    assert!(less.choices.iter().any(|c| c.starts_with("calls repeated")), "{:?}", less.choices);
    assert!(less.peak_bytes < all.peak_bytes && less.again_flops > 0);
}

#[test]
fn misuse_is_told() {
    let executor = bound(Req::Write);
    let before = executor.backward(&[]).unwrap_err();
    assert_eq!(before.code(), ErrorCode::Autograd);
    executor.forward(true).unwrap();
    let missing = executor.backward(&[]).unwrap_err();
    assert_eq!((missing.code(), missing.argument()), (ErrorCode::Autograd, Some("out_grads")));
    let shape = executor.backward(&[full(&[2, 2], 1.0)]).unwrap_err();
    assert_eq!((shape.code(), shape.argument()), (ErrorCode::Shape, Some("head_grads[0]")));
    let many = executor.backward(&[full(&[2, 1], 1.0), full(&[2, 1], 1.0)]).unwrap_err();
    assert_eq!(many.code(), ErrorCode::InvalidValue);
    let unknown = executor.copy_params_from(&[("z", &full(&[1], 0.0))], false).unwrap_err();
    assert_eq!(unknown.code(), ErrorCode::NotFound);
    let bind = |variables: Vec<NdArray>, gradients| {
        let requests = vec![Req::Write; 3];
        Executor::bind(&line(), variables, gradients, requests, None, Options::default()).err().unwrap()
    };
    assert_eq!(bind(vec![full(&[2, 3], 0.0)], vec![]).code(), ErrorCode::InvalidValue);
    let bad = vec![full(&[2, 3], 0.0), full(&[1, 4], 0.0), full(&[1], 0.0)];
    assert_eq!(bind(bad, vec![]).code(), ErrorCode::Shape);
    let good = vec![full(&[2, 3], 0.0), full(&[1, 3], 0.0), full(&[1], 0.0)];
    let shared = bind(good.clone(), vec![None, Some(good[1].clone())]);
    assert_eq!(shared.argument(), Some("args_grad['y_weight']"));
    let dtype = NdArray::full([1, 3].into(), 0.0, DType::F64, Device::cpu(0)).unwrap();
    assert_eq!(bind(good, vec![None, Some(dtype)]).code(), ErrorCode::DType);
}

/// Two branches of a picture that halve it differently.
#[test]
fn arrays_that_contradict_each_other_are_told_with_both_nodes_and_the_paths() {
    let data = nets::var("data");
    let one = nets::named("Flatten", "flat", &[&data], &[]);
    let other = nets::named("Pooling", "pool", &[&data], &[("kernel", "(2, 2)"), ("pool_type", "max")]);
    let sum = nets::named("elemwise_add", "sum", &[&one, &other], &[]);
    let bound =
        Executor::bind(&sum, vec![full(&[1, 1, 4, 4], 1.0)], vec![], vec![], None, Options::default());
    let error = bound.map(drop).unwrap_err();
    assert_eq!((error.code(), error.operator()), (ErrorCode::Shape, Some("elemwise_add")));
    for part in ["in node 'sum'", "'data' → 'flat'", "'data' → 'pool'", "(1, 16)", "(1, 1, 3, 3)"] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn a_failure_while_running_is_reported_by_the_outputs() {
    let y = nets::call("take", &[&nets::var("a"), &nets::var("i")], &[("mode", "raise")]);
    let variables = vec![full(&[3], 1.0), full(&[2], 9.0)];
    let executor = Executor::bind(&y, variables, vec![], vec![], None, Options::default()).unwrap();
    let outputs = executor.forward(false).unwrap();
    assert_eq!(outputs[0].to_vec::<f32>().unwrap_err().code(), ErrorCode::Index);
    // What follows from it fails as well, until a run that does not.
    let square = nets::call("square", &[&y], &[]);
    let (index, gradient) = (full(&[2], 9.0), full(&[3], 0.0));
    let executor = Executor::bind(
        &square,
        vec![full(&[3], 2.0), index.clone()],
        vec![Some(gradient.clone())],
        vec![Req::Write],
        None,
        Options::default(),
    )
    .unwrap();
    executor.forward(true).unwrap();
    executor.backward(&[full(&[2], 1.0)]).unwrap();
    assert_eq!(gradient.to_vec::<f32>().unwrap_err().code(), ErrorCode::Index);
    index.copy_from_bytes(&[0; 8]).unwrap();
    executor.forward(true).unwrap();
    executor.backward(&[full(&[2], 1.0)]).unwrap();
    assert_eq!(values(&gradient), [8.0, 0.0, 0.0]);
}

#[test]
fn reshaped_executors_share_parameters_and_memory() {
    let executor = bound(Req::Write);
    let types = |rows: i64| line().infer_types(&[("x", Shape::new(&[rows, 3]))], &[]).unwrap();
    let smaller = executor.reshape(&types(1), false).unwrap();
    let (a, b) = (executor.arguments().nth(1).unwrap().1, smaller.arguments().nth(1).unwrap().1);
    assert!(a.same_elements(b));
    assert!(Arc::ptr_eq(executor.arena(), smaller.arena()));
    assert_eq!(values(&smaller.forward(true).unwrap()[0]), [4.0]);
    let larger = executor.reshape(&types(5), false).err().unwrap();
    assert_eq!((larger.code(), larger.argument()), (ErrorCode::Shape, Some("x")));
    let larger = executor.reshape(&types(5), true).unwrap();
    assert_eq!(values(&larger.forward(true).unwrap()[0]), [1.0; 5]);
}

#[test]
fn a_backward_pass_whose_memory_another_executor_used_is_refused() {
    let first = bound(Req::Write);
    let second =
        first.reshape(&line().infer_types(&[("x", Shape::new(&[1, 3]))], &[]).unwrap(), false).unwrap();
    first.forward(true).unwrap();
    second.forward(true).unwrap();
    assert_eq!(first.backward(&[full(&[2, 1], 1.0)]).unwrap_err().code(), ErrorCode::Autograd);
    second.backward(&[full(&[1, 1], 1.0)]).unwrap();
}

#[test]
fn a_monitor_sees_the_outputs_of_all_calls() {
    let x = nets::var("x");
    let a = nets::named("exp", "a", &[&x], &[]);
    let b = nets::named("Flatten", "b", &[&a], &[]);
    let c = nets::named("negative", "c", &[&b], &[]);
    let executor =
        Executor::bind(&c, vec![full(&[2, 1], 0.0)], vec![], vec![], None, Options::default()).unwrap();
    type Seen = Vec<(String, Vec<f32>)>;
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let list = seen.clone();
    executor.set_monitor(Some(Box::new(move |name, array| {
        list.lock().unwrap().push((name.to_owned(), values(array)));
    })));
    executor.forward(false).unwrap();
    let expected = [("a_output", 1.0), ("b_output", 1.0), ("c_output", -1.0)];
    let expected: Vec<_> = expected.map(|(n, v)| (n.to_owned(), vec![v; 2])).into();
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn folding_changes_rounding_only_and_is_listed() {
    let x = nets::norm(&nets::conv(&nets::var("data"), 3, 3, 1, 1, true));
    let net = nets::norm(&nets::conv(&nets::relu(&x), 2, 1, 1, 0, false));
    let types = net.infer_types(&[("data", Shape::new(&[2, 2, 5, 5]))], &[]).unwrap();
    let run = |fold: bool| {
        let variables: Vec<NdArray> = types
            .iter()
            .enumerate()
            .map(|(i, t)| {
                let a = NdArray::empty(t.shape.clone(), t.dtype, Device::cpu(0)).unwrap();
                let values: Vec<f32> =
                    (0..t.shape.len()).map(|j| ((i * 7 + j * 5) % 11) as f32 / 16.0 + 0.25).collect();
                a.copy_from_bytes(&values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<u8>>()).unwrap();
                a
            })
            .collect();
        let options = Options { fold, ..Options::default() };
        let executor = Executor::bind(&net, variables, vec![], vec![], None, options).unwrap();
        (values(&executor.forward(false).unwrap()[0]), executor.plan(false).unwrap().report.clone())
    };
    let ((plain, kept), (folded, report)) = (run(false), run(true));
    assert!(kept.choices.is_empty());
    assert_eq!(report.choices, ["BatchNorm folded into Convolution (2)"]);
    let largest = plain.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    assert!(plain.iter().zip(&folded).all(|(a, b)| (a - b).abs() <= 1e-5 * largest));
}

#[test]
fn a_budget_that_cannot_be_met_names_the_least() {
    let net = nets::deep::small_residual([2, 2, 2, 2], 8);
    let types = net.infer_types(&[("data", Shape::new(&[2, 3, 16, 16]))], &[]).unwrap();
    let requests = vec![Req::Write; types.len()];
    let with = |budget| {
        compile(
            &net,
            &types,
            &Options { training: true, requests: requests.clone(), budget, ..Options::default() },
        )
    };
    let all = with(None).unwrap().report;
    let least = with(Some(Budget::Least)).unwrap().report;
    assert!(least.peak_bytes < all.peak_bytes * 2 / 3, "{least:?} {all:?}");
    let error = with(Some(Budget::Bytes(least.peak_bytes / 4))).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::InvalidValue, Some("budget")));
    let middle = (least.peak_bytes + all.peak_bytes) / 2;
    let met = with(Some(Budget::Bytes(middle))).unwrap().report;
    assert!(met.peak_bytes <= middle && met.again_flops < least.again_flops);
}

fn recording(training: bool) -> Mode {
    Mode { recording: true, call: Call { training, ..Call::default() } }
}

#[test]
fn a_compiled_call_is_one_operation_on_the_tape() {
    for keep_memory in [false, true] {
        let op = CachedOp::new(&line(), keep_memory, Options::default());
        assert_eq!(op.inputs(), ["x", "y_weight", "y_bias"]);
        let inputs = [full(&[2, 3], 2.0), full(&[1, 3], 0.5), full(&[1], 1.0)];
        let gradient = full(&[1, 3], 0.0);
        autograd::mark_variables(&inputs[1..2], std::slice::from_ref(&gradient), &[Req::Write]).unwrap();
        let first = op.call(&inputs, &recording(true)).unwrap();
        let second = op.call(&inputs, &recording(true)).unwrap();
        let sum = nets_add(&first[0], &second[0]);
        let keep = BackwardOptions { retain_graph: true, training: true, ..BackwardOptions::default() };
        for _ in 0..2 {
            autograd::backward(std::slice::from_ref(&sum), &[None], keep).unwrap();
            assert_eq!(values(&gradient), [8.0; 3]);
        }
        assert_eq!(values(&op.call(&inputs, &Mode::default()).unwrap()[0]), [4.0, 4.0]);
    }
}

/// MXNet leaves the gradients of auxiliary states alone.
#[test]
fn a_compiled_call_gives_no_gradient_to_states_that_are_variables() {
    let norm = nets::named("BatchNorm", "bn", &[&nets::var("x")], &[]);
    let op = CachedOp::new(&norm, false, Options::default());
    let inputs = [full(&[2, 3], 2.0), full(&[3], 1.0), full(&[3], 0.0), full(&[3], 0.5), full(&[3], 1.5)];
    let gradients = [full(&[2, 3], 7.0), full(&[3], 7.0), full(&[3], 7.0), full(&[3], 7.0), full(&[3], 7.0)];
    autograd::mark_variables(&inputs, &gradients, &[Req::Write; 5]).unwrap();
    let y = op.call(&inputs, &recording(true)).unwrap();
    autograd::backward(&y, &[None], BackwardOptions { training: true, ..BackwardOptions::default() })
        .unwrap();
    assert_eq!(values(&gradients[2]), [2.0; 3]);
    assert_eq!((values(&gradients[3]), values(&gradients[4])), (vec![7.0; 3], vec![7.0; 3]));
}

/// The rows of the data whose weight is not zero, twice.
#[test]
fn a_call_whose_shapes_only_running_shows_takes_any_shapes() {
    let (data, index) = (nets::var("data"), nets::var("index"));
    let kept = nets::call("_contrib_boolean_mask", &[&data, &index], &[]);
    let twice = nets::call("_mul_scalar", &[&kept], &[("scalar", "2")]);
    let op = CachedOp::new(&Symbol::group([&twice, &index]), false, Options::default());
    let gradient = full(&[3, 2], 7.0);
    let from =
        |shape: &[i64], data: &[f32]| NdArray::from_slice(Shape::new(shape), data, Device::cpu(0)).unwrap();
    let data = from(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    autograd::mark_variables(std::slice::from_ref(&data), std::slice::from_ref(&gradient), &[Req::Write])
        .unwrap();
    for (mask, rows, slopes) in [
        ([1.0, 0.0, 1.0], vec![2.0, 4.0, 10.0, 12.0], [2.0, 2.0, 0.0, 0.0, 2.0, 2.0]),
        ([0.0, 1.0, 0.0], vec![6.0, 8.0], [0.0, 0.0, 2.0, 2.0, 0.0, 0.0]),
    ] {
        let mask = from(&[3], &mask);
        let y = op.call(&[data.clone(), mask.clone()], &recording(true)).unwrap();
        assert_eq!((values(&y[0]), values(&y[1])), (rows, values(&mask)));
        assert!(!y[1].overlaps(&mask), "an output that is an input is a copy");
        autograd::backward(&y[..1], &[None], BackwardOptions::default()).unwrap();
        assert_eq!(values(&gradient), slopes);
    }
}

fn nets_add(a: &NdArray, b: &NdArray) -> NdArray {
    let add = mxr_core::op::registry().addition();
    autograd::invoke(&add, &[a.clone(), b.clone()], &[], &recording(true)).unwrap()[0].clone()
}

#[test]
fn a_compiled_call_refuses_to_go_back_through_what_was_overwritten() {
    let op = CachedOp::new(&line(), true, Options::default());
    let inputs = [full(&[2, 3], 2.0), full(&[1, 3], 0.5), full(&[1], 1.0)];
    autograd::mark_variables(&inputs[..1], &[full(&[2, 3], 0.0)], &[Req::Write]).unwrap();
    let y = op.call(&inputs, &recording(true)).unwrap();
    inputs[1].copy_from_bytes(&[0; 12]).unwrap();
    let error = autograd::backward(&y, &[None], BackwardOptions::default()).unwrap_err();
    assert_eq!((error.code(), error.argument()), (ErrorCode::Autograd, Some("y_weight")));
    assert_eq!(op.call(&inputs[..2], &Mode::default()).unwrap_err().code(), ErrorCode::InvalidValue);
}
