//! Repetition: of whole arrays and of elements.

use super::moving_samples;
use crate::kernels::reduce::{Reduction, reduce};
use crate::kernels::strided;
use crate::ops::family::prelude::*;
use smallvec::SmallVec;

/// The result of a repetition with its axes split: sizes, and which axes repeat.
type Plan = (SmallVec<[usize; 8]>, SmallVec<[bool; 8]>);

/// Fills the output with an input that runs through the axes of `plan` that do not repeat.
fn spread(k: &Kernel, (dims, repeats): &Plan) {
    let mut from: SmallVec<[isize; 8]> = SmallVec::from_elem(0, dims.len());
    let mut step = 1;
    for i in (0..dims.len()).rev().filter(|i| !repeats[*i]) {
        from[i] = step;
        step *= dims[i] as isize;
    }
    with_word!(k.dtype(0), W => strided::copy(
        dims, k.input_words::<W>(0), (0, &from), k.output_words::<W>(0), (0, &strided::steps(dims))));
}

/// Sums the input over the axes of `plan` that repeat.
fn gather(k: &Kernel, (dims, repeats): &Plan) {
    with_dtype!(k.dtype(0), T => reduce(Reduction::Sum, k.input::<T>(0), dims, repeats, k.output::<T>(0)));
}

/// What the sums of repetitions have in common.
fn sum_meta(name: &'static str) -> Meta {
    let inputs =
        [Input::new("data", "The array."), Input::new("like", "The shape of the result.").shape_only()];
    Meta::new(name, inputs).dtypes(DTypes::NUMERIC).internal()
}

/// An array repeated as a whole along its axes.
#[derive(Attrs, Clone, Debug)]
pub struct Tile {
    /// How often, for each of the last axes; more numbers than axes make new axes in front.
    #[attr(id = 1)]
    pub reps: Shape,
}

/// The axes of a tiled array of shape `x`: for each axis the repetition and the size.
fn tiles(x: &Shape, reps: &Shape) -> Plan {
    let n = x.ndim().max(reps.ndim());
    let last = |s: &Shape, i: usize| if i + s.ndim() < n { 1 } else { s[i + s.ndim() - n] as usize };
    (0..n).flat_map(|i| [(last(reps, i), true), (last(x, i), false)]).unzip_smallvec()
}

/// `unzip` into small vectors.
trait Unzip {
    fn unzip_smallvec(self) -> Plan;
}
impl<I: Iterator<Item = (usize, bool)>> Unzip for I {
    fn unzip_smallvec(self) -> Plan {
        let mut plan = Plan::default();
        for (d, r) in self {
            plan.0.push(d);
            plan.1.push(r);
        }
        plan
    }
}

