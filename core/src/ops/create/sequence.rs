//! Evenly spaced numbers, and matrices with ones on a diagonal.

use super::{check_device, device_of};
use crate::device::Device;
use crate::ops::family::prelude::*;
use crate::shape::normalize_axis;

/// Writes `start + step * (i / repeat)`.
fn fill_steps(k: &Kernel, start: f64, step: f64, repeat: i64) {
    let repeat = repeat.max(1) as usize;
    with_dtype!(k.out_dtype(0), T => {
        let out = k.output::<T>(0).iter_mut().enumerate();
        out.for_each(|(i, o)| *o = T::from_f64(start + step * (i / repeat) as f64));
    });
}

/// A sample for each numeric dtype.
fn each_dtype(make: impl Fn(Sample) -> Sample) -> Vec<Sample> {
    let sample = |d: DType| make(Sample::new(d.name()).as_given()).attr("dtype", d);
    DTypes::NUMERIC.iter().map(sample).collect()
}

/// Evenly spaced numbers in a half-open range.
#[derive(Attrs, Clone, Debug)]
pub struct Arange {
    /// The first number; with `stop` absent, what the numbers stay below, and they begin at 0.
    #[attr(id = 1)]
    pub start: f64,
    /// What the numbers stay below.
    #[attr(id = 2)]
    pub stop: Option<f64>,
    /// Distance of two numbers.
    #[attr(id = 3, default = 1.0)]
    pub step: f64,
    /// How often each number stands in the result.
    #[attr(id = 4, default = 1, min = 1)]
    pub repeat: i64,
    /// Take the number of elements from where the result is used, in a graph; needs `stop` to be absent.
    #[attr(id = 5, default = false)]
    pub infer_range: bool,
    /// The device; the current one if empty.
    #[attr(id = 6, default = "")]
    pub ctx: String,
    /// The dtype.
    #[attr(id = 7, default = DType::F32)]
    pub dtype: DType,
}

impl Arange {
    fn range(&self) -> (f64, f64) {
        match self.stop {
            Some(stop) => (self.start, stop),
            None => (0.0, self.start),
        }
    }
    fn open(&self) -> bool {
        self.infer_range && self.stop.is_none()
    }
}

