//! Metrics: values after each batch, what only elements show to be wrong, and parts of composite ones.

use crate::{array, attrs, cases, list};
use mxr_core::metric::{Metric, Values, metrics, push, shared};
use mxr_core::op::AttrValue;
use mxr_core::{Device, ErrorCode, NdArray};
use serde_json::Value;

fn create(name: &str, given: &[(&str, AttrValue)]) -> Box<dyn Metric> {
    metrics().create(name, given).unwrap()
}

fn vector(values: &[f32]) -> NdArray {
    NdArray::from_slice([values.len() as i64], values, Device::cpu(0)).unwrap()
}

fn matrix(rows: i64, columns: i64, values: &[f32]) -> NdArray {
    NdArray::from_slice([rows, columns], values, Device::cpu(0)).unwrap()
}

#[track_caller]
fn check(got: &Values, expected: &Value, about: &str) {
    let names: Vec<&str> = got.iter().map(|(n, _)| n.as_str()).collect();
    let expected_names: Vec<&str> = list(expected).iter().map(|e| e[0].as_str().unwrap()).collect();
    assert_eq!(names, expected_names, "{about}");
    for ((name, value), expected) in got.iter().zip(list(expected)) {
        match expected[1].as_f64() {
            Some(e) => {
                assert!((value - e).abs() <= 2e-6 * (1.0 + e.abs()), "{about} {name}: {value}, MXNet's {e}")
            }
            None => assert!(value.is_nan(), "{about} {name}: {value}, MXNet's is not a number"),
        }
    }
}

#[test]
fn values_are_those_of_mxnet_after_every_batch() {
    for case in cases("metrics") {
        let name = case["metric"].as_str().unwrap();
        let about = format!("{name} {}", case["attrs"]);
        let mut metric = create(name, &attrs(&case["attrs"]));
        let empty = metric.get().unwrap();
        assert!(empty.iter().all(|(_, v)| v.is_nan()), "{about}: {empty:?}");
        for (i, (batch, step)) in list(&case["batches"]).iter().zip(list(&case["steps"])).enumerate() {
            let arrays = |part: usize| list(&batch[part]).iter().map(array).collect::<Vec<_>>();
            metric.update(&arrays(0), &arrays(1)).unwrap();
            check(&metric.get().unwrap(), &step["get"], &about);
            if !step["global"].is_null() {
                check(&metric.get_global().unwrap(), &step["global"], &about);
                if i == 1 {
                    metric.reset_local();
                }
            }
        }
        metric.reset();
        assert!(metric.get_global().unwrap().iter().all(|(_, v)| v.is_nan()), "{about}");
    }
}

#[test]
fn every_metric_but_the_callers_own_has_a_case() {
    for known in metrics().entries.iter().filter(|e| e.name != "CustomMetric") {
        let names = || std::iter::once(known.name).chain(known.aliases.iter().copied());
        let is_known = |c: &Value| names().any(|n| n.eq_ignore_ascii_case(c["metric"].as_str().unwrap()));
        assert!(cases("metrics").iter().any(is_known), "{} has no case", known.name);
    }
}

#[test]
fn updates_choose_arrays_by_name() {
    let only = [("output_names", AttrValue::Strs(vec!["right".into()]))];
    let mut metric = create("acc", &only);
    let (label, right, wrong) = (vector(&[1.0]), vector(&[1.0]), vector(&[0.0]));
    metric.update_named(&[("label", &label)], &[("wrong", &wrong), ("right", &right)]).unwrap();
    assert_eq!(metric.get().unwrap(), [("accuracy".to_owned(), 1.0)]);
    let e = metric.update_named(&[("label", &label)], &[("wrong", &wrong)]).unwrap_err();
    assert_eq!((e.code(), e.argument()), (ErrorCode::NotFound, Some("output_names")));
    let e = metric.update(std::slice::from_ref(&label), &[right, wrong]).unwrap_err();
    assert_eq!(
        (e.code(), e.argument(), e.operator()),
        (ErrorCode::InvalidValue, Some("labels"), Some("Accuracy"))
    );
}

