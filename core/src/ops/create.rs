//! Operators that make arrays from their attributes, and from the shape of another array.

use crate::device::Device;
use crate::ops::family::prelude::*;

/// Makes an operator that fills a new array with a constant.
macro_rules! constant {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal, $($value:tt)*) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// The shape.
            #[attr(id = 1, default = Shape::scalar())]
            pub shape: Shape,
            /// The device; the current one if empty.
            #[attr(id = 2, default = "")]
            pub ctx: String,
            /// The dtype.
            #[attr(id = 3, default = DType::F32)]
            pub dtype: DType,
            $($value)*
        }
        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, []).dtypes(DTypes::ALL)
            }
            fn samples() -> Vec<Sample> {
                let sample = |name| Sample::new(name).attr("shape", [2, 3]).as_given();
                let mut bad = Sample::new("a negative size").attr("shape", [2, -3]).fails(ErrorCode::Shape);
                let mut samples: Vec<Sample> = DType::ALL
                    .into_iter()
                    .map(|d| sample(d.name()).attr("dtype", d).oracle(Oracle::NumPy(Self::NUMPY)))
                    .collect();
                if Self::NUMPY.contains("value") {
                    samples = samples.into_iter().map(|s| s.attr("value", 1.0)).collect();
                    bad = bad.attr("value", 1.0);
                    samples.push(Sample::new("a value that is no number").attr("value", "x").fails(ErrorCode::InvalidType));
                }
                samples.push(bad);
                samples
            }
            fn device(&self) -> Option<Device> {
                if self.ctx.is_empty() { None } else { Device::parse(&self.ctx).ok() }
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                s.set_output(0, self.shape.clone())
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                t.set_output(0, self.dtype)
            }
            fn check(&self, _s: &ShapeInfer) -> Result<()> {
                if !self.ctx.is_empty() {
                    Device::parse(&self.ctx).map_err(|e| e.about("ctx"))?;
                }
                self.shape.checked_len().map(drop).map_err(|e| e.about("shape"))
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let value = self.constant();
                with_dtype!(self.dtype, T => k.output::<T>(0).fill(T::from_f64(value)));
                Ok(())
            }
            fn gradient(&self, _b: &Builder) -> Result<()> {
                Ok(())
            }
        }
    };
}

constant! {
    /// An array of zeros.
    Zeros = "_zeros",
}
impl Zeros {
    const NUMPY: &'static str = "np.zeros(attrs['shape'])";
    fn constant(&self) -> f64 {
        0.0
    }
}

constant! {
    /// An array of ones.
    Ones = "_ones",
}
impl Ones {
    const NUMPY: &'static str = "np.ones(attrs['shape'])";
    fn constant(&self) -> f64 {
        1.0
    }
}

constant! {
    /// An array whose elements are all one value.
    Full = "_full",
    /// The value.
    #[attr(id = 4)]
    pub value: f64,
}
impl Full {
    const NUMPY: &'static str = "np.full(attrs['shape'], attrs['value'])";
    fn constant(&self) -> f64 {
        self.value
    }
}

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
