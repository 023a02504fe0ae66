//! From heads to gradients: the tape followed back.

use super::tape::{Entry, Node, Rule, Saved, Variable};
use super::{Mode, invoke};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::builder::Src;
use crate::op::invoke::{Call, Req, copy_to};
use crate::op::{OpRef, registry};
use smallvec::SmallVec;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

/// How to differentiate.
#[derive(Clone, Copy, Debug, Default)]
pub struct BackwardOptions {
    /// Keep the graph for another backward.
    pub retain_graph: bool,
    /// Record the computation of the gradients, so that they can be differentiated.
    pub create_graph: bool,
    /// The model is being trained.
    pub training: bool,
}

/// Leaves the gradients of the sum of all heads, each weighted by its head gradient (ones if absent), in the
/// gradient arrays of the variables that the heads depend on.
///
/// # Errors
/// `Autograd` if no head was recorded, a graph was freed or a needed value overwritten; `Shape` for a head
/// gradient of another shape.
pub fn backward(heads: &[NdArray], head_grads: &[Option<NdArray>], options: BackwardOptions) -> Result<()> {
    let mut walk = Walk::start(heads, head_grads, options, true)?;
    walk.run()?;
    for pending in std::mem::take(&mut walk.variables).into_values() {
        let Some(value) = pending.value else { continue };
        walk.deliver(&pending.variable, &value)?;
    }
    Ok(())
}

/// The gradients of the heads with respect to `variables`, as [`backward`] computes them, as new arrays.
///
/// # Errors
/// As [`backward`]; `Autograd` for a variable that the heads do not depend on.
pub fn grad(
    heads: &[NdArray],
    head_grads: &[Option<NdArray>],
    variables: &[NdArray],
    options: BackwardOptions,
) -> Result<Vec<NdArray>> {
    let mut walk = Walk::start(heads, head_grads, options, false)?;
    for (i, variable) in variables.iter().enumerate() {
        if let Some(Entry::Result(node, output)) = variable.entry() {
            walk.watched.push((Arc::as_ptr(&node), output, i, None));
        }
    }
    walk.run()?;
    let found = variables.iter().enumerate().map(|(i, array)| {
        let value = match array.entry() {
            Some(Entry::Variable(v)) => walk.variables.get(&Arc::as_ptr(&v)).and_then(|p| p.value.clone()),
            Some(Entry::Result(..)) => walk.watched.iter().find(|w| w.2 == i).and_then(|w| w.3.clone()),
            None => None,
        };
        let value = value.ok_or_else(|| {
            crate::err!(Autograd, "the heads do not depend on variable {i}, or it has no gradient attached")
                .about("variables")
        })?;
        owned(value)
    });
    found.collect()
}

/// A gradient that shares no memory with anything else.
fn owned(value: NdArray) -> Result<NdArray> {
    if value.entry().is_some() || Arc::strong_count(value.storage()) == 1 {
        return Ok(value);
    }
    let copy = NdArray::empty(value.shape()?.clone(), value.dtype(), value.device())?;
    copy_to(&value, &copy)?;
    Ok(copy)
}

struct Pending {
    variable: Arc<Variable>,
    /// Edges that lead to the variable.
    uses: usize,
    value: Option<NdArray>,
}

/// Nodes by age, the youngest first.
struct ByOrder(Arc<Node>);
impl PartialEq for ByOrder {
    fn eq(&self, other: &Self) -> bool {
        self.0.order == other.0.order
    }
}
impl Eq for ByOrder {}
impl PartialOrd for ByOrder {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for ByOrder {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.order.cmp(&other.0.order)
    }
}

type Gradients = SmallVec<[Option<NdArray>; 1]>;

struct Walk {
    queue: BinaryHeap<ByOrder>,
    /// Output gradients of the nodes that are still to come.
    gradients: HashMap<*const Node, Gradients>,
    variables: HashMap<*const Variable, Pending>,
    /// Results whose gradients were asked for: (node, output, position among the variables, gradient).
    watched: Vec<(*const Node, u32, usize, Option<NdArray>)>,
    /// Gradients may be written straight to where variables want them.
    direct: bool,
    options: BackwardOptions,
    mode: Mode,
}

