//! Sums and repetitions that bring an array to another's shape.

use super::sizes;
use crate::kernels::reduce::{Reduction, reduce};
use crate::op::pointwise::{repeat, repeat_divided};
use crate::ops::family::prelude::*;

/// Sums an array over the axes along which `like` was repeated to get the array's shape.
#[derive(Attrs, Clone, Debug)]
pub struct SumLike;

impl Operator for SumLike {
    fn meta() -> Meta {
        Meta::new(
            "_sum_like",
            [Input::new("data", "The array."), Input::new("like", "The shape.").shape_only()],
        )
        .dtypes(DTypes::NUMERIC)
        .internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0].sum(axis=1, keepdims=True)[0]");
        vec![
            Sample::new("one axis")
                .input(&[2, 3, 2])
                .input(&[1, 2])
                .oracle(Oracle::NumPy("x[0].sum(axis=(0, 1))[None]")),
            Sample::new("integers").ints(&[1, 3, 2], 0, 5).ints(&[1, 2], 0, 2).int_dtypes().oracle(numpy),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        match s.input(1).cloned() {
            Some(like) => s.set_output(0, like),
            None => Ok(()),
        }
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn view_of(&self, s: &ShapeInfer) -> Option<usize> {
        (s.known(0)? == s.known(1)?).then_some(0)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (shape, out) = (k.shape(0), k.out_shape(0));
        if shape == out {
            // As the view is: a sum of one negative zero would be a positive one.
            k.copy(0, 0);
            return Ok(());
        }
        let lead = shape.ndim() - out.ndim();
        let mask: Vec<bool> = (0..shape.ndim()).map(|a| a < lead || out[a - lead] != shape[a]).collect();
        with_dtype!(k.dtype(0), T => reduce::<T>(Reduction::Sum, k.input(0), &sizes(shape), &mask, k.output(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(BroadcastLike::default(), &[b.input(0)]));
        Ok(())
    }
}

/// Repeats `lhs` along its axes of size 1 to the shape of `rhs`.
#[derive(Attrs, Clone, Debug, Default)]
pub struct BroadcastLike {
    /// Axes of `lhs` that take their size from `rhs`; all without it.
    #[attr(id = 1)]
    pub lhs_axes: Option<Shape>,
    /// The axes of `rhs` that belong to `lhs_axes`.
    #[attr(id = 2)]
    pub rhs_axes: Option<Shape>,
}

impl Operator for BroadcastLike {
    fn meta() -> Meta {
        Meta::new(
            "broadcast_like",
            [Input::new("lhs", "The array."), Input::new("rhs", "The shape to take.").shape_only()],
        )
        .dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("one axis").input(&[3, 1]).input(&[3, 4]),
            Sample::new("integers").ints(&[1, 2], 0, 5).ints(&[3, 2], 0, 2).int_dtypes(),
            Sample::new("chosen axes")
                .input(&[1, 2])
                .input(&[2, 5])
                .attr("lhs_axes", [0])
                .attr("rhs_axes", [1]),
            Sample::new("truth values")
                .ints(&[1, 2], 0, 2)
                .ints(&[3, 2], 0, 2)
                .bool_dtype()
                .oracle(Oracle::NumPy("np.broadcast_to(x[0], x[1].shape)")),
            Sample::new("a size that is not 1").input(&[2, 3]).input(&[4, 3]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(from), Some(like)) = (s.input(0), s.input(1)) else { return Ok(()) };
        let mut out = like.clone();
        if let (Some(l), Some(r)) = (&self.lhs_axes, &self.rhs_axes) {
            if l.ndim() != r.ndim() {
                return Err(err!(InvalidValue, "expected as many axes as in lhs_axes, {}", l.ndim())
                    .about("rhs_axes"));
            }
            out = from.clone();
            for (l, r) in l.iter().zip(r.iter()) {
                out[from.axis(*l)?] = like[like.axis(*r)?];
            }
        }
        let fits = from.ndim() <= out.ndim()
            && from.iter().rev().zip(out.iter().rev()).all(|(a, b)| a == b || *a == 1 || *a == UNKNOWN);
        if !fits {
            return Err(err!(Shape, "shape {from} cannot be repeated to {out}").about("lhs"));
        }
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn view_of(&self, s: &ShapeInfer) -> Option<usize> {
        (s.known(0)? == s.output(0)?).then_some(0)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let shape = k.shape(0).clone();
        repeat(k, &shape)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(SumLike, &[b.input(0)]));
        Ok(())
    }
}

/// Repeats a reduced array along the axes that were reduced, to the shape of `like`: the gradient of a sum.
#[derive(Attrs, Clone, Debug)]
pub struct SpreadLike {
    /// The axes that were reduced; all of them if absent or empty.
    #[attr(id = 1)]
    pub axis: Option<Shape>,
    /// The axes that `axis` does not name were reduced.
    #[attr(id = 2, default = false)]
    pub exclude: bool,
    /// Divide by the number of repetitions.
    #[attr(id = 3, default = false)]
    pub mean: bool,
}

impl Operator for SpreadLike {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The array."), Input::new("like", "The shape.").shape_only()];
        Meta::new("_spread_like", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.broadcast_to(x[0][:, None], x[1].shape)");
        vec![
            Sample::new("one axis").input(&[2, 2]).input(&[2, 3, 2]).attr("axis", [1]).oracle(numpy),
            Sample::new("a mean")
                .input(&[2, 2])
                .input(&[2, 3, 2])
                .attr("axis", [1])
                .attr("mean", true)
                .oracle(Oracle::NumPy("np.broadcast_to(x[0][:, None], x[1].shape) / 3")),
            Sample::new("integers")
                .ints(&[2, 2], 0, 5)
                .ints(&[2, 3, 2], 0, 2)
                .attr("axis", [1])
                .int_dtypes()
                .oracle(numpy),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        match s.input(1).cloned() {
            Some(like) => s.set_output(0, like),
            None => Ok(()),
        }
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let mask = super::axis_mask(self.axis.as_ref(), self.exclude, k.out_shape(0).ndim())?;
        let kept = k.out_shape(0).iter().zip(&mask).map(|(d, reduced)| if *reduced { 1 } else { *d });
        let shape: Shape = kept.collect();
        if self.mean {
            return repeat_divided(k, &shape, (k.out_shape(0).len() / shape.len().max(1)) as f64);
        }
        repeat(k, &shape)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (axis, exclude) = (self.axis.clone(), self.exclude);
        let sum = if self.mean {
            b.out_grad(0).apply(super::Mean { axis, keepdims: false, exclude }, &[])
        } else {
            b.out_grad(0).apply(super::Sum { axis, keepdims: false, exclude }, &[])
        };
        b.set_grad(0, sum.apply(crate::ops::create::ReshapeLike::default(), &[b.input(0)]));
        Ok(())
    }
}
