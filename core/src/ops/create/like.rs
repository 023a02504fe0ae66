//! Arrays that take the shape of another.

use crate::ops::family::prelude::*;
use std::ops::Range;

/// The elements of `lhs` in the shape of `rhs`.
///
/// With any of the attributes, the axes `lhs_begin` to before `lhs_end` of `lhs` take the sizes of the axes
/// `rhs_begin` to before `rhs_end` of `rhs`, and the other axes of `lhs` stay. Negative numbers count from the end.
#[derive(Attrs, Clone, Debug, Default)]
pub struct ReshapeLike {
    /// The first axis of `lhs` that is reshaped; 0 if absent.
    #[attr(id = 1)]
    pub lhs_begin: Option<i64>,
    /// The axis of `lhs` behind those that are reshaped; its number of axes if absent.
    #[attr(id = 2)]
    pub lhs_end: Option<i64>,
    /// The first axis of `rhs` whose size is taken; 0 if absent.
    #[attr(id = 3)]
    pub rhs_begin: Option<i64>,
    /// The axis of `rhs` behind those whose sizes are taken; its number of axes if absent.
    #[attr(id = 4)]
    pub rhs_end: Option<i64>,
}

/// The axes from `begin` to before `end`, given as attributes, of an array with `ndim` axes.
fn axes(
    (begin, begin_name): (Option<i64>, &str),
    (end, end_name): (Option<i64>, &str),
    ndim: usize,
) -> Result<Range<usize>> {
    let place = |at: Option<i64>, default: usize, name: &str| {
        let from_start = at.map_or(default as i64, |at| if at < 0 { at + ndim as i64 } else { at });
        usize::try_from(from_start).ok().filter(|at| *at <= ndim).ok_or_else(|| {
            let got = at.unwrap_or_default();
            err!(Index, "expected a place between {ndim} axes, got {got}").about(name)
        })
    };
    let range = place(begin, 0, begin_name)?..place(end, ndim, end_name)?;
    if range.is_empty() {
        let (begin, end) = (range.start, range.end);
        return Err(err!(InvalidValue, "expected at least one axis, got {begin} to {end}").about(end_name));
    }
    Ok(range)
}

impl ReshapeLike {
    /// Whether all axes of `lhs` become all axes of `rhs`.
    fn takes_all(&self) -> bool {
        [self.lhs_begin, self.lhs_end, self.rhs_begin, self.rhs_end].iter().all(Option::is_none)
    }

    /// The shape that an array of shape `lhs` gets.
    fn output(&self, lhs: &Shape, rhs: &Shape) -> Result<Shape> {
        if self.takes_all() {
            return Ok(rhs.clone());
        }
        let own = axes((self.lhs_begin, "lhs_begin"), (self.lhs_end, "lhs_end"), lhs.ndim())?;
        let like = axes((self.rhs_begin, "rhs_begin"), (self.rhs_end, "rhs_end"), rhs.ndim())?;
        Ok(lhs[..own.start].iter().chain(&rhs[like]).chain(&lhs[own.end..]).copied().collect())
    }
}

/// A sample with `lhs_begin`, `lhs_end`, `rhs_begin` and `rhs_end`.
fn some_axes(name: &'static str, places: [Option<i64>; 4]) -> Sample {
    let names = ["lhs_begin", "lhs_end", "rhs_begin", "rhs_end"];
    let sample = Sample::new(name).input(&[6, 4]).input(&[3, 2, 2, 2]);
    names.into_iter().zip(places).fold(sample, |s, (name, at)| match at {
        Some(at) => s.attr(name, at),
        None => s,
    })
}

impl Operator for ReshapeLike {
    fn meta() -> Meta {
        let inputs = [Input::new("lhs", "The array."), Input::new("rhs", "The shape to take.").shape_only()];
        Meta::new("reshape_like", inputs).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("two axes from one").input(&[6]).input(&[2, 3]),
            Sample::new("integers").ints(&[6], 0, 9).ints(&[2, 3], 0, 9).int_dtypes(),
            Sample::new("truth values")
                .ints(&[6], 0, 2)
                .ints(&[2, 3], 0, 2)
                .bool_dtype()
                .oracle(Oracle::NumPy("x[0].reshape(x[1].shape)")),
            some_axes("the first axis as two", [Some(0), Some(1), Some(0), Some(2)]),
            some_axes("the last axis as two", [Some(-1), None, Some(-2), None]),
            some_axes("only ends", [None, Some(1), None, Some(-2)]),
            Sample::new("all axes as one")
                .input(&[3, 2])
                .input(&[1, 6, 4])
                .attr("rhs_begin", 1)
                .attr("rhs_end", 2),
            Sample::new("another number of elements").input(&[5]).input(&[2, 3]).fails(ErrorCode::Shape),
            some_axes("other sizes", [Some(0), Some(1), Some(1), None]).fails(ErrorCode::Shape),
            some_axes("an axis too many", [Some(0), Some(1), Some(0), Some(5)]).fails(ErrorCode::Index),
            some_axes("no axes", [Some(1), Some(1), Some(0), Some(2)]).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(lhs), Some(rhs)) = (s.input(0), s.input(1)) else {
            // Without attributes the shape of `lhs` says nothing about the result's.
            return match s.input(1).cloned() {
                Some(rhs) if self.takes_all() => s.set_output(0, rhs),
                _ => Ok(()),
            };
        };
        let out = self.output(lhs, rhs)?;
        if lhs.is_known() && out.is_known() && lhs.len() != out.len() {
            return Err(
                err!(Shape, "expected {} elements for shape {out}, got shape {lhs}", out.len()).about("lhs")
            );
        }
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
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
}

/// A copy of `lhs`, which has the shape of `rhs`.
#[derive(Attrs, Clone, Debug)]
pub struct IdentityLikeRhs;

impl Operator for IdentityLikeRhs {
    fn meta() -> Meta {
        let inputs = [Input::new("lhs", "The array."), Input::new("rhs", "The shape it has.").shape_only()];
        Meta::new("_identity_with_attr_like_rhs", inputs).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("a matrix").input(&[3, 5]).input(&[3, 5]),
            Sample::new("integers").ints(&[4], 0, 9).ints(&[4], 0, 9).int_dtypes(),
            Sample::new("different shapes").input(&[2]).input(&[3]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(0, 0)]
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        k.copy(0, 0);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0));
        Ok(())
    }
}
