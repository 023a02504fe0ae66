//! Simplifications: each pass is a function from a graph to a graph that computes the same, to the bit, unless its
//! documentation says otherwise.

pub mod algorithm;
pub mod common;
pub mod constant;
pub mod dead;
pub mod fold;
pub mod fuse;
pub mod join;
pub mod results;
pub mod transpose;

use super::ir::{Graph, ValueId};

/// Reads `to[v]` wherever a call or a result names `v`.
pub(super) fn rename(graph: &mut Graph, to: &[ValueId]) {
    for node in &mut graph.nodes {
        node.inputs.iter_mut().for_each(|v| *v = to[v.at()]);
    }
    graph.outputs.iter_mut().for_each(|v| *v = to[v.at()]);
    graph.gradients.iter_mut().filter_map(|g| g.value.as_mut()).for_each(|v| *v = to[v.at()]);
}

/// Every value standing for itself.
pub(super) fn identity(graph: &Graph) -> Vec<ValueId> {
    (0..graph.values.len() as u32).map(ValueId).collect()
}
