//! Inference of shapes and dtypes over a whole symbol, in both directions, until nothing more follows.
//!
//! Every output of every node has a slot. A node is visited when a slot around it has changed, so that the work is
//! proportional to the graph. Each slot remembers which node filled it: an error can tell where a shape came from.

use super::symbol::{Inputs, Node, Symbol};
use crate::dtype::DType;
use crate::error::{Error, ErrorCode, Result};
use crate::op::attrs::nearest;
use crate::op::infer::merge_shapes;
use crate::op::{DTypeInfer, OpRef, ShapeInfer};
use crate::shape::{Shape, UNKNOWN};
use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

/// What is known of arguments, outputs and auxiliary states, in the order of their lists.
#[derive(Clone, Debug)]
pub struct Inferred<T> {
    /// Of [`Symbol::list_arguments`].
    pub arguments: Vec<Option<T>>,
    /// Of [`Symbol::list_outputs`].
    pub outputs: Vec<Option<T>>,
    /// Of [`Symbol::list_auxiliary_states`].
    pub auxiliary_states: Vec<Option<T>>,
    /// True if everything in the graph is known.
    pub complete: bool,
}

impl<T> Default for Inferred<T> {
    /// Of a symbol without variables and outputs, of which nothing was asked.
    fn default() -> Self {
        Inferred { arguments: vec![], outputs: vec![], auxiliary_states: vec![], complete: false }
    }
}

impl Symbol {
    /// The shapes that follow from those of some variables, by name; an axis may be unknown. A variable's
    /// attribute `__shape__` counts where nothing is given.
    ///
    /// # Errors
    /// `NotFound` for a name that no variable has; `Shape` for shapes that contradict each other, with the nodes
    /// and the paths on which they came.
    pub fn infer_shape<'a>(
        &self,
        known: impl IntoIterator<Item = (&'a str, Shape)>,
    ) -> Result<Inferred<Shape>> {
        Solver::run(self, known)
    }

    /// The dtypes that follow from those of some variables, by name. A variable's attribute `__dtype__` counts
    /// where nothing is given.
    ///
    /// # Errors
    /// As [`Symbol::infer_shape`], with `DType`.
    pub fn infer_type<'a>(
        &self,
        known: impl IntoIterator<Item = (&'a str, DType)>,
    ) -> Result<Inferred<DType>> {
        Solver::run(self, known)
    }
}

/// A shape or a dtype.
trait Fact: Clone + PartialEq + Display {
    const WORD: &'static str;
    const CONFLICT: ErrorCode;
    fn complete(&self) -> bool;
    /// The two as one; `None` if they contradict each other.
    fn merged(&self, other: &Self) -> Option<Self>;
    fn declared(variable: &Node) -> Result<Option<Self>>;
    fn rule(op: &OpRef, inputs: &mut [Option<Self>], outputs: &mut [Option<Self>]) -> Result<()>;
}

impl Fact for Shape {
    const WORD: &'static str = "shape";
    const CONFLICT: ErrorCode = ErrorCode::Shape;
    fn complete(&self) -> bool {
        self.is_known()
    }
    fn merged(&self, other: &Shape) -> Option<Shape> {
        merge_shapes(self, other)
    }
    /// MXNet writes 0 for an axis that is not known and `()` for a shape that is not.
    fn declared(variable: &Node) -> Result<Option<Shape>> {
        let attrs = variable.attrs();
        let Some(text) = attrs.get("__shape__") else { return Ok(None) };
        let shape: Option<Shape> = text
            .trim_matches(|c| "()[] ".contains(c))
            .split(',')
            .map(|d| d.trim().trim_end_matches('L'))
            .filter(|d| !d.is_empty() && *d != "None")
            .map(|d| d.parse().ok().map(|d: i64| if d <= 0 { UNKNOWN } else { d }))
            .collect();
        let shape = shape.ok_or_else(|| {
            crate::err!(Format, "expected a shape in the attribute __shape__, got '{text}'")
                .about(&variable.name)
        })?;
        Ok(Some(shape).filter(|s| s.ndim() > 0))
    }
    fn rule(op: &OpRef, inputs: &mut [Option<Shape>], outputs: &mut [Option<Shape>]) -> Result<()> {
        let mut question = ShapeInfer::new(op, inputs.iter().cloned(), outputs.iter().cloned());
        op.op.infer_shape(&mut question)?;
        op.op.check(&question)?;
        let (i, o) = question.into_parts();
        inputs.clone_from_slice(&i);
        outputs.clone_from_slice(&o);
        Ok(())
    }
}

