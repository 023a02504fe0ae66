//! Where values live: views share their input's memory, calls write over inputs that nobody reads any more, results
//! live in the caller's arrays, and everything else in buffers whose lifetimes are known.

use super::arena;
use super::ir::{Graph, Node, Phase, ValueId, Work};
use super::rooms::{Room, fullest, move_to_rooms};
use crate::op::invoke::Req;
use smallvec::SmallVec;

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// Nowhere: nothing reads its elements.
    Nowhere,
    /// In the array of a variable.
    Variable(u32),
    /// In the array of an output.
    Output(u32),
    /// In the array of a gradient.
    Gradient(u32),
    /// In a buffer of the arena.
    Buffer(u32),
}

/// A piece of the arena that several values use one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// Size in bytes.
    pub bytes: usize,
    /// The call that first writes it.
    pub first: u32,
    /// The last call that uses it.
    pub last: u32,
    /// Place in the arena, or in its room.
    pub offset: usize,
    /// Size of the largest elements that it holds.
    pub align: usize,
    /// The result in whose array it is, if it is not in the arena.
    pub room: Option<Home>,
}

/// Where all values of a graph live.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// For each value.
    pub homes: Vec<Home>,
    /// The pieces of the arena.
    pub buffers: Vec<Buffer>,
    /// For each call whether nothing has to run, because its output is its input.
    pub is_view: Vec<bool>,
    /// Results' arrays that are free for a while.
    pub rooms: Vec<Room>,
    /// Size of the arena.
    pub arena_bytes: usize,
}

/// What may be shared.
#[derive(Clone, Copy, Debug)]
pub struct Sharing {
    /// Outputs that are inputs in another shape are not copied.
    pub views: bool,
    /// Calls write over inputs.
    pub in_place: bool,
    /// Buffers whose lifetimes do not meet have the same place.
    pub reuse: bool,
}

/// Never: the last use of a result.
const FOREVER: u32 = u32::MAX;

/// Plans where the values of a graph live.
pub fn plan(graph: &Graph, sharing: Sharing) -> Layout {
    let mut layout = lifetimes(graph, sharing);
    if sharing.reuse {
        move_to_rooms(&mut layout.buffers, &layout.rooms, graph.nodes.len());
    }
    layout.arena_bytes = arena::place(&mut layout.buffers, sharing.reuse);
    layout
}

/// Most bytes of the arena that will be in use at a time.
pub fn peak(graph: &Graph, sharing: Sharing) -> usize {
    let mut layout = lifetimes(graph, sharing);
    move_to_rooms(&mut layout.buffers, &layout.rooms, graph.nodes.len());
    fullest(&layout.buffers, graph.nodes.len()).0
}

/// [`peak`], a bit too large and quicker, as results' arrays are not used; and the call during which it is.
pub fn live_peak(layout: &Layout, calls: usize) -> (usize, u32) {
    fullest(&layout.buffers, calls)
}

/// For each value the one whose memory it is seen in: its input's for an output that is a view, else itself.
pub fn views(graph: &Graph) -> Vec<ValueId> {
    let changed = graph.changed();
    let mut roots: Vec<ValueId> = (0..graph.values.len() as u32).map(ValueId).collect();
    for node in &graph.nodes {
        let Some(i) = node.view_of.map(|i| i as usize).filter(|i| !node.work.shape_only(*i)) else {
            continue;
        };
        let root = roots[node.inputs[i].at()];
        if !changed[root.at()] && !changed[node.outputs[0].at()] {
            roots[node.outputs[0].at()] = root;
        }
    }
    roots
}

/// Which values share memory, and from when to when each piece of it is used.
pub fn lifetimes(graph: &Graph, sharing: Sharing) -> Layout {
    let roots = views(graph);
    let mut planner = Planner {
        graph,
        last: last_uses(graph, &roots),
        homes: first_homes(graph, &roots),
        buffers: vec![],
        roots,
    };
    let mut is_view = Vec::with_capacity(graph.nodes.len());
    for (n, node) in graph.nodes.iter().enumerate() {
        is_view.push(planner.roots[node.outputs[0].at()] != node.outputs[0]);
        if !is_view[n] {
            planner.place_outputs(n as u32, node, sharing.in_place);
        }
    }
    let Planner { homes, buffers, roots, .. } = planner;
    let rooms = rooms(graph, &buffers);
    let (homes, buffers) = settle(homes, buffers, &roots);
    Layout { homes, buffers, is_view, rooms, arena_bytes: 0 }
}

/// For each value that has memory of its own the last call that reads it or a view of it.
fn last_uses(graph: &Graph, roots: &[ValueId]) -> Vec<Option<u32>> {
    let mut last = vec![None; graph.values.len()];
    for (n, node) in graph.nodes.iter().enumerate() {
        node.reads().for_each(|v| last[roots[v.at()].at()] = Some(n as u32));
    }
    graph.outputs.iter().for_each(|v| last[roots[v.at()].at()] = Some(FOREVER));
    let makers = graph.makers();
    for (g, v) in graph.gradients.iter().filter_map(|g| Some((g, g.value?))) {
        // A gradient that is added is read once more right after its call.
        let end =
            if g.request == Req::Add && !g.direct { makers[v.at()].unwrap_or(FOREVER) } else { FOREVER };
        let last = &mut last[roots[v.at()].at()];
        *last = Some(last.map_or(end, |l| l.max(end)));
    }
    last
}

