//! Loops and branches against what MXNet 1.9.1 gives: tests/conformance/graphs (make_control.py there).

mod nets;

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::graph::Symbol;
use mxr_core::graph::compile::Options;
use mxr_core::graph::control::cut::{self, Named, Step};
use mxr_core::graph::executor::Executor;
use mxr_core::graph::memory::Sharing;
use mxr_core::graph::recompute::Budget;
use mxr_core::op::Req;
use mxr_core::op::invoke::Call;
use mxr_core::{DType, Device, ErrorCode, NdArray, Shape, rng};
use nets::var;
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;

fn graphs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/graphs")
}

fn array(v: &Value) -> NdArray {
    let shape: Shape = v["shape"].as_array().unwrap().iter().map(|d| d.as_i64().unwrap()).collect();
    let data: Vec<f64> = v["data"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    NdArray::from_slice(shape, &data, Device::cpu(0)).unwrap()
}

fn values(a: &NdArray) -> Vec<f64> {
    a.to_vec().unwrap()
}

fn assert_close(got: &NdArray, want: &Value, what: &str) {
    let want = array(want);
    assert_eq!(got.shape().unwrap(), want.shape().unwrap(), "{what}");
    for (g, w) in values(got).iter().zip(values(&want)) {
        assert!((g - w).abs() <= 1e-10 * (1.0 + w.abs()), "{what}: {g} instead of {w}");
    }
}

/// The cases: name, symbol, inputs, outputs, head gradients, gradients.
fn cases() -> Vec<(String, Symbol, Value)> {
    let text = std::fs::read_to_string(graphs().join("control.json")).unwrap();
    let cases: Value = serde_json::from_str(&text).unwrap();
    let mut all = vec![];
    for (name, runs) in cases.as_object().unwrap() {
        let symbol = Symbol::load(&graphs().join(format!("files/control_{name}.json"))).unwrap();
        for run in runs.as_array().unwrap() {
            all.push((name.clone(), symbol.clone(), run.clone()));
        }
    }
    assert!(all.len() >= 10);
    all
}

fn inputs(symbol: &Symbol, run: &Value) -> Vec<NdArray> {
    symbol.list_inputs().iter().map(|n| array(&run["inputs"][n])).collect()
}

fn heads(run: &Value) -> Vec<NdArray> {
    run["heads"].as_array().unwrap().iter().map(array).collect()
}

fn zeros_like(a: &NdArray) -> NdArray {
    NdArray::full(a.shape().unwrap().clone(), 0.0, DType::F64, Device::cpu(0)).unwrap()
}

#[test]
fn executors_give_mxnets_outputs_gradients_and_states() {
    for (name, symbol, run) in cases() {
        let arrays = inputs(&symbol, &run);
        let gradients: Vec<_> = arrays.iter().map(|a| Some(zeros_like(a))).collect();
        let requests = vec![Req::Write; arrays.len()];
        let executor =
            Executor::bind(&symbol, arrays.clone(), gradients, requests, None, Options::default()).unwrap();
        for _ in 0..2 {
            for (i, output) in executor.forward(true).unwrap().iter().enumerate() {
                assert_close(output, &run["outputs"][i], &format!("{name}: output {i}"));
            }
        }
        executor.backward(&heads(&run)).unwrap();
        for (argument, gradient) in executor.gradients() {
            let want = &run["gradients"][argument];
            if !want.is_null() {
                assert_close(gradient.unwrap(), want, &format!("{name}: gradient of {argument}"));
            }
        }
        for (n, a) in symbol.list_inputs().iter().zip(&arrays) {
            let want = if run["changed"][n].is_null() { &run["inputs"][n] } else { &run["changed"][n] };
            assert_close(a, want, &format!("{name}: {n} afterwards"));
        }
    }
}

#[test]
fn plans_of_every_kind_give_the_same_bits() {
    let plain = Options::default();
    let nothing = Sharing { views: false, in_place: false, reuse: false };
    let kinds = [
        Options { budget: Some(Budget::Least), ..plain.clone() },
        Options { mirror: true, ..plain.clone() },
        Options { fuse: false, simplify: false, sharing: nothing, ..plain.clone() },
    ];
    for (name, symbol, run) in cases() {
        let bits = |options: &Options| {
            let arrays = inputs(&symbol, &run);
            let gradients: Vec<_> = arrays.iter().map(|a| Some(zeros_like(a))).collect();
            let requests = vec![Req::Add; arrays.len()];
            let executor =
                Executor::bind(&symbol, arrays, gradients, requests, None, options.clone()).unwrap();
            let mut all: Vec<Vec<f64>> = executor.forward(true).unwrap().iter().map(values).collect();
            executor.backward(&heads(&run)).unwrap();
            all.extend(executor.gradients().filter_map(|(_, g)| g.map(values)));
            all
        };
        let want = bits(&plain);
        for (i, options) in kinds.iter().enumerate() {
            assert_eq!(bits(options), want, "{name}: kind {i}");
        }
    }
}

fn recording() -> Mode {
    Mode { recording: true, call: Call { training: true, ..Call::default() } }
}

#[test]
fn the_tape_gives_the_same_as_executors() {
    for (name, symbol, run) in cases() {
        let arrays = inputs(&symbol, &run);
        let gradients: Vec<_> = arrays.iter().map(zeros_like).collect();
        autograd::mark_variables(&arrays, &gradients, &vec![Req::Write; arrays.len()]).unwrap();
        let given: HashMap<String, NdArray> = symbol.list_inputs().into_iter().zip(arrays).collect();
        let outputs = symbol.run_eagerly(&given, &recording()).unwrap();
        for (i, output) in outputs.iter().enumerate() {
            assert_close(output, &run["outputs"][i], &format!("{name}: output {i}"));
        }
        let heads: Vec<Option<NdArray>> = heads(&run).into_iter().map(Some).collect();
        autograd::backward(&outputs, &heads, BackwardOptions::default()).unwrap();
        for (argument, gradient) in symbol.list_inputs().iter().zip(&gradients) {
            let want = &run["gradients"][argument];
            if !want.is_null() {
                assert_close(gradient, want, &format!("{name}: gradient of {argument}"));
            }
        }
    }
}

/// Calls an operator in the scope of a body.
fn scoped(scope: &str, op: &str, args: &[&Symbol], attrs: &[(&str, &str)]) -> Symbol {
    let mut all = attrs.to_vec();
    all.push((cut::SCOPE, scope));
    nets::call(op, args, &all)
}

/// A variable in the scope of a body.
fn scoped_var(scope: &str, name: &str) -> Symbol {
    var(name).with_attrs([(cut::SCOPE, scope)]).unwrap()
}

/// A loop over `x` from the state `s`; the body is given a row and the state.
fn looped(body: impl Fn(&Symbol, &Symbol) -> (Vec<Symbol>, Symbol)) -> mxr_core::Result<Symbol> {
    let variables = [scoped_var("body", "row"), scoped_var("body", "state")];
    let (mut outputs, state) = body(&variables[0], &variables[1]);
    outputs.push(state);
    let step = Step {
        scope: "body",
        variables: &variables.iter().collect::<Vec<_>>(),
        outputs: &outputs.iter().collect::<Vec<_>>(),
    };
    cut::foreach(Named { name: "loop", attrs: &[] }, &[&var("x")], &[&var("s")], step)
}

fn running_sum() -> Symbol {
    looped(|x, s| {
        let sum = scoped("body", "elemwise_add", &[x, s], &[]);
        (vec![sum.clone()], sum)
    })
    .unwrap()
}

fn given(pairs: &[(&str, &NdArray)]) -> HashMap<String, NdArray> {
    pairs.iter().map(|(n, a)| ((*n).to_owned(), (*a).clone())).collect()
}

fn filled(shape: &[i64], data: &[f64]) -> NdArray {
    NdArray::from_slice(Shape::new(shape), data, Device::cpu(0)).unwrap()
}

fn zeros(shape: &[i64]) -> NdArray {
    NdArray::full(Shape::new(shape), 0.0, DType::F64, Device::cpu(0)).unwrap()
}

/// Some numbers, all different.
fn numbers(shape: &[i64]) -> NdArray {
    let n = Shape::new(shape).len();
    filled(shape, &(0..n).map(|i| ((i * 37 % 23) as f64 - 11.0) / 8.0).collect::<Vec<_>>())
}

#[test]
fn a_loop_is_to_the_bit_what_its_steps_are_one_after_the_other() {
    let (u, w) = (var("u"), var("w"));
    let cell = |scope: &str, x: &Symbol, s: &Symbol| {
        let a = scoped(scope, "dot", &[x, &u], &[]);
        let b = scoped(scope, "dot", &[s, &w], &[]);
        scoped(scope, "tanh", &[&scoped(scope, "elemwise_add", &[&a, &b], &[])], &[])
    };
    let looped = looped(|x, s| {
        let h = cell("body", x, s);
        (vec![h.clone()], h)
    });
    let rows = nets::call(
        "SliceChannel",
        &[&var("x")],
        &[("num_outputs", "4"), ("axis", "0"), ("squeeze_axis", "True")],
    );
    let mut states = vec![var("s")];
    for t in 0..4 {
        states.push(cell("", &rows.output(t).unwrap(), &states[t]));
    }
    let steps: Vec<&Symbol> = states[1..].iter().collect();
    let stacked = nets::call("stack", &steps, &[("axis", "0")]);
    let unrolled = Symbol::group([&stacked, &states[4]]);
    let shapes: [(&str, &[i64]); 4] = [("x", &[4, 2, 3]), ("s", &[2, 5]), ("u", &[3, 5]), ("w", &[5, 5])];
    let arrays: Vec<_> = shapes.iter().map(|(n, s)| (*n, numbers(s))).collect();
    let given = given(&arrays.iter().map(|(n, a)| (*n, a)).collect::<Vec<_>>());
    let one = looped.unwrap().run_eagerly(&given, &Mode::default()).unwrap();
    let other = unrolled.run_eagerly(&given, &Mode::default()).unwrap();
    assert_eq!(values(&one[0]), values(&other[0]));
    assert_eq!(values(&one[1]), values(&other[1]));
}

#[test]
fn gradients_agree_with_finite_differences() {
    let text = std::fs::read_to_string(graphs().join("control.json")).unwrap();
    let cases: Value = serde_json::from_str(&text).unwrap();
    for name in ["nested", "rnn", "lists"] {
        let symbol = Symbol::load(&graphs().join(format!("files/control_{name}.json"))).unwrap();
        let run = &cases[name][0];
        let heads = heads(run);
        let loss = |arrays: &[NdArray]| -> f64 {
            let given = symbol.list_inputs().into_iter().zip(arrays.iter().cloned()).collect();
            let outputs = symbol.run_eagerly(&given, &Mode::default()).unwrap();
            let products = outputs.iter().zip(&heads).flat_map(|(o, h)| {
                values(o).into_iter().zip(values(h)).map(|(a, b)| a * b).collect::<Vec<_>>()
            });
            products.sum()
        };
        for (i, argument) in symbol.list_inputs().iter().enumerate() {
            let want = values(&array(&run["gradients"][argument]));
            for (at, want) in want.iter().enumerate() {
                let mut sides = [0.0; 2];
                for (side, step) in sides.iter_mut().zip([1e-6, -1e-6]) {
                    let mut arrays = inputs(&symbol, run);
                    let mut data = values(&arrays[i]);
                    data[at] += step;
                    arrays[i] =
                        NdArray::from_slice(arrays[i].shape().unwrap().clone(), &data, Device::cpu(0))
                            .unwrap();
                    *side = loss(&arrays);
                }
                let slope = (sides[0] - sides[1]) / 2e-6;
                assert!(
                    (slope - want).abs() < 1e-6 * (1.0 + want.abs()),
                    "{name} {argument}: {slope}, {want}"
                );
            }
        }
    }
}

#[test]
fn a_loop_over_no_rows_gives_the_first_states() {
    let (x, s) = (zeros(&[0, 2]), numbers(&[2]));
    let gradients = [zeros(&[0, 2]), zeros(&[2])];
    autograd::mark_variables(&[x.clone(), s.clone()], &gradients, &[Req::Write; 2]).unwrap();
    let outputs = running_sum().run_eagerly(&given(&[("x", &x), ("s", &s)]), &recording()).unwrap();
    assert_eq!(outputs[0].shape().unwrap(), &Shape::new(&[0, 2]));
    assert_eq!(values(&outputs[1]), values(&s));
    autograd::backward(&outputs[1..], &[Some(filled(&[2], &[3.0, 4.0]))], BackwardOptions::default())
        .unwrap();
    assert_eq!(values(&gradients[1]), [3.0, 4.0]);
}

#[test]
fn rows_draw_other_random_numbers_and_backward_draws_them_again() {
    let dropped = looped(|x, s| {
        let y = scoped("body", "Dropout", &[x], &[("p", "0.5")]);
        (vec![y.clone()], scoped("body", "elemwise_add", &[s, &y], &[]))
    });
    let (x, s) = (NdArray::full([3, 64].into(), 1.0, DType::F64, Device::cpu(0)).unwrap(), zeros(&[64]));
    let gradient = zeros(&[3, 64]);
    autograd::mark_variables(std::slice::from_ref(&x), std::slice::from_ref(&gradient), &[Req::Write])
        .unwrap();
    rng::seed(5, None);
    let outputs = dropped.unwrap().run_eagerly(&given(&[("x", &x), ("s", &s)]), &recording()).unwrap();
    let rows: Vec<Vec<f64>> = values(&outputs[0]).chunks(64).map(<[f64]>::to_vec).collect();
    assert!(rows[0] != rows[1] && rows[1] != rows[2]);
    autograd::backward(&outputs[..1], &[None], BackwardOptions::default()).unwrap();
    assert_eq!(values(&gradient), values(&outputs[0]));
    // Eager calls in the order of the rows draw the same.
    rng::seed(5, None);
    let one = nets::call("Dropout", &[&var("x")], &[("p", "0.5")]);
    for row in &rows {
        let call = Mode { recording: false, ..recording() };
        let drawn = one.run_eagerly(&given(&[("x", &filled(&[64], &[1.0; 64]))]), &call).unwrap();
        assert_eq!(&values(&drawn[0]), row);
    }
}

#[test]
fn only_the_taken_branch_runs() {
    let (x, places) = (var("x"), var("places"));
    let pred = nets::call("sum", &[&x], &[]);
    let taken = scoped("then", "negative", &[&x], &[]);
    let fails = scoped("else", "take", &[&x, &places], &[("mode", "raise")]);
    let step = |scope, outputs| Step { scope, variables: &[], outputs };
    let (pred, taken, fails) = ([&pred], [&taken], [&fails]);
    let (then, otherwise) = (step("then", &taken), step("else", &fails));
    let chosen = cut::cond(Named { name: "c", attrs: &[] }, step("pred", &pred), then, otherwise).unwrap();
    let beyond = filled(&[2], &[7.0, 7.0]);
    let run = |x: &NdArray| {
        chosen.run_eagerly(&given(&[("x", x), ("places", &beyond)]), &Mode::default()).unwrap()[0].clone()
    };
    assert_eq!(values(&run(&filled(&[2], &[1.0, 2.0]))), [-1.0, -2.0]);
    let failed = run(&filled(&[2], &[0.0, 0.0])).to_vec::<f64>().unwrap_err();
    assert_eq!(failed.code(), ErrorCode::Index);
}

#[test]
fn shapes_are_inferred_through_bodies_in_both_directions() {
    let shape = |dims: &[i64]| Shape::new(dims);
    let inferred = running_sum().infer_shape([("x", shape(&[4, 2]))]).unwrap();
    assert_eq!(inferred.arguments[1], Some(shape(&[2])));
    assert_eq!(inferred.outputs, [Some(shape(&[4, 2])), Some(shape(&[2]))]);
    let rnn = Symbol::load(&graphs().join("files/control_rnn.json")).unwrap();
    let inferred = rnn.infer_shape([("data", shape(&[4, 2, 2])), ("state", shape(&[2, 3]))]).unwrap();
    let found: HashMap<String, _> = rnn.list_arguments().into_iter().zip(inferred.arguments).collect();
    assert_eq!(found["weight"], Some(shape(&[3, 5])));
    let early = Symbol::load(&graphs().join("files/control_early.json")).unwrap();
    let inferred = early.infer_shape(["i", "s", "w", "end"].map(|n| (n, shape(&[1])))).unwrap();
    assert_eq!(inferred.outputs[0], Some(shape(&[5, 1])));
}

#[test]
fn shapes_that_do_not_go_together_are_told() {
    let grows = looped(|x, s| {
        let both = scoped("body", "Concat", &[x, s], &[("dim", "0"), ("num_args", "2")]);
        (vec![], both)
    });
    let e = grows.unwrap().infer_shape([("x", [4, 2].into()), ("s", [2].into())]).unwrap_err();
    assert_eq!(e.code(), ErrorCode::Shape);
    assert!(e.to_string().contains("must not change the shape of a state"), "{e}");
    let e = running_sum().infer_shape([("x", Shape::scalar())]).unwrap_err();
    assert!(e.to_string().contains("axis to go along"), "{e}");
}

#[test]
fn bodies_that_do_not_fit_are_refused() {
    let unread = looped(|x, _| (vec![], scoped("body", "negative", &[x], &[])));
    let e = unread.unwrap_err();
    assert!(e.to_string().contains("'state' is not read"), "{e}");
    let twice = looped(|x, s| {
        let a = scoped("body", "elemwise_add", &[x, &var("w")], &[]);
        (vec![scoped("body", "elemwise_add", &[&a, &var("w")], &[])], scoped("body", "negative", &[s], &[]))
    });
    assert_eq!(twice.unwrap_err().code(), ErrorCode::InvalidValue);
    let changes = looped(|x, s| {
        let lr = [("lr", "0.1")];
        (vec![scoped("body", "sgd_mom_update", &[x, x, &scoped_var("body", "momentum")], &lr)], s.clone())
    });
    assert_eq!(changes.unwrap_err().code(), ErrorCode::Unsupported);
}

#[test]
fn bodies_in_bodies_have_a_limit() {
    let mut inner = running_sum();
    let mut deepest = 1;
    while deepest < 20 {
        let (x, s) = (scoped_var("outer", "row"), scoped_var("outer", "state"));
        let total = inner.compose(&[("x", &x), ("s", &s)], "").unwrap().output(1).unwrap();
        let total = total.with_attrs([(cut::SCOPE, "outer")]).unwrap();
        let step = Step { scope: "outer", variables: &[&x, &s], outputs: &[&total, &total] };
        match cut::foreach(Named { name: "loop", attrs: &[] }, &[&var("x")], &[&var("s")], step) {
            Ok(outer) => inner = outer,
            Err(e) => {
                assert_eq!(e.code(), ErrorCode::Unsupported);
                break;
            }
        }
        deepest += 1;
    }
    assert_eq!(deepest, 8);
    let x = NdArray::full([1; 8].into(), 1.0, DType::F64, Device::cpu(0)).unwrap();
    let s = NdArray::full(Shape::scalar(), 1.0, DType::F64, Device::cpu(0)).unwrap();
    let outputs = inner.run_eagerly(&given(&[("x", &x), ("s", &s)]), &Mode::default()).unwrap();
    assert_eq!(values(&outputs[1]), [2.0]);
}

#[test]
fn files_whose_attributes_do_not_fit_their_bodies_are_refused() {
    let text = std::fs::read_to_string(graphs().join("files/control_early.json")).unwrap();
    for (from, to) in [
        ("\"num_outputs\": \"3\"", "\"num_outputs\": \"2\""),
        ("\"num_outputs\": \"3\"", "\"num_outputs\": \"99999999999\""),
        ("\"num_out_data\": \"1\"", "\"num_out_data\": \"-1\""),
        ("\"max_iterations\": \"5\"", "\"max_iterations\": \"0\""),
        ("\"func_var_locs\": \"[", "\"func_var_locs\": \"[9, "),
        ("\"cond_input_locs\": \"[", "\"cond_input_locs\": \"[-1, "),
        ("\"num_args\": \"6\"", "\"num_args\": \"1\""),
        ("\"num_args\": \"6\"", "\"num_args\": \"9000000000000000000\""),
        ("\"_while_loop\"", "\"_backward_loop\""),
        ("\"subgraphs\"", "\"no subgraphs\""),
    ] {
        let spoilt = text.replacen(from, to, 1);
        assert_ne!(spoilt, text, "{from}");
        let e = Symbol::from_json(&spoilt).unwrap_err();
        assert!(!e.message().is_empty(), "{from}");
    }
}

/// x · dropout(x) has the second derivative 2 where x is kept, doubled as dropout doubles.
#[test]
fn gradients_of_gradients_see_the_random_numbers_that_the_loop_drew() {
    let dropped = looped(|x, s| {
        let y = scoped("body", "Dropout", &[x], &[("p", "0.5")]);
        (vec![scoped("body", "elemwise_mul", &[x, &y], &[])], scoped("body", "negative", &[s], &[]))
    });
    let (x, s) = (NdArray::full([3, 64].into(), 1.0, DType::F64, Device::cpu(0)).unwrap(), numbers(&[2]));
    let gradient = zeros(&[3, 64]);
    autograd::mark_variables(std::slice::from_ref(&x), std::slice::from_ref(&gradient), &[Req::Write])
        .unwrap();
    let outputs = dropped.unwrap().run_eagerly(&given(&[("x", &x), ("s", &s)]), &recording()).unwrap();
    let options = BackwardOptions { create_graph: true, training: true, ..BackwardOptions::default() };
    let first = autograd::grad(&outputs[..1], &[None], std::slice::from_ref(&x), options).unwrap();
    autograd::backward(&first, &[None], BackwardOptions::default()).unwrap();
    let twice = |a: &NdArray| values(a).iter().map(|v| 2.0 * v).collect::<Vec<_>>();
    assert!(values(&outputs[0]).contains(&0.0) && values(&outputs[0]).contains(&2.0));
    assert_eq!((values(&first[0]), values(&gradient)), (twice(&outputs[0]), twice(&outputs[0])));
}