impl Fact for DType {
    const WORD: &'static str = "dtype";
    const CONFLICT: ErrorCode = ErrorCode::DType;
    fn complete(&self) -> bool {
        true
    }
    fn merged(&self, other: &DType) -> Option<DType> {
        (self == other).then_some(*self)
    }
    fn declared(variable: &Node) -> Result<Option<DType>> {
        let attrs = variable.attrs();
        let Some(text) = attrs.get("__dtype__") else { return Ok(None) };
        match text.trim().parse() {
            Ok(-1) => Ok(None),
            Ok(code) => DType::from_code(code).map(Some).map_err(|e| e.about(&variable.name)),
            Err(_) => DType::from_name(text).map(Some).map_err(|e| e.about(&variable.name)),
        }
    }
    fn rule(op: &OpRef, inputs: &mut [Option<DType>], outputs: &mut [Option<DType>]) -> Result<()> {
        let mut question = DTypeInfer::new(op, inputs.iter().copied(), outputs.iter().copied());
        op.op.infer_dtype(&mut question)?;
        let (i, o) = question.into_parts();
        inputs.copy_from_slice(&i);
        outputs.copy_from_slice(&o);
        Ok(())
    }
}

/// What is known of one output of a node.
#[derive(Clone)]
struct Slot<T> {
    value: Option<T>,
    /// The node that said so; itself for a variable of which it was given.
    setter: u32,
    /// When, to find the way back to where it came from.
    time: u32,
}

struct Solver<T> {
    nodes: Vec<Arc<Node>>,
    /// First slot of each node.
    first: Vec<u32>,
    /// Slots of each node's inputs.
    inputs: Vec<Vec<u32>>,
    /// Nodes that read each slot.
    readers: Vec<Vec<u32>>,
    slots: Vec<Slot<T>>,
    dirty: Vec<bool>,
    time: u32,
}

