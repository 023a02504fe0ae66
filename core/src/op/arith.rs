//! The types that elementwise arithmetic is done in, and what can be done with them.
//!
//! [`Arith`] is what integers have too, [`Real`] the functions of real numbers. An operator's expression is
//! bounded by one of them.

use crate::kernels::{math, special};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Arithmetic that integers have too. Comparisons give 1 or 0.
pub trait Arith:
    Copy
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// A constant.
    fn lit(v: f64) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// Remainder with the sign of the divisor, as in Python; 0 for a zero divisor.
    fn modulo(self, divisor: Self) -> Self;
    /// Quotient rounded toward negative infinity; 0 for a zero integer divisor.
    fn floor_div(self, divisor: Self) -> Self;
    /// Power.
    fn pow(self, exponent: Self) -> Self;
    /// Largest whole number that is not larger.
    fn floor(self) -> Self;
    /// Smallest whole number that is not smaller.
    fn ceil(self) -> Self;
    /// Whole number next to it toward zero.
    fn trunc(self) -> Self;
    /// Nearest whole number; halves go away from zero.
    fn round(self) -> Self;
    /// Nearest whole number; halves go down.
    #[inline(always)]
    fn rint(self) -> Self {
        let (low, high) = (self.floor(), self.ceil());
        if self - low <= high - self { low } else { high }
    }
    /// 1 if the condition holds, else 0.
    #[inline(always)]
    fn truth(condition: bool) -> Self {
        if condition { Self::lit(1.0) } else { Self::lit(0.0) }
    }
    /// True unless 0.
    #[inline(always)]
    fn is_true(self) -> bool {
        self != Self::lit(0.0)
    }
    /// The larger; NaN if either is.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        #[allow(clippy::eq_op)]
        if self > other || self != self { self } else { other }
    }
    /// The smaller; NaN if either is.
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        #[allow(clippy::eq_op)]
        if self < other || self != self { self } else { other }
    }
    /// −1, 0 or 1.
    #[inline(always)]
    fn sign(self) -> Self {
        Self::truth(self > Self::lit(0.0)) - Self::truth(self < Self::lit(0.0))
    }
}

