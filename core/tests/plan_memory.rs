//! What plans of well-known networks take: the savings of MXNet's paper of 2015, and what the paper of 2016 does
//! with recomputation, done better. Nothing runs.
//!
//! The numbers are snapshots: a change of the planner that makes them smaller changes them here.

mod nets;

use mxr_core::Shape;
use mxr_core::graph::Symbol;
use mxr_core::graph::compile::{Options, compile};
use mxr_core::graph::ir::Type;
use mxr_core::graph::plan::Report;
use mxr_core::graph::recompute::Budget;
use mxr_core::op::Req;

fn types(net: &Symbol, shape: impl Fn(&str) -> Option<Vec<i64>>) -> Vec<Type> {
    let names = net.list_inputs();
    let shapes: Vec<(&str, Shape)> =
        names.iter().filter_map(|n| Some((n.as_str(), Shape::new(&shape(n)?)))).collect();
    net.infer_types(&shapes, &[]).unwrap()
}

fn picture_types(net: &Symbol, batch: i64) -> Vec<Type> {
    types(net, |name| (name == "data").then(|| vec![batch, 3, 224, 224]))
}

fn report(net: &Symbol, types: &[Type], training: bool, budget: Option<Budget>) -> Report {
    report_with(net, types, training, Options { budget, spare: false, ..Options::default() })
}

fn report_with(net: &Symbol, types: &[Type], training: bool, options: Options) -> Report {
    let given = |n: &String| n.ends_with("data") || n.ends_with("label") || n.contains("init");
    let request = |n: &String| if !training || given(n) { Req::Null } else { Req::Write };
    let requests = net.list_inputs().iter().map(request).collect();
    compile(net, types, &Options { training, requests, ..options }).unwrap().report
}

/// Prints a report for people who run the tests with `--nocapture`.
fn show(name: &str, r: &Report) {
    println!(
        "{name}: {:.2} GB at the peak, {:.2} GB unplanned, {:.4e} operations, {:.1} % more for repeated ones, {} calls",
        r.peak_bytes as f64 / 1e9,
        r.unplanned_bytes as f64 / 1e9,
        r.flops as f64,
        more(r),
        r.steps
    );
}

/// Repeated operations, in percent of the others.
fn more(r: &Report) -> f64 {
    100.0 * r.again_flops as f64 / (r.flops - r.again_flops) as f64
}

#[test]
fn planning_saves_what_the_paper_of_2015_says_and_more() {
    // Megabytes at the peak with a batch of 64: forward only, and training.
    let networks = [
        ("AlexNet", nets::classic::alexnet(), 92.5, 188.9),
        ("VGG-16", nets::classic::vgg16(), 1644.4, 3889.2),
        ("GoogLeNet", nets::classic::googlenet(), 257.2, 937.6),
        ("ResNet-152", nets::classic::resnet([3, 8, 36, 3]), 462.7, 6586.6),
    ];
    for (name, net, forward_megabytes, training_megabytes) in networks {
        let types = picture_types(&net, 64);
        for (training, megabytes, factor) in
            [(false, forward_megabytes, 4.0), (true, training_megabytes, 3.0)]
        {
            let r = report_with(&net, &types, training, Options::default());
            show(name, &r);
            let plain =
                Options { fuse: false, simplify: false, fold: false, spare: false, ..Options::default() };
            let unplanned = report_with(&net, &types, training, plain).unplanned_bytes;
            println!("{:.2} times", unplanned as f64 / r.peak_bytes as f64);
            assert!((r.peak_bytes as f64 / 1e6 - megabytes).abs() < 0.06, "{name}: {r:?}");
            assert!(unplanned as f64 >= factor * r.peak_bytes as f64, "{name}: {unplanned} {r:?}");
        }
    }
}

#[test]
fn a_residual_network_of_a_thousand_layers_trains_in_five_gigabytes_or_less() {
    // The paper of 2016 goes from 48 GB to 7 GB for 30 % more time.
    let net = nets::deep::residual([3, 130, 196, 3]);
    let types = picture_types(&net, 32);
    let all = report(&net, &types, true, None);
    show("all kept", &all);
    assert!(all.peak_bytes > 48_000_000_000);
    for (gigabytes, percent) in [(7.0, 11.3), (5.0, 18.9), (4.0, 23.0)] {
        let r = report(&net, &types, true, Some(Budget::Bytes((gigabytes * 1e9) as usize)));
        show(&format!("{gigabytes} GB"), &r);
        assert!(r.peak_bytes as f64 <= gigabytes * 1e9 && more(&r) <= percent, "{r:?}");
        assert_eq!(r.flops - r.again_flops, all.flops);
    }
    let least = report(&net, &types, true, Some(Budget::Least));
    show("least", &least);
    assert!(least.peak_bytes < 900_000_000);
}

#[test]
fn a_long_lstm_trains_in_a_fifth_of_the_memory() {
    // Without optimisation the thousand steps of the paper take a minute to plan.
    let steps = if cfg!(debug_assertions) { 150 } else { 1000 };
    let net = nets::deep::lstm(4, steps, 1024, 5000);
    let types = types(&net, |name| match name {
        n if n.ends_with("data") => Some(vec![64, 50]),
        n if n.ends_with("label") => Some(vec![64]),
        n if n.contains("init") => Some(vec![64, 1024]),
        _ => None,
    });
    let all = report(&net, &types, true, None);
    show("all kept", &all);
    let part = if cfg!(debug_assertions) { 3 } else { 5 };
    let r = report(&net, &types, true, Some(Budget::Bytes(all.peak_bytes / part)));
    show(&format!("one part of {part}"), &r);
    assert!(r.peak_bytes <= all.peak_bytes / part && more(&r) <= 30.0, "{r:?}");
}

#[test]
fn the_depth_changes_what_compiling_takes_in_proportion() {
    // Calls and, with a part of the memory, repeated calls grow with the depth, no faster.
    let steps = |k: u32| {
        let net = nets::deep::residual([k, 8 * k, 12 * k, k]);
        let types = picture_types(&net, 32);
        let all = report(&net, &types, true, None);
        let start = std::time::Instant::now();
        let r = report(&net, &types, true, Some(Budget::Bytes(all.peak_bytes / 8)));
        println!("{} layers: {:?}", 66 * k + 2, start.elapsed());
        r.steps as f64
    };
    let (one, four) = (steps(1), steps(4));
    assert!(four < 4.5 * one, "{one} {four}");
}
