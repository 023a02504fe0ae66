//! `_cond`: one of two bodies.

use super::running::{Running, clear, holds};
use super::steps::distinct;
use super::unroll;
use super::{Body, Trace, body, count, expect_count, inputs_among};
use crate::dtype::DType;
use crate::error::{ErrorCode, Result};
use crate::graph::ir::Type;
use crate::graph::plan::Plan;
use crate::ndarray::NdArray;
use crate::op::builder::{RunAgain, Src};
use crate::op::invoke::Req;
use crate::op::{
    Attrs, Builder, DTypeInfer, DTypes, Input, Kernel, Meta, Operator, Sample, ShapeInfer, SubgraphRef, Val,
};
use crate::shape::Shape;
use std::sync::Arc;

/// Runs one of two graphs: the first if a third graph gives a number that is not zero.
///
/// Both make outputs of the same shapes and dtypes. Gradients run the taken graph again; those of what it
/// does not read are zero.
#[derive(Attrs, Clone, Debug)]
pub struct Cond {
    /// The condition, of one element.
    #[attr(id = 1)]
    pub cond: SubgraphRef,
    /// What is run if it is not zero.
    #[attr(id = 2)]
    pub then: SubgraphRef,
    /// What is run if it is zero.
    #[attr(id = 3)]
    pub r#else: SubgraphRef,
    /// Number of inputs, and three for the graphs.
    #[attr(id = 4, min = 3)]
    pub num_args: i64,
    /// Number of outputs.
    #[attr(id = 5, min = 1)]
    pub num_outputs: i64,
    /// For each input of the condition the operator's.
    #[attr(id = 6)]
    pub cond_input_locs: Shape,
    /// For each input of the first graph the operator's.
    #[attr(id = 7)]
    pub then_input_locs: Shape,
    /// For each input of the second graph the operator's.
    #[attr(id = 8)]
    pub else_input_locs: Shape,
}

fn list(locs: &Shape) -> Vec<usize> {
    locs.iter().map(|p| *p as usize).collect()
}

/// A graph and the operator's inputs that are its.
struct Part<'a> {
    body: &'a Body,
    inputs: Vec<usize>,
}

impl Part<'_> {
    fn of<'a>(graph: &'a SubgraphRef, locs: &Shape) -> Part<'a> {
        Part { body: body(graph), inputs: list(locs) }
    }

    fn types(&self, k: &Kernel) -> Vec<Type> {
        self.inputs.iter().map(|p| Type { shape: k.shape(*p).clone(), dtype: k.dtype(*p) }).collect()
    }

    fn estimate(&self, s: &ShapeInfer, training: bool, requests: &[Req]) -> Option<Arc<Plan>> {
        let shapes: Option<Vec<Shape>> = self.inputs.iter().map(|p| s.known(*p).cloned()).collect();
        self.body.plan_of_shapes(&shapes?, training, requests).ok()
    }

    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<Vec<Option<Shape>>> {
        let known: Vec<Option<Shape>> = self.inputs.iter().map(|p| s.input(*p).cloned()).collect();
        let (inputs, outputs) = self.body.infer_shape(&known)?;
        for (p, shape) in self.inputs.iter().zip(inputs) {
            shape.map_or(Ok(()), |shape| s.set_input(*p, shape))?;
        }
        Ok(outputs)
    }

    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<Vec<Option<DType>>> {
        let known: Vec<Option<DType>> = self.inputs.iter().map(|p| t.input(*p)).collect();
        let (inputs, outputs) = self.body.infer_dtype(&known)?;
        for (p, dtype) in self.inputs.iter().zip(inputs) {
            dtype.map_or(Ok(()), |dtype| t.set_input(*p, dtype))?;
        }
        Ok(outputs)
    }

    fn run(&self, k: &Kernel, plan: Arc<Plan>) -> Result<Running> {
        let mut run = Running::new(plan)?;
        self.inputs.iter().enumerate().for_each(|(j, p)| run.place_input(j, k.inputs[*p].data));
        Ok(run)
    }

    fn is_state(&self, input: usize) -> bool {
        self.inputs.iter().position(|p| *p == input).is_some_and(|j| self.body.is_state(j))
    }
}

