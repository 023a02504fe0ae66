//! Dead code: calls that no result needs and that change no state.

use crate::graph::ir::Graph;

/// Removes calls whose outputs nobody reads.
pub fn remove_dead(graph: &mut Graph) {
    let mut needed = vec![false; graph.values.len()];
    graph.results().for_each(|v| needed[v.at()] = true);
    let mut keep = vec![false; graph.nodes.len()];
    for (n, node) in graph.nodes.iter().enumerate().rev() {
        keep[n] = node.changes_state() || node.outputs.iter().any(|o| needed[o.at()]);
        if keep[n] {
            node.reads().for_each(|v| needed[v.at()] = true);
        }
    }
    graph.retain(&keep);
}
