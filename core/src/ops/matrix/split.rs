//! Arrays cut into parts along an axis.

use super::concat::{Concat, Stack};
use super::slice::SliceAxisInto;
use super::{moving_samples, sizes};
use crate::kernels::strided;
use crate::ops::family::prelude::*;

/// Cuts the first input along an axis into the outputs, whose sizes there say how many places each gets, beginning at
/// `start`. With `squeeze` each gets one, and lacks the axis.
pub(super) fn cut(k: &Kernel, axis: usize, squeeze: bool, mut start: usize) {
    let steps = strided::steps(&sizes(k.shape(0)));
    with_word!(k.dtype(0), W => {
        let x = k.input_words::<W>(0);
        for o in 0..k.num_outputs() {
            let mut dims = sizes(k.out_shape(o));
            if squeeze {
                dims.insert(axis, 1);
            }
            let from = (start * steps[axis] as usize, &steps[..]);
            strided::copy(&dims, x, from, k.output_words::<W>(o), (0, &strided::steps(&dims)));
            start += dims[axis];
        }
    });
}

/// Says the gradient of a cut into all outputs along an axis.
fn join<'b>(b: &'b Builder, axis: i64, squeeze: bool) -> Val<'b> {
    let parts: Vec<Val> = (0..b.num_outputs()).map(|i| b.out_grad(i)).collect();
    if squeeze {
        b.apply(Stack { axis, num_args: None }, &parts)
    } else {
        b.apply(Concat { num_args: None, dim: axis }, &parts)
    }
}

/// An array cut along an axis into equal parts.
#[derive(Attrs, Clone, Debug)]
pub struct SliceChannel {
    /// Number of parts.
    #[attr(id = 1, min = 1)]
    pub num_outputs: i64,
    /// The axis.
    #[attr(id = 2, default = 1)]
    pub axis: i64,
    /// Remove the axis, which must then have the size `num_outputs`.
    #[attr(id = 3, default = false)]
    pub squeeze_axis: bool,
}

impl Operator for SliceChannel {
    fn meta() -> Meta {
        Meta::new("SliceChannel", [Input::new("data", "The array.")]).aliases(&["split"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let into = |name, n: i64| Sample::new(name).input(&[2, 4, 3]).attr("num_outputs", n);
        let mut samples = vec![
            into("two parts", 2),
            into("the last axis", 3).attr("axis", -1),
            into("without the axis", 4).attr("squeeze_axis", true),
            into("one part", 1),
        ];
        samples.extend(moving_samples(
            &[2, 3],
            |s| s.attr("num_outputs", 2).attr("axis", 0),
            "[x[0][:1], x[0][1:]]",
        ));
        samples.push(into("a number that does not divide", 3).fails(ErrorCode::Shape));
        samples.push(into("an axis that stays", 2).attr("squeeze_axis", true).fails(ErrorCode::Shape));
        samples.push(into("an axis too many", 2).attr("axis", 3).fails(ErrorCode::Index));
        samples
    }
    fn num_outputs(&self) -> usize {
        self.num_outputs as usize
    }
    fn output_name(&self, i: usize) -> Option<String> {
        Some(format!("output{i}"))
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(mut out) = s.input(0).cloned() else { return Ok(()) };
        let axis = out.axis(self.axis)?;
        let (size, n) = (out[axis], self.num_outputs);
        if size != UNKNOWN && (size % n != 0 || (self.squeeze_axis && size != n)) {
            let parts = if self.squeeze_axis { "parts of size 1" } else { "equal parts" };
            return Err(
                err!(Shape, "axis {axis} of shape {out} cannot be cut into {n} {parts}").about("num_outputs")
            );
        }
        if self.squeeze_axis {
            out.remove(axis);
        } else if size != UNKNOWN {
            out[axis] = size / n;
        }
        (0..n as usize).try_for_each(|i| s.set_output(i, out.clone()))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        cut(k, k.shape(0).axis(self.axis)?, self.squeeze_axis, 0);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, join(b, self.axis, self.squeeze_axis));
        Ok(())
    }
}

/// An array cut along an axis into equal parts, or at given places.
#[derive(Attrs, Clone, Debug)]
pub struct SplitV2 {
    /// Where the parts begin, the first of them included; the last part goes to the end. Unused with `sections`.
    #[attr(id = 1)]
    pub indices: Shape,
    /// The axis.
    #[attr(id = 2, default = 1)]
    pub axis: i64,
    /// Remove the axis, along which each part must have size 1.
    #[attr(id = 3, default = false)]
    pub squeeze_axis: bool,
    /// Number of equal parts, if not 0.
    #[attr(id = 4, default = 0, min = 0)]
    pub sections: i64,
}

impl SplitV2 {
    /// The sizes of the parts of an axis.
    fn lengths(&self, size: i64) -> Result<Vec<i64>> {
        if self.sections > 0 {
            if size % self.sections != 0 {
                return Err(err!(Shape, "{size} places cannot be cut into {} equal parts", self.sections)
                    .about("sections"));
            }
            return Ok(vec![size / self.sections; self.sections as usize]);
        }
        let ends = self.indices.iter().skip(1).chain([&size]);
        let parts: Vec<i64> = self.indices.iter().zip(ends).map(|(a, b)| b - a).collect();
        if parts.iter().any(|n| *n < 0) || self.indices.first().is_some_and(|i| *i < 0) {
            return Err(
                err!(Index, "expected ascending places up to {size}, got {}", self.indices).about("indices")
            );
        }
        Ok(parts)
    }

