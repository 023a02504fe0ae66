//! Random operators: agreement with MXNet's distributions, and independence from everything but the seed.
//!
//! `tests/conformance/random.json` holds what `tests/conformance/oracle/make_random.py` has measured on
//! MXNet.

use mxr_core::op::{AttrValue, Call, Req, invoke, registry};
use mxr_core::{DType, Device, NdArray, Shape, rng, with_dtype};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;

const DRAWN: usize = 200_000;

/// Random operators of one device share a generator: tests that seed it take a device each.
fn call(name: &str, inputs: &[NdArray], attrs: &[(&str, AttrValue)], device: Device) -> Vec<NdArray> {
    let op = registry().find(name).unwrap().with_named(attrs).unwrap();
    invoke(&op, inputs, &[], &Call { device, ..Call::default() }).unwrap().to_vec()
}

fn values(a: &NdArray) -> Vec<f64> {
    use mxr_core::dtype::Element;
    with_dtype!(a.dtype(), T => a.to_vec::<T>().unwrap().iter().map(|v| v.to_f64()).collect())
}

fn attr(v: &Value) -> AttrValue {
    v.as_i64().map_or_else(|| AttrValue::Float(v.as_f64().unwrap()), AttrValue::Int)
}

fn numbers(v: &Value) -> Vec<f64> {
    match v.as_array() {
        Some(items) => items.iter().flat_map(numbers).collect(),
        None => vec![v.as_f64().unwrap()],
    }
}

/// Compares a sample with MXNet's, allowing six standard errors.
fn check(what: &str, x: &[f64], row: &Value, mxnet_drawn: f64) {
    let n = x.len() as f64;
    let of = |key: &str| row[key].as_f64().unwrap();
    let spread = 1.0 / n + 1.0 / mxnet_drawn;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let near = |name: &str, got: f64, want: f64, error: f64| {
        assert!((got - want).abs() <= 6.0 * error + 1e-12, "{what}: {name} {got}, MXNet's is {want}");
    };
    near("mean", mean, of("mean"), (of("variance") * spread).sqrt());
    let error = ((of("fourth") - of("variance").powi(2)).max(0.0) * spread).sqrt();
    near("variance", variance, of("variance"), error);
    for (at, share) in numbers(&row["at"]).iter().zip(numbers(&row["share"])) {
        let got = x.iter().filter(|v| **v <= *at).count() as f64 / n;
        near(&format!("share up to {at}"), got, share, (share * (1.0 - share) * spread).sqrt().max(1.0 / n));
    }
}

