//! Elementary functions that vectorise, and the floating-point trait of the kernels.
//!
//! The `f32` functions are branch-free chains of plain arithmetic, `#[inline(always)]`, so a loop over them inside
//! [`simd_fn!`](crate::simd_fn) becomes vector code, with equal bits on every instruction path. They are within
//! 2.5 units in the last place of the true value over the whole range, subnormals included, and treat zeros,
//! infinities and NaN as IEEE 754 does. The `f64` versions are the standard library's, but for `exp` and what is
//! built from it.

use crate::dtype::Element;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating-point type that kernels compute in: `f32` or `f64`.
#[allow(missing_docs)]
pub trait Real:
    Element
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
{
    const ZERO: Self;
    const ONE: Self;
    const INFINITY: Self;
    const NEG_INFINITY: Self;
    fn exp(self) -> Self;
    fn expm1(self) -> Self;
    fn log(self) -> Self;
    fn log1p(self) -> Self;
    fn tanh(self) -> Self;
    fn sigmoid(self) -> Self;
    fn erf(self) -> Self;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    fn powf(self, p: Self) -> Self;
    fn is_nan(self) -> bool;
}

macro_rules! real {
    ($t:ident, $m:ident) => {
        impl Real for $t {
            const ZERO: $t = 0.0;
            const ONE: $t = 1.0;
            const INFINITY: $t = $t::INFINITY;
            const NEG_INFINITY: $t = $t::NEG_INFINITY;
            real!(@fns $t $m: exp expm1 log log1p tanh sigmoid erf);
            #[inline(always)]
            fn sqrt(self) -> $t { $t::sqrt(self) }
            #[inline(always)]
            fn abs(self) -> $t { $t::abs(self) }
            #[inline(always)]
            fn powf(self, p: $t) -> $t { $t::powf(self, p) }
            #[inline(always)]
            fn is_nan(self) -> bool { $t::is_nan(self) }
        }
    };
    (@fns $t:ident $m:ident: $($f:ident)*) => {$(
        #[inline(always)]
        fn $f(self) -> $t { $m::$f(self) }
    )*};
}
real!(f32, single);
real!(f64, double);

/// Evaluates a polynomial, coefficients from the constant term up, by Horner's rule.
macro_rules! horner {
    ($x:expr, $c:expr) => { $c };
    ($x:expr, $c:expr, $($rest:expr),+) => { $c + $x * horner!($x, $($rest),+) };
}

/// Functions of `f32`.
pub mod single {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    /// ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
    const LN2_HI: f32 = 0.693_145_75;
    const LN2_LO: f32 = 1.428_606_8e-6;
    /// 1.5 * 2^23: adding it rounds to an integer that then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const SQRT_HALF_BITS: u32 = 0x3f35_04f3;
    const ONE_BITS: u32 = 0x3f80_0000;

    #[inline(always)]
    fn pow2(n: i32) -> f32 {
        f32::from_bits(((n + 127) << 23) as u32)
    }

    /// Splits `x` into `n * ln 2 + r` with |r| at most half of ln 2 and a little, `x` not above 2^21.
    #[inline(always)]
    fn split(x: f32) -> (i32, f32) {
        let t = x * LOG2_E + ROUND;
        let n = t - ROUND;
        let r = (x - n * LN2_HI) - n * LN2_LO;
        ((t.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32), r)
    }

    /// exp(r) - 1 for |r| up to half of ln 2.
    #[inline(always)]
    fn expm1_core(r: f32) -> f32 {
        let q =
            horner!(r, 0.5, 0.166_666_67, 0.041_666_457, 0.008_333_297, 0.001_393_454_5, 0.000_199_004_44);
        r + r * r * q
    }

    /// e to the power `x`.
    #[inline(always)]
    pub fn exp(x: f32) -> f32 {
        let c = if x > 89.0 { 89.0 } else { x };
        let c = if c < -104.0 { -104.0 } else { c };
        let (n, r) = split(c);
        let half = n >> 1;
        (1.0 + expm1_core(r)) * pow2(half) * pow2(n.wrapping_sub(half))
    }

    /// exp(x) - 1, accurate near zero.
    #[inline(always)]
    pub fn expm1(x: f32) -> f32 {
        let c = if x > 89.0 { 89.0 } else { x };
        let c = if c < -18.0 { -18.0 } else { c };
        let (n, r) = split(c);
        let half = pow2(n.wrapping_sub(1));
        let y = 2.0 * (half * expm1_core(r) + (half - 0.5));
        if x.abs() < 3e-8 { x } else { y }
    }

    /// log(1 + f) + k * ln 2 for 1 + f between the square roots of a half and of two; `c` corrects the sum.
    #[inline(always)]
    fn log_core(f: f32, k: f32, c: f32) -> f32 {
        let s = f / (2.0 + f);
        let z = s * s;
        let r = z * horner!(z, 0.666_666_6, 0.400_009_72, 0.284_987_87, 0.242_790_79);
        let hfsq = 0.5 * f * f;
        s * (hfsq + r) + (k * LN2_LO + c) - hfsq + f + k * LN2_HI
    }

