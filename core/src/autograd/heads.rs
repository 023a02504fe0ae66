//! Which heads need a gradient of their own: those of losses do not.

use super::tape::{Entry, Node, Rule};
use crate::ndarray::NdArray;
use crate::op::builder::Src;
use std::collections::HashSet;
use std::sync::Arc;

/// Whether the gradients of the variables behind an array depend on the array's own gradient, as those of an operator
/// that is a loss do not.
pub fn reads_head_gradient(head: &NdArray) -> bool {
    let mut seen: HashSet<(*const Node, u32)> = HashSet::new();
    let mut work: Vec<Entry> = head.entry().into_iter().collect();
    while let Some(entry) = work.pop() {
        let Entry::Result(node, output) = entry else { return true };
        if !seen.insert((Arc::as_ptr(&node), output)) {
            continue;
        }
        let reads = match &node.rule {
            Rule::Graph(_, Ok(graph)) => graph.reads.contains(&(Src::OutGrad(output), false)),
            Rule::Graph(_, Err(_)) | Rule::Custom(..) | Rule::Compiled(_) => true,
        };
        if reads {
            work.extend(node.edges.iter().flatten().cloned());
        }
    }
    false
}
