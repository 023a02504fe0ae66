//! The tape: how each recorded array was made.

use super::rules;
use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::builder::Src;
use crate::op::invoke::Req;
use crate::op::{GraphFn, OpRef};
use crate::shape::Shape;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    gradient: NdArray,
    request: Req,
}

impl Variable {
    pub(super) fn new(gradient: NdArray, request: Req) -> Variable {
        Variable { gradient, request }
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

pub(super) enum Rule {
    Graph(Result<Arc<GraphFn>>),
    Custom(CustomBackward),
    /// As `Custom`, but its results cannot be recorded.
    Compiled(CustomBackward),
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
    pub(super) order: u64,
    pub(super) name: Cow<'static, str>,
    pub(super) rule: Rule,
    pub(super) edges: SmallVec<[Option<Entry>; 3]>,
    pub(super) outputs: SmallVec<[(Shape, DType); 1]>,
    pub(super) device: Device,
    saved: Mutex<Option<SmallVec<[Saved; 2]>>>,
}

static ORDER: AtomicU64 = AtomicU64::new(0);

impl Node {
    /// The saved values; `keep` says whether the graph may be used again.
    pub(super) fn take_saved(&self, keep: bool) -> Result<SmallVec<[Saved; 2]>> {
        let mut saved = self.saved.lock();
        let values = if keep { saved.clone() } else { saved.take() };
        values.ok_or_else(|| {
            crate::err!(
                Autograd,
                "the graph was freed by an earlier backward; pass retain_graph=True there to use it again"
            )
            .in_operator(&self.name)
        })
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
            .in_operator(&node.name)),
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

/// What autograd knows of the inputs of a call. States and inputs of which only the shape is read have no
/// gradient.
pub(super) fn edges_of(op: &OpRef, inputs: &[NdArray]) -> SmallVec<[Option<Entry>; 3]> {
    let skip = |i: usize| op.mutates(i) || op.input(i).shape_only;
    let mut edges = SmallVec::new();
    for (i, a) in inputs.iter().enumerate() {
        edges.push(if skip(i) { None } else { a.entry() });
    }
    edges
}

fn wanted(edges: &[Option<Entry>]) -> u64 {
    edges.iter().enumerate().filter(|(_, e)| e.is_some()).fold(0, |bits, (i, _)| bits | 1 << i.min(63))
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
    let graph = rules::gradient(op, inputs.len(), wanted(&edges));
    let saved = match &graph {
        Ok(graph) => save(op, graph, inputs, outputs)?,
        Err(_) => SmallVec::new(),
    };
    attach(op.def.meta.name.into(), Rule::Graph(graph), edges, saved, outputs)
}

fn attach(
    name: Cow<'static, str>,
    rule: Rule,
    edges: SmallVec<[Option<Entry>; 3]>,
    saved: SmallVec<[Saved; 2]>,
    outputs: &[NdArray],
) -> Result<()> {
    let mut shapes = SmallVec::new();
    for a in outputs {
        shapes.push((a.shape()?.clone(), a.dtype()));
    }
    let node = Arc::new(Node {
        order: ORDER.fetch_add(1, Ordering::Relaxed),
        name,
        rule,
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
    record_call(name, edges, outputs, Rule::Custom(backward))
}

/// Remembers `outputs` as made from those of `inputs` that are `wanted` by a compiled graph, whose gradient cannot be
/// differentiated.
///
/// # Errors
/// That of the shape of an output.
pub fn record_compiled(
    name: &str,
    inputs: &[NdArray],
    wanted: &[bool],
    outputs: &[NdArray],
    backward: CustomBackward,
) -> Result<()> {
    let edges = inputs.iter().zip(wanted).map(|(a, w)| a.entry().filter(|_| *w));
    record_call(name, edges.collect(), outputs, Rule::Compiled(backward))
}

fn record_call(
    name: &str,
    edges: SmallVec<[Option<Entry>; 3]>,
    outputs: &[NdArray],
    rule: Rule,
) -> Result<()> {
    if edges.iter().all(Option::is_none) || outputs.is_empty() {
        return Ok(());
    }
    attach(name.to_owned().into(), rule, edges, SmallVec::new(), outputs)
}
