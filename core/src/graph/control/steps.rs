//! Running a loop step by step, forward and back.

use super::running::{Running, Scratch, clear, copy};
use super::wiring::Wiring;
use super::{Body, Trace, body, count, places};
use crate::error::{ErrorCode, Result};
use crate::graph::ir::Type;
use crate::graph::plan::Plan;
use crate::op::invoke::Req;
use crate::op::{
    Attrs, Builder, DTypeInfer, DTypes, Input, Kernel, Meta, Operator, Sample, ShapeInfer, SubgraphRef, Val,
};
use crate::shape::Shape;
use std::sync::Arc;

/// A loop in a kernel whose first inputs are the loop's.
pub(super) struct Loop<'a, 'k> {
    pub k: &'a Kernel<'k>,
    pub body: &'a Body,
    pub wiring: &'a Wiring,
    pub trace: Trace,
}

impl Loop<'_, '_> {
    /// Takes steps as long as `more` says so of their number and the states; returns how many. Rows of
    /// outputs that no step made are zero.
    ///
    /// # Errors
    /// Those of the body and of `more`.
    pub fn forward(&self, mut more: impl FnMut(usize, &[*mut u8]) -> Result<bool>) -> Result<usize> {
        let types = self.wiring.step_types(self.k);
        let mut run = Running::new(self.body.plan(&types, self.trace.training, &[])?)?;
        let state_types: Vec<&Type> = self.wiring.states.iter().map(|j| &types[*j]).collect();
        let plan = self.body.plan(&types, self.trace.training, &[])?;
        let buffers = [Scratch::of(state_types.clone(), &plan)?, Scratch::of(state_types.clone(), &plan)?];
        let mut states = self.first_states();
        let mut step = 0;
        while more(step, &states)? {
            self.place_inputs(&mut run, &types, step, &states);
            for o in 0..self.wiring.outs {
                let row = run.output_type(o).bytes();
                run.place_output(o, self.k.outputs[o].data.wrapping_add(step * row));
            }
            states.clone_from(&buffers[step % 2].places);
            self.place_states(&mut run, &states);
            run.pass(0, [self.trace.stream_of(step); 2])?;
            step += 1;
        }
        for (i, ty) in state_types.iter().enumerate() {
            copy(states[i], self.k.outputs[self.wiring.outs + i].data, ty);
        }
        for o in 0..self.wiring.outs {
            let (ty, rows) = (run.output_type(o), self.k.out_shape(o)[0] as usize);
            for row in step..rows {
                clear(self.k.outputs[o].data.wrapping_add(row * ty.bytes()), ty);
            }
        }
        Ok(step)
    }

    fn first_states(&self) -> Vec<*mut u8> {
        (0..self.wiring.states.len()).map(|i| self.k.inputs[self.wiring.state_input(i)].data).collect()
    }

    fn place_inputs(&self, run: &mut Running, types: &[Type], step: usize, states: &[*mut u8]) {
        for (j, &p) in self.wiring.inputs.iter().enumerate() {
            let row = if self.wiring.is_data[j] { step * types[j].bytes() } else { 0 };
            run.place_input(j, self.k.inputs[p].data.wrapping_add(row));
        }
        for (&j, state) in self.wiring.states.iter().zip(states) {
            run.place_input(j, *state);
        }
    }

    fn place_states(&self, run: &mut Running, states: &[*mut u8]) {
        states.iter().enumerate().for_each(|(i, s)| run.place_output(self.wiring.outs + i, *s));
    }