impl Walk {
    fn start(
        heads: &[NdArray],
        head_grads: &[Option<NdArray>],
        options: BackwardOptions,
        deliver: bool,
    ) -> Result<Walk> {
        let call = Call { training: options.training, may_alias: true, ..Call::default() };
        let mut walk = Walk {
            queue: BinaryHeap::new(),
            gradients: HashMap::new(),
            variables: HashMap::new(),
            watched: Vec::new(),
            direct: deliver && !options.create_graph,
            options,
            mode: Mode { recording: options.create_graph, call },
        };
        let mut roots = Vec::new();
        for (i, head) in heads.iter().enumerate() {
            let entry = head.entry().ok_or_else(|| {
                crate::err!(
                    Autograd,
                    "head {i} is not part of a recorded graph: compute it inside autograd.record() from arrays \
                     with attach_grad()"
                )
                .about("heads")
            })?;
            roots.push((entry, head_gradient(head, head_grads.get(i).and_then(Option::as_ref))?));
        }
        walk.find_nodes(roots.iter().map(|(entry, _)| entry.clone()).collect());
        for (entry, gradient) in roots {
            walk.add(&entry, gradient)?;
        }
        Ok(walk)
    }

    /// Queues all nodes that lead to the heads and counts the edges to each variable.
    fn find_nodes(&mut self, mut work: Vec<Entry>) {
        while let Some(entry) = work.pop() {
            match entry {
                Entry::Variable(variable) => {
                    let key = Arc::as_ptr(&variable);
                    let new = || Pending { variable, uses: 0, value: None };
                    self.variables.entry(key).or_insert_with(new).uses += 1;
                }
                Entry::Result(node, _) => {
                    if self.gradients.contains_key(&Arc::as_ptr(&node)) {
                        continue;
                    }
                    let none = SmallVec::from_elem(None, node.outputs.len());
                    self.gradients.insert(Arc::as_ptr(&node), none);
                    work.extend(node.edges.iter().flatten().cloned());
                    self.queue.push(ByOrder(node));
                }
            }
        }
    }

    fn run(&mut self) -> Result<()> {
        while let Some(ByOrder(node)) = self.queue.pop() {
            let gradients = self.gradients.remove(&Arc::as_ptr(&node)).unwrap_or_default();
            for w in self.watched.iter_mut().filter(|w| w.0 == Arc::as_ptr(&node)) {
                w.3 = gradients[w.1 as usize].clone();
            }
            if gradients.iter().all(Option::is_none) {
                continue;
            }
            match &node.rule {
                Rule::Graph(graph) => {
                    let graph = graph.clone()?;
                    self.replay(&node, &graph, &gradients)?;
                }
                Rule::Compiled(_) if self.options.create_graph => {
                    return Err(crate::err!(
                        Autograd,
                        "the gradient of a compiled graph cannot be differentiated; run it without hybridize()"
                    )
                    .in_operator(&node.name));
                }
                Rule::Custom(call) | Rule::Compiled(call) => self.call_custom(&node, call, &gradients)?,
            }
        }
        Ok(())
    }

    fn replay(&mut self, node: &Arc<Node>, graph: &crate::op::GraphFn, gradients: &Gradients) -> Result<()> {
        let saved = node.take_saved(self.options.retain_graph || self.options.create_graph)?;
        let create_graph = self.options.create_graph;
        let leaf = |src: Src| -> Result<NdArray> {
            match src {
                Src::OutGrad(o) => gradient_or_zeros(node, gradients, o as usize),
                _ if !create_graph => Saved::find(&saved, src, node),
                _ => {
                    let value = Saved::find(&saved, src, node)?.detach()?;
                    value.set_entry(match src {
                        Src::Input(i) => node.edges[i as usize].clone(),
                        Src::Output(o) => Some(Entry::Result(node.clone(), o)),
                        _ => None,
                    });
                    Ok(value)
                }
            }
        };
        let targets: SmallVec<[Option<(NdArray, Req)>; 4]> =
            node.edges.iter().map(|edge| self.target_of(edge.as_ref())).collect();
        let mode = self.mode;
        let mut call =
            |op: &OpRef, inputs: &[NdArray], out: &[Option<(NdArray, Req)>]| invoke(op, inputs, out, &mode);
        let results = graph.run(&leaf, &mut call, &targets)?;
        for (i, result) in results.into_iter().enumerate() {
            let Some(edge) = &node.edges[i] else { continue };
            if targets[i].is_some() && graph.writes_target(i) {
                continue;
            }
            let result = match result {
                Some(result) => result,
                None => continue,
            };
            self.add(edge, result)?;
        }
        Ok(())
    }

