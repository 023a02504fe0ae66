//! Every result gets memory of its own: where it is a variable, or the same value as another result, a copy is made.

use crate::graph::ir::{Graph, Node, Phase, ValueId, Work};
use crate::graph::memory::views;

/// Makes each output and each gradient the result of a call in its own pass, and of no other result's call.
pub fn own_results(graph: &mut Graph) {
    let roots = views(graph);
    let makers = graph.makers();
    let forward = graph.num_forward();
    let mut taken = vec![false; graph.values.len()];
    for v in &graph.variables {
        taken[v.value.at()] = true;
    }
    let mut copies = Vec::new();
    for i in 0..graph.outputs.len() {
        let value = graph.outputs[i];
        if std::mem::replace(&mut taken[roots[value.at()].at()], true) {
            graph.outputs[i] = copy(graph, value, Phase::Forward, &mut copies);
        }
    }
    graph.nodes.splice(forward..forward, copies);
    let mut copies = Vec::new();
    for i in 0..graph.gradients.len() {
        let Some(value) = graph.gradients[i].value else { continue };
        let root = roots[value.at()];
        let in_forward = makers[root.at()].is_none_or(|n| (n as usize) < forward);
        if std::mem::replace(&mut taken[root.at()], true) || in_forward {
            let made = copy(graph, value, Phase::Backward(0), &mut copies);
            graph.gradients[i].value = Some(made);
            graph.gradients[i].direct = false;
        }
    }
    graph.nodes.extend(copies);
}

/// Gives outputs that only a gradient would read, and nobody does, the room that suffices then.
pub fn shrink_unread(graph: &mut Graph) {
    let uses = graph.uses();
    for node in &graph.nodes {
        let Work::Op(op) = &node.work else { continue };
        for (o, value) in node.outputs.iter().enumerate().filter(|(_, v)| uses[v.at()] == 0) {
            if let Some(shape) = op.op.unread_output(&graph.shapes(op, node), o) {
                graph.values[value.at()].shape = shape;
            }
        }
    }
}

fn copy(graph: &mut Graph, value: ValueId, phase: Phase, copies: &mut Vec<Node>) -> ValueId {
    let ty = graph.ty(value).clone();
    let made = graph.value(ty.shape, ty.dtype);
    copies.push(Node {
        work: Work::Copy,
        inputs: [value].into_iter().collect(),
        outputs: [made].into_iter().collect(),
        name: "result".into(),
        phase,
        random: None,
        mirror: false,
        again: false,
        view_of: None,
    });
    made
}
