//! What MXNet 1.9.1 does to graphs of older versions (`legacy_json_util.cc`): attributes that moved,
//! auxiliary states and initializers that files did not hold, defaults that changed.

use super::VERSION;
use super::read::{Draft, Drafts, at_node};
use super::text::Link;
use crate::error::Result;
use crate::graph::attrs::{HIDDEN, operator};
use crate::graph::symbol::{AttrMap, joined};
use crate::op::OpRef;

/// Brings a graph to the present version.
pub(super) fn upgrade(graph: &mut Drafts) -> Result<()> {
    for i in 0..graph.nodes.len() {
        if !graph.nodes[i].needed {
            continue;
        }
        if graph.version < VERSION {
            hide_attributes(graph, i)?;
        }
        let Some(op) = parsed(&graph.nodes[i])? else { continue };
        if graph.version < 900 {
            add_inputs(graph, i, &op);
        }
        if graph.version < 904 {
            add_initializers(graph, i, &op);
        }
        if graph.version < 905 {
            last_axis_is_default(&mut graph.nodes[i]);
        }
    }
    Ok(())
}

fn parsed(node: &Draft) -> Result<Option<OpRef>> {
    let op = node.op.map(|def| operator(def, &node.attrs, &node.graphs));
    op.transpose().map_err(|e| at_node(e, &node.name))
}

/// `lr_mult` becomes `__lr_mult__`, and `weight_lr_mult` that of the weight's variable.
fn hide_attributes(graph: &mut Drafts, i: usize) -> Result<()> {
    let concerned = |name: &str| HIDDEN.iter().any(|h| name.starts_with(h) || name.ends_with(h));
    let node = &mut graph.nodes[i];
    let (hidden, kept): (AttrMap, AttrMap) =
        std::mem::take(&mut node.attrs).into_iter().partition(|(name, _)| concerned(name));
    node.attrs = kept;
    if hidden.is_empty() {
        return Ok(());
    }
    let op = parsed(node)?;
    for (name, value) in hidden {
        let found = HIDDEN.iter().find_map(|h| Some((format!("__{h}__"), name.strip_suffix(h)?)));
        let target = match &found {
            Some((_, "")) => Some(i),
            Some((_, input)) => variable_of(graph, i, op.as_ref(), input),
            None => None,
        };
        match (target, found) {
            (Some(target), Some((hidden, _))) => graph.nodes[target].attrs.insert(hidden, value),
            _ => graph.nodes[i].attrs.insert(name, value),
        };
    }
    Ok(())
}

/// The variable at the input that `input` and an underscore name.
fn variable_of(graph: &Drafts, i: usize, op: Option<&OpRef>, input: &str) -> Option<usize> {
    let input = input.strip_suffix('_').filter(|input| !input.is_empty())?;
    let (op, inputs) = (op?, &graph.nodes[i].inputs);
    let at = (0..inputs.len()).find(|j| op.symbol_input_name(*j) == input)?;
    Some(inputs[at].node).filter(|n| graph.nodes[*n].op.is_none())
}

/// Before 0.9.0 files held no auxiliary states.
fn add_inputs(graph: &mut Drafts, i: usize, op: &OpRef) {
    let schema = op.def.meta.inputs.len();
    let Some(count) = op.arity().filter(|n| *n <= schema) else { return };
    for input in graph.nodes[i].inputs.len()..count {
        let name = joined(&graph.nodes[i].name, &op.symbol_input_name(input));
        let attrs = graph.nodes[i].attrs.clone();
        let node = graph.nodes.len();
        graph.nodes.push(Draft { op: None, name, attrs, inputs: vec![], graphs: vec![], needed: true });
        graph.nodes[i].inputs.push(Link { node, index: 0, version: 0 });
    }
}

/// Before 0.9.4 variables named no initializers.
fn add_initializers(graph: &mut Drafts, i: usize, op: &OpRef) {
    for (input, link) in graph.nodes[i].inputs.clone().into_iter().enumerate() {
        let (Some(init), None) = (op.input(input).init, graph.nodes[link.node].op) else { continue };
        graph.nodes[link.node].attrs.entry("__init__".to_owned()).or_insert_with(|| init.to_owned());
    }
}

/// Before 0.9.5 `axis=-1` of argmax and argmin meant that there is none.
fn last_axis_is_default(node: &mut Draft) {
    let named = node.op.is_some_and(|def| matches!(def.meta.name, "argmax" | "argmin"));
    if named && node.attrs.get("axis").is_some_and(|axis| axis == "-1") {
        node.attrs.remove("axis");
    }
}
