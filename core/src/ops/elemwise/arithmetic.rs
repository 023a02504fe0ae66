//! Sums, differences, products and quotients of two arrays, and arithmetic on values inside rules.

use super::scalar::{AddScalar, DivScalar, MulScalar, RDivScalar, RSubScalar, SubScalar};
use crate::ops::family::prelude::*;

binary! {
    /// Sum of two arrays of one shape.
    ElemwiseAdd = "elemwise_add" aliases ["_Plus", "_add", "_plus", "_sparse_elemwise_add", "_grad_add"], same,
    Arith on (-2.0, 2.0), |x, y| x + y, |dy, _, _, _| dy, |dy, _, _, _| dy
}

binary! {
    /// Difference of two arrays of one shape.
    ElemwiseSub = "elemwise_sub" aliases ["_Minus", "_minus", "_sparse_elemwise_sub", "_sub"], same,
    Arith on (-2.0, 2.0), |x, y| x - y, |dy, _, _, _| dy, |dy, _, _, _| -dy
}

binary! {
    /// Product of two arrays of one shape, element by element.
    ElemwiseMul = "elemwise_mul" aliases ["_Mul", "_mul", "_sparse_elemwise_mul"], same,
    Arith on (-2.0, 2.0), |x, y| x * y, |dy, _, y, _| dy * y, |dy, x, _, _| dy * x
}

binary! {
    /// Quotient of two arrays of one shape. Integers divide toward zero.
    ElemwiseDiv = "elemwise_div" aliases ["_Div", "_div", "_sparse_elemwise_div"], same,
    Arith on (0.5, 2.0), |x, y| x / y, |dy, _, y, _| dy / y, |dy, x, y, _| -(dy * x / (y * y))
}

binary! {
    /// Sum of two arrays whose shapes broadcast.
    BroadcastAdd = "broadcast_add" aliases ["_sparse_broadcast_add", "_sparse_broadcast_plus", "broadcast_plus"], broadcast,
    Arith on (-2.0, 2.0), |x, y| x + y, |dy, _, _, _| dy, |dy, _, _, _| dy
}

binary! {
    /// Difference of two arrays whose shapes broadcast.
    BroadcastSub = "broadcast_sub" aliases ["_sparse_broadcast_minus", "_sparse_broadcast_sub", "broadcast_minus"], broadcast,
    Arith on (-2.0, 2.0), |x, y| x - y, |dy, _, _, _| dy, |dy, _, _, _| -dy
}

binary! {
    /// Product of two arrays whose shapes broadcast, element by element.
    BroadcastMul = "broadcast_mul" aliases ["_sparse_broadcast_mul"], broadcast,
    Arith on (-2.0, 2.0), |x, y| x * y, |dy, _, y, _| dy * y, |dy, x, _, _| dy * x
}

binary! {
    /// Quotient of two arrays whose shapes broadcast. Integers divide toward zero.
    BroadcastDiv = "broadcast_div" aliases ["_sparse_broadcast_div"], broadcast,
    Arith on (0.5, 2.0), |x, y| x / y, |dy, _, y, _| dy / y, |dy, x, y, _| -(dy * x / (y * y))
}

// Rules mostly combine arrays of one shape, but not always: arithmetic inside rules broadcasts.
macro_rules! value_arithmetic {
    ($($trait:ident $method:ident $op:ident $scalar:ident $reversed:expr),*) => {$(
        impl<'b> std::ops::$trait for Val<'b> {
            type Output = Val<'b>;
            fn $method(self, other: Val<'b>) -> Val<'b> {
                self.apply($op, &[other])
            }
        }
        impl<'b> std::ops::$trait<f64> for Val<'b> {
            type Output = Val<'b>;
            fn $method(self, other: f64) -> Val<'b> {
                self.apply($scalar::new(other), &[])
            }
        }
        impl<'b> std::ops::$trait<Val<'b>> for f64 {
            type Output = Val<'b>;
            fn $method(self, other: Val<'b>) -> Val<'b> {
                other.apply($reversed(self), &[])
            }
        }
    )*};
}
value_arithmetic!(Add add BroadcastAdd AddScalar AddScalar::new, Sub sub BroadcastSub SubScalar RSubScalar::new,
    Mul mul BroadcastMul MulScalar MulScalar::new, Div div BroadcastDiv DivScalar RDivScalar::new);

impl<'b> std::ops::Neg for Val<'b> {
    type Output = Val<'b>;
    fn neg(self) -> Val<'b> {
        self.apply(super::Negative, &[])
    }
}
