//! Joining: two calls of the forward pass become one that computes the same, to the bit, in less time and memory. The
//! gradient is that of the joined call, which need not keep what was between the two.

use crate::graph::ir::{Graph, Node, Work};

/// Lets a call do the work of the one that makes its first input as well, where nothing else reads that and an
/// operator does both.
pub fn join(graph: &mut Graph) {
    let (uses, makers, changed) = (graph.uses(), graph.makers(), graph.changed());
    let mut keep = vec![true; graph.nodes.len()];
    for n in 0..graph.nodes.len() {
        let node = &graph.nodes[n];
        let Some(m) = node.inputs.first().and_then(|v| makers[v.at()]).map(|m| m as usize) else { continue };
        let before = &graph.nodes[m];
        // A state that is read may change between the two.
        let steady = before.inputs.iter().all(|v| !changed[v.at()]);
        if let Some(node) = joined(graph, before, node, &uses).filter(|_| steady) {
            graph.nodes[n] = node;
            keep[m] = false;
        }
    }
    graph.retain(&keep);
}

fn joined(graph: &Graph, before: &Node, node: &Node, uses: &[u32]) -> Option<Node> {
    let (Work::Op(first), Work::Op(op)) = (&before.work, &node.work) else { return None };
    let (made, result) = (*before.outputs.first()?, *node.outputs.first()?);
    let alone = before.outputs.len() == 1 && node.outputs.len() == 1 && node.inputs.len() == 1;
    // In half precision a result is rounded between the two.
    let (a, b) = (graph.ty(made).dtype, graph.ty(result).dtype);
    if !alone || uses[made.at()] != 1 || a != b || a.size() < 4 {
        return None;
    }
    let op = op.op.joined(first)?;
    Some(Node { work: Work::Op(op), inputs: before.inputs.clone(), ..node.clone() })
}