    fn start(&self) -> i64 {
        if self.sections > 0 { 0 } else { self.indices.first().copied().unwrap_or(0) }
    }
}

impl Operator for SplitV2 {
    fn meta() -> Meta {
        Meta::new("_split_v2", [Input::new("data", "The array.")])
            .aliases(&["_npi_split"])
            .dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let at = |name, indices: &[i64]| Sample::new(name).input(&[2, 5, 3]).attr("indices", indices);
        let none: [i64; 0] = [];
        let mut samples = vec![
            at("given places", &[0, 1, 3]),
            at("along the last axis", &[0, 2]).attr("axis", 2),
            at("equal parts", &none).attr("sections", 2).attr("axis", 0),
            at("without the axis", &[0, 1]).attr("axis", 0).attr("squeeze_axis", true),
            at("not from the begin", &[1, 3])
                .no_gradient()
                .oracle(Oracle::NumPy("[x[0][:, 1:3], x[0][:, 3:]]")),
        ];
        samples.extend(moving_samples(
            &[3, 2],
            |s| s.attr("indices", [0, 1]).attr("axis", 0),
            "[x[0][:1], x[0][1:]]",
        ));
        samples.push(at("a number that does not divide", &none).attr("sections", 2).fails(ErrorCode::Shape));
        samples.push(at("places that descend", &[0, 3, 1]).fails(ErrorCode::Index));
        samples
    }
    fn num_outputs(&self) -> usize {
        if self.sections > 0 { self.sections as usize } else { self.indices.ndim() }
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        let axis = x.axis(self.axis)?;
        if x[axis] == UNKNOWN {
            return Ok(());
        }
        for (i, size) in self.lengths(x[axis])?.into_iter().enumerate() {
            let mut out = x.clone();
            out[axis] = size;
            if self.squeeze_axis {
                if size != 1 {
                    return Err(
                        err!(Shape, "part {i} has size {size} along the axis, not 1").about("squeeze_axis")
                    );
                }
                out.remove(axis);
            }
            s.set_output(i, out)?;
        }
        Ok(())
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        cut(k, k.shape(0).axis(self.axis)?, self.squeeze_axis, self.start() as usize);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let joined = join(b, self.axis, self.squeeze_axis);
        let begin = self.start();
        let back = SliceAxisInto { axis: self.axis, begin, end: None };
        b.set_grad(0, if begin == 0 { joined } else { joined.apply(back, &[b.input(0)]) });
        Ok(())
    }
}
