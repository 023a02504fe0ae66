//! The graph in which the backward pass computes again what is not kept.

use super::profile::Profile;
use crate::graph::ir::{Graph, Node, Phase, ValueId};
use std::collections::{HashMap, HashSet};

/// A range of forward calls, possibly cut into parts. When the backward pass arrives at a segment without parts,
/// what it reads there is computed again from what is kept before; when it arrives at one with parts, first of all
/// the values at the borders of the parts are.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The first call.
    pub start: u32,
    /// One past the last call.
    pub end: u32,
    /// Its parts in order, together all of it; none for a segment that is not cut.
    pub parts: Vec<Segment>,
}

impl Segment {
    /// All forward calls as one segment.
    pub fn whole(graph: &Graph) -> Segment {
        Segment { start: 0, end: graph.num_forward() as u32, parts: vec![] }
    }

    /// The borders between its parts.
    pub fn cuts(&self) -> Vec<u32> {
        self.parts.iter().skip(1).map(|p| p.start).collect()
    }
}

/// Rewrites a graph so that its backward pass reads only variables, values for which `kept` is true and what it
/// computes again from them.
pub fn rewrite(graph: &Graph, profile: &Profile, kept: &[bool], segment: &Segment) -> Graph {
    let (forward, backward) = graph.nodes.split_at(profile.forward as usize);
    let mut nodes = Vec::with_capacity(graph.nodes.len() + forward.len());
    nodes.extend_from_slice(forward);
    let out = Graph { nodes, ..graph.clone_without_nodes() };
    let mut rewriter = Rewriter { graph, profile, kept, backward, next: 0, scopes: vec![], out };
    rewriter.walk(segment, true);
    debug_assert_eq!(rewriter.next, backward.len());
    rewriter.out
}

type Scope = HashMap<ValueId, ValueId>;

struct Rewriter<'a> {
    graph: &'a Graph,
    profile: &'a Profile,
    kept: &'a [bool],
    backward: &'a [Node],
    /// The next backward call.
    next: usize,
    /// What was computed again, by segment, the innermost last.
    scopes: Vec<Scope>,
    out: Graph,
}

impl Rewriter<'_> {
    fn walk(&mut self, segment: &Segment, outermost: bool) {
        self.scopes.push(Scope::new());
        if segment.parts.is_empty() {
            while let Some(node) = self.backward.get(self.next).filter(|n| origin(n) >= segment.start) {
                self.emit(node);
                self.next += 1;
            }
        } else {
            if !outermost {
                self.sweep(segment);
            }
            segment.parts.iter().rev().for_each(|part| self.walk(part, false));
        }
        self.scopes.pop();
    }

    /// Computes the values at the borders of a segment's parts, and keeps only these.
    fn sweep(&mut self, segment: &Segment) {
        let cuts = segment.cuts();
        let border = |v: &ValueId| self.profile.makers[v.at()].is_some_and(|m| m >= segment.start);
        let values: Vec<ValueId> =
            self.profile.crossing_values(&cuts).map(|(v, _)| v).filter(|v| border(v)).collect();
        self.scopes.push(Scope::new());
        self.compute(&values);
        let made = self.scopes.pop().unwrap_or_default();
        let scope = self.scopes.last_mut().expect("the segment's own");
        scope.extend(values.iter().filter_map(|v| Some((*v, *made.get(v)?))));
    }

    fn emit(&mut self, node: &Node) {
        let reads: Vec<ValueId> = node.reads().collect();
        self.compute(&reads);
        let mut node = node.clone();
        for i in 0..node.inputs.len() {
            if !node.work.shape_only(i) {
                node.inputs[i] = self.there(node.inputs[i]).expect("computed before");
            }
        }
        self.out.nodes.push(node);
    }

    /// Where a value is now, if it is anywhere.
    fn there(&self, v: ValueId) -> Option<ValueId> {
        let again = self.scopes.iter().rev().find_map(|scope| scope.get(&v));
        let first = || {
            let made_again = self.profile.makers[v.at()].is_some_and(|m| m < self.profile.forward);
            (!made_again || self.kept[self.profile.roots[v.at()].at()]).then_some(v)
        };
        again.copied().or_else(first)
    }

    /// Repeats the forward calls that lead from what is there to these values.
    fn compute(&mut self, values: &[ValueId]) {
        let mut calls: Vec<u32> = Vec::new();
        let mut seen: HashSet<u32> = HashSet::new();
        let mut open: Vec<ValueId> = values.to_vec();
        while let Some(v) = open.pop() {
            if self.there(v).is_some() {
                continue;
            }
            let Some(maker) = self.profile.makers[v.at()] else { continue };
            if seen.insert(maker) {
                calls.push(maker);
                open.extend(self.graph.nodes[maker as usize].reads());
            }
        }
        calls.sort_unstable();
        for n in calls {
            self.repeat(n);
        }
    }

    fn repeat(&mut self, n: u32) {
        let mut node = self.graph.nodes[n as usize].clone();
        for i in 0..node.inputs.len() {
            if !node.work.shape_only(i) {
                node.inputs[i] = self.there(node.inputs[i]).expect("calls are repeated in order");
            }
        }
        let scope = self.scopes.last_mut().expect("a scope is open");
        for output in &mut node.outputs {
            let ty = self.graph.ty(*output).clone();
            let again = self.out.value(ty.shape, ty.dtype);
            scope.insert(*output, again);
            *output = again;
        }
        node.phase = Phase::Backward(n);
        node.again = true;
        self.out.nodes.push(node);
    }
}

/// The forward call whose gradient a backward call computes.
fn origin(node: &Node) -> u32 {
    match node.phase {
        Phase::Backward(n) => n,
        Phase::Forward => u32::MAX,
    }
}
