//! Sign, absolute value and rounding.

use crate::ops::family::prelude::*;

unary! {
    /// Each element with the other sign.
    Negative = "negative" aliases ["_sparse_negative"],
    Arith on (-2.0, 2.0), |x| -x, |dy, _, _| -dy
}

unary! {
    /// Absolute value of each element.
    Abs = "abs" aliases ["_sparse_abs"],
    Arith on (0.25, 2.0), |x| x.abs(), |dy, x, _| dy * x.apply(Sign, &[])
}

unary! {
    /// Sign of each element: −1, 0 or 1; 0 for NaN.
    Sign = "sign" aliases ["_sparse_sign"],
    Arith on (-2.0, 2.0), |x| x.sign(), zero
}

unary! {
    /// Nearest whole number; halves go away from zero.
    Round = "round" aliases ["_sparse_round"],
    Arith on (-2.0, 2.0), |x| x.round(), zero
}

unary! {
    /// Nearest whole number; halves go down.
    Rint = "rint" aliases ["_sparse_rint"],
    Arith on (-2.0, 2.0), |x| x.rint(), zero
}

unary! {
    /// Smallest whole number that is not smaller.
    Ceil = "ceil" aliases ["_sparse_ceil"],
    Arith on (-2.0, 2.0), |x| x.ceil(), zero
}

unary! {
    /// Largest whole number that is not larger.
    Floor = "floor" aliases ["_sparse_floor"],
    Arith on (-2.0, 2.0), |x| x.floor(), zero
}

unary! {
    /// Nearest whole number toward zero.
    Trunc = "trunc" aliases ["_sparse_trunc"],
    Arith on (-2.0, 2.0), |x| x.trunc(), zero
}

unary! {
    /// Nearest whole number toward zero.
    Fix = "fix" aliases ["_sparse_fix"],
    Arith on (-2.0, 2.0), |x| x.trunc(), zero
}

unary! {
    /// 1 for elements that are 0, else 0.
    LogicalNot = "logical_not",
    Arith on (-0.5, 1.0), |x| T::truth(!x.is_true()), zero
}
