//! What training asks of many arrays at once: whether all is finite, sums of squares, learning rates by
//! layer.

use crate::ops::family::prelude::*;
use crate::parallel;
use std::sync::atomic::{AtomicBool, Ordering};

/// True if no element of the inputs is infinite or NaN.
fn finite(k: &Kernel) -> bool {
    let finite = AtomicBool::new(true);
    for i in 0..k.num_inputs() {
        with_dtype!(k.dtype(i), T => {
            let x = k.input::<T>(i);
            parallel::for_each_range(x.len(), 1 << 16, |range| {
                // The sum of zeros is zero; zero times anything that is not finite is NaN.
                let zeros = |c: &[T]| c.iter().map(|v| v.to_f64() * 0.0).sum::<f64>();
                if x[range].chunks(256).any(|c| zeros(c).is_nan()) {
                    finite.store(false, Ordering::Relaxed);
                }
            });
        });
    }
    finite.into_inner()
}

fn write_finite(k: &Kernel, init_output: bool) {
    let out = k.output::<f32>(0);
    let before = init_output || out[0] != 0.0;
    out[0] = f32::from(u8::from(before && finite(k)));
}

fn samples(bad: f64, name: &'static str) -> Sample {
    Sample::new(name).values(&[2, 2], &[1.0, bad, -2.0, 0.0]).no_gradient()
}

/// 1 if all elements are finite, else 0, as one `float32`.
#[derive(Attrs, Clone, Debug)]
pub struct AllFinite {
    /// Say it of this array alone; else 1 only if the output was not 0 before.
    #[attr(id = 1, default = true)]
    pub init_output: bool,
}

