//! Tests for numbers that are not finite; they give `bool`.

use crate::ops::family::prelude::*;

macro_rules! number_test {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal, |$x:ident| $body:expr) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op;
        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [Input::new("x", "The input array.")]).dtypes(DTypes::NUMERIC)
            }
            fn samples() -> Vec<Sample> {
                vec![
                    Sample::new("numbers").input(&[3, 5]).no_gradient(),
                    Sample::new("integers").ints(&[4, 3], 0, 9).int_dtypes(),
                    Sample::new("two inputs").input(&[2]).input(&[2]).fails(ErrorCode::InvalidValue),
                ]
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                s.all_same()
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                t.require(0, DTypes::NUMERIC)?;
                t.set_output(0, DType::Bool)
            }
            fn pointwise(&self) -> Option<Pointwise> {
                #[allow(clippy::eq_op)]
                let test = pointwise!(Real, |$x| T::truth($body));
                Some(test)
            }
            fn gradient(&self, _b: &Builder) -> Result<()> {
                Ok(())
            }
        }
    };
}

number_test! {
    /// True where an element is NaN.
    IsNan = "_npi_isnan", |x| x != x
}

number_test! {
    /// True where an element is an infinity.
    IsInf = "_npi_isinf", |x| x.abs() == T::lit(f64::INFINITY)
}

number_test! {
    /// True where an element is neither NaN nor an infinity.
    IsFinite = "_npi_isfinite", |x| x.abs() < T::lit(f64::INFINITY)
}
