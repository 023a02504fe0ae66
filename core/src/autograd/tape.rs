//! The tape: how each recorded array was made.

use super::{Mode, rules};
use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::ndarray::{NdArray, WeakArray};
use crate::op::builder::Src;
use crate::op::invoke::{Outputs, Req};
use crate::op::{GraphFn, OpRef};
use crate::shape::Shape;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// How autograd knows an array.
#[derive(Clone)]
pub enum Entry {
    /// Its gradient is wanted.
    Variable(Arc<Variable>),
    /// It is this output of a recorded operation.
    Result(Arc<Node>, u32),
}

/// An array whose gradient is wanted.
pub struct Variable {
    /// Grows with every variable.
    pub(crate) order: u64,
    gradient: NdArray,
    request: Req,
}

impl Variable {
    pub(super) fn new(gradient: NdArray, request: Req) -> Variable {
        Variable { order: ORDER.fetch_add(1, Ordering::Relaxed), gradient, request }
    }

    /// Where the gradient goes.
    pub fn gradient(&self) -> &NdArray {
        &self.gradient
    }

    /// Whether it is written or added there.
    pub fn request(&self) -> Req {
        self.request
    }
}

/// Computes input gradients from output gradients in the caller's own code, on the thread that runs backward.
pub type CustomBackward = Box<dyn Fn(&[NdArray]) -> Result<Vec<NdArray>> + Send + Sync>;

/// A graph that ran as one operation.
pub trait Compiled: Any + Send + Sync {
    /// What the operation is called.
    fn name(&self) -> &str;

    /// The gradients of its inputs from those of its outputs.
    ///
    /// # Errors
    /// `Autograd` if a value that is needed was overwritten; `OutOfMemory`.
    fn backward(&self, output_grads: &[NdArray]) -> Result<Vec<NdArray>>;

    /// Computes the outputs once more, call by call, each recorded as `mode` says, from the same inputs and random
    /// numbers. `edges` are what autograd knew of the inputs.
    ///
    /// # Errors
    /// As [`Compiled::backward`].
    fn run_again(&self, edges: &[Option<Entry>], mode: &Mode) -> Result<Outputs>;

    /// The graph as `Any`.
    fn as_any(&self) -> &dyn Any;
}

pub(super) enum Rule {
    /// An operator, and its gradient.
    Graph(OpRef, Result<Arc<GraphFn>>),
    /// The caller's own function, by its name.
    Custom(String, CustomBackward),
    Compiled(Arc<dyn Compiled>),
}

