//! The gradients of recurrent layers.

use super::layer::{self, Gradients, Kept, Parameters, Passed};
use super::plan::Plan;
use super::{RnnMode, rnn};
use crate::ops::family::prelude::*;
use crate::ops::nn::compute::{Compute, read, write};
use std::borrow::Cow;

rnn! {
    /// The gradients of data, parameters, first states and first cells of recurrent layers.
    RnnBackward
}

impl Operator for RnnBackward {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The data."),
            Input::new("parameters", "The parameters."),
            Input::new("state", "The first states."),
            Input::new(
                "arrays",
                "The first cells (`lstm`), what was kept, and the gradients of the results.",
            )
            .variadic(),
        ];
        let outputs = &["data_grad", "parameters_grad", "state_grad", "state_cell_grad"];
        Meta::new("_backward_rnn", inputs).outputs(outputs).internal()
    }
    fn samples() -> Vec<Sample> {
        // One step of one plain cell: what is kept is its result and its gate.
        let s = Sample::new("one step").input(&[1, 1, 1]).input(&[4]).input(&[1, 1, 1]);
        let s = s.values(&[2], &[0.5, 0.5]).of(DType::F32).input(&[1, 1, 1]);
        let s = s.attr("mode", "rnn_tanh").attr("state_size", 1).attr("num_layers", 1);
        let numpy = "(lambda d: [d * x[1][0], np.array([d * x[0], d * x[2], d, d]).ravel(), d * x[1][1]])(x[4] * 0.75)";
        let run = |d: DType| {
            let mut s = s.clone();
            s.name = d.name();
            for (i, input) in s.inputs.iter_mut().enumerate() {
                input.dtype = Some(if i == 3 && d != DType::F64 { DType::F32 } else { d });
            }
            s.oracle(Oracle::NumPy(numpy)).as_given()
        };
        [DType::F64, DType::F32, DType::F16, DType::BF16].map(run).into()
    }
    fn num_inputs(&self) -> Option<usize> {
        let cells = self.mode.cells();
        Some(5 + cells + if self.state_outputs { 1 + cells } else { 0 })
    }
    fn num_outputs(&self) -> usize {
        3 + self.mode.cells()
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        for i in 0..3 + self.mode.cells() {
            if let Some(shape) = s.input(i).cloned() {
                s.set_output(i, shape)?;
            }
        }
        Ok(())
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        let all: Vec<usize> = (0..t.num_inputs()).filter(|i| *i != 3 + self.mode.cells()).collect();
        t.same(&all)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let plan = self.plan(k.shape(0));
        with_compute!(k.dtype(0), C => self.run::<C>(k, &plan));
        Ok(())
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        s.known(0).map_or(0, |x| 4 * (x[0] * x[1]) as u64 * self.plan(x).parameters() as u64)
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        s.known(0).map_or(0, |x| (x[0] * x[1]) as usize * self.plan(x).parameters() / 4)
    }
}

impl RnnBackward {
    fn run<C: Compute>(&self, k: &Kernel, plan: &Plan) {
        let cells = self.mode.cells();
        let (data, parameters, h0) = (read::<C>(k, 0), read::<C>(k, 1), read::<C>(k, 2));
        let c0 = if self.mode == RnnMode::Lstm { read::<C>(k, 3) } else { Cow::Borrowed(&[][..]) };
        let reserve = read::<C>(k, 3 + cells);
        let (results, rest) = reserve.split_at(plan.layers * plan.result_len());
        let (masks, kept) = rest.split_at(plan.mask_len());
        let mut dy = read::<C>(k, 4 + cells).into_owned();
        let head = |i: usize, len: usize| {
            if self.state_outputs { read::<C>(k, 5 + cells + i).into_owned() } else { vec![C::ZERO; len] }
        };
        let mut dh = head(0, h0.len());
        let mut dc = if c0.is_empty() { vec![] } else { head(1, c0.len()) };
        let mut dp = vec![C::ZERO; parameters.len()];
        let state = plan.batch * plan.hidden;
        for l in (0..plan.layers).rev() {
            let x = plan.layer_data(l, &data, results, masks);
            let y = &results[l * plan.result_len()..(l + 1) * plan.result_len()];
            let mut dx = vec![C::ZERO; x.len()];
            for d in 0..plan.directions {
                let (sizes, j) = (plan.sizes(l, d), l * plan.directions + d);
                let part = j * state..(j + 1) * state;
                let own = |x: &Range| if c0.is_empty() { 0..0 } else { x.clone() };
                let kept = &kept[j * plan.kept_len()..(j + 1) * plan.kept_len()];
                let (gates, extra) = kept.split_at(plan.steps * plan.batch * sizes.gates());
                let p = plan.places(l, d);
                let p = Parameters {
                    w_x: &parameters[p.w_x],
                    w_h: &parameters[p.w_h],
                    b_x: &parameters[p.b_x],
                    b_h: &parameters[p.b_h],
                };
                let grads = Gradients {
                    dy: &dy[d * plan.hidden..],
                    dx: &mut dx,
                    dh: &mut dh[part.clone()],
                    dc: &mut dc[own(&part)],
                };
                let dp = split(&mut dp, &plan.places(l, d));
                let (kept, y) = (Kept { gates, extra }, &y[d * plan.hidden..]);
                let passed = Passed { x: &x, h0: &h0[part.clone()], c0: &c0[own(&part)], kept, y };
                layer::backward(&sizes, &p, &passed, grads, dp);
            }
            if l > 0 && plan.masks {
                let masks = &masks[(l - 1) * plan.result_len()..l * plan.result_len()];
                dx.iter_mut().zip(masks).for_each(|(d, m)| *d *= *m);
            }
            dy = dx;
        }
        write::<C>(k, 0, |out| out.copy_from_slice(&dy));
        write::<C>(k, 1, |out| out.copy_from_slice(&dp));
        write::<C>(k, 2, |out| out.copy_from_slice(&dh));
        if cells == 1 {
            write::<C>(k, 3, |out| out.copy_from_slice(&dc));
        }
    }
}

type Range = std::ops::Range<usize>;

/// The four parts of the parameters' gradient that belong to one direction of a layer.
fn split<'a, C>(dp: &'a mut [C], places: &Parameters<Range>) -> Parameters<&'a mut [C]> {
    let (weights, biases) = dp.split_at_mut(places.b_x.start);
    let (w_x, w_h) = weights[places.w_x.start..places.w_h.end].split_at_mut(places.w_x.len());
    let (b_x, b_h) = biases[..places.b_h.end - places.b_x.start].split_at_mut(places.b_x.len());
    Parameters { w_x, w_h, b_x, b_h }
}