impl<T: Fact> Solver<T> {
    fn run<'a>(symbol: &Symbol, known: impl IntoIterator<Item = (&'a str, T)>) -> Result<Inferred<T>> {
        let mut solver = Solver::new(symbol);
        solver.start(known)?;
        let n = solver.nodes.len();
        let mut changed = true;
        while changed {
            changed = false;
            for node in (0..n).chain((0..n).rev()) {
                if std::mem::take(&mut solver.dirty[node]) {
                    changed |= solver.visit(node)?;
                }
            }
        }
        Ok(solver.results(symbol))
    }

    fn new(symbol: &Symbol) -> Solver<T> {
        let nodes = symbol.topo();
        let index: HashMap<*const Node, u32> =
            nodes.iter().zip(0..).map(|(n, i)| (Arc::as_ptr(n), i)).collect();
        let mut first = Vec::with_capacity(nodes.len());
        let mut slots = Vec::new();
        for (node, i) in nodes.iter().zip(0..) {
            first.push(slots.len() as u32);
            slots.resize(slots.len() + node.num_outputs(), Slot { value: None, setter: i, time: 0 });
        }
        let inputs: Vec<Vec<u32>> = nodes
            .iter()
            .map(|n| {
                n.inputs.iter().map(|e| first[index[&Arc::as_ptr(&e.node)] as usize] + e.index).collect()
            })
            .collect();
        let mut readers = vec![vec![]; slots.len()];
        for (node, slots) in inputs.iter().enumerate() {
            slots.iter().for_each(|s| readers[*s as usize].push(node as u32));
        }
        let dirty = nodes.iter().map(|n| !n.is_variable()).collect();
        Solver { nodes, first, inputs, readers, slots, dirty, time: 0 }
    }

    /// Fills the slots of variables of which something is given or declared.
    fn start<'a>(&mut self, known: impl IntoIterator<Item = (&'a str, T)>) -> Result<()> {
        let known: HashMap<&str, T> = known.into_iter().collect();
        let variables = || self.nodes.iter().filter(|n| n.is_variable());
        let names: HashSet<&str> = variables().map(|v| v.name.as_str()).collect();
        if let Some(name) = known.keys().find(|name| !names.contains(*name)) {
            let hint = nearest(name, variables().map(|v| v.name.as_str()));
            let hint = hint.map_or_else(String::new, |n| format!("; did you mean '{n}'?"));
            return Err(crate::err!(NotFound, "the symbol has no such argument{hint}").about(name));
        }
        for (i, node) in self.nodes.iter().enumerate().filter(|(_, n)| n.is_variable()) {
            let value = match known.get(node.name.as_str()) {
                Some(value) => Some(value.clone()),
                None => T::declared(node)?,
            };
            self.slots[self.first[i] as usize].value = value;
        }
        Ok(())
    }

    /// Asks a node's operator what follows. True if something new did.
    fn visit(&mut self, node: usize) -> Result<bool> {
        let Some(op) = self.nodes[node].op.clone() else { return Ok(false) };
        let own: Vec<u32> = (self.first[node]..).take(op.op.num_outputs()).collect();
        let value = |s: &u32| self.slots[*s as usize].value.clone();
        let mut inputs: Vec<Option<T>> = self.inputs[node].iter().map(value).collect();
        let mut outputs: Vec<Option<T>> = own.iter().map(value).collect();
        T::rule(&op, &mut inputs, &mut outputs).map_err(|e| self.explain(e, node, &op))?;
        let slots = self.inputs[node].clone();
        let mut changed = false;
        for (slot, value) in slots.into_iter().zip(inputs).chain(own.into_iter().zip(outputs)) {
            if let Some(value) = value {
                changed |= self.set(slot, value, node, &op)?;
            }
        }
        Ok(changed)
    }

    /// Adds what a node says of a slot.
    fn set(&mut self, slot: u32, value: T, node: usize, op: &OpRef) -> Result<bool> {
        let old = &self.slots[slot as usize].value;
        if old.as_ref() == Some(&value) {
            return Ok(false);
        }
        let value = match old {
            None => value,
            Some(old) => match old.merged(&value) {
                Some(merged) if merged == *old => return Ok(false),
                Some(merged) => merged,
                None => {
                    let error = Error::new(T::CONFLICT, format!("expected {} {value}, got {old}", T::WORD));
                    return Err(self.explain(error, node, op));
                }
            },
        };
        self.time += 1;
        self.slots[slot as usize] = Slot { value: Some(value), setter: node as u32, time: self.time };
        for reader in &self.readers[slot as usize] {
            self.dirty[*reader as usize] = true;
        }
        let producer = self.first.partition_point(|f| *f <= slot) - 1;
        self.dirty[producer] = !self.nodes[producer].is_variable();
        Ok(true)
    }

    fn results(&self, symbol: &Symbol) -> Inferred<T> {
        let index: HashMap<*const Node, usize> =
            self.nodes.iter().enumerate().map(|(i, n)| (Arc::as_ptr(n), i)).collect();
        let value = |node: &Arc<Node>, output: u32| {
            self.slots[(self.first[index[&Arc::as_ptr(node)]] + output) as usize].value.clone()
        };
        let list = |which| symbol.inputs(which).iter().map(|n| value(n, 0)).collect();
        Inferred {
            arguments: list(Inputs::Arguments),
            outputs: symbol.outputs.iter().map(|e| value(&e.node, e.index)).collect(),
            auxiliary_states: list(Inputs::AuxiliaryStates),
            complete: self.slots.iter().all(|s| s.value.as_ref().is_some_and(T::complete)),
        }
    }

    /// The error of a node, with the nodes from which the arguments come and the paths to them.
    fn explain(&self, error: Error, node: usize, op: &OpRef) -> Error {
        let slots = &self.inputs[node];
        let culprit = error.argument().and_then(|a| (0..slots.len()).find(|i| op.input_name(*i) == a));
        let mut sources: Vec<usize> = culprit.into_iter().collect();
        sources.extend(
            (0..slots.len())
                .filter(|i| Some(*i) != culprit && self.slots[slots[*i] as usize].value.is_some()),
        );
        let told: Vec<String> =
            sources.iter().take(2).filter_map(|i| self.source(slots[*i], &op.input_name(*i))).collect();
        let text = format!("{}, in node '{}'{}", error.message(), self.nodes[node].name, told.concat());
        error.with_message(text).in_operator(op.def.meta.name)
    }

    fn source(&self, slot: u32, argument: &str) -> Option<String> {
        let value = self.slots[slot as usize].value.as_ref()?;
        let path = self.path(slot);
        let producer = &self.nodes[self.first.partition_point(|f| *f <= slot) - 1];
        let mut text = format!("; its {argument} is '{}' of {} {value}", producer.name, T::WORD);
        if path.len() > 1 {
            text.push_str(&format!(", which follows from {}", path.join(" → ")));
        }
        Some(text)
    }

    /// Names of the nodes through which a slot's value came, from the variable of which it was given.
    fn path(&self, slot: u32) -> Vec<String> {
        const MOST: usize = 8;
        let mut names: Vec<String> = vec![];
        let mut slot = slot;
        loop {
            let Slot { setter, time, .. } = self.slots[slot as usize];
            let node = setter as usize;
            names.push(format!("'{}'", self.nodes[node].name));
            let own = self.first[node]..self.first[node] + self.nodes[node].num_outputs() as u32;
            let around = self.inputs[node].iter().copied().chain(own);
            let earlier =
                |s: &u32| self.slots[*s as usize].value.is_some() && self.slots[*s as usize].time < time;
            match around.filter(|s| *s != slot).find(earlier) {
                Some(next) => slot = next,
                None => break,
            }
        }
        if names.len() > MOST {
            let from = MOST / 2;
            names.splice(from..names.len() - from, ["…".to_owned()]);
        }
        names.reverse();
        names
    }
}
