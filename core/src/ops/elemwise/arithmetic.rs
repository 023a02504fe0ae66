//! Sums, differences, products and quotients of two arrays, and arithmetic on values inside rules.

use super::scalar::{AddScalar, DivScalar, MulScalar, RDivScalar, RSubScalar, SubScalar};
use crate::ops::family::prelude::*;

binary! {
    /// Sum of two arrays of one shape.
    ElemwiseAdd = "elemwise_add" aliases ["_add", "_plus", "_Plus", "_grad_add"], same,
    Arith on (-2.0, 2.0), |x, y| x + y, |dy, _, _| dy, |dy, _, _| dy
}

binary! {
    /// Difference of two arrays of one shape.
    ElemwiseSub = "elemwise_sub" aliases ["_sub", "_minus", "_Minus"], same,
    Arith on (-2.0, 2.0), |x, y| x - y, |dy, _, _| dy, |dy, _, _| -dy
}

binary! {
    /// Product of two arrays of one shape, element by element.
    ElemwiseMul = "elemwise_mul" aliases ["_mul", "_Mul"], same,
    Arith on (-2.0, 2.0), |x, y| x * y, |dy, _, y| dy * y, |dy, x, _| dy * x
}

binary! {
    /// Quotient of two arrays of one shape. Integers divide toward zero.
    ElemwiseDiv = "elemwise_div" aliases ["_div", "_Div"], same,
    Arith on (0.5, 2.0), |x, y| x / y, |dy, _, y| dy / y, |dy, x, y| -(dy * x / (y * y))
}

binary! {
    /// Sum of two arrays whose shapes broadcast.
    BroadcastAdd = "broadcast_add" aliases ["broadcast_plus"], broadcast,
    Arith on (-2.0, 2.0), |x, y| x + y, |dy, _, _| dy, |dy, _, _| dy
}

binary! {
    /// Difference of two arrays whose shapes broadcast.
    BroadcastSub = "broadcast_sub" aliases ["broadcast_minus"], broadcast,
    Arith on (-2.0, 2.0), |x, y| x - y, |dy, _, _| dy, |dy, _, _| -dy
}

binary! {
    /// Product of two arrays whose shapes broadcast, element by element.
    BroadcastMul = "broadcast_mul", broadcast,
    Arith on (-2.0, 2.0), |x, y| x * y, |dy, _, y| dy * y, |dy, x, _| dy * x
}

binary! {
    /// Quotient of two arrays whose shapes broadcast. Integers divide toward zero.
    BroadcastDiv = "broadcast_div", broadcast,
    Arith on (0.5, 2.0), |x, y| x / y, |dy, _, y| dy / y, |dy, x, y| -(dy * x / (y * y))
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
