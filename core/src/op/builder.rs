//! Small graphs of operators: gradients and the bodies of composite operators.
//!
//! A rule is written once against a [`Builder`] and traced to a [`GraphFn`], which the tape replays on arrays
//! and the symbolic backward splices into its graph.

use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::attrs::Attrs;
use crate::op::invoke::{Call, Outputs, Req};
use crate::op::operator::{OpRef, Operator};
use crate::registry::registry;
use smallvec::SmallVec;
use std::cell::RefCell;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Src {
    /// Input of the operator that the rule belongs to.
    Input(u32),
    /// Its output.
    Output(u32),
    /// The gradient of its output.
    OutGrad(u32),
    /// Output of a node of this graph: (node, output).
    Node(u32, u32),
}

/// One call in a graph.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is called.
    pub op: OpRef,
    /// Its inputs.
    pub inputs: SmallVec<[Src; 3]>,
}

/// Collects the calls of a rule.
pub struct Builder {
    num_inputs: usize,
    num_outputs: usize,
    /// Which input gradients are wanted; empty in the body of a composite.
    wanted: Vec<bool>,
    nodes: RefCell<Vec<Node>>,
    grads: RefCell<Vec<Option<Src>>>,
}

/// A value inside a rule. Arithmetic on values adds calls of the elementwise operators.
#[derive(Clone, Copy)]
pub struct Val<'b> {
    builder: &'b Builder,
    src: Src,
}

impl Builder {
    fn new(num_inputs: usize, num_outputs: usize, wanted: Vec<bool>) -> Builder {
        let grads = RefCell::new(vec![None; wanted.len()]);
        Builder { num_inputs, num_outputs, wanted, nodes: RefCell::default(), grads }
    }

    /// Number of inputs of the operator that the rule belongs to.
    pub fn num_inputs(&self) -> usize {
        self.num_inputs
    }

    /// Number of its outputs.
    pub fn num_outputs(&self) -> usize {
        self.num_outputs
    }