/// Arithmetic of real numbers.
pub trait Real: Arith {
    /// Exponential.
    fn exp(self) -> Self;
    /// Exponential less one.
    fn expm1(self) -> Self;
    /// Natural logarithm.
    fn log(self) -> Self;
    /// Natural logarithm of one more.
    fn log1p(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Logistic function.
    fn sigmoid(self) -> Self;
    /// Error function.
    fn erf(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Logarithm to base 2.
    fn log2(self) -> Self;
    /// Logarithm to base 10.
    fn log10(self) -> Self;
    /// Cube root.
    fn cbrt(self) -> Self;
    /// Sine.
    fn sin(self) -> Self;
    /// Cosine.
    fn cos(self) -> Self;
    /// Tangent.
    fn tan(self) -> Self;
    /// Inverse sine.
    fn arcsin(self) -> Self;
    /// Inverse cosine.
    fn arccos(self) -> Self;
    /// Inverse tangent.
    fn arctan(self) -> Self;
    /// Hyperbolic sine.
    fn sinh(self) -> Self;
    /// Hyperbolic cosine.
    fn cosh(self) -> Self;
    /// Inverse hyperbolic sine.
    fn arcsinh(self) -> Self;
    /// Inverse hyperbolic cosine.
    fn arccosh(self) -> Self;
    /// Inverse hyperbolic tangent.
    fn arctanh(self) -> Self;
    /// Square root of the sum of two squares, without overflow on the way.
    fn hypot(self, other: Self) -> Self;
    /// Inverse of the error function.
    fn erfinv(self) -> Self;
    /// Gamma function.
    fn gamma(self) -> Self;
    /// Logarithm of the absolute value of the gamma function.
    fn gammaln(self) -> Self;
    /// Derivative of `gammaln`.
    fn digamma(self) -> Self;
}

macro_rules! real {
    ($($t:ident),*: $own:tt, $std:tt, $special:tt) => { $(real!(@impl $t, $own, $std, $special);)* };
    (@impl $t:ident, [$($own:ident)*], [$($std:ident = $name:ident)*], [$($special:ident)*]) => {
        impl Real for $t {
            $(#[inline(always)] fn $own(self) -> Self { math::Real::$own(self) })*
            $(#[inline(always)] fn $std(self) -> Self { $t::$name(self) })*
            $(#[inline(always)] fn $special(self) -> Self { special::$special(f64::from(self)) as $t })*
            #[inline(always)]
            fn hypot(self, other: Self) -> Self { $t::hypot(self, other) }
        }
    };
}
real!(f32, f64: [exp expm1 log log1p tanh sigmoid erf sqrt],
    [log2 = log2 log10 = log10 cbrt = cbrt sin = sin cos = cos tan = tan arcsin = asin arccos = acos
     arctan = atan sinh = sinh cosh = cosh arcsinh = asinh arccosh = acosh arctanh = atanh],
    [erfinv gamma gammaln digamma]);

macro_rules! arith_float {
    ($($t:ty),*) => {$(
        impl Arith for $t {
            #[inline(always)]
            fn lit(v: f64) -> Self { v as $t }
            #[inline(always)]
            fn abs(self) -> Self { <$t>::abs(self) }
            #[inline(always)]
            fn modulo(self, divisor: Self) -> Self {
                if divisor == 0.0 { return 0.0; }
                let r = self % divisor;
                if r != 0.0 && (r < 0.0) != (divisor < 0.0) { r + divisor } else { r }
            }
            #[inline(always)]
            fn floor_div(self, divisor: Self) -> Self { (self / divisor).floor() }
            #[inline(always)]
            fn pow(self, exponent: Self) -> Self { self.powf(exponent) }
            #[inline(always)]
            fn floor(self) -> Self { <$t>::floor(self) }
            #[inline(always)]
            fn ceil(self) -> Self { <$t>::ceil(self) }
            #[inline(always)]
            fn trunc(self) -> Self { <$t>::trunc(self) }
            #[inline(always)]
            fn round(self) -> Self { <$t>::round(self) }
        }
    )*};
}
arith_float!(f32, f64);

/// Integers of every width compute in 64 bits and wrap when they are stored.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Int(pub i64);

macro_rules! int_op {
    ($($trait:ident $method:ident $wrapping:ident),*) => {$(
        impl $trait for Int {
            type Output = Int;
            #[inline(always)]
            fn $method(self, o: Int) -> Int { Int(self.0.$wrapping(o.0)) }
        }
    )*};
}
int_op!(Add add wrapping_add, Sub sub wrapping_sub, Mul mul wrapping_mul);

impl Div for Int {
    type Output = Int;
    #[inline(always)]
    fn div(self, o: Int) -> Int {
        Int(if o.0 == 0 { 0 } else { self.0.wrapping_div(o.0) })
    }
}

impl Neg for Int {
    type Output = Int;
    #[inline(always)]
    fn neg(self) -> Int {
        Int(self.0.wrapping_neg())
    }
}

impl Arith for Int {
    #[inline(always)]
    fn lit(v: f64) -> Self {
        Int(v as i64)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Int(self.0.wrapping_abs())
    }
    #[inline(always)]
    fn modulo(self, divisor: Self) -> Self {
        if divisor.0 == 0 {
            return Int(0);
        }
        let r = self.0.wrapping_rem(divisor.0);
        Int(if r != 0 && (r < 0) != (divisor.0 < 0) { r + divisor.0 } else { r })
    }
    #[inline(always)]
    fn floor_div(self, divisor: Self) -> Self {
        let r = self.modulo(divisor);
        (self - r) / divisor
    }
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        Int((self.0 as f64).powf(exponent.0 as f64) as i64)
    }
    #[inline(always)]
    fn floor(self) -> Self {
        self
    }
    #[inline(always)]
    fn ceil(self) -> Self {
        self
    }
    #[inline(always)]
    fn trunc(self) -> Self {
        self
    }
    #[inline(always)]
    fn round(self) -> Self {
        self
    }
}
