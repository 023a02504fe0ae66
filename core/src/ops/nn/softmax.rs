//! Softmax, its logarithm and its relatives along one axis.

use super::compute::{Compute, read, write};
use crate::kernels::softmax::{self as kernel, Around};
use crate::ops::family::prelude::*;
use crate::shape::normalize_axis;

/// The dtype of a result.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum ResultType {
    /// Half precision.
    Float16,
    /// Single precision.
    Float32,
    /// Double precision.
    Float64,
}

impl ResultType {
    fn dtype(self) -> DType {
        match self {
            ResultType::Float16 => DType::F16,
            ResultType::Float32 => DType::F32,
            ResultType::Float64 => DType::F64,
        }
    }
}

/// The sizes before, along and behind an axis.
pub(super) fn around(shape: &Shape, axis: i64) -> Result<Around> {
    let axis = normalize_axis(axis, shape.ndim()).map_err(|e| e.about("axis"))?;
    let size = |dims: &[i64]| dims.iter().product::<i64>() as usize;
    Ok((size(&shape[..axis]), shape[axis] as usize, size(&shape[axis + 1..])))
}

/// What the operators of this family have in common.
struct Along {
    axis: i64,
    temperature: f64,
    log: bool,
}

/// Copies the first elements of an axis, as many as `lengths` say for each place around it.
fn gather<C: Compute>((_, axis, inner): Around, place: usize, n: usize, x: &[C]) -> Vec<C> {
    let first = place / inner * axis * inner + place % inner;
    (0..n).map(|a| x[first + a * inner]).collect()
}

/// Puts elements to where [`gather`] takes them from, and zeros behind them.
fn scatter<C: Compute>((_, axis, inner): Around, place: usize, values: &[C], x: &mut [C]) {
    let first = place / inner * axis * inner + place % inner;
    for a in 0..axis {
        x[first + a * inner] = values.get(a).copied().unwrap_or(C::ZERO);
    }
}

impl Along {
    fn forward(&self, k: &Kernel, lengths: Option<Vec<i64>>) -> Result<()> {
        let size = around(k.shape(0), self.axis)?;
        with_compute!(wider(k.dtype(0), k.out_dtype(0)), C => {
            let (x, t) = (read::<C>(k, 0), C::from_f64(self.temperature));
            write::<C>(k, 0, |y| {
                let Some(lengths) = lengths else { return kernel::softmax(size, t, self.log, &x, y) };
                for (place, n) in lengths.into_iter().enumerate() {
                    let values = gather(size, place, n.clamp(0, size.1 as i64) as usize, &x);
                    let mut result = values.clone();
                    kernel::softmax((1, values.len(), 1), t, self.log, &values, &mut result);
                    scatter(size, place, &result, y);
                }
            });
        });
        Ok(())
    }

    fn backward(&self, k: &Kernel, lengths: Option<Vec<i64>>) -> Result<()> {
        let size = around(k.shape(1), self.axis)?;
        with_compute!(wider(k.dtype(0), k.out_dtype(0)), C => {
            let (dy, y, t) = (read::<C>(k, 0), read::<C>(k, 1), C::from_f64(self.temperature));
            write::<C>(k, 0, |dx| {
                let Some(lengths) = lengths else {
                    return kernel::softmax_backward(size, t, self.log, &y, &dy, dx);
                };
                for (place, n) in lengths.into_iter().enumerate() {
                    let n = n.clamp(0, size.1 as i64) as usize;
                    let (y, dy) = (gather(size, place, n, &y), gather(size, place, n, &dy));
                    let mut result = vec![C::ZERO; n];
                    kernel::softmax_backward((1, n, 1), t, self.log, &y, &dy, &mut result);
                    scatter(size, place, &result, dx);
                }
            });
        });
        Ok(())
    }
}

fn wider(a: DType, b: DType) -> DType {
    if a == DType::F64 { a } else { b }
}

/// Checks the shape of the lengths: the data's without the axis.
fn infer_lengths(s: &mut ShapeInfer, lengths: usize, axis: i64) -> Result<()> {
    let Some(x) = s.input(0).cloned() else { return Ok(()) };
    let mut shape = x;
    shape.remove(normalize_axis(axis, shape.ndim())?);
    s.set_input(lengths, shape)
}

