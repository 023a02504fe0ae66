//! Softmax and its logarithm along one axis, with their gradients.
//!
//! An array is seen as (outer, axis, inner). Inputs are shifted by their maximum. Sums run along the axis in order,
//! and interleaved if `inner` is 1.

use super::Shared;
use super::math::Real;
use crate::parallel::for_each_range;

/// Interleaved sums along a contiguous row.
const LANES: usize = 16;
/// Columns that are handled together where the axis is not the last.
const COLUMNS: usize = 128;
/// Elements below which a piece is not worth a thread.
const GRAIN: usize = 1 << 13;

/// Sizes of an array around the axis of a softmax: (outer, axis, inner).
pub type Around = (usize, usize, usize);

/// Writes softmax(x / temperature) along the axis to `y`, or its logarithm if `log`.
pub fn softmax<T: Real>(size: Around, temperature: T, log: bool, x: &[T], y: &mut [T]) {
    debug_assert!(x.len() == size.0 * size.1 * size.2 && y.len() == x.len());
    let scale = T::ONE / temperature;
    over(size, y, |at, width, y| {
        if size.2 == 1 {
            // SAFETY: `over` gives each row of the result to one call.
            forward_row(scale, log, &x[at..at + size.1], unsafe { y.slice(at, size.1) });
        } else {
            forward_columns(scale, log, Block { at, width, axis: size.1, step: size.2 }, x, y);
        }
    });
}

/// [`softmax`] of what is in `y`, written over it.
pub fn softmax_in_place<T: Real>(size: Around, temperature: T, log: bool, y: &mut [T]) {
    let scale = T::ONE / temperature;
    if size.2 != 1 {
        let x = y.to_vec();
        return softmax(size, temperature, log, &x, y);
    }
    over(size, y, |at, _, y| {
        // SAFETY: `over` gives each row to one call.
        let y = unsafe { y.slice(at, size.1) };
        let x = y.to_vec();
        forward_row(scale, log, &x, y);
    });
}

/// Writes the gradient of the input of [`softmax`], whose result is `y`, for the result's gradient `dy` to `dx`.
pub fn softmax_backward<T: Real>(size: Around, temperature: T, log: bool, y: &[T], dy: &[T], dx: &mut [T]) {
    debug_assert!(y.len() == size.0 * size.1 * size.2 && dy.len() == y.len() && dx.len() == y.len());
    let scale = T::ONE / temperature;
    over(size, dx, |at, width, dx| {
        if size.2 == 1 {
            let row = at..at + size.1;
            // SAFETY: `over` gives each row of the result to one call.
            backward_row(scale, log, &y[row.clone()], &dy[row], unsafe { dx.slice(at, size.1) });
        } else {
            backward_columns(scale, log, Block { at, width, axis: size.1, step: size.2 }, y, dy, dx);
        }
    });
}

/// Calls `f(first element, columns, out)` for blocks of columns along the axis, which do not overlap.
fn over<T: Real>((outer, axis, inner): Around, out: &mut [T], f: impl Fn(usize, usize, Shared<T>) + Sync) {
    if out.is_empty() {
        return;
    }
    let out = Shared::new(out);
    let strips = inner.div_ceil(COLUMNS);
    for_each_range(outer * strips, GRAIN.div_ceil(axis * inner.min(COLUMNS)), |range| {
        for task in range {
            let column = task % strips * COLUMNS;
            f(task / strips * axis * inner + column, COLUMNS.min(inner - column), out);
        }
    });
}

/// Columns next to each other along the axis.
#[derive(Clone, Copy)]
struct Block {
    /// First element.
    at: usize,
    width: usize,
    axis: usize,
    /// Distance of neighbours along the axis.
    step: usize,
}

impl Block {
    /// Where each row of the block starts.
    #[inline(always)]
    fn rows(self) -> impl Iterator<Item = usize> {
        (0..self.axis).map(move |a| self.at + a * self.step)
    }
}

/// Sum of the products of `x` and `y` in interleaved sums.
#[inline(always)]
fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    let mut sums = [T::ZERO; LANES];
    let (x, y) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    for ((s, x), y) in sums.iter_mut().zip(x.remainder()).zip(y.remainder()) {
        *s = *x * *y;
    }
    for (x, y) in x.zip(y) {
        for l in 0..LANES {
            sums[l] += x[l] * y[l];
        }
    }
    total(sums)
}

/// Sum of `x` in interleaved sums.
#[inline(always)]
fn sum<T: Real>(x: &[T]) -> T {
    let mut sums = [T::ZERO; LANES];
    let x = x.chunks_exact(LANES);
    for (s, x) in sums.iter_mut().zip(x.remainder()) {
        *s = *x;
    }
    for x in x {
        for l in 0..LANES {
            sums[l] += x[l];
        }
    }
    total(sums)
}

/// Sum of a row's interleaved sums, halves first.
#[inline(always)]
fn total<T: Real>(mut sums: [T; LANES]) -> T {
    let mut half = LANES;
    while half > 1 {
        half /= 2;
        for l in 0..half {
            let high = sums[l + half];
            sums[l] += high;
        }
    }
    sums[0]
}

/// The larger number; a NaN if either is.
#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if a > b || a.is_nan() { a } else { b }
}

/// Largest of `scale * x`.
#[inline(always)]
fn largest<T: Real>(scale: T, x: &[T]) -> T {
    let mut most = [T::NEG_INFINITY; LANES];
    let chunks = x.chunks_exact(LANES);
    for (m, x) in most.iter_mut().zip(chunks.remainder()) {
        *m = larger(*m, scale * *x);
    }
    for c in chunks {
        for l in 0..LANES {
            most[l] = larger(most[l], scale * c[l]);
        }
    }
    most.into_iter().fold(T::NEG_INFINITY, larger)
}

