//! Repeating cheap calls where that saves memory and takes next to nothing: what training does without a budget.

use super::{Profile, Segment, is_cheap, rewrite};
use crate::graph::ir::Graph;
use crate::graph::memory::{self, Sharing};
use crate::graph::passes::dead::remove_dead;

/// Share of all operations that is repeated at most: one of so many.
const LITTLE: u64 = 50;
/// Share of the peak that is saved at least: one of so many.
const WORTH: usize = 10;
/// How many first parts of the forward pass are tried.
const PLACES: usize = 16;
/// How many changes of the best of them are tried at most, and how many calls they may look at together.
const CHANGES: usize = 128;
const LOOKS: usize = 200_000;

/// Repeats cheap calls of the first part of the forward pass if that saves memory and takes next to nothing. What
/// they make would be kept for longest; by the time it is read, what later calls kept is gone, so there is room to
/// compute it again.
pub fn spare(graph: &Graph, sharing: Sharing) -> Option<Graph> {
    let forward = graph.num_forward();
    if forward == graph.nodes.len() {
        return None;
    }
    let search =
        Search { graph, sharing, profile: Profile::new(graph), most: flops(graph) / LITTLE * (LITTLE + 1) };
    let cheap: Vec<bool> =
        graph.nodes[..forward].iter().map(|n| n.random.is_none() && is_cheap(graph, n)).collect();
    let before =
        |end: usize| cheap.iter().enumerate().map(|(n, cheap)| *cheap && n < end).collect::<Vec<_>>();
    let parts = (1..=PLACES).map(|i| before(forward * i / PLACES));
    let tried = parts.filter_map(|repeated| Some((search.peak(&repeated)?, repeated)));
    let (mut least, mut best) = tried.min_by_key(|(peak, _)| *peak)?;
    search.improve(&cheap, &mut least, &mut best);
    let all = memory::peak(graph, sharing);
    (least <= all - all / WORTH).then(|| search.repeating(&best))
}

fn flops(graph: &Graph) -> u64 {
    graph.nodes.iter().map(|n| graph.flops(n)).sum()
}

struct Search<'a> {
    graph: &'a Graph,
    sharing: Sharing,
    profile: Profile,
    /// Operations that a graph may have.
    most: u64,
}

impl Search<'_> {
    /// The graph in which the results of the forward calls that are not to be repeated are kept.
    fn repeating(&self, repeated: &[bool]) -> Graph {
        let mut kept = self.profile.must_keep.clone();
        let stay = self.graph.nodes.iter().zip(repeated).filter(|(_, again)| !**again);
        stay.flat_map(|(node, _)| &node.outputs).for_each(|o| kept[o.at()] = true);
        let mut graph = rewrite(self.graph, &self.profile, &kept, &Segment::whole(self.graph));
        remove_dead(&mut graph);
        graph
    }

    /// What that takes, if it has not too many operations.
    fn peak(&self, repeated: &[bool]) -> Option<usize> {
        let graph = self.repeating(repeated);
        (flops(&graph) <= self.most).then(|| memory::peak(&graph, self.sharing))
    }

    /// Keeps a repeated result or repeats a kept one, one after the other, where that lowers the peak.
    fn improve(&self, cheap: &[bool], least: &mut usize, best: &mut [bool]) {
        // What backward does not read need not be there, only what leads to it.
        let saved = |n: &usize| self.graph.nodes[*n].outputs.iter().any(|o| self.profile.saved[o.at()]);
        let mut freed = best.to_vec();
        (0..cheap.len()).filter(|n| cheap[*n] && !saved(n)).for_each(|n| freed[n] = true);
        if let Some(peak) = self.peak(&freed).filter(|peak| *peak <= *least) {
            *least = peak;
            best.copy_from_slice(&freed);
        }
        let changes = CHANGES.min(LOOKS / self.graph.nodes.len().max(1));
        let candidates: Vec<usize> = (0..cheap.len()).filter(|n| cheap[*n]).filter(saved).collect();
        let mut since = 0;
        for n in candidates.iter().cycle().take(changes) {
            best[*n] = !best[*n];
            since += 1;
            match self.peak(best) {
                Some(peak) if peak < *least => (*least, since) = (peak, 0),
                _ => best[*n] = !best[*n],
            }
            if since == candidates.len() {
                break;
            }
        }
    }
}
