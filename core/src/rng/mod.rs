//! Random numbers that depend on a seed and a position, and on nothing else.
//!
//! Philox turns a counter into random words, so an element needs no state: an operation reserves a range of
//! counters ([`Generator::reserve`]) and its kernel computes element `i` from the [`Stream`] and `i`. The
//! result is the same for any number of threads, instruction path, device and language, and a piece that runs
//! again with the same stream draws the same numbers.
//!
//! Reserve one counter per element of the result; [`permutation`] takes one per number it permutes and
//! [`unique_zipfian`] one per row.
//!
//! The distributions fill slices in parallel. Parameters ([`Params`]) are the same for all elements, or
//! arrays with some draws for each entry, as MXNet's `random_*` and `sample_*` operators have them.

mod discrete;
mod distributions;
mod fill;
mod generator;
mod math;
mod params;
pub mod philox;
mod rejection;
#[cfg(test)]
mod tests;

pub use discrete::{Int, bernoulli, categorical, permutation, randint, unique_zipfian};
pub use distributions::{Real, exponential, normal, uniform};
pub use generator::{Generator, Stream, SubStream, generator, seed};
pub use params::Params;
pub use rejection::{gamma, generalized_negative_binomial, negative_binomial, poisson};
