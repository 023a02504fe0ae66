//! Networks for tests of graphs: those of the papers, and small ones that run here.
#![allow(dead_code)]

pub mod classic;
pub mod deep;

use mxr_core::graph::{Call, Symbol};
use mxr_core::op::registry;
use std::cell::Cell;

/// A variable.
pub fn var(name: &str) -> Symbol {
    Symbol::variable(name, Default::default())
}

/// Calls an operator on symbols; its parameters become variables.
pub fn named(op: &str, name: &str, args: &[&Symbol], attrs: &[(&str, &str)]) -> Symbol {
    let op = registry().find(op).unwrap();
    Call { op, name, attrs, args, named: &[] }.compose().unwrap()
}

/// As [`named`], with a name of its own.
pub fn call(op: &str, args: &[&Symbol], attrs: &[(&str, &str)]) -> Symbol {
    thread_local!(static NEXT: Cell<u32> = const { Cell::new(0) });
    let n = NEXT.replace(NEXT.get() + 1);
    named(op, &format!("{}{n}", op.to_lowercase()), args, attrs)
}

/// A square convolution.
pub fn conv(x: &Symbol, filters: u32, kernel: u32, stride: u32, pad: u32, bias: bool) -> Symbol {
    let pair = |n: u32| format!("({n}, {n})");
    let (f, k, s, p) = (filters.to_string(), pair(kernel), pair(stride), pair(pad));
    let no_bias = if bias { "False" } else { "True" };
    let attrs = [("num_filter", &*f), ("kernel", &*k), ("stride", &*s), ("pad", &*p), ("no_bias", no_bias)];
    call("Convolution", &[x], &attrs)
}

/// The rectified linear function.
pub fn relu(x: &Symbol) -> Symbol {
    call("Activation", &[x], &[("act_type", "relu")])
}

/// Batch normalisation.
pub fn norm(x: &Symbol) -> Symbol {
    call("BatchNorm", &[x], &[("fix_gamma", "False")])
}

/// A square pooling.
pub fn pool(x: &Symbol, kind: &str, kernel: u32, stride: u32, pad: u32) -> Symbol {
    let pair = |n: u32| format!("({n}, {n})");
    let (k, s, p) = (pair(kernel), pair(stride), pair(pad));
    call("Pooling", &[x], &[("pool_type", kind), ("kernel", &k), ("stride", &s), ("pad", &p)])
}

/// The mean over each channel's picture.
pub fn global_pool(x: &Symbol) -> Symbol {
    call("Pooling", &[x], &[("pool_type", "avg"), ("global_pool", "True"), ("kernel", "(1, 1)")])
}

/// A fully connected layer.
pub fn dense(x: &Symbol, hidden: u32) -> Symbol {
    call("FullyConnected", &[x], &[("num_hidden", &hidden.to_string())])
}

/// The classifier's end.
pub fn softmax(x: &Symbol) -> Symbol {
    named("SoftmaxOutput", "softmax", &[x], &[])
}
