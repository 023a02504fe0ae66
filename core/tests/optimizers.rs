//! Optimizers and schedules against trajectories of MXNet's classes.
//!
//! `tests/conformance/optimizers.json` comes from `tests/conformance/oracle/make_optimizers.py`.

use mxr_core::op::AttrValue;
use mxr_core::optim::{LrScheduler, Optimizer, Param, Updater, lr_schedulers, optimizers};
use mxr_core::{DType, Device, ErrorCode, NdArray, Shape, with_dtype};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

fn file() -> Value {
    serde_json::from_str(include_str!("../../tests/conformance/optimizers.json")).unwrap()
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn attr(v: &Value) -> AttrValue {
    match v {
        Value::Bool(b) => (*b).into(),
        Value::String(s) => s.as_str().into(),
        Value::Array(_) => AttrValue::Ints(numbers(v).iter().map(|n| *n as i64).collect()),
        _ => v.as_i64().map_or_else(|| AttrValue::Float(v.as_f64().unwrap()), AttrValue::Int),
    }
}

fn attrs(v: &Value) -> Vec<(&str, AttrValue)> {
    v.as_object().unwrap().iter().map(|(n, v)| (n.as_str(), attr(v))).collect()
}

fn schedule(name: &str, given: &Value) -> Box<dyn LrScheduler> {
    lr_schedulers().create(name, &attrs(given)).unwrap()
}

fn shared<T>(value: T) -> Arc<Mutex<T>> {
    Arc::new(Mutex::new(value))
}

fn array(file: &Value, parameter: i64, values: &Value, dtype: DType) -> NdArray {
    use mxr_core::dtype::Element;
    let shape: Shape = numbers(&file["shapes"][parameter.to_string()]).iter().map(|d| *d as i64).collect();
    with_dtype!(dtype, T => {
        let elements: Vec<T> = numbers(values).iter().map(|v| T::from_f64(*v)).collect();
        NdArray::from_slice(shape, &elements, Device::cpu(0)).unwrap()
    })
}

fn values(a: &NdArray) -> Vec<f64> {
    use mxr_core::dtype::Element;
    with_dtype!(a.dtype(), T => a.to_vec::<T>().unwrap().iter().map(|v| v.to_f64()).collect())
}

fn optimizer(case: &Value, more: &[(&str, AttrValue)]) -> Optimizer {
    let mut given = attrs(&case["attrs"]);
    given.extend_from_slice(more);
    let mut optimizer = Optimizer::create(case["optimizer"].as_str().unwrap(), &given).unwrap();
    if let Some(s) = case["schedule"].as_array() {
        optimizer.set_lr_scheduler(shared(schedule(s[0].as_str().unwrap(), &s[1])));
    }
    optimizer.set_names(HashMap::from([(0, "fc_weight".into()), (1, "fc_bias".into())]));
    optimizer.set_lr_mult(HashMap::from([(Param::Name("fc_bias".into()), 0.5)]));
    optimizer
}

/// Runs a case in a dtype; `between` sees the updater after each step and may replace it.
fn trajectory(
    case: &Value,
    dtype: DType,
    more: &[(&str, AttrValue)],
    save_at: Option<usize>,
    precision: f64,
) {
    let file = file();
    let mut updater = Updater::new(shared(optimizer(case, more)));
    let weights: Vec<NdArray> =
        (0..2).map(|i| array(&file, i, &file["weights"][i.to_string()], dtype)).collect();
    for (t, expected) in case["weights"].as_array().unwrap().iter().enumerate() {
        if save_at == Some(t) {
            let bytes = updater.to_bytes().unwrap();
            updater = Updater::new(shared(optimizer(case, more)));
            updater.set_bytes(&bytes).unwrap();
        }
        for i in 0..2usize {
            let grad = array(&file, i as i64, &file["grads"][t][i.to_string()], dtype);
            updater.update(i as i64, &grad, &weights[i]).unwrap();
            let (got, want) = (values(&weights[i]), numbers(&expected[i]));
            for (g, w) in got.iter().zip(&want) {
                assert!(
                    (g - w).abs() <= precision * (1.0 + w.abs()),
                    "{} {} {dtype}, step {t}, parameter {i}: {got:?}, MXNet's {want:?}",
                    case["optimizer"],
                    case["attrs"]
                );
            }
        }
    }
}

#[test]
fn trajectories_are_those_of_mxnet() {
    let file = file();
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        trajectory(case, DType::F32, &[], None, 3e-5);
        trajectory(case, DType::F64, &[], None, 3e-5);
    }
    // The first, `Optimizer`, has no update of its own.
    for known in &optimizers().entries[1..] {
        let is_known = |c: &Value| c["optimizer"].as_str().unwrap().eq_ignore_ascii_case(known.name);
        assert!(cases.iter().any(is_known), "{} has no trajectory", known.name);
    }
}

