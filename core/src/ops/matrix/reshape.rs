//! Operators that give an array's elements another shape, without moving them.

use super::moving_samples;
use crate::ops::create::ReshapeLike;
use crate::ops::family::prelude::*;

/// What all of these do besides inferring their shape.
macro_rules! view {
    () => {
        fn view_of(&self, _s: &ShapeInfer) -> Option<usize> {
            Some(0)
        }
        fn in_place(&self) -> &'static [(usize, usize)] {
            &[(0, 0)]
        }
        fn forward(&self, k: &mut Kernel) -> Result<()> {
            k.copy(0, 0);
            Ok(())
        }
        fn gradient(&self, b: &Builder) -> Result<()> {
            b.set_grad(0, b.out_grad(0).apply(ReshapeLike::default(), &[b.input(0)]));
            Ok(())
        }
    };
}

/// The elements of an array in another shape.
///
/// In `shape`, besides sizes: 0 takes the size of the input's axis at this place; -1 stands for the size that is left;
/// -2 takes all remaining axes of the input; -3 joins its next two axes to one; -4 splits its next axis into the two
/// sizes that follow, one of which may be -1.
#[derive(Attrs, Clone, Debug)]
pub struct Reshape {
    /// The new shape.
    #[attr(id = 1, default = Shape::scalar())]
    pub shape: Shape,
    /// Read `shape` and the input's axes from the last to the first.
    #[attr(id = 2, default = false)]
    pub reverse: bool,
    /// The new shape in old model files; a size of 0 stands for what is left.
    #[attr(id = 3, default = Shape::scalar())]
    pub target_shape: Shape,
    /// With `target_shape`: keep the first axis.
    #[attr(id = 4, default = false)]
    pub keep_highest: bool,
}

impl Reshape {
    /// An operator that reshapes to `shape`, with the special numbers explained above.
    pub fn to(shape: &[i64]) -> Reshape {
        Reshape {
            shape: Shape::new(shape),
            reverse: false,
            target_shape: Shape::scalar(),
            keep_highest: false,
        }
    }

    /// The shape that an array of shape `from` gets.
    fn output(&self, from: &Shape) -> Result<Shape> {
        let out = if self.shape.ndim() > 0 {
            let mut out = if self.reverse {
                let backward = |s: &[i64]| s.iter().rev().copied().collect::<Shape>();
                backward(&read_codes(&backward(&self.shape), &backward(from))?)
            } else {
                read_codes(&self.shape, from)?
            };
            fill_rest(&mut out, from, REST);
            out
        } else {
            let mut out = self.target_shape.clone();
            if self.keep_highest && out.ndim() > 0 && from.ndim() > 0 {
                out[0] = from[0];
            }
            let start = usize::from(self.keep_highest);
            if out.iter().skip(start).filter(|d| **d == 0).count() == 1 {
                out.iter_mut().skip(start).filter(|d| **d == 0).for_each(|d| *d = REST);
                fill_rest(&mut out, from, REST);
            }
            out
        };
        if from.is_known() && out.is_known() && from.len() != out.checked_len()? {
            return Err(err!(
                Shape,
                "an array of shape {from} cannot be reshaped to {}, which gives {out}",
                self.shape
            )
            .about("shape"));
        }
        Ok(out)
    }
}

/// Stands for the size that is left while a shape is worked out; no size a user can give.
const REST: i64 = i64::MIN;

/// Gives the axis marked by `mark` the size that is left.
fn fill_rest(out: &mut Shape, from: &Shape, mark: i64) {
    let Some(at) = out.iter().position(|d| *d == mark) else { return };
    out[at] = 1;
    out[at] = if from.is_known() && out.is_known() {
        (from.len() as i64).checked_div(out.len() as i64).unwrap_or(0)
    } else {
        UNKNOWN
    };
}

