//! What can be said of an array without its elements: constants of its shape, the shape and the size.

use crate::ops::family::prelude::*;

fn samples() -> Vec<Sample> {
    vec![
        Sample::new("a matrix").input(&[3, 5]).no_gradient(),
        Sample::new("integers").ints(&[4, 3], 0, 9).int_dtypes(),
        Sample::new("truth values").ints(&[5], 0, 2).bool_dtype(),
        Sample::new("no elements").input(&[0, 3]).no_gradient(),
        Sample::new("two inputs").input(&[2]).input(&[2]).fails(ErrorCode::InvalidValue),
    ]
}

fn meta(name: &'static str) -> Meta {
    Meta::new(name, [Input::new("data", "The array.").shape_only()]).dtypes(DTypes::ALL)
}

macro_rules! constant_like {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal aliases [$($alias:literal),*], $value:literal) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op;
        impl Operator for $op {
            fn meta() -> Meta {
                meta($name).aliases(&[$($alias),*])
            }
            fn samples() -> Vec<Sample> {
                samples()
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                s.all_same()
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                with_dtype!(k.out_dtype(0), T => k.output::<T>(0).fill(T::from_f64($value)));
                Ok(())
            }
            fn gradient(&self, _b: &Builder) -> Result<()> {
                Ok(())
            }
        }
    };
}

constant_like! {
    /// Zeros in the shape and dtype of an array.
    ZerosLike = "zeros_like" aliases ["_sparse_zeros_like"], 0.0
}

constant_like! {
    /// Ones in the shape and dtype of an array.
    OnesLike = "ones_like" aliases [], 1.0
}

/// The shape of an array, as an array of `int64`.
#[derive(Attrs, Clone, Debug)]
pub struct ShapeArray;

impl Operator for ShapeArray {
    fn meta() -> Meta {
        meta("shape_array").aliases(&["_npx_shape_array"])
    }
    fn samples() -> Vec<Sample> {
        samples()
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        let out = Shape::new(&[x.ndim() as i64]);
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(0, DType::I64)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        k.output::<i64>(0).copy_from_slice(k.shape(0));
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}

/// The number of elements of an array, as an array with one element of `int64`.
#[derive(Attrs, Clone, Debug)]
pub struct SizeArray;

impl Operator for SizeArray {
    fn meta() -> Meta {
        meta("size_array")
    }
    fn samples() -> Vec<Sample> {
        samples()
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(0, Shape::new(&[1]))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(0, DType::I64)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        k.output::<i64>(0)[0] = k.shape(0).len() as i64;
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}
