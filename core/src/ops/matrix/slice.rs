//! Parts of arrays: slices along all axes, along one, and of another array's size; and reversal.

use super::moving_samples;
use super::slice_assign::SliceInto;
use crate::kernels::strided;
use crate::op::attrs::NO_INT;
use crate::ops::family::prelude::*;
use smallvec::SmallVec;

/// Positions along one axis: `len` of them from `begin`, `step` apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    pub begin: i64,
    pub step: i64,
    pub len: i64,
}

/// The positions that `begin:end:step` means along an axis, as Python has it.
pub(super) fn stretch(size: i64, begin: Option<i64>, end: Option<i64>, step: i64) -> Stretch {
    let back = step < 0;
    let (low, high) = if back { (-1, size - 1) } else { (0, size) };
    let place = |i: i64| (if i < 0 { i + size } else { i }).clamp(low, high);
    let begin = begin.map_or(if back { high } else { low }, place);
    let end = end.map_or(if back { low } else { high }, place);
    let span = if back { begin - end } else { end - begin };
    let len = if span > 0 { (span - 1) / step.abs() + 1 } else { 0 };
    Stretch { begin: if len == 0 { 0 } else { begin }, step, len }
}

/// The positions along every axis of an array of shape `x`; a list may be shorter than the shape.
pub(super) fn stretches(
    x: &Shape,
    begin: &OptInts,
    end: &OptInts,
    step: &OptInts,
) -> Result<SmallVec<[Stretch; 6]>> {
    let n = begin.0.len();
    if end.0.len() != n || (!step.0.is_empty() && step.0.len() != n) {
        bail!(
            InvalidValue,
            "begin, end and step must be equally long, got {n}, {} and {}",
            end.0.len(),
            step.0.len()
        );
    }
    if n > x.ndim() {
        return Err(err!(Index, "expected at most {} numbers for an array of shape {x}, got {n}", x.ndim())
            .about("begin"));
    }
    let along = |(i, size): (usize, &i64)| {
        let step = step.0.get(i).copied().flatten().unwrap_or(1);
        if step == 0 {
            return Err(err!(InvalidValue, "a step must not be 0").about("step"));
        }
        if *size == UNKNOWN {
            return Ok(Stretch { begin: 0, step, len: UNKNOWN });
        }
        Ok(stretch(*size, begin.0.get(i).copied().flatten(), end.0.get(i).copied().flatten(), step))
    };
    x.iter().enumerate().map(along).collect()
}

/// The part of an array of shape `x` at these positions, as a view: its sizes, its first element and its steps.
pub(super) type Part = (SmallVec<[usize; 8]>, usize, SmallVec<[isize; 8]>);

pub(super) fn part(x: &Shape, at: &[Stretch]) -> Part {
    let strides = x.strides();
    let start = at.iter().zip(&strides).map(|(s, t)| s.begin as usize * t).sum();
    let steps = at.iter().zip(&strides).map(|(s, t)| s.step as isize * *t as isize).collect();
    (at.iter().map(|s| s.len as usize).collect(), start, steps)
}

/// Copies the part of the first input at these positions to the output.
pub(super) fn take_part(k: &Kernel, at: &[Stretch]) {
    let (dims, start, steps) = part(k.shape(0), at);
    with_word!(k.dtype(0), W => strided::copy(
        &dims, k.input_words::<W>(0), (start, &steps), k.output_words::<W>(0), (0, &strided::steps(&dims))));
}

/// The part of an array from `begin` to before `end` along each of the first axes, as Python's `x[begin:end:step]`.
#[derive(Attrs, Clone, Debug)]
pub struct Slice {
    /// Where the part begins along each axis; None for the array's begin, or end if the step is negative.
    #[attr(id = 1)]
    pub begin: OptInts,
    /// Before which place it ends.
    #[attr(id = 2)]
    pub end: OptInts,
    /// Distance between the places that are taken; 1 where absent.
    #[attr(id = 3, default = OptInts(vec![]))]
    pub step: OptInts,
}