macro_rules! softmax {
    ($($(#[doc = $doc:literal])* $op:ident = $name:literal aliases [$($alias:literal),*],
       sign $sign:literal, log $log:literal, lengths $lengths:literal;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// The axis.
            #[attr(id = 1, default = -1)]
            pub axis: i64,
            /// What the data is divided by first; 1 if absent.
            #[attr(id = 2)]
            pub temperature: Option<f64>,
            /// The dtype of the result; that of the data if absent.
            #[attr(id = 3)]
            pub dtype: Option<ResultType>,
            /// Take only the first elements of each row, as many as `length` says; the others become 0. For
            /// `softmax` only.
            #[attr(id = 4, default = Some(false))]
            pub use_length: Option<bool>,
        }
        impl $op {
            /// What the data is divided by, with the sign.
            fn divisor(&self) -> f64 {
                let t = self.temperature.unwrap_or(1.0);
                if $sign < 0.0 { -t } else { t }
            }
            fn with_length(&self) -> bool {
                $lengths && self.use_length.unwrap_or(false)
            }
        }
        impl Operator for $op {
            fn meta() -> Meta {
                let mut inputs = vec![Input::new("data", "The data.")];
                if $lengths {
                    inputs.push(Input::new("length", "Number of elements to take along the axis.").optional());
                }
                Meta::new($name, inputs).aliases(&[$($alias),*])
            }
            fn samples() -> Vec<Sample> {
                samples($lengths)
            }
            fn num_inputs(&self) -> Option<usize> {
                Some(1 + usize::from(self.with_length()))
            }
            fn check(&self, _s: &ShapeInfer) -> Result<()> {
                if self.use_length == Some(true) && !$lengths {
                    return Err(err!(Unsupported, "only softmax takes lengths").about("use_length"));
                }
                Ok(())
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                if self.with_length() {
                    infer_lengths(s, 1, self.axis)?;
                }
                let Some(x) = s.input(0).cloned() else { return Ok(()) };
                normalize_axis(self.axis, x.ndim()).map_err(|e| e.about("axis"))?;
                s.set_output(0, x)
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                let Some(dtype) = self.dtype else { return t.same(&[0]) };
                t.require(0, DTypes::FLOAT)?;
                t.set_output(0, dtype.dtype())
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let lengths = self.with_length().then(|| k.input_i64(1));
                let temperature = self.divisor();
                Along { axis: self.axis, temperature, log: $log }.forward(k, lengths)
            }
            fn gradient(&self, b: &Builder) -> Result<()> {
                let temperature = self.divisor();
                let use_length = self.with_length();
                let op = SoftmaxBackward { axis: self.axis, temperature, log: $log, use_length };
                let mut inputs = vec![b.out_grad(0), b.output(0), b.input(0)];
                if use_length {
                    inputs.push(b.input(1));
                }
                b.set_grad(0, b.apply(op, &inputs));
                Ok(())
            }
            fn cost(&self, s: &ShapeInfer) -> usize {
                4 * s.total_len()
            }
        }
    )*};
}

softmax! {
    /// Exponentials along an axis, divided by their sum: `exp(x / t) / Σ exp(x / t)`.
    Softmax = "softmax" aliases ["_npx_softmax"], sign 1.0, log false, lengths true;
    /// Softmax of the data with the other sign: `exp(−x / t) / Σ exp(−x / t)`.
    Softmin = "softmin" aliases [], sign -1.0, log false, lengths false;
    /// Logarithm of the softmax along an axis: `x / t − log Σ exp(x / t)`.
    LogSoftmax = "log_softmax" aliases ["_npx_log_softmax"], sign 1.0, log true, lengths false;
}