    /// The natural logarithm.
    #[inline(always)]
    pub fn log(x: f32) -> f32 {
        let tiny = x < f32::MIN_POSITIVE;
        let scaled = if tiny { x * 8_388_608.0 } else { x };
        let bias = if tiny { -23.0 } else { 0.0 };
        let i = scaled.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
        let k = ((i >> 23) as i32 - 127) as f32 + bias;
        let m = f32::from_bits((i & 0x007f_ffff) + SQRT_HALF_BITS);
        log_edges(x, log_core(m - 1.0, k, 0.0))
    }

    /// `y`, unless `x` lies outside of the positive finite numbers.
    #[inline(always)]
    fn log_edges(x: f32, y: f32) -> f32 {
        let y = if x < f32::INFINITY { y } else { x };
        let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
        if x < 0.0 { f32::NAN } else { y }
    }

    /// log(1 + x), accurate near zero.
    #[inline(always)]
    pub fn log1p(x: f32) -> f32 {
        let u = 1.0 + x;
        let i = u.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
        let k = ((i >> 23) as i32 - 127) as f32;
        let lost = if k >= 1.0 { 1.0 - (u - x) } else { x - (u - 1.0) };
        let near = k == 0.0;
        let c = if near { 0.0 } else { lost / u };
        let m = f32::from_bits((i & 0x007f_ffff) + SQRT_HALF_BITS);
        let f = if near { x } else { m - 1.0 };
        let y = log_edges(u, log_core(f, k, c));
        if x.abs() < 3e-8 { x } else { y }
    }

    /// The hyperbolic tangent.
    #[inline(always)]
    pub fn tanh(x: f32) -> f32 {
        let a = x.abs();
        let a = if a > 10.0 { 10.0 } else { a };
        let t = expm1(2.0 * a);
        let large = a > 0.55;
        let q = if large { 2.0 } else { t } / (t + 2.0);
        let y = if large { 1.0 - q } else { q };
        let y = if a < 1e-4 { a } else { y };
        y.copysign(x)
    }

    /// 1 / (1 + exp(-x)).
    #[inline(always)]
    pub fn sigmoid(x: f32) -> f32 {
        let e = exp(-x.abs());
        let top = if x < 0.0 { e } else { 1.0 };
        top / (1.0 + e)
    }

    /// The error function.
    #[inline(always)]
    pub fn erf(x: f32) -> f32 {
        let a = x.abs();
        let z = x * x;
        let p = horner!(
            z,
            0.128_379_17,
            -0.376_126_38,
            0.112_837_83,
            -0.026_865_438,
            0.005_221_053_4,
            -0.000_848_439_65,
            0.000_112_682_54,
            -9.673_591e-6
        );
        let small = x + x * p;
        let t = if a > 4.1 { 4.1 } else { a };
        let g = horner!(
            t,
            -0.000_286_877_69,
            1.130_097_5,
            0.632_060_5,
            0.109_857_15,
            -0.026_293_112,
            0.004_714_049_3,
            -0.000_586_982_8,
            4.488_150_4e-5,
            -1.577_106_4e-6
        );
        let large = (1.0 - exp(-g)).copysign(x);
        if a < 1.0 || x.is_nan() { small } else { large }
    }
}

/// Functions of `f64`.
pub mod double {
    /// ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
    const LN2_HI: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
    const LN2_LO: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
    /// 1.5 * 2^52: adding it rounds to an integer that then stands in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;

    #[inline(always)]
    fn pow2(n: i64) -> f64 {
        f64::from_bits(((n + 1023) << 52) as u64)
    }

    /// e to the power `x`.
    #[inline(always)]
    pub fn exp(x: f64) -> f64 {
        let c = if x > 710.0 { 710.0 } else { x };
        let c = if c < -746.0 { -746.0 } else { c };
        let t = c * std::f64::consts::LOG2_E + ROUND;
        let m = t - ROUND;
        let n = (t.to_bits() as i64).wrapping_sub(ROUND.to_bits() as i64);
        let r = (c - m * LN2_HI) - m * LN2_LO;
        let q = horner!(
            r,
            1.0 / 2.0,
            1.0 / 6.0,
            1.0 / 24.0,
            1.0 / 120.0,
            1.0 / 720.0,
            1.0 / 5040.0,
            1.0 / 40320.0,
            1.0 / 362_880.0,
            1.0 / 3_628_800.0,
            1.0 / 39_916_800.0,
            1.0 / 479_001_600.0
        );
        let half = n >> 1;
        (1.0 + (r + r * r * q)) * pow2(half) * pow2(n.wrapping_sub(half))
    }

    /// exp(x) - 1, accurate near zero.
    #[inline(always)]
    pub fn expm1(x: f64) -> f64 {
        x.exp_m1()
    }

