//! Integers, truth values, categories and permutations.

// Loops over the lanes of fixed arrays: the form that vectorises.
#![allow(clippy::needless_range_loop)]

use super::distributions::unit64;
use super::fill::{Wide, WideSampler, fill, for_each_piece};
use super::generator::{Stream, join};
use super::math::{exp64, ln64};
use super::params::Params;
use super::philox::{WIDTH, Words};
use crate::dtype::Element;
use std::collections::HashSet;

mod sealed {
    /// Keeps [`super::Int`] to i32 and i64.
    pub trait Sealed {}
    impl Sealed for i32 {}
    impl Sealed for i64 {}
}

/// The types that [`randint`] fills: i32 and i64.
pub trait Int: Element + sealed::Sealed {}
impl Int for i32 {}
impl Int for i64 {}

/// Lemire's method, «Fast random integer generation in an interval», ACM TOMACS 29 (2019): the upper half of
/// the product, unless the lower half shows that this result would come once too often.
#[inline(always)]
fn below32(range: u32, word: u32) -> Option<u32> {
    let product = u64::from(word) * u64::from(range);
    let low = product as u32;
    let fair = low >= range || low >= range.wrapping_neg() % range;
    fair.then_some((product >> 32) as u32)
}

#[inline(always)]
fn below64(range: u64, word: u64) -> Option<u64> {
    let product = u128::from(word) * u128::from(range);
    let low = product as u64;
    let fair = low >= range || low >= range.wrapping_neg() % range;
    fair.then_some((product >> 64) as u64)
}

/// A range of at most 32 bits: four elements per block.
struct Below32 {
    low: i64,
    range: u32,
}

impl<T: Int> WideSampler<T> for Below32 {
    const LANES: usize = 4;

    #[inline(always)]
    fn wide(&self, stream: Stream, block: u64, words: &Words, out: &mut [T]) {
        for j in 0..WIDTH {
            for lane in 0..4 {
                let mut x = below32(self.range, words[lane][j]);
                let mut attempt = 0;
                while x.is_none() {
                    attempt += 1;
                    x = below32(self.range, stream.redraw(block + j as u64, attempt)[lane]);
                }
                out[4 * j + lane] = T::from_i64(self.low + i64::from(x.unwrap_or(0)));
            }
        }
    }
}

/// A wider range: two elements per block.
struct Below64 {
    low: i64,
    range: u64,
}

impl<T: Int> WideSampler<T> for Below64 {
    const LANES: usize = 2;

    #[inline(always)]
    fn wide(&self, stream: Stream, block: u64, words: &Words, out: &mut [T]) {
        for j in 0..WIDTH {
            for lane in 0..2 {
                let mut x = below64(self.range, join(words[2 * lane][j], words[2 * lane + 1][j]));
                let mut attempt = 0;
                while x.is_none() {
                    attempt += 1;
                    let w = stream.redraw(block + j as u64, attempt);
                    x = below64(self.range, join(w[2 * lane], w[2 * lane + 1]));
                }
                out[2 * j + lane] = T::from_i64(self.low.wrapping_add(x.unwrap_or(0) as i64));
            }
        }
    }
}

/// Integers in `[low, high)`, all equally likely. An empty range gives `low`.
pub fn randint<T: Int>(stream: Stream, out: &mut [T], low: T, high: T) {
    let (low, high) = (low.to_i64(), high.to_i64());
    let range = if low < high { high.wrapping_sub(low) as u64 } else { 1 };
    match u32::try_from(range) {
        Ok(range) => fill(&Wide(Below32 { low, range }), stream, out, 16 * 1024),
        Err(_) => fill(&Wide(Below64 { low, range }), stream, out, 8 * 1024),
    }
}

pub(crate) struct Bernoulli<'a, T> {
    pub p: Params<'a, f64, 1>,
    pub on: T,
}

/// How many of the 2^32 words mean success.
#[inline(always)]
fn threshold(p: f64) -> u64 {
    (p * 4_294_967_296.0).round_ties_even().clamp(0.0, 4_294_967_296.0) as u64
}

impl<T: Element> WideSampler<T> for Bernoulli<'_, T> {
    const LANES: usize = 4;

    #[inline(always)]
    fn wide(&self, _: Stream, block: u64, words: &Words, out: &mut [T]) {
        let zero = T::default();
        // The last block may reach beyond the elements, and so beyond the parameters.
        let single = self.p.single().map(|[p]| threshold(p));
        for j in 0..WIDTH {
            for lane in 0..4 {
                let i = (block as usize + j) * 4 + lane;
                let limit = match single {
                    Some(limit) => limit,
                    None => self.p.get(i).map_or(0, |[p]| threshold(p)),
                };
                out[4 * j + lane] = if u64::from(words[lane][j]) < limit { self.on } else { zero };
            }
        }
    }
}

