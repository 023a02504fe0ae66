//! Powers, roots, exponentials and logarithms.

use crate::ops::family::prelude::*;

unary! {
    /// Square of each element.
    Square = "square" aliases ["_sparse_square"],
    Arith on (-2.0, 2.0), |x| x * x, |dy, x, _| dy * x * 2.0
}

unary! {
    /// Square root of each element.
    Sqrt = "sqrt" aliases ["_sparse_sqrt"],
    Real on (0.25, 2.0), |x| x.sqrt(), |dy, _, y| dy / y * 0.5
}

unary! {
    /// Reciprocal of the square root of each element.
    RSqrt = "rsqrt" aliases ["_sparse_rsqrt"],
    Real on (0.25, 2.0), |x| T::lit(1.0) / x.sqrt(), |dy, x, y| dy * y / x * -0.5
}

unary! {
    /// Cube root of each element.
    Cbrt = "cbrt" aliases ["_sparse_cbrt"],
    Real on (0.25, 4.0), |x| x.cbrt(), |dy, _, y| dy / (y * y * 3.0)
}

unary! {
    /// Reciprocal of the cube root of each element.
    RCbrt = "rcbrt",
    Real on (0.25, 4.0), |x| T::lit(1.0) / x.cbrt(), |dy, x, y| dy * y / (x * -3.0)
}

unary! {
    /// Reciprocal of each element. Integers divide toward zero.
    Reciprocal = "reciprocal",
    Arith on (0.5, 2.0), |x| T::lit(1.0) / x, |dy, _, y| -(dy * y * y)
}

unary! {
    /// Exponential of each element.
    Exp = "exp" aliases ["_sparse_exp"],
    Real on (-2.0, 2.0), |x| x.exp(), |dy, _, y| dy * y
}

unary! {
    /// Exponential of each element less one, accurate near zero.
    Expm1 = "expm1" aliases ["_sparse_expm1"],
    Real on (-2.0, 2.0), |x| x.expm1(), |dy, _, y| dy * (y + 1.0)
}

unary! {
    /// Natural logarithm of each element.
    Log = "log" aliases ["_sparse_log"],
    Real on (0.25, 4.0), |x| x.log(), |dy, x, _| dy / x
}

unary! {
    /// Logarithm to base 10 of each element.
    Log10 = "log10" aliases ["_sparse_log10"],
    Real on (0.25, 4.0), |x| x.log10(), |dy, x, _| dy / (x * std::f64::consts::LN_10)
}

unary! {
    /// Logarithm to base 2 of each element.
    Log2 = "log2" aliases ["_sparse_log2"],
    Real on (0.25, 4.0), |x| x.log2(), |dy, x, _| dy / (x * std::f64::consts::LN_2)
}

unary! {
    /// Natural logarithm of each element plus one, accurate near zero.
    Log1p = "log1p" aliases ["_sparse_log1p"],
    Real on (-0.75, 4.0), |x| x.log1p(), |dy, x, _| dy / (x + 1.0)
}