impl Operator for Slice {
    fn meta() -> Meta {
        Meta::new("slice", [Input::new("data", "The array.")])
            .aliases(&["_npi_slice", "_npx_slice", "_sparse_slice", "crop"])
            .dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let part = |name, begin: &[i64], end: &[i64]| {
            Sample::new(name).input(&[3, 4, 5]).attr("begin", begin).attr("end", end)
        };
        let mut samples = vec![
            part("one axis", &[1], &[3]),
            part("all axes", &[0, 1, 2], &[2, 3, 5]),
            part("from the end", &[-2, -3], &[-1, 4]),
            part("one axis left out", &[NO_INT, 1], &[NO_INT, 3]),
            part("every other one", &[0, NO_INT, NO_INT], &[3, NO_INT, NO_INT]).attr("step", [2, NO_INT, 2]),
            part("backwards", &[NO_INT, 2], &[NO_INT, 0]).attr("step", [-1, -1]),
            part("beyond the end", &[1], &[9]),
            part("nothing", &[1], &[1]).no_gradient(),
        ];
        let rows = |s: Sample| s.attr("begin", [1]).attr("end", [3]);
        samples.extend(moving_samples(&[4, 3], rows, "x[0][1:3]"));
        samples.push(part("a step of nothing", &[0], &[2]).attr("step", [0]).fails(ErrorCode::InvalidValue));
        samples.push(part("lists of two lengths", &[0, 1], &[2]).fails(ErrorCode::InvalidValue));
        samples.push(part("too many axes", &[0, 0, 0, 0], &[1, 1, 1, 1]).fails(ErrorCode::Index));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        let at = stretches(x, &self.begin, &self.end, &self.step)?;
        let out = at.iter().map(|s| s.len).collect();
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        take_part(k, &stretches(k.shape(0), &self.begin, &self.end, &self.step)?);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = SliceInto { begin: self.begin.clone(), end: self.end.clone(), step: self.step.clone() };
        b.set_grad(0, b.out_grad(0).apply(back, &[b.input(0)]));
        Ok(())
    }
}

/// The part of an array from `begin` to before `end` along one axis.
#[derive(Attrs, Clone, Debug)]
pub struct SliceAxis {
    /// The axis.
    #[attr(id = 1)]
    pub axis: i64,
    /// Where the part begins; negative numbers count from the end.
    #[attr(id = 2)]
    pub begin: i64,
    /// Before which place it ends; the array's end if None.
    #[attr(id = 3)]
    pub end: Option<i64>,
}

impl SliceAxis {
    /// The axis and the positions along it.
    fn at(&self, x: &Shape) -> Result<(usize, Stretch)> {
        let axis = x.axis(self.axis)?;
        let size = x[axis];
        let place = |i: i64, name| {
            let at = if i < 0 { i + size } else { i };
            if (0..=size).contains(&at) {
                return Ok(at);
            }
            Err(err!(Index, "{i} lies outside axis {axis} of shape {x}").about(name))
        };
        let begin = place(self.begin, "begin")?;
        let end = self.end.map_or(Ok(size), |e| place(e, "end"))?;
        if begin > end {
            return Err(
                err!(InvalidValue, "the part ends at {end}, before it begins at {begin}").about("end")
            );
        }
        Ok((axis, Stretch { begin, step: 1, len: end - begin }))
    }
}

