//! A bump, which stands for any operator that somebody adds.

use crate::ops::family::prelude::*;

/// A bump around zero: `height / (1 + x²)`.
#[derive(Attrs, Clone, Debug)]
pub struct ToyBump {
    /// The value at zero.
    #[attr(id = 1, default = 1.0, min = 0.125)]
    pub height: f64,
}

impl Operator for ToyBump {
    fn meta() -> Meta {
        Meta::new("toy_bump", [Input::new("data", "The input array.")]).dtypes(DTypes::FLOAT)
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("attrs.get('height', 1.0) / (1 + x[0] ** 2)");
        vec![
            Sample::new("a matrix").input(&[3, 5]).oracle(numpy),
            Sample::new("a higher bump").input(&[4]).attr("height", 2.5).oracle(numpy),
            Sample::new("no axes").input(&[]).oracle(numpy),
            Sample::new("nothing at all").input(&[2, 0]).oracle(numpy).no_gradient(),
            Sample::new("a hollow").input(&[4]).attr("height", -1.0).fails(ErrorCode::InvalidValue),
            Sample::new("two inputs").input(&[4]).input(&[4]).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let height = self.height;
        with_dtype!(k.dtype(0), [F32 f32, F64 f64, F16 half::f16, BF16 half::bf16], T => {
            for (y, x) in k.output::<T>(0).iter_mut().zip(k.input::<T>(0)) {
                let x = x.to_f64();
                *y = T::from_f64(height / (1.0 + x * x));
            }
            Ok(())
        })
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        // y' = -2 x height / (1 + x²)² = -2 x y² / height
        let (x, y) = (b.input(0), b.output(0));
        b.set_grad(0, b.out_grad(0) * x * y * y * (-2.0 / self.height));
        Ok(())
    }
}