/// Homes that are known from the start: those of variables, and of results or what they are views of.
fn first_homes(graph: &Graph, roots: &[ValueId]) -> Vec<Home> {
    let mut homes = vec![Home::Nowhere; graph.values.len()];
    for (i, v) in graph.variables.iter().enumerate() {
        homes[v.value.at()] = Home::Variable(i as u32);
    }
    for (i, v) in graph.outputs.iter().enumerate() {
        homes[roots[v.at()].at()] = Home::Output(i as u32);
    }
    for (i, g) in graph.gradients.iter().enumerate() {
        if let Some(v) = g.value.filter(|_| g.request != Req::Add || g.direct) {
            homes[roots[v.at()].at()] = Home::Gradient(i as u32);
        }
    }
    homes
}

/// A buffer in the making.
struct Growing {
    bytes: usize,
    first: u32,
    last: u32,
    align: usize,
    /// The result's array that it turned out to be.
    result: Option<Home>,
}

struct Planner<'a> {
    graph: &'a Graph,
    roots: Vec<ValueId>,
    last: Vec<Option<u32>>,
    homes: Vec<Home>,
    buffers: Vec<Growing>,
}

impl Planner<'_> {
    fn place_outputs(&mut self, n: u32, node: &Node, in_place: bool) {
        for (o, value) in node.outputs.iter().enumerate() {
            let result = Some(self.homes[value.at()]).filter(|h| *h != Home::Nowhere);
            let last = self.last[value.at()].unwrap_or(n).max(n);
            let accumulates = matches!(result, Some(Home::Gradient(g))
                if self.graph.gradients[g as usize].request == Req::Add);
            let over = if in_place && !accumulates { self.overwritten(n, node, o, result) } else { None };
            let buffer = over.unwrap_or_else(|| {
                let bytes = self.graph.ty(*value).bytes();
                self.buffers.push(Growing { bytes, first: n, last, align: 1, result: None });
                self.buffers.len() as u32 - 1
            });
            self.homes[value.at()] = Home::Buffer(buffer);
            let buffer = &mut self.buffers[buffer as usize];
            buffer.last = last;
            buffer.align = buffer.align.max(self.graph.ty(*value).dtype.size());
            buffer.result = result;
        }
    }

    /// The buffer of an input that output `o` may be written over.
    fn overwritten(&self, n: u32, node: &Node, o: usize, result: Option<Home>) -> Option<u32> {
        let buffer_of = |v: &ValueId| match self.homes[self.roots[v.at()].at()] {
            Home::Buffer(b) => Some(b),
            _ => None,
        };
        let taken = |b: u32| node.outputs[..o].iter().any(|v| self.homes[v.at()] == Home::Buffer(b));
        let ty = self.graph.ty(node.outputs[o]);
        (0..node.inputs.len()).filter(|i| !node.work.shape_only(*i)).find_map(|i| {
            let b = buffer_of(&node.inputs[i])?;
            let buffer = &self.buffers[b as usize];
            let fits = buffer.last == n && buffer.bytes == ty.bytes() && !taken(b);
            // A gradient's array must not be touched before the backward pass.
            let early = matches!(result, Some(Home::Gradient(_)))
                && self.graph.nodes[buffer.first as usize].phase == Phase::Forward;
            let safe = || {
                let same = |j: &usize| buffer_of(&node.inputs[*j]) == Some(b) && !node.work.shape_only(*j);
                (0..node.inputs.len()).filter(same).all(|j| self.may_overwrite(node, j, o))
            };
            (fits && !early && safe()).then_some(b)
        })
    }

    fn may_overwrite(&self, node: &Node, i: usize, o: usize) -> bool {
        let same = self.graph.ty(node.inputs[i]) == self.graph.ty(node.outputs[o]);
        match &node.work {
            Work::Op(op) if op.op.pointwise().is_some() => same,
            Work::Op(op) => {
                let alone =
                    node.inputs.iter().filter(|v| self.roots[v.at()] == self.roots[node.inputs[i].at()]);
                op.op.overwrites(i, o) && alone.count() == 1
            }
            Work::Fused(_) => same,
            Work::Copy => false,
        }
    }
}

/// The results' arrays that are free in their pass until they are written.
fn rooms(graph: &Graph, buffers: &[Growing]) -> Vec<Room> {
    let forward = graph.num_forward() as u32;
    let room = |b: &Growing| {
        let home = b.result?;
        let first = match home {
            Home::Output(_) => 0,
            Home::Gradient(g) if graph.gradients[g as usize].request == Req::Write => forward,
            _ => return None,
        };
        (first < b.first).then_some(Room { home, bytes: b.bytes, first, until: b.first, align: b.align })
    };
    buffers.iter().filter_map(room).collect()
}

/// Numbers the buffers that stay in the arena and gives every value its home.
fn settle(mut homes: Vec<Home>, buffers: Vec<Growing>, roots: &[ValueId]) -> (Vec<Home>, Vec<Buffer>) {
    let mut kept = Vec::new();
    let final_home: Vec<Home> = buffers
        .iter()
        .map(|b| {
            b.result.unwrap_or_else(|| {
                let Growing { bytes, first, last, align, .. } = *b;
                kept.push(Buffer { bytes, first, last, offset: 0, align, room: None });
                Home::Buffer(kept.len() as u32 - 1)
            })
        })
        .collect();
    for home in &mut homes {
        if let Home::Buffer(b) = home {
            *home = final_home[*b as usize];
        }
    }
    for v in 0..homes.len() {
        homes[v] = homes[roots[v].at()];
    }
    (homes, kept)
}

/// The inputs of a call that are read, as homes.
pub fn read_homes<'a>(layout: &'a Layout, node: &'a Node) -> SmallVec<[Home; 4]> {
    let home = |(i, v): (usize, &ValueId)| {
        if node.work.shape_only(i) { Home::Nowhere } else { layout.homes[v.at()] }
    };
    node.inputs.iter().enumerate().map(home).collect()
}