#[test]
fn saved_states_continue_where_they_were() {
    for case in file()["cases"].as_array().unwrap() {
        trajectory(case, DType::F32, &[], Some(4), 3e-5);
    }
}

#[test]
fn half_precision_weights_follow_their_copies_in_single_precision() {
    for case in file()["cases"].as_array().unwrap() {
        let name = case["optimizer"].as_str().unwrap();
        // Where a weight's own rounding decides signs or divisors the trajectories part.
        let multi = [("multi_precision", true.into())];
        trajectory(case, DType::F16, &multi, None, if name == "lamb" { 3e-2 } else { 2e-3 });
        trajectory(case, DType::BF16, &multi, Some(3), 2e-2);
    }
}

#[test]
fn schedules_are_those_of_mxnet() {
    for case in file()["schedules"].as_array().unwrap() {
        let s = schedule(case["schedule"].as_str().unwrap(), &case["attrs"]);
        for (t, want) in numbers(&case["lrs"]).iter().enumerate() {
            let got = s.lr(t as i64 + 1);
            assert!((got - want).abs() <= 1e-12, "{case}: update {}: {got}, MXNet's {want}", t + 1);
        }
    }
}

#[test]
fn wrong_arguments_are_named() {
    let create = |name, attrs: &[(&str, AttrValue)]| Optimizer::create(name, attrs).err().unwrap();
    assert!(create("adamm", &[]).message().contains("did you mean 'adam'"));
    assert_eq!(create("adam", &[("beta3", 0.5.into())]).argument(), Some("beta3"));
    assert_eq!(create("sgd", &[("momentum", "x".into())]).argument(), Some("momentum"));
    let schedule = |name, attrs: &[(&str, AttrValue)]| lr_schedulers().create(name, attrs).err().unwrap();
    assert_eq!(schedule("factor", &[]).argument(), Some("step"));
    assert_eq!(
        schedule("factor", &[("step", 2i64.into()), ("factor", 2.0.into())]).argument(),
        Some("factor")
    );
    assert_eq!(schedule("multifactor", &[("step", [5, 3].into())]).argument(), Some("step"));
    let warm = [("max_update", 9i64.into()), ("warmup_begin_lr", 1.0.into())];
    assert_eq!(schedule("poly", &warm).argument(), Some("warmup_begin_lr"));
}

fn ones() -> NdArray {
    NdArray::full(Shape::new(&[2]), 1.0, DType::F32, Device::cpu(0)).unwrap()
}

#[test]
fn a_state_of_another_optimizer_is_refused() {
    let weight = ones();
    let state = Optimizer::create("adam", &[]).unwrap().create_state(&weight).unwrap();
    let mut sgd = Optimizer::create("sgd", &[]).unwrap();
    assert_eq!(sgd.update(0, &weight, &weight, &state).unwrap_err().argument(), Some("state"));
    assert_eq!(sgd.state(state.to_arrays()).unwrap_err().argument(), Some("state"));
    let mut updater = Updater::new(shared(sgd));
    assert!(updater.set_bytes(b"nothing").is_err());
}

