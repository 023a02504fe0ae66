//! Norms along axes, and normalization by them.

use super::{SpreadLike, Sum, axis_mask, infer_reduced, sizes};
use crate::kernels::reduce::{ReduceElement, Reduction, reduce_wide};
use crate::ops::elemwise::{CastLike, Sign, Sqrt, Square};
use crate::ops::family::prelude::*;

/// Norm of the elements along axes: the root of the sum of squares, or the sum of absolute values.
#[derive(Attrs, Clone, Debug)]
pub struct Norm {
    /// 2 for the root of the sum of squares, 1 for the sum of absolute values.
    #[attr(id = 1, default = 2, min = 1, max = 2)]
    pub ord: i64,
    /// The axes to reduce; all of them if absent or empty.
    #[attr(id = 2)]
    pub axis: Option<Shape>,
    /// The dtype of the result; that of the array if absent.
    #[attr(id = 3)]
    pub out_dtype: Option<DType>,
    /// Keep the reduced axes, with size 1.
    #[attr(id = 4, default = false)]
    pub keepdims: bool,
}

impl Operator for Norm {
    fn meta() -> Meta {
        Meta::new("norm", [Input::new("data", "The array.")]).aliases(&["_sparse_norm"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let array = |name| Sample::new(name).grid(&[2, 3, 4], 0.5, 2.0);
        vec![
            array("all axes"),
            array("one axis").attr("axis", [1]),
            array("two axes, kept").attr("axis", [0, 2]).attr("keepdims", true),
            array("sum of absolute values").attr("ord", 1),
            Sample::new("signs")
                .values(&[2, 2], &[1.0, -2.0, 0.0, -0.5])
                .attr("ord", 1)
                .attr("axis", [1])
                .no_finite_differences()
                .oracle(Oracle::MxNetCode("mx.nd.sum(mx.nd.abs(x[0]), axis=1)")),
            array("in another dtype")
                .attr("out_dtype", DType::F64)
                .no_gradient()
                .oracle(Oracle::NumPy("np.sqrt((x[0] ** 2).sum()).reshape(1)")),
            // MXNet scales on the way, in integers, and loses more than the fraction.
            Sample::new("integers")
                .ints(&[4, 3], 0, 5)
                .attr("axis", [0])
                .int_dtypes()
                .oracle(Oracle::NumPy("np.sqrt((x[0] ** 2).sum(axis=0)).astype('int32')")),
            Sample::new("truth values").values(&[2, 2], &[1.0, 1.0, 0.0, 0.0]).attr("axis", [1]).bool_dtype(),
            Sample::new("over nothing").input(&[0, 3]).attr("axis", [0]).no_gradient(),
            Sample::new("another order").input(&[2]).attr("ord", 3).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        infer_reduced(s, self.axis.as_ref(), false, self.keepdims)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        match self.out_dtype {
            Some(d) => {
                t.require(0, DTypes::ALL)?;
                t.set_output(0, d)
            }
            None => t.same(&[0]),
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let mask = axis_mask(self.axis.as_ref(), false, k.shape(0).ndim())?;
        let norms = with_dtype!(k.dtype(0), T => norms::<T>(k.input(0), &sizes(k.shape(0)), &mask, self.ord));
        with_dtype!(k.out_dtype(0), U => {
            k.output::<U>(0).iter_mut().zip(norms).for_each(|(o, n)| *o = U::from_f64(n));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let x = b.input(0);
        let over = || SpreadLike { axis: self.axis.clone(), exclude: false, mean: false };
        let (mut dy, mut y) = (b.out_grad(0), b.output(0));
        if self.out_dtype.is_some() {
            (dy, y) = (dy.apply(CastLike, &[x]), y.apply(CastLike, &[x]));
        }
        let dy = dy.apply(over(), &[x]);
        b.set_grad(0, if self.ord == 1 { dy * x.apply(Sign, &[]) } else { dy * x / y.apply(over(), &[x]) });
        Ok(())
    }
}

fn norms<T: ReduceElement>(x: &[T], sizes: &[usize], mask: &[bool], ord: i64) -> Vec<f64> {
    if ord == 1 {
        reduce_wide(Reduction::SumAbs, x, sizes, mask).into_iter().map(Element::to_f64).collect()
    } else {
        reduce_wide(Reduction::SumSquares, x, sizes, mask).into_iter().map(|s| s.to_f64().sqrt()).collect()
    }
}

/// What [`L2Normalization`] divides together.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum Together {
    /// The channels of each position.
    Channel,
    /// All of each sample.
    Instance,
    /// The positions of each channel.
    Spatial,
}

/// Divides by the root of the sum of squares and a small number, taken over parts of each sample of a batch.
#[derive(Attrs, Clone, Debug)]
pub struct L2Normalization {
    /// Added to the sum of squares.
    #[attr(id = 1, default = 1e-10)]
    pub eps: f64,
    /// The part that is divided by its norm: 'instance' for a whole sample, 'channel' for the channels (axis 1) of a
    /// position, 'spatial' for the positions of a channel.
    #[attr(id = 2, default = Together::Instance)]
    pub mode: Together,
}

impl Operator for L2Normalization {
    fn meta() -> Meta {
        Meta::new("L2Normalization", [Input::new("data", "The array; the first axis is the batch.")])
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("samples").input(&[3, 5]),
            Sample::new("channels").input(&[2, 3, 4]).attr("mode", "channel").attr("eps", 0.5),
            Sample::new("positions").input(&[2, 3, 4]).attr("mode", "spatial").attr("eps", 0.5),
            Sample::new("no positions").input(&[2, 3]).attr("mode", "spatial").fails(ErrorCode::Shape),
            Sample::new("another mode").input(&[2, 3]).attr("mode", "batch").fails(ErrorCode::InvalidValue),
        ]
    }
    fn num_listed_outputs(&self) -> usize {
        2
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if let (Some(x), true) = (s.input(0), self.mode != Together::Instance) {
            if x.ndim() < 3 {
                return Err(err!(Shape, "expected at least 3 axes, got shape {x}").about("data"));
            }
        }
        s.all_same()
    }
    fn is_composite(&self) -> bool {
        true
    }
    fn compose<'b>(&self, b: &'b Builder) -> Option<Result<Vec<Val<'b>>>> {
        let (axes, exclude): (&[i64], bool) = match self.mode {
            Together::Channel => (&[1], false),
            Together::Instance => (&[0], true),
            Together::Spatial => (&[0, 1], true),
        };
        let x = b.input(0);
        let sum = Sum { axis: Some(Shape::new(axes)), keepdims: true, exclude };
        let norm = (x.apply(Square, &[]).apply(sum, &[]) + self.eps).apply(Sqrt, &[]);
        Some(Ok(vec![x / norm]))
    }
}
