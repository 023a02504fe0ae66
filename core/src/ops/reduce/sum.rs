//! Sums, products and extremes along axes.

use super::like::SpreadLike;
use super::{axis_mask, infer_reduced, sizes};
use crate::kernels::reduce::{ReduceElement, Reduction, reduce, reduce_wide};
use crate::ops::elemwise::{BroadcastEqual, Where, ZerosLike};
use crate::ops::family::prelude::*;

/// A gradient of a reduction in terms of the output's gradient spread over the input, the input, and the output
/// spread over the input.
type Rule = for<'b> fn(Val<'b>, Val<'b>, &dyn Fn() -> Val<'b>) -> Val<'b>;

/// Makes a reduction from its kernel and its gradient. Truth values count as 0 and 1, and what comes out is true
/// unless it is 0, as in MXNet.
macro_rules! reduction {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal aliases [$($alias:literal),*], $kernel:expr,
     empty $empty:ident, mean $mean:literal, $grad:expr) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// The axes to reduce; all of them if absent or empty.
            #[attr(id = 1)]
            pub axis: Option<Shape>,
            /// Keep the reduced axes, with size 1.
            #[attr(id = 2, default = false)]
            pub keepdims: bool,
            /// Reduce the axes that `axis` does not name.
            #[attr(id = 3, default = false)]
            pub exclude: bool,
        }
        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [Input::new("data", "The array.")])
                    .aliases(&[$($alias),*])
                    .dtypes(DTypes::ALL)
            }
            fn samples() -> Vec<Sample> {
                samples(stringify!($empty))
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                infer_reduced(s, self.axis.as_ref(), self.exclude, self.keepdims)
            }
            fn check(&self, s: &ShapeInfer) -> Result<()> {
                match s.known(0) {
                    Some(x) if stringify!($empty) == "refused" && x.len() == 0 => {
                        Err(err!(Shape, "expected at least one element, got shape {x}").about("data"))
                    }
                    _ => Ok(()),
                }
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let mask = axis_mask(self.axis.as_ref(), self.exclude, k.shape(0).ndim())?;
                let sizes = sizes(k.shape(0));
                with_dtype!(k.dtype(0), T => $kernel(k.input::<T>(0), &sizes, &mask, k.output::<T>(0)));
                Ok(())
            }
            fn gradient(&self, b: &Builder) -> Result<()> {
                let x = b.input(0);
                let spread = |mean| SpreadLike { axis: self.axis.clone(), exclude: self.exclude, mean };
                let rule: Rule = $grad;
                let dy = b.out_grad(0).apply(spread($mean), &[x]);
                b.set_grad(0, rule(dy, x, &|| b.output(0).apply(spread(false), &[x])));
                Ok(())
            }
        }
    };
}

reduction! {
    /// Sum of the elements along axes.
    Sum = "sum" aliases ["_sparse_sum", "sum_axis"], |x, d, m, out| reduce(Reduction::Sum, x, d, m, out),
    empty allowed, mean false, |dy, _, _| dy
}

reduction! {
    /// Mean of the elements along axes. That of integers loses its fraction.
    Mean = "mean" aliases ["_sparse_mean"], mean, empty allowed, mean true, |dy, _, _| dy
}

reduction! {
    /// Product of the elements along axes. As in MXNet, its gradient is NaN where an element is 0.
    Prod = "prod" aliases [], |x, d, m, out| reduce(Reduction::Prod, x, d, m, out),
    empty allowed, mean false, |dy, x, y| dy * y() / x
}

reduction! {
    /// Sum of the elements along axes that are not NaN.
    NanSum = "nansum" aliases [], |x, d, m, out| reduce(Reduction::NanSum, x, d, m, out),
    empty allowed, mean false, |dy, x, _| dy * x.apply(BroadcastEqual, &[x])
}

reduction! {
    /// Product of the elements along axes that are not NaN.
    NanProd = "nanprod" aliases [], |x, d, m, out| reduce(Reduction::NanProd, x, d, m, out),
    empty allowed, mean false, |dy, x, y| {
        let grad = dy * y() / x;
        x.apply(BroadcastEqual, &[x]).apply(Where, &[grad, x.apply(ZerosLike, &[])])
    }
}

reduction! {
    /// Largest element along axes; NaN if one is. The gradient goes to every element that equals it.
    Max = "max" aliases ["max_axis"], |x, d, m, out| reduce(Reduction::Max, x, d, m, out),
    empty refused, mean false, |dy, x, y| dy * x.apply(BroadcastEqual, &[y()])
}

reduction! {
    /// Smallest element along axes; NaN if one is. The gradient goes to every element that equals it.
    Min = "min" aliases ["min_axis"], |x, d, m, out| reduce(Reduction::Min, x, d, m, out),
    empty refused, mean false, |dy, x, y| dy * x.apply(BroadcastEqual, &[y()])
}

fn mean<T: ReduceElement>(x: &[T], sizes: &[usize], mask: &[bool], out: &mut [T]) {
    let sums = reduce_wide(Reduction::Sum, x, sizes, mask);
    let n: usize = sizes.iter().zip(mask).filter(|(_, m)| **m).map(|(d, _)| d).product();
    for (o, s) in out.iter_mut().zip(sums) {
        *o = match T::DTYPE {
            DType::Bool => T::narrow(s),
            d if d.is_float() => T::narrow(T::Acc::from_f64(s.to_f64() / n as f64)),
            _ => T::from_i64(s.to_i64() / n.max(1) as i64),
        };
    }
}

fn samples(empty: &str) -> Vec<Sample> {
    let array = |name, shape: &[i64]| Sample::new(name).distinct(shape);
    let none = Sample::new("over nothing").input(&[0, 3]).attr("axis", [0]);
    vec![
        array("all axes", &[2, 3, 3]),
        array("one axis", &[2, 3, 4]).attr("axis", [1]),
        array("the last axis, kept", &[2, 3, 4]).attr("axis", [-1]).attr("keepdims", true),
        array("two axes around another", &[2, 3, 4]).attr("axis", [0, 2]),
        array("all but one axis", &[2, 3, 2]).attr("axis", [1]).attr("exclude", true),
        array("all axes, kept", &[3, 5]).attr("keepdims", true),
        Sample::new("equal elements")
            .values(&[2, 3], &[3.0, 3.0, 1.0, 2.0, 1.0, 1.0])
            .attr("axis", [1])
            .no_finite_differences(),
        Sample::new("integers").ints(&[4, 3], 1, 5).attr("axis", [0]).int_dtypes(),
        Sample::new("truth values")
            .values(&[3, 3], &[1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
            .attr("axis", [1])
            .bool_dtype(),
        if empty == "refused" { none.fails(ErrorCode::Shape) } else { none.no_gradient() },
        Sample::new("an axis too many").input(&[2]).attr("axis", [1]).fails(ErrorCode::Index),
        Sample::new("an axis twice").input(&[2, 2]).attr("axis", [1, -1]).fails(ErrorCode::InvalidValue),
    ]
}