#[test]
fn a_failed_update_is_not_counted() {
    let mut sgd = Optimizer::create("sgd", &[]).unwrap();
    let (weight, grad) = (ones(), NdArray::full(Shape::new(&[3]), 1.0, DType::F32, Device::cpu(0)).unwrap());
    let state = sgd.create_state(&weight).unwrap();
    assert!(sgd.update(0, &weight, &grad, &state).is_err());
    assert_eq!((sgd.updates(0, 0), sgd.num_update()), (0, 0));
    sgd.update(0, &weight, &weight.clone(), &state).unwrap();
    assert_eq!((sgd.updates(0, 0), sgd.num_update()), (1, 1));
}

#[test]
fn changed_attributes_count_from_the_next_update() {
    let weight = ones();
    let grad = ones();
    let mut sgd = Optimizer::create("sgd", &[("learning_rate", 0.5.into())]).unwrap();
    let state = sgd.create_state(&weight).unwrap();
    sgd.update(0, &weight, &grad, &state).unwrap();
    assert_eq!(values(&weight), [0.5; 2]);
    // rescale_grad, then learning_rate.
    sgd.set(&[(3, 0.5.into())]).unwrap();
    sgd.update(0, &weight, &grad, &state).unwrap();
    assert_eq!(values(&weight), [0.25; 2]);
    sgd.set(&[(1, 1.0.into())]).unwrap();
    sgd.update(0, &weight, &grad, &state).unwrap();
    assert_eq!(values(&weight), [-0.25; 2]);
    assert!(sgd.set(&[(6, AttrValue::Int(-1))]).is_err());
    assert_eq!((sgd.learning_rate(), sgd.num_update()), (1.0, 3));
}

#[test]
fn factors_by_index_count_before_those_by_name() {
    let mut adam = Optimizer::create("adam", &[("wd", 0.5.into())]).unwrap();
    adam.set_names(HashMap::from([(0, "a_weight".into()), (1, "b_bias".into())]));
    adam.set_lr_mult(HashMap::from([(Param::Name("a_weight".into()), 2.0)]));
    assert_eq!((adam.rates(0), adam.rates(1)), ((0.002, 0.5), (0.001, 0.0)));
    adam.set_mult(1, 4.0, 2.0);
    assert_eq!(adam.rates(1), (0.004, 1.0));
}

#[test]
fn an_optimizer_of_the_callers_own_counts_and_has_rates() {
    let mut own = Optimizer::create("optimizer", &[("begin_num_update", 5i64.into())]).unwrap();
    assert_eq!((own.count(3, 0), own.count(3, 0), own.count(4, 1)), (6, 7, 6));
    assert_eq!((own.num_update(), own.updates(9, 0), own.rates(3)), (7, 5, (0.01, 0.0)));
    let (weight, state) = (ones(), own.state(vec![]).unwrap());
    assert_eq!(own.step(0, 1, &weight, &weight, &state).unwrap_err().code(), ErrorCode::Unsupported);
}

#[test]
fn the_learning_rate_of_a_schedule_cannot_be_set() {
    let mut sgd = Optimizer::create("sgd", &[]).unwrap();
    sgd.set_learning_rate(0.5).unwrap();
    assert_eq!(sgd.learning_rate(), 0.5);
    sgd.set_lr_scheduler(shared(lr_schedulers().create("cosine", &[("max_update", 9i64.into())]).unwrap()));
    assert!(sgd.set_learning_rate(0.5).is_err());
}

#[test]
fn optimizers_share_a_schedule() {
    let schedule = shared(schedule("constant", &serde_json::json!({"base_lr": 0.25, "warmup_steps": 2})));
    let mut rates = vec![];
    for lr in [None, Some(0.5)] {
        let attrs: Vec<_> = lr.map(|lr: f64| ("learning_rate", lr.into())).into_iter().collect();
        let mut sgd = Optimizer::create("sgd", &attrs).unwrap();
        sgd.set_lr_scheduler(schedule.clone());
        rates.push([
            sgd.learning_rate(),
            {
                sgd.count(0, 0);
                sgd.learning_rate()
            },
            {
                sgd.count(0, 0);
                sgd.learning_rate()
            },
        ]);
    }
    // The warm-up's end stays; what follows it is the learning rate that an optimizer was given.
    assert_eq!(rates, [[0.0, 0.125, 0.25], [0.0, 0.125, 0.5]]);
}
