//! The distributions are what they claim, and the same however they are computed.

use super::discrete::Bernoulli;
use super::distributions::{Exponential, Normal, Uniform};
use super::fill::{Each, Filler, Wide, fill, run_best};
use super::math::ln_gamma64;
use super::rejection::{Gamma, GeneralizedNegativeBinomial, NegativeBinomial, Poisson};
use super::*;
use crate::device::Device;

const N: usize = 200_000;

fn stream(seed: u64) -> Stream {
    Generator::new(seed, Device::cpu(0)).reserve(N as u64)
}

/// Fills by one call on the plain path, by one on the best path, in odd pieces, and in parallel.
fn assert_same_everywhere<T: Copy + Default + PartialEq + Send + std::fmt::Debug, F: Filler<T>>(
    f: &F,
    n: usize,
) {
    let s = stream(11);
    let mut plain = vec![T::default(); n];
    f.run(s, 0, &mut plain);
    let mut other = vec![T::default(); n];
    run_best(f, s, 0, &mut other);
    assert!(plain == other, "instruction paths differ");
    for size in [1, 7, 1000] {
        other.fill(T::default());
        for (i, piece) in other[..n.min(3000)].chunks_mut(size).enumerate() {
            run_best(f, s, i * size, piece);
        }
        assert_eq!(plain[..n.min(3000)], other[..n.min(3000)], "in pieces of {size}");
    }
    other.fill(T::default());
    fill(f, s, &mut other, 64);
    assert!(plain == other, "threads differ");
}

#[test]
fn results_do_not_depend_on_threads_pieces_or_instructions() {
    let n = 50_001;
    assert_same_everywhere(&Wide(Uniform(Params::same(&[-1.0f32, 3.0]))), n);
    assert_same_everywhere(&Wide(Uniform(Params::same(&[-1.0f64, 3.0]))), n);
    assert_same_everywhere(&Wide(Normal(Params::same(&[1.0f32, 3.0]))), n);
    assert_same_everywhere(&Wide(Normal(Params::same(&[1.0f64, 3.0]))), n);
    assert_same_everywhere(&Wide(Exponential(Params::same(&[3.0f32]))), n);
    assert_same_everywhere(&Wide(Exponential(Params::same(&[3.0f64]))), n);
    assert_same_everywhere(&Wide(Bernoulli { p: Params::same(&[0.3]), on: 2.0f32 }), n);
    assert_same_everywhere(&Each(Gamma(Params::same(&[0.4f32, 2.0]))), n);
    assert_same_everywhere(&Each(Gamma(Params::same(&[4.0f64, 2.0]))), n);
    assert_same_everywhere(&Each(Poisson(Params::same(&[3.0f32]))), n);
    assert_same_everywhere(&Each(Poisson(Params::same(&[300.0f32]))), n);
    assert_same_everywhere(&Each(NegativeBinomial(Params::same(&[3.0f32, 0.2]))), n);
    assert_same_everywhere(&Each(GeneralizedNegativeBinomial(Params::same(&[3.0f32, 0.2]))), n);
    let (low, high): (Vec<f32>, Vec<f32>) = (0..9000).map(|i| (i as f32, i as f32 * 2.0 + 1.0)).unzip();
    assert_same_everywhere(&Wide(Uniform(Params::each([&low, &high], 7))), n);
    assert_same_everywhere(&Each(Gamma(Params::each([&high, &low], 7))), n);
}

/// The bits of the first elements are part of the contract: they change with no version, machine or language.
#[test]
fn the_first_numbers_of_seed_42_are_these() {
    let s = stream(42);
    let mut u = [0f32; 4];
    uniform(s, &mut u, Params::same(&[0.0, 1.0]));
    let words = s.block(0);
    assert_eq!(u.map(|x| (x * 16_777_216.0) as u32), words.map(|w| w >> 8));
    let mut z = [0f32; 4];
    normal(s, &mut z, Params::same(&[0.0, 1.0]));
    let mut g = [0f64; 2];
    gamma(s, &mut g, Params::same(&[2.5, 1.0]));
    let mut p = [0f32; 2];
    poisson(s, &mut p, Params::same(&[50.0]));
    assert_eq!(words, [0xd83d_0ad8, 0x0e35_0c17, 0x9736_708f, 0x6adf_a0bf]);
    assert_eq!(z.map(f32::to_bits), [0x3f0b_ca89, 0x3e4b_493d, 0xbf64_29e5, 0x3f02_30ae]);
    assert_eq!(g.map(f64::to_bits), [0x3ffc_5616_b33e_48e5, 0x3ff8_c982_964d_2963]);
    assert_eq!(p, [46.0, 59.0]);
}

