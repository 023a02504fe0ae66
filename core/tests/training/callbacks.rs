//! Callbacks: the lines that MXNet logs, and what they ask for.

use crate::{attrs, cases, list};
use mxr_core::ErrorCode;
use mxr_core::callback::{Callback, Moment, callbacks};
use mxr_core::metric::metrics;
use mxr_core::op::AttrValue;

fn create(name: &str, given: &[(&str, AttrValue)]) -> Box<dyn Callback> {
    callbacks().create(name, given).unwrap()
}

#[test]
fn lines_are_those_of_mxnet_over_two_epochs() {
    for case in cases("callbacks") {
        let mut callback = create(case["callback"].as_str().unwrap(), &attrs(&case["attrs"]));
        let mut told = list(&case["lines"]).iter();
        let mut seconds = 100.0;
        for epoch in 0..2 {
            let mut metric = metrics().create("custom", &[("name", "sum".into())]).unwrap();
            for batch in 0..7 {
                metric.add(batch as f64, 1.0).unwrap();
                seconds += 1.0;
                let now = Moment { epoch, batch, seconds };
                let mut lines: Vec<String> = vec![];
                if callback.due(&now) {
                    let reply = callback.call(&now, Some(&metric.get().unwrap()));
                    if reply.reset_metric {
                        metric.reset_local();
                    }
                    lines.extend(reply.text.iter().flat_map(|t| t.split('\n')).map(str::to_owned));
                }
                let expected: Vec<&str> =
                    list(told.next().unwrap()).iter().map(|l| l.as_str().unwrap()).collect();
                assert_eq!(
                    lines, expected,
                    "{} {}, epoch {epoch}, batch {batch}",
                    case["callback"], case["attrs"]
                );
            }
        }
    }
}

#[test]
fn a_speedometer_without_a_metric_says_the_speed_alone() {
    let mut callback =
        create("speedometer", &[("batch_size", AttrValue::Int(10)), ("frequent", AttrValue::Int(1))]);
    assert!(!callback.due(&Moment { epoch: 2, batch: 0, seconds: 1.0 }));
    let now = Moment { epoch: 2, batch: 1, seconds: 1.5 };
    assert!(callback.due(&now));
    let reply = callback.call(&now, None);
    assert_eq!(reply.text.as_deref(), Some("Iter[2] Batch [1]\tSpeed: 20.00 samples/sec"));
    assert!(!reply.reset_metric);
}

#[test]
fn checkpoints_are_due_every_so_many_epochs() {
    let mut callback = create("do_checkpoint", &[("prefix", "model".into()), ("period", AttrValue::Int(2))]);
    let now = |epoch| Moment { epoch, batch: 0, seconds: 0.0 };
    let due: Vec<bool> = (0..4).map(|epoch| callback.due(&now(epoch))).collect();
    assert_eq!(due, [false, true, false, true]);
    let reply = callback.call(&now(1), None);
    assert!(reply.save && reply.text.is_none());
}

#[test]
fn attributes_that_make_no_sense_are_refused() {
    let e = callbacks().create("ProgressBar", &[("total", AttrValue::Int(0))]).err().unwrap();
    assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some("total")));
    let e = callbacks().create("Speedometer", &[]).err().unwrap();
    assert_eq!((e.code(), e.argument()), (ErrorCode::InvalidValue, Some("batch_size")));
}
