//! Attributes of nodes: the names that MXNet hides, and reading and setting them on symbols.
//!
//! A user writes `lr_mult`; a node holds `__lr_mult__`, so that no operator takes it for its own.

use super::control;
use super::symbol::{AttrMap, Node, Symbol};
use crate::error::Result;
use crate::op::attrs::{AttrKind, AttrSchema};
use crate::op::{AttrValue, OpDef, OpRef, SubgraphRef};
use std::sync::Arc;

/// The attributes that are no operator's and that users write without underscores.
pub const HIDDEN: [&str; 5] = ["ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage"];

/// True for a name that no operator reads: `__…__`.
pub fn is_private(name: &str) -> bool {
    name.len() >= 4 && name.starts_with("__") && name.ends_with("__")
}

/// The name under which a node holds what a user calls `name`.
///
/// # Errors
/// `InvalidValue` for attributes of inputs, as `weight_lr_mult`, which belong to the input's variable.
pub fn hide(name: &str, value: &str) -> Result<String> {
    for hidden in HIDDEN {
        if name == hidden {
            return Ok(format!("__{name}__"));
        }
        if let Some(input) = name.strip_suffix(hidden) {
            return Err(crate::err!(
                InvalidValue,
                "expected the attribute on the input itself: {} = Variable(…, {hidden}={value})",
                input.trim_end_matches('_')
            )
            .about(name));
        }
    }
    Ok(name.to_owned())
}

/// The user's attributes under the names of a node.
///
/// # Errors
/// As [`hide`].
pub fn hide_all<'a>(attrs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<AttrMap> {
    attrs.into_iter().map(|(name, value)| Ok((hide(name, value)?, value.to_owned()))).collect()
}

/// Most inputs and most outputs that a node may have: attributes, which may come from a stranger's file, say
/// how many there are, and each takes memory.
pub(crate) const MOST: usize = 1 << 16;

/// The operator that a node's attributes and graphs describe. An operator without attributes ignores those of
/// others.
///
/// # Errors
/// `NotFound` for an attribute that the operator does not have; those of its attributes; `InvalidValue` for
/// attributes that mean more inputs or outputs than a node may have.
pub fn operator(def: &'static OpDef, attrs: &AttrMap, graphs: &[SubgraphRef]) -> Result<OpRef> {
    let op = parsed(def, attrs, graphs)?;
    for (what, n) in [("outputs", op.op.num_outputs()), ("inputs", op.arity().unwrap_or(0))] {
        if n > MOST {
            return Err(crate::err!(InvalidValue, "expected at most {MOST} {what}, got {n}")
                .in_operator(def.meta.name));
        }
    }
    control::check(&op)?;
    Ok(op)
}

/// The attributes of a call of an operator on so many inputs, but for those that have their default and graphs.
pub(super) fn texts(op: &OpRef, inputs: usize) -> AttrMap {
    let mut texts = AttrMap::new();
    for (attr, value) in op.def.attrs.iter().zip(op.op.values()) {
        let text = match value {
            AttrValue::Float(f) => format!("{f:?}"),
            _ => attr.kind.format(&value),
        };
        let default = attr.default.as_ref().is_some_and(|d| *d == value || attr.kind.format(d) == text);
        if attr.kind != AttrKind::Subgraph && !default {
            texts.insert(attr.name.to_owned(), text);
        }
    }
    if let Some(count) = op.def.meta.inputs.last().and_then(|i| i.count) {
        texts.entry(count.to_owned()).or_insert_with(|| inputs.to_string());
    }
    texts
}

/// The graphs that are attributes of an operator, in their order.
pub fn graphs_of(op: &OpRef) -> Vec<SubgraphRef> {
    let is_graph = |a: &AttrSchema| a.kind == AttrKind::Subgraph;
    if !op.def.attrs.iter().any(is_graph) {
        return vec![];
    }
    let graph = |v| if let AttrValue::Subgraph(graph) = v { Some(graph) } else { None };
    op.op.values().into_iter().filter_map(graph).collect()
}