impl Operator for Arange {
    fn meta() -> Meta {
        Meta::new("_arange", []).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.arange(1, 6, 2)");
        let mut samples =
            each_dtype(|s| s.attr("start", 1.0).attr("stop", 6.0).attr("step", 2.0).oracle(numpy));
        samples.extend([
            Sample::new("up to a number").attr("start", 4.0).as_given(),
            Sample::new("each twice").attr("start", 0.0).attr("stop", 2.0).attr("repeat", 2).as_given(),
            Sample::new("down").attr("start", 1.0).attr("stop", 0.0).attr("step", -0.25).as_given(),
            Sample::new("a part of a step").attr("start", 0.0).attr("stop", 1.0).attr("step", 0.3).as_given(),
            Sample::new("an empty range").attr("start", 3.0).attr("stop", 1.0).fails(ErrorCode::InvalidValue),
            Sample::new("no step").attr("start", 3.0).attr("step", 0.0).fails(ErrorCode::InvalidValue),
            Sample::new("a number of elements that nothing says")
                .attr("start", 3.0)
                .attr("infer_range", true)
                .fails(ErrorCode::Shape),
        ]);
        samples
    }
    fn device(&self) -> Option<Device> {
        device_of(&self.ctx)
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if self.open() {
            return Ok(());
        }
        if self.step == 0.0 || !self.step.is_finite() {
            return Err(err!(InvalidValue, "expected a number other than 0, got {}", self.step).about("step"));
        }
        let (start, stop) = self.range();
        let steps = ((stop - start) / self.step).ceil();
        if steps.is_nan() || steps <= 0.0 {
            let e =
                err!(InvalidValue, "no number lies from {start} to below {stop} in steps of {}", self.step);
            return Err(e.about("stop"));
        }
        s.set_output(0, Shape::new(&[(steps as i64).saturating_mul(self.repeat)]))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(0, self.dtype)
    }
    fn check(&self, s: &ShapeInfer) -> Result<()> {
        check_device(&self.ctx)?;
        s.output(0).map_or(Ok(()), |o| o.checked_len().map(drop))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let start = if self.open() { self.start } else { self.range().0 };
        fill_steps(k, start, self.step, self.repeat);
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}

/// A given number of evenly spaced numbers between two ends.
#[derive(Attrs, Clone, Debug)]
pub struct Linspace {
    /// The first number.
    #[attr(id = 1)]
    pub start: f64,
    /// The other end.
    #[attr(id = 2)]
    pub stop: f64,
    /// How many numbers.
    #[attr(id = 3, min = 0)]
    pub num: i64,
    /// The last number is the other end; without it the numbers stay a step away from it.
    #[attr(id = 4, default = true)]
    pub endpoint: bool,
    /// The device; the current one if empty.
    #[attr(id = 5, default = "")]
    pub ctx: String,
    /// The dtype.
    #[attr(id = 6, default = DType::F32)]
    pub dtype: DType,
}

impl Operator for Linspace {
    fn meta() -> Meta {
        Meta::new("_linspace", []).aliases(&["_npi_linspace"]).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.linspace(0, 8, 5)");
        let mut samples = each_dtype(|s| s.attr("start", 0.0).attr("stop", 8.0).attr("num", 5).oracle(numpy));
        let unit = |name| Sample::new(name).attr("start", 1.0).attr("stop", 2.0).as_given();
        samples.extend([
            unit("without the end").attr("num", 4).attr("endpoint", false),
            unit("one number").attr("num", 1),
            unit("less than none").attr("num", -1).fails(ErrorCode::InvalidValue),
        ]);
        samples
    }
    fn device(&self) -> Option<Device> {
        device_of(&self.ctx)
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(0, Shape::new(&[self.num]))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(0, self.dtype)
    }
    fn check(&self, s: &ShapeInfer) -> Result<()> {
        check_device(&self.ctx)?;
        s.output(0).map_or(Ok(()), |o| o.checked_len().map(drop))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let gaps = if self.endpoint { self.num - 1 } else { self.num };
        fill_steps(k, self.start, (self.stop - self.start) / gaps.max(1) as f64, 1);
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}

/// A matrix with ones on a diagonal and zeros elsewhere.
#[derive(Attrs, Clone, Debug)]
pub struct Eye {
    /// Number of rows.
    #[attr(id = 1, name = "N", min = 0)]
    pub n: i64,
    /// Number of columns; that of the rows if 0.
    #[attr(id = 2, name = "M", default = 0, min = 0)]
    pub m: i64,
    /// The diagonal: 0 for the main one, positive above it, negative below.
    #[attr(id = 3, default = 0)]
    pub k: i64,
    /// The device; the current one if empty.
    #[attr(id = 4, default = "")]
    pub ctx: String,
    /// The dtype.
    #[attr(id = 5, default = DType::F32)]
    pub dtype: DType,
}

impl Operator for Eye {
    fn meta() -> Meta {
        Meta::new("_eye", []).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let mut samples = each_dtype(|s| s.attr("N", 3).oracle(Oracle::NumPy("np.eye(3)")));
        samples.extend([
            Sample::new("a diagonal above").attr("N", 2).attr("M", 3).attr("k", 1).as_given(),
            Sample::new("a diagonal below").attr("N", 3).attr("k", -1).as_given(),
            Sample::new("a diagonal outside").attr("N", 2).attr("k", -5).as_given(),
            Sample::new("a negative size").attr("N", -1).fails(ErrorCode::InvalidValue),
        ]);
        samples
    }
    fn device(&self) -> Option<Device> {
        device_of(&self.ctx)
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(0, Shape::new(&[self.n, if self.m == 0 { self.n } else { self.m }]))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(0, self.dtype)
    }
    fn check(&self, s: &ShapeInfer) -> Result<()> {
        check_device(&self.ctx)?;
        s.output(0).map_or(Ok(()), |o| o.checked_len().map(drop))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let columns = k.out_shape(0)[1];
        with_dtype!(k.out_dtype(0), T => {
            let out = k.output::<T>(0);
            out.fill(T::from_f64(0.0));
            for row in 0..self.n {
                let column = row.saturating_add(self.k);
                if (0..columns).contains(&column) {
                    out[(row * columns + column) as usize] = T::from_f64(1.0);
                }
            }
        });
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}

/// Evenly spaced numbers, as many as another array has elements or as one of its axes is long.
#[derive(Attrs, Clone, Debug)]
pub struct ArangeLike {
    /// The first number.
    #[attr(id = 1, default = 0.0)]
    pub start: f64,
    /// Distance of two numbers.
    #[attr(id = 2, default = 1.0)]
    pub step: f64,
    /// How often each number stands in the result.
    #[attr(id = 3, default = 1, min = 1)]
    pub repeat: i64,
    /// Unused: the result is on the device of the array.
    #[attr(id = 4, default = "")]
    pub ctx: String,
    /// The axis whose size counts; without it the result has the shape of the array.
    #[attr(id = 5)]
    pub axis: Option<i64>,
}

impl Operator for ArangeLike {
    fn meta() -> Meta {
        Meta::new("_contrib_arange_like", [Input::new("data", "The array.").shape_only()])
            .aliases(&["_npx_arange_like"])
            .dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("the shape of the array").input(&[2, 3]).no_gradient(),
            Sample::new("an axis")
                .input(&[2, 3])
                .attr("axis", 1)
                .attr("start", 2.0)
                .attr("step", 0.5)
                .no_gradient(),
            Sample::new("each twice").input(&[2, 4]).attr("axis", -1).attr("repeat", 2).no_gradient(),
            Sample::new("integers").ints(&[4, 3], 0, 9).attr("axis", 0).int_dtypes(),
            Sample::new("an axis too many").input(&[2]).attr("axis", 1).fails(ErrorCode::Index),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        match self.axis {
            Some(axis) => s.set_output(0, Shape::new(&[x[normalize_axis(axis, x.ndim())?]])),
            None => s.set_output(0, x),
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        fill_steps(k, self.start, self.step, self.repeat);
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}
