//! Transposes that cancel: an array whose axes are moved there and back is the array.

use super::{identity, rename};
use crate::graph::ir::{Graph, Node};
use smallvec::SmallVec;

type Order = SmallVec<[usize; 8]>;

/// Removes pairs of permutations of axes that undo each other, and permutations that move nothing.
pub fn cancel_transposes(graph: &mut Graph) {
    let mut to = identity(graph);
    let makers = graph.makers();
    let order = |node: &Node| -> Option<Order> {
        let op = node.work.op()?;
        op.op.permutes(graph.ty(*node.inputs.first()?).shape.ndim())
    };
    for node in &graph.nodes {
        let Some(outer) = order(node) else { continue };
        let from = to[node.inputs[0].at()];
        if stays(&outer) {
            to[node.outputs[0].at()] = from;
            continue;
        }
        let Some(before) = makers[from.at()].map(|n| &graph.nodes[n as usize]) else { continue };
        let Some(inner) = order(before) else { continue };
        if outer.len() == inner.len() && stays(&outer.iter().map(|a| inner[*a]).collect()) {
            to[node.outputs[0].at()] = to[before.inputs[0].at()];
        }
    }
    rename(graph, &to);
}

fn stays(order: &Order) -> bool {
    order.iter().enumerate().all(|(i, a)| i == *a)
}
