//! Arrays that take the shape of another.

use crate::ops::family::prelude::*;

/// The elements of `lhs` in the shape of `rhs`.
#[derive(Attrs, Clone, Debug)]
pub struct ReshapeLike;

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
            Sample::new("another number of elements").input(&[5]).input(&[2, 3]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if let (Some(a), Some(b)) = (s.known(0), s.known(1)) {
            if a.len() != b.len() {
                return Err(
                    err!(Shape, "expected {} elements for shape {b}, got shape {a}", b.len()).about("lhs")
                );
            }
        }
        match s.input(1).cloned() {
            Some(like) => s.set_output(0, like),
            None => Ok(()),
        }
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
        b.set_grad(0, b.out_grad(0).apply(ReshapeLike, &[b.input(0)]));
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
