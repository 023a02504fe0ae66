//! Stores: what is pulled after pushes, keys, states of optimizers, functions of the caller's.

use crate::{attrs, cases, list, near, numbers, values};
use mxr_core::kvstore::{Key, KvStore, compressions, create};
use mxr_core::op::AttrValue;
use mxr_core::optim::{Optimizer, SharedOptimizer};
use mxr_core::{Device, ErrorCode, NdArray};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

fn on(device: Device, values: &[f64]) -> NdArray {
    let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
    NdArray::from_slice([values.len() as i64], &values, device).unwrap()
}

fn vector(values: &[f64]) -> NdArray {
    on(Device::cpu(0), values)
}

fn name(key: &str) -> Key {
    Key::Name(key.into())
}

fn pulled(store: &dyn KvStore, key: &Key, n: usize) -> Vec<f64> {
    let out = vector(&vec![0.0; n]);
    store.pull(key, std::slice::from_ref(&out)).unwrap();
    values(&out)
}

fn sgd(given: &[(&str, AttrValue)]) -> SharedOptimizer {
    Arc::new(Mutex::new(Optimizer::create("sgd", given).unwrap()))
}

#[test]
fn pulled_values_are_those_of_mxnet() {
    for case in cases("stores") {
        let mut store = create(case["store"].as_str().unwrap()).unwrap();
        store.init(name("w"), &vector(&numbers(&case["begin"]))).unwrap();
        if case["sgd"].is_object() {
            store.set_optimizer(sgd(&attrs(&case["sgd"])));
        }
        if let Some(threshold) = case["threshold"].as_f64() {
            let made = compressions().create("2bit", &[("threshold", AttrValue::Float(threshold))]);
            store.set_compression(made.unwrap()).unwrap();
        }
        for (i, step) in list(&case["steps"]).iter().enumerate() {
            // Each value is on a device of its own.
            let pushed: Vec<NdArray> = list(&step["pushed"])
                .iter()
                .enumerate()
                .map(|(d, v)| on(Device::cpu(d as i32), &numbers(v)))
                .collect();
            store.push(&name("w"), &pushed).unwrap();
            let got = pulled(&*store, &name("w"), 4);
            assert!(near(&got, &numbers(&step["pulled"]), 1e-6), "{case}, step {i}: {got:?}");
        }
    }
}

#[test]
fn pushing_and_pulling_in_one_call_is_both() {
    let mut store = create("local").unwrap();
    let (a, b) = (vector(&[0.0, 0.0]), on(Device::cpu(1), &[0.0, 0.0]));
    store.broadcast(Key::Int(3), &vector(&[1.0, 2.0]), &[a.clone(), b.clone()]).unwrap();
    assert_eq!((values(&a), values(&b)), (vec![1.0, 2.0], vec![1.0, 2.0]));
    store.pushpull(&Key::Int(3), &[a.clone(), b.clone()], std::slice::from_ref(&b)).unwrap();
    assert_eq!((values(&a), values(&b)), (vec![1.0, 2.0], vec![2.0, 4.0]));
    assert_eq!(pulled(&*store, &Key::Int(3), 2), [2.0, 4.0]);
    assert_eq!((store.kind(), store.rank(), store.num_workers()), ("local", 0, 1));
}

#[test]
fn what_is_stored_is_a_copy() {
    let mut store = create("device").unwrap();
    let value = vector(&[1.0]);
    store.init(name("w"), &value).unwrap();
    value.copy_from_bytes(&5_f32.to_le_bytes()).unwrap();
    assert_eq!(pulled(&*store, &name("w"), 1), [1.0]);
    store.push(&name("w"), std::slice::from_ref(&value)).unwrap();
    value.copy_from_bytes(&9_f32.to_le_bytes()).unwrap();
    assert_eq!(pulled(&*store, &name("w"), 1), [5.0]);
}

#[test]
fn an_optimizer_inside_finds_the_factors_of_parameters_by_their_keys() {
    let optimizer = sgd(&[("learning_rate", AttrValue::Float(1.0))]);
    optimizer
        .lock()
        .unwrap()
        .set_lr_mult(HashMap::from([(mxr_core::optim::Param::Name("slow".into()), 0.25)]));
    let mut store = create("local").unwrap();
    store.init(name("fast"), &vector(&[0.0])).unwrap();
    store.set_optimizer(optimizer);
    store.init(name("slow"), &vector(&[0.0])).unwrap();
    for key in ["fast", "slow"] {
        store.push(&name(key), &[vector(&[1.0])]).unwrap();
    }
    assert_eq!(pulled(&*store, &name("fast"), 1), [-1.0]);
    assert_eq!(pulled(&*store, &name("slow"), 1), [-0.25]);
}