    /// Goes back through the steps that the trace tells. The kernel's inputs are the loop's, then the
    /// gradients of its outputs; its outputs are the gradients of the loop's inputs `wanted`.
    fn backward(&self, wanted: &[usize]) -> Result<()> {
        let types = self.wiring.step_types(self.k);
        let plan = self.body.plan(&types, self.trace.training, &requests(self.body, self.wiring, wanted))?;
        let state_types: Vec<&Type> = self.wiring.states.iter().map(|j| &types[*j]).collect();
        let mut run = Running::new(plan.clone())?;
        for (o, output) in self.k.outputs.iter().enumerate() {
            clear(output.data, &Type { shape: self.k.out_shape(o).clone(), dtype: output.dtype });
        }
        let before = self.sweep(&mut run, &types, &state_types, &plan)?;
        let buffers = [Scratch::of(state_types.clone(), &plan)?, Scratch::of(state_types.clone(), &plan)?];
        let own = Scratch::of(&plan.outputs, &plan)?;
        own.places.iter().enumerate().for_each(|(o, data)| run.place_output(o, *data));
        let heads = self.k.num_inputs() - 1 - plan.outputs.len();
        let head = |o: usize| self.k.inputs[heads + o].data;
        let mut gradients: Vec<*mut u8> =
            (0..state_types.len()).map(|i| head(self.wiring.outs + i)).collect();
        for step in (0..self.trace.steps).rev() {
            self.place_inputs(&mut run, &types, step, &before[step].places);
            for o in 0..self.wiring.outs {
                run.place_head(o, head(o).wrapping_add(step * plan.outputs[o].bytes()));
            }
            gradients.iter().enumerate().for_each(|(i, g)| run.place_head(self.wiring.outs + i, *g));
            self.place_gradients(&mut run, &types, step, wanted);
            gradients.clone_from(&buffers[step % 2].places);
            self.wiring.states.iter().zip(&gradients).for_each(|(j, g)| run.place_gradient(*j, *g));
            let forward = self.trace.stream_of(step);
            let base = self.k.random.base.wrapping_add(plan.draws[1].wrapping_mul(step as u64));
            run.pass(0, [forward; 2])?;
            run.pass(1, [forward, crate::rng::Stream { base, ..self.k.random }])?;
        }
        for (i, ty) in state_types.iter().enumerate() {
            if let Some(o) = wanted.iter().position(|p| *p == self.wiring.state_input(i)) {
                copy(gradients[i], self.k.outputs[o].data, ty);
            }
        }
        Ok(())
    }

    /// Runs the loop again and keeps the states before each step.
    fn sweep(
        &self,
        run: &mut Running,
        types: &[Type],
        state_types: &[&Type],
        plan: &Plan,
    ) -> Result<Vec<Scratch>> {
        let mut before = vec![];
        let mut states = self.first_states();
        for step in 0..self.trace.steps {
            let kept = Scratch::of(state_types.iter().copied(), plan)?;
            for ((from, to), ty) in states.iter().zip(&kept.places).zip(state_types) {
                copy(*from, *to, ty);
            }
            if step + 1 < self.trace.steps {
                self.place_inputs(run, types, step, &kept.places);
                run.pass(0, [self.trace.stream_of(step); 2])?;
                states = (0..state_types.len()).map(|i| run.output(self.wiring.outs + i)).collect();
            }
            before.push(kept);
        }
        Ok(before)
    }

    /// Where the gradients of data and of what is the same in every step go.
    fn place_gradients(&self, run: &mut Running, types: &[Type], step: usize, wanted: &[usize]) {
        for (o, p) in wanted.iter().enumerate() {
            let Some(j) = self.wiring.inputs.iter().position(|q| q == p) else { continue };
            let row = if self.wiring.is_data[j] { step * types[j].bytes() } else { 0 };
            run.place_gradient(j, self.k.outputs[o].data.wrapping_add(row));
        }
    }
}

/// What a step's backward pass makes: the gradients of the states always, those of what is the same in every
/// step added up.
fn requests(body: &Body, wiring: &Wiring, wanted: &[usize]) -> Vec<Req> {
    let request = |j: usize| match wanted.contains(&wiring.inputs[j]) {
        _ if body.is_state(j) => Req::Null,
        _ if wiring.states.contains(&j) => Req::Write,
        true if wiring.is_data[j] => Req::Write,
        true => Req::Add,
        false => Req::Null,
    };
    (0..wiring.inputs.len()).map(request).collect()
}

