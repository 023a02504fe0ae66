//! Error and gamma functions.

use super::Exp;
use crate::ops::family::prelude::*;

unary! {
    /// Error function.
    Erf = "erf" aliases ["_npx_erf"],
    Real [single] on (-2.0, 2.0), |x| x.erf(), |dy, x, _| dy * (-(x * x)).apply(Exp, &[]) * std::f64::consts::FRAC_2_SQRT_PI
}

unary! {
    /// Inverse of the error function.
    ErfInv = "erfinv" aliases ["_npx_erfinv"],
    Real [single] on (-0.875, 0.875), |x| x.erfinv(), |dy, _, y| dy * (y * y).apply(Exp, &[]) * (1.0 / std::f64::consts::FRAC_2_SQRT_PI)
}

unary! {
    /// Gamma function.
    Gamma = "gamma" aliases ["_npx_gamma", "_sparse_gamma"],
    Real [single] on (0.5, 4.0), |x| x.gamma(), |dy, x, y| dy * y * x.apply(Digamma, &[])
}

unary! {
    /// Logarithm of the absolute value of the gamma function.
    GammaLn = "gammaln" aliases ["_npx_gammaln", "_sparse_gammaln"],
    Real [single] on (0.5, 4.0), |x| x.gammaln(), |dy, x, _| dy * x.apply(Digamma, &[])
}

/// Derivative of the logarithm of the gamma function.
#[derive(Attrs, Clone, Debug)]
pub struct Digamma;

impl Operator for Digamma {
    fn meta() -> Meta {
        Meta::new("_digamma", [Input::new("data", "The array.")]).internal()
    }
    fn samples() -> Vec<Sample> {
        let sample = Sample::new("on both sides of its zero").grid(&[3, 5], 0.5, 4.0).no_gradient();
        vec![sample.oracle(Oracle::NumPy("special.digamma(x[0])"))]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn pointwise(&self) -> Option<Pointwise> {
        Some(pointwise!(Real, |x| x.digamma()))
    }
}
