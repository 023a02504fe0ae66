//! Normalisation of rows: what layer, group and instance normalisation share.

use super::compute::{Compute, for_each_row};
use crate::kernels::Shared;
use crate::parallel::for_each_range;

/// Which rows are normalised, and which factor and offset an element has.
///
/// Data is seen as rows of `len` elements. Element `i` of row `r` has parameter `(r % period) * own + i / run`.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub rows: usize,
    pub len: usize,
    /// Rows after which parameters repeat.
    pub period: usize,
    /// Parameters of a row.
    pub own: usize,
    /// Neighbouring elements that share a parameter.
    pub run: usize,
}

impl Rows {
    /// The first parameter of a row.
    fn first(&self, row: usize) -> usize {
        row % self.period * self.own
    }

    /// Number of parameters.
    fn parameters(&self) -> usize {
        self.period * self.own
    }
}

/// Mean and, as a second result, the square root of the variance and `eps` together.
fn moments<C: Compute>(x: &[C], eps: f64) -> (C, C) {
    let n = C::from_f64(x.len() as f64);
    let mean = sum(x.len(), |i| x[i]) / n;
    let square = |i: usize| {
        let d = x[i] - mean;
        d * d
    };
    (mean, (sum(x.len(), square) / n + C::from_f64(eps)).sqrt())
}

/// Sum in interleaved sums, so that it becomes vector code and rounds little.
#[inline(always)]
fn sum<C: Compute>(n: usize, f: impl Fn(usize) -> C) -> C {
    const LANES: usize = 16;
    let mut sums = [C::ZERO; LANES];
    let whole = n / LANES * LANES;
    for i in (0..whole).step_by(LANES) {
        for (l, s) in sums.iter_mut().enumerate() {
            *s += f(i + l);
        }
    }
    for i in whole..n {
        sums[i - whole] += f(i);
    }
    sums.into_iter().fold(C::ZERO, |a, b| a + b)
}

/// Normalises each row, then multiplies with `gamma` and adds `beta`. Writes each row's mean and deviation.
pub(super) fn forward<C: Compute>(
    r: Rows,
    eps: f64,
    x: &[C],
    (gamma, beta): (&[C], &[C]),
    y: &mut [C],
    (mean, deviation): (&mut [C], &mut [C]),
) {
    let (mean, deviation) = (Shared::new(mean), Shared::new(deviation));
    for_each_row(y, r.len, |row, y| {
        let x = &x[row * r.len..][..r.len];
        let (m, d) = moments(x, eps);
        // SAFETY: each row writes its own two elements.
        unsafe { (*mean.at(row), *deviation.at(row)) = (m, d) };
        let (first, by) = (r.first(row), C::ONE / d);
        for (p, (y, x)) in y.chunks_mut(r.run).zip(x.chunks(r.run)).enumerate() {
            let (g, b) = (gamma[first + p] * by, beta[first + p]);
            for (y, x) in y.iter_mut().zip(x) {
                *y = (*x - m) * g + b;
            }
        }
    });
}

/// The gradient of the data for the gradient of the result and, where they matter, those of mean and deviation.
pub(super) fn backward_data<C: Compute>(
    r: Rows,
    x: &[C],
    dy: &[C],
    gamma: &[C],
    (mean, deviation): (&[C], &[C]),
    heads: Option<(&[C], &[C])>,
    dx: &mut [C],
) {
    let n = C::from_f64(r.len as f64);
    for_each_row(dx, r.len, |row, dx| {
        let at = row * r.len;
        let (x, dy, m, by) = (&x[at..at + r.len], &dy[at..at + r.len], mean[row], C::ONE / deviation[row]);
        let first = r.first(row);
        for (p, (dx, dy)) in dx.chunks_mut(r.run).zip(dy.chunks(r.run)).enumerate() {
            let g = gamma[first + p];
            dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = *dy * g);
        }
        let total = sum(r.len, |i| dx[i]) / n;
        let along = sum(r.len, |i| dx[i] * (x[i] - m)) * by / n;
        let (dm, dd) = heads.map_or((C::ZERO, C::ZERO), |(dm, dd)| (dm[row] / n, dd[row] / n));
        for (dx, x) in dx.iter_mut().zip(x) {
            let normal = (*x - m) * by;
            *dx = (*dx - total - normal * along) * by + dm + normal * dd;
        }
    });
}

/// The gradients of `gamma` and `beta`.
pub(super) fn backward_parameters<C: Compute>(
    r: Rows,
    x: &[C],
    dy: &[C],
    (mean, deviation): (&[C], &[C]),
    dgamma: &mut [C],
    dbeta: &mut [C],
) {
    dgamma.fill(C::ZERO);
    dbeta.fill(C::ZERO);
    let (dgamma, dbeta) = (Shared::new(dgamma), Shared::new(dbeta));
    let share = |parameters: std::ops::Range<usize>| {
        // SAFETY: each parameter is in one range.
        let (dgamma, dbeta) = unsafe {
            (
                dgamma.slice(parameters.start, parameters.len()),
                dbeta.slice(parameters.start, parameters.len()),
            )
        };
        for row in 0..r.rows {
            let first = r.first(row);
            let (from, to) = (parameters.start.max(first), parameters.end.min(first + r.own));
            if from >= to {
                continue;
            }
            let (m, by) = (mean[row], C::ONE / deviation[row]);
            let at = row * r.len;
            let outs =
                dgamma[from - parameters.start..].iter_mut().zip(&mut dbeta[from - parameters.start..]);
            if r.run == 1 {
                let range = at + from - first..at + to - first;
                for (((dg, db), x), dy) in outs.zip(&x[range.clone()]).zip(&dy[range]) {
                    *dg += *dy * ((*x - m) * by);
                    *db += *dy;
                }
                continue;
            }
            for (p, (dg, db)) in (from - first..to - first).zip(outs) {
                let range = at + p * r.run..(at + (p + 1) * r.run).min(at + r.len);
                let (x, dy) = (&x[range.clone()], &dy[range]);
                *dg += sum(x.len(), |i| dy[i] * (x[i] - m)) * by;
                *db += sum(x.len(), |i| dy[i]);
            }
        }
    };
    let grain = (1usize << 14).div_ceil((x.len() / r.parameters().max(1)).max(1));
    for_each_range(r.parameters(), grain, share);
}
