//! The gradients of recurrent layers.

use super::cells::Clip;
use super::layer::{self, Gradients, Kept, Passed, Start};
use super::plan::Plan;
use super::{RnnMode, lengths, rnn};
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
                "The first cells (`lstm`), the lengths, what was kept, and the gradients of the results.",
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
        Some(self.inputs() + 2 + if self.state_outputs { 1 + self.mode.cells() } else { 0 })
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
        // Lengths and what was kept have dtypes of their own.
        let own = 3 + self.mode.cells()..=self.inputs();
        let all: Vec<usize> = (0..t.num_inputs()).filter(|i| !own.contains(i)).collect();
        t.same(&all)
    }
    fn unread_output(&self, _s: &ShapeInfer, o: usize) -> Option<Shape> {
        // Without room for it the gradient of the data is not computed.
        (o == 0).then(|| Shape::new(&[0]))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let plan = self.plan(k.shape(0));
        let lengths = self.lengths(k, &plan)?;
        with_compute!(k.dtype(0), C => self.run::<C>(k, &plan, &lengths));
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
    fn run<C: Compute>(&self, k: &Kernel, plan: &Plan, lengths: &[usize]) {
        let (cells, kept_at) = (self.mode.cells(), self.inputs());
        let (data, parameters, h0) = (read::<C>(k, 0), read::<C>(k, 1), read::<C>(k, 2));
        let c0 = if self.mode == RnnMode::Lstm { read::<C>(k, 3) } else { Cow::Borrowed(&[][..]) };
        let reserve = read::<C>(k, kept_at);
        let (results, rest) = reserve.split_at(plan.layers * plan.result_len());
        let (masks, kept) = rest.split_at(plan.mask_len());
        let mut dy = read::<C>(k, kept_at + 1).into_owned();
        let head = |i: usize, len: usize| {
            if self.state_outputs { read::<C>(k, kept_at + 2 + i).into_owned() } else { vec![C::ZERO; len] }
        };
        let mut dh = head(0, h0.len());
        let mut dc = if c0.is_empty() { vec![] } else { head(1, c0.len()) };
        write::<C>(k, 1, |dp| {
            for l in (0..plan.layers).rev() {
                let below = &results[..l * plan.result_len()];
                let x = plan.layer_data(l, &data, below, masks);
                let y = &results[l * plan.result_len()..(l + 1) * plan.result_len()];
                let wanted = l > 0 || !k.out_shape(0).is_empty();
                let mut dx = vec![C::ZERO; if wanted { x.len() } else { 0 }];
                for d in 0..plan.directions {
                    let (sizes, j) = (plan.sizes(l, d), l * plan.directions + d);
                    let kept = &kept[j * plan.kept_len()..(j + 1) * plan.kept_len()];
                    let (gates, extra) = kept.split_at(plan.steps * plan.batch * sizes.gates());
                    let state = plan.batch * plan.state;
                    let cell = if c0.is_empty() { 0 } else { plan.batch * plan.hidden };
                    let grads = Gradients {
                        dy: &dy[d * plan.state..],
                        dx: &mut dx,
                        dh: &mut dh[j * state..(j + 1) * state],
                        dc: &mut dc[j * cell..(j + 1) * cell],
                    };
                    let p = plan.places(l, d).of(&parameters);
                    let dp = plan.places(l, d).of_mut(dp);
                    let start = Start { h0: plan.states(j, &h0), c0: plan.cells(j, &c0), lengths };
                    let kept = Kept { gates, extra };
                    let passed = Passed { x: &x, start, kept, y: &y[d * plan.state..] };
                    layer::backward(&sizes, &p, &passed, grads, dp);
                }
                if l > 0 && plan.masks {
                    let masks = &masks[(l - 1) * plan.result_len()..l * plan.result_len()];
                    dx.iter_mut().zip(masks).for_each(|(d, m)| *d *= *m);
                }
                dy = dx;
            }
        });
        write::<C>(k, 0, |out| out.copy_from_slice(&dy));
        write::<C>(k, 2, |out| out.copy_from_slice(&dh));
        if cells == 1 {
            write::<C>(k, 3, |out| out.copy_from_slice(&dc));
        }
    }
}
