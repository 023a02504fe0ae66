//! What the planner must know of a graph: who makes and reads what, how large it is, what it costs to make.

use crate::graph::ir::{Graph, ValueId};
use crate::graph::memory::views;

/// Facts about the forward pass. Tables of values speak of the value whose memory a view is seen in.
pub struct Profile {
    /// Number of forward calls.
    pub forward: u32,
    /// For each value the one whose memory it is seen in.
    pub roots: Vec<ValueId>,
    /// For each value the call that makes it.
    pub makers: Vec<Option<u32>>,
    /// For each value the last forward call that reads it.
    pub last_forward: Vec<u32>,
    /// For each value whether the backward pass reads it.
    pub saved: Vec<bool>,
    /// For each value how many forward calls read it.
    pub readers: Vec<u32>,
    /// For each value whether it cannot be computed again.
    pub must_keep: Vec<bool>,
    /// Operations of each forward call.
    pub flops: Vec<u64>,
    /// Bytes that cross from before each forward call to it and behind it.
    pub crossing: Vec<u64>,
    /// Bytes that each forward call makes and the backward pass reads.
    pub saves: Vec<u64>,
}

impl Profile {
    /// Looks at a graph.
    pub fn new(graph: &Graph) -> Profile {
        let forward = graph.num_forward();
        let n = graph.values.len();
        let roots = views(graph);
        let makers = graph.makers();
        let (mut last_forward, mut readers, mut saved) = (vec![0; n], vec![0; n], vec![false; n]);
        for (i, node) in graph.nodes.iter().enumerate() {
            for v in node.reads() {
                let root = roots[v.at()].at();
                if i < forward {
                    last_forward[root] = i as u32;
                    readers[root] += u32::from(node.view_of.is_none());
                } else {
                    saved[root] = true;
                }
            }
        }
        let mut profile = Profile {
            forward: forward as u32,
            must_keep: must_keep(graph, forward),
            flops: graph.nodes[..forward].iter().map(|node| graph.flops(node)).collect(),
            crossing: vec![0; forward + 1],
            saves: vec![0; forward],
            roots,
            makers,
            last_forward,
            saved,
            readers,
        };
        profile.measure(graph);
        profile
    }

    fn measure(&mut self, graph: &Graph) {
        let mut change = vec![0i64; self.forward as usize + 2];
        for v in 0..graph.values.len() {
            let Some(made) = self.makers[v].filter(|m| *m < self.forward && self.roots[v].at() == v) else {
                continue;
            };
            let bytes = graph.values[v].bytes();
            if self.saved[v] {
                self.saves[made as usize] += bytes as u64;
            }
            let last = self.last_forward[v];
            if last > made {
                change[made as usize + 1] += bytes as i64;
                change[last as usize + 1] -= bytes as i64;
            }
        }
        let mut sum = 0;
        for (crossing, change) in self.crossing.iter_mut().zip(change) {
            sum += change;
            *crossing = sum as u64;
        }
    }

    /// The values that are made before one of the positions `cuts` and read by a forward call at or behind it, each
    /// with the cuts that it crosses: a range of `cuts`, which are in order.
    pub fn crossing_values<'a>(
        &'a self,
        cuts: &'a [u32],
    ) -> impl Iterator<Item = (ValueId, std::ops::Range<usize>)> + 'a {
        (0..self.makers.len()).filter_map(move |v| {
            let made = self.makers[v].filter(|m| *m < self.forward && self.roots[v].at() == v)?;
            let range =
                cuts.partition_point(|c| *c <= made)..cuts.partition_point(|c| *c <= self.last_forward[v]);
            (!range.is_empty()).then_some((ValueId(v as u32), range))
        })
    }
}

/// Values of calls that change a state or read one that others change: they cannot be computed again.
fn must_keep(graph: &Graph, forward: usize) -> Vec<bool> {
    let changed = graph.changed();
    let mut keep = vec![false; graph.values.len()];
    for node in &graph.nodes[..forward] {
        let unsteady = |(i, v): (usize, &ValueId)| {
            let own = node.work.op().is_some_and(|op| op.mutates(i) && op.op.repeatable());
            changed[v.at()] && !own
        };
        if node.inputs.iter().enumerate().any(unsteady) {
            node.outputs.iter().for_each(|o| keep[o.at()] = true);
        }
    }
    keep
}
