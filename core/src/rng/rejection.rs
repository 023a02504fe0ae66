//! Distributions that take a number of random words not known before: gamma, Poisson, negative binomial.
//!
//! Each element has its sub-stream. The arithmetic is that of f64 for every element type. Parameters are
//! checked by operators; here a NaN or a parameter out of range gives NaN, and no parameter hangs.
//!
//! Sources: gamma by Marsaglia and Tsang, «A simple method for generating gamma variables», ACM TOMS 26
//! (2000); Poisson by inversion below 10, above by Hörmann's PTRS, «The transformed rejection method for
//! generating Poisson random variables», Insurance: Mathematics and Economics 12 (1993).

use super::distributions::{Real, positive64};
use super::fill::{Each, ElementSampler, fill};
use super::generator::{Stream, SubStream};
use super::math::{exp64, ln_gamma64, ln64};
use super::params::Params;

/// Fewest elements that are worth another thread.
const GRAIN: usize = 1024;

/// A gamma number with mean `alpha * scale`.
#[inline(always)]
fn gamma_one(random: &mut SubStream, alpha: f64, scale: f64) -> f64 {
    if alpha.is_nan() || alpha < 0.0 {
        return f64::NAN;
    }
    if alpha == 0.0 || alpha == f64::INFINITY {
        return alpha * scale;
    }
    // Below 1: a number of shape alpha + 1 times a power of a uniform one.
    let (shape, boost) = if alpha < 1.0 {
        (alpha + 1.0, exp64(ln64(positive64(random.next_u64())) / alpha))
    } else {
        (alpha, 1.0)
    };
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = random.normal();
        let u = positive64(random.next_u64());
        let root = c.mul_add(x, 1.0);
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        let square = x * x;
        let surely = u < (-0.0331 * square).mul_add(square, 1.0);
        if surely || ln64(u) < 0.5f64.mul_add(square, d * (1.0 - v + ln64(v))) {
            return d * v * boost * scale;
        }
    }
}

/// A Poisson number.
#[inline(always)]
fn poisson_one(random: &mut SubStream, lam: f64) -> f64 {
    if lam.is_nan() || lam < 0.0 {
        f64::NAN
    } else if lam == f64::INFINITY {
        lam
    } else if lam < 10.0 {
        poisson_small(random, lam)
    } else if lam <= 1e8 {
        poisson_large(random, lam)
    } else {
        // The skewness, 1/√lam, is below what any sample could show.
        let z = random.normal();
        (lam.sqrt().mul_add(z, lam) + 0.5).floor()
    }
}

/// Inversion: the first number whose cumulative probability exceeds a uniform one.
#[inline(always)]
fn poisson_small(random: &mut SubStream, lam: f64) -> f64 {
    let u = random.unit();
    let mut p = exp64(-lam);
    let (mut k, mut sum) = (0.0, p);
    // Beyond 100 the probabilities are too small to change the sum.
    while u >= sum && k < 100.0 {
        k += 1.0;
        p *= lam / k;
        sum += p;
    }
    k
}

#[inline(always)]
fn poisson_large(random: &mut SubStream, lam: f64) -> f64 {
    let b = 2.53f64.mul_add(lam.sqrt(), 0.931);
    let a = 0.02483f64.mul_add(b, -0.059);
    let ln_inverse_alpha = ln64(1.1239 + 1.1328 / (b - 3.4));
    let v_r = 0.9277 - 3.6224 / (b - 2.0);
    let ln_lam = ln64(lam);
    loop {
        let u = random.unit() - 0.5;
        let v = positive64(random.next_u64());
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b).mul_add(u, lam) + 0.43).floor();
        if us >= 0.07 && v <= v_r {
            return k;
        }
        // The first condition also drops the infinity that u = -0.5 gives.
        if !(0.0..=1e10).contains(&k) || (us < 0.013 && v > us) {
            continue;
        }
        let left = ln64(v) + ln_inverse_alpha - ln64(a / (us * us) + b);
        if left <= k.mul_add(ln_lam, -lam) - ln_gamma64(k + 1.0) {
            return k;
        }
    }
}

/// Defines a sampler of one element from its parameters as f64.
macro_rules! sampler {
    ($name:ident, $n:literal, |$random:ident, $p:ident| $body:expr) => {
        pub(crate) struct $name<'a, T>(pub Params<'a, T, $n>);

        impl<T: Real> ElementSampler<T> for $name<'_, T> {
            #[inline(always)]
            fn element(&self, i: usize, $random: &mut SubStream) -> T {
                let $p = self.0.of(i).map(T::to_f64);
                T::from_f64($body)
            }
        }
    };
}

sampler!(Gamma, 2, |random, p| gamma_one(random, p[0], p[1]));
sampler!(Poisson, 1, |random, p| poisson_one(random, p[0]));
sampler!(NegativeBinomial, 2, |random, p| {
    let lam = gamma_one(random, p[0], (1.0 - p[1]) / p[1]);
    poisson_one(random, lam)
});
sampler!(GeneralizedNegativeBinomial, 2, |random, p| {
    let [mu, alpha] = p;
    let lam = if alpha == 0.0 { mu } else { gamma_one(random, 1.0 / alpha, mu * alpha) };
    poisson_one(random, lam)
});

/// Gamma numbers. Parameters: shape alpha, scale beta, as MXNet calls it; the mean is their product.
pub fn gamma<T: Real>(stream: Stream, out: &mut [T], alpha_beta: Params<T, 2>) {
    fill(&Each(Gamma(alpha_beta)), stream, out, GRAIN);
}

/// Poisson numbers. Parameter: the mean.
pub fn poisson<T: Real>(stream: Stream, out: &mut [T], lam: Params<T, 1>) {
    fill(&Each(Poisson(lam)), stream, out, GRAIN);
}

/// Number of successes before `k` failures, each trial failing with probability `p`. Parameters: k, p.
pub fn negative_binomial<T: Real>(stream: Stream, out: &mut [T], k_p: Params<T, 2>) {
    fill(&Each(NegativeBinomial(k_p)), stream, out, GRAIN);
}

/// Negative binomial numbers by mean and dispersion: the variance is mu + alpha · mu². Parameters: mu, alpha.
pub fn generalized_negative_binomial<T: Real>(stream: Stream, out: &mut [T], mu_alpha: Params<T, 2>) {
    fill(&Each(GeneralizedNegativeBinomial(mu_alpha)), stream, out, GRAIN);
}