fn parsed(def: &'static OpDef, attrs: &AttrMap, graphs: &[SubgraphRef]) -> Result<OpRef> {
    let places: Vec<u32> = def.attrs.iter().filter(|a| a.kind == AttrKind::Subgraph).map(|a| a.id).collect();
    if places.len() != graphs.len() {
        let (expected, got) = (places.len(), graphs.len());
        return Err(
            crate::err!(InvalidValue, "expected {expected} graphs, got {got}").in_operator(def.meta.name)
        );
    }
    if def.attrs.is_empty() {
        return def.with(&[]);
    }
    let own: Vec<(&str, &str)> = attrs
        .iter()
        .filter(|(name, _)| !is_private(name))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    if graphs.is_empty() {
        return def.with_strings(&own);
    }
    let mut values = def.parse_strings(&own)?;
    values.extend(places.into_iter().zip(graphs).map(|(id, graph)| (id, AttrValue::Subgraph(graph.clone()))));
    def.with(&values)
}

impl Node {
    /// An attribute by the user's name or the node's own.
    pub fn attr(&self, name: &str) -> Option<String> {
        let attrs = self.attrs();
        let hidden = || HIDDEN.contains(&name).then(|| attrs.get(&format!("__{name}__")))?;
        attrs.get(name).or_else(hidden).cloned()
    }

    /// All attributes, the hidden ones under the user's names as well.
    pub fn listed_attrs(&self) -> AttrMap {
        let attrs = self.attrs();
        let mut all = AttrMap::clone(&attrs);
        for hidden in HIDDEN {
            if let Some(value) = attrs.get(&format!("__{hidden}__")) {
                all.insert(hidden.to_owned(), value.clone());
            }
        }
        all
    }
}

impl Symbol {
    /// The node of which all outputs are, if it is one.
    pub fn head(&self) -> Option<&Arc<Node>> {
        let first = &self.outputs.first()?.node;
        self.outputs.iter().all(|e| Arc::ptr_eq(&e.node, first)).then_some(first)
    }

    /// The same symbol with more attributes on its node. Symbols composed with it before keep the node as it
    /// was.
    ///
    /// # Errors
    /// `InvalidValue` for a group; those of the operator's attributes.
    pub fn with_attrs<'a>(&self, attrs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Symbol> {
        let mut more = hide_all(attrs)?;
        let name = more.remove("name");
        Ok(self.of_node(changed(self.one_node()?, name, &more)?))
    }

    /// Sets attributes on the symbol's node, and so in every symbol that the node is part of, if no operator reads
    /// them. Otherwise, and for another name, the result has a node of its own, and the others keep theirs.
    ///
    /// # Errors
    /// As [`Symbol::with_attrs`].
    pub fn set_attrs<'a>(&self, attrs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Symbol> {
        let (node, mut more) = (self.one_node()?, hide_all(attrs)?);
        let new = changed(node, more.remove("name"), &more)?;
        let values = |node: &Node| node.op.as_ref().map(|op| op.op.values());
        if new.name != node.name || values(&new) != values(node) {
            return Ok(self.of_node(new));
        }
        node.add_attrs(more);
        Ok(self.clone())
    }

    fn one_node(&self) -> Result<&Arc<Node>> {
        self.head()
            .ok_or_else(|| crate::err!(InvalidValue, "expected a symbol of one node, got a group of several"))
    }

    /// The same outputs of another node.
    fn of_node(&self, node: Node) -> Symbol {
        let node = Arc::new(node);
        let outputs = self.outputs.iter().map(|e| super::Entry { node: node.clone(), ..e.clone() });
        Symbol { outputs: outputs.collect() }
    }
}

/// A node with another name, where one is given, and more attributes.
fn changed(node: &Node, name: Option<String>, more: &AttrMap) -> Result<Node> {
    let mut all = AttrMap::clone(&node.attrs());
    all.extend(more.clone());
    let op = node.op.as_ref().map(|op| operator(op.def, &all, &graphs_of(op))).transpose()?;
    Ok(Node::new(op, name.unwrap_or_else(|| node.name.clone()), all, node.inputs.clone()))
}
