//! Common subexpressions: the same operator on the same values is called once.

use super::{identity, rename};
use crate::graph::ir::{Graph, Node, Phase, ValueId};
use crate::op::AttrValue;
use crate::op::attrs::hash_values;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Lets calls read the results of an earlier call of the same operator on the same values. Calls that draw random
/// numbers, change a state or read a changing one stay.
pub fn share_common(graph: &mut Graph) {
    let changed = graph.changed();
    let mut to = identity(graph);
    let mut earlier: HashMap<u64, Vec<usize>> = HashMap::new();
    for n in 0..graph.nodes.len() {
        graph.nodes[n].inputs.iter_mut().for_each(|v| *v = to[v.at()]);
        let node = &graph.nodes[n];
        let unsteady = node.random.is_some() || node.inputs.iter().any(|v| changed[v.at()]);
        let Some(key) = key(node).filter(|_| !unsteady) else { continue };
        let same = earlier.entry(key).or_default();
        match same.iter().find(|m| alike(&graph.nodes[**m], node)) {
            Some(m) => {
                for (from, o) in node.outputs.iter().zip(&graph.nodes[*m].outputs) {
                    to[from.at()] = *o;
                }
            }
            None => same.push(n),
        }
    }
    rename(graph, &to);
}

fn key(node: &Node) -> Option<u64> {
    let op = node.work.op()?;
    let mut h = DefaultHasher::new();
    (op.def.index, &node.inputs).hash(&mut h);
    hash_values(&op.op.values(), &mut h);
    Some(h.finish())
}

fn alike(a: &Node, b: &Node) -> bool {
    let (Some(x), Some(y)) = (a.work.op(), b.work.op()) else { return false };
    let values = |op: &crate::op::OpRef| -> SmallVec<[AttrValue; 4]> { op.op.values().into() };
    let same_pass = matches!(a.phase, Phase::Forward) || !matches!(b.phase, Phase::Forward);
    let inputs = |n: &Node| -> SmallVec<[ValueId; 4]> { n.inputs.clone() };
    same_pass && x.def.index == y.def.index && inputs(a) == inputs(b) && values(x) == values(y)
}