/// The gradient of a loop, for its rule: inputs, then outputs with the trace as the last.
pub(super) fn gradient(b: &Builder, graph: &SubgraphRef, wiring: &Wiring) {
    let wanted: Vec<usize> = (0..wiring.inputs.len())
        .filter(|j| !body(graph).is_state(*j))
        .map(|j| wiring.inputs[j])
        .filter(|p| b.wants(*p))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let outputs = b.num_outputs() - 1;
    let list = |places: &[usize]| places.iter().map(|p| *p as i64).collect::<Shape>();
    let data = (0..wiring.inputs.len()).filter(|j| wiring.is_data[*j]).collect::<Vec<_>>();
    let op = LoopBackward {
        body: graph.clone(),
        num_args: b.num_inputs() as i64,
        num_outputs: outputs as i64,
        num_out_data: wiring.outs as i64,
        input_locs: list(&wiring.inputs),
        data_locs: list(&data),
        state_locs: list(&wiring.states),
        wanted: list(&wanted),
    };
    let inputs = (0..b.num_inputs()).map(|i| b.input(i));
    let heads = (0..outputs).map(|o| b.out_grad(o));
    let values: Vec<Val> = inputs.chain(heads).chain([b.output(outputs)]).collect();
    for (p, gradient) in wanted.iter().zip(b.apply_all(op, &values)) {
        b.set_grad(*p, gradient);
    }
}

/// Gradient of `_foreach` and `_while_loop`: the inputs of the loop, the gradients of its outputs and its
/// trace give the gradients of some of the inputs.
#[derive(Attrs, Clone, Debug)]
pub struct LoopBackward {
    /// The graph of a step.
    #[attr(id = 1)]
    pub body: SubgraphRef,
    /// Number of inputs of the loop.
    #[attr(id = 2)]
    pub num_args: i64,
    /// Number of its outputs.
    #[attr(id = 3)]
    pub num_outputs: i64,
    /// Number of outputs that are rows.
    #[attr(id = 4)]
    pub num_out_data: i64,
    /// For each input of the graph the loop's.
    #[attr(id = 5)]
    pub input_locs: Shape,
    /// The inputs of the graph that are rows.
    #[attr(id = 6)]
    pub data_locs: Shape,
    /// The inputs of the graph that are states.
    #[attr(id = 7)]
    pub state_locs: Shape,
    /// The inputs of the loop whose gradients are made.
    #[attr(id = 8)]
    pub wanted: Shape,
}

impl LoopBackward {
    fn wiring(&self) -> Wiring {
        let list = |shape: &Shape| shape.iter().map(|i| *i as usize).collect::<Vec<_>>();
        let data = list(&self.data_locs);
        Wiring {
            is_data: (0..self.input_locs.ndim()).map(|j| data.contains(&j)).collect(),
            inputs: list(&self.input_locs),
            states: list(&self.state_locs),
            outs: count(self.num_out_data),
        }
    }

    fn wanted(&self) -> Vec<usize> {
        self.wanted.iter().map(|p| *p as usize).collect()
    }

    fn plan(&self, s: &ShapeInfer, training: bool) -> Option<Result<Arc<Plan>>> {
        let (wiring, body) = (self.wiring(), body(&self.body));
        let shapes = wiring.step_shapes(s)?;
        Some(body.plan_of_shapes(&shapes, training, &requests(body, &wiring, &self.wanted())))
    }

    /// Steps at most: as many as the gradients of outputs have rows, or one if none has any.
    fn steps(&self, s: &ShapeInfer) -> usize {
        let of_outputs = s.input(count(self.num_args)).filter(|_| self.num_out_data > 0);
        let rows = of_outputs.and_then(|s| usize::try_from(*s.first()?).ok());
        rows.or_else(|| self.wiring().rows(s)).unwrap_or(1)
    }
}

impl Operator for LoopBackward {
    fn meta() -> Meta {
        Meta::new("_backward_loop", [Input::new("data", "inputs, output gradients, trace").variadic()])
            .outputs(&["grad"])
            .dtypes(DTypes::of(&[]))
            .internal()
    }

    fn samples() -> Vec<Sample> {
        vec![Sample::new("a loop without a body").input(&[2]).fails(ErrorCode::InvalidValue)]
    }

    fn num_inputs(&self) -> Option<usize> {
        Some(count(self.num_args) + count(self.num_outputs) + 1)
    }

    fn num_outputs(&self) -> usize {
        self.wanted.ndim()
    }