fn samples(lengths: bool) -> Vec<Sample> {
    let with_length = |name| {
        let s = Sample::new(name)
            .input(&[2, 4, 3])
            .values(&[2, 3], &[1.0, 4.0, 2.0, 3.0, 0.0, 4.0])
            .of(DType::I32);
        s.attr("axis", 1).attr("use_length", true).no_finite_differences()
    };
    let mut samples = vec![
        Sample::new("the last axis").input(&[2, 5]),
        Sample::new("another axis").input(&[2, 4, 3]).attr("axis", 1),
        Sample::new("temperature").input(&[2, 5]).attr("temperature", 2.5),
        Sample::new("far from zero").values(&[3], &[-200.0, 0.0, 200.0]),
        Sample::new("one element").input(&[2, 1]),
        Sample::new("no elements").input(&[2, 0, 3]).oracle(Oracle::NumPy("x[0]")).no_gradient(),
        Sample::new("another dtype").input(&[2, 5]).of(DType::F32).attr("dtype", "float64").as_given(),
        Sample::new("no such axis").input(&[2, 5]).attr("axis", 2).fails(ErrorCode::Index),
        Sample::new("a dtype that is none").input(&[2]).attr("dtype", "int32").fails(ErrorCode::InvalidValue),
    ];
    if lengths {
        samples.push(with_length("lengths"));
        let wrong = Sample::new("lengths of another shape").input(&[2, 5]).ints(&[3], 1, 2);
        samples.push(wrong.attr("use_length", true).fails(ErrorCode::Shape));
    } else {
        samples
            .push(Sample::new("lengths").input(&[2]).attr("use_length", true).fails(ErrorCode::Unsupported));
    }
    samples
}

/// The gradient of the data of a softmax or its logarithm, from its result.
#[derive(Attrs, Clone, Debug)]
pub struct SoftmaxBackward {
    /// The axis.
    #[attr(id = 1, default = -1)]
    pub axis: i64,
    /// What the data is divided by first.
    #[attr(id = 2, default = 1.0)]
    pub temperature: f64,
    /// Of the logarithm.
    #[attr(id = 3, default = false)]
    pub log: bool,
    /// Whether there are lengths.
    #[attr(id = 4, default = false)]
    pub use_length: bool,
}

impl Operator for SoftmaxBackward {
    fn meta() -> Meta {
        let inputs = [
            Input::new("out_grad", "The gradient of the result."),
            Input::new("output", "The result."),
            Input::new("data", "The data.").shape_only(),
            Input::new("length", "The lengths.").optional(),
        ];
        Meta::new("_backward_softmax", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let sample = |name, numpy| {
            let s = Sample::new(name).input(&[2, 3]).grid(&[2, 3], 0.125, 0.5).input(&[2, 3]);
            s.oracle(Oracle::NumPy(numpy))
        };
        let plain = "x[1] * (x[0] - (x[0] * x[1]).sum(-1, keepdims=True)) / 2";
        vec![
            sample("softmax", plain).attr("temperature", 2.0),
            sample("logarithm", "x[0] - np.exp(x[1]) * x[0].sum(-1, keepdims=True)").attr("log", true),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(3 + usize::from(self.use_length))
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(2).cloned().map_or(Ok(()), |x| s.set_output(0, x))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[2])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let lengths = self.use_length.then(|| k.input_i64(3));
        Along { axis: self.axis, temperature: self.temperature, log: self.log }.backward(k, lengths)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        if self.use_length {
            return Err(err!(Autograd, "second derivatives with lengths are not supported"));
        }
        let (g, dy, y) = (b.out_grad(0), b.input(0), b.input(1));
        let scale = 1.0 / self.temperature;
        if self.log {
            let p = y.apply(crate::ops::elemwise::Exp, &[]);
            b.set_grad(0, (g - self.total(g * p)) * scale);
            b.set_grad(1, g * p * self.total(dy) * -scale);
        } else {
            b.set_grad(0, g.apply(self.clone(), &[y, b.input(2)]));
            b.set_grad(1, (g * (dy - self.total(dy * y)) - dy * self.total(g * y)) * scale);
        }
        Ok(())
    }
}

impl SoftmaxBackward {
    /// Sums along the axis.
    fn total<'b>(&self, v: Val<'b>) -> Val<'b> {
        let axis = Some(Shape::new(&[self.axis]));
        v.apply(crate::ops::reduce::Sum { axis, keepdims: true, exclude: false }, &[])
    }
}