/// `on` with probability `p`, else 0: truth values with `on` 1, a dropout mask with `on` the scale of what is
/// kept. Probabilities are taken to 32 bits; NaN counts as 0.
pub fn bernoulli<T: Element>(stream: Stream, out: &mut [T], p: Params<f64, 1>, on: T) {
    fill(&Wide(Bernoulli { p, on }), stream, out, 16 * 1024);
}

/// Categories by rows of probabilities: `probabilities` has rows of `classes`, and each row gives `draws`
/// consecutive elements of `out`. With `log_prob`, which is as long as `out`, also the logarithms of the
/// probabilities of what was drawn.
///
/// Rows need not sum to 1. What is negative or NaN counts as 0; a row of zeros gives its last class.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn categorical<T: Element, P: Element>(
    stream: Stream,
    probabilities: &[P],
    classes: usize,
    draws: usize,
    out: &mut [T],
    log_prob: Option<&mut [P]>,
) {
    assert!(classes > 0 && draws > 0, "a draw needs a class");
    assert_eq!(probabilities.len() / classes * draws, out.len(), "as many elements as draws");
    let sampler = Categorical { probabilities, classes, draws };
    for_each_piece(out, (64 * 1024 / classes).max(64), |first, piece| sampler.run(stream, first, piece));
    if let Some(log_prob) = log_prob {
        assert_eq!(log_prob.len(), out.len(), "as many logarithms as draws");
        for (i, (l, class)) in log_prob.iter_mut().zip(out.iter()).enumerate() {
            let p = probabilities[i / draws * classes + sampler.class_of(*class)].to_f64();
            *l = P::from_f64(ln_any(p));
        }
    }
}

struct Categorical<'a, P> {
    probabilities: &'a [P],
    classes: usize,
    draws: usize,
}

impl<P: Element> Categorical<'_, P> {
    /// The class that an element names. Small types may not hold every class: they wrapped.
    fn class_of<T: Element>(&self, class: T) -> usize {
        (class.to_i64().max(0) as usize).min(self.classes - 1)
    }

    fn run<T: Element>(&self, stream: Stream, first: usize, out: &mut [T]) {
        let mut sums = vec![0.0; self.classes];
        let mut row = usize::MAX;
        for (i, x) in out.iter_mut().enumerate() {
            let i = first + i;
            if i / self.draws != row {
                row = i / self.draws;
                let mut sum = 0.0;
                for (s, p) in sums.iter_mut().zip(&self.probabilities[row * self.classes..]) {
                    let p = p.to_f64();
                    sum += if p > 0.0 { p } else { 0.0 };
                    *s = sum;
                }
            }
            let total = sums[self.classes - 1];
            let [a, b, ..] = stream.block(i as u64);
            let aim = unit64(join(a, b)) * total;
            // Rounding may bring the aim to the total: then the last class that is possible.
            let class = sums.partition_point(|s| *s <= aim).min(sums.partition_point(|s| *s < total));
            *x = T::from_i64(if total > 0.0 { class } else { self.classes - 1 } as i64);
        }
    }
}

/// The logarithm of any number.
fn ln_any(p: f64) -> f64 {
    if p.is_nan() || p < 0.0 {
        f64::NAN
    } else if p < f64::MIN_POSITIVE {
        // Numbers below the normal ones are scaled by 2^64.
        let scaled = p * 18_446_744_073_709_551_616.0;
        if p == 0.0 { f64::NEG_INFINITY } else { ln64(scaled) - 64.0 * std::f64::consts::LN_2 }
    } else if p == f64::INFINITY {
        p
    } else {
        ln64(p)
    }
}

/// A permutation of `0..n`, all equally likely: Fisher and Yates's shuffle.
pub fn permutation(stream: Stream, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        let mut attempt = 0;
        let other = loop {
            let [a, b, ..] = stream.redraw(last as u64, attempt);
            if let Some(x) = below64(last as u64 + 1, join(a, b)) {
                break x;
            }
            attempt += 1;
        };
        order.swap(last, other as usize);
    }
    order
}

/// Different integers in `[0, range_max)`, roughly by Zipf's law: the candidate classes of sampled losses, as
/// MXNet's `unique_zipfian`. Fills each row of `row_len`; `tries` gets the number of draws that each row took.
///
/// # Panics
/// If a row is longer than the range, or `tries` has not one element per row.
pub fn unique_zipfian(stream: Stream, range_max: i64, out: &mut [i64], row_len: usize, tries: &mut [i64]) {
    assert!(row_len as i64 <= range_max, "{row_len} different numbers below {range_max}");
    assert_eq!(out.len(), row_len * tries.len(), "one count of tries per row");
    let ln_range = ln64(range_max as f64 + 1.0);
    for (r, (row, tries)) in out.chunks_exact_mut(row_len.max(1)).zip(tries).enumerate() {
        let mut random = stream.element(r as u64);
        let mut seen = HashSet::with_capacity(row_len);
        *tries = 0;
        for x in row {
            loop {
                *tries += 1;
                *x = (exp64(random.unit() * ln_range) - 1.0).round_ties_even() as i64 % range_max;
                if seen.insert(*x) {
                    break;
                }
            }
        }
    }
}