impl Cond {
    fn parts(&self) -> [Part<'_>; 3] {
        [
            Part::of(&self.cond, &self.cond_input_locs),
            Part::of(&self.then, &self.then_input_locs),
            Part::of(&self.r#else, &self.else_input_locs),
        ]
    }

    /// Checks that the attributes fit the graphs.
    pub(super) fn check_attrs(&self) -> Result<()> {
        let n = inputs_among(self.num_args, 3);
        let names = ["cond_input_locs", "then_input_locs", "else_input_locs"];
        let locs = [&self.cond_input_locs, &self.then_input_locs, &self.else_input_locs];
        let outputs = [1, self.num_outputs, self.num_outputs];
        for (graph, part) in self.parts().iter().enumerate() {
            distinct(locs[graph], names[graph], n)?;
            expect_count(names[graph], part.body.num_inputs(), locs[graph].ndim() as i64)?;
            expect_count("num_outputs", part.body.num_outputs(), outputs[graph])?;
        }
        Ok(())
    }

    fn most(&self, s: &ShapeInfer, training: bool, what: impl Fn(&Plan) -> u64) -> u64 {
        let [cond, then, r#else] =
            self.parts().map(|p| p.estimate(s, training, &[]).map_or(0, |plan| what(&plan)));
        cond.saturating_add(then.max(r#else))
    }
}

impl Operator for Cond {
    fn meta() -> Meta {
        let inputs = Input::new("data", "inputs of the graphs").counted("num_args", &["data"]);
        Meta::new("_cond", [inputs]).dtypes(DTypes::of(&[])).internal()
    }

    fn samples() -> Vec<Sample> {
        vec![Sample::new("branches without bodies").input(&[2]).fails(ErrorCode::InvalidValue)]
    }

    fn num_inputs(&self) -> Option<usize> {
        Some(inputs_among(self.num_args, 3))
    }

    traced_outputs!();

    fn mutates(&self, i: usize) -> Option<bool> {
        Some(self.parts()[1..].iter().any(|part| part.is_state(i)))
    }

    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(count(self.num_outputs), Trace::shape())?;
        let [cond, then, r#else] = self.parts();
        if let Some(shape) = cond.infer_shape(s)?.into_iter().next().flatten() {
            if shape.is_known() && shape.len() != 1 {
                crate::bail!(Shape, "expected a condition of one element, got shape {shape}");
            }
        }
        for part in [then, r#else] {
            for (o, shape) in part.infer_shape(s)?.into_iter().enumerate() {
                let said = shape.map_or(Ok(()), |shape| s.set_output(o, shape));
                said.map_err(|e| {
                    let text = format!("{}: both branches must make the same shapes", e.message());
                    e.with_message(text)
                })?;
            }
        }
        Ok(())
    }

    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(count(self.num_outputs), Trace::DTYPE)?;
        let [cond, then, r#else] = self.parts();
        cond.infer_dtype(t)?;
        for part in [then, r#else] {
            for (o, dtype) in part.infer_dtype(t)?.into_iter().enumerate() {
                dtype.map_or(Ok(()), |dtype| t.set_output(o, dtype))?;
            }
        }
        Ok(())
    }

    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let k = &*k;
        let parts = self.parts();
        let plan = parts[0].body.plan(&parts[0].types(k), k.training, &[])?;
        let cond = parts[0].run(k, plan.clone())?;
        cond.pass(0, [k.random; 2])?;
        let branch = if holds(cond.output(0), &plan.outputs[0]) { 1 } else { 2 };
        let mut stream = k.random;
        stream.base = stream.base.wrapping_add(plan.draws[0]);
        let taken = &parts[branch];
        let mut run = taken.run(k, taken.body.plan(&taken.types(k), k.training, &[])?)?;
        let outputs = count(self.num_outputs);
        (0..outputs).for_each(|o| run.place_output(o, k.outputs[o].data));
        run.pass(0, [stream; 2])?;
        Trace { stream, branch, training: k.training, steps: 1, stride: 0 }.write(k, outputs);
        Ok(())
    }

    fn gradient(&self, b: &Builder) -> Result<()> {
        let parts = self.parts();
        let differentiable = |p: &usize| {
            parts[1..].iter().any(|part| part.inputs.contains(p)) && !self.mutates(*p).unwrap_or(false)
        };
        let wanted: Vec<usize> = (0..b.num_inputs()).filter(|p| b.wants(*p)).filter(differentiable).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let outputs = count(self.num_outputs);
        let op = BranchBackward {
            then: self.then.clone(),
            r#else: self.r#else.clone(),
            num_args: b.num_inputs() as i64,
            num_outputs: self.num_outputs,
            then_input_locs: self.then_input_locs.clone(),
            else_input_locs: self.else_input_locs.clone(),
            wanted: wanted.iter().map(|p| *p as i64).collect(),
        };
        let inputs = (0..b.num_inputs()).map(|i| b.input(i));
        let heads = (0..outputs).map(|o| b.out_grad(o));
        let values: Vec<Val> = inputs.chain(heads).chain([b.output(outputs)]).collect();
        for (p, gradient) in wanted.iter().zip(b.apply_all(op, &values)) {
            b.set_grad(*p, gradient);
        }
        Ok(())
    }

    fn unroll(&self, read: &dyn Fn(Src) -> Result<NdArray>, call: &mut RunAgain) -> Result<Vec<NdArray>> {
        let trace = Trace::of(&read(Src::Output(self.num_outputs as u32))?)?;
        let taken = &self.parts()[trace.branch];
        unroll::branch(taken.body, &taken.inputs, trace, read, call)
    }

    fn draws(&self, s: &ShapeInfer, training: bool) -> u64 {
        self.most(s, training, |plan| plan.draws[0])
    }

    fn flops(&self, s: &ShapeInfer) -> u64 {
        self.most(s, false, |plan| plan.report.flops)
    }

    fn workspace(&self, s: &ShapeInfer, _size: usize) -> usize {
        self.most(s, false, |plan| plan.report.peak_bytes as u64) as usize
    }

    fn cost(&self, s: &ShapeInfer) -> usize {
        self.most(s, false, |plan| plan.cost[0].max(1) as u64) as usize
    }
}

/// Gradient of `_cond`: its inputs, the gradients of its outputs and its trace give the gradients of some of
/// the inputs.
#[derive(Attrs, Clone, Debug)]
pub struct BranchBackward {
    /// The first graph.
    #[attr(id = 1)]
    pub then: SubgraphRef,
    /// The second graph.
    #[attr(id = 2)]
    pub r#else: SubgraphRef,
    /// Number of inputs of `_cond`.
    #[attr(id = 3)]
    pub num_args: i64,
    /// Number of its outputs.
    #[attr(id = 4)]
    pub num_outputs: i64,
    /// For each input of the first graph that of `_cond`.
    #[attr(id = 5)]
    pub then_input_locs: Shape,
    /// For each input of the second graph that of `_cond`.
    #[attr(id = 6)]
    pub else_input_locs: Shape,
    /// The inputs of `_cond` whose gradients are made.
    #[attr(id = 7)]
    pub wanted: Shape,
}

impl BranchBackward {
    fn parts(&self) -> [Part<'_>; 2] {
        [Part::of(&self.then, &self.then_input_locs), Part::of(&self.r#else, &self.else_input_locs)]
    }

    fn requests(&self, part: &Part) -> Vec<Req> {
        let wanted = |p: &usize| self.wanted.contains(&(*p as i64)) && !part.is_state(*p);
        part.inputs.iter().map(|p| if wanted(p) { Req::Write } else { Req::Null }).collect()
    }

    fn most(&self, s: &ShapeInfer, training: bool, what: impl Fn(&Plan) -> u64) -> u64 {
        let parts = self.parts().map(|p| p.estimate(s, training, &self.requests(&p)));
        parts.iter().flatten().map(|plan| what(plan)).max().unwrap_or(0)
    }
}

impl Operator for BranchBackward {
    fn meta() -> Meta {
        Meta::new("_backward_branch", [Input::new("data", "inputs, output gradients, trace").variadic()])
            .outputs(&["grad"])
            .dtypes(DTypes::of(&[]))
            .internal()
    }

    fn samples() -> Vec<Sample> {
        vec![Sample::new("branches without bodies").input(&[2]).fails(ErrorCode::InvalidValue)]
    }

    fn num_inputs(&self) -> Option<usize> {
        Some(count(self.num_args) + count(self.num_outputs) + 1)
    }

    fn num_outputs(&self) -> usize {
        self.wanted.ndim()
    }

    fn mutates(&self, i: usize) -> Option<bool> {
        Some(self.parts().iter().any(|part| part.is_state(i)))
    }

    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        for (o, p) in list(&self.wanted).into_iter().enumerate() {
            let Some(shape) = s.input(p).cloned() else { continue };
            s.set_output(o, shape)?;
        }
        Ok(())
    }

    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        for (o, p) in list(&self.wanted).into_iter().enumerate() {
            t.input(p).map_or(Ok(()), |dtype| t.set_output(o, dtype))?;
        }
        Ok(())
    }

    /// Tells of an operator in a branch that is not differentiable before anything runs.
    fn check(&self, s: &ShapeInfer) -> Result<()> {
        for part in self.parts() {
            let shapes: Option<Vec<Shape>> = part.inputs.iter().map(|p| s.known(*p).cloned()).collect();
            let Some(shapes) = shapes else { continue };
            match part.body.plan_of_shapes(&shapes, true, &self.requests(&part)) {
                Err(e) if e.code() == ErrorCode::Autograd => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let k = &*k;
        let trace = Trace::read(k, k.num_inputs() - 1);
        for (o, output) in k.outputs.iter().enumerate() {
            clear(output.data, &Type { shape: k.out_shape(o).clone(), dtype: output.dtype });
        }
        let part = &self.parts()[trace.branch - 1];
        let plan = part.body.plan(&part.types(k), trace.training, &self.requests(part))?;
        let mut run = part.run(k, plan)?;
        for o in 0..count(self.num_outputs) {
            run.place_head(o, k.inputs[count(self.num_args) + o].data);
        }
        for (o, p) in list(&self.wanted).into_iter().enumerate() {
            if let Some(j) = part.inputs.iter().position(|q| *q == p) {
                run.place_gradient(j, k.outputs[o].data);
            }
        }
        run.pass(0, [trace.stream; 2])?;
        run.pass(1, [trace.stream, k.random])
    }

    fn gradient(&self, _b: &Builder) -> Result<()> {
        Err(crate::err!(
            Autograd,
            "the branch is to be run call by call where its gradient is differentiated"
        ))
    }

    fn draws(&self, s: &ShapeInfer, training: bool) -> u64 {
        self.most(s, training, |plan| plan.draws[1])
    }

    fn flops(&self, s: &ShapeInfer) -> u64 {
        self.most(s, true, |plan| plan.report.flops)
    }

    fn workspace(&self, s: &ShapeInfer, _size: usize) -> usize {
        self.most(s, true, |plan| plan.report.peak_bytes as u64) as usize
    }

    fn cost(&self, s: &ShapeInfer) -> usize {
        self.most(s, true, |plan| (plan.cost[0] + plan.cost[1]).max(1) as u64) as usize
    }
}