    /// Its input.
    pub fn input(&self, i: usize) -> Val<'_> {
        debug_assert!(i < self.num_inputs);
        Val { builder: self, src: Src::Input(i as u32) }
    }

    /// Its output.
    pub fn output(&self, i: usize) -> Val<'_> {
        debug_assert!(i < self.num_outputs);
        Val { builder: self, src: Src::Output(i as u32) }
    }

    /// The gradient of its output.
    pub fn out_grad(&self, i: usize) -> Val<'_> {
        debug_assert!(i < self.num_outputs);
        Val { builder: self, src: Src::OutGrad(i as u32) }
    }

    /// True if the gradient of input `i` is asked for; a rule need not compute others.
    pub fn wants(&self, i: usize) -> bool {
        self.wanted.get(i).copied().unwrap_or(false)
    }

    /// Says what the gradient of input `i` is. An input of which nothing is said has gradient zero.
    pub fn set_grad(&self, i: usize, grad: Val<'_>) {
        if self.wants(i) {
            self.grads.borrow_mut()[i] = Some(grad.src);
        }
    }

    /// Calls an operator with one output, or takes its first.
    pub fn apply<T: Operator + Attrs>(&self, op: T, inputs: &[Val<'_>]) -> Val<'_> {
        let node = self.add(registry().op(op), inputs);
        Val { builder: self, src: Src::Node(node, 0) }
    }

    /// Calls an operator and gives all its outputs.
    pub fn apply_all<T: Operator + Attrs>(&self, op: T, inputs: &[Val<'_>]) -> SmallVec<[Val<'_>; 4]> {
        let op = registry().op(op);
        let outputs = op.op.num_outputs() as u32;
        let node = self.add(op, inputs);
        (0..outputs).map(|o| Val { builder: self, src: Src::Node(node, o) }).collect()
    }

    fn add(&self, op: OpRef, inputs: &[Val<'_>]) -> u32 {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { op, inputs: inputs.iter().map(|v| v.src).collect() });
        nodes.len() as u32 - 1
    }
}

impl<'b> Val<'b> {
    /// Calls an operator with one output on this value and others.
    pub fn apply<T: Operator + Attrs>(self, op: T, others: &[Val<'b>]) -> Val<'b> {
        let mut inputs: SmallVec<[Val; 4]> = SmallVec::from_slice(&[self]);
        inputs.extend_from_slice(others);
        self.builder.apply(op, &inputs)
    }
}

/// A traced rule: calls in an order in which they can run.
#[derive(Debug)]
pub struct GraphFn {
    /// The calls.
    pub nodes: Vec<Node>,
    /// The results: gradients of the inputs, `None` for zero; or the outputs of a body.
    pub results: Vec<Option<Src>>,
    /// What the rule reads besides its own nodes, and whether only as a shape.
    pub reads: Vec<(Src, bool)>,
    /// For each node's outputs, the last node that reads one of them, or the node itself.
    last_use: Vec<u32>,
}

/// Runs one operator on inputs, into given outputs or new ones.
pub type RunOp<'a> = dyn FnMut(&OpRef, &[NdArray], &[Option<(NdArray, Req)>]) -> Result<Outputs> + 'a;

/// Runs one operator on inputs, under given circumstances, so that its gradient can be differentiated.
pub type RunAgain<'a> = dyn FnMut(&OpRef, &[NdArray], &Call) -> Result<Outputs> + 'a;

impl GraphFn {
    /// Traces the gradient of an operator with respect to the wanted inputs.
    ///
    /// # Errors
    /// `Autograd` if the operator is not differentiable.
    pub fn gradient(op: &OpRef, num_inputs: usize, wanted: &[bool]) -> Result<GraphFn> {
        let builder = Builder::new(num_inputs, op.op.num_outputs(), wanted.to_vec());
        op.op.gradient(&builder).map_err(|e| e.in_operator(op.def.meta.name))?;
        let results = builder.grads.take();
        Ok(GraphFn::finish(builder.nodes.take(), results))
    }

    /// Traces the body of a composite operator.
    ///
    /// # Errors
    /// What the body itself reports.
    pub fn body(op: &OpRef, num_inputs: usize) -> Result<GraphFn> {
        let builder = Builder::new(num_inputs, 0, vec![]);
        let outputs = op.op.compose(&builder).ok_or_else(|| crate::Error::internal("not a composite"))?;
        let results =
            outputs.map_err(|e| e.in_operator(op.def.meta.name))?.iter().map(|v| Some(v.src)).collect();
        Ok(GraphFn::finish(builder.nodes.take(), results))
    }

    /// Traces what stands for a call of `op` whose first input is made by a call of `before` with `count` inputs:
    /// see [`Operator::absorb`]. `num_inputs` is the number of inputs of both together.
    pub fn absorbed(op: &OpRef, before: &OpRef, count: usize, num_inputs: usize) -> Option<GraphFn> {
        let builder = Builder::new(num_inputs, 0, vec![]);
        let result = op.op.absorb(before, count, &builder)?.src;
        Some(GraphFn::finish(builder.nodes.take(), vec![Some(result)]))
    }

    /// A rule that gives nothing.
    pub fn nothing(num_results: usize) -> GraphFn {
        GraphFn::finish(vec![], vec![None; num_results])
    }

    fn finish(nodes: Vec<Node>, results: Vec<Option<Src>>) -> GraphFn {
        let (nodes, results) = without_dead(nodes, results);
        let mut reads: Vec<(Src, bool)> = Vec::new();
        let mut read = |src: Src, shape_only: bool| match reads.iter_mut().find(|(s, _)| *s == src) {
            Some((_, only)) => *only &= shape_only,
            None => reads.push((src, shape_only)),
        };
        let mut last_use: Vec<u32> = (0..nodes.len() as u32).collect();
        for (n, node) in nodes.iter().enumerate() {
            for (i, src) in node.inputs.iter().enumerate() {
                match src {
                    Src::Node(from, _) => last_use[*from as usize] = n as u32,
                    leaf => read(*leaf, node.op.input(i).shape_only),
                }
            }
        }
        for src in results.iter().flatten() {
            match src {
                Src::Node(from, _) => last_use[*from as usize] = u32::MAX,
                leaf => read(*leaf, false),
            }
        }
        GraphFn { nodes, results, reads, last_use }
    }

    /// Runs the calls. `leaf` gives what the rule reads, `call` runs one operator; result `i` is written to
    /// `targets[i]`, where there is one, without a temporary if a call makes it alone.
    ///
    /// # Errors
    /// Those of `leaf` and `call`.
    pub fn run(
        &self,
        leaf: &dyn Fn(Src) -> Result<NdArray>,
        call: &mut RunOp,
        targets: &[Option<(NdArray, Req)>],
    ) -> Result<Vec<Option<NdArray>>> {
        let mut values: Vec<Outputs> = Vec::with_capacity(self.nodes.len());
        for (n, node) in self.nodes.iter().enumerate() {
            let inputs: SmallVec<[NdArray; 4]> = node
                .inputs
                .iter()
                .map(|src| match src {
                    Src::Node(m, o) => Ok(values[*m as usize][*o as usize].clone()),
                    other => leaf(*other),
                })
                .collect::<Result<_>>()?;
            let out = self.targets_of(n as u32, node.op.op.num_outputs(), targets);
            values.push(call(&node.op, &inputs, &out)?);
            drop(inputs);
            for src in &node.inputs {
                if let Src::Node(m, _) = src {
                    if self.last_use[*m as usize] == n as u32 {
                        values[*m as usize].clear();
                    }
                }
            }
        }
        let result = |src: &Option<Src>| match src {
            Some(Src::Node(n, o)) => Ok(Some(values[*n as usize][*o as usize].clone())),
            Some(other) => leaf(*other).map(Some),
            None => Ok(None),
        };
        self.results.iter().map(result).collect()
    }

    /// The targets that node `n` can write itself: those whose value nothing else reads.
    fn targets_of(
        &self,
        n: u32,
        outputs: usize,
        targets: &[Option<(NdArray, Req)>],
    ) -> SmallVec<[Option<(NdArray, Req)>; 2]> {
        let mut out = SmallVec::new();
        if targets.is_empty() {
            return out;
        }
        for o in 0..outputs as u32 {
            let src = Src::Node(n, o);
            let read = self.nodes.iter().any(|node| node.inputs.contains(&src));
            let mut makes = self.results.iter().zip(targets).filter(|(r, _)| **r == Some(src));
            let target = match (makes.next(), makes.next(), read) {
                (Some((_, target)), None, false) => target.clone(),
                _ => None,
            };
            out.push(target);
        }
        out
    }

    /// True if [`GraphFn::run`] wrote result `i` to its target itself.
    pub fn writes_target(&self, i: usize) -> bool {
        let Some(Some(src @ Src::Node(..))) = self.results.get(i) else { return false };
        !self.nodes.iter().any(|node| node.inputs.contains(src))
            && self.results.iter().filter(|r| **r == Some(*src)).count() == 1
    }
}

/// The graph without the calls that no result needs.
fn without_dead(nodes: Vec<Node>, results: Vec<Option<Src>>) -> (Vec<Node>, Vec<Option<Src>>) {
    let mut needed = vec![false; nodes.len()];
    let need = |needed: &mut Vec<bool>, src: &Src| {
        if let Src::Node(n, _) = src {
            needed[*n as usize] = true;
        }
    };
    results.iter().flatten().for_each(|s| need(&mut needed, s));
    for n in (0..nodes.len()).rev() {
        if needed[n] {
            nodes[n].inputs.iter().for_each(|s| need(&mut needed, s));
        }
    }
    let mut renamed = vec![0u32; nodes.len()];
    let mut kept = Vec::new();
    let rename = |renamed: &[u32], src: Src| match src {
        Src::Node(n, o) => Src::Node(renamed[n as usize], o),
        other => other,
    };
    for (n, mut node) in nodes.into_iter().enumerate().filter(|(n, _)| needed[*n]) {
        node.inputs.iter_mut().for_each(|s| *s = rename(&renamed, *s));
        renamed[n] = kept.len() as u32;
        kept.push(node);
    }
    let results = results.into_iter().map(|r| r.map(|s| rename(&renamed, s))).collect();
    (kept, results)
}
