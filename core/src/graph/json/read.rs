//! Taking a file apart. Whatever the bytes are, the work and the memory are bounded by their number.

use super::text::{GraphText, Link, NodeText, with_escaped_controls};
use super::upgrade;
use crate::error::{Error, Result};
use crate::graph::attrs::{MOST, operator};
use crate::graph::control::Body;
use crate::graph::symbol::{AttrMap, Entry, Node, Symbol};
use crate::op::{OpDef, SubgraphRef, registry};
use std::sync::Arc;

/// A node on its way from a file to a graph.
pub(super) struct Draft {
    /// What is called; `None` for a variable.
    pub op: Option<&'static OpDef>,
    pub name: String,
    pub attrs: AttrMap,
    pub inputs: Vec<Link>,
    /// The graphs among its attributes.
    pub graphs: Vec<SubgraphRef>,
    /// Whether an output of the graph depends on it.
    pub needed: bool,
}

/// A file's graph; each node stands after its inputs.
pub(super) struct Drafts {
    pub nodes: Vec<Draft>,
    pub heads: Vec<Link>,
    /// The version of MXNet that wrote the file, as 10901 for 1.9.1.
    pub version: i64,
}

/// The version of files that name none.
const UNNAMED_VERSION: i64 = 800;

pub(super) fn symbol(text: &str) -> Result<Symbol> {
    let json = with_escaped_controls(text);
    let graph: GraphText =
        serde_json::from_str(&json).map_err(|e| crate::err!(Format, "expected JSON: {e}"))?;
    let mut drafts = drafts(graph)?;
    drafts.mark_needed();
    upgrade::upgrade(&mut drafts)?;
    let symbol = drafts.build()?;
    check_outputs(&symbol, text.len())?;
    Ok(symbol)
}

/// Refuses a short text whose nodes have many outputs together: whoever infers shapes needs memory for each.
fn check_outputs(symbol: &Symbol, len: usize) -> Result<()> {
    let total: usize = symbol.topo().iter().map(|node| node.num_outputs()).sum();
    if total > MOST + len {
        crate::bail!(
            Format,
            "the nodes have {total} outputs: expected at most {} in so short a text",
            MOST + len
        );
    }
    Ok(())
}

fn drafts(graph: GraphText) -> Result<Drafts> {
    let version = graph.version().unwrap_or(UNNAMED_VERSION);
    let GraphText { nodes, heads, arg_nodes, .. } = graph;
    let mut drafts = Drafts { nodes: Vec::with_capacity(nodes.len()), heads, version };
    let all = nodes.len();
    for (i, node) in nodes.into_iter().enumerate() {
        let draft = draft(node, i, all).map_err(|e| {
            let message = format!("node {i}: {}", e.message());
            e.with_message(message)
        })?;
        drafts.nodes.push(draft);
    }
    check_links(&drafts.heads, all, all).map_err(|e| e.about("heads"))?;
    for variable in arg_nodes {
        let index = usize::try_from(variable).ok().and_then(|i| drafts.nodes.get(i));
        if index.is_none_or(|n| n.op.is_some()) {
            return Err(
                crate::err!(Format, "expected the number of a variable, got {variable}").about("arg_nodes")
            );
        }
    }
    Ok(drafts)
}

/// Node `i` of `all`, whose inputs must stand before it.
fn draft(node: NodeText, i: usize, all: usize) -> Result<Draft> {
    if node.control_deps.as_ref().is_some_and(|list| !list.is_empty()) {
        crate::bail!(Unsupported, "nodes with 'control_deps' cannot be loaded");
    }
    let name = node.name.into_owned();
    let op = match &*node.op {
        "null" => None,
        op => Some(registry().find(op).map_err(|e| e.about(&name))?),
    };
    let mut attrs = node.attrs.unwrap_or_default();
    for (name, value) in [node.attr, node.param].into_iter().flatten().flatten() {
        attrs.entry(name).or_insert(value);
    }
    check_links(&node.inputs, i, all).map_err(|e| e.about(&name))?;
    if op.is_none() && !node.inputs.is_empty() {
        return Err(crate::err!(Format, "a variable has no inputs").about(&name));
    }
    let graphs = node.subgraphs.into_iter().flatten().map(body);
    let graphs = graphs.collect::<Result<_>>().map_err(|e| e.about(&name))?;
    Ok(Draft { op, name, attrs, inputs: node.inputs, graphs, needed: false })
}

