//! Batch normalisation and its gradient, which also moves the statistics.

use super::Convolution;
use super::compute::{Compute, change, is_over, read, write};
use super::softmax::around;
use crate::kernels::Shared;
use crate::kernels::normalize::{normalize, normalize_back, normalized, sum, sum_along, sum_squares};
use crate::kernels::softmax::Around;
use crate::op::OpRef;
use crate::ops::elemwise::{BroadcastMul, RSqrt};
use crate::ops::family::prelude::*;
use crate::ops::matrix::Reshape;
use crate::parallel::for_each_range;
use crate::shape::normalize_axis;
use std::ops::Range;

macro_rules! batch_norm {
    ($($(#[doc = $doc:literal])* $op:ident),*) => {$(
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// Added to the variance.
            #[attr(id = 1, default = 1e-3f32)]
            pub eps: f64,
            /// Share of the moving statistics that stays with each step.
            #[attr(id = 2, default = 0.9f32)]
            pub momentum: f64,
            /// Take 1 for `gamma`, whatever it is, and leave it without gradient.
            #[attr(id = 3, default = true)]
            pub fix_gamma: bool,
            /// Take the moving statistics in training too.
            #[attr(id = 4, default = false)]
            pub use_global_stats: bool,
            /// Give mean and 1 / sqrt(variance + eps) as well.
            #[attr(id = 5, default = false)]
            pub output_mean_var: bool,
            /// The axis of the channels.
            #[attr(id = 6, default = 1)]
            pub axis: i64,
            /// Unused; kept for MXNet's model files.
            #[attr(id = 7, default = false)]
            pub cudnn_off: bool,
            /// Unused; kept for MXNet's model files.
            #[attr(id = 8)]
            pub min_calib_range: Option<f64>,
            /// Unused; kept for MXNet's model files.
            #[attr(id = 9)]
            pub max_calib_range: Option<f64>,
        }
    )*};
}

batch_norm! {
    /// Normalises each channel: `(x − mean) / sqrt(variance + eps) · gamma + beta`.
    ///
    /// In training mean and variance are those of the batch, and the gradient's computation moves the moving
    /// statistics: `moving · momentum + batch · (1 − momentum)`, the variance without Bessel's correction. In
    /// prediction, and with `use_global_stats`, the moving statistics are taken and stay. With float16 and bfloat16
    /// data parameters and statistics are float32. Method: Ioffe, Szegedy, «Batch Normalization», 2015.
    BatchNorm,
    /// The gradients of data, `gamma` and `beta` of a batch normalisation. In training it moves the moving
    /// statistics.
    BatchNormBackward
}

/// The dtype of parameters for data of a dtype.
fn parameter_dtype(data: DType) -> DType {
    if data == DType::F64 { data } else { DType::F32 }
}

/// Parameters and statistics have one dtype: float32 with half-precision data, or the data's.
fn infer_dtypes(t: &mut DTypeInfer, data: usize, parameters: &[usize], outputs: &[usize]) -> Result<()> {
    let Some(d) = t.input(data) else { return Ok(()) };
    t.require(data, DTypes::FLOAT)?;
    let p = parameters.iter().find_map(|i| t.input(*i)).filter(|p| *p == d).unwrap_or(parameter_dtype(d));
    parameters.iter().try_for_each(|i| t.set_input(*i, p))?;
    outputs.iter().try_for_each(|o| t.set_output(*o, p))?;
    t.set_output(0, d)
}

/// Sums over each channel of what `f(channel, elements)` is for each of its runs of neighbouring elements. The runs'
/// sums are added in `f64`.
fn channel_sums<C: Compute>(
    (outer, axis, inner): Around,
    f: impl Fn(usize, Range<usize>) -> C + Sync,
) -> Vec<C> {
    let mut sums = vec![C::ZERO; axis];
    let out = Shared::new(&mut sums);
    for_each_range(axis, (1usize << 14).div_ceil((outer * inner).max(1)), |channels| {
        let mut totals = vec![0.0; channels.len()];
        for o in 0..outer {
            for (c, total) in channels.clone().zip(&mut totals) {
                let first = (o * axis + c) * inner;
                *total += f(c, first..first + inner).to_f64();
            }
        }
        // SAFETY: each channel is in one range.
        let out = unsafe { out.slice(channels.start, channels.len()) };
        out.iter_mut().zip(&totals).for_each(|(o, t)| *o = C::from_f64(*t));
    });
    sums
}

/// Calls `f(channel, first element, elements)` for the runs of `out` that belong to one channel.
fn for_each_run<C: Compute>(
    (outer, axis, inner): Around,
    out: &mut [C],
    f: impl Fn(usize, usize, &mut [C]) + Sync,
) {
    let out = Shared::new(out);
    for_each_range(outer * axis, (1usize << 14).div_ceil(inner.max(1)), |range| {
        for run in range {
            // SAFETY: each run is given to one call.
            f(run % axis, run * inner, unsafe { out.slice(run * inner, inner) });
        }
    });
}

