//! Traced rules, kept per thread so that finding one takes no lock.

use crate::error::Result;
use crate::op::attrs::hash_values;
use crate::op::{AttrValue, GraphFn, OpRef};
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

/// Rules kept before all are forgotten: programs that vary a scalar would otherwise collect without end.
const KEPT: usize = 4096;

struct Rule {
    op: usize,
    wanted: u64,
    num_inputs: usize,
    values: Vec<AttrValue>,
    graph: Result<Arc<GraphFn>>,
}

thread_local! {
    static RULES: RefCell<HashMap<u64, Vec<Rule>, BuildHasherDefault<Mixed>>> = RefCell::default();
}

/// The gradient of an operator with respect to the inputs whose bits are set; bit 63 is for all from there on. Where
/// none is, there is nothing to compute, and the operator need not be differentiable.
pub fn gradient(op: &OpRef, num_inputs: usize, wanted: u64) -> Result<Arc<GraphFn>> {
    if wanted == 0 {
        return Ok(Arc::new(GraphFn::nothing(num_inputs)));
    }
    cached(op, num_inputs, wanted, || {
        let mask: Vec<bool> = (0..num_inputs).map(|i| wanted >> i.min(63) & 1 == 1).collect();
        GraphFn::gradient(op, num_inputs, &mask)
    })
}

/// The body of a composite operator.
pub fn body(op: &OpRef, num_inputs: usize) -> Result<Arc<GraphFn>> {
    cached(op, num_inputs, 0, || GraphFn::body(op, num_inputs))
}

fn cached(
    op: &OpRef,
    num_inputs: usize,
    wanted: u64,
    trace: impl FnOnce() -> Result<GraphFn>,
) -> Result<Arc<GraphFn>> {
    let values = if op.def.attrs.is_empty() { Vec::new() } else { op.op.values() };
    let key = hash(op.def.index, num_inputs, wanted, &values);
    let found = RULES.with_borrow(|rules| {
        let rule = rules.get(&key)?.iter().find(|r| {
            r.op == op.def.index && r.wanted == wanted && r.num_inputs == num_inputs && r.values == values
        })?;
        Some(rule.graph.clone())
    });
    if let Some(graph) = found {
        return graph;
    }
    let graph = trace().map(Arc::new);
    RULES.with_borrow_mut(|rules| {
        if rules.len() >= KEPT {
            rules.clear();
        }
        let rule = Rule { op: op.def.index, wanted, num_inputs, values, graph: graph.clone() };
        rules.entry(key).or_default().push(rule);
    });
    graph
}

fn hash(op: usize, num_inputs: usize, wanted: u64, values: &[AttrValue]) -> u64 {
    let mut h = Mixed::default();
    (op, num_inputs, wanted).hash(&mut h);
    hash_values(values, &mut h);
    h.finish()
}

/// Hashes by multiplication: the keys are the process's own, so nobody can make them collide on purpose.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u64(u64::from(*b)));
    }
    fn write_u64(&mut self, v: u64) {
        self.0 = (self.0.rotate_left(5) ^ v).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    fn write_usize(&mut self, v: usize) {
        self.write_u64(v as u64);
    }
    fn write_i64(&mut self, v: i64) {
        self.write_u64(v as u64);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}
