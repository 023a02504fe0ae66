//! The backward pass: each call's gradient rule spliced behind the forward calls, in the order of eager backward.
//!
//! Sums are taken in the same order as the tape takes them, so that planned and eager gradients are equal to the
//! bit.

use super::build::Place;
use super::ir::{Gradient, Graph, Kind, Phase, ValueId};
use crate::error::Result;
use crate::op::builder::Src;
use crate::op::invoke::Req;
use crate::op::{GraphFn, registry};
use smallvec::SmallVec;

/// Adds to a forward graph the gradients of its outputs, weighted by head gradients, with respect to arguments.
/// `requests` has an element for each of the graph's variables; auxiliary states have no gradient.
///
/// # Errors
/// `Autograd` if an operator on the way is not differentiable.
pub fn differentiate(graph: &mut Graph, requests: &[Req]) -> Result<()> {
    let forward = graph.nodes.len();
    let wanted: Vec<usize> = (0..graph.variables.len())
        .filter(|i| matches!(graph.variables[*i].kind, Kind::Argument))
        .filter(|i| requests.get(*i).is_some_and(|r| *r != Req::Null))
        .collect();
    let mut back = Back { needed: needed(graph, &wanted), sums: vec![None; graph.values.len()] };
    let edges = edges(graph);
    for (i, output) in graph.outputs.clone().into_iter().enumerate() {
        if back.needed[output.at()] {
            let ty = graph.ty(output).clone();
            let head = graph.variable(&format!("head_grad{i}"), Kind::HeadGradient(i), ty.shape, ty.dtype);
            let place =
                Place { name: "head_grad".into(), phase: Phase::Backward(forward as u32), mirror: false };
            back.add(graph, output, head, &place)?;
        }
    }
    for n in (0..forward).rev() {
        let name = graph.nodes[n].name.clone();
        back.through(graph, n as u32).map_err(|e| e.in_node(&name))?;
    }
    let makers = graph.makers();
    for &i in &wanted {
        let value = graph.variables[i].value;
        let mut sum = back.sums.get(value.at()).copied().flatten();
        // Eager backward lets a call add to a gradient itself if it is the only one that leads to the variable.
        let adds = |s: ValueId| makers[s.at()].is_some_and(|n| accumulates(&graph.nodes[n as usize], s));
        let direct = edges[value.at()] == 1 && sum.is_some_and(adds);
        if sum.is_none() && requests[i] != Req::Add {
            let ty = graph.ty(value).clone();
            let place =
                Place { name: graph.variables[i].name.clone(), phase: Phase::Backward(0), mirror: false };
            sum = Some(graph.call(&registry().zeros(&ty.shape, ty.dtype), &[], &place)?[0]);
        }
        graph.gradients.push(Gradient { variable: i, value: sum, request: requests[i], direct });
    }
    let uses = graph.uses();
    for g in &mut graph.gradients {
        g.direct &= g.value.is_some_and(|v| uses[v.at()] == 1);
    }
    Ok(())
}

/// For each value whether a gradient is wanted that flows through it.
fn needed(graph: &Graph, wanted: &[usize]) -> Vec<bool> {
    let mut needed = vec![false; graph.values.len()];
    wanted.iter().for_each(|i| needed[graph.variables[*i].value.at()] = true);
    for node in &graph.nodes {
        if (0..node.inputs.len()).any(|i| flows(node, i) && needed[node.inputs[i].at()]) {
            node.outputs.iter().for_each(|o| needed[o.at()] = true);
        }
    }
    needed
}

/// Whether input `i` may have a gradient: states and shapes have none.
fn flows(node: &super::ir::Node, i: usize) -> bool {
    node.work.op().is_some_and(|op| !op.mutates(i)) && !node.work.shape_only(i)
}

/// For each value the number of places where a gradient for it may come from.
fn edges(graph: &Graph) -> Vec<u32> {
    let mut edges = vec![0; graph.values.len()];
    for node in &graph.nodes {
        let inputs = node.inputs.iter().enumerate().filter(|(i, _)| flows(node, *i));
        inputs.for_each(|(_, v)| edges[v.at()] += 1);
    }
    graph.outputs.iter().for_each(|v| edges[v.at()] += 1);
    edges
}

/// True if the call can add its first output, `value`, to what is there in another order of summation than a
/// separate addition.
fn accumulates(node: &super::ir::Node, value: ValueId) -> bool {
    node.outputs[0] == value && node.work.op().is_some_and(|op| op.op.accumulates())
}

struct Back {
    needed: Vec<bool>,
    /// The gradient of each value as far as it is known.
    sums: Vec<Option<ValueId>>,
}

impl Back {
    /// Adds a contribution to the gradient of a value.
    fn add(&mut self, graph: &mut Graph, value: ValueId, gradient: ValueId, place: &Place) -> Result<()> {
        let sum = match self.sums[value.at()] {
            None => gradient,
            Some(sum) => graph.call(&registry().addition(), &[sum, gradient], place)?[0],
        };
        self.sums[value.at()] = Some(sum);
        Ok(())
    }

    /// Takes the gradients of a call's outputs to its inputs.
    fn through(&mut self, graph: &mut Graph, n: u32) -> Result<()> {
        let node = graph.nodes[n as usize].clone();
        let gradients: SmallVec<[Option<ValueId>; 2]> =
            node.outputs.iter().map(|o| self.sums[o.at()]).collect();
        let wants = |i: usize| flows(&node, i) && self.needed[node.inputs[i].at()];
        let mask: Vec<bool> = (0..node.inputs.len()).map(wants).collect();
        if gradients.iter().all(Option::is_none) || !mask.contains(&true) {
            return Ok(());
        }
        let Some(op) = node.work.op() else {
            return Err(crate::Error::internal("gradients are taken before calls are fused"));
        };
        let rule = GraphFn::gradient(op, node.inputs.len(), &mask)?;
        let place = Place { name: node.name.clone(), phase: Phase::Backward(n), mirror: false };
        let leaf = |graph: &mut Graph, src: Src| match src {
            Src::Input(i) => Ok(node.inputs[i as usize]),
            Src::Output(o) => Ok(node.outputs[o as usize]),
            Src::OutGrad(o) => match gradients[o as usize] {
                Some(gradient) => Ok(gradient),
                None => {
                    let ty = graph.ty(node.outputs[o as usize]).clone();
                    Ok(graph.call(&registry().zeros(&ty.shape, ty.dtype), &[], &place)?[0])
                }
            },
            Src::Node(..) => Err(crate::Error::internal("a node is no leaf")),
        };
        let results = graph.splice(&rule, leaf, &place)?;
        for (i, result) in results.into_iter().enumerate() {
            if let (true, Some(gradient)) = (mask[i], result) {
                self.add(graph, node.inputs[i], gradient, &place)?;
            }
        }
        Ok(())
    }
}