#[test]
fn distributions_are_those_of_mxnet() {
    let text = include_str!("../../tests/conformance/random.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let drawn = file["drawn"].as_f64().unwrap();
    let device = Device::cpu(11);
    rng::seed(3, Some(device));
    for case in file["calls"].as_array().unwrap() {
        let name = case["operator"].as_str().unwrap();
        let mut attrs = vec![("shape", AttrValue::Ints(Shape::new(&[DRAWN as i64])))];
        let mut inputs = vec![];
        if let Some(given) = case["attrs"].as_object() {
            attrs.extend(given.iter().map(|(n, v)| (n.as_str(), attr(v))));
        }
        for input in case["inputs"].as_array().into_iter().flatten() {
            let rows = input.as_array().unwrap().len() as i64;
            let flat: Vec<f32> = numbers(input).iter().map(|v| *v as f32).collect();
            let shape =
                if flat.len() as i64 == rows { vec![rows] } else { vec![rows, flat.len() as i64 / rows] };
            inputs.push(NdArray::from_slice(Shape::new(&shape), &flat, device).unwrap());
        }
        let x = values(&call(name, &inputs, &attrs, device)[0]);
        for (i, row) in case["rows"].as_array().unwrap().iter().enumerate() {
            check(&format!("{name} {i}"), &x[i * DRAWN..(i + 1) * DRAWN], row, drawn);
        }
    }
}

#[test]
fn uniform_numbers_reach_low_but_never_high_in_any_dtype() {
    let device = Device::cpu(12);
    for dtype in [DType::F64, DType::F32, DType::F16, DType::BF16] {
        for (low, high) in [(0.0, 1.0), (-1.0, 0.0), (0.1, 0.3), (100.0, 101.0), (5.0, 5.0)] {
            let attrs = [
                ("shape", AttrValue::Ints(Shape::new(&[100_000]))),
                ("dtype", AttrValue::from(dtype)),
                ("low", low.into()),
                ("high", high.into()),
            ];
            let x = values(&call("_random_uniform", &[], &attrs, device)[0]);
            // In f32 the bounds themselves are rounded.
            let slack = if dtype == DType::F32 { 1e-7 * high.abs() } else { 0.0 };
            for v in x {
                assert!(
                    v >= low - slack && (v < high + slack || low == high),
                    "{dtype} [{low}, {high}): {v}"
                );
            }
        }
    }
}

#[test]
fn like_operators_take_shape_and_dtype() {
    let data = NdArray::full(Shape::new(&[3, 4]), 1.0, DType::F16, Device::cpu(13)).unwrap();
    let x = &call("_random_normal_like", &[data], &[("loc", 100.0.into())], Device::cpu(13))[0];
    assert_eq!((x.shape().unwrap(), x.dtype()), (&Shape::new(&[3, 4]), DType::F16));
    assert!(values(x).iter().all(|v| (*v - 100.0).abs() < 10.0));
}

#[test]
fn out_says_shape_and_dtype_when_the_attributes_do_not() {
    let out = NdArray::full(Shape::new(&[50]), 9.0, DType::F64, Device::cpu(14)).unwrap();
    let op = registry().find("uniform").unwrap().with(&[]).unwrap();
    invoke(&op, &[], &[Some((out.clone(), Req::Write))], &Call::default()).unwrap();
    assert!(values(&out).iter().all(|v| (0.0..1.0).contains(v)));
}

#[test]
fn a_shuffle_keeps_rows_and_changes_their_order() {
    let device = Device::cpu(15);
    let data: Vec<i32> = (0..2000).collect();
    let x = NdArray::from_slice(Shape::new(&[1000, 2]), &data, device).unwrap();
    let y = values(&call("_shuffle", &[x], &[], device)[0]);
    let mut rows: Vec<f64> = y.chunks_exact(2).map(|r| r[0]).collect();
    assert!(y.chunks_exact(2).all(|r| r[1] == r[0] + 1.0));
    assert!(rows.windows(2).any(|w| w[0] > w[1]));
    rows.sort_by(f64::total_cmp);
    assert_eq!(rows, (0..1000).map(|i| f64::from(2 * i)).collect::<Vec<_>>());
}

#[test]
fn logarithms_of_probabilities_are_those_of_the_classes() {
    let device = Device::cpu(16);
    let p = [0.25f32, 0.75, 0.5, 0.5];
    let data = NdArray::from_slice(Shape::new(&[2, 2]), &p, device).unwrap();
    let attrs = [("shape", AttrValue::from([100])), ("get_prob", true.into())];
    let out = call("_sample_multinomial", &[data], &attrs, device);
    let (classes, logs) = (values(&out[0]), values(&out[1]));
    for (i, (c, l)) in classes.iter().zip(logs).enumerate() {
        let want = f64::from(p[i / 100 * 2 + *c as usize]).ln();
        assert!((l - want).abs() < 1e-6);
    }
}

#[test]
fn a_seed_starts_a_device_again_and_devices_differ() {
    let (a, b) = (Device::cpu(17), Device::cpu(18));
    let attrs = [("shape", AttrValue::from([64]))];
    let draw = |device| values(&call("_random_normal", &[], &attrs, device)[0]);
    rng::seed(5, Some(a));
    rng::seed(5, Some(b));
    let (first, second, other) = (draw(a), draw(a), draw(b));
    rng::seed(5, Some(a));
    assert_eq!(draw(a), first);
    assert_eq!(draw(a), second);
    assert_ne!(first, second);
    assert_ne!(first, other);
}

/// Everything that random operators give from one seed, folded into a number.
fn fingerprint() -> u64 {
    let device = Device::cpu(19);
    rng::seed(7, Some(device));
    let mut hasher = DefaultHasher::new();
    let mut fold = |arrays: Vec<NdArray>| {
        arrays.iter().flat_map(values).for_each(|v| v.to_bits().hash(&mut hasher));
    };
    let shape = ("shape", AttrValue::from([100_003]));
    for name in ["uniform", "normal", "gamma", "exponential", "poisson", "negative_binomial"] {
        for dtype in [DType::F64, DType::F32, DType::F16] {
            let mut attrs = vec![shape.clone(), ("dtype", dtype.into())];
            if name == "negative_binomial" {
                attrs.push(("p", 0.5.into()));
            }
            fold(call(&format!("_random_{name}"), &[], &attrs, device));
        }
    }
    fold(call("_random_randint", &[], &[shape, ("low", 0i64.into()), ("high", 1000i64.into())], device));
    let p = NdArray::from_slice(Shape::new(&[2, 3]), &[0.2f32, 0.3, 0.5, 0.1, 0.8, 0.1], device).unwrap();
    fold(call("_sample_multinomial", &[p], &[("shape", AttrValue::from([50_000]))], device));
    hasher.finish()
}

#[test]
fn numbers_do_not_depend_on_threads_or_instruction_path() {
    let here = format!("fingerprint {:016x}", fingerprint());
    if std::env::var_os("MXR_TEST_PRINT_FINGERPRINT").is_some() {
        // This process is one of those started below.
        println!("{here}");
        return;
    }
    for (threads, isa, engine) in [("1", "", ""), ("4", "", ""), ("3", "portable", ""), ("2", "", "naive")] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "numbers_do_not_depend_on_threads_or_instruction_path", "--nocapture"])
            .env("MXR_TEST_PRINT_FINGERPRINT", "1")
            .env("MXR_NUM_THREADS", threads);
        if !isa.is_empty() {
            child.env("MXR_ISA", isa);
        }
        if !engine.is_empty() {
            child.env("MXR_ENGINE", engine);
        }
        let output = String::from_utf8(child.output().unwrap().stdout).unwrap();
        assert!(output.contains(&here), "{threads} threads, {isa} {engine}: {output}, here {here}");
    }
}
