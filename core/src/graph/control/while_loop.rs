//! `_while_loop`: a body as long as a condition holds.

use super::running::{Running, holds};
use super::steps::{Estimate, Loop, distinct, gradient};
use super::unroll::Unrolled;
use super::wiring::Wiring;
use super::{Body, Trace, body, count, expect_count, inputs_among, places};
use crate::error::{ErrorCode, Result};
use crate::graph::ir::Type;
use crate::ndarray::NdArray;
use crate::op::builder::{RunAgain, Src};
use crate::op::{
    Attrs, Builder, DTypeInfer, DTypes, Input, Kernel, Meta, Operator, Sample, ShapeInfer, SubgraphRef,
};
use crate::shape::Shape;

/// Runs a graph on its own results as long as another graph of them gives a number that is not zero.
///
/// The inputs are the states and what is the same in every step. The outputs are what the graph makes in each
/// step, stacked to `max_iterations` rows of which those of steps not taken are zero, and the states after
/// the last step. Gradients run the loop again and keep the states before each step; none flows through the
/// condition.
#[derive(Attrs, Clone, Debug)]
pub struct WhileLoop {
    /// The condition, of one element.
    #[attr(id = 1)]
    pub cond: SubgraphRef,
    /// What is run in a step.
    #[attr(id = 2)]
    pub func: SubgraphRef,
    /// Number of inputs, and two for the graphs.
    #[attr(id = 3, min = 2)]
    pub num_args: i64,
    /// Number of outputs.
    #[attr(id = 4, min = 1)]
    pub num_outputs: i64,
    /// Number of outputs that are stacked; the others are states.
    #[attr(id = 5, min = 0)]
    pub num_out_data: i64,
    /// The most steps.
    #[attr(id = 6, min = 1)]
    pub max_iterations: i64,
    /// For each input of the condition the loop's.
    #[attr(id = 7)]
    pub cond_input_locs: Shape,
    /// For each input of the step the loop's.
    #[attr(id = 8)]
    pub func_input_locs: Shape,
    /// The inputs of the step that are states.
    #[attr(id = 9)]
    pub func_var_locs: Shape,
}

impl WhileLoop {
    /// Checks that the attributes fit the graphs.
    pub(super) fn check_attrs(&self) -> Result<()> {
        let (cond, func) = (body(&self.cond), body(&self.func));
        let n = inputs_among(self.num_args, 2);
        places(&self.cond_input_locs, "cond_input_locs", n)?;
        distinct(&self.func_input_locs, "func_input_locs", n)?;
        expect_count("cond_input_locs", cond.num_inputs(), self.cond_input_locs.ndim() as i64)?;
        expect_count("func_input_locs", func.num_inputs(), self.func_input_locs.ndim() as i64)?;
        distinct(&self.func_var_locs, "func_var_locs", func.num_inputs())?;
        expect_count("num_outputs", func.num_outputs(), self.num_outputs)?;
        let outs = func.num_outputs().saturating_sub(self.func_var_locs.ndim());
        expect_count("num_out_data", outs, self.num_out_data)?;
        if cond.num_outputs() != 1 {
            crate::bail!(InvalidValue, "expected a condition of one output, got {}", cond.num_outputs());
        }
        Ok(())
    }

    fn wiring(&self) -> Wiring {
        let inputs: Vec<usize> = self.func_input_locs.iter().map(|p| *p as usize).collect();
        Wiring {
            is_data: vec![false; inputs.len()],
            inputs,
            states: self.func_var_locs.iter().map(|j| *j as usize).collect(),
            outs: count(self.num_out_data),
        }
    }

    fn cond_inputs(&self) -> Vec<usize> {
        self.cond_input_locs.iter().map(|p| *p as usize).collect()
    }

    /// The condition as a loop's step in which nothing is a state.
    fn cond_wiring(&self) -> Wiring {
        let inputs = self.cond_inputs();
        Wiring { is_data: vec![false; inputs.len()], inputs, states: vec![], outs: 1 }
    }

    fn estimates(&self, s: &ShapeInfer, training: bool) -> [Estimate; 2] {
        let of = |graph, wiring: Wiring| Estimate::of(body(graph), &wiring, s, training);
        [of(&self.cond, self.cond_wiring()), of(&self.func, self.wiring())]
    }

    fn most(&self) -> usize {
        count(self.max_iterations)
    }
}

/// The condition of a running loop.
struct Condition<'a> {
    run: Running,
    /// For each of its inputs the state that it is.
    states: Vec<Option<usize>>,
    trace: Trace,
    ty: &'a Type,
}

impl Condition<'_> {
    fn holds(&mut self, step: usize, states: &[*mut u8]) -> Result<bool> {
        for (j, state) in self.states.iter().enumerate() {
            if let Some(i) = state {
                self.run.place_input(j, states[*i]);
            }
        }
        self.run.pass(0, [self.trace.stream_of(step); 2])?;
        Ok(holds(self.run.output(0), self.ty))
    }
}

