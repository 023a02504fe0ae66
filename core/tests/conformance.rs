//! Every operator against the oracle's numbers, in every dtype it claims, forward and gradient, on arrays of
//! their own and on views; and gradients against finite differences.

use mxr_core::autograd::{self, BackwardOptions, Mode};
use mxr_core::dtype::Element;
use mxr_core::op::invoke::{Call, Req};
use mxr_core::op::sample::{Run, Sample};
use mxr_core::op::{AttrValue, DTypes, OpDef, OpRef, registry, schema};
use mxr_core::{DType, Device, NdArray, Result, Shape, with_dtype};
use serde_json::Value;
use std::path::PathBuf;

/// A test for each operator, so that failures are counted and named one by one.
fn main() {
    let filter: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let (mut passed, mut failed) = (0, 0);
    for def in registry().ops() {
        if !filter.is_empty() && !filter.iter().any(|f| def.meta.name.contains(f.as_str())) {
            continue;
        }
        let failures = check_operator(def);
        if failures.is_empty() {
            passed += 1;
        } else {
            failed += 1;
            println!("{} FAILED", def.meta.name);
            failures.iter().for_each(|f| println!("    {f}"));
        }
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out");
    std::process::exit(i32::from(failed > 0));
}

fn check_operator(def: &'static OpDef) -> Vec<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/conformance/cases")
        .join(format!("{}.json", def.meta.name));
    let Ok(text) = std::fs::read_to_string(&path) else {
        return vec!["has no cases: run `cargo xtask oracle`".into()];
    };
    let file: Value = serde_json::from_str(&text).expect("cases are JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    let samples = (def.samples)();
    if cases.len() != samples.len() {
        return vec![format!(
            "{} samples but {} cases: run `cargo xtask oracle`",
            samples.len(),
            cases.len()
        )];
    }
    let mut failures = vec![];
    let mut covered = DTypes::of(&[]);
    for (sample, case) in samples.iter().zip(cases) {
        let described = schema::sample(def, sample);
        if ["name", "run", "attrs", "inputs", "training", "tolerance", "error"]
            .iter()
            .any(|k| !same_json(&described[*k], &case[*k]))
        {
            failures.push(format!(
                "'{}': the case does not belong to the sample: run `cargo xtask oracle`",
                sample.name
            ));
            continue;
        }
        if let Some(code) = sample.error {
            match run(def, sample, DType::F32, false, false) {
                Err(e) if e.code() == code && e.operator().is_some() => {}
                Err(e) => {
                    failures.push(format!("'{}': expected {code:?}, got {:?}: {e}", sample.name, e.code()))
                }
                Ok(_) => failures.push(format!("'{}': expected {code:?}, got a result", sample.name)),
            }
            continue;
        }
        for dtype in dtypes_of(def, sample) {
            covered = covered.with(dtype);
            for view in [false, true] {
                let outcome = check_case(def, sample, case, dtype, view);
                let how = if view { "on views" } else { "" };
                failures.extend(outcome.err().map(|e| format!("'{}' {dtype} {how}: {e}", sample.name)));
            }
        }
        if sample.gradient && sample.finite_differences && def.meta.dtypes.contains(DType::F64) {
            let outcome = check_finite_differences(def, sample);
            failures.extend(outcome.err().map(|e| format!("'{}': {e}", sample.name)));
        }
    }
    for dtype in def.meta.dtypes.iter().filter(|d| !covered.contains(*d)) {
        failures.push(format!("claims {dtype} but no sample runs with it"));
    }
    failures
}

fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same_json(v, w)))
        }
        (a, b) => a == b,
    }
}

fn dtypes_of(def: &OpDef, sample: &Sample) -> Vec<DType> {
    let claimed = |allowed: DTypes| def.meta.dtypes.iter().filter(move |d| allowed.contains(*d)).collect();
    match sample.run {
        Run::Float => claimed(DTypes::FLOAT),
        Run::Int => claimed(DTypes::of(&[DType::I64, DType::I32, DType::I8, DType::U8])),
        Run::Bool => claimed(DTypes::of(&[DType::Bool])),
        Run::AsGiven => {
            let attr = sample.attrs.iter().find_map(|(n, v)| match (n, v) {
                (&"dtype", AttrValue::Int(code)) => DType::from_code(*code as i32).ok(),
                _ => None,
            });
            let input = sample.inputs.first().and_then(|i| i.dtype);
            vec![attr.or(input).unwrap_or(DType::F32)]
        }
    }
}

