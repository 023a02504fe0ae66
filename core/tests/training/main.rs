//! What training needs besides operators and optimizers, against MXNet: metrics, data iterators, stores, callbacks,
//! modules.
//!
//! `tests/conformance/training.json` comes from `tests/conformance/oracle/make_training.py`.

mod callbacks;
mod iterators;
mod metrics;
mod module;
mod stores;

use mxr_core::dtype::Element;
use mxr_core::op::AttrValue;
use mxr_core::{DType, Device, NdArray, Shape, with_dtype};
use serde_json::Value;
use std::sync::LazyLock;

/// What MXNet gave.
static FILE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../tests/conformance/training.json")).unwrap());

/// The cases of a section.
fn cases(section: &str) -> &'static [Value] {
    FILE[section].as_array().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|v| v.as_f64().unwrap()).collect()
}

fn attr(value: &Value) -> AttrValue {
    match value {
        Value::Null => AttrValue::None,
        Value::Bool(b) => AttrValue::Bool(*b),
        Value::String(s) => AttrValue::Str(s.clone()),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            AttrValue::Strs(items.iter().map(|s| s.as_str().unwrap().to_owned()).collect())
        }
        Value::Array(_) => AttrValue::Ints(numbers(value).iter().map(|n| *n as i64).collect()),
        _ => value.as_i64().map_or_else(|| AttrValue::Float(value.as_f64().unwrap()), AttrValue::Int),
    }
}

fn attrs(value: &Value) -> Vec<(&str, AttrValue)> {
    value.as_object().unwrap().iter().map(|(n, v)| (n.as_str(), attr(v))).collect()
}

fn shape(value: &Value) -> Shape {
    numbers(value).iter().map(|d| *d as i64).collect()
}

/// An array as the file has it.
fn array(value: &Value) -> NdArray {
    let dtype = DType::from_name(value["dtype"].as_str().unwrap()).unwrap();
    with_dtype!(dtype, T => {
        let elements: Vec<T> = numbers(&value["data"]).iter().map(|v| T::from_f64(*v)).collect();
        NdArray::from_slice(shape(&value["shape"]), &elements, Device::cpu(0)).unwrap()
    })
}

fn values(array: &NdArray) -> Vec<f64> {
    with_dtype!(array.dtype(), T => array.to_vec::<T>().unwrap().iter().map(|v| v.to_f64()).collect())
}

/// Whether numbers differ by at most this part of them.
fn near(got: &[f64], expected: &[f64], precision: f64) -> bool {
    let close = |(g, e): (&f64, &f64)| (g - e).abs() <= precision * (1.0 + e.abs());
    got.len() == expected.len() && got.iter().zip(expected).all(close)
}
