//! Joining: two calls one after the other become one that computes the same, to the bit, in less memory.

use crate::graph::ir::{Graph, Node, Work};

/// Lets a call take the place of the one right before it, which makes its first input, and its own, where an operator
/// knows how.
pub fn join(graph: &mut Graph) {
    let uses = graph.uses();
    let mut keep = vec![true; graph.nodes.len()];
    for n in 1..graph.nodes.len() {
        if let Some(node) = joined(graph, &graph.nodes[n - 1], &graph.nodes[n], &uses) {
            graph.nodes[n] = node;
            keep[n - 1] = false;
        }
    }
    graph.retain(&keep);
}

fn joined(graph: &Graph, before: &Node, node: &Node, uses: &[u32]) -> Option<Node> {
    let (Work::Op(first), Work::Op(op)) = (&before.work, &node.work) else { return None };
    let (made, result) = (*before.outputs.first()?, *node.outputs.first()?);
    let alone = before.outputs.len() == 1
        && node.outputs.len() == 1
        && uses[made.at()] == 1
        && node.inputs.first() == Some(&made)
        && before.is_forward() == node.is_forward();
    // In half precision a result is rounded between the two.
    let exact = graph.ty(made) == graph.ty(result) && graph.ty(made).dtype.size() >= 4;
    if !alone || !exact {
        return None;
    }
    let number = |v| before.inputs.iter().position(|b| b == v);
    let others: Option<Vec<usize>> = node.inputs[1..].iter().map(number).collect();
    let op = op.op.joined(first, &others?)?;
    Some(Node { work: Work::Op(op), inputs: before.inputs.clone(), ..node.clone() })
}
