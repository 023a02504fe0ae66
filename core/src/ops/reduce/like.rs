//! Sums and repetitions that bring an array to another's shape.

use crate::op::pointwise::repeat;
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
        with_dtype!(k.dtype(0), T => sum_to::<T>(k.input(0), k.shape(0), k.output(0), k.out_shape(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(BroadcastLike::default(), &[b.input(0)]));
        Ok(())
    }
}

/// Adds each element of `x` to the element of `out` that its place falls on.
fn sum_to<T: Element>(x: &[T], shape: &Shape, out: &mut [T], out_shape: &Shape) {
    let lead = shape.ndim() - out_shape.ndim();
    let strides = out_shape.strides();
    let mut sums = vec![0.0; out.len()];
    let mut index = vec![0i64; shape.ndim()];
    for v in x {
        let at = (lead..shape.ndim())
            .filter(|a| out_shape[a - lead] != 1)
            .map(|a| index[a] as usize * strides[a - lead]);
        sums[at.sum::<usize>()] += v.to_f64();
        for axis in (0..shape.ndim()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out.iter_mut().zip(sums).for_each(|(o, s)| *o = T::from_f64(s));
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
        repeat(k, &shape)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let sum = super::Sum { axis: self.axis.clone(), keepdims: false, exclude: self.exclude };
        b.set_grad(0, b.out_grad(0).apply(sum, &[]).apply(crate::ops::create::ReshapeLike, &[b.input(0)]));
        Ok(())
    }
}