    /// The natural logarithm.
    #[inline(always)]
    pub fn log(x: f64) -> f64 {
        x.ln()
    }

    /// log(1 + x), accurate near zero.
    #[inline(always)]
    pub fn log1p(x: f64) -> f64 {
        x.ln_1p()
    }

    /// The hyperbolic tangent.
    #[inline(always)]
    pub fn tanh(x: f64) -> f64 {
        x.tanh()
    }

    /// 1 / (1 + exp(-x)).
    #[inline(always)]
    pub fn sigmoid(x: f64) -> f64 {
        let e = exp(-x.abs());
        let top = if x < 0.0 { e } else { 1.0 };
        top / (1.0 + e)
    }

    /// The error function, within 1e-15 of the true value or 1e-13 of it in proportion.
    pub fn erf(x: f64) -> f64 {
        let a = x.abs();
        if a.is_nan() || a > 6.0 {
            return if a.is_nan() { x } else { 1.0f64.copysign(x) };
        }
        if a < 2.5 { erf_series(x) } else { (1.0 - erfc_fraction(a)).copysign(x) }
    }

    /// 2/sqrt(pi) exp(-x^2) times the sum of 2^n x^(2n+1) / (2n+1)!!, all of whose terms have one sign.
    fn erf_series(x: f64) -> f64 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > sum.abs() * 1e-17 {
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
        }
        sum * (-x * x).exp() * std::f64::consts::FRAC_2_SQRT_PI
    }

    /// erfc of `x` from 2.5 on by its continued fraction.
    fn erfc_fraction(x: f64) -> f64 {
        let mut f = x;
        for n in (1..=60).rev() {
            f = x + 0.5 * f64::from(n) / f;
        }
        (-x * x).exp() / f * (0.5 * std::f64::consts::FRAC_2_SQRT_PI)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance between `got` and the double `want` in units of the last place of `want` as a single.
    fn ulps(got: f32, want: f64) -> f64 {
        let w = want as f32;
        if w.is_nan() || w.is_infinite() {
            return if got == w || (got.is_nan() && w.is_nan()) { 0.0 } else { f64::INFINITY };
        }
        let ulp = f64::from(f32::from_bits((w.abs().to_bits() + 1).max(1)) - w.abs())
            .max(f64::from(f32::from_bits(1)));
        (f64::from(got) - want).abs() / ulp
    }

    fn worst(f: impl Fn(f32) -> f32, g: impl Fn(f64) -> f64) -> (f64, f32) {
        let mut worst = (0.0, 0.0);
        for bits in (0..=u32::MAX).step_by(4801) {
            let x = f32::from_bits(bits);
            let u = ulps(f(x), g(f64::from(x)));
            if u > worst.0 {
                worst = (u, x);
            }
        }
        for i in -200_000..200_000 {
            let x = i as f32 * 1.1e-4;
            let u = ulps(f(x), g(f64::from(x)));
            if u > worst.0 {
                worst = (u, x);
            }
        }
        worst
    }

    #[test]
    fn single_precision_functions_are_accurate_everywhere() {
        type Case = (&'static str, fn(f32) -> f32, fn(f64) -> f64);
        let cases: [Case; 7] = [
            ("exp", single::exp, f64::exp),
            ("expm1", single::expm1, f64::exp_m1),
            ("log", single::log, f64::ln),
            ("log1p", single::log1p, f64::ln_1p),
            ("tanh", single::tanh, f64::tanh),
            ("sigmoid", single::sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
            ("erf", single::erf, double::erf),
        ];
        for (name, f, g) in cases {
            let (u, x) = worst(f, g);
            assert!(u <= 2.5, "{name} is {u} ulp off at {x:e}");
        }
    }

    #[test]
    fn edges_are_those_of_ieee() {
        for f in [single::expm1, single::log1p, single::tanh, single::erf] {
            assert_eq!(f(-0.0).to_bits(), (-0.0f32).to_bits());
            assert!(f(f32::NAN).is_nan());
        }
        assert_eq!(single::exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(single::exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(single::log(0.0), f32::NEG_INFINITY);
        assert_eq!(single::log(-0.0), f32::NEG_INFINITY);
        assert_eq!(single::log1p(-1.0), f32::NEG_INFINITY);
        assert!(single::log(-1.0).is_nan() && single::log1p(-2.0).is_nan());
        assert!(single::exp(f32::NAN).is_nan() && single::sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn double_precision_exp_and_erf_match_known_values() {
        for i in -7500..7200 {
            let x = f64::from(i) * 0.1003;
            let (got, want) = (double::exp(x), x.exp());
            assert!(got == want || (got - want).abs() <= 4e-16 * want + 1e-323, "exp({x}): {got} {want}");
        }
        for (x, want) in [
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (3.0, 0.999_977_909_503_001_4),
        ] {
            assert!((double::erf(x) - want).abs() < 5e-16, "erf({x})");
        }
        assert!(double::exp(f64::NAN).is_nan());
    }
}
