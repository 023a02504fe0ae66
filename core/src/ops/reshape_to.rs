//! The operator that a reshaped view stands for on the tape.

use crate::ops::create::ReshapeLike;
use crate::ops::family::prelude::*;

/// The elements in a shape without special codes: every size is meant as it is.
#[derive(Attrs, Clone, Debug)]
pub struct ReshapeTo {
    /// The shape.
    #[attr(id = 1)]
    pub shape: Shape,
}

impl Operator for ReshapeTo {
    fn meta() -> Meta {
        Meta::new("_reshape_to", [Input::new("data", "The array.")]).dtypes(DTypes::ALL).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0].reshape(attrs['shape'])");
        vec![
            Sample::new("two axes from one").input(&[6]).attr("shape", [2, 3]).oracle(numpy),
            Sample::new("integers").ints(&[6], 0, 9).attr("shape", [3, 2]).int_dtypes().oracle(numpy),
            Sample::new("truth values").ints(&[6], 0, 2).attr("shape", [3, 2]).bool_dtype().oracle(numpy),
            Sample::new("another number of elements")
                .input(&[5])
                .attr("shape", [2, 3])
                .fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        if let Some(x) = s.known(0).filter(|x| x.len() != self.shape.len()) {
            return Err(err!(
                Shape,
                "expected {} elements for shape {}, got shape {x}",
                self.shape.len(),
                self.shape
            )
            .about("data"));
        }
        s.set_output(0, self.shape.clone())
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
