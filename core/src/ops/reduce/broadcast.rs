//! Repetition of axes of size 1 to sizes that attributes say.

use super::SumLike;
use crate::op::pointwise::repeat;
use crate::ops::family::prelude::*;
use crate::shape::normalize_axis;

/// Repeats an array along its axes of size 1 to a shape.
#[derive(Attrs, Clone, Debug)]
pub struct BroadcastTo {
    /// The shape; 0 leaves an axis as it is.
    #[attr(id = 1, default = Shape::scalar())]
    pub shape: Shape,
}

impl Operator for BroadcastTo {
    fn meta() -> Meta {
        Meta::new("broadcast_to", [Input::new("data", "The array.")]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("one axis").input(&[3, 1]).attr("shape", [3, 4]),
            Sample::new("axes that stay").input(&[2, 1, 3]).attr("shape", [0, 4, 0]),
            Sample::new("integers").ints(&[1, 3], 0, 9).attr("shape", [2, 3]).int_dtypes(),
            Sample::new("truth values").ints(&[2, 1], 0, 2).attr("shape", [2, 3]).bool_dtype(),
            Sample::new("another number of axes").input(&[2]).attr("shape", [2, 2]).fails(ErrorCode::Shape),
            Sample::new("a size that is not 1").input(&[2, 3]).attr("shape", [4, 3]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        let size = |(x, to): (&i64, &i64)| match (*x, *to) {
            (x, 0) => Some(x),
            (x, to) if x == 1 || x == to || x == UNKNOWN => Some(to),
            _ => None,
        };
        let out = (x.ndim() == self.shape.ndim())
            .then(|| x.iter().zip(self.shape.iter()).map(size).collect::<Option<Shape>>())
            .flatten()
            .ok_or_else(|| err!(Shape, "shape {x} cannot be repeated to {}", self.shape).about("shape"))?;
        s.set_output(0, out)
    }
    fn view_of(&self, s: &ShapeInfer) -> Option<usize> {
        (s.known(0)? == s.output(0)?).then_some(0)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        repeat(k, k.shape(0))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(SumLike, &[b.input(0)]));
        Ok(())
    }
}

/// Repeats an array along some axes of size 1.
#[derive(Attrs, Clone, Debug)]
pub struct BroadcastAxis {
    /// The axes.
    #[attr(id = 1, default = Shape::scalar())]
    pub axis: Shape,
    /// Their new sizes.
    #[attr(id = 2, default = Shape::scalar())]
    pub size: Shape,
}

impl Operator for BroadcastAxis {
    fn meta() -> Meta {
        Meta::new("broadcast_axis", [Input::new("data", "The array.")])
            .aliases(&["broadcast_axes"])
            .dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("one axis").input(&[3, 1]).attr("axis", [1]).attr("size", [4]),
            Sample::new("two axes").input(&[1, 3, 1]).attr("axis", [0, 2]).attr("size", [2, 3]),
            Sample::new("integers").ints(&[1, 3], 0, 9).attr("axis", [0]).attr("size", [2]).int_dtypes(),
            Sample::new("a size that is not 1")
                .input(&[2, 3])
                .attr("axis", [0])
                .attr("size", [4])
                .fails(ErrorCode::Shape),
            Sample::new("a missing size").input(&[1, 3]).attr("axis", [0]).fails(ErrorCode::InvalidValue),
            Sample::new("an axis too many")
                .input(&[1])
                .attr("axis", [1])
                .attr("size", [4])
                .fails(ErrorCode::Index),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        if self.axis.ndim() != self.size.ndim() {
            return Err(err!(InvalidValue, "expected {} sizes, got {}", self.axis.ndim(), self.size.ndim())
                .about("size"));
        }
        let mut out = x.clone();
        for (axis, size) in self.axis.iter().zip(self.size.iter()) {
            let axis = normalize_axis(*axis, x.ndim())?;
            if !matches!(x[axis], 1 | UNKNOWN) {
                return Err(err!(Shape, "expected size 1 along axis {axis}, got shape {x}").about("data"));
            }
            out[axis] = *size;
        }
        s.set_output(0, out)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        repeat(k, k.shape(0))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(SumLike, &[b.input(0)]));
        Ok(())
    }
}
