//! The continuous and discrete distributions.

use super::family::{Distribution, Values, draw, draws, output_dtype, require_dtype, sample_shape};
use crate::device::Device;
use crate::ops::family::prelude::*;
use crate::rng::{self, Params, Real, Stream};

/// Refuses a parameter that does not satisfy the condition; NaN satisfies none.
fn demand(holds: bool, name: &str, what: &str, got: f64) -> Result<()> {
    if holds { Ok(()) } else { Err(err!(InvalidValue, "expected {what}, got {got}").about(name)) }
}

fn finite(name: &str, v: f64) -> Result<()> {
    demand(v.is_finite(), name, "a finite number", v)
}

fn positive(name: &str, v: f64) -> Result<()> {
    demand(v > 0.0 && v.is_finite(), name, "a positive number", v)
}

fn not_negative(name: &str, v: f64) -> Result<()> {
    demand(v >= 0.0 && v.is_finite(), name, "a number that is not negative", v)
}

distribution! {
    /// Random numbers that are equally likely everywhere from `low` to below `high`.
    UniformDistribution: RandomUniform = "_random_uniform" aliases ["uniform", "random_uniform"],
    RandomUniformLike = "_random_uniform_like",
    SampleUniform = "_sample_uniform" aliases ["sample_uniform"];
    parameters {
        /// The lower bound, which may be drawn.
        low: f64 = 0.0, id 4, each "low";
        /// The upper bound, which is not drawn unless it is also the lower one.
        high: f64 = 1.0, id 5, each "high";
    }
    bad "low" = 2.0;
    sample on 0.0 to 1.0;
    impl {
        fn fill<T: Real>(stream: Stream, out: &mut [T], p: Params<T, 2>) {
            rng::uniform(stream, out, p);
        }
        fn check([low, high]: [f64; 2]) -> Result<()> {
            finite("low", low)?;
            finite("high", high)?;
            demand(low <= high, "low", &format!("at most 'high', {high}"), low)
        }
        fn limits(p: [f64; 2]) -> Option<(f64, f64)> {
            Some((p[0], p[1])).filter(|(low, high)| low <= high)
        }
    }
}

distribution! {
    /// Random numbers from a normal distribution.
    NormalDistribution: RandomNormal = "_random_normal" aliases ["normal", "random_normal"],
    RandomNormalLike = "_random_normal_like",
    SampleNormal = "_sample_normal" aliases ["sample_normal"];
    parameters {
        /// The mean.
        loc: f64 = 0.0, id 4, each "mu";
        /// The standard deviation.
        scale: f64 = 1.0, id 5, each "sigma";
    }
    bad "scale" = -1.0;
    sample on 0.5 to 2.0;
    impl {
        fn fill<T: Real>(stream: Stream, out: &mut [T], p: Params<T, 2>) {
            rng::normal(stream, out, p);
        }
        fn check([loc, scale]: [f64; 2]) -> Result<()> {
            finite("loc", loc)?;
            positive("scale", scale)
        }
    }
}

distribution! {
    /// Random numbers from a gamma distribution, whose mean is `alpha * beta`.
    GammaDistribution: RandomGamma = "_random_gamma" aliases ["random_gamma"],
    RandomGammaLike = "_random_gamma_like",
    SampleGamma = "_sample_gamma" aliases ["sample_gamma"];
    parameters {
        /// The shape parameter.
        alpha: f64 = 1.0, id 4, each "alpha";
        /// The scale parameter.
        beta: f64 = 1.0, id 5, each "beta";
    }
    bad "alpha" = 0.0;
    sample on 0.5 to 2.0;
    impl {
        fn fill<T: Real>(stream: Stream, out: &mut [T], p: Params<T, 2>) {
            rng::gamma(stream, out, p);
        }
        fn check([alpha, beta]: [f64; 2]) -> Result<()> {
            positive("alpha", alpha)?;
            positive("beta", beta)
        }
    }
}

