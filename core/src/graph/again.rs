//! Running a graph again call by call, so that what is recorded can be differentiated twice.

use super::ir::Graph;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::builder::RunAgain;
use crate::op::invoke::Call;
use crate::rng::Stream;
use smallvec::SmallVec;

/// The outputs of a graph that [`lower`](super::lower::lower) made, for arrays for all its variables. `around.random`
/// are the random numbers that the graph's calls drew.
///
/// # Errors
/// `Unsupported` for a call that would change a state a second time; those of `call`.
pub(super) fn run(
    graph: &Graph,
    variables: &[NdArray],
    around: &Call,
    call: &mut RunAgain,
) -> Result<Vec<NdArray>> {
    let mut values: Vec<Option<NdArray>> = vec![None; graph.values.len()];
    for (variable, array) in graph.variables.iter().zip(variables) {
        values[variable.value.at()] = Some(array.clone());
    }
    let value = |values: &[Option<NdArray>], v: super::ir::ValueId| {
        values[v.at()].clone().ok_or_else(|| crate::Error::internal("a value that nothing makes"))
    };
    for node in &graph.nodes {
        let Some(op) = node.work.op() else {
            return Err(crate::Error::internal("calls are run again before they are fused"));
        };
        if node.changes_state() {
            crate::bail!(
                Unsupported,
                "'{}' changes a state, so that it cannot be run again for the gradient of a gradient",
                node.name
            );
        }
        let stream = around.random.unwrap_or_default();
        let random = node.random.map(|offset| Stream { base: stream.base.wrapping_add(offset), ..stream });
        let inputs: SmallVec<[NdArray; 4]> =
            node.inputs.iter().map(|v| value(&values, *v)).collect::<Result<_>>()?;
        let outputs = call(op, &inputs, &Call { random, ..*around }).map_err(|e| e.in_node(&node.name))?;
        for (v, output) in node.outputs.iter().zip(outputs) {
            values[v.at()] = Some(output);
        }
    }
    graph.outputs.iter().map(|v| value(&values, *v)).collect()
}
