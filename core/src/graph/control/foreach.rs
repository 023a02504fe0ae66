//! `_foreach`: a body for each row of arrays.

use super::steps::{Estimate, Loop, distinct, gradient};
use super::unroll::Unrolled;
use super::wiring::Wiring;
use super::{Trace, body, count, expect_count, inputs_among};
use crate::error::{ErrorCode, Result};
use crate::ndarray::NdArray;
use crate::op::builder::{RunAgain, Src};
use crate::op::{
    Attrs, Builder, DTypeInfer, DTypes, Input, Kernel, Meta, Operator, Sample, ShapeInfer, SubgraphRef,
};
use crate::shape::Shape;

/// Runs a graph for each row of arrays, with states that go from row to row.
///
/// The inputs are the data, the states and what is the same for every row. The outputs are what the graph
/// makes of each row, stacked, and the states after the last row: the first ones if there are no rows.
/// Gradients run the loop again and keep the states before each row.
#[derive(Attrs, Clone, Debug)]
pub struct Foreach {
    /// What is run for a row.
    #[attr(id = 1)]
    pub body: SubgraphRef,
    /// Number of inputs, and one for the graph.
    #[attr(id = 2, min = 1)]
    pub num_args: i64,
    /// Number of outputs.
    #[attr(id = 3, min = 1)]
    pub num_outputs: i64,
    /// Number of outputs that are stacked; the others are states.
    #[attr(id = 4, min = 0)]
    pub num_out_data: i64,
    /// The inputs of the graph that are states.
    #[attr(id = 5)]
    pub in_state_locs: Shape,
    /// The inputs of the graph that are rows.
    #[attr(id = 6)]
    pub in_data_locs: Shape,
    /// The inputs of the graph that are the same for every row.
    #[attr(id = 7, default = Shape::scalar())]
    pub remain_locs: Shape,
}

impl Foreach {
    /// Checks that the attributes fit the body.
    pub(super) fn check_attrs(&self) -> Result<()> {
        let body = body(&self.body);
        let n = body.num_inputs();
        expect_count("num_args", n + 1, self.num_args)?;
        expect_count("num_outputs", body.num_outputs(), self.num_outputs)?;
        let all: Shape = [&self.in_data_locs, &self.in_state_locs, &self.remain_locs]
            .iter()
            .flat_map(|locs| locs.iter().copied())
            .collect();
        distinct(&all, "in_data_locs, in_state_locs, remain_locs", n)?;
        expect_count("remain_locs", n, all.ndim() as i64)?;
        expect_count(
            "num_out_data",
            body.num_outputs().saturating_sub(self.in_state_locs.ndim()),
            self.num_out_data,
        )?;
        if self.in_data_locs.ndim() == 0 {
            return Err(
                crate::err!(InvalidValue, "expected data to go along, got none").about("in_data_locs")
            );
        }
        Ok(())
    }

    fn wiring(&self) -> Wiring {
        let n = inputs_among(self.num_args, 1);
        let order = [&self.in_data_locs, &self.in_state_locs, &self.remain_locs];
        let mut inputs = vec![0; n];
        for (p, j) in order.iter().flat_map(|locs| locs.iter()).enumerate() {
            inputs[*j as usize] = p;
        }
        let data = self.in_data_locs.ndim();
        Wiring {
            is_data: inputs.iter().map(|p| *p < data).collect(),
            inputs,
            states: self.in_state_locs.iter().map(|j| *j as usize).collect(),
            outs: count(self.num_out_data),
        }
    }

    fn estimate(&self, s: &ShapeInfer, training: bool) -> (usize, Estimate) {
        let wiring = self.wiring();
        (wiring.rows(s).unwrap_or(0), Estimate::of(body(&self.body), &wiring, s, training))
    }
}

impl Operator for Foreach {
    fn meta() -> Meta {
        Meta::new(
            "_foreach",
            [Input::new("data", "data, states, and what every row shares").counted("num_args", &["data"])],
        )
        .dtypes(DTypes::of(&[]))
        .internal()
    }

    fn samples() -> Vec<Sample> {
        vec![Sample::new("a loop without a body").input(&[2]).fails(ErrorCode::InvalidValue)]
    }

    fn num_inputs(&self) -> Option<usize> {
        Some(inputs_among(self.num_args, 1))
    }

    traced_outputs!();

    fn mutates(&self, i: usize) -> Option<bool> {
        let wiring = self.wiring();
        Some(wiring.inputs.iter().position(|p| *p == i).is_some_and(|j| body(&self.body).is_state(j)))
    }

    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(count(self.num_outputs), Trace::shape())?;
        self.wiring().infer_shape(body(&self.body), s, None)
    }

    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(count(self.num_outputs), Trace::DTYPE)?;
        self.wiring().infer_dtype(body(&self.body), t)
    }

    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (wiring, body) = (self.wiring(), body(&self.body));
        let plan = body.plan(&wiring.step_types(k), k.training, &[])?;
        let trace = Trace {
            stream: k.random,
            stride: plan.draws[0],
            training: k.training,
            steps: k.shape(0)[0] as usize,
            branch: 0,
        };
        Loop { k, body, wiring: &wiring, trace }.forward(|step, _| Ok(step < trace.steps))?;
        trace.write(k, count(self.num_outputs));
        Ok(())
    }

    fn gradient(&self, b: &Builder) -> Result<()> {
        gradient(b, &self.body, &self.wiring());
        Ok(())
    }

    fn unroll(&self, read: &dyn Fn(Src) -> Result<NdArray>, call: &mut RunAgain) -> Result<Vec<NdArray>> {
        let trace = Trace::of(&read(Src::Output(self.num_outputs as u32))?)?;
        let wiring = self.wiring();
        Unrolled { body: body(&self.body), wiring: &wiring, trace, rows: trace.steps }.run(read, call)
    }

    fn draws(&self, s: &ShapeInfer, training: bool) -> u64 {
        let (steps, each) = self.estimate(s, training);
        each.draws().saturating_mul(steps as u64)
    }

    fn flops(&self, s: &ShapeInfer) -> u64 {
        let (steps, each) = self.estimate(s, false);
        each.flops().saturating_mul(steps as u64)
    }

    fn workspace(&self, s: &ShapeInfer, _size: usize) -> usize {
        self.estimate(s, false).1.workspace()
    }

    fn cost(&self, s: &ShapeInfer) -> usize {
        let (steps, each) = self.estimate(s, false);
        each.cost().saturating_mul(steps)
    }
}