#[test]
fn arrays_of_parameters_give_what_single_ones_give() {
    let s = stream(3);
    let (loc, scale) = ([5.0f32; 100], [2.0f32; 100]);
    let (mut a, mut b) = ([0f32; 1000], [0f32; 1000]);
    normal(s, &mut a, Params::each([&loc, &scale], 10));
    normal(s, &mut b, Params::same(&[5.0, 2.0]));
    assert_eq!(a, b);
    let p: Vec<f64> = (0..1000).map(|i| f64::from(i % 2)).collect();
    bernoulli(s, &mut a, Params::each([&p], 1), 1.0);
    assert!(a.iter().enumerate().all(|(i, x)| *x == (i % 2) as f32));
}

/// Regularised lower incomplete gamma function, by its series.
fn gamma_p(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
    while term > sum * 1e-14 {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    if x <= 0.0 { 0.0 } else { (sum.ln() + a * x.ln() - x - (ln_gamma64(a + 1.0) - a.ln())).exp().min(1.0) }
}

fn normal_cdf(x: f64) -> f64 {
    0.5 + 0.5 * x.signum() * gamma_p(0.5, x * x / 2.0)
}

/// Kolmogorov and Smirnov's test at a level of 1 in 1000.
fn assert_distributed(name: &str, mut samples: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    samples.sort_by(f64::total_cmp);
    let n = samples.len() as f64;
    let gap = |(i, x): (usize, &f64)| {
        let f = cdf(*x);
        (f - i as f64 / n).abs().max((f - (i as f64 + 1.0) / n).abs())
    };
    let d = samples.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt();
    assert!(d < 1.95, "{name}: the statistic is {d}");
}

/// Pearson's test at about the same level; values of small expectation are taken together.
fn assert_counts(name: &str, samples: impl Iterator<Item = f64>, pmf: impl Fn(f64) -> f64) {
    let mut counts = std::collections::BTreeMap::new();
    let mut n = 0.0;
    for x in samples {
        assert!(x >= 0.0 && x.fract() == 0.0, "{name}: {x}");
        *counts.entry(x as u64).or_insert(0.0) += 1.0;
        n += 1.0;
    }
    let last = *counts.keys().last().unwrap();
    let (mut statistic, mut bins, mut rest, mut rest_expected) = (0.0, 0.0, 0.0, n);
    for k in 0..=last {
        let (got, want) = (counts.get(&k).copied().unwrap_or(0.0), n * pmf(k as f64));
        if want < 20.0 {
            rest += got;
            continue;
        }
        statistic += (got - want) * (got - want) / want;
        bins += 1.0;
        rest_expected -= want;
    }
    if rest_expected > 5.0 {
        statistic += (rest - rest_expected) * (rest - rest_expected) / rest_expected;
    } else {
        assert!(rest < 30.0, "{name}: {rest} values where {rest_expected} were expected");
    }
    let limit = bins + 4.0 * (2.0f64 * bins).sqrt() + 5.0;
    assert!(statistic < limit, "{name}: the statistic is {statistic}, expected less than {limit}");
}

fn assert_moments(name: &str, samples: &[f64], mean: f64, variance: f64) {
    let n = samples.len() as f64;
    let m = samples.iter().sum::<f64>() / n;
    let v = samples.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / (n - 1.0);
    assert!((m - mean).abs() < 5.0 * (variance / n).sqrt(), "{name}: mean {m}, expected {mean}");
    assert!((v / variance - 1.0).abs() < 0.05, "{name}: variance {v}, expected {variance}");
}

fn samples<T: Real>(f: impl Fn(&mut [T])) -> Vec<f64> {
    let mut out = vec![T::default(); N];
    f(&mut out);
    out.into_iter().map(T::to_f64).collect()
}

fn check_continuous<T: Real>(seed: u64) {
    let t = T::from_f64;
    let s = stream(seed);
    let x = samples::<T>(|o| uniform(s, o, Params::same(&[t(-2.0), t(3.0)])));
    assert!(x.iter().all(|x| (-2.0..3.0).contains(x)));
    assert_moments("uniform", &x, 0.5, 25.0 / 12.0);
    assert_distributed("uniform", x, |x| (x + 2.0) / 5.0);
    let x = samples::<T>(|o| normal(s, o, Params::same(&[t(1.0), t(2.0)])));
    assert_moments("normal", &x, 1.0, 4.0);
    assert_distributed("normal", x, |x| normal_cdf((x - 1.0) / 2.0));
    let x = samples::<T>(|o| exponential(s, o, Params::same(&[t(4.0)])));
    assert!(x.iter().all(|x| *x >= 0.0 && x.is_sign_positive()));
    assert_moments("exponential", &x, 0.25, 0.0625);
    assert_distributed("exponential", x, |x| 1.0 - (-4.0 * x).exp());
    for alpha in [0.3, 1.0, 2.5, 40.0] {
        let x = samples::<T>(|o| gamma(s, o, Params::same(&[t(alpha), t(2.0)])));
        let alpha = t(alpha).to_f64();
        assert_moments("gamma", &x, alpha * 2.0, alpha * 4.0);
        assert_distributed("gamma", x, |x| {
            // ln_gamma64 needs arguments from 1.
            let below = if alpha < 1.0 {
                ((-x / 2.0) + alpha * (x / 2.0).ln() - ln_gamma64(alpha + 1.0)).exp()
            } else {
                0.0
            };
            if alpha < 1.0 { gamma_p(alpha + 1.0, x / 2.0) + below } else { gamma_p(alpha, x / 2.0) }
        });
    }
}

#[test]
fn continuous_distributions_are_what_they_claim() {
    check_continuous::<f32>(1);
    check_continuous::<f64>(2);
}

#[test]
fn neighbouring_elements_are_not_correlated() {
    let x = samples::<f32>(|o| normal(stream(5), o, Params::same(&[0.0, 1.0])));
    for lag in 1..9 {
        let r: f64 = x.iter().zip(&x[lag..]).map(|(a, b)| a * b).sum::<f64>() / N as f64;
        assert!(r.abs() < 5.0 / (N as f64).sqrt(), "lag {lag}: {r}");
    }
}

#[test]
fn counting_distributions_are_what_they_claim() {
    let s = stream(6);
    for lam in [0.1, 3.0, 9.9, 10.0, 35.0, 1200.0] {
        let x = samples::<f64>(|o| poisson(s, o, Params::same(&[lam])));
        assert_moments("poisson", &x, lam, lam);
        assert_counts("poisson", x.into_iter(), |k| (k * lam.ln() - lam - ln_gamma64(k + 1.0)).exp());
    }
    let binomial = |k: f64, r: f64, p: f64| {
        let ways = ln_gamma64(k + r) - ln_gamma64(k + 1.0) - ln_gamma64(r);
        (ways + r * p.ln() + k * (1.0 - p).ln()).exp()
    };
    let x = samples::<f64>(|o| negative_binomial(s, o, Params::same(&[3.0, 0.4])));
    assert_moments("negative binomial", &x, 4.5, 11.25);
    assert_counts("negative binomial", x.into_iter(), |k| binomial(k, 3.0, 0.4));
    // The same distribution by mean and dispersion: r = 1 / alpha, p = r / (r + mu).
    let x = samples::<f64>(|o| generalized_negative_binomial(s, o, Params::same(&[6.0, 0.25])));
    assert_moments("generalized negative binomial", &x, 6.0, 15.0);
    assert_counts("generalized negative binomial", x.into_iter(), |k| binomial(k, 4.0, 0.4));
    let x = samples::<f64>(|o| generalized_negative_binomial(s, o, Params::same(&[6.0, 0.0])));
    assert_moments("generalized negative binomial without dispersion", &x, 6.0, 6.0);
}

#[test]
fn integers_are_uniform_in_ranges_of_any_size() {
    let s = stream(7);
    let mut x = vec![0i32; N];
    randint(s, &mut x, -3, 10);
    assert_counts("randint", x.iter().map(|x| f64::from(*x) + 3.0), |_| 1.0 / 13.0);
    let mut x = vec![0i64; N];
    let eighth = |x: &i64| (x.wrapping_sub(i64::MIN) as u64 >> 61) as f64;
    randint(s, &mut x, i64::MIN, i64::MAX);
    assert_counts("eighths", x.iter().map(eighth), |_| 1.0 / 8.0);
    let mut y = vec![0i32; N];
    randint(s, &mut y, i32::MIN, i32::MAX);
    assert_counts("eighths", y.iter().map(|x| f64::from((x.wrapping_sub(i32::MIN) as u32) >> 29)), |_| 0.125);
    // A range of 3·2^30 redraws a quarter of the words.
    randint(s, &mut x, 0, 3 << 30);
    assert_counts("thirds", x.iter().map(|x| (x >> 30) as f64), |_| 1.0 / 3.0);
    randint(s, &mut x, 5, 5);
    assert!(x.iter().all(|x| *x == 5));
}

#[test]
fn categories_follow_their_probabilities() {
    let s = stream(8);
    let rows = [0.1f32, 0.0, 0.4, 0.5, 0.0, 0.25, 0.75, 0.0];
    let mut class = vec![0i32; N];
    let mut log = vec![0f32; N];
    categorical(s, &rows, 4, N / 2, &mut class, Some(&mut log));
    for r in 0..2 {
        let part = &class[r * N / 2..(r + 1) * N / 2];
        assert_counts("categorical", part.iter().map(|c| f64::from(*c)), |k| {
            f64::from(rows[4 * r + k as usize])
        });
    }
    for (i, (c, l)) in class.iter().zip(&log).enumerate() {
        let p = rows[i / (N / 2) * 4 + *c as usize];
        assert!(p > 0.0 && (l.exp() - p).abs() < 1e-6);
    }
    let mut odd = [0i32; 3];
    categorical(s, &[0.0, 0.0, f32::NAN, -1.0, 1e-40, 0.0], 2, 1, &mut odd, None);
    assert_eq!(odd, [1, 1, 0]);
    let mut hits = vec![0u8; N];
    bernoulli(s, &mut hits, Params::same(&[0.3]), 1);
    assert_counts("bernoulli", hits.iter().map(|x| f64::from(*x)), |k| if k == 1.0 { 0.3 } else { 0.7 });
    for (p, all) in [(0.0, 0), (1.0, 1), (f64::NAN, 0), (7.0, 1)] {
        bernoulli(s, &mut hits, Params::same(&[p]), 1);
        assert!(hits.iter().all(|x| *x == all), "{p}");
    }
}

#[test]
fn permutations_are_equally_likely() {
    let g = Generator::new(9, Device::cpu(0));
    let draws = 24_000;
    let ranks = (0..draws).map(|_| {
        let p = permutation(g.reserve(4), 4);
        let mut sorted = p.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
        // The rank among the 24: the place of each number among those that follow it.
        let below = |i: usize| p[i + 1..].iter().filter(|x| **x < p[i]).count();
        (below(0) * 6 + below(1) * 2 + below(2)) as f64
    });
    assert_counts("permutation", ranks, |_| 1.0 / 24.0);
    assert!(permutation(stream(0), 0).is_empty());
    assert_eq!(permutation(stream(0), 1), [0]);
}

#[test]
fn zipfian_candidates_are_different_and_mostly_small() {
    let (mut out, mut tries) = (vec![0i64; 300], vec![0i64; 3]);
    unique_zipfian(stream(10), 1000, &mut out, 100, &mut tries);
    for (row, tries) in out.chunks(100).zip(&tries) {
        assert_eq!(row.iter().collect::<std::collections::HashSet<_>>().len(), 100);
        assert!(row.iter().all(|x| (0..1000).contains(x)) && *tries >= 100);
        assert!(row.iter().filter(|x| **x < 100).count() > 40);
    }
    unique_zipfian(stream(10), 5, &mut out[..5], 5, &mut tries[..1]);
}

#[test]
fn senseless_parameters_end_and_give_what_arithmetic_gives() {
    let s = stream(12);
    let one = |f: &dyn Fn(&mut [f64])| {
        let mut x = [0.0; 8];
        f(&mut x);
        x
    };
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for p in [[nan, 1.0], [0.0, nan]] {
        assert!(one(&|o| uniform(s, o, Params::same(&p))).iter().all(|x| x.is_nan()));
        assert!(one(&|o| normal(s, o, Params::same(&p))).iter().all(|x| x.is_nan()));
        assert!(one(&|o| negative_binomial(s, o, Params::same(&p))).iter().all(|x| x.is_nan()));
    }
    for alpha in [nan, -1.0, -inf] {
        assert!(one(&|o| gamma(s, o, Params::same(&[alpha, 1.0]))).iter().all(|x| x.is_nan()));
        assert!(one(&|o| poisson(s, o, Params::same(&[alpha]))).iter().all(|x| x.is_nan()));
    }
    assert_eq!(one(&|o| gamma(s, o, Params::same(&[0.0, 1.0]))), [0.0; 8]);
    assert_eq!(one(&|o| gamma(s, o, Params::same(&[inf, 1.0]))), [inf; 8]);
    assert_eq!(one(&|o| poisson(s, o, Params::same(&[0.0]))), [0.0; 8]);
    assert_eq!(one(&|o| poisson(s, o, Params::same(&[inf]))), [inf; 8]);
    assert_eq!(one(&|o| uniform(s, o, Params::same(&[2.0, 2.0]))), [2.0; 8]);
    let most = f64::MAX;
    assert!(one(&|o| uniform(s, o, Params::same(&[-most, most]))).iter().all(|x| x.is_finite()));
    for alpha in [1e-300, 1e-5, 1e300] {
        assert!(one(&|o| gamma(s, o, Params::same(&[alpha, 1.0]))).iter().all(|x| x.is_finite()));
    }
    for lam in [1e-300, 1e7, 1e8, 1e9, 1e300] {
        assert!(one(&|o| poisson(s, o, Params::same(&[lam]))).iter().all(|x| x.is_finite()));
    }
    // A tiny range: rounding alone would often reach its end.
    let tiny = [1.0f32, 1.0 + f32::EPSILON];
    let mut x = [0f32; 1000];
    uniform(s, &mut x, Params::same(&tiny));
    assert!(x.iter().all(|x| *x == 1.0));
}