/// The shape that `codes` makes of `from`, with [`REST`] for -1.
fn read_codes(codes: &[i64], from: &[i64]) -> Result<Shape> {
    let wrong =
        |text: &str| err!(InvalidValue, "{text}, in {codes:?} for an array of shape {from:?}").about("shape");
    let missing = || wrong("the array has too few axes");
    let (mut out, mut at, mut i) = (Shape::scalar(), 0, 0);
    while i < codes.len() {
        match codes[i] {
            0 => {
                out.push(*from.get(at).ok_or_else(missing)?);
                at += 1;
            }
            -1 => {
                if out.contains(&REST) {
                    return Err(wrong("only one size can be -1"));
                }
                out.push(REST);
                at += 1;
            }
            -2 => {
                from.iter().skip(at).for_each(|d| out.push(*d));
                at = from.len();
            }
            -3 => {
                let (a, b) = from.get(at).zip(from.get(at + 1)).ok_or_else(missing)?;
                out.push(if *a == UNKNOWN || *b == UNKNOWN { UNKNOWN } else { a * b });
                at += 2;
            }
            -4 => {
                let (a, b) =
                    codes.get(i + 1).zip(codes.get(i + 2)).ok_or_else(|| wrong("-4 needs two sizes"))?;
                let (a, b) = split(*from.get(at).ok_or_else(missing)?, *a, *b).ok_or_else(|| {
                    wrong("-4 needs two sizes whose product is the axis's, one of which may be -1")
                })?;
                out.push(a);
                out.push(b);
                at += 1;
                i += 2;
            }
            d if d > 0 => {
                out.push(d);
                at += 1;
            }
            _ => return Err(wrong("sizes are positive, or 0 to -4")),
        }
        i += 1;
    }
    Ok(out)
}

/// The two sizes that an axis of `d` is split into.
fn split(d: i64, a: i64, b: i64) -> Option<(i64, i64)> {
    match (a, b) {
        _ if d == UNKNOWN => Some((a, b)),
        (-1, b) if b > 0 => Some((d / b, b)),
        (a, -1) if a > 0 => Some((a, d / a)),
        other => Some(other),
    }
    .filter(|(a, b)| d == UNKNOWN || (*a >= 0 && *b >= 0 && a * b == d))
}