impl Operator for Tile {
    fn meta() -> Meta {
        Meta::new("tile", [Input::new("data", "The array.")]).aliases(&["_npi_tile"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let by = |name, reps: &[i64]| Sample::new(name).input(&[2, 3]).attr("reps", reps);
        let mut samples = vec![
            by("each axis", &[2, 3]),
            by("the last axis", &[2]),
            by("a new axis", &[2, 1, 2]),
            by("never", &[0, 2]).no_gradient().oracle(Oracle::NumPy("np.tile(x[0], (0, 2))")),
        ];
        samples.extend(moving_samples(&[2, 3], |s| s.attr("reps", [2, 2]), "np.tile(x[0], (2, 2))"));
        samples.push(by("a negative number", &[-1]).fails(ErrorCode::InvalidValue));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if self.reps.iter().any(|r| *r < 0) {
            return Err(err!(InvalidValue, "expected no negative numbers, got {}", self.reps).about("reps"));
        }
        let Some(x) = s.known(0) else { return Ok(()) };
        let (dims, _) = tiles(x, &self.reps);
        s.set_output(0, dims.chunks_exact(2).map(|d| (d[0] * d[1]) as i64).collect())
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        spread(k, &tiles(k.shape(0), &self.reps));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(TileSum { reps: self.reps.clone() }, &[b.input(0)]));
        Ok(())
    }
}

/// The sum of the tiles of an array: the gradient of `tile`.
#[derive(Attrs, Clone, Debug)]
pub struct TileSum {
    /// How often `like` was repeated.
    #[attr(id = 1)]
    pub reps: Shape,
}

impl Operator for TileSum {
    fn meta() -> Meta {
        sum_meta("_tile_sum")
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0][:, :3] + x[0][:, 3:]");
        let twice = |s: Sample| s.attr("reps", [2]).oracle(numpy);
        vec![
            twice(Sample::new("two tiles").input(&[2, 6]).input(&[2, 3])).no_gradient(),
            twice(Sample::new("integers").ints(&[2, 6], 0, 9).ints(&[2, 3], 0, 1)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        gather(k, &tiles(k.out_shape(0), &self.reps));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(Tile { reps: self.reps.clone() }, &[]));
        Ok(())
    }
}

/// An array with each element repeated.
#[derive(Attrs, Clone, Debug)]
pub struct Repeat {
    /// How often.
    #[attr(id = 1, min = 0)]
    pub repeats: i64,
    /// The axis along which elements are repeated; if absent, the array is flattened first.
    #[attr(id = 2)]
    pub axis: Option<i64>,
}

/// The axes of an array of shape `x` with its elements repeated.
fn repetition(x: &Shape, repeats: i64, axis: Option<i64>) -> Result<Plan> {
    let axis = axis.map(|a| x.axis(a)).transpose()?;
    let (before, after) = axis.map_or((x.len(), 1), |a| {
        let (outer, size, inner) = x.split_at_axis(a);
        (outer * size, inner)
    });
    Ok([(before, false), (repeats as usize, true), (after, false)].into_iter().unzip_smallvec())
}

impl Operator for Repeat {
    fn meta() -> Meta {
        Meta::new("repeat", [Input::new("data", "The array.")]).aliases(&["_np_repeat"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let by = |name, n: i64| Sample::new(name).input(&[2, 3]).attr("repeats", n);
        let mut samples = vec![
            by("flattened", 2),
            by("along the first axis", 3).attr("axis", 0),
            by("along the last axis", 2).attr("axis", -1),
            by("never", 0).attr("axis", 1).no_gradient().oracle(Oracle::NumPy("np.repeat(x[0], 0, 1)")),
        ];
        let rows = |s: Sample| s.attr("repeats", 2).attr("axis", 0);
        samples.extend(moving_samples(&[2, 3], rows, "np.repeat(x[0], 2, 0)"));
        samples.push(by("a negative number", -1).fails(ErrorCode::InvalidValue));
        samples.push(by("an axis too many", 2).attr("axis", 2).fails(ErrorCode::Index));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.known(0) else { return Ok(()) };
        let out = match self.axis {
            None => Shape::new(&[x.len() as i64 * self.repeats]),
            Some(axis) => {
                let (axis, mut out) = (x.axis(axis)?, x.clone());
                out[axis] *= self.repeats;
                out
            }
        };
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        spread(k, &repetition(k.shape(0), self.repeats, self.axis)?);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let sum = RepeatSum { repeats: self.repeats, axis: self.axis };
        b.set_grad(0, b.out_grad(0).apply(sum, &[b.input(0)]));
        Ok(())
    }
}

/// The sums of repeated elements: the gradient of `repeat`.
#[derive(Attrs, Clone, Debug)]
pub struct RepeatSum {
    /// How often the elements of `like` were repeated.
    #[attr(id = 1, min = 0)]
    pub repeats: i64,
    /// Along which axis.
    #[attr(id = 2)]
    pub axis: Option<i64>,
}

impl Operator for RepeatSum {
    fn meta() -> Meta {
        sum_meta("_repeat_sum")
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0][:, ::2] + x[0][:, 1::2]");
        let twice = |s: Sample| s.attr("repeats", 2).attr("axis", 1).oracle(numpy);
        vec![
            twice(Sample::new("pairs").input(&[2, 6]).input(&[2, 3])).no_gradient(),
            twice(Sample::new("integers").ints(&[2, 6], 0, 9).ints(&[2, 3], 0, 1)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        gather(k, &repetition(k.out_shape(0), self.repeats, self.axis)?);
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(Repeat { repeats: self.repeats, axis: self.axis }, &[]));
        Ok(())
    }
}