crate::simd_fn! {
    fn forward_row<T: Real>(scale: T, log: bool, x: &[T], y: &mut [T]) {
        let top = largest(scale, x);
        for (y, x) in y.iter_mut().zip(x) {
            *y = (scale * *x - top).exp();
        }
        let total = sum(y);
        if log {
            let shift = total.log();
            for (y, x) in y.iter_mut().zip(x) {
                *y = scale * *x - top - shift;
            }
        } else {
            let by = T::ONE / total;
            for y in y {
                *y *= by;
            }
        }
    }

    fn forward_columns<T: Real>(scale: T, log: bool, block: Block, x: &[T], y: Shared<T>) {
        let (mut top, mut total) = ([T::NEG_INFINITY; COLUMNS], [T::ZERO; COLUMNS]);
        let (top, total) = (&mut top[..block.width], &mut total[..block.width]);
        for at in block.rows() {
            for (t, x) in top.iter_mut().zip(&x[at..]) {
                *t = larger(*t, scale * *x);
            }
        }
        for at in block.rows() {
            // SAFETY: the block belongs to this call.
            let y = unsafe { y.slice(at, block.width) };
            for (((y, s), t), x) in y.iter_mut().zip(total.iter_mut()).zip(top.iter()).zip(&x[at..]) {
                let e = (scale * *x - *t).exp();
                *y = e;
                *s += e;
            }
        }
        for s in total.iter_mut() {
            *s = if log { s.log() } else { T::ONE / *s };
        }
        for at in block.rows() {
            // SAFETY: as above.
            let y = unsafe { y.slice(at, block.width) };
            if log {
                for (((y, s), t), x) in y.iter_mut().zip(total.iter()).zip(top.iter()).zip(&x[at..]) {
                    *y = scale * *x - *t - *s;
                }
            } else {
                for (y, s) in y.iter_mut().zip(total.iter()) {
                    *y *= *s;
                }
            }
        }
    }

    fn backward_row<T: Real>(scale: T, log: bool, y: &[T], dy: &[T], dx: &mut [T]) {
        if log {
            let total = sum(dy);
            for ((dx, dy), y) in dx.iter_mut().zip(dy).zip(y) {
                *dx = scale * (*dy - y.exp() * total);
            }
        } else {
            let total = dot(dy, y);
            for ((dx, dy), y) in dx.iter_mut().zip(dy).zip(y) {
                *dx = scale * ((*dy - total) * *y);
            }
        }
    }

    fn backward_columns<T: Real>(scale: T, log: bool, block: Block, y: &[T], dy: &[T], dx: Shared<T>) {
        let mut total = [T::ZERO; COLUMNS];
        let total = &mut total[..block.width];
        for at in block.rows() {
            for ((s, dy), y) in total.iter_mut().zip(&dy[at..]).zip(&y[at..]) {
                *s += if log { *dy } else { *dy * *y };
            }
        }
        for at in block.rows() {
            // SAFETY: the block belongs to this call.
            let dx = unsafe { dx.slice(at, block.width) };
            for (((dx, s), dy), y) in dx.iter_mut().zip(total.iter()).zip(&dy[at..]).zip(&y[at..]) {
                *dx = scale * if log { *dy - y.exp() * *s } else { (*dy - *s) * *y };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::with_portable;
    use crate::kernels::testing::{Random, assert_close};

    fn check<T: Real>(r: &mut Random, size: Around, log: bool, tol: f64) {
        let (outer, axis, inner) = size;
        let n = outer * axis * inner;
        let t = 0.7;
        let (x, dy): (Vec<T>, Vec<T>) = (r.vec(n, 30.0), r.vec(n, 1.0));
        let (mut y, mut dx) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        softmax(size, T::from_f64(t), log, &x, &mut y);
        softmax_backward(size, T::from_f64(t), log, &y, &dy, &mut dx);
        let (mut want_y, mut want_dx) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        for o in 0..outer {
            for i in 0..inner {
                let at = |a: usize| (o * axis + a) * inner + i;
                let top = (0..axis).map(|a| x[at(a)].to_f64()).fold(f64::MIN, f64::max);
                let e = |a: usize| ((x[at(a)].to_f64() - top) / t).exp();
                let sum: f64 = (0..axis).map(e).sum();
                let p = |a: usize| e(a) / sum;
                let total: f64 = (0..axis).map(|a| dy[at(a)].to_f64() * if log { 1.0 } else { p(a) }).sum();
                for a in 0..axis {
                    let d = dy[at(a)].to_f64();
                    let log_p = (x[at(a)].to_f64() - top) / t - sum.ln();
                    want_y[at(a)] = T::from_f64(if log { log_p } else { p(a) });
                    let g = if log { d - p(a) * total } else { (d - total) * p(a) };
                    want_dx[at(a)] = T::from_f64(g / t);
                }
            }
        }
        assert_close(&y, &want_y, tol, &format!("{size:?} {log}"));
        assert_close(&dx, &want_dx, tol, &format!("gradient {size:?} {log}"));
    }

    #[test]
    fn random_rows_and_columns_equal_the_definition() {
        let mut r = Random(11);
        let mut all = |n| {
            for i in 0..n {
                let size = (r.size(0, 9), r.size(0, 70), [1, r.size(0, 300)][i % 2]);
                check::<f32>(&mut r, size, i % 3 == 0, 1e-4);
                check::<f64>(&mut r, size, i % 3 == 0, 1e-11);
            }
        };
        all(60);
        with_portable(|| all(20));
    }
}
