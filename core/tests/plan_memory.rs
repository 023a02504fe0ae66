//! What plans of well-known networks take. Nothing runs.

mod nets;

use mxr_core::Shape;
use mxr_core::graph::Symbol;
use mxr_core::graph::compile::{Options, compile};
use mxr_core::graph::plan::Report;
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
