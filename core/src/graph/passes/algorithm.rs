//! Faster algorithms for prediction: a call becomes one that computes the same in less time, as Winograd's convolution.
//!
//! This changes arithmetic: results differ in rounding. It is a choice that the plan lists.

use crate::dtype::DType;
use crate::graph::ir::{Graph, Work};
use std::collections::BTreeMap;

/// Lets calls in single precision be those that their operators name for prediction.
/// Returns for each of the new operators how often.
pub fn choose_algorithms(graph: &mut Graph) -> BTreeMap<String, usize> {
    let mut done = BTreeMap::new();
    if !graph.predicts() {
        return done;
    }
    for n in 0..graph.nodes.len() {
        let node = &graph.nodes[n];
        let Work::Op(op) = &node.work else { continue };
        if graph.ty(node.outputs[0]).dtype != DType::F32 {
            continue;
        }
        if let Some(faster) = op.op.for_prediction(&graph.shapes(op, node)) {
            let work = Work::Op(faster);
            *done.entry(format!("{} as {}", node.work.name(), work.name())).or_default() += 1;
            graph.nodes[n].work = work;
        }
    }
    done
}