#[test]
fn saved_states_continue_where_they_were() {
    let momentum = || sgd(&[("learning_rate", AttrValue::Float(0.5)), ("momentum", AttrValue::Float(0.5))]);
    let make = |begin: f64| {
        let mut store = create("local").unwrap();
        store.set_optimizer(momentum());
        for key in ["a", "b"] {
            store.init(name(key), &vector(&[begin])).unwrap();
        }
        store
    };
    let mut first = make(0.0);
    for key in ["b", "a"] {
        first.push(&name(key), &[vector(&[1.0])]).unwrap();
    }
    let mut second = make(pulled(&*first, &name("a"), 1)[0]);
    second.set_optimizer_states(&first.optimizer_states().unwrap()).unwrap();
    for store in [&mut first, &mut second] {
        store.push(&name("a"), &[vector(&[2.0])]).unwrap();
    }
    // −0.5, then 0.5 · −0.5 − 0.5 · 2 more.
    assert_eq!(pulled(&*first, &name("a"), 1), [-1.75]);
    assert_eq!(pulled(&*second, &name("a"), 1), [-1.75]);
    assert_eq!(second.set_optimizer_states(b"nonsense").unwrap_err().code(), ErrorCode::Format);
    assert_eq!(create("local").unwrap().optimizer_states().unwrap_err().code(), ErrorCode::InvalidValue);
}

#[test]
fn a_function_of_the_callers_updates_too() {
    let mut store = create("local").unwrap();
    store.init(Key::Int(7), &vector(&[1.0])).unwrap();
    store.set_update(Some(Box::new(|key, pushed, stored| {
        assert_eq!(*key, Key::Int(7));
        let sum = values(pushed)[0] as f32 * 10.0 + values(stored)[0] as f32;
        stored.copy_from_bytes(&sum.to_le_bytes())
    })));
    store.push(&Key::Int(7), &[vector(&[2.0]), vector(&[3.0])]).unwrap();
    assert_eq!(pulled(&*store, &Key::Int(7), 1), [51.0]);
    store.set_update(None);
    store.push(&Key::Int(7), &[vector(&[2.0])]).unwrap();
    assert_eq!(pulled(&*store, &Key::Int(7), 1), [2.0]);
}

#[test]
fn wrong_keys_values_and_names_are_refused() {
    let mut store = create("Local").unwrap();
    store.init(name("w"), &vector(&[1.0, 2.0])).unwrap();
    let code = |e: mxr_core::Error| (e.code(), e.argument().unwrap_or_default().to_owned());
    let is = |code, argument: &str| (code, argument.to_owned());
    assert_eq!(code(store.init(name("w"), &vector(&[1.0])).unwrap_err()), is(ErrorCode::InvalidValue, "key"));
    assert_eq!(
        code(store.init(Key::Int(1), &vector(&[1.0])).unwrap_err()),
        is(ErrorCode::InvalidType, "key")
    );
    assert_eq!(code(store.push(&name("v"), &[vector(&[1.0])]).unwrap_err()), is(ErrorCode::NotFound, "key"));
    assert_eq!(code(store.push(&name("w"), &[vector(&[1.0])]).unwrap_err()), is(ErrorCode::Shape, "values"));
    assert_eq!(code(store.push(&name("w"), &[]).unwrap_err()), is(ErrorCode::InvalidValue, "values"));
    assert_eq!(code(store.pull(&name("w"), &[vector(&[1.0])]).unwrap_err()), is(ErrorCode::Shape, "out"));
    let compression = || compressions().create("2bit", &[]).unwrap();
    assert_eq!(store.set_compression(compression()).unwrap_err().code(), ErrorCode::Unsupported);
    create("device").unwrap().set_compression(compression()).unwrap();
    assert_eq!(create("dist_sync").err().unwrap().code(), ErrorCode::Unsupported);
    assert_eq!(create("locale").err().unwrap().code(), ErrorCode::NotFound);
    assert_eq!(compressions().create("1bit", &[]).err().unwrap().code(), ErrorCode::NotFound);
    let e = compressions().create("2bit", &[("threshold", AttrValue::Float(0.0))]).err().unwrap();
    assert_eq!(code(e), is(ErrorCode::InvalidValue, "threshold"));
}
