//! Finds what to keep within a budget.
//!
//! The forward pass is cut where little crosses into segments of about equal size, of which only what crosses the
//! borders is kept: with k of n segments that takes about n/k for a segment and k for the borders (Chen and others,
//! 2016). If that is not enough, segments are cut again, which repeats calls once more for each level. If it is more
//! than enough, results are kept in addition, those first that save the most work for their bytes, as many as fit.
//! Every candidate is measured by the lifetimes that the memory planner finds.

use super::Budget;
use super::profile::Profile;
use super::rewrite::{Segment, rewrite};
use crate::error::Result;
use crate::graph::ir::{Graph, ValueId};
use crate::graph::memory::{self, Sharing, lifetimes, live_peak};
use crate::graph::passes::dead::remove_dead;
use crate::graph::passes::fuse::fuse_pointwise;
use crate::graph::passes::results::own_results;

/// Numbers of parts into which a segment is cut, for each number of levels.
const PARTS: [&[u32]; 5] = [
    &[2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 256],
    &[2, 3, 4, 6, 8, 11, 16],
    &[2, 3, 4, 6, 8],
    &[2, 3, 4],
    &[2, 3],
];
/// How often the search starts again because the arena came out larger than what lives at the same time.
const TRIES: usize = 4;

/// Rewrites a graph so that what its plan takes, less the constant part `fixed`, meets the budget; with `fuse`
/// elementwise calls are fused afterwards.
///
/// # Errors
/// `InvalidValue` for a budget that cannot be met, with the least that was found.
pub fn meet(graph: &Graph, budget: Budget, fixed: usize, sharing: Sharing, fuse: bool) -> Result<Graph> {
    let search = Search { graph, profile: Profile::new(graph), sharing, fuse };
    let everything = search.measure(graph);
    let bytes = match budget {
        Budget::Bytes(b) => b,
        Budget::Least => return Ok(search.least(everything)),
    };
    let Some(room) = bytes.checked_sub(fixed) else { return Err(too_small(bytes, fixed)) };
    if everything <= room && search.arena(graph) <= room {
        return Ok(graph.clone());
    }
    let mut target = room;
    let mut least = usize::MAX;
    for _ in 0..TRIES {
        let Some(found) = search.within(target) else { break };
        let arena = search.arena(&found);
        if arena <= room {
            return Ok(found);
        }
        least = least.min(arena);
        target = target.saturating_sub((arena - room) + target / 256);
    }
    let found = search.least(everything);
    let arena = search.arena(&found);
    if arena <= room { Ok(found) } else { Err(too_small(bytes, fixed + arena.min(least))) }
}

fn too_small(budget: usize, least: usize) -> crate::Error {
    crate::err!(InvalidValue, "the least that was found is {least} bytes, got {budget}").about("budget")
}

struct Search<'a> {
    graph: &'a Graph,
    profile: Profile,
    sharing: Sharing,
    fuse: bool,
}

/// A way to cut: what is kept at the outermost borders, and the segments.
struct Cut {
    kept: Vec<bool>,
    segment: Segment,
    peak: usize,
}