#[test]
fn shapes_that_do_not_go_together_are_refused_at_once() {
    let refused = [
        ("acc", vector(&[0.0, 1.0]), matrix(3, 2, &[0.0; 6])),
        ("top_k_acc", vector(&[0.0]), vector(&[0.0])),
        ("f1", vector(&[0.0, 1.0]), vector(&[0.0, 1.0])),
        ("mae", vector(&[0.0, 1.0]), vector(&[0.0])),
        ("pearsonr", vector(&[0.0, 1.0]), matrix(2, 1, &[0.0; 2])),
        ("ce", vector(&[0.0, 1.0]), matrix(3, 2, &[0.0; 6])),
        ("perplexity", vector(&[0.0]), matrix(3, 2, &[0.0; 6])),
    ];
    for (name, label, pred) in refused {
        let top = [("top_k", AttrValue::Int(2))];
        let given: &[(&str, AttrValue)] = if name == "top_k_acc" { &top } else { &[] };
        let mut metric = create(name, given);
        let e = metric.update(&[label], &[pred]).unwrap_err();
        assert_eq!(e.code(), ErrorCode::Shape, "{name}: {e}");
        assert!(metric.get().unwrap()[0].1.is_nan(), "{name}: a failed call changes nothing");
    }
}

#[test]
fn what_is_wrong_with_elements_is_told_by_get_until_a_reset() {
    let mut ce = create("ce", &[]);
    ce.update(&[vector(&[2.0])], &[matrix(1, 2, &[0.5, 0.5])]).unwrap();
    let e = ce.get().unwrap_err();
    assert_eq!(
        (e.code(), e.operator(), e.argument()),
        (ErrorCode::Index, Some("CrossEntropy"), Some("labels"))
    );
    ce.update(&[vector(&[1.0])], &[matrix(1, 2, &[0.5, 0.5])]).unwrap();
    assert!(ce.get().is_err(), "the sum lacks a batch");
    ce.reset();
    ce.update(&[vector(&[1.0])], &[matrix(1, 2, &[0.5, 0.5])]).unwrap();
    assert!((ce.get().unwrap()[0].1 - 2_f64.ln()).abs() < 1e-9);
    let mut f1 = create("f1", &[]);
    f1.update(&[vector(&[0.0, 1.0, 2.0])], &[matrix(3, 2, &[0.5; 6])]).unwrap();
    assert_eq!(f1.get().unwrap_err().code(), ErrorCode::InvalidValue);
    // The errors are known to those who asked; no other wait is to find them.
    let _ = mxr_core::engine::wait_all(None);
}

#[test]
fn callers_add_sums_of_their_own_to_quotients_only() {
    let mut own = create("custom", &[("name", "share".into())]);
    own.add(3.0, 4.0).unwrap();
    own.add(0.0, 2.0).unwrap();
    assert_eq!(own.get().unwrap(), [("share".to_owned(), 0.5)]);
    assert_eq!(own.update(&[vector(&[1.0])], &[vector(&[1.0])]).unwrap_err().code(), ErrorCode::Unsupported);
    assert_eq!(create("pcc", &[]).add(1.0, 1.0).unwrap_err().code(), ErrorCode::Unsupported);
    assert_eq!(create("composite", &[]).add(1.0, 1.0).unwrap_err().code(), ErrorCode::Unsupported);
    assert_eq!(create("acc", &[]).push(shared("mae").unwrap()).unwrap_err().code(), ErrorCode::Unsupported);
}

#[test]
fn parts_of_a_composite_metric_stay_the_callers() {
    let part = shared("acc").unwrap();
    let mut all = create("composite", &[("metrics", AttrValue::Strs(vec!["mae".into()]))]);
    all.push(part.clone()).unwrap();
    all.update(&[vector(&[1.0, 0.0])], &[vector(&[1.0, 1.0])]).unwrap();
    let expected = [("mae".to_owned(), 0.5), ("accuracy".to_owned(), 0.5)];
    assert_eq!(all.get().unwrap(), expected);
    part.lock().unwrap().reset();
    assert!(all.get().unwrap()[1].1.is_nan());
}

#[test]
fn a_composite_metric_is_no_part_of_itself_at_any_depth() {
    let all: Vec<_> = (0..3).map(|_| shared("composite").unwrap()).collect();
    push(&all[0], all[1].clone()).unwrap();
    push(&all[1], all[2].clone()).unwrap();
    push(&all[0], all[2].clone()).unwrap();
    for (whole, part) in [(0, 0), (1, 0), (2, 0)] {
        let e = push(&all[whole], all[part].clone()).unwrap_err();
        assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some("part")), "{part} in {whole}");
    }
}

#[test]
fn attributes_that_make_no_sense_are_refused() {
    let e = metrics().create("top_k_acc", &[]).err().unwrap();
    assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some("top_k")));
    let e = metrics().create("f1", &[("average", "median".into())]).err().unwrap();
    assert!(e.message().contains("'macro', 'micro'"), "{e}");
    let e = metrics().create("accurcy", &[]).err().unwrap();
    assert!(e.message().contains("did you mean 'accuracy'"), "{e}");
}
