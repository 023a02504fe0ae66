//! Trigonometric and hyperbolic functions, their inverses, and conversion of angles.

use super::RSqrt;
use crate::ops::family::prelude::*;

unary! {
    /// Sine of each element, in radians.
    Sin = "sin" aliases ["_sparse_sin"],
    Real on (-2.0, 2.0), |x| x.sin(), |dy, x, _| dy * x.apply(Cos, &[])
}

unary! {
    /// Cosine of each element, in radians.
    Cos = "cos" aliases ["_sparse_cos"],
    Real on (-2.0, 2.0), |x| x.cos(), |dy, x, _| -(dy * x.apply(Sin, &[]))
}

unary! {
    /// Tangent of each element, in radians.
    Tan = "tan" aliases ["_sparse_tan"],
    Real on (-1.25, 1.25), |x| x.tan(), |dy, _, y| dy * (y * y + 1.0)
}

unary! {
    /// Inverse sine of each element, from −π/2 to π/2.
    ArcSin = "arcsin" aliases ["_sparse_arcsin"],
    Real on (-0.875, 0.875), |x| x.arcsin(), |dy, x, _| dy * (1.0 - x * x).apply(RSqrt, &[])
}

unary! {
    /// Inverse cosine of each element, from 0 to π.
    ArcCos = "arccos" aliases ["_sparse_arccos"],
    Real on (-0.875, 0.875), |x| x.arccos(), |dy, x, _| -(dy * (1.0 - x * x).apply(RSqrt, &[]))
}

unary! {
    /// Inverse tangent of each element, from −π/2 to π/2.
    ArcTan = "arctan" aliases ["_sparse_arctan"],
    Real on (-2.0, 2.0), |x| x.arctan(), |dy, x, _| dy / (x * x + 1.0)
}

unary! {
    /// Hyperbolic sine of each element.
    Sinh = "sinh" aliases ["_sparse_sinh"],
    Real on (-2.0, 2.0), |x| x.sinh(), |dy, x, _| dy * x.apply(Cosh, &[])
}

unary! {
    /// Hyperbolic cosine of each element.
    Cosh = "cosh" aliases ["_sparse_cosh"],
    Real on (-2.0, 2.0), |x| x.cosh(), |dy, x, _| dy * x.apply(Sinh, &[])
}

unary! {
    /// Hyperbolic tangent of each element.
    Tanh = "tanh" aliases ["_sparse_tanh"],
    Real on (-2.0, 2.0), |x| x.tanh(), |dy, _, y| dy * (1.0 - y * y)
}

unary! {
    /// Inverse hyperbolic sine of each element.
    ArcSinh = "arcsinh" aliases ["_sparse_arcsinh"],
    Real on (-2.0, 2.0), |x| x.arcsinh(), |dy, x, _| dy * (x * x + 1.0).apply(RSqrt, &[])
}

unary! {
    /// Inverse hyperbolic cosine of each element; NaN below 1.
    ArcCosh = "arccosh" aliases ["_sparse_arccosh"],
    Real on (1.25, 4.0), |x| x.arccosh(), |dy, x, _| dy * (x * x - 1.0).apply(RSqrt, &[])
}

unary! {
    /// Inverse hyperbolic tangent of each element.
    ArcTanh = "arctanh" aliases ["_sparse_arctanh"],
    Real on (-0.875, 0.875), |x| x.arctanh(), |dy, x, _| dy / (1.0 - x * x)
}

unary! {
    /// Radians to degrees.
    Degrees = "degrees" aliases ["_sparse_degrees"],
    Real [single] on (-2.0, 1.9), |x| x * T::lit(180.0 / std::f64::consts::PI), |dy, _, _| dy * (180.0 / std::f64::consts::PI)
}

unary! {
    /// Degrees to radians.
    Radians = "radians" aliases ["_sparse_radians"],
    Real [single] on (-2.0, 2.0), |x| x * T::lit(std::f64::consts::PI / 180.0), |dy, _, _| dy * (std::f64::consts::PI / 180.0)
}