impl Operator for SliceAxis {
    fn meta() -> Meta {
        Meta::new("slice_axis", [Input::new("data", "The array.")]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let part = |name, axis: i64, begin: i64, end: i64| {
            Sample::new(name).input(&[3, 4, 2]).attr("axis", axis).attr("begin", begin).attr("end", end)
        };
        let mut samples = vec![
            part("the first axis", 0, 1, 3),
            part("from the end", -2, -3, -1),
            Sample::new("to the end")
                .input(&[3, 4])
                .attr("axis", 1)
                .attr("begin", 2)
                .attr("end", AttrValue::None),
        ];
        let rows = |s: Sample| s.attr("axis", 1).attr("begin", 1).attr("end", 2);
        samples.extend(moving_samples(&[4, 3], rows, "x[0][:, 1:2]"));
        samples.push(part("beyond the end", 1, 0, 5).fails(ErrorCode::Index));
        samples.push(part("the wrong way round", 1, 3, 1).fails(ErrorCode::InvalidValue));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        let axis = x.axis(self.axis)?;
        let mut out = x.clone();
        if x[axis] != UNKNOWN {
            out[axis] = self.at(x)?.1.len;
        }
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (axis, along) = self.at(k.shape(0))?;
        let whole = |d: &i64| Stretch { begin: 0, step: 1, len: *d };
        let mut at: SmallVec<[Stretch; 6]> = k.shape(0).iter().map(whole).collect();
        at[axis] = along;
        take_part(k, &at);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = SliceAxisInto { axis: self.axis, begin: self.begin, end: self.end };
        b.set_grad(0, b.out_grad(0).apply(back, &[b.input(0)]));
        Ok(())
    }
}

/// Zeros of the shape of `like`, with `data` at the places that `slice_axis` takes: its gradient.
#[derive(Attrs, Clone, Debug)]
pub struct SliceAxisInto {
    /// The axis.
    #[attr(id = 1)]
    pub axis: i64,
    /// Where the part begins.
    #[attr(id = 2)]
    pub begin: i64,
    /// Before which place it ends.
    #[attr(id = 3)]
    pub end: Option<i64>,
}

impl Operator for SliceAxisInto {
    fn meta() -> Meta {
        super::slice_assign::into_meta("_slice_axis_into")
    }
    fn samples() -> Vec<Sample> {
        super::slice_assign::into_samples(|s| s.attr("axis", 0).attr("begin", 1).attr("end", 3))
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let slice = SliceAxis { axis: self.axis, begin: self.begin, end: self.end };
        let (axis, along) = slice.at(k.out_shape(0))?;
        let whole = |d: &i64| Stretch { begin: 0, step: 1, len: *d };
        let mut at: SmallVec<[Stretch; 6]> = k.out_shape(0).iter().map(whole).collect();
        at[axis] = along;
        super::slice_assign::put_part(k, 0, &at, true);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let slice = SliceAxis { axis: self.axis, begin: self.begin, end: self.end };
        b.set_grad(0, b.out_grad(0).apply(slice, &[]));
        Ok(())
    }
}

/// The part of an array, from its begin, that is as large as another.
#[derive(Attrs, Clone, Debug)]
pub struct SliceLike {
    /// The axes that are cut; all if empty.
    #[attr(id = 1, default = Shape::scalar())]
    pub axes: Shape,
}

impl SliceLike {
    /// The shape of the part.
    fn output(&self, x: &Shape, like: &Shape) -> Result<Shape> {
        if self.axes.ndim() == 0 && x.ndim() != like.ndim() {
            return Err(
                err!(Shape, "expected as many axes as in shape {x}, got shape {like}").about("shape_like")
            );
        }
        let axes: SmallVec<[usize; 6]> = if self.axes.ndim() == 0 {
            (0..x.ndim()).collect()
        } else {
            self.axes.iter().map(|a| x.axis(*a)).collect::<Result<_>>()?
        };
        let mut out = x.clone();
        for axis in axes {
            out[axis] = like[like.axis(axis as i64)?];
            if out[axis] > x[axis] && x[axis] != UNKNOWN {
                return Err(
                    err!(Shape, "axis {axis} of shape {x} is shorter than that of {like}").about("data")
                );
            }
        }
        Ok(out)
    }
}

impl Operator for SliceLike {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The array."),
            Input::new("shape_like", "The array of the size.").shape_only(),
        ];
        Meta::new("slice_like", inputs).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let of = |name, like: &[i64]| Sample::new(name).input(&[3, 4, 2]).input(like);
        let mut samples = vec![
            of("all axes", &[2, 3, 1]),
            of("some axes", &[2, 3]).attr("axes", [0, 1]),
            of("an axis from the end", &[5, 6, 1]).attr("axes", [-1]),
        ];
        samples.extend(moving_samples(&[4, 3], |s| s.input(&[2, 2]), "x[0][:2, :2]"));
        samples.push(of("a larger one", &[2, 5, 2]).fails(ErrorCode::Shape));
        samples.push(of("fewer axes", &[2]).fails(ErrorCode::Shape));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(x), Some(like)) = (s.input(0), s.input(1)) else { return Ok(()) };
        let out = self.output(x, like)?;
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let whole = |d: &i64| Stretch { begin: 0, step: 1, len: *d };
        let at: SmallVec<[Stretch; 6]> = k.out_shape(0).iter().map(whole).collect();
        take_part(k, &at);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(super::slice_assign::CornerInto, &[b.input(0)]));
        Ok(())
    }
}

/// An array with the elements along some axes in reverse order.
#[derive(Attrs, Clone, Debug)]
pub struct Reverse {
    /// The axes.
    #[attr(id = 1)]
    pub axis: Shape,
}

impl Operator for Reverse {
    fn meta() -> Meta {
        Meta::new("reverse", [Input::new("data", "The array.")]).aliases(&["flip"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let along = |name, axis: &[i64]| Sample::new(name).input(&[2, 3, 4]).attr("axis", axis);
        let mut samples = vec![
            along("one axis", &[1]),
            along("two axes", &[0, 2]),
            along("from the end", &[-1]).oracle(Oracle::MxNetCode("mx.nd.reverse(x[0], axis=2)")),
        ];
        samples.extend(moving_samples(&[4, 3], |s| s.attr("axis", [0]), "x[0][::-1]"));
        samples.push(along("an axis too many", &[3]).fails(ErrorCode::Index));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if let Some(x) = s.input(0) {
            self.axis.iter().try_for_each(|a| x.axis(*a).map(drop))?;
        }
        s.all_same()
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let x = k.shape(0);
        let mut at: SmallVec<[Stretch; 6]> =
            x.iter().map(|d| Stretch { begin: 0, step: 1, len: *d }).collect();
        for axis in self.axis.iter() {
            let axis = x.axis(*axis)?;
            at[axis] = stretch(x[axis], None, None, -1);
        }
        take_part(k, &at);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(self.clone(), &[]));
        Ok(())
    }
}
