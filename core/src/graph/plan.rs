//! The plan: a flat list of kernel calls over one arena, and what it takes, known before anything runs.

use super::arena;
use super::ir::{Graph, Kind, Node, Type, ValueId, Variable, Work};
use super::memory::{Home, Layout, read_homes};
use crate::device::Device;
use crate::op::OpRef;
use crate::op::invoke::Req;
use crate::op::registry;
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Where an operand is while a plan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: only its shape is read.
    Nowhere,
    /// So many bytes from the start of the arena.
    Arena(usize),
    /// In one of the arrays that the caller gives: variables, then outputs, then gradients.
    Slot(u32),
    /// So many bytes from the start of such an array, which gets its own value later.
    Room(u32, usize),
}

/// An operand of a call.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// Where it is.
    pub place: Place,
    /// Its shape and dtype, by place in [`Plan::types`].
    pub ty: u32,
}

/// One kernel call.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is called.
    pub work: Work,
    /// What it reads.
    pub inputs: SmallVec<[Operand; 4]>,
    /// What it writes.
    pub outputs: SmallVec<[Operand; 2]>,
    /// The first output is added to.
    pub accumulate: bool,
    /// First of its random counters and the pass, forward 0 or backward 1, whose counters they are.
    pub random: Option<(u64, usize)>,
    /// The symbol's node.
    pub name: Arc<str>,
    /// It repeats a forward call.
    pub again: bool,
}

/// What a plan takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Activations, their gradients and workspaces at their peak, outputs included.
    pub peak_bytes: usize,
    /// Parameters and other variables, and the gradients that are asked for.
    pub parameter_bytes: usize,
    /// The same as `peak_bytes` if every value had memory of its own.
    pub unplanned_bytes: usize,
    /// Size of the arena.
    pub arena_bytes: usize,
    /// The largest workspace of a call.
    pub workspace_bytes: usize,
    /// Floating-point operations, repeated ones included.
    pub flops: u64,
    /// Those of repeated calls.
    pub again_flops: u64,
    /// Kernel calls.
    pub steps: usize,
    /// What was chosen that changes rounding, or that repeats calls.
    pub choices: Vec<String>,
}

/// A compiled graph.
#[derive(Debug)]
pub struct Plan {
    /// The calls: forward, then backward.
    pub steps: Vec<Step>,
    /// Number of forward calls.
    pub forward: usize,
    /// Shapes and dtypes of operands.
    pub types: Vec<Type>,
    /// The variables.
    pub variables: Vec<Variable>,
    /// The types of the outputs.
    pub outputs: Vec<Type>,
    /// The arguments, by place among the variables, whose gradients are made, and how.
    pub gradients: Vec<(u32, Req)>,
    /// The arrays that each pass touches, by slot, and whether it writes them.
    pub touched: [Vec<(u32, bool)>; 2],
    /// Random counters of the forward and the backward pass.
    pub draws: [u64; 2],
    /// Rough work of the forward and the backward pass, in elements.
    pub cost: [usize; 2],
    /// For each variable whether a call changes it.
    pub changed: Vec<bool>,
    /// A model is being trained.
    pub training: bool,
    /// The device.
    pub device: Device,
    /// What it takes.
    pub report: Report,
}

impl Plan {
    /// The plan of a graph whose values live where `layout` says.
    pub fn new(graph: &Graph, layout: &Layout, device: Device, choices: Vec<String>) -> Plan {
        let added = graph.gradients.iter().enumerate().filter(|(_, g)| g.request == Req::Add);
        let added = added.filter_map(|(i, g)| Some((g.value?, i))).collect();
        let mut emit = Emit { graph, layout, added, steps: Vec::with_capacity(graph.nodes.len()) };
        let mut forward = 0;
        let mut cost = [0; 2];
        for (n, node) in graph.nodes.iter().enumerate() {
            if !layout.is_view[n] {
                emit.call(node);
                cost[usize::from(!node.is_forward())] += work(graph, node);
            }
            emit.add_gradients(node);
            if node.is_forward() {
                forward = emit.steps.len();
            }
        }
        let steps = emit.steps;
        let changed = graph.changed();
        let changed: Vec<bool> = graph.variables.iter().map(|v| changed[v.value.at()]).collect();
        let gradients = graph.gradients.iter().map(|g| (g.variable as u32, g.request)).collect();
        Plan {
            report: report(graph, layout, steps.len(), choices),
            forward,
            types: graph.values.clone(),
            variables: graph.variables.clone(),
            outputs: graph.outputs.iter().map(|v| graph.ty(*v).clone()).collect(),
            gradients,
            touched: [touched(&steps[..forward], &changed), touched(&steps[forward..], &changed)],
            draws: graph.draws,
            cost,
            changed,
            training: graph.training,
            device,
            steps,
        }
    }

