//! Functions that neural networks put between layers.

use super::{Abs, Sign};
use crate::ops::family::prelude::*;

unary! {
    /// Logistic function, 1 / (1 + exp(−x)).
    Sigmoid = "sigmoid" aliases ["_sparse_sigmoid"],
    Real on (-4.0, 4.0), |x| x.sigmoid(), |dy, _, y| dy * y * (1.0 - y)
}

unary! {
    /// x / (1 + |x|).
    SoftSign = "softsign",
    Real on (0.25, 4.0), |x| x / (T::lit(1.0) + x.abs()), |dy, x, _| {
        let d = x.apply(Abs, &[]) + 1.0;
        dy / (d * d)
    }
}

unary! {
    /// The element, or 0 where it is negative.
    Relu = "relu" aliases ["_sparse_relu"],
    Arith on (0.25, 2.0), |x| x.maximum(T::lit(0.0)), |dy, _, y| dy * y.apply(Sign, &[])
}
