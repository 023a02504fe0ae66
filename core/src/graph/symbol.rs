//! A symbol: outputs of a graph of immutable nodes, and the lists that MXNet gives of it.
//!
//! Nodes are shared among symbols and never change, but for attributes that no operator reads; composing copies what
//! it changes. No walk recurses, so that the depth of a graph is limited by memory alone.

use crate::error::Result;
use crate::op::OpRef;
use crate::op::attrs::nearest;
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Attributes of a node as MXNet's files have them: texts, ordered by name. The operator's are among the user's.
pub type AttrMap = BTreeMap<String, String>;

/// A variable, or a call of an operator.
pub struct Node {
    /// What is called; `None` for a variable.
    pub op: Option<OpRef>,
    /// Name; not necessarily unique.
    pub name: String,
    attrs: RwLock<Arc<AttrMap>>,
    /// Inputs in the operator's order; none for a variable.
    pub inputs: Vec<Entry>,
    /// How many operators that change this variable have been composed: what [`Entry::version`] counts.
    pub(crate) writes: AtomicU32,
    /// Its place among the calls of a recorded computation, from 1; 0 for what was composed or read.
    pub(super) rank: u64,
}

/// One output of a node.
#[derive(Clone)]
pub struct Entry {
    /// The node.
    pub node: Arc<Node>,
    /// Which of its outputs.
    pub index: u32,
    /// How often the variable had been written when this use of it was composed. Only MXNet's files need it.
    pub version: u32,
}

/// Outputs of a graph.
#[derive(Clone, Default)]
pub struct Symbol {
    /// The outputs in order.
    pub outputs: Vec<Entry>,
}

impl Node {
    /// A variable, if `op` is none, or a call of an operator.
    pub fn new(op: Option<OpRef>, name: impl Into<String>, attrs: AttrMap, inputs: Vec<Entry>) -> Node {
        let attrs = RwLock::new(Arc::new(attrs));
        Node { op, name: name.into(), attrs, inputs, writes: AtomicU32::new(0), rank: 0 }
    }

    /// A variable.
    pub fn variable(name: impl Into<String>, attrs: AttrMap) -> Node {
        Node::new(None, name, attrs, vec![])
    }

    /// Attributes, the operator's and the user's.
    pub fn attrs(&self) -> Arc<AttrMap> {
        self.attrs.read().clone()
    }

    /// Sets attributes; the operator's must stay what they are.
    pub(super) fn add_attrs(&self, more: AttrMap) {
        Arc::make_mut(&mut self.attrs.write()).extend(more);
    }

    /// The same call of other inputs.
    pub(super) fn copied(&self, inputs: Vec<Entry>) -> Node {
        let copy = Node::new(self.op.clone(), self.name.clone(), AttrMap::clone(&self.attrs()), inputs);
        copy.writes.store(self.writes.load(Ordering::Relaxed), Ordering::Relaxed);
        copy
    }

    /// True for a variable.
    pub fn is_variable(&self) -> bool {
        self.op.is_none()
    }

    /// Number of outputs; a variable has one.
    pub fn num_outputs(&self) -> usize {
        self.op.as_ref().map_or(1, |op| op.op.num_outputs())
    }

    /// Number of outputs that a user sees, the first ones.
    pub fn num_visible_outputs(&self) -> usize {
        self.op.as_ref().map_or(1, |op| op.op.num_visible_outputs())
    }

    /// MXNet's name of an output, as in `conv0_output`; that of a variable is its own.
    pub fn output_name(&self, index: usize) -> String {
        let Some(op) = &self.op else { return self.name.clone() };
        if let Some(name) = op.op.output_name(index) {
            return joined(&self.name, &name);
        }
        let names = op.def.meta.outputs;
        match names.get(index) {
            Some(name) if names.len() > 1 || self.num_outputs() == 1 => joined(&self.name, name),
            _ => joined(&self.name, &format!("{}{index}", names.last().unwrap_or(&"output"))),
        }
    }
}

/// Name of something of a node: `conv0_weight`.
pub(crate) fn joined(node: &str, name: &str) -> String {
    if node.is_empty() { name.to_owned() } else { format!("{node}_{name}") }
}

impl Drop for Node {
    /// Frees a chain of nodes in a loop, where the compiler's own drop would recurse.
    fn drop(&mut self) {
        let mut dying = std::mem::take(&mut self.inputs);
        while let Some(entry) = dying.pop() {
            if let Ok(mut node) = Arc::try_unwrap(entry.node) {
                dying.append(&mut node.inputs);
            }
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = self.op.as_ref().map_or("variable", |op| op.def.meta.name);
        write!(f, "{op} '{}'", self.name)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}[{}]", self.node, self.index)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.outputs).finish()
    }
}

impl Entry {
    /// Output `index` of a node.
    pub fn new(node: Arc<Node>, index: u32) -> Entry {
        Entry { node, index, version: 0 }
    }
}

/// Which variables a list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// All.
    All,
    /// Those that no operator changes.
    Arguments,
    /// Those that an operator changes, as the moving mean of a batch normalisation.
    AuxiliaryStates,
}

impl Symbol {
    /// A symbol of a variable.
    pub fn variable(name: impl Into<String>, attrs: AttrMap) -> Symbol {
        Symbol { outputs: vec![Entry::new(Arc::new(Node::variable(name, attrs)), 0)] }
    }

