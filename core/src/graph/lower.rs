//! From a symbol to the graph that is compiled.

use super::build::Place;
use super::ir::{Graph, Kind, Phase, Type, ValueId};
use super::symbol::{Inputs, Node, Symbol};
use crate::error::{Error, ErrorCode, Result};
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The graph of a symbol whose variables, in the order of [`Symbol::inputs`] (all of them), have these types.
/// Composite operators become their bodies.
///
/// # Errors
/// Those of the operators' inference, naming operator and argument; `InvalidValue` for another number of types;
/// `Unsupported` for operators whose shapes only running shows.
pub fn lower(symbol: &Symbol, types: &[Type], training: bool) -> Result<Graph> {
    let mut graph = Graph { training, ..Graph::default() };
    let states = symbol.inputs(Inputs::AuxiliaryStates);
    let states: HashSet<*const Node> = states.iter().map(Arc::as_ptr).collect();
    let mut made: HashMap<*const Node, SmallVec<[ValueId; 2]>> = HashMap::new();
    let given = types;
    let mut types = given.iter();
    for node in symbol.in_order() {
        let outputs = match &node.op {
            None => {
                let state = states.contains(&Arc::as_ptr(&node));
                let kind = if state { Kind::Auxiliary } else { Kind::Argument };
                let ty = types.next().ok_or_else(|| {
                    crate::err!(
                        InvalidValue,
                        "a shape for each variable is needed; that of '{}' is missing",
                        node.name
                    )
                })?;
                SmallVec::from_iter([graph.variable(&node.name, kind, ty.shape.clone(), ty.dtype)])
            }
            Some(op) => {
                let inputs: SmallVec<[ValueId; 4]> =
                    node.inputs.iter().map(|e| made[&Arc::as_ptr(&e.node)][e.index as usize]).collect();
                let place = Place {
                    name: node.name.as_str().into(),
                    phase: Phase::Forward,
                    mirror: wants_mirror(&node),
                };
                graph.call(op, &inputs, &place).map_err(|e| explained(symbol, given, &node, e))?
            }
        };
        made.insert(Arc::as_ptr(&node), outputs);
    }
    if types.next().is_some() {
        crate::bail!(InvalidValue, "more shapes than variables were given");
    }
    graph.outputs = symbol.outputs.iter().map(|e| made[&Arc::as_ptr(&e.node)][e.index as usize]).collect();
    Ok(graph)
}

/// The error of a node: that of inference over the whole symbol, which names both nodes that contradict each other and
/// the paths to them, where it finds the same.
fn explained(symbol: &Symbol, types: &[Type], node: &Node, error: Error) -> Error {
    let names = symbol.list_inputs();
    let known = || names.iter().map(String::as_str).zip(types);
    let found = match error.code() {
        ErrorCode::Shape => symbol.infer_shape(known().map(|(n, t)| (n, t.shape.clone()))).err(),
        ErrorCode::DType => symbol.infer_type(known().map(|(n, t)| (n, t.dtype))).err(),
        _ => None,
    };
    found.unwrap_or_else(|| error.in_node(&node.name))
}

/// MXNet's attribute that asks for a result to be computed again in backward rather than kept.
fn wants_mirror(node: &Node) -> bool {
    let attrs = node.attrs();
    let set = |key: &str| attrs.get(key).is_some_and(|v| matches!(v.as_str(), "True" | "true" | "1"));
    set("__force_mirroring__") || set("force_mirroring")
}
