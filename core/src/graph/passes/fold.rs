//! Folding for prediction: two calls become one with less work, as a batch normalisation behind a convolution does.
//!
//! This changes arithmetic: results differ in rounding. It is a choice that the plan lists.

use super::{identity, rename};
use crate::error::Result;
use crate::graph::build::Place;
use crate::graph::ir::{Graph, Node, ValueId, Work};
use crate::op::GraphFn;
use crate::op::builder::Src;
use std::collections::BTreeMap;

/// Lets calls absorb the one that makes their first input, where the operators say how, nothing else reads it and
/// its parameters are small beside its result.
/// Returns for each pair of operators how often.
///
/// # Errors
/// Those of inference.
pub fn fold(graph: &mut Graph) -> Result<BTreeMap<String, usize>> {
    let mut done = BTreeMap::new();
    if !graph.predicts() {
        return Ok(done);
    }
    let uses = graph.uses();
    let makers = graph.makers();
    let mut to = identity(graph);
    let old = std::mem::take(&mut graph.nodes);
    for node in &old {
        let mut inputs = node.clone();
        inputs.inputs.iter_mut().for_each(|v| *v = to[v.at()]);
        let before = node.inputs.first().and_then(|v| makers[v.at()]).map(|m| &old[m as usize]);
        let pair = before.and_then(|before| Some((before, absorbed(graph, node, before, &uses)?)));
        let Some((before, rule)) = pair else {
            graph.nodes.push(inputs);
            continue;
        };
        let values: Vec<ValueId> =
            before.inputs.iter().map(|v| to[v.at()]).chain(inputs.inputs[1..].iter().copied()).collect();
        let place = Place { name: node.name.clone(), phase: node.phase, mirror: false };
        let leaf = |_: &mut Graph, src: Src| match src {
            Src::Input(i) => Ok(values[i as usize]),
            other => Err(crate::Error::internal(format!("a fold reads {other:?}"))),
        };
        let made = graph.splice(&rule, leaf, &place)?;
        to.extend((to.len() as u32..graph.values.len() as u32).map(ValueId));
        to[node.outputs[0].at()] =
            made[0].ok_or_else(|| crate::Error::internal("a fold without a result"))?;
        let name = format!("{} folded into {}", node.work.name(), before.work.name());
        *done.entry(name).or_default() += 1;
    }
    rename(graph, &to);
    Ok(done)
}

fn absorbed(graph: &Graph, node: &Node, before: &Node, uses: &[u32]) -> Option<GraphFn> {
    let (Work::Op(op), Work::Op(first)) = (&node.work, &before.work) else { return None };
    let dtype = graph.ty(node.outputs[0]).dtype;
    let one_dtype = node.inputs.iter().chain(&before.inputs).all(|v| graph.ty(*v).dtype == dtype);
    // What is folded into is computed anew in every run: it must be small beside what is saved.
    let bytes = |v: &ValueId| graph.ty(*v).bytes();
    let pays = before.inputs.iter().skip(1).map(bytes).sum::<usize>() <= bytes(&node.outputs[0]);
    let alone = uses[node.inputs[0].at()] == 1 && node.outputs[1..].iter().all(|o| uses[o.at()] == 0);
    let count = before.inputs.len();
    (one_dtype && alone && pays)
        .then(|| GraphFn::absorbed(op, first, count, count + node.inputs.len() - 1))
        .flatten()
}
