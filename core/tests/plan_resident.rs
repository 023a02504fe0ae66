//! A budget lowers the memory that a process really takes, by what the plan says, and changes no result.
#![cfg(target_os = "linux")]

mod nets;

use mxr_core::graph::Symbol;
use mxr_core::graph::compile::Options;
use mxr_core::graph::executor::Executor;
use mxr_core::graph::recompute::Budget;
use mxr_core::op::Req;
use mxr_core::storage::pool;
use mxr_core::{Device, NdArray, Shape, rng};
use std::hash::{DefaultHasher, Hash, Hasher};

const BATCH: i64 = 2048;
const WIDTH: i64 = 256;

/// A deep network with dropout, whose layers all have one size.
fn net() -> Symbol {
    let mut x = nets::var("data");
    for i in 0..32 {
        x = nets::named("FullyConnected", &format!("fc{i}"), &[&x], &[("num_hidden", &WIDTH.to_string())]);
        x = nets::call("tanh", &[&x], &[]);
        if i % 8 == 0 {
            x = nets::call("Dropout", &[&x], &[("p", "0.1")]);
        }
    }
    nets::softmax(&x)
}

/// Most bytes of the process that were in memory since the start.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// A hash of the bits of all elements: to keep them would take memory that is measured.
fn bits(a: &NdArray) -> u64 {
    let mut hash = DefaultHasher::new();
    a.to_vec::<f32>().unwrap().into_iter().for_each(|v| v.to_bits().hash(&mut hash));
    hash.finish()
}

struct Ran {
    results: Vec<u64>,
    next_draw: u64,
    planned: usize,
    resident: usize,
}

fn run(budget: Option<Budget>) -> Ran {
    rng::seed(11, None);
    let net = net();
    let types = net.infer_types(&[("data", Shape::new(&[BATCH, WIDTH]))], &[]).unwrap();
    let requests = net.requests(&[("data", Req::Null), ("softmax_label", Req::Null)], Req::Write).unwrap();
    let executor =
        Executor::simple_bind(&net, &types, requests, None, Options { budget, ..Options::default() })
            .unwrap();
    for (i, (_, array)) in executor.arguments().enumerate() {
        let n = array.len().unwrap();
        let value = |j: usize| ((i * 31 + j * 17) % 97) as f32 / 970.0 - 0.05;
        let bytes: Vec<u8> = (0..n).flat_map(|j| value(j).abs().to_ne_bytes()).collect();
        array.copy_from_bytes(&bytes).unwrap();
    }
    executor.forward(true).unwrap();
    executor.backward(&[]).unwrap();
    let gradients = executor.gradients().filter_map(|(_, g)| g);
    let results = executor.outputs().unwrap().iter().chain(gradients).map(bits).collect();
    let next_draw = rng::generator(Device::cpu(0)).reserve(0).base;
    Ran { results, next_draw, planned: executor.plan(true).unwrap().report.peak_bytes, resident: resident() }
}

#[test]
fn a_budget_lowers_the_memory_of_the_process_and_changes_no_bit() {
    let least = run(Some(Budget::Least));
    pool::trim();
    let all = run(None);
    assert!(least.results == all.results, "results differ");
    assert_eq!(least.next_draw, all.next_draw);
    assert!(least.next_draw > 0);
    let (planned, measured) = (all.planned - least.planned, all.resident - least.resident);
    println!("planned {} kB less, measured {} kB less", planned / 1024, measured / 1024);
    assert!(planned > all.planned / 2, "{} {}", least.planned, all.planned);
    assert!(measured > planned * 3 / 4 && measured < planned * 5 / 4, "{planned} {measured}");
}