/// What a recorded operation ran.
pub enum Recorded<'a> {
    /// An operator.
    Operator(&'a OpRef),
    /// A graph.
    Compiled(&'a dyn Compiled),
    /// The caller's own code, by its name.
    Custom(&'a str),
}

/// An input of a recorded operation to which no edge leads.
enum Still {
    Variable(Arc<Variable>),
    /// Not kept alive: a state.
    Result(Weak<Node>, u32),
    /// Autograd knew nothing about it.
    Array(WeakArray, u64),
}

/// Where an input of a recorded operation came from.
#[derive(Clone)]
pub enum Source {
    /// Autograd knows.
    Known(Entry),
    /// An array, by where it is (or was) and its version: the same for two uses that read the same elements.
    Array(usize, u64),
}

/// A value that a rule reads, as it was when the operation was recorded.
#[derive(Clone)]
pub(super) struct Saved {
    src: Src,
    value: Value,
}

#[derive(Clone)]
enum Value {
    /// The array; `None` for its version where a later change does not matter.
    Array(NdArray, Option<u64>),
    /// All that is read of it.
    Shape(Shape, DType, Device),
}

/// One recorded operation.
pub struct Node {
    /// Grows with every recorded operation: consumers come after producers.
    pub(crate) order: u64,
    pub(super) rule: Rule,
    /// What autograd knows of the inputs, but for states.
    pub(super) edges: SmallVec<[Option<Entry>; 3]>,
    /// The other inputs, in order.
    still: SmallVec<[Still; 1]>,
    pub(super) outputs: SmallVec<[(Shape, DType); 1]>,
    pub(super) device: Device,
    saved: Mutex<Option<SmallVec<[Saved; 2]>>>,
}

static ORDER: AtomicU64 = AtomicU64::new(0);

impl Node {
    /// Name of what was run.
    pub(super) fn name(&self) -> &str {
        match &self.rule {
            Rule::Graph(op, _) => op.def.meta.name,
            Rule::Custom(name, _) => name,
            Rule::Compiled(graph) => graph.name(),
        }
    }

    /// Whether a gradient may flow to an input: none does to one of which only the shape is read.
    pub(super) fn flows(&self, input: usize) -> bool {
        !matches!(&self.rule, Rule::Graph(op, _) if op.input(input).shape_only)
    }

    /// What was run.
    pub fn recorded(&self) -> Recorded<'_> {
        match &self.rule {
            Rule::Graph(op, _) => Recorded::Operator(op),
            Rule::Custom(name, _) => Recorded::Custom(name),
            Rule::Compiled(graph) => Recorded::Compiled(&**graph),
        }
    }

    /// Where its inputs came from.
    pub fn sources(&self) -> Vec<Source> {
        let mut still = self.still.iter();
        let source = |edge: &Option<Entry>| match edge {
            Some(entry) => Source::Known(entry.clone()),
            None => still.next().map_or(Source::Array(0, 0), Still::source),
        };
        self.edges.iter().map(source).collect()
    }

    /// The saved values; `keep` says whether the graph may be used again.
    pub(super) fn take_saved(&self, keep: bool) -> Result<SmallVec<[Saved; 2]>> {
        let mut saved = self.saved.lock();
        let values = if keep { saved.clone() } else { saved.take() };
        values.ok_or_else(|| {
            crate::err!(
                Autograd,
                "the graph was freed by an earlier backward; pass retain_graph=True there to use it again"
            )
            .in_operator(self.name())
        })
    }
}

impl Still {
    fn of(array: &NdArray) -> Still {
        match array.entry() {
            Some(Entry::Variable(variable)) => Still::Variable(variable),
            Some(Entry::Result(node, output)) => Still::Result(Arc::downgrade(&node), output),
            None => Still::Array(array.downgrade(), array.version()),
        }
    }

    fn source(&self) -> Source {
        match self {
            Still::Variable(variable) => Source::Known(Entry::Variable(variable.clone())),
            Still::Result(node, output) => match node.upgrade() {
                Some(node) => Source::Known(Entry::Result(node, *output)),
                None => Source::Array(node.as_ptr() as usize, u64::from(*output)),
            },
            Still::Array(array, version) => Source::Array(array.as_ptr() as usize, *version),
        }
    }
}

impl Saved {
    /// The saved value, unless it was overwritten since.
    pub(super) fn find(saved: &[Saved], src: Src, node: &Node) -> Result<NdArray> {
        let saved = saved.iter().find(|s| s.src == src);
        let saved = saved.ok_or_else(|| crate::Error::internal(format!("{src:?} was not saved")))?;
        match &saved.value {
            Value::Shape(shape, dtype, device) => Ok(NdArray::shape_only(shape.clone(), *dtype, *device)),
            Value::Array(array, Some(version)) if *version != array.version() => Err(crate::err!(
                Autograd,
                "an array that the gradient needs ({src:?}) was overwritten after it was recorded"
            )
            .in_operator(node.name())),
            Value::Array(array, _) => Ok(array.clone()),
        }
    }
}

/// A long chain is taken down step by step, not by recursion.
impl Drop for Node {
    fn drop(&mut self) {
        let mut work: Vec<Entry> = self.edges.drain(..).flatten().collect();
        while let Some(entry) = work.pop() {
            if let Entry::Result(node, _) = entry {
                if let Some(mut node) = Arc::into_inner(node) {
                    work.extend(node.edges.drain(..).flatten());
                }
            }
        }
    }
}

/// What autograd knows of the inputs of a call. States have no gradient.
pub(super) fn edges_of(op: &OpRef, inputs: &[NdArray]) -> SmallVec<[Option<Entry>; 3]> {
    let mut edges = SmallVec::new();
    for (i, a) in inputs.iter().enumerate() {
        edges.push(if op.mutates(i) { None } else { a.entry() });
    }
    edges
}

/// The inputs whose gradients a rule must give: not those of which only the shape is read.
fn wanted(op: &OpRef, edges: &[Option<Entry>]) -> u64 {
    let flows = |(i, e): &(usize, &Option<Entry>)| e.is_some() && !op.input(*i).shape_only;
    edges.iter().enumerate().filter(flows).fold(0, |bits, (i, _)| bits | 1 << i.min(63))
}

fn save(
    op: &OpRef,
    graph: &GraphFn,
    inputs: &[NdArray],
    outputs: &[NdArray],
) -> Result<SmallVec<[Saved; 2]>> {
    let mut saved = SmallVec::new();
    for (src, shape_only) in &graph.reads {
        let (array, state) = match src {
            Src::Input(i) => (&inputs[*i as usize], op.mutates(*i as usize)),
            Src::Output(o) => (&outputs[*o as usize], false),
            _ => continue,
        };
        let value = if *shape_only {
            Value::Shape(array.shape()?.clone(), array.dtype(), array.device())
        } else {
            Value::Array(array.detach()?, (!state).then(|| array.version()))
        };
        saved.push(Saved { src: *src, value });
    }
    Ok(saved)
}

/// Remembers a call on its outputs.
pub(super) fn record(
    op: &OpRef,
    inputs: &[NdArray],
    edges: SmallVec<[Option<Entry>; 3]>,
    outputs: &[NdArray],
) -> Result<()> {
    let graph = rules::gradient(op, inputs.len(), wanted(op, &edges));
    let saved = match &graph {
        Ok(graph) => save(op, graph, inputs, outputs)?,
        Err(_) => SmallVec::new(),
    };
    attach(Rule::Graph(op.clone(), graph), inputs, edges, saved, outputs)
}

fn attach(
    rule: Rule,
    inputs: &[NdArray],
    edges: SmallVec<[Option<Entry>; 3]>,
    saved: SmallVec<[Saved; 2]>,
    outputs: &[NdArray],
) -> Result<()> {
    let mut shapes = SmallVec::new();
    for a in outputs {
        shapes.push((a.shape()?.clone(), a.dtype()));
    }
    let mut still = SmallVec::new();
    for (i, edge) in edges.iter().enumerate() {
        if edge.is_none() {
            still.push(Still::of(&inputs[i]));
        }
    }
    let node = Arc::new(Node {
        order: ORDER.fetch_add(1, Ordering::Relaxed),
        rule,
        still,
        edges,
        outputs: shapes,
        device: outputs[0].device(),
        saved: Mutex::new(Some(saved)),
    });
    for (i, output) in outputs.iter().enumerate() {
        output.set_entry(Some(Entry::Result(node.clone(), i as u32)));
    }
    Ok(())
}

/// Remembers a view as the operator that would have computed it by a copy.
///
/// # Errors
/// That of the shape of `array`.
pub fn record_view(op: &OpRef, array: &NdArray, view: &NdArray) -> Result<()> {
    let edges = edges_of(op, std::slice::from_ref(array));
    if edges.iter().all(Option::is_none) {
        return Ok(());
    }
    record(op, std::slice::from_ref(array), edges, std::slice::from_ref(view))
}

/// Remembers `outputs` as made from `inputs` by the caller's own code, with its own gradient.
///
/// # Errors
/// That of the shape of an output.
pub fn record_custom(
    name: &str,
    inputs: &[NdArray],
    outputs: &[NdArray],
    backward: CustomBackward,
) -> Result<()> {
    let edges = inputs.iter().map(NdArray::entry).collect();
    record_call(Rule::Custom(name.to_owned(), backward), inputs, edges, outputs)
}

/// Remembers `outputs` as made from those of `inputs` that are `wanted` by a compiled graph.
///
/// # Errors
/// That of the shape of an output.
pub fn record_compiled(
    graph: Arc<dyn Compiled>,
    inputs: &[NdArray],
    wanted: &[bool],
    outputs: &[NdArray],
) -> Result<()> {
    let edges = inputs.iter().zip(wanted).map(|(a, w)| a.entry().filter(|_| *w));
    record_call(Rule::Compiled(graph), inputs, edges.collect(), outputs)
}

fn record_call(
    rule: Rule,
    inputs: &[NdArray],
    edges: SmallVec<[Option<Entry>; 3]>,
    outputs: &[NdArray],
) -> Result<()> {
    if edges.iter().all(Option::is_none) || outputs.is_empty() {
        return Ok(());
    }
    attach(rule, inputs, edges, SmallVec::new(), outputs)
}
