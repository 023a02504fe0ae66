//! What plans of well-known networks take. Nothing runs.

mod nets;

use mxr_core::Shape;
use mxr_core::graph::Symbol;
use mxr_core::graph::compile::{Options, compile};
use mxr_core::graph::plan::Report;
use mxr_core::graph::recompute::Budget;
use mxr_core::op::Req;

fn report(net: &Symbol, batch: i64, training: bool) -> Report {
    let types = net.infer_types(&[("data", Shape::new(&[batch, 3, 224, 224]))], &[]).unwrap();
    let names = net.list_inputs();
    let wanted = |n: &String| if n == "data" || n.ends_with("label") { Req::Null } else { Req::Write };
    let requests = if training { names.iter().map(wanted).collect() } else { vec![] };
    compile(net, &types, &Options { training, requests, ..Options::default() }).unwrap().report
}

#[test]
fn planning_saves_what_the_paper_of_2015_says() {
    for (name, net) in [
        ("AlexNet", nets::classic::alexnet()),
        ("VGG-16", nets::classic::vgg16()),
        ("GoogLeNet", nets::classic::googlenet()),
        ("ResNet-152", nets::classic::resnet([3, 8, 36, 3])),
    ] {
        let start = std::time::Instant::now();
        let forward = report(&net, 64, false);
        let training = report(&net, 64, true);
        let saving = |r: &Report| r.unplanned_bytes as f64 / r.peak_bytes as f64;
        println!(
            "{name}: {:.2} {:.2} {forward:?} {training:?} {:?}",
            saving(&forward),
            saving(&training),
            start.elapsed()
        );
    }
}

fn training(net: &Symbol, types: &[mxr_core::graph::ir::Type], budget: Option<Budget>) -> Report {
    let names = net.list_inputs();
    let given = |n: &String| n.ends_with("data") || n.ends_with("label") || n.contains("init");
    let requests = names.iter().map(|n| if given(n) { Req::Null } else { Req::Write }).collect();
    let start = std::time::Instant::now();
    let report = compile(net, types, &Options { training: true, requests, budget, ..Options::default() })
        .unwrap()
        .report;
    println!(
        "{:.2} GB, of which arena {:.2}, parameters {:.2}; {:.3e} operations, {:.1} % again, {} calls, {:?}",
        report.peak_bytes as f64 / 1e9,
        report.arena_bytes as f64 / 1e9,
        report.parameter_bytes as f64 / 1e9,
        report.flops as f64,
        100.0 * report.again_flops as f64 / (report.flops - report.again_flops) as f64,
        report.steps,
        start.elapsed()
    );
    report
}

#[test]
fn a_residual_network_of_a_thousand_layers_fits_in_five_gigabytes() {
    let net = nets::deep::residual([3, 130, 196, 3]);
    let types = net.infer_types(&[("data", Shape::new(&[32, 3, 224, 224]))], &[]).unwrap();
    let mirrored = training(&net, &types, None);
    println!("unplanned {:.2}", mirrored.unplanned_bytes as f64 / 1e9);
    for budget in [7_000_000_000, 5_000_000_000, 4_000_000_000, 3_000_000_000] {
        println!("budget {budget}");
        training(&net, &types, Some(Budget::Bytes(budget)));
    }
    training(&net, &types, Some(Budget::Least));
}

#[test]
fn compiling_takes_time_in_proportion_to_the_depth() {
    for k in [1, 2, 4, 8] {
        let net = nets::deep::residual([k, 32 * k, 49 * k, k]);
        let types = net.infer_types(&[("data", Shape::new(&[32, 3, 224, 224]))], &[]).unwrap();
        let none = training(&net, &types, None);
        println!("layers {}", 83 * 3 * k + 2);
        training(&net, &types, Some(Budget::Bytes(none.peak_bytes / 10)));
    }
}

#[test]
fn a_long_lstm_needs_a_small_part_of_its_activations() {
    let net = nets::deep::lstm(4, 1000, 1024, 5000);
    let names = net.list_inputs();
    let shape = |n: &str| match n {
        n if n.ends_with("data") => Some(Shape::new(&[64, 50])),
        n if n.ends_with("label") => Some(Shape::new(&[64])),
        n if n.contains("init") => Some(Shape::new(&[64, 1024])),
        _ => None,
    };
    let shapes: Vec<(&str, Shape)> = names.iter().filter_map(|n| Some((n.as_str(), shape(n)?))).collect();
    let start = std::time::Instant::now();
    let types = net.infer_types(&shapes, &[]).unwrap();
    println!("inferred {:?}", start.elapsed());
    let none = training(&net, &types, None);
    println!("unplanned {:.2}", none.unplanned_bytes as f64 / 1e9);
    for part in [4, 10, 20] {
        training(&net, &types, Some(Budget::Bytes(none.peak_bytes / part)));
    }
    training(&net, &types, Some(Budget::Least));
}