    /// The calls of a pass: forward 0, backward 1.
    pub fn pass(&self, pass: usize) -> Range<usize> {
        if pass == 0 { 0..self.forward } else { self.forward..self.steps.len() }
    }

    /// The slot of output `i`.
    pub fn output_slot(&self, i: usize) -> usize {
        self.variables.len() + i
    }

    /// The slot of gradient `i`.
    pub fn gradient_slot(&self, i: usize) -> usize {
        self.variables.len() + self.outputs.len() + i
    }
}

fn slot(graph: &Graph, home: Home, layout: &Layout) -> Place {
    let (v, o) = (graph.variables.len() as u32, graph.outputs.len() as u32);
    match home {
        Home::Nowhere => Place::Nowhere,
        Home::Variable(i) => Place::Slot(i),
        Home::Output(i) => Place::Slot(v + i),
        Home::Gradient(i) => Place::Slot(v + o + i),
        Home::Buffer(b) => {
            let buffer = &layout.buffers[b as usize];
            match buffer.room.map(|room| slot(graph, room, layout)) {
                Some(Place::Slot(s)) => Place::Room(s, buffer.offset),
                _ => Place::Arena(buffer.offset),
            }
        }
    }
}

/// Writes the calls.
struct Emit<'a> {
    graph: &'a Graph,
    layout: &'a Layout,
    /// Gradients that are to be added, by value.
    added: HashMap<ValueId, usize>,
    steps: Vec<Step>,
}

impl Emit<'_> {
    fn call(&mut self, node: &Node) {
        let place = |home| slot(self.graph, home, self.layout);
        let inputs = read_homes(self.layout, node).into_iter().zip(&node.inputs);
        let outputs =
            node.outputs.iter().map(|v| Operand { place: place(self.layout.homes[v.at()]), ty: v.0 });
        let direct = |i: &usize| self.graph.gradients[*i].direct;
        let accumulate = node.outputs.first().and_then(|v| self.added.get(v)).is_some_and(direct);
        self.steps.push(Step {
            work: node.work.clone(),
            inputs: inputs.map(|(h, v)| Operand { place: place(h), ty: v.0 }).collect(),
            outputs: outputs.collect(),
            accumulate,
            random: node.random.map(|r| (r, usize::from(!node.is_forward() && !node.again))),
            name: node.name.clone(),
            again: node.again,
        });
    }

    /// Adds those of a call's outputs to gradients that are to be added and that the call did not add itself.
    fn add_gradients(&mut self, node: &Node) {
        for value in &node.outputs {
            match self.added.get(value) {
                Some(i) if !self.graph.gradients[*i].direct => self.add_to(*i, *value, &node.name),
                _ => {}
            }
        }
    }

    /// Adds a value to what is in the array of gradient `i`.
    fn add_to(&mut self, i: usize, value: ValueId, name: &Arc<str>) {
        let at = |home| Operand { place: slot(self.graph, home, self.layout), ty: value.0 };
        let (target, value) = (at(Home::Gradient(i as u32)), at(self.layout.homes[value.at()]));
        self.steps.push(Step {
            work: Work::Op(registry().addition()),
            inputs: [target, value].into_iter().collect(),
            outputs: [target].into_iter().collect(),
            accumulate: false,
            random: None,
            name: name.clone(),
            again: false,
        });
    }
}

/// The slots of some calls, and whether they write them; `changed` says which variables they change.
fn touched(steps: &[Step], changed: &[bool]) -> Vec<(u32, bool)> {
    let mut slots: BTreeMap<u32, bool> = BTreeMap::new();
    for step in steps {
        let inputs = step.inputs.iter().enumerate().map(|(i, o)| (o.place, step.work.changes(i)));
        for (place, write) in inputs.chain(step.outputs.iter().map(|o| (o.place, true))) {
            if let Place::Slot(s) | Place::Room(s, _) = place {
                debug_assert!(!write || changed.get(s as usize).is_none_or(|c| *c));
                *slots.entry(s).or_default() |= write;
            }
        }
    }
    slots.into_iter().collect()
}