impl BatchNorm {
    /// Mean and the reciprocal of the deviation of each channel.
    fn statistics<C: Compute>(&self, k: &Kernel, size: Around, x: &[C]) -> (Vec<C>, Vec<C>) {
        let reciprocal = |v: f64| C::from_f64(1.0 / (v + self.eps).sqrt());
        if !k.training || self.use_global_stats {
            let (mean, variance) = (read::<C>(k, 3), read::<C>(k, 4));
            return (mean.into_owned(), variance.iter().map(|v| reciprocal(v.to_f64())).collect());
        }
        let n = C::from_f64((size.0 * size.2).max(1) as f64);
        let mean: Vec<C> = channel_sums(size, |_, run| sum(&x[run])).into_iter().map(|s| s / n).collect();
        let squares = channel_sums(size, |c, run| sum_squares(&x[run], mean[c]));
        let by = squares.into_iter().map(|s| reciprocal((s / n).to_f64())).collect();
        (mean, by)
    }
}

impl Operator for BatchNorm {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The data."),
            Input::new("gamma", "The factor of each channel."),
            Input::new("beta", "The offset of each channel."),
            Input::new("moving_mean", "The moving mean of each channel.").mutated().init("[\"zero\", {}]"),
            Input::new("moving_var", "The moving variance of each channel.").mutated().init("[\"one\", {}]"),
        ];
        Meta::new("BatchNorm", inputs).aliases(&["_npx_batch_norm"]).outputs(&["output", "mean", "var"])
    }
    fn samples() -> Vec<Sample> {
        let sample = |name, shape: &[i64], channels: i64| {
            let s = Sample::new(name).input(shape).input(&[channels]).input(&[channels]);
            s.grid(&[channels], -1.0, 1.0).grid(&[channels], 0.5, 2.0).tolerance(4.0)
        };
        let free = |name| sample(name, &[3, 2, 4], 2).attr("fix_gamma", false);
        // MXNet writes 1 to gamma; mxr leaves it alone.
        let fixed = sample("gamma is 1", &[3, 2, 4], 2)
            .oracle(Oracle::MxNetCode("mx.nd.BatchNorm(x[0], mx.nd.ones_like(x[1]), x[2], x[3], x[4])"));
        vec![
            free("training"),
            fixed,
            free("momentum and eps").attr("momentum", 0.5).attr("eps", 0.25),
            free("moving statistics in training").attr("use_global_stats", true).no_finite_differences(),
            free("prediction").predicting().no_gradient(),
            free("mean and deviation").attr("output_mean_var", true).no_finite_differences(),
            sample("two axes behind the channels", &[2, 3, 3, 4], 3).attr("fix_gamma", false),
            sample("channels last", &[4, 2, 3], 3).attr("axis", -1).attr("fix_gamma", false),
            sample("a matrix", &[6, 3], 3).attr("fix_gamma", false),
            sample("no such axis", &[6, 3], 3).attr("axis", 2).fails(ErrorCode::Index),
            sample("parameters of another shape", &[6, 3], 2).fails(ErrorCode::Shape),
        ]
    }
    fn num_outputs(&self) -> usize {
        3
    }
    fn num_visible_outputs(&self) -> usize {
        if self.output_mean_var { 3 } else { 1 }
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        let axis = normalize_axis(self.axis, x.ndim()).map_err(|e| e.about("axis"))?;
        let channels = Shape::new(&[x[axis]]);
        (1..5).try_for_each(|i| s.set_input(i, channels.clone()))?;
        s.set_output(0, x)?;
        s.set_output(1, channels.clone())?;
        s.set_output(2, channels)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        infer_dtypes(t, 0, &[1, 2, 3, 4], &[1, 2])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let size = around(k.shape(0), self.axis)?;
        with_compute!(k.dtype(0), C => {
            let (x, gamma, beta) = (read::<C>(k, 0), read::<C>(k, 1), read::<C>(k, 2));
            let (mean, by) = self.statistics::<C>(k, size, &x);
            let factor = |c: usize| if self.fix_gamma { by[c] } else { gamma[c] * by[c] };
            let over = is_over::<C>(k, 0, 0);
            write::<C>(k, 0, |y| for_each_run(size, y, |c, first, y| {
                if over {
                    normalize(y, mean[c], factor(c), beta[c]);
                } else {
                    normalized(&x[first..], mean[c], factor(c), beta[c], y);
                }
            }));
            write::<C>(k, 1, |out| out.copy_from_slice(&mean));
            write::<C>(k, 2, |out| out.copy_from_slice(&by));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let a = self.clone();
        let op = BatchNormBackward {
            eps: a.eps,
            momentum: a.momentum,
            fix_gamma: a.fix_gamma,
            use_global_stats: a.use_global_stats,
            output_mean_var: a.output_mean_var,
            axis: a.axis,
            cudnn_off: a.cudnn_off,
            min_calib_range: a.min_calib_range,
            max_calib_range: a.max_calib_range,
        };
        let inputs =
            [b.out_grad(0), b.input(0), b.input(1), b.output(1), b.output(2), b.input(3), b.input(4)];
        let grads = b.apply_all(op, &inputs);
        (0..3).for_each(|i| b.set_grad(i, grads[i]));
        Ok(())
    }
    fn absorb<'b>(&self, before: &OpRef, count: usize, b: &'b Builder) -> Option<Val<'b>> {
        let conv = (*before.op).as_any().downcast_ref::<Convolution>().filter(|_| self.axis == 1)?;
        let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|i| b.input(count + i));
        let by = (variance + self.eps).apply(RSqrt, &[]);
        let factor = if self.fix_gamma { by } else { gamma * by };
        let mut column = Shape::repeat(1, 2 + conv.kernel.ndim());
        column[0] = -1;
        let weight = b.input(1).apply(BroadcastMul, &[factor.apply(Reshape::to(&column), &[])]);
        let shift = beta - mean * factor;
        let bias = if conv.no_bias { shift } else { b.input(2) * factor + shift };
        Some(b.input(0).apply(Convolution { no_bias: false, ..conv.clone() }, &[weight, bias]))
    }
    fn repeatable(&self) -> bool {
        true
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        6 * s.known(0).map_or(0, Shape::len) as u64
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        4 * s.total_len()
    }
}

