//! Taking a file apart. Whatever the bytes are, the work and the memory are bounded by their number.

use super::upgrade;
use crate::error::Result;
use crate::graph::attrs::operator;
use crate::graph::control::Body;
use crate::graph::symbol::{AttrMap, Entry, Node, Symbol};
use crate::op::{OpDef, SubgraphRef, registry};
use serde_json::{Map, Value};
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

/// One output of a node of a file.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub node: usize,
    pub index: u32,
    pub version: u32,
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
    let value: Value = serde_json::from_str(text).map_err(|e| crate::err!(Format, "expected JSON: {e}"))?;
    let mut drafts = drafts(&value)?;
    drop(value);
    drafts.mark_needed();
    upgrade::upgrade(&mut drafts)?;
    drafts.build()
}

fn drafts(value: &Value) -> Result<Drafts> {
    let graph = value.as_object().ok_or_else(|| crate::err!(Format, "expected an object with 'nodes'"))?;
    let nodes = list(graph, "nodes")?;
    let mut drafts =
        Drafts { nodes: Vec::with_capacity(nodes.len()), heads: vec![], version: UNNAMED_VERSION };
    for (i, node) in nodes.iter().enumerate() {
        let draft = draft(node, i).map_err(|e| crate::Error::new(e.code(), format!("node {i}: {e}")))?;
        drafts.nodes.push(draft);
    }
    let heads = list(graph, "heads")?.iter().map(|h| link(h, nodes.len()));
    drafts.heads = heads.collect::<Result<_>>().map_err(|e| e.about("heads"))?;
    for variable in list(graph, "arg_nodes")? {
        let index = variable.as_u64().and_then(|i| drafts.nodes.get(usize::try_from(i).ok()?));
        if index.is_none_or(|n| n.op.is_some()) {
            return Err(
                crate::err!(Format, "expected the number of a variable, got {variable}").about("arg_nodes")
            );
        }
    }
    if let Some(version) = graph.get("attrs").and_then(|a| a.get("mxnet_version")) {
        // Written as ["int", 10901].
        let number = version.get(1).unwrap_or(version).as_i64();
        drafts.version = number
            .ok_or_else(|| crate::err!(Format, "expected a number, got {version}").about("mxnet_version"))?;
    }
    Ok(drafts)
}

fn list<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a Vec<Value>> {
    let value = object.get(name).ok_or_else(|| crate::err!(Format, "'{name}' is missing"))?;
    value.as_array().ok_or_else(|| crate::err!(Format, "expected a list").about(name))
}

fn string<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str> {
    let value = object.get(name).ok_or_else(|| crate::err!(Format, "'{name}' is missing"))?;
    value.as_str().ok_or_else(|| crate::err!(Format, "expected a text, got {value}").about(name))
}

/// Node `i`, whose inputs must stand before it.
fn draft(value: &Value, i: usize) -> Result<Draft> {
    let node = value.as_object().ok_or_else(|| crate::err!(Format, "expected an object"))?;
    if node.get("control_deps").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
        crate::bail!(Unsupported, "nodes with 'control_deps' cannot be loaded");
    }
    let name = string(node, "name")?.to_owned();
    let op = match string(node, "op")? {
        "null" => None,
        op => Some(registry().find(op).map_err(|e| e.about(&name))?),
    };
    let mut attrs = AttrMap::new();
    // 1.0 and later write `attrs`, 0.9 `attr`; 0.8 writes the operator's into `param`.
    for key in ["attrs", "attr", "param"] {
        let Some(found) = node.get(key) else { continue };
        let found = found.as_object().ok_or_else(|| crate::err!(Format, "expected an object").about(key))?;
        for (name, value) in found {
            let text = value
                .as_str()
                .ok_or_else(|| crate::err!(Format, "expected a text for '{name}', got {value}").about(key))?;
            attrs.entry(name.clone()).or_insert_with(|| text.to_owned());
        }
    }
    let inputs = list(node, "inputs")?.iter().map(|v| link(v, i)).collect::<Result<Vec<_>>>();
    let inputs = inputs.map_err(|e| e.about(&name))?;
    if op.is_none() && !inputs.is_empty() {
        return Err(crate::err!(Format, "a variable has no inputs").about(&name));
    }
    let graphs = node.get("subgraphs").and_then(Value::as_array).into_iter().flatten().map(body);
    let graphs = graphs.collect::<Result<_>>().map_err(|e| e.about(&name))?;
    Ok(Draft { op, name, attrs, inputs, graphs, needed: false })
}

/// The body of a loop or a branch, which names no version: MXNet brings none to the present one.
fn body(value: &Value) -> Result<SubgraphRef> {
    let mut drafts = drafts(value)?;
    drafts.mark_needed();
    Ok(Body::new(drafts.build()?)?.into_attr())
}

/// A reference to a node below `limit`: the node, its output and, from 0.9 on, the version.
fn link(value: &Value, limit: usize) -> Result<Link> {
    let number = |v: &Value| v.as_u64().and_then(|n| u32::try_from(n).ok());
    let numbers: Option<Vec<u32>> = value.as_array().and_then(|list| list.iter().map(number).collect());
    let (node, index, version) = match numbers.as_deref() {
        Some([node, index]) => (*node as usize, *index, 0),
        Some([node, index, version]) => (*node as usize, *index, *version),
        _ => crate::bail!(Format, "expected [node, output, version], got {value}"),
    };
    if node >= limit {
        crate::bail!(Format, "expected an earlier node, got {node}: the graph has a cycle or no such node");
    }
    Ok(Link { node, index, version })
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
            built[i] = Some(Arc::new(draft.build(&built).map_err(|e| e.about(&name))?));
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
            return Err(
                crate::err!(Format, "expected {n} inputs, got {}", inputs.len()).in_operator(def.meta.name)
            );
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