fn work(graph: &Graph, node: &Node) -> usize {
    let cost = |op: &OpRef| op.op.cost(&graph.shapes(op, node));
    let len = || graph.ty(node.outputs[0]).shape.len();
    node.work.op().map_or_else(len, cost)
}

/// The largest workspace of a call.
fn workspace(graph: &Graph) -> usize {
    graph.nodes.iter().map(|n| graph.workspace(n)).max().unwrap_or(0)
}

/// What a plan takes besides its arena: outputs, their gradients, the largest workspace.
pub fn fixed_bytes(graph: &Graph) -> usize {
    let outputs: usize = graph.outputs.iter().map(|v| graph.ty(*v).bytes()).sum();
    let heads = graph.variables.iter().filter(|v| matches!(v.kind, Kind::HeadGradient(_)));
    outputs + heads.map(|v| graph.ty(v.value).bytes()).sum::<usize>() + workspace(graph)
}

fn report(graph: &Graph, layout: &Layout, steps: usize, choices: Vec<String>) -> Report {
    let outputs: usize = graph.outputs.iter().map(|v| graph.ty(*v).bytes()).sum();
    let bytes = |v: &Variable| graph.ty(v.value).bytes();
    let given = |v: &&Variable| !matches!(v.kind, Kind::HeadGradient(_));
    let variables: usize = graph.variables.iter().filter(given).map(bytes).sum();
    let heads: usize = graph.variables.iter().filter(|v| !given(v)).map(bytes).sum();
    let gradients: usize = graph.gradients.iter().map(|g| bytes(&graph.variables[g.variable])).sum();
    let workspace_bytes = workspace(graph);
    let made = graph.nodes.iter().flat_map(|n| &n.outputs).map(|v| arena::rounded(graph.ty(*v).bytes()));
    let flops = |again: bool| {
        let nodes = graph.nodes.iter().filter(|n| n.again || !again);
        nodes.map(|n| graph.flops(n)).sum()
    };
    Report {
        peak_bytes: layout.arena_bytes + outputs + heads + workspace_bytes,
        parameter_bytes: variables + gradients,
        unplanned_bytes: made.sum::<usize>() + heads + workspace_bytes,
        arena_bytes: layout.arena_bytes,
        workspace_bytes,
        flops: flops(false),
        again_flops: flops(true),
        steps,
        choices,
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let r = &self.report;
        writeln!(
            f,
            "peak {}: arena {}, workspace {}",
            size(r.peak_bytes),
            size(r.arena_bytes),
            size(r.workspace_bytes)
        )?;
        writeln!(f, "without planning {}", size(r.unplanned_bytes))?;
        writeln!(f, "parameters and their gradients {}", size(r.parameter_bytes))?;
        let again = 100.0 * r.again_flops as f64 / ((r.flops - r.again_flops).max(1)) as f64;
        writeln!(f, "{:.4e} operations, of which repeated ones are {again:.1} % more", r.flops as f64)?;
        let choices = if r.choices.is_empty() { "none".to_owned() } else { r.choices.join(", ") };
        writeln!(f, "choices: {choices}")?;
        for (n, step) in self.steps.iter().enumerate() {
            let pass = if n < self.forward { "forward " } else { "backward" };
            let place = |o: &Operand| match o.place {
                Place::Nowhere => "shape".to_owned(),
                Place::Arena(offset) => format!("@{offset}"),
                Place::Slot(s) => format!("${s}"),
                Place::Room(s, offset) => format!("${s}@{offset}"),
            };
            let list = |ops: &[Operand]| ops.iter().map(place).collect::<Vec<_>>().join(", ");
            let again = if step.again { " (again)" } else { "" };
            let add = if step.accumulate { " +=" } else { " =" };
            let shape = step
                .outputs
                .first()
                .map_or_else(String::new, |o| self.types[o.ty as usize].shape.to_string());
            writeln!(
                f,
                "{n:5} {pass} {}{add} {}({})  # {} {shape}{again}",
                list(&step.outputs),
                step.work.name(),
                list(&step.inputs),
                step.name
            )?;
        }
        Ok(())
    }
}

/// A number of bytes for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
