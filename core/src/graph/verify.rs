//! What must hold of a graph after every pass. Checked in debug builds and by tests.

use super::ir::{Graph, Kind, Phase};
use crate::error::Result;

/// Checks a graph: values are made once and before they are read, forward calls read no gradient, shapes are known,
/// no forward call is repeated that changes a state.
///
/// # Errors
/// `Internal`, naming the pass, the call and what is wrong with it.
pub fn verify(graph: &Graph, after: &str) -> Result<()> {
    check(graph).map_err(|what| crate::Error::internal(format!("after pass '{after}': {what}")))
}

/// [`verify`] in debug builds, nothing in others.
///
/// # Errors
/// As [`verify`].
pub fn verify_in_debug(graph: &Graph, after: &str) -> Result<()> {
    if cfg!(debug_assertions) { verify(graph, after) } else { Ok(()) }
}

fn check(graph: &Graph) -> Result<(), String> {
    let mut there = vec![false; graph.values.len()];
    let mut head_gradient = vec![false; graph.values.len()];
    for variable in &graph.variables {
        let at = variable.value.at();
        if at >= there.len() || std::mem::replace(&mut there[at], true) {
            return Err(format!("variable '{}' has no value of its own", variable.name));
        }
        head_gradient[at] = matches!(variable.kind, Kind::HeadGradient(_));
    }
    let mut backward = false;
    for (n, node) in graph.nodes.iter().enumerate() {
        let fault = |what: String| Err(format!("call {n}, {} '{}', {what}", node.work.name(), node.name));
        match node.phase {
            Phase::Forward if backward => return fault("is forward but follows backward ones".into()),
            Phase::Forward => {}
            Phase::Backward(_) => backward = true,
        }
        if node.again && node.changes_state() {
            return fault("repeats a change of state".into());
        }
        for (i, v) in node.inputs.iter().enumerate() {
            match there.get(v.at()) {
                None => return fault(format!("input {i} is no value")),
                Some(false) if !node.work.shape_only(i) => {
                    return fault(format!("reads %{} before it is made", v.0));
                }
                Some(_) if !backward && head_gradient[v.at()] => {
                    return fault("is forward but reads the gradient of an output".into());
                }
                Some(_) => {}
            }
        }
        for o in &node.outputs {
            match there.get_mut(o.at()) {
                Some(made) if !*made => *made = true,
                _ => return fault(format!("makes %{}, which is no value or made already", o.0)),
            }
        }
    }
    if let Some(v) = graph.values.iter().find(|v| !v.shape.is_known()) {
        return Err(format!("a value has the shape {}", v.shape));
    }
    let missing = graph.results().find(|v| !there.get(v.at()).copied().unwrap_or(false));
    missing.map_or(Ok(()), |v| Err(format!("result %{} is not made", v.0)))
}
