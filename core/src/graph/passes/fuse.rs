//! Pointwise fusion: chains of elementwise calls become one call that goes through memory once.

use crate::graph::ir::{Graph, Node, ValueId, Work};
use crate::graph::memory::views;
use crate::op::fused::{From, Fused, Step};
use smallvec::SmallVec;
use std::sync::Arc;

/// Operators in a chain at most: the tiles of a chain must fit in the first cache.
const LONGEST: usize = 12;
/// Inputs of a chain at most.
const WIDEST: usize = 8;

/// A chain under construction. It takes the place of its last call.
#[derive(Clone)]
struct Chain {
    nodes: SmallVec<[u32; 4]>,
    inputs: SmallVec<[ValueId; 4]>,
}

/// Joins an elementwise call with those that make its inputs, if nothing else reads these and all have one
/// floating-point dtype and the shape of the result. Each operator's result is rounded as if it stood alone. What
/// would keep more alive than before stays apart.
pub fn fuse_pointwise(graph: &mut Graph) {
    let uses = graph.uses();
    let lives = Lives::new(graph);
    let makers = graph.makers();
    let changed = graph.changed();
    let mut chains: Vec<Option<Chain>> = vec![None; graph.nodes.len()];
    for n in 0..graph.nodes.len() {
        if !fusible(graph, &graph.nodes[n], &changed) {
            continue;
        }
        let node = &graph.nodes[n];
        let mut chain = Chain { nodes: SmallVec::new(), inputs: node.inputs.clone() };
        dedup(&mut chain.inputs);
        for v in chain.inputs.clone() {
            let Some(m) = makers[v.at()].filter(|_| uses_alone(node, v, &uses)) else { continue };
            let Some(inner) = &chains[m as usize] else { continue };
            let same = graph.ty(v) == graph.ty(node.outputs[0])
                && graph.nodes[m as usize].is_forward() == node.is_forward();
            let mut inputs: SmallVec<[ValueId; 4]> =
                chain.inputs.iter().filter(|i| **i != v).copied().collect();
            inputs.extend(inner.inputs.iter().copied());
            dedup(&mut inputs);
            let fits = chain.nodes.len() + inner.nodes.len() < LONGEST && inputs.len() <= WIDEST;
            if same && fits && lives.may_wait(graph, inner, &chain.nodes, n as u32) {
                chain.nodes.extend(inner.nodes.iter().copied());
                chain.inputs = inputs;
                chains[m as usize] = None;
            }
        }
        chain.nodes.sort_unstable();
        chain.nodes.push(n as u32);
        chains[n] = Some(chain);
    }
    let mut absorbed = vec![false; graph.nodes.len()];
    for (n, chain) in chains.iter().enumerate().filter_map(|(n, c)| Some((n, c.as_ref()?))) {
        if chain.nodes.len() > 1 {
            chain.nodes.iter().filter(|m| **m as usize != n).for_each(|m| absorbed[*m as usize] = true);
            graph.nodes[n] = fused(graph, chain);
        }
    }
    let keep: Vec<bool> = absorbed.iter().map(|a| !a).collect();
    graph.retain(&keep);
}

/// Until when values are read.
struct Lives {
    roots: Vec<ValueId>,
    /// The last call that reads a value or a view of it; nothing for variables and results.
    last: Vec<Option<u32>>,
}

impl Lives {
    fn new(graph: &Graph) -> Lives {
        let roots = views(graph);
        let mut last = vec![None; graph.values.len()];
        for (n, node) in graph.nodes.iter().enumerate() {
            node.reads().for_each(|v| last[roots[v.at()].at()] = Some(n as u32));
        }
        let variables = graph.variables.iter().map(|v| v.value);
        variables.chain(graph.results()).for_each(|v| last[roots[v.at()].at()] = None);
        Lives { roots, last }
    }

    /// Whether a chain may run as late as call `n`, in which `others` run as well, without keeping more alive: its
    /// result lives from its end to there, so one input may instead; or nothing else runs in between.
    fn may_wait(&self, graph: &Graph, chain: &Chain, others: &[u32], n: u32) -> bool {
        let end = *chain.nodes.last().expect("chains are not empty");
        let result = graph.ty(graph.nodes[end as usize].outputs[0]).bytes();
        let dies = |v: &&ValueId| {
            let root = self.roots[v.at()].at();
            self.last[root].is_some_and(|l| l <= end) && graph.values[root].bytes() >= result
        };
        chain.inputs.iter().filter(dies).count() <= 1 || (end + 1..n).all(|m| others.contains(&m))
    }
}

fn dedup(values: &mut SmallVec<[ValueId; 4]>) {
    let mut seen: SmallVec<[ValueId; 8]> = SmallVec::new();
    values.retain(|v| {
        !seen.contains(v) && {
            seen.push(*v);
            true
        }
    });
}

/// True if only this call reads the value.
fn uses_alone(node: &Node, v: ValueId, uses: &[u32]) -> bool {
    node.inputs.iter().filter(|i| **i == v).count() as u32 == uses[v.at()]
}

fn fusible(graph: &Graph, node: &Node, changed: &[bool]) -> bool {
    let Some(out) = node.outputs.first().map(|o| graph.ty(*o)) else { return false };
    node.outputs.len() == 1
        && node.work.pointwise().is_some()
        && Fused::supports(out.dtype)
        && !out.shape.is_empty()
        && node.inputs.iter().all(|v| graph.ty(*v).dtype == out.dtype && !changed[v.at()])
        && (0..node.inputs.len()).all(|i| !node.work.shape_only(i))
}

fn fused(graph: &Graph, chain: &Chain) -> Node {
    let mut made: Vec<(ValueId, u32)> = Vec::new();
    let mut steps = Vec::new();
    for &m in &chain.nodes {
        let node = &graph.nodes[m as usize];
        let operand = |v: &ValueId| match made.iter().find(|(w, _)| w == v) {
            Some((_, s)) => From::Step(*s),
            None => {
                From::Input(chain.inputs.iter().position(|i| i == v).expect("an input of the chain") as u32)
            }
        };
        let operands = node.inputs.iter().map(operand).collect();
        let pointwise = node.work.pointwise().expect("fusible calls are elementwise");
        steps.push(Step { pointwise, operands, name: node.work.name() });
        made.push((node.outputs[0], made.len() as u32));
    }
    let last = &graph.nodes[*chain.nodes.last().expect("chains are not empty") as usize];
    Node { work: Work::Fused(Arc::new(Fused::new(steps))), inputs: chain.inputs.clone(), ..last.clone() }
}
