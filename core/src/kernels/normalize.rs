//! Loops over runs of one channel, of which normalisations are made.
//!
//! Sums are taken in interleaved lanes, whose number does not depend on the instruction path, so that results do not.

use super::math::Real;

/// Elements of a register.
const LANES: usize = 8;
/// Registers that are summed side by side.
const SIDE: usize = 4;

/// Sums in lanes.
type Lanes<T> = [[T; LANES]; SIDE];

#[inline(always)]
fn total<T: Real>(lanes: Lanes<T>) -> T {
    let mut sum = [T::ZERO; LANES];
    for part in lanes {
        for (s, p) in sum.iter_mut().zip(part) {
            *s += p;
        }
    }
    sum.into_iter().fold(T::ZERO, |a, b| a + b)
}

/// The sum of `f(i)` over all places, in lanes where there are enough.
#[inline(always)]
fn sum_of<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    if n < LANES {
        return (0..n).map(f).fold(T::ZERO, |a, b| a + b);
    }
    let mut lanes = [[T::ZERO; LANES]; SIDE];
    let whole = n / (LANES * SIDE) * (LANES * SIDE);
    for first in (0..whole).step_by(LANES * SIDE) {
        for (r, lanes) in lanes.iter_mut().enumerate() {
            for (l, lane) in lanes.iter_mut().enumerate() {
                *lane += f(first + r * LANES + l);
            }
        }
    }
    for i in whole..n {
        lanes[(i - whole) / LANES][i % LANES] += f(i);
    }
    total(lanes)
}

crate::simd_fn! {
    /// The sum of `x`.
    pub fn sum<T: Real>(x: &[T]) -> T {
        sum_of(x.len(), |i| x[i])
    }

    /// The sum of `(x - mean)²`.
    pub fn sum_squares<T: Real>(x: &[T], mean: T) -> T {
        sum_of(x.len(), |i| {
            let d = x[i] - mean;
            d * d
        })
    }

    /// The sum of `dy * (x - mean)`.
    pub fn sum_along<T: Real>(dy: &[T], x: &[T], mean: T) -> T {
        let n = dy.len().min(x.len());
        let (dy, x) = (&dy[..n], &x[..n]);
        sum_of(n, |i| dy[i] * (x[i] - mean))
    }

    /// `y = (y - mean) * factor + offset`.
    pub fn normalize<T: Real>(y: &mut [T], mean: T, factor: T, offset: T) {
        for y in y {
            *y = (*y - mean) * factor + offset;
        }
    }

    /// `y = (x - mean) * factor + offset`.
    pub fn normalized<T: Real>(x: &[T], mean: T, factor: T, offset: T, y: &mut [T]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = (*x - mean) * factor + offset;
        }
    }

    /// `dy = (dy - shift - (x - mean) * slope) * factor`, the gradient through a normalisation.
    pub fn normalize_back<T: Real>(dy: &mut [T], x: &[T], mean: T, shift: T, slope: T, factor: T) {
        for (dy, x) in dy.iter_mut().zip(x) {
            *dy = (*dy - shift - (*x - mean) * slope) * factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::with_portable;
    use crate::kernels::testing::Random;

    #[test]
    fn sums_are_those_of_their_definition_and_equal_on_every_path() {
        let mut r = Random(11);
        for n in [0, 1, 7, 31, 32, 33, 100, 1000] {
            let (x, dy): (Vec<f32>, Vec<f32>) = (r.vec(n, 1.0), r.vec(n, 1.0));
            let sums = || [sum(&x), sum_squares(&x, 0.25), sum_along(&dy, &x, 0.25)];
            let exact = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
                x.iter().zip(&dy).map(|(x, dy)| f(f64::from(*x), f64::from(*dy))).sum()
            };
            let wanted =
                [exact(&|x, _| x), exact(&|x, _| (x - 0.25) * (x - 0.25)), exact(&|x, dy| dy * (x - 0.25))];
            for (sum, wanted) in sums().into_iter().zip(wanted) {
                assert!((f64::from(sum) - wanted).abs() < 1e-5 * (1.0 + n as f64), "{n}: {sum} {wanted}");
            }
            assert_eq!(sums(), with_portable(sums), "{n}");
        }
    }
}
