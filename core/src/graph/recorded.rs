//! What was recorded, as a symbol: from the tape to the pipeline that compiles graphs.

use super::attrs::texts;
use super::cached_op::Run;
use super::symbol::{AttrMap, Entry, Node, Symbol};
use crate::autograd::{self, Recorded, Source, Variable};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::OpRef;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The calls and the variables that lead to arrays.
#[derive(Default)]
struct Found {
    /// By age.
    nodes: BTreeMap<u64, Arc<autograd::Node>>,
    variables: BTreeMap<u64, Arc<Variable>>,
}

impl Found {
    fn behind(entries: Vec<autograd::Entry>) -> Found {
        let (mut found, mut work) = (Found::default(), entries);
        while let Some(entry) = work.pop() {
            match entry {
                autograd::Entry::Variable(variable) => drop(found.variables.insert(variable.order, variable)),
                autograd::Entry::Result(node, _) => {
                    if found.nodes.contains_key(&node.order) {
                        continue;
                    }
                    let known = |source| if let Source::Known(entry) = source { Some(entry) } else { None };
                    work.extend(node.sources().into_iter().filter_map(known));
                    found.nodes.insert(node.order, node);
                }
            }
        }
        found
    }
}

/// Makes the nodes of a symbol, in the order in which their calls were recorded.
#[derive(Default)]
struct Maker {
    /// Variables of the tape, then arrays that it knew nothing about.
    variables: HashMap<*const Variable, Entry>,
    arrays: HashMap<(usize, u64), Entry>,
    made: HashMap<u64, Vec<Entry>>,
    calls: u64,
}

impl Maker {
    fn entry(&mut self, source: &Source) -> Entry {
        match source {
            Source::Known(autograd::Entry::Variable(v)) => self.variables[&Arc::as_ptr(v)].clone(),
            Source::Known(autograd::Entry::Result(node, output)) => {
                self.made[&node.order][*output as usize].clone()
            }
            Source::Array(array, version) => {
                let number = self.variables.len() + self.arrays.len();
                let key = (*array, *version);
                self.arrays.entry(key).or_insert_with(|| variable(&format!("null{number}"))).clone()
            }
        }
    }

    /// Adds what a recorded call ran; returns its outputs.
    fn call(&mut self, node: &autograd::Node) -> Result<Vec<Entry>> {
        let inputs: Vec<Entry> = node.sources().iter().map(|source| self.entry(source)).collect();
        match node.recorded() {
            Recorded::Operator(op) => {
                let attrs = texts(op, inputs.len());
                Ok(self.add(op, attrs, inputs))
            }
            Recorded::Compiled(graph) => {
                let run = graph.as_any().downcast_ref::<Run>();
                let run = run.ok_or_else(|| crate::Error::internal("a graph that is no symbol"))?;
                Ok(self.inline(&run.symbol, inputs))
            }
            Recorded::Custom(name) => Err(crate::err!(
                Unsupported,
                "the array depends on '{name}', a function of the caller's own, which no symbol can hold"
            )),
        }
    }

    /// Adds the calls of a symbol whose variables are these values.
    fn inline(&mut self, symbol: &Symbol, inputs: Vec<Entry>) -> Vec<Entry> {
        let mut inputs = inputs.into_iter();
        let mut copies: HashMap<*const Node, Vec<Entry>> = HashMap::new();
        let value = |copies: &HashMap<*const Node, Vec<Entry>>, e: &Entry| {
            copies[&Arc::as_ptr(&e.node)][e.index as usize].clone()
        };
        for node in symbol.in_order() {
            let outputs = match &node.op {
                None => inputs.next().into_iter().collect(),
                Some(op) => {
                    let inputs = node.inputs.iter().map(|e| value(&copies, e)).collect();
                    self.add(op, AttrMap::clone(&node.attrs()), inputs)
                }
            };
            copies.insert(Arc::as_ptr(&node), outputs);
        }
        symbol.outputs.iter().map(|e| value(&copies, e)).collect()
    }

    fn add(&mut self, op: &OpRef, attrs: AttrMap, inputs: Vec<Entry>) -> Vec<Entry> {
        let mut node = Node::new(Some(op.clone()), format!("node_{}", self.calls), attrs, inputs);
        self.calls += 1;
        node.rank = self.calls;
        let node = Arc::new(node);
        (0..node.num_outputs() as u32).map(|i| Entry::new(node.clone(), i)).collect()
    }
}

fn variable(name: &str) -> Entry {
    Entry::new(Arc::new(Node::variable(name, AttrMap::new())), 0)
}

impl Symbol {
    /// The computation of recorded arrays: what was called and how it hangs together, without any elements.
    ///
    /// Names are MXNet's, counted within the symbol: `var0`, `var1`, … for arrays with gradients, in the order in
    /// which these were attached, `null2`, … for other arrays in the order of their use, `node_0`, … for calls.
    ///
    /// # Errors
    /// `Autograd` for an array that was not recorded; `Unsupported` for what a caller's own function made.
    pub fn recorded(heads: &[NdArray]) -> Result<Symbol> {
        let entry = |(i, head): (usize, &NdArray)| {
            head.entry().ok_or_else(|| {
                crate::err!(
                    Autograd,
                    "array {i} is not part of a recorded graph: compute it inside autograd.record() from arrays \
                     with attach_grad()"
                )
                .about("heads")
            })
        };
        let entries: Vec<autograd::Entry> = heads.iter().enumerate().map(entry).collect::<Result<_>>()?;
        let found = Found::behind(entries.clone());
        let mut maker = Maker::default();
        for (i, v) in found.variables.values().enumerate() {
            maker.variables.insert(Arc::as_ptr(v), variable(&format!("var{i}")));
        }
        for (order, node) in &found.nodes {
            let outputs = maker.call(node)?;
            maker.made.insert(*order, outputs);
        }
        Ok(Symbol { outputs: entries.into_iter().map(|e| maker.entry(&Source::Known(e))).collect() })
    }
}