    /// Where a gradient may be written at once: to a variable that no other edge leads to.
    fn target_of(&self, edge: Option<&Entry>) -> Option<(NdArray, Req)> {
        let Some(Entry::Variable(variable)) = edge else { return None };
        let pending = self.variables.get(&Arc::as_ptr(variable))?;
        (self.direct && pending.uses == 1 && variable.request() != Req::Null)
            .then(|| (variable.gradient().clone(), variable.request()))
    }

    fn call_custom(
        &mut self,
        node: &Arc<Node>,
        custom: &super::CustomBackward,
        gradients: &Gradients,
    ) -> Result<()> {
        node.take_saved(self.options.retain_graph || self.options.create_graph)?;
        let gradients: Result<Vec<NdArray>> =
            (0..node.outputs.len()).map(|o| gradient_or_zeros(node, gradients, o)).collect();
        let results = custom(&gradients?).map_err(|e| e.in_operator(&node.name))?;
        if results.len() != node.edges.len() {
            return Err(crate::err!(
                Autograd,
                "expected {} gradients from backward, got {}",
                node.edges.len(),
                results.len()
            )
            .in_operator(&node.name));
        }
        for (edge, result) in node.edges.iter().zip(results) {
            if let Some(edge) = edge {
                self.add(edge, result)?;
            }
        }
        Ok(())
    }

    /// Adds a gradient to what an array has already.
    fn add(&mut self, entry: &Entry, gradient: NdArray) -> Result<()> {
        let mode = self.mode;
        let slot = match entry {
            Entry::Variable(variable) => {
                &mut self.variables.get_mut(&Arc::as_ptr(variable)).expect("found before").value
            }
            Entry::Result(node, output) => {
                &mut self.gradients.get_mut(&Arc::as_ptr(node)).expect("comes later")[*output as usize]
            }
        };
        *slot = Some(match slot.take() {
            None => gradient,
            Some(sum) => {
                let alone = !mode.recording && Arc::strong_count(sum.storage()) == 1;
                let out = if alone { Some((sum.clone(), Req::InPlace)) } else { None };
                invoke(&registry().addition(), &[sum, gradient], &[out], &mode)?.swap_remove(0)
            }
        });
        Ok(())
    }

    /// Brings a variable's gradient to where it is wanted.
    fn deliver(&self, variable: &Variable, value: &NdArray) -> Result<()> {
        let target = variable.gradient();
        match variable.request() {
            Req::Null => {}
            Req::Add => {
                let out = Some((target.clone(), Req::InPlace));
                let mode = Mode { recording: false, ..self.mode };
                invoke(&registry().addition(), &[target.clone(), value.clone()], &[out], &mode)?;
            }
            Req::Write | Req::InPlace => {
                copy_to(value, target)?;
                if self.options.create_graph {
                    target.set_entry(value.entry());
                }
            }
        }
        Ok(())
    }
}

fn head_gradient(head: &NdArray, given: Option<&NdArray>) -> Result<NdArray> {
    let Some(given) = given else {
        return NdArray::full(head.shape()?.clone(), 1.0, head.dtype(), head.device());
    };
    if given.shape()? != head.shape()? {
        return Err(crate::err!(Shape, "expected shape {}, got {}", head.shape()?, given.shape()?)
            .about("head_grads"));
    }
    if given.dtype() != head.dtype() {
        return Err(
            crate::err!(DType, "expected dtype {}, got {}", head.dtype(), given.dtype()).about("head_grads")
        );
    }
    Ok(given.clone())
}

fn gradient_or_zeros(node: &Node, gradients: &Gradients, output: usize) -> Result<NdArray> {
    match &gradients[output] {
        Some(gradient) => Ok(gradient.clone()),
        None => {
            let (shape, dtype) = &node.outputs[output];
            NdArray::full(shape.clone(), 0.0, *dtype, node.device)
        }
    }
}
