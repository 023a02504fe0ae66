//! Constant folding: what depends on nothing but attributes and constants is computed when the graph is compiled.

use crate::error::Result;
use crate::graph::ir::{Graph, Kind, Variable, Work};
use crate::ndarray::NdArray;
use crate::op::invoke::{Call, invoke};
use smallvec::SmallVec;
use std::collections::HashMap;

/// Larger results are computed in every run: a constant takes memory for good.
const LARGEST: usize = 64 * 1024;

/// Computes calls on constants whose results are small, and makes constants of them.
///
/// # Errors
/// Those of the calls.
pub fn fold_constants(graph: &mut Graph) -> Result<()> {
    let mut constants: HashMap<u32, NdArray> = HashMap::new();
    for v in &graph.variables {
        if let Kind::Constant(array) = &v.kind {
            constants.insert(v.value.0, array.clone());
        }
    }
    let mut keep = vec![true; graph.nodes.len()];
    for (node, keep) in graph.nodes.iter().zip(&mut keep) {
        let small = node.outputs.iter().all(|o| graph.ty(*o).bytes() <= LARGEST);
        let inputs: Option<SmallVec<[NdArray; 4]>> =
            node.inputs.iter().map(|v| constants.get(&v.0).cloned()).collect();
        let (true, None, Work::Op(op), Some(inputs)) = (small, node.random, &node.work, inputs) else {
            continue;
        };
        if node.changes_state() {
            continue;
        }
        let outputs = invoke(op, &inputs, &[], &Call { training: graph.training, ..Call::default() })?;
        *keep = false;
        for (value, array) in node.outputs.iter().zip(outputs) {
            constants.insert(value.0, array.clone());
            let kind = Kind::Constant(array);
            graph.variables.push(Variable { value: *value, name: node.name.clone(), kind });
        }
    }
    graph.retain(&keep);
    Ok(())
}