    /// All outputs of several symbols as one.
    pub fn group<'a>(symbols: impl IntoIterator<Item = &'a Symbol>) -> Symbol {
        Symbol { outputs: symbols.into_iter().flat_map(|s| s.outputs.iter().cloned()).collect() }
    }

    /// All nodes, each after its inputs: MXNet's order, depth first from the first output.
    pub fn topo(&self) -> Vec<Arc<Node>> {
        let mut order = Vec::new();
        let mut seen: HashSet<*const Node> = HashSet::new();
        let mut open: Vec<(&Arc<Node>, usize)> = Vec::new();
        for head in &self.outputs {
            if seen.insert(Arc::as_ptr(&head.node)) {
                open.push((&head.node, 0));
            }
            while let Some((node, next)) = open.last_mut() {
                match node.inputs.get(*next) {
                    Some(input) => {
                        *next += 1;
                        if seen.insert(Arc::as_ptr(&input.node)) {
                            open.push((&input.node, 0));
                        }
                    }
                    None => {
                        order.push((*node).clone());
                        open.pop();
                    }
                }
            }
        }
        order
    }

    /// The order in which calls run: that of [`Symbol::topo`], or that in which all of them were recorded, so that
    /// gradients are summed in the same order.
    pub(super) fn in_order(&self) -> Vec<Arc<Node>> {
        let mut order = self.topo();
        if order.iter().all(|n| n.is_variable() || n.rank > 0) {
            order.sort_by_key(|n| n.rank);
        }
        order
    }

    /// The variables, in the order of [`Symbol::topo`].
    pub fn inputs(&self, which: Inputs) -> Vec<Arc<Node>> {
        let order = self.topo();
        let mut changed: HashSet<*const Node> = HashSet::new();
        for node in &order {
            let Some(op) = &node.op else { continue };
            let inputs = node.inputs.iter().enumerate().filter(|(i, _)| op.lists_as_state(*i));
            changed.extend(inputs.map(|(_, e)| Arc::as_ptr(&e.node)));
        }
        let wanted = |node: &Arc<Node>| match which {
            Inputs::All => true,
            Inputs::Arguments => !changed.contains(&Arc::as_ptr(node)),
            Inputs::AuxiliaryStates => changed.contains(&Arc::as_ptr(node)),
        };
        order.iter().filter(|n| n.is_variable() && wanted(n)).cloned().collect()
    }

    fn input_names(&self, which: Inputs) -> Vec<String> {
        self.inputs(which).iter().map(|n| n.name.clone()).collect()
    }

    /// Names of all variables.
    pub fn list_inputs(&self) -> Vec<String> {
        self.input_names(Inputs::All)
    }

    /// Names of the variables that no operator changes: data, weights, labels.
    pub fn list_arguments(&self) -> Vec<String> {
        self.input_names(Inputs::Arguments)
    }

    /// Names of the variables that an operator changes.
    pub fn list_auxiliary_states(&self) -> Vec<String> {
        self.input_names(Inputs::AuxiliaryStates)
    }

    /// Names of the outputs.
    pub fn list_outputs(&self) -> Vec<String> {
        self.outputs.iter().map(|e| e.node.output_name(e.index as usize)).collect()
    }

    /// Output `index` alone.
    ///
    /// # Errors
    /// `Index` if there is none.
    pub fn output(&self, index: usize) -> Result<Symbol> {
        let entry = self.outputs.get(index).ok_or_else(|| {
            crate::err!(Index, "there is no output {index} in a symbol of {}", self.outputs.len())
                .about("index")
        })?;
        Ok(Symbol { outputs: vec![entry.clone()] })
    }

    /// The output with this name alone.
    ///
    /// # Errors
    /// `NotFound` if there is none, `InvalidValue` if there are several.
    pub fn output_named(&self, name: &str) -> Result<Symbol> {
        let names = self.list_outputs();
        let mut found = (0..names.len()).filter(|i| names[*i] == name);
        match (found.next(), found.next()) {
            (Some(i), None) => self.output(i),
            (None, _) => {
                let hint = nearest(name, names.iter().map(String::as_str))
                    .map_or_else(String::new, |n| format!("; did you mean '{n}'?"));
                Err(crate::err!(NotFound, "there is no output '{name}'{hint}"))
            }
            _ => Err(crate::err!(InvalidValue, "there are several outputs '{name}'")),
        }
    }

    /// All visible outputs of all nodes, in the order of [`Symbol::topo`].
    pub fn internals(&self) -> Symbol {
        let entries = |node: Arc<Node>| {
            let version = if node.is_variable() { node.writes.load(Ordering::Relaxed) } else { 0 };
            (0..node.num_visible_outputs() as u32).map(move |index| Entry {
                node: node.clone(),
                index,
                version,
            })
        };
        Symbol { outputs: self.topo().into_iter().flat_map(entries).collect() }
    }

    /// The inputs of the nodes of which the outputs are.
    pub fn children(&self) -> Symbol {
        let mut seen = HashSet::new();
        let nodes = self.outputs.iter().map(|e| &e.node).filter(|n| seen.insert(Arc::as_ptr(n)));
        Symbol { outputs: nodes.flat_map(|n| n.inputs.iter().cloned()).collect() }
    }
}
