//! The graph that is compiled: a flat list of calls in an order in which they can run, over values of known shape.
//!
//! Passes take a [`Graph`] and leave another. A value stays in the table of values when nothing makes it any more:
//! calls that read only its shape still may name it.

use crate::dtype::DType;
use crate::ndarray::NdArray;
use crate::op::fused::Fused;
use crate::op::infer::ShapeInfer;
use crate::op::invoke::Req;
use crate::op::{OpRef, Pointwise};
use crate::shape::Shape;
use smallvec::SmallVec;
use std::sync::Arc;

/// A value: a variable, or an output of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

impl ValueId {
    /// Its place in tables of values.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// What is known of a value before anything runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// Its shape, known in every axis.
    pub shape: Shape,
    /// The type of its elements.
    pub dtype: DType,
}

impl Type {
    /// Size of the elements.
    pub fn bytes(&self) -> usize {
        self.shape.len() * self.dtype.size()
    }
}

/// What a call runs.
#[derive(Clone, Debug)]
pub enum Work {
    /// An operator.
    Op(OpRef),
    /// Elementwise operators in one pass.
    Fused(Arc<Fused>),
    /// A copy of the input: where a result must be in memory of its own.
    Copy,
}

impl Work {
    /// The operator, if it is one.
    pub fn op(&self) -> Option<&OpRef> {
        match self {
            Work::Op(op) => Some(op),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Work::Op(op) => op.def.meta.name,
            Work::Fused(_) => "fused",
            Work::Copy => "copy",
        }
    }

    /// The arithmetic, if it is a single elementwise operator.
    pub fn pointwise(&self) -> Option<Pointwise> {
        self.op().and_then(|op| op.op.pointwise())
    }

    /// True if of input `i` only shape and dtype are read.
    pub fn shape_only(&self, i: usize) -> bool {
        self.op().is_some_and(|op| op.input(i).shape_only)
    }

    /// True if input `i` is a state that the call changes.
    pub fn changes(&self, i: usize) -> bool {
        self.op().is_some_and(|op| op.mutates(i) && !op.op.repeatable())
    }
}

/// When a call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// In the forward pass.
    Forward,
    /// In the backward pass, for the gradient of the forward call with this index.
    Backward(u32),
}

/// One call.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is called.
    pub work: Work,
    /// What it reads.
    pub inputs: SmallVec<[ValueId; 4]>,
    /// What it makes.
    pub outputs: SmallVec<[ValueId; 2]>,
    /// The symbol's node that it comes from.
    pub name: Arc<str>,
    /// When it runs.
    pub phase: Phase,
    /// First of the random counters that it uses, among those of its pass.
    pub random: Option<u64>,
    /// The user asks for its results to be computed again rather than kept.
    pub mirror: bool,
    /// It repeats a forward call.
    pub again: bool,
    /// The first output is this input, seen in another shape.
    pub view_of: Option<u32>,
}

impl Node {
    /// The inputs whose elements are read.
    pub fn reads(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.inputs.iter().enumerate().filter(|(i, _)| !self.work.shape_only(*i)).map(|(_, v)| *v)
    }

    /// True for a call of the forward pass.
    pub fn is_forward(&self) -> bool {
        self.phase == Phase::Forward
    }

    /// True if it changes a state.
    pub fn changes_state(&self) -> bool {
        (0..self.inputs.len()).any(|i| self.work.changes(i))
    }
}

/// What a variable is to the graph.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Given by the caller, and only read.
    Argument,
    /// Given by the caller; operators change it.
    Auxiliary,
    /// The gradient of an output, given to the backward pass.
    HeadGradient(usize),
    /// Known when the graph is compiled.
    Constant(NdArray),
}

/// A value that no call makes.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The value.
    pub value: ValueId,
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: Kind,
}

/// The gradient of an argument.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// The argument, by its place among the graph's variables.
    pub variable: usize,
    /// Its gradient; `None` for zero.
    pub value: Option<ValueId>,
    /// Whether it is written or added.
    pub request: Req,
    /// The call that makes it adds it to what is there by itself, as eager backward lets it.
    pub direct: bool,
}