impl Operator for BatchNormBackward {
    fn meta() -> Meta {
        let inputs = [
            Input::new("out_grad", "The gradient of the result."),
            Input::new("data", "The data."),
            Input::new("gamma", "The factor of each channel."),
            Input::new("mean", "The mean that was subtracted."),
            Input::new("var", "1 / sqrt(variance + eps), with which was multiplied."),
            Input::new("moving_mean", "The moving mean.").mutated(),
            Input::new("moving_var", "The moving variance.").mutated(),
        ];
        let outputs = &["data_grad", "gamma_grad", "beta_grad"];
        Meta::new("_backward_batch_norm", inputs).outputs(outputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let s = Sample::new("moving statistics").input(&[4, 2]).input(&[4, 2]).input(&[2]).input(&[2]);
        let s = s.grid(&[2], 0.5, 1.0).input(&[2]).input(&[2]).attr("use_global_stats", true);
        let numpy = "[x[0] * x[2] * x[4], (x[0] * (x[1] - x[3]) * x[4]).sum(0), x[0].sum(0)]";
        vec![s.attr("fix_gamma", false).oracle(Oracle::NumPy(numpy)).no_gradient()]
    }
    fn num_outputs(&self) -> usize {
        3
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(x), Some(gamma)) = (s.input(1).cloned(), s.input(2).cloned()) else { return Ok(()) };
        s.set_output(0, x)?;
        s.set_output(1, gamma.clone())?;
        s.set_output(2, gamma)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        infer_dtypes(t, 1, &[2, 3, 4, 5, 6], &[1, 2])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let size = around(k.shape(1), self.axis)?;
        let batch = k.training && !self.use_global_stats;
        with_compute!(k.dtype(1), C => {
            let (dy, x, gamma) = (read::<C>(k, 0), read::<C>(k, 1), read::<C>(k, 2));
            let (mean, by) = (read::<C>(k, 3), read::<C>(k, 4));
            let total = channel_sums(size, |_, run| sum(&dy[run]));
            let along = channel_sums(size, |c, run| sum_along(&dy[run.clone()], &x[run], mean[c]));
            let along: Vec<C> = along.into_iter().zip(by.iter()).map(|(a, b)| a * *b).collect();
            let n = C::from_f64((size.0 * size.2).max(1) as f64);
            let over = is_over::<C>(k, 0, 0);
            write::<C>(k, 0, |dx| for_each_run(size, dx, |c, first, dx| {
                let factor = if self.fix_gamma { by[c] } else { gamma[c] * by[c] };
                let (shift, slope) = (total[c] / n, along[c] / n * by[c]);
                let x = &x[first..];
                if !over {
                    let len = dx.len();
                    dx.copy_from_slice(&dy[first..first + len]);
                }
                if batch {
                    normalize_back(dx, x, mean[c], shift, slope, factor);
                } else {
                    dx.iter_mut().for_each(|d| *d *= factor);
                }
            }));
            write::<C>(k, 1, |out| if self.fix_gamma { out.fill(C::ZERO) } else { out.copy_from_slice(&along) });
            write::<C>(k, 2, |out| out.copy_from_slice(&total));
            if batch {
                self.move_statistics::<C>(k, &mean, &by);
            }
        });
        Ok(())
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        10 * s.known(1).map_or(0, Shape::len) as u64
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        4 * s.total_len()
    }
}

impl BatchNormBackward {
    fn move_statistics<C: Compute>(&self, k: &Kernel, mean: &[C], by: &[C]) {
        let (stays, comes) = (C::from_f64(self.momentum), C::from_f64(1.0 - self.momentum));
        change::<C>(k, 5, |moving| {
            moving.iter_mut().zip(mean).for_each(|(v, m)| *v = *v * stays + *m * comes);
        });
        change::<C>(k, 6, |moving| {
            let variance = |by: C| C::ONE / (by * by) - C::from_f64(self.eps);
            moving.iter_mut().zip(by).for_each(|(v, b)| *v = *v * stays + variance(*b) * comes);
        });
    }
}