/// The body of a loop or a branch, which names no version: MXNet brings none to the present one.
fn body(graph: GraphText) -> Result<SubgraphRef> {
    let mut drafts = drafts(graph)?;
    drafts.mark_needed();
    let symbol = drafts.build()?;
    check_outputs(&symbol, 0)?;
    Ok(Body::new(symbol)?.into_attr())
}

/// Refuses references to other nodes than the first `limit` of `all`.
fn check_links(links: &[Link], limit: usize, all: usize) -> Result<()> {
    match links.iter().find(|link| link.node >= limit) {
        Some(Link { node, .. }) if *node >= all => {
            Err(crate::err!(Format, "expected one of the {all} nodes, got {node}"))
        }
        Some(Link { node, .. }) => {
            Err(crate::err!(Format, "expected an earlier node, got {node}: the graph has a cycle"))
        }
        None => Ok(()),
    }
}

/// The error of a node, which is told in the message if the error is about something of it.
pub(super) fn at_node(error: Error, name: &str) -> Error {
    if error.argument().is_none() {
        return error.about(name);
    }
    let message = format!("node '{name}': {}", error.message());
    error.with_message(message)
}

impl Drafts {
    fn mark_needed(&mut self) {
        for head in &self.heads {
            self.nodes[head.node].needed = true;
        }
        for i in (0..self.nodes.len()).rev() {
            for input in 0..self.nodes[i].inputs.len() {
                let before = self.nodes[i].inputs[input].node;
                self.nodes[before].needed |= self.nodes[i].needed;
            }
        }
    }

    /// The graph itself.
    fn build(self) -> Result<Symbol> {
        let mut built: Vec<Option<Arc<Node>>> = vec![None; self.nodes.len()];
        let order = self.order();
        let mut drafts: Vec<Option<Draft>> = self.nodes.into_iter().map(Some).collect();
        for i in order {
            let Some(draft) = drafts[i].take() else { continue };
            let name = draft.name.clone();
            built[i] = Some(Arc::new(draft.build(&built).map_err(|e| at_node(e, &name))?));
        }
        let heads = self.heads.iter().map(|h| entry(h, &built)).collect::<Result<_>>();
        Ok(Symbol { outputs: heads.map_err(|e| e.about("heads"))? })
    }

    /// The needed nodes; variables first, since the upgrade may have added some behind their users.
    fn order(&self) -> Vec<usize> {
        let needed = || (0..self.nodes.len()).filter(|i| self.nodes[*i].needed);
        let variables = needed().filter(|i| self.nodes[*i].op.is_none());
        variables.chain(needed().filter(|i| self.nodes[*i].op.is_some())).collect()
    }
}

/// The output of a node that is built.
fn entry(link: &Link, built: &[Option<Arc<Node>>]) -> Result<Entry> {
    let node = built[link.node].as_ref().ok_or_else(|| crate::Error::internal("an input was not built"))?;
    if link.index as usize
        >= node.num_outputs().max(node.op.as_ref().map_or(1, |op| op.op.num_listed_outputs()))
    {
        crate::bail!(Format, "there is no output {} of node '{}'", link.index, node.name);
    }
    Ok(Entry { node: node.clone(), index: link.index, version: link.version })
}

impl Draft {
    fn build(self, built: &[Option<Arc<Node>>]) -> Result<Node> {
        let inputs: Vec<Entry> = self.inputs.iter().map(|l| entry(l, built)).collect::<Result<_>>()?;
        let Some(def) = self.op else { return Ok(Node::variable(self.name, self.attrs)) };
        let op = operator(def, &self.attrs, &self.graphs)?;
        if let Some(n) = op.arity().filter(|n| *n != inputs.len()) {
            let names: Vec<String> = (0..n.min(8)).map(|i| op.symbol_input_name(i)).collect();
            let names = names.join(", ");
            return Err(crate::err!(Format, "expected {n} inputs ({names}), got {}", inputs.len())
                .in_operator(def.meta.name));
        }
        if let Some((i, _)) =
            inputs.iter().enumerate().find(|(i, e)| op.lists_as_state(*i) && !e.node.is_variable())
        {
            let input = op.symbol_input_name(i);
            return Err(crate::err!(Format, "expected a variable for {input}, which the operator changes")
                .in_operator(def.meta.name));
        }
        Ok(Node::new(Some(op), self.name, self.attrs, inputs))
    }
}
