//! Powers, roots, exponentials and logarithms.

use crate::ops::family::prelude::*;

unary! {
    /// Each element with the other sign.
    Negative = "negative" aliases ["_np_negative"], Arith on (-2.0, 2.0), |x| -x, |dy, _, _| -dy
}

unary! {
    /// Square of each element.
    Square = "square", Arith on (-2.0, 2.0), |x| x * x, |dy, x, _| dy * x * 2.0
}

unary! {
    /// Square root of each element.
    Sqrt = "sqrt", Real on (0.25, 2.0), |x| x.sqrt(), |dy, _, y| dy / y * 0.5
}

unary! {
    /// Exponential of each element.
    Exp = "exp", Real on (-2.0, 2.0), |x| x.exp(), |dy, _, y| dy * y
}

unary! {
    /// Natural logarithm of each element.
    Log = "log", Real on (0.25, 4.0), |x| x.log(), |dy, x, _| dy / x
}

unary! {
    /// Hyperbolic tangent of each element.
    Tanh = "tanh", Real on (-2.0, 2.0), |x| x.tanh(), |dy, _, y| dy * (1.0 - y * y)
}
