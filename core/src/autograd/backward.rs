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
        match pending.value {
            Some(value) => walk.deliver(&pending.variable, &value)?,
            None => walk.deliver_nothing(&pending)?,
        }
    }
    Ok(())
}

/// The gradients of the heads with respect to `variables`, as [`backward`] computes them, as new arrays: zeros for one
/// that the heads depend on through calls that let no gradient through.
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
            if walk.gradients.contains_key(&Arc::as_ptr(&node)) {
                walk.watched.push((Arc::as_ptr(&node), output, i, None));
            }
        }
    }
    walk.run()?;
    let found = variables.iter().enumerate().map(|(i, array)| {
        let value = match array.entry() {
            Some(Entry::Variable(v)) => walk.variables.get(&Arc::as_ptr(&v)).map(|p| p.value.clone()),
            Some(Entry::Result(..)) => walk.watched.iter().find(|w| w.2 == i).map(|w| w.3.clone()),
            None => None,
        };
        let value = value.ok_or_else(|| {
            crate::err!(Autograd, "the heads do not depend on variable {i}, or it has no gradient attached")
                .about("variables")
        })?;
        value.map_or_else(|| NdArray::full(array.shape()?.clone(), 0.0, array.dtype(), array.device()), owned)
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
    /// Edges along which gradients flow to the variable.
    uses: usize,
    /// A call has written the gradient where it is wanted.
    written: bool,
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
        walk.find_nodes(roots.iter().map(|(entry, _)| (entry.clone(), true)).collect());
        for (entry, gradient) in roots {
            walk.add(&entry, gradient)?;
        }
        Ok(walk)
    }

    /// Queues all nodes that lead to the heads and counts the edges to each variable along which gradients flow.
    fn find_nodes(&mut self, mut work: Vec<(Entry, bool)>) {
        while let Some((entry, flows)) = work.pop() {
            match entry {
                Entry::Variable(variable) => {
                    let key = Arc::as_ptr(&variable);
                    let new = || Pending { variable, uses: 0, written: false, value: None };
                    self.variables.entry(key).or_insert_with(new).uses += usize::from(flows);
                }
                Entry::Result(node, _) => {
                    if self.gradients.contains_key(&Arc::as_ptr(&node)) {
                        continue;
                    }
                    let none = SmallVec::from_elem(None, node.outputs.len());
                    self.gradients.insert(Arc::as_ptr(&node), none);
                    let edges = node.edges.iter().enumerate();
                    work.extend(edges.filter_map(|(i, e)| Some((e.clone()?, node.flows(i)))));
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
                Rule::Graph(op, graph) => {
                    let graph = graph.clone()?;
                    if self.options.create_graph && op.op.unrolls() && !graph.reads.is_empty() {
                        let outputs = self.unroll(&node, op)?;
                        self.go_on_through(&outputs, gradients)?;
                    } else {
                        self.replay(&node, &graph, &gradients)?;
                    }
                }
                Rule::Compiled(graph) if self.options.create_graph => {
                    node.take_saved(true)?;
                    let outputs = graph.run_again(&node.edges, &self.mode);
                    self.go_on_through(&outputs.map_err(|e| e.in_operator(node.name()))?, gradients)?;
                }
                Rule::Compiled(graph) => self.call(&node, &|heads| graph.backward(heads), &gradients)?,
                Rule::Custom(_, call) => self.call(&node, call, &gradients)?,
            }
        }
        Ok(())
    }

    fn replay(&mut self, node: &Arc<Node>, graph: &crate::op::GraphFn, gradients: &Gradients) -> Result<()> {
        let saved = node.take_saved(self.options.retain_graph || self.options.create_graph)?;
        let create_graph = self.options.create_graph;
        let leaf = |src: Src| match src {
            Src::OutGrad(o) => gradient_or_zeros(node, gradients, o as usize),
            _ if create_graph => recorded(&saved, src, node),
            _ => Saved::find(&saved, src, node),
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
                if let Entry::Variable(v) = edge {
                    self.variables.get_mut(&Arc::as_ptr(v)).expect("found before").written = true;
                }
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

    /// The outputs of an operator's call, computed again by calls whose gradients can be differentiated.
    fn unroll(&self, node: &Arc<Node>, op: &OpRef) -> Result<Vec<NdArray>> {
        let saved = node.take_saved(true)?;
        let read = |src| recorded(&saved, src, node);
        let mode = self.mode;
        let mut call = |op: &OpRef, inputs: &[NdArray], call: &Call| {
            invoke(op, inputs, &[], &Mode { call: *call, ..mode })
        };
        op.op.unroll(&read, &mut call).map_err(|e| e.in_operator(node.name()))
    }

    /// Goes back through what was recorded just now in a node's place: the calls that made `outputs`, which are
    /// younger than all that is still to come and end in its inputs.
    fn go_on_through(&mut self, outputs: &[NdArray], gradients: Gradients) -> Result<()> {
        let pairs = outputs.iter().map(NdArray::entry).zip(gradients);
        let pairs: Vec<_> = pairs.filter_map(|(entry, gradient)| Some((entry?, gradient?))).collect();
        self.find_nodes(pairs.iter().map(|(entry, _)| (entry.clone(), true)).collect());
        pairs.into_iter().try_for_each(|(entry, gradient)| self.add(&entry, gradient))
    }

    /// Where a gradient may be written at once: to a variable that no other edge leads to.
    fn target_of(&self, edge: Option<&Entry>) -> Option<(NdArray, Req)> {
        let Some(Entry::Variable(variable)) = edge else { return None };
        let pending = self.variables.get(&Arc::as_ptr(variable))?;
        (self.direct && pending.uses == 1 && variable.request() != Req::Null)
            .then(|| (variable.gradient().clone(), variable.request()))
    }

    /// Lets the caller's own function or a plan compute a node's gradients.
    fn call(
        &mut self,
        node: &Arc<Node>,
        function: &dyn Fn(&[NdArray]) -> Result<Vec<NdArray>>,
        gradients: &Gradients,
    ) -> Result<()> {
        node.take_saved(self.options.retain_graph || self.options.create_graph)?;
        let gradients: Result<Vec<NdArray>> =
            (0..node.outputs.len()).map(|o| gradient_or_zeros(node, gradients, o)).collect();
        let results = function(&gradients?).map_err(|e| e.in_operator(node.name()))?;
        if results.len() != node.edges.len() {
            return Err(crate::err!(
                Autograd,
                "expected {} gradients from backward, got {}",
                node.edges.len(),
                results.len()
            )
            .in_operator(node.name()));
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

    /// Leaves zero as the gradient of a variable to which no gradient came, unless the only call that leads to it has
    /// written the gradient where it is wanted.
    fn deliver_nothing(&self, pending: &Pending) -> Result<()> {
        let gradient = pending.variable.gradient();
        if pending.written || !matches!(pending.variable.request(), Req::Write | Req::InPlace) {
            return Ok(());
        }
        let zeros = registry().zeros(gradient.shape()?, gradient.dtype());
        let out = [Some((gradient.clone(), Req::Write))];
        invoke(&zeros, &[], &out, &Mode { recording: false, ..self.mode }).map(drop)
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

/// A value that a rule reads, as the result or the variable that it was.
fn recorded(saved: &[Saved], src: Src, node: &Arc<Node>) -> Result<NdArray> {
    let value = Saved::find(saved, src, node)?.detach()?;
    value.set_entry(match src {
        Src::Input(i) => node.edges[i as usize].clone(),
        Src::Output(o) => Some(Entry::Result(node.clone(), o)),
        _ => None,
    });
    Ok(value)
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
