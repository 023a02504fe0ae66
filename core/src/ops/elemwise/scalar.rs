//! Arithmetic of an array and a scalar.

use crate::ops::family::prelude::*;

scalar! {
    /// Sum of an array and a scalar.
    AddScalar = "_plus_scalar" aliases ["_PlusScalar"],
    Arith on (-2.0, 2.0), |x; c| x + c, |dy, _, _, _| dy
}

scalar! {
    /// An array less a scalar.
    SubScalar = "_minus_scalar" aliases ["_MinusScalar"],
    Arith on (-2.0, 2.0), |x; c| x - c, |dy, _, _, _| dy
}

scalar! {
    /// A scalar less an array.
    RSubScalar = "_rminus_scalar" aliases ["_RMinusScalar"],
    Arith on (-2.0, 2.0), |x; c| c - x, |dy, _, _, _| -dy
}

scalar! {
    /// Product of an array and a scalar.
    MulScalar = "_mul_scalar" aliases ["_MulScalar"],
    Arith on (-2.0, 2.0), |x; c| x * c, |dy, _, _, c| dy * c
}

scalar! {
    /// An array divided by a scalar.
    DivScalar = "_div_scalar" aliases ["_DivScalar"],
    Arith on (-2.0, 2.0), |x; c| x / c, |dy, _, _, c| dy / c
}

scalar! {
    /// A scalar divided by an array.
    RDivScalar = "_rdiv_scalar" aliases ["_RDivScalar"],
    Arith on (0.5, 2.0), |x; c| c / x, |dy, x, _, c| -(dy * c / (x * x))
}