distribution! {
    /// Random numbers from an exponential distribution, whose mean is `1 / lam`.
    ExponentialDistribution: RandomExponential = "_random_exponential" aliases ["random_exponential"],
    RandomExponentialLike = "_random_exponential_like",
    SampleExponential = "_sample_exponential" aliases ["sample_exponential"];
    parameters {
        /// The rate.
        lam: f64 = 1.0, id 4, each "lam";
    }
    bad "lam" = 0.0;
    sample on 0.5 to 2.0;
    impl {
        fn fill<T: Real>(stream: Stream, out: &mut [T], p: Params<T, 1>) {
            rng::exponential(stream, out, p);
        }
        fn check([lam]: [f64; 1]) -> Result<()> {
            positive("lam", lam)
        }
    }
}

distribution! {
    /// Random numbers from a Poisson distribution: whole numbers in a floating-point dtype.
    PoissonDistribution: RandomPoisson = "_random_poisson" aliases ["random_poisson"],
    RandomPoissonLike = "_random_poisson_like",
    SamplePoisson = "_sample_poisson" aliases ["sample_poisson"];
    parameters {
        /// The mean.
        lam: f64 = 1.0, id 4, each "lam";
    }
    bad "lam" = -1.0;
    sample on 0.5 to 2.0;
    impl {
        fn fill<T: Real>(stream: Stream, out: &mut [T], p: Params<T, 1>) {
            rng::poisson(stream, out, p);
        }
        fn check([lam]: [f64; 1]) -> Result<()> {
            not_negative("lam", lam)
        }
    }
}

distribution! {
    /// Random numbers from a negative binomial distribution: how many trials fail before `k` succeed, each
    /// succeeding with probability `p`. They are whole numbers in a floating-point dtype.
    NegativeBinomialDistribution: RandomNegativeBinomial = "_random_negative_binomial"
        aliases ["random_negative_binomial"],
    RandomNegativeBinomialLike = "_random_negative_binomial_like",
    SampleNegativeBinomial = "_sample_negative_binomial" aliases ["sample_negative_binomial"];
    parameters {
        /// The number of successes to wait for.
        k: i64 = 1, id 4, each "k";
        /// The probability of success.
        p: f64 = 1.0, id 5, each "p";
    }
    bad "p" = 0.0;
    sample on 0.25 to 1.0;
    impl {
        fn fill<T: Real>(stream: Stream, out: &mut [T], p: Params<T, 2>) {
            rng::negative_binomial(stream, out, p);
        }
        fn check([k, p]: [f64; 2]) -> Result<()> {
            not_negative("k", k)?;
            demand(p > 0.0 && p <= 1.0, "p", "a probability above 0 and at most 1", p)
        }
    }
}

distribution! {
    /// Random numbers from a negative binomial distribution that is given by its mean and dispersion: the
    /// variance is `mu + alpha * mu * mu`. They are whole numbers in a floating-point dtype.
    GeneralizedNegativeBinomialDistribution: RandomGeneralizedNegativeBinomial =
        "_random_generalized_negative_binomial" aliases ["random_generalized_negative_binomial"],
    RandomGeneralizedNegativeBinomialLike = "_random_generalized_negative_binomial_like",
    SampleGeneralizedNegativeBinomial = "_sample_generalized_negative_binomial"
        aliases ["sample_generalized_negative_binomial"];
    parameters {
        /// The mean.
        mu: f64 = 1.0, id 4, each "mu";
        /// The dispersion; with 0 the distribution is Poisson's.
        alpha: f64 = 1.0, id 5, each "alpha";
    }
    bad "mu" = -1.0;
    sample on 0.5 to 2.0;
    impl {
        fn fill<T: Real>(stream: Stream, out: &mut [T], p: Params<T, 2>) {
            rng::generalized_negative_binomial(stream, out, p);
        }
        fn check([mu, alpha]: [f64; 2]) -> Result<()> {
            not_negative("mu", mu)?;
            not_negative("alpha", alpha)
        }
    }
}