impl Operator for WhileLoop {
    fn meta() -> Meta {
        let inputs = Input::new("data", "states, and what every step shares").counted("num_args", &["data"]);
        Meta::new("_while_loop", [inputs]).dtypes(DTypes::of(&[])).internal()
    }

    fn samples() -> Vec<Sample> {
        vec![Sample::new("a loop without a body").input(&[2]).fails(ErrorCode::InvalidValue)]
    }

    fn num_inputs(&self) -> Option<usize> {
        Some(inputs_among(self.num_args, 2))
    }

    traced_outputs!();

    fn mutates(&self, i: usize) -> Option<bool> {
        let wiring = self.wiring();
        Some(wiring.inputs.iter().position(|p| *p == i).is_some_and(|j| body(&self.func).is_state(j)))
    }

    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(count(self.num_outputs), Trace::shape())?;
        self.wiring().infer_shape(body(&self.func), s, Some(self.max_iterations))?;
        let inputs = self.cond_inputs();
        let known: Vec<Option<Shape>> = inputs.iter().map(|p| s.input(*p).cloned()).collect();
        let (shapes, outputs) = body(&self.cond).infer_shape(&known)?;
        for (p, shape) in inputs.into_iter().zip(shapes) {
            shape.map_or(Ok(()), |shape| s.set_input(p, shape))?;
        }
        match outputs.into_iter().next().flatten() {
            Some(shape) if shape.is_known() && shape.len() != 1 => {
                crate::bail!(Shape, "expected a condition of one element, got shape {shape}")
            }
            _ => Ok(()),
        }
    }

    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(count(self.num_outputs), Trace::DTYPE)?;
        self.wiring().infer_dtype(body(&self.func), t)?;
        let inputs = self.cond_inputs();
        let known: Vec<_> = inputs.iter().map(|p| t.input(*p)).collect();
        for (p, dtype) in inputs.into_iter().zip(body(&self.cond).infer_dtype(&known)?.0) {
            dtype.map_or(Ok(()), |dtype| t.set_input(p, dtype))?;
        }
        Ok(())
    }

    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (wiring, func): (Wiring, &Body) = (self.wiring(), body(&self.func));
        let cond_wiring = self.cond_wiring();
        let cond = body(&self.cond).plan(&cond_wiring.step_types(k), k.training, &[])?;
        let plan = func.plan(&wiring.step_types(k), k.training, &[])?;
        let stride = cond.draws[0] + plan.draws[0];
        let of_cond = Trace { stream: k.random, stride, training: k.training, ..Trace::default() };
        let mut trace = of_cond;
        trace.stream.base = trace.stream.base.wrapping_add(cond.draws[0]);
        let state = |p: &usize| (0..wiring.states.len()).find(|i| wiring.state_input(*i) == *p);
        let states = cond_wiring.inputs.iter().map(state).collect();
        let mut condition =
            Condition { run: Running::new(cond.clone())?, states, trace: of_cond, ty: &cond.outputs[0] };
        for (j, p) in cond_wiring.inputs.iter().enumerate() {
            condition.run.place_input(j, k.inputs[*p].data);
        }
        let more = |step: usize, states: &[*mut u8]| Ok(step < self.most() && condition.holds(step, states)?);
        trace.steps = Loop { k, body: func, wiring: &wiring, trace }.forward(more)?;
        trace.write(k, count(self.num_outputs));
        Ok(())
    }

    fn gradient(&self, b: &Builder) -> Result<()> {
        gradient(b, &self.func, &self.wiring());
        Ok(())
    }

    fn unroll(&self, read: &dyn Fn(Src) -> Result<NdArray>, call: &mut RunAgain) -> Result<Vec<NdArray>> {
        let trace = Trace::of(&read(Src::Output(self.num_outputs as u32))?)?;
        let wiring = self.wiring();
        Unrolled { body: body(&self.func), wiring: &wiring, trace, rows: self.most() }.run(read, call)
    }

    fn draws(&self, s: &ShapeInfer, training: bool) -> u64 {
        let [cond, func] = self.estimates(s, training);
        (cond.draws() + func.draws()).saturating_mul(self.most() as u64).saturating_add(cond.draws())
    }

    fn flops(&self, s: &ShapeInfer) -> u64 {
        let [cond, func] = self.estimates(s, false);
        (cond.flops() + func.flops()).saturating_mul(self.most() as u64)
    }

    fn workspace(&self, s: &ShapeInfer, _size: usize) -> usize {
        self.estimates(s, false).iter().map(Estimate::workspace).sum()
    }

    fn cost(&self, s: &ShapeInfer) -> usize {
        let [cond, func] = self.estimates(s, false);
        (cond.cost() + func.cost()).saturating_mul(self.most())
    }
}