impl Operator for Reshape {
    fn meta() -> Meta {
        Meta::new("Reshape", [Input::new("data", "The array.")]).aliases(&["reshape"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let to = |name, shape: &[i64]| Sample::new(name).input(&[2, 3, 4]).attr("shape", shape);
        let mut samples = vec![
            to("given sizes", &[4, 6]),
            to("what is left", &[2, -1]),
            to("an axis kept", &[0, -1, 2]),
            to("the remaining axes", &[-2, 1, 1]),
            to("two axes joined", &[-3, 4]),
            to("an axis split", &[-4, 1, 2, -2]),
            to("an axis split, the size computed", &[-3, -4, 2, -1]),
            to("what is left after a split", &[-4, 1, -1, -1, 2])
                .oracle(Oracle::NumPy("x[0].reshape(1, 2, 6, 2)"))
                .no_gradient(),
            to("from the last axis", &[-1, 0]).attr("reverse", true),
            Sample::new("an old model's")
                .input(&[2, 3, 4])
                .attr("target_shape", [2, 0])
                .attr("keep_highest", true),
        ];
        samples.extend(moving_samples(&[2, 3], |s| s.attr("shape", [3, 2]), "x[0].reshape(3, 2)"));
        samples.extend([
            to("another number of elements", &[5, 5]).fails(ErrorCode::Shape),
            to("two sizes left out", &[-1, -1]).fails(ErrorCode::InvalidValue),
            to("an axis that is not there", &[2, 3, 4, 0]).fails(ErrorCode::InvalidValue),
        ]);
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if self.shape.ndim() == 0 && self.target_shape.ndim() == 0 {
            return Err(err!(InvalidValue, "the new shape must be given").about("shape"));
        }
        let Some(from) = s.input(0) else { return Ok(()) };
        let out = self.output(from)?;
        s.set_output(0, out)?;
        // One unknown axis of the input follows from the output.
        if let (Some(from), Some(out)) = (s.input(0).cloned(), s.output(0).cloned()) {
            let unknown = from.iter().filter(|d| **d == UNKNOWN).count();
            if unknown == 1 && out.is_known() {
                let mut from: Shape = from.iter().map(|d| if *d == UNKNOWN { REST } else { *d }).collect();
                fill_rest(&mut from, &out, REST);
                s.set_input(0, from)?;
            }
        }
        Ok(())
    }
    view!();
}

/// The elements of an array in two axes: the first, and all others as one.
#[derive(Attrs, Clone, Debug)]
pub struct Flatten;

impl Operator for Flatten {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The array.")];
        Meta::new("Flatten", inputs).aliases(&["_npx_batch_flatten", "flatten"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let mut samples = vec![
            Sample::new("three axes").input(&[2, 3, 4]),
            Sample::new("one axis").input(&[3]),
            Sample::new("no attributes").input(&[3]).attr("axis", 1).fails(ErrorCode::NotFound),
        ];
        samples.extend(moving_samples(&[2, 3, 2], |s| s, "x[0].reshape(2, 6)"));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        if x.ndim() == 0 {
            return Err(err!(Shape, "expected at least one axis, got a scalar").about("data"));
        }
        let known = x[1..].iter().all(|d| *d != UNKNOWN);
        let out = Shape::new(&[x[0], if known { x[1..].iter().product() } else { UNKNOWN }]);
        s.set_output(0, out)
    }
    view!();
}

/// An array with one more axis, of size 1.
#[derive(Attrs, Clone, Debug)]
pub struct ExpandDims {
    /// Where the axis is put; negative numbers count from the end of the result.
    #[attr(id = 1)]
    pub axis: i64,
}

impl Operator for ExpandDims {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The array.")];
        Meta::new("expand_dims", inputs).aliases(&["_npi_expand_dims"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let at = |name, axis: i64| Sample::new(name).input(&[2, 3]).attr("axis", axis);
        let mut samples = vec![at("first", 0), at("in the middle", 1), at("last", 2), at("from the end", -3)];
        samples.extend(moving_samples(&[2, 3], |s| s.attr("axis", -1), "x[0][..., None]"));
        samples.push(at("an axis too many", 3).fails(ErrorCode::Index));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if let Some(mut out) = s.input(0).cloned() {
            out.insert(crate::shape::normalize_axis(self.axis, out.ndim() + 1)?, 1);
            s.set_output(0, out)
        } else if let Some(mut x) = s.output(0).cloned() {
            x.remove(x.axis(self.axis)?);
            s.set_input(0, x)
        } else {
            Ok(())
        }
    }
    view!();
}

/// An array without axes of size 1. If nothing remains, one axis does.
#[derive(Attrs, Clone, Debug)]
pub struct Squeeze {
    /// The axes to remove; all of size 1 if absent.
    #[attr(id = 1)]
    pub axis: Option<Shape>,
}

impl Operator for Squeeze {
    fn meta() -> Meta {
        Meta::new("squeeze", [Input::new("data", "The array.")]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let array = |name| Sample::new(name).input(&[1, 3, 1, 2]);
        let mut samples = vec![
            array("all axes of size 1"),
            array("one axis").attr("axis", [0]),
            array("two axes").attr("axis", [0, -2]),
            Sample::new("nothing remains").input(&[1, 1]),
        ];
        samples.extend(moving_samples(&[2, 1], |s| s.attr("axis", [1]), "x[0][:, 0]"));
        samples.push(array("an axis of another size").attr("axis", [1]).fails(ErrorCode::Shape));
        samples.push(array("an axis too many").attr("axis", [4]).fails(ErrorCode::Index));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        let mut gone = vec![false; x.ndim()];
        match &self.axis {
            None if !x.is_known() => return Ok(()),
            None => gone.iter_mut().zip(x.iter()).for_each(|(g, d)| *g = *d == 1),
            Some(axes) => {
                for axis in axes.iter() {
                    let axis = x.axis(*axis)?;
                    if x[axis] != 1 && x[axis] != UNKNOWN {
                        return Err(err!(Shape, "axis {axis} of shape {x} has not size 1").about("axis"));
                    }
                    gone[axis] = true;
                }
            }
        }
        let mut out: Shape = x.iter().zip(&gone).filter(|(_, g)| !**g).map(|(d, _)| *d).collect();
        if out.ndim() == 0 {
            out.push(1);
        }
        s.set_output(0, out)
    }
    view!();
}
