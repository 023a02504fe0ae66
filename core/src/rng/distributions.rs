//! Continuous distributions whose elements come straight from the words of a block.
//!
//! Every function fills a slice; element `i` is a function of the stream, `i` and the parameters of `i`. A
//! slice of f32 uses block `i / 4`, one of f64 block `i / 2`. Parameters are checked by operators; here one
//! that makes no sense gives NaN or an infinity by plain arithmetic.

// Loops over the lanes of fixed arrays: the form that vectorises.
#![allow(clippy::needless_range_loop)]

use super::fill::{Wide, WideSampler, fill};
use super::generator::{Stream, join};
use super::math;
use super::params::Params;
use super::philox::{WIDTH, Words};
use crate::dtype::Element;

/// Fewest elements that are worth another thread.
const GRAIN: usize = 16 * 1024;

mod sealed {
    /// Keeps [`super::Real`] to f32 and f64.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The types that continuous distributions fill: f32 and f64.
pub trait Real: Element + sealed::Sealed {
    /// Elements per block.
    #[doc(hidden)]
    const LANES: usize;
    #[doc(hidden)]
    fn uniform01(words: &Words, out: &mut [Self]);
    #[doc(hidden)]
    fn normal01(words: &Words, out: &mut [Self]);
    #[doc(hidden)]
    fn exponential1(words: &Words, out: &mut [Self]);
    #[doc(hidden)]
    fn stretch(low: Self, high: Self, out: &mut [Self]);
    #[doc(hidden)]
    fn scale(loc: Self, scale: Self, out: &mut [Self]);
    #[doc(hidden)]
    fn divide(by: Self, out: &mut [Self]);
}

/// A number in (0, 1] for a logarithm: 31 bits, the least is 2^-32.
#[inline(always)]
fn positive32(word: u32) -> f32 {
    ((word >> 1) as i32 as f32 + 0.5) * (1.0 / 2_147_483_648.0)
}

/// A number in (0, 1] for a logarithm: 53 bits, the least is 2^-53.
#[inline(always)]
pub(crate) fn positive64(word: u64) -> f64 {
    ((word >> 11) + 1) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// A number in [0, 1): 53 bits.
#[inline(always)]
pub(crate) fn unit64(word: u64) -> f64 {
    (word >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// A standard normal number from two words.
#[inline(always)]
pub(crate) fn normal64(radius: u64, turn: u64) -> f64 {
    (-2.0 * math::ln64(positive64(radius))).sqrt() * math::sin_cos64(turn).1
}

/// The largest number less than a finite one.
macro_rules! next_below {
    ($t:ty, $x:expr) => {{
        let x: $t = $x;
        if x > 0.0 {
            <$t>::from_bits(x.to_bits() - 1)
        } else if x == 0.0 {
            -<$t>::from_bits(1)
        } else {
            <$t>::from_bits(x.to_bits() + 1)
        }
    }};
}

/// What both types have in common.
macro_rules! affine {
    ($t:ty) => {
        /// Moves numbers from [0, 1) to [low, high).
        #[inline(always)]
        fn stretch(low: $t, high: $t, out: &mut [$t]) {
            let range = high - low;
            // A range that overflows is stretched by half and doubled.
            let wide = range.is_infinite();
            let (low, range, times) =
                if wide { (low * 0.5, high * 0.5 - low * 0.5, 2.0) } else { (low, range, 1.0) };
            // Rounding may reach `high`, which does not belong to the result.
            let (end, below) =
                if range > 0.0 { (high, next_below!($t, high)) } else { (<$t>::INFINITY, high) };
            for x in out {
                let y = x.mul_add(range, low) * times;
                *x = if y >= end { below } else { y };
            }
        }

        #[inline(always)]
        fn scale(loc: $t, scale: $t, out: &mut [$t]) {
            for x in out {
                *x = x.mul_add(scale, loc);
            }
        }

        #[inline(always)]
        fn divide(by: $t, out: &mut [$t]) {
            for x in out {
                *x /= by;
            }
        }
    };
}

impl Real for f32 {
    const LANES: usize = 4;

    #[inline(always)]
    fn uniform01(words: &Words, out: &mut [f32]) {
        for j in 0..WIDTH {
            for lane in 0..4 {
                out[4 * j + lane] = (words[lane][j] >> 8) as i32 as f32 * (1.0 / 16_777_216.0);
            }
        }
    }

    /// Box and Muller's method: words 0 and 1 give elements 0 and 1, words 2 and 3 the others.
    #[inline(always)]
    fn normal01(words: &Words, out: &mut [f32]) {
        for half in 0..2 {
            let (mut cos, mut sin) = ([0.0; WIDTH], [0.0; WIDTH]);
            for j in 0..WIDTH {
                let r = (-2.0 * math::ln32(positive32(words[2 * half][j]))).sqrt();
                let (s, c) = math::sin_cos32(words[2 * half + 1][j]);
                (cos[j], sin[j]) = (r * c, r * s);
            }
            for j in 0..WIDTH {
                out[4 * j + 2 * half] = cos[j];
                out[4 * j + 2 * half + 1] = sin[j];
            }
        }
    }

    #[inline(always)]
    fn exponential1(words: &Words, out: &mut [f32]) {
        for lane in 0..4 {
            let mut e = [0.0; WIDTH];
            for j in 0..WIDTH {
                e[j] = 0.0 - math::ln32(positive32(words[lane][j]));
            }
            for j in 0..WIDTH {
                out[4 * j + lane] = e[j];
            }
        }
    }

    affine!(f32);
}

impl Real for f64 {
    const LANES: usize = 2;

    #[inline(always)]
    fn uniform01(words: &Words, out: &mut [f64]) {
        for j in 0..WIDTH {
            for lane in 0..2 {
                out[2 * j + lane] = unit64(join(words[2 * lane][j], words[2 * lane + 1][j]));
            }
        }
    }

    #[inline(always)]
    fn normal01(words: &Words, out: &mut [f64]) {
        for j in 0..WIDTH {
            let r = (-2.0 * math::ln64(positive64(join(words[0][j], words[1][j])))).sqrt();
            let (s, c) = math::sin_cos64(join(words[2][j], words[3][j]));
            (out[2 * j], out[2 * j + 1]) = (r * c, r * s);
        }
    }

    #[inline(always)]
    fn exponential1(words: &Words, out: &mut [f64]) {
        for j in 0..WIDTH {
            for lane in 0..2 {
                let word = join(words[2 * lane][j], words[2 * lane + 1][j]);
                out[2 * j + lane] = 0.0 - math::ln64(positive64(word));
            }
        }
    }

    affine!(f64);
}

/// A sampler: a standard distribution, then its parameters, which `$skip` says change nothing.
macro_rules! sampler {
    ($(#[$doc:meta])* $name:ident, $n:literal, $standard:ident, |$p:ident, $out:ident| $apply:expr, skip $skip:expr) => {
        $(#[$doc])*
        pub(crate) struct $name<'a, T>(pub Params<'a, T, $n>);

        impl<T: Real> WideSampler<T> for $name<'_, T> {
            const LANES: usize = T::LANES;

            #[inline(always)]
            fn wide(&self, _: Stream, _: u64, words: &Words, out: &mut [T]) {
                // The length is checked once, not at each element.
                T::$standard(words, &mut out[..T::LANES * WIDTH]);
            }

            #[inline(always)]
            fn finish(&self, first: usize, out: &mut [T]) {
                let identity: Option<[f64; $n]> = $skip;
                let single = self.0.single().map(|p| p.map(T::to_f64));
                if identity.is_some() && single == identity {
                    return;
                }
                let mut at = 0;
                while at < out.len() {
                    let ($p, length) = self.0.run(first + at);
                    let end = at.saturating_add(length).min(out.len());
                    let $out = &mut out[at..end];
                    $apply;
                    at = end;
                }
            }
        }
    };
}

sampler!(
    /// Uniform in [low, high).
    Uniform, 2, uniform01, |p, out| T::stretch(p[0], p[1], out), skip Some([0.0, 1.0])
);
sampler!(
    /// Normal with mean and standard deviation.
    Normal, 2, normal01, |p, out| T::scale(p[0], p[1], out), skip Some([0.0, 1.0])
);
sampler!(
    /// Exponential with a rate.
    Exponential, 1, exponential1, |p, out| T::divide(p[0], out), skip Some([1.0])
);

/// Uniform numbers in `[low, high)`, in 2^24 steps for f32 and 2^53 for f64. Parameters: low, high.
pub fn uniform<T: Real>(stream: Stream, out: &mut [T], low_high: Params<T, 2>) {
    fill(&Wide(Uniform(low_high)), stream, out, GRAIN);
}

/// Normal numbers. Parameters: mean, standard deviation.
pub fn normal<T: Real>(stream: Stream, out: &mut [T], loc_scale: Params<T, 2>) {
    fill(&Wide(Normal(loc_scale)), stream, out, GRAIN / 2);
}

/// Exponential numbers. Parameter: the rate, whose inverse is the mean.
pub fn exponential<T: Real>(stream: Stream, out: &mut [T], lam: Params<T, 1>) {
    fill(&Wide(Exponential(lam)), stream, out, GRAIN / 2);
}