impl Search<'_> {
    /// Most bytes that live at the same time.
    fn measure(&self, graph: &Graph) -> usize {
        live_peak(&lifetimes(graph, self.sharing), graph.nodes.len()).0
    }

    /// Size of the arena of the plan that comes out in the end.
    fn arena(&self, graph: &Graph) -> usize {
        let mut graph = graph.clone();
        if self.fuse {
            fuse_pointwise(&mut graph);
        }
        own_results(&mut graph);
        memory::plan(&graph, self.sharing).arena_bytes
    }

    fn rewritten(&self, kept: &[bool], segment: &Segment) -> Graph {
        let mut graph = rewrite(self.graph, &self.profile, kept, segment);
        remove_dead(&mut graph);
        graph
    }

    fn cut(&self, parts: u32, levels: usize) -> Cut {
        let segment = self.divide(0, self.profile.forward, parts, levels);
        let mut kept = self.profile.must_keep.clone();
        let cuts = segment.cuts();
        self.profile.crossing_values(&cuts).for_each(|(v, _)| kept[v.at()] = true);
        let peak = self.measure(&self.rewritten(&kept, &segment));
        Cut { kept, segment, peak }
    }

    /// Cuts a range into parts that save about the same, each border where least crosses nearby.
    fn divide(&self, start: u32, end: u32, parts: u32, levels: usize) -> Segment {
        let whole = Segment { start, end, parts: vec![] };
        let range = start as usize..end as usize;
        let total: u64 = self.profile.saves[range.clone()].iter().sum();
        let share = total / u64::from(parts);
        if levels == 0 || end - start < 2 || share == 0 {
            return whole;
        }
        let mut cuts = vec![start];
        let (mut sum, mut best) = (0, None::<u32>);
        for n in range {
            if sum > share / 2 {
                let better =
                    best.is_none_or(|b| self.profile.crossing[n] <= self.profile.crossing[b as usize]);
                if better {
                    best = Some(n as u32);
                }
            }
            sum += self.profile.saves[n];
            if sum >= share + share / 4 {
                if let Some(b) = best.take() {
                    cuts.push(b);
                    sum = self.profile.saves[b as usize..=n].iter().sum();
                }
            }
        }
        if cuts.len() == 1 {
            return whole;
        }
        cuts.push(end);
        let parts = cuts.windows(2).map(|w| self.divide(w[0], w[1], parts, levels - 1)).collect();
        Segment { start, end, parts }
    }

    /// The way that takes the least memory.
    fn least(&self, everything: usize) -> Graph {
        let mut best: Option<Cut> = None;
        for (level, parts) in PARTS.iter().enumerate() {
            for parts in *parts {
                let cut = self.cut(*parts, level + 1);
                if cut.peak < best.as_ref().map_or(everything, |b| b.peak) {
                    best = Some(cut);
                }
            }
        }
        best.map_or_else(|| self.graph.clone(), |b| self.rewritten(&b.kept, &b.segment))
    }

    /// The way that fits with the fewest levels, keeping as much as fits.
    fn within(&self, room: usize) -> Option<Graph> {
        for (level, parts) in PARTS.iter().enumerate() {
            let mut best: Option<Cut> = None;
            for parts in *parts {
                let cut = self.cut(*parts, level + 1);
                if cut.peak < best.as_ref().map_or(usize::MAX, |b| b.peak) {
                    best = Some(cut);
                } else if best.as_ref().is_some_and(|b| cut.peak > 2 * b.peak) {
                    break;
                }
            }
            if let Some(cut) = best.filter(|b| b.peak <= room) {
                return Some(self.keep_more(cut, room));
            }
        }
        None
    }

    /// Keeps results besides those at the borders, the most rewarding first, as many as fit.
    fn keep_more(&self, cut: Cut, room: usize) -> Graph {
        let candidates = self.candidates(&cut.kept);
        let with = |count: usize| {
            let mut kept = cut.kept.clone();
            candidates[..count].iter().for_each(|v| kept[v.at()] = true);
            self.rewritten(&kept, &cut.segment)
        };
        let (mut fits, mut fails) = (0, candidates.len() + 1);
        while fails - fits > 1 + candidates.len() / 1000 {
            let middle = (fits + fails) / 2;
            if self.measure(&with(middle)) <= room {
                fits = middle;
            } else {
                fails = middle;
            }
        }
        with(fits)
    }

    /// Results that could be kept, by the operations that each saves for its bytes.
    fn candidates(&self, kept: &[bool]) -> Vec<ValueId> {
        let p = &self.profile;
        let mut gain = vec![0u64; self.graph.values.len()];
        let mut found: Vec<(f64, ValueId)> = Vec::new();
        for (n, node) in self.graph.nodes[..p.forward as usize].iter().enumerate() {
            // What is read by this call alone need not be computed again either.
            let alone = |v: &ValueId| {
                let root = p.roots[v.at()].at();
                p.readers[root] == 1 && !p.saved[root] && !kept[root]
            };
            let inputs: u64 = node.reads().filter(|v| alone(v)).map(|v| gain[p.roots[v.at()].at()]).sum();
            for o in &node.outputs {
                gain[o.at()] = inputs + p.flops[n];
                let bytes = self.graph.ty(*o).bytes();
                if p.roots[o.at()] == *o && !kept[o.at()] && bytes > 0 {
                    found.push((gain[o.at()] as f64 / bytes as f64, *o));
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        found.into_iter().map(|(_, v)| v).collect()
    }
}