fn array(shape: &Shape, values: &[f64], dtype: DType, view: bool) -> NdArray {
    let bytes: Vec<u8> = with_dtype!(dtype, T => {
        values.iter().flat_map(|v| {
            let element = T::from_f64(*v);
            // SAFETY: an element is a plain number of this size.
            unsafe { std::slice::from_raw_parts((&raw const element).cast::<u8>(), size_of::<T>()) }.to_vec()
        }).collect()
    });
    let a = if view {
        // Three rows more: two before and one behind.
        let mut outer = shape.clone();
        outer.insert(0, 4);
        let storage = NdArray::full(outer, 77.0, dtype, Device::cpu(0)).unwrap();
        storage.at(2).unwrap()
    } else {
        NdArray::empty(shape.clone(), dtype, Device::cpu(0)).unwrap()
    };
    a.copy_from_bytes(&bytes).unwrap();
    a
}

fn to_f64(a: &NdArray) -> Result<Vec<f64>> {
    with_dtype!(a.dtype(), T => Ok(a.to_vec::<T>()?.iter().map(|v| v.to_f64()).collect()))
}

fn operator(def: &'static OpDef, sample: &Sample) -> Result<OpRef> {
    def.with_named(&sample.attrs)
}

struct Ran {
    inputs: Vec<NdArray>,
    outputs: Vec<NdArray>,
}

fn run(def: &'static OpDef, sample: &Sample, dtype: DType, view: bool, gradients: bool) -> Result<Ran> {
    let op = operator(def, sample)?;
    let inputs: Vec<NdArray> = sample
        .inputs
        .iter()
        .map(|i| array(&i.shape, &i.elements(), i.dtype.unwrap_or(dtype), view))
        .collect();
    if gradients {
        for a in inputs.iter().filter(|a| a.dtype().is_float()) {
            let gradient = NdArray::full(a.shape()?.clone(), 0.0, a.dtype(), a.device())?;
            autograd::mark_variables(std::slice::from_ref(a), &[gradient], &[Req::Write])?;
        }
    }
    let call = Call { training: sample.training, ..Call::default() };
    let mode = Mode { recording: gradients, call };
    let mut outputs = autograd::invoke(&op, &inputs, &[], &mode)?.to_vec();
    outputs.truncate(op.op.num_visible_outputs());
    outputs.iter().try_for_each(|o| o.wait_to_read(None))?;
    if gradients {
        let heads: Vec<_> = outputs.iter().enumerate().map(|(i, o)| Some(head(o, i))).collect();
        let options = BackwardOptions { training: sample.training, ..BackwardOptions::default() };
        autograd::backward(&outputs, &heads, options)?;
    }
    Ok(Ran { inputs, outputs })
}

/// The gradient that every runner feeds to an output.
fn head(output: &NdArray, i: usize) -> NdArray {
    let pattern = [0.5, -1.0, 1.5, 0.25, -0.75];
    let values: Vec<f64> = (0..output.len().unwrap()).map(|j| pattern[(i + j) % 5]).collect();
    array(output.shape().unwrap(), &values, output.dtype(), false)
}

fn check_case(
    def: &'static OpDef,
    sample: &Sample,
    case: &Value,
    dtype: DType,
    view: bool,
) -> Result<(), String> {
    let gradients = !case["gradients"].is_null();
    let ran = run(def, sample, dtype, view, gradients).map_err(|e| e.to_string())?;
    let precision = if case["computed_in"] == "float32" { 1e-5 } else { 1e-10 };
    if let Some(expected) = case["outputs"].as_array() {
        if expected.len() != ran.outputs.len() {
            return Err(format!("expected {} outputs, got {}", expected.len(), ran.outputs.len()));
        }
        for (i, (e, o)) in expected.iter().zip(&ran.outputs).enumerate() {
            compare(e, o, precision, sample.tolerance).map_err(|e| format!("output {i}: {e}"))?;
        }
    }
    if let Some(expected) = case["gradients"].as_array() {
        for (i, (e, a)) in expected.iter().zip(&ran.inputs).enumerate() {
            let Some(g) = autograd::gradient_of(a) else { continue };
            compare(e, &g, precision, sample.tolerance).map_err(|e| format!("gradient {i}: {e}"))?;
        }
    }
    if let Some(states) = case["states"].as_object() {
        for (i, e) in states {
            let a = &ran.inputs[i.parse::<usize>().unwrap()];
            compare(e, a, precision, sample.tolerance).map_err(|e| format!("state {i}: {e}"))?;
        }
    }
    Ok(())
}

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap_or_else(|| v.as_str().unwrap().parse().unwrap())
}

