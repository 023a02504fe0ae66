//! Dropout.

use crate::kernels::layout::BroadcastPlan;
use crate::ops::family::prelude::*;
use crate::rng::{Params, bernoulli};
use crate::shape::normalize_axis;

/// When elements are dropped.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// In prediction too.
    Always,
    /// In training only.
    Training,
}

/// Sets elements to zero at random and divides the others by the share that stays, in training.
///
/// In prediction the data passes unchanged, unless `mode` is `always`. Method: Srivastava et al., «Dropout», 2014.
#[derive(Attrs, Clone, Debug)]
pub struct Dropout {
    /// Share of the elements that become zero.
    #[attr(id = 1, default = 0.5, min = 0.0, max = 1.0)]
    pub p: f64,
    /// When elements are dropped.
    #[attr(id = 2, default = When::Training)]
    pub mode: When,
    /// Axes along which all elements share one draw.
    #[attr(id = 3, default = Shape::scalar())]
    pub axes: Shape,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 4, default = Some(false))]
    pub cudnn_off: Option<bool>,
}

impl Dropout {
    fn drops(&self, training: bool) -> bool {
        self.p > 0.0 && (training || self.mode == When::Always)
    }

    fn mask_shape(&self, data: &Shape) -> Result<Shape> {
        let mut mask = data.clone();
        for axis in self.axes.iter() {
            mask[normalize_axis(*axis, data.ndim()).map_err(|e| e.about("axes"))?] = 1;
        }
        Ok(mask)
    }
}

impl Operator for Dropout {
    fn meta() -> Meta {
        let meta = Meta::new("Dropout", [Input::new("data", "The data.")]);
        meta.aliases(&["_npx_dropout"]).outputs(&["output", "mask"])
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("prediction").input(&[3, 4]).predicting().no_gradient(),
            Sample::new("nothing is dropped").input(&[3, 4]).attr("p", 0.0),
            Sample::new("training").input(&[3, 4]).attr("p", 0.25).oracle(Oracle::Run).no_gradient(),
            Sample::new("shared draws").input(&[3, 4]).attr("axes", [1]).oracle(Oracle::Run).no_gradient(),
            Sample::new("everything is dropped").input(&[4]).attr("p", 1.0).oracle(Oracle::NumPy("0 * x[0]")),
            Sample::new("prediction with draws")
                .input(&[3, 4])
                .attr("mode", "always")
                .predicting()
                .oracle(Oracle::Run)
                .no_gradient(),
            Sample::new("too large a share").input(&[3]).attr("p", 1.5).fails(ErrorCode::InvalidValue),
            Sample::new("no such axis").input(&[3]).attr("axes", [1]).fails(ErrorCode::Index),
        ]
    }
    fn num_outputs(&self) -> usize {
        2
    }
    fn num_visible_outputs(&self) -> usize {
        1
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        s.set_output(1, self.mask_shape(&x)?)?;
        s.set_output(0, x)
    }
    fn draws(&self, s: &ShapeInfer, training: bool) -> u64 {
        if self.drops(training) { s.output(1).map_or(0, Shape::len) as u64 } else { 0 }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        with_dtype!(k.dtype(0), T => {
            let mask = k.output::<T>(1);
            if !self.drops(k.training) {
                mask.fill(T::from_f64(1.0));
                k.copy(0, 0);
                return Ok(());
            }
            let stays = 1.0 - self.p;
            let on = if stays > 0.0 { 1.0 / stays } else { 0.0 };
            bernoulli(k.random, mask, Params::same(&[stays]), T::from_f64(on));
            let zero = T::default();
            let keep = |x: T, m: T| if m == zero { zero } else { T::from_f64(x.to_f64() * on) };
            let (x, y) = (k.input::<T>(0), k.output::<T>(0));
            if mask.len() == x.len() {
                y.iter_mut().zip(x).zip(mask.iter()).for_each(|((y, x), m)| *y = keep(*x, *m));
                return Ok(());
            }
            let dims = |s: &Shape| s.iter().map(|d| *d as usize).collect::<Vec<_>>();
            let plan = BroadcastPlan::new(&dims(k.shape(0)), [&dims(k.shape(0)), &dims(k.out_shape(1))]);
            let [by_x, by_m] = plan.inner_strides();
            plan.for_each_run(0..plan.runs(), |at, [i, j]| for n in 0..plan.run_len() {
                y[at + n] = keep(x[i + n * by_x], mask[j + n * by_m]);
            });
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0) * b.output(1));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndarray::NdArray;
    use crate::op::invoke::{Call, invoke};
    use crate::op::registry;

    fn drop(p: f64, axes: &[i64], shape: &[i64], training: bool) -> Vec<f32> {
        let op = Dropout { p, mode: When::Training, axes: Shape::new(axes), cudnn_off: None };
        let x = NdArray::full(Shape::new(shape), 3.0, DType::F32, crate::Device::cpu(0)).unwrap();
        let call = Call { training, ..Call::default() };
        invoke(&registry().op(op), &[x], &[], &call).unwrap()[0].to_vec().unwrap()
    }

    #[test]
    fn the_share_that_stays_and_its_scale_are_as_asked() {
        for p in [0.1, 0.5, 0.8] {
            let y = drop(p, &[], &[100, 1000], true);
            let kept = y.iter().filter(|v| **v != 0.0).count() as f64 / y.len() as f64;
            assert!((kept - (1.0 - p)).abs() < 0.01, "kept {kept} with p = {p}");
            assert!(y.iter().all(|v| *v == 0.0 || (f64::from(*v) - 3.0 / (1.0 - p)).abs() < 1e-5));
        }
        assert_eq!(drop(0.5, &[], &[7], false), [3.0; 7]);
    }

    #[test]
    fn elements_along_shared_axes_share_their_draw() {
        let y = drop(0.5, &[1], &[200, 5], true);
        assert!(y.chunks(5).all(|row| row.iter().all(|v| *v == row[0])));
        assert!(y.contains(&0.0) && y.contains(&6.0));
    }
}
