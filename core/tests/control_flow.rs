//! Loops and branches against what MXNet 1.9.1 gives: tests/conformance/graphs (make_control.py there).

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::graph::Symbol;
use mxr_core::graph::compile::Options;
use mxr_core::graph::executor::Executor;
use mxr_core::op::Req;
use mxr_core::op::invoke::Call;
use mxr_core::{DType, Device, NdArray, Shape};
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
