//! Positions of extremes.

use super::{axis_mask, reduced};
use crate::kernels::reduce::{Extreme, arg_extreme};
use crate::ops::family::prelude::*;
use crate::shape::normalize_axis;

/// Finds the positions of extremes along an axis, or in all of the array.
fn positions(k: &Kernel, which: Extreme, axis: Option<i64>) -> Result<()> {
    let shape = k.shape(0);
    let around = match axis {
        Some(axis) => {
            let axis = normalize_axis(axis, shape.ndim())?;
            let size = |part: &[i64]| part.iter().product::<i64>() as usize;
            (size(&shape[..axis]), shape[axis] as usize, size(&shape[axis + 1..]))
        }
        None => (1, shape.len(), 1),
    };
    let mut found = vec![0; k.out_shape(0).len()];
    with_dtype!(k.dtype(0), T => arg_extreme::<T>(which, k.input(0), around, &mut found));
    with_dtype!(k.out_dtype(0), T => {
        k.output::<T>(0).iter_mut().zip(found).for_each(|(o, f)| *o = T::from_i64(f));
    });
    Ok(())
}

fn check_searched(s: &ShapeInfer, axis: Option<i64>) -> Result<()> {
    let Some(x) = s.known(0) else { return Ok(()) };
    let searched = match axis {
        Some(axis) => x[normalize_axis(axis, x.ndim())?],
        None => x.len() as i64,
    };
    if searched == 0 {
        return Err(err!(Shape, "expected at least one element to search, got shape {x}").about("data"));
    }
    Ok(())
}

macro_rules! position {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal, $which:expr) => {
        $(#[doc = $doc])*
        ///
        /// The first of equal elements counts, and a NaN counts as the extreme. Positions have the dtype of the
        /// array, as in MXNet; those of truth values, which MXNet refuses, are `int64`, as in NumPy.
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// The axis to search; the flattened array if absent.
            #[attr(id = 1)]
            pub axis: Option<i64>,
            /// Keep the searched axes, with size 1.
            #[attr(id = 2, default = false)]
            pub keepdims: bool,
        }
        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [Input::new("data", "The array.")]).dtypes(DTypes::ALL)
            }
            fn samples() -> Vec<Sample> {
                let array = |name| Sample::new(name).distinct(&[2, 3, 4]).no_gradient();
                vec![
                    array("all of the array"),
                    array("one axis").attr("axis", 1),
                    array("the last axis, kept").attr("axis", -1).attr("keepdims", true),
                    array("all axes, kept").attr("keepdims", true),
                    Sample::new("equal elements").values(&[4], &[1.0, 2.0, 2.0, 1.0]).attr("axis", 0).no_gradient(),
                    Sample::new("integers").ints(&[4, 3], 0, 99).attr("axis", 0).int_dtypes(),
                    Sample::new("truth values")
                        .values(&[2, 3], &[0.0, 1.0, 1.0, 1.0, 0.0, 1.0])
                        .attr("axis", 1)
                        .bool_dtype()
                        .oracle(Oracle::NumPy(concat!("x[0].", $name, "(axis=1)"))),
                    Sample::new("no rows").input(&[0, 3]).attr("axis", 1).no_gradient(),
                    Sample::new("nothing to search").input(&[0, 3]).attr("axis", 0).fails(ErrorCode::Shape),
                    Sample::new("an axis too many").input(&[2]).attr("axis", 1).fails(ErrorCode::Index),
                ]
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                let Some(x) = s.input(0) else { return Ok(()) };
                let axis = self.axis.map(|a| Shape::new(&[a]));
                let mask = axis_mask(axis.as_ref(), false, x.ndim())?;
                let out = reduced(x, &mask, self.keepdims);
                s.set_output(0, out)
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                match t.input(0) {
                    Some(DType::Bool) => t.set_output(0, DType::I64),
                    _ => t.same(&[0]),
                }
            }
            fn check(&self, s: &ShapeInfer) -> Result<()> {
                check_searched(s, self.axis)
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                positions(k, $which, self.axis)
            }
            fn gradient(&self, _b: &Builder) -> Result<()> {
                Ok(())
            }
        }
    };
}

position! {
    /// Positions of the largest elements along an axis.
    ArgMax = "argmax", Extreme::Max
}

position! {
    /// Positions of the smallest elements along an axis.
    ArgMin = "argmin", Extreme::Min
}

/// Positions of the largest elements along the second axis: the classes of a batch of predictions.
#[derive(Attrs, Clone, Debug)]
pub struct ArgMaxChannel;

impl Operator for ArgMaxChannel {
    fn meta() -> Meta {
        Meta::new("argmax_channel", [Input::new("data", "The array.")]).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("a matrix").distinct(&[3, 5]).no_gradient(),
            Sample::new("more axes").distinct(&[2, 3, 4]).no_gradient(),
            Sample::new("integers").ints(&[4, 3], 0, 99).int_dtypes(),
            Sample::new("one axis").input(&[2]).fails(ErrorCode::Index),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0) else { return Ok(()) };
        let mask = axis_mask(Some(&Shape::new(&[1])), false, x.ndim())?;
        let out = reduced(x, &mask, false);
        s.set_output(0, out)
    }
    fn check(&self, s: &ShapeInfer) -> Result<()> {
        check_searched(s, Some(1))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        positions(k, Extreme::Max, Some(1))
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}