    fn mutates(&self, i: usize) -> Option<bool> {
        let inputs = self.input_locs.iter().enumerate();
        Some(inputs.filter(|(_, p)| **p == i as i64).any(|(j, _)| body(&self.body).is_state(j)))
    }

    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        for (o, p) in self.wanted().into_iter().enumerate() {
            let Some(shape) = s.input(p).cloned() else { continue };
            s.set_output(o, shape)?;
        }
        Ok(())
    }

    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        for (o, p) in self.wanted().into_iter().enumerate() {
            t.input(p).map_or(Ok(()), |dtype| t.set_output(o, dtype))?;
        }
        Ok(())
    }

    /// Tells of an operator in the body that is not differentiable before anything runs.
    fn check(&self, s: &ShapeInfer) -> Result<()> {
        match self.plan(s, true) {
            Some(Err(e)) if e.code() == ErrorCode::Autograd => Err(e),
            _ => Ok(()),
        }
    }

    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let wanted = self.wanted();
        let trace = Trace::read(k, k.num_inputs() - 1);
        Loop { k, body: body(&self.body), wiring: &self.wiring(), trace }.backward(&wanted)
    }

    fn gradient(&self, _b: &Builder) -> Result<()> {
        Err(crate::err!(Autograd, "the loop is to be run step by step where its gradient is differentiated"))
    }

    fn draws(&self, s: &ShapeInfer, training: bool) -> u64 {
        let each = self.plan(s, training).and_then(Result::ok).map_or(0, |p| p.draws[1]);
        each.saturating_mul(self.steps(s) as u64)
    }

    fn flops(&self, s: &ShapeInfer) -> u64 {
        let each = self.plan(s, true).and_then(Result::ok).map_or(0, |p| p.report.flops);
        each.saturating_mul(self.steps(s) as u64)
    }

    fn workspace(&self, s: &ShapeInfer, _size: usize) -> usize {
        let Some(Ok(plan)) = self.plan(s, true) else { return 0 };
        let outputs =
            |range: std::ops::Range<usize>| plan.outputs[range].iter().map(Type::bytes).sum::<usize>();
        let all = plan.outputs.len();
        let states = outputs(count(self.num_out_data).min(all)..all);
        plan.report.arena_bytes
            + plan.report.workspace_bytes
            + 2 * outputs(0..all)
            + states * (self.steps(s) + 2)
    }

    fn cost(&self, s: &ShapeInfer) -> usize {
        let Some(Ok(plan)) = self.plan(s, true) else { return s.total_len() };
        (2 * plan.cost[0] + plan.cost[1]).saturating_mul(self.steps(s))
    }
}

/// What a loop's forward pass takes for each step, of its plan.
pub(super) struct Estimate(pub Option<Arc<Plan>>);

impl Estimate {
    /// That of a step with these shapes.
    pub fn of(body: &Body, wiring: &Wiring, s: &ShapeInfer, training: bool) -> Estimate {
        let shapes = wiring.step_shapes(s);
        Estimate(shapes.and_then(|shapes| body.plan_of_shapes(&shapes, training, &[]).ok()))
    }

    /// Random counters.
    pub fn draws(&self) -> u64 {
        self.0.as_ref().map_or(0, |p| p.draws[0])
    }

    /// Floating-point operations.
    pub fn flops(&self) -> u64 {
        self.0.as_ref().map_or(0, |p| p.report.flops)
    }

    /// Rough work.
    pub fn cost(&self) -> usize {
        self.0.as_ref().map_or(1, |p| p.cost[0].max(1))
    }

    /// Bytes for the calls of a step and two sets of states.
    pub fn workspace(&self) -> usize {
        let outputs = |p: &Plan| p.outputs.iter().map(Type::bytes).sum::<usize>();
        self.0.as_ref().map_or(0, |p| p.report.arena_bytes + p.report.workspace_bytes + 3 * outputs(p))
    }
}

/// Checks places that an attribute gives: each at most once.
pub(super) fn distinct(attr: &Shape, name: &str, n: usize) -> Result<Vec<usize>> {
    let list = places(attr, name, n)?;
    let mut seen = vec![false; n];
    if list.iter().any(|i| std::mem::replace(&mut seen[*i], true)) {
        return Err(crate::err!(InvalidValue, "expected each number once, got {attr}").about(name));
    }
    Ok(list)
}