impl Operator for AllFinite {
    fn meta() -> Meta {
        Meta::new("all_finite", [Input::new("data", "The array.")])
    }
    fn samples() -> Vec<Sample> {
        vec![
            samples(0.5, "finite numbers"),
            samples(f64::INFINITY, "an infinity").oracle(Oracle::NumPy("np.zeros(1)")),
            samples(f64::NAN, "not a number").oracle(Oracle::NumPy("np.zeros(1)")),
            Sample::new("two arrays").input(&[2]).input(&[2]).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(0, Shape::new(&[1]))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.require(0, DTypes::FLOAT)?;
        t.set_output(0, DType::F32)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        write_finite(k, self.init_output);
        Ok(())
    }
}

/// 1 if all elements of all arrays are finite, else 0, as one `float32`.
#[derive(Attrs, Clone, Debug)]
pub struct MultiAllFinite {
    /// The number of arrays.
    #[attr(id = 1, default = 1)]
    pub num_arrays: i64,
    /// Say it of these arrays alone; else 1 only if the output was not 0 before.
    #[attr(id = 2, default = true)]
    pub init_output: bool,
}

impl Operator for MultiAllFinite {
    fn meta() -> Meta {
        Meta::new("multi_all_finite", [Input::new("data", "The arrays.").counted("num_arrays", &["array_"])])
    }
    fn samples() -> Vec<Sample> {
        vec![
            samples(0.5, "finite numbers").input(&[3]).attr("num_arrays", 2i64),
            samples(0.5, "an infinity")
                .values(&[1], &[f64::NEG_INFINITY])
                .attr("num_arrays", 2i64)
                .oracle(Oracle::NumPy("np.zeros(1)")),
            samples(0.5, "another number of arrays").attr("num_arrays", 2i64).fails(ErrorCode::InvalidValue),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(self.num_arrays.max(0) as usize)
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(0, Shape::new(&[1]))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        (0..t.num_inputs()).try_for_each(|i| t.require(i, DTypes::FLOAT))?;
        t.set_output(0, DType::F32)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        write_finite(k, self.init_output);
        Ok(())
    }
}

/// The sum of the squares of each array, as one `float32` array.
#[derive(Attrs, Clone, Debug)]
pub struct MultiSumSq {
    /// The number of arrays.
    #[attr(id = 1)]
    pub num_arrays: i64,
}

/// Elements that are summed on their own, so that the order of summation depends on the length alone.
const PIECE: usize = 1 << 14;

fn sum_of_squares<T: Element>(x: &[T]) -> f64 {
    let mut sums = vec![0.0; x.len().div_ceil(PIECE)];
    let shared = crate::kernels::Shared::new(&mut sums);
    parallel::for_each_range(x.len().div_ceil(PIECE), 4, |pieces| {
        for p in pieces {
            let piece = &x[p * PIECE..((p + 1) * PIECE).min(x.len())];
            let mut lanes = [0.0; 8];
            for chunk in piece.chunks(8) {
                for (lane, v) in lanes.iter_mut().zip(chunk) {
                    *lane += v.to_f64() * v.to_f64();
                }
            }
            // SAFETY: each piece writes its own element.
            unsafe { *shared.at(p) = lanes.iter().sum::<f64>() };
        }
    });
    sums.iter().sum()
}

impl Operator for MultiSumSq {
    fn meta() -> Meta {
        Meta::new("multi_sum_sq", [Input::new("data", "The arrays.").counted("num_arrays", &["array_"])])
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("three arrays")
                .input(&[3, 5])
                .input(&[20])
                .input(&[1])
                .attr("num_arrays", 3i64)
                .no_gradient(),
            Sample::new("no arrays").attr("num_arrays", 1i64).fails(ErrorCode::InvalidValue),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(self.num_arrays.max(0) as usize)
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(0, Shape::new(&[self.num_arrays.max(0)]))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        (0..t.num_inputs()).try_for_each(|i| t.require(i, DTypes::FLOAT))?;
        t.set_output(0, DType::F32)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        for i in 0..k.num_inputs() {
            let sum = with_dtype!(k.dtype(i), T => sum_of_squares::<T>(k.input(i)));
            k.output::<f32>(0)[i] = sum as f32;
        }
        Ok(())
    }
}

/// Learning rates of layers by LARS (You, Gitman and Ginsburg, 2017): each is multiplied by the weight's norm
/// over that of gradient and decay, where both norms are positive.
#[derive(Attrs, Clone, Debug)]
pub struct MultiLars {
    /// The trust coefficient.
    #[attr(id = 1)]
    pub eta: f64,
    /// Keeps the divisor from zero.
    #[attr(id = 2)]
    pub eps: f64,
    /// The factor of the gradients.
    #[attr(id = 3, default = 1.0)]
    pub rescale_grad: f64,
}

impl Operator for MultiLars {
    fn meta() -> Meta {
        Meta::new(
            "multi_lars",
            [
                Input::new("lrs", "The learning rates."),
                Input::new("weights_sum_sq", "The sums of the squares of the weights."),
                Input::new("grads_sum_sq", "The sums of the squares of the gradients."),
                Input::new("wds", "The weight decays."),
            ],
        )
        .dtypes(DTypes::of(&[DType::F32]))
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("three layers, one of them zero")
                .values(&[3], &[0.5, 0.25, 0.125])
                .values(&[3], &[4.0, 0.0, 9.0])
                .values(&[3], &[9.0, 1.0, 0.25])
                .values(&[3], &[0.5, 0.25, 0.0])
                .attr("eta", 0.5)
                .attr("eps", 0.25)
                .attr("rescale_grad", 0.5)
                .no_gradient(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let [lrs, weights, grads, wds] = std::array::from_fn(|i| k.input::<f32>(i));
        for (i, out) in k.output::<f32>(0).iter_mut().enumerate() {
            let weight = f64::from(weights[i]).sqrt();
            let grad = f64::from(grads[i]).sqrt() * self.rescale_grad;
            let trust = self.eta * weight / (grad + f64::from(wds[i]) * weight + self.eps);
            let scale = if weight > 0.0 && grad > 0.0 { trust } else { 1.0 };
            *out = (f64::from(lrs[i]) * scale) as f32;
        }
        Ok(())
    }
}
