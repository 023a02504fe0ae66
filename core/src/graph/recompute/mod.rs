//! Recomputation: results of the forward pass that the backward pass reads are computed again instead of being kept.
//!
//! [`rewrite`] makes the graph, given what is kept and how the forward calls fall into segments; [`search`] finds
//! both for a budget of bytes; [`spare`] repeats what costs next to nothing. Repeated calls use the random counters of
//! the first time, and calls that change a state are never repeated, so every result is the same, to the bit.

mod profile;
mod rewrite;
mod search;
mod spare;

pub use profile::Profile;
pub use rewrite::{Segment, rewrite};
pub use search::meet;
pub use spare::spare;

use super::ir::{Graph, Node, Phase};
use crate::error::Result;

/// How much memory the activations, their gradients and workspaces may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// So many bytes, at the least extra work.
    Bytes(usize),
    /// As little as the planner can find, whatever the extra work.
    Least,
}

/// Computations per element up to which MXNet's switch repeats a call.
const CHEAP: u64 = 16;

/// Repeats the calls that the user marked, and with `cheap` all that cost little: MXNet's `MXNET_BACKWARD_DO_MIRROR`.
pub fn mirror(graph: &Graph, cheap: bool) -> Option<Graph> {
    let repeat = |n: &Node| n.mirror || cheap && is_cheap(graph, n);
    let backward = graph.nodes.iter().any(|n| n.phase != Phase::Forward);
    let repeated: Vec<bool> = graph.nodes.iter().map(|n| n.is_forward() && repeat(n)).collect();
    if !backward || !repeated.contains(&true) {
        return None;
    }
    let profile = Profile::new(graph);
    let mut kept = profile.must_keep.clone();
    for (node, _) in graph.nodes.iter().zip(&repeated).filter(|(_, r)| !**r) {
        node.outputs.iter().for_each(|o| kept[o.at()] = true);
    }
    Some(rewrite(graph, &profile, &kept, &Segment::whole(graph)))
}

fn is_cheap(graph: &Graph, node: &Node) -> bool {
    let elements: usize = node.outputs.iter().map(|o| graph.ty(*o).shape.len()).sum();
    graph.flops(node) <= CHEAP * elements as u64
}

/// True if MXNet's environment variable asks for recomputation of cheap calls.
pub fn asked_by_environment() -> Result<bool> {
    match std::env::var("MXNET_BACKWARD_DO_MIRROR").ok().as_deref().map(str::trim) {
        None | Some("" | "0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => {
            Err(crate::err!(InvalidValue, "expected 0 or 1, got '{other}'").about("MXNET_BACKWARD_DO_MIRROR"))
        }
    }
}