/// A graph of calls.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Shapes and dtypes of all values.
    pub values: Vec<Type>,
    /// The calls, forward ones first, each after those that make what it reads.
    pub nodes: Vec<Node>,
    /// The values that no call makes.
    pub variables: Vec<Variable>,
    /// The results.
    pub outputs: Vec<ValueId>,
    /// What the backward pass makes.
    pub gradients: Vec<Gradient>,
    /// Random counters that the forward and the backward pass use.
    pub draws: [u64; 2],
    /// A model is being trained.
    pub training: bool,
}

impl Graph {
    /// Everything but the calls.
    pub fn clone_without_nodes(&self) -> Graph {
        Graph {
            values: self.values.clone(),
            nodes: vec![],
            variables: self.variables.clone(),
            outputs: self.outputs.clone(),
            gradients: self.gradients.clone(),
            draws: self.draws,
            training: self.training,
        }
    }

    /// Adds a value.
    pub fn value(&mut self, shape: Shape, dtype: DType) -> ValueId {
        self.values.push(Type { shape, dtype });
        ValueId(self.values.len() as u32 - 1)
    }

    /// Adds a variable.
    pub fn variable(&mut self, name: &str, kind: Kind, shape: Shape, dtype: DType) -> ValueId {
        let value = self.value(shape, dtype);
        self.variables.push(Variable { value, name: name.into(), kind });
        value
    }

    /// Shape and dtype of a value.
    pub fn ty(&self, value: ValueId) -> &Type {
        &self.values[value.at()]
    }

    /// For each value the call that makes it.
    pub fn makers(&self) -> Vec<Option<u32>> {
        let mut makers = vec![None; self.values.len()];
        for (n, node) in self.nodes.iter().enumerate() {
            node.outputs.iter().for_each(|o| makers[o.at()] = Some(n as u32));
        }
        makers
    }

    /// Removes the calls that are not kept, and renumbers what refers to them.
    pub fn retain(&mut self, keep: &[bool]) {
        let mut number = Vec::with_capacity(keep.len() + 1);
        let mut next = 0;
        for k in keep {
            number.push(next);
            next += u32::from(*k);
        }
        let mut kept = keep.iter();
        self.nodes.retain(|_| *kept.next().expect("one for each call"));
        for node in &mut self.nodes {
            if let Phase::Backward(n) = &mut node.phase {
                *n = number.get(*n as usize).copied().unwrap_or(next);
            }
        }
    }

    /// For each value how often its elements are read, results and gradients counted.
    pub fn uses(&self) -> Vec<u32> {
        let mut uses = vec![0; self.values.len()];
        self.nodes.iter().flat_map(Node::reads).chain(self.results()).for_each(|v| uses[v.at()] += 1);
        uses
    }

    /// All values that must be there in the end.
    pub fn results(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.outputs.iter().copied().chain(self.gradients.iter().filter_map(|g| g.value))
    }

    /// Number of forward calls, which come first.
    pub fn num_forward(&self) -> usize {
        self.nodes.partition_point(|n| n.phase == Phase::Forward)
    }

    /// For each value whether a call changes it.
    pub fn changed(&self) -> Vec<bool> {
        let mut changed = vec![false; self.values.len()];
        for node in &self.nodes {
            let states = node.inputs.iter().enumerate().filter(|(i, _)| node.work.changes(*i));
            states.for_each(|(_, v)| changed[v.at()] = true);
        }
        changed
    }

    /// True if it only predicts: calls may then round differently.
    pub fn predicts(&self) -> bool {
        !self.training && self.nodes.iter().all(Node::is_forward)
    }

    /// The shapes around a call of an operator.
    pub fn shapes<'a>(&self, op: &'a OpRef, node: &Node) -> ShapeInfer<'a> {
        let shape = |v: &ValueId| Some(self.ty(*v).shape.clone());
        ShapeInfer::new(op, node.inputs.iter().map(shape), node.outputs.iter().map(shape))
    }

    /// Floating-point operations of a call.
    pub fn flops(&self, node: &Node) -> u64 {
        match &node.work {
            Work::Op(op) => op.op.flops(&self.shapes(op, node)),
            Work::Fused(f) => (f.len() * self.ty(node.outputs[0]).shape.len()) as u64,
            Work::Copy => 0,
        }
    }

    /// Bytes that a call takes for itself while it runs.
    pub fn workspace(&self, node: &Node) -> usize {
        let size = |v: &ValueId| self.ty(*v).dtype.size();
        let Some(op) = node.work.op() else { return 0 };
        op.op.workspace(&self.shapes(op, node), node.outputs.iter().map(size).max().unwrap_or(4))
    }
}