fn compare(expected: &Value, got: &NdArray, precision: f64, factor: f64) -> Result<(), String> {
    let shape: Shape = expected["shape"].as_array().unwrap().iter().map(|d| d.as_i64().unwrap()).collect();
    let got_shape = got.shape().map_err(|e| e.to_string())?;
    if *got_shape != shape {
        return Err(format!("expected shape {shape}, got {got_shape}"));
    }
    let values = to_f64(got).map_err(|e| e.to_string())?;
    // Integers wrap as they do in memory.
    let wrap = |v: f64| {
        if got.dtype().is_int() { with_dtype!(got.dtype(), T => T::from_i64(v as i64).to_f64()) } else { v }
    };
    let wanted: Vec<f64> = expected["data"].as_array().unwrap().iter().map(|v| wrap(number(v))).collect();
    let epsilon: f64 = match got.dtype() {
        DType::F64 => precision,
        DType::F32 => 1e-5,
        DType::F16 => 4e-3,
        DType::BF16 => 3e-2,
        _ => 0.0,
    };
    let scale = wanted.iter().filter(|v| v.is_finite()).fold(0.0f64, |m, v| m.max(v.abs()));
    for (i, (w, v)) in wanted.iter().zip(&values).enumerate() {
        let close = (v - w).abs() <= factor * epsilon * (w.abs() + 0.2 * scale + 1e-3);
        if !close && v != w && !(v.is_nan() && w.is_nan()) {
            return Err(format!("element {i}: expected {w}, got {v}"));
        }
    }
    Ok(())
}

/// Compares the gradient of the weighted sum of all outputs with central differences, in double precision.
fn check_finite_differences(def: &'static OpDef, sample: &Sample) -> Result<(), String> {
    let text = |e: mxr_core::Error| e.to_string();
    let ran = run(def, sample, DType::F64, false, true).map_err(text)?;
    let op = operator(def, sample).map_err(text)?;
    let mode = Mode { recording: false, call: Call { training: sample.training, ..Call::default() } };
    let objective = |inputs: &[NdArray]| -> Result<f64> {
        let outputs = autograd::invoke(&op, inputs, &[], &mode)?;
        let visible = outputs.iter().take(op.op.num_visible_outputs()).enumerate();
        visible
            .map(|(i, o)| Ok(to_f64(o)?.iter().zip(to_f64(&head(o, i))?).map(|(a, b)| a * b).sum::<f64>()))
            .sum()
    };
    for (i, spec) in sample.inputs.iter().enumerate() {
        let Some(gradient) = autograd::gradient_of(&ran.inputs[i]) else { continue };
        if gradient.dtype() != DType::F64 {
            continue;
        }
        let gradient = to_f64(&gradient).map_err(text)?;
        let values = spec.elements();
        for j in (0..values.len()).step_by(values.len().div_ceil(12).max(1)) {
            let shifted = |by: f64| {
                let mut values = values.clone();
                values[j] += by;
                let mut inputs: Vec<NdArray> = sample
                    .inputs
                    .iter()
                    .map(|s| array(&s.shape, &s.elements(), s.dtype.unwrap_or(DType::F64), false))
                    .collect();
                inputs[i] = array(&spec.shape, &values, DType::F64, false);
                objective(&inputs)
            };
            let step = 1e-5;
            let difference = (shifted(step).map_err(text)? - shifted(-step).map_err(text)?) / (2.0 * step);
            if (difference - gradient[j]).abs() > 1e-5 * (1.0 + difference.abs()) * sample.tolerance {
                return Err(format!(
                    "gradient {i}, element {j}: finite differences give {difference}, the rule {}",
                    gradient[j]
                ));
            }
        }
    }
    Ok(())
}
