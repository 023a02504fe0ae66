//! One direction of one recurrent layer through time. The products with the data are one matrix product for all
//! steps, those with the state one for each step.

use super::RnnMode;
use super::cells::{Back, Step, back, step};
use crate::kernels::gemm::{Size, gemm};
use crate::ops::nn::compute::Compute;

/// The sizes of one direction of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub mode: RnnMode,
    /// Steps.
    pub steps: usize,
    /// Samples.
    pub batch: usize,
    /// Elements of the layer's data.
    pub inputs: usize,
    /// Elements of the state.
    pub hidden: usize,
    /// Distance of samples in the layer's result: the states of all directions.
    pub width: usize,
    /// From the last step to the first.
    pub reverse: bool,
}

impl Sizes {
    /// Elements of all gates of a sample.
    pub fn gates(&self) -> usize {
        self.mode.gates() * self.hidden
    }

    /// The step before step `t`.
    fn before(&self, t: usize) -> Option<usize> {
        if self.reverse { Some(t + 1).filter(|t| *t < self.steps) } else { t.checked_sub(1) }
    }

    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (n, reverse) = (self.steps, self.reverse);
        (0..n).map(move |i| if reverse { n - 1 - i } else { i })
    }
}

/// The parameters of one direction of a layer, or their gradients.
pub struct Parameters<S> {
    /// (gates, inputs).
    pub w_x: S,
    /// (gates, hidden).
    pub w_h: S,
    /// (gates).
    pub b_x: S,
    /// (gates).
    pub b_h: S,
}

/// What the forward pass leaves for the gradient: activated gates, and the cells or what GRU keeps.
pub struct Kept<S> {
    /// (steps, batch, gates).
    pub gates: S,
    /// (steps, batch, hidden); empty for plain cells.
    pub extra: S,
}

/// The slice of sample `n` in an array of rows.
fn row<T>(x: &[T], n: usize, len: usize) -> &[T] {
    &x[n * len..(n + 1) * len]
}

/// Runs through time. `y` begins with the direction's part of the first sample, and its samples are `width` apart.
pub fn forward<C: Compute>(
    s: &Sizes,
    x: &[C],
    p: &Parameters<&[C]>,
    (h0, c0): (&[C], &[C]),
    kept: Kept<&mut [C]>,
    y: &mut [C],
) {
    let (n, h, g) = (s.batch, s.hidden, s.gates());
    let gru = s.mode == RnnMode::Gru;
    for gates in kept.gates.chunks_exact_mut(g) {
        gates.copy_from_slice(p.b_x);
        if !gru {
            gates.iter_mut().zip(p.b_h).for_each(|(g, b)| *g += *b);
        }
    }
    let size = Size { m: s.steps * n, n: g, k: s.inputs };
    gemm(size, 1.0, x, (s.inputs, 1), p.w_x, (1, s.inputs), 1.0, kept.gates, (g, 1));
    let mut from_h = vec![C::ZERO; if gru { n * g } else { 0 }];
    let mut h_prev = h0.to_vec();
    for t in s.order() {
        let gates = &mut kept.gates[t * n * g..(t + 1) * n * g];
        from_h.chunks_exact_mut(g).for_each(|row| row.copy_from_slice(p.b_h));
        let to = if gru { &mut from_h[..] } else { &mut *gates };
        gemm(Size { m: n, n: g, k: h }, 1.0, &h_prev, (h, 1), p.w_h, (1, h), 1.0, to, (g, 1));
        let before = s.before(t);
        for i in 0..n {
            let at = (t * n + i) * s.width;
            let (c_prev, extra) = split_extra(kept.extra, before.map(|b| b * n + i), t * n + i, h);
            step(
                s.mode,
                Step {
                    gates: &mut gates[i * g..(i + 1) * g],
                    from_h: if gru { row(&from_h, i, g) } else { &[] },
                    h_prev: row(&h_prev, i, h),
                    c_prev: c_prev.unwrap_or(if c0.is_empty() { &[] } else { row(c0, i, h) }),
                    extra,
                    h: &mut y[at..at + h],
                },
            );
        }
        for (i, h_prev) in h_prev.chunks_exact_mut(h).enumerate() {
            let at = (t * n + i) * s.width;
            h_prev.copy_from_slice(&y[at..at + h]);
        }
    }
}

/// Two rows of what is kept: that of the step before, if there is one, and that of this step.
fn split_extra<C>(
    extra: &mut [C],
    before: Option<usize>,
    now: usize,
    len: usize,
) -> (Option<&[C]>, &mut [C]) {
    if extra.is_empty() {
        return (None, extra);
    }
    match before {
        None => (None, &mut extra[now * len..(now + 1) * len]),
        Some(b) if b < now => {
            let (left, right) = extra.split_at_mut(now * len);
            (Some(row(left, b, len)), &mut right[..len])
        }
        Some(b) => {
            let (left, right) = extra.split_at_mut(b * len);
            (Some(&right[..len]), &mut left[now * len..(now + 1) * len])
        }
    }
}

/// The gradients that a direction takes and gives.
pub struct Gradients<'a, C> {
    /// Of the result; laid out like `y` in [`forward`].
    pub dy: &'a [C],
    /// Of the data; added to.
    pub dx: &'a mut [C],
    /// Of the last state, then of the first.
    pub dh: &'a mut [C],
    /// Of the last cell, then of the first; empty without cells.
    pub dc: &'a mut [C],
}

/// What the forward pass read and made.
pub struct Passed<'a, C> {
    pub x: &'a [C],
    pub h0: &'a [C],
    pub c0: &'a [C],
    pub kept: Kept<&'a [C]>,
    pub y: &'a [C],
}

/// The gradient of [`forward`]. Writes those of the parameters.
pub fn backward<C: Compute>(
    s: &Sizes,
    p: &Parameters<&[C]>,
    passed: &Passed<C>,
    grads: Gradients<C>,
    dp: Parameters<&mut [C]>,
) {
    let Passed { h0, c0, kept, y, .. } = passed;
    let (n, h, g) = (s.batch, s.hidden, s.gates());
    let gru = s.mode == RnnMode::Gru;
    let mut from_x = vec![C::ZERO; s.steps * n * g];
    let mut from_h = vec![C::ZERO; if gru { s.steps * n * g } else { 0 }];
    let order: Vec<usize> = s.order().collect();
    for &t in order.iter().rev() {
        for i in 0..n {
            let dh = &mut grads.dh[i * h..(i + 1) * h];
            let dy = &grads.dy[(t * n + i) * s.width..][..h];
            dh.iter_mut().zip(dy).for_each(|(dh, dy)| *dh += *dy);
            let now = t * n + i;
            let before = s.before(t).map(|b| b * n + i);
            let cell = |of: usize| if kept.extra.is_empty() { &[][..] } else { row(kept.extra, of, h) };
            let first = if c0.is_empty() { &[][..] } else { row(c0, i, h) };
            let none = if grads.dc.is_empty() { 0..0 } else { i * h..(i + 1) * h };
            let to_h = if gru { &mut from_h[now * g..(now + 1) * g] } else { &mut [][..] };
            back(
                s.mode,
                Back {
                    gates: row(kept.gates, now, g),
                    extra: cell(now),
                    h_prev: before.map_or(row(h0, i, h), |b| &y[b * s.width..][..h]),
                    c_prev: before.map_or(first, cell),
                    dh,
                    dc: &mut grads.dc[none],
                    from_x: &mut from_x[now * g..(now + 1) * g],
                    from_h: to_h,
                },
            );
        }
        let d = if gru { &from_h } else { &from_x };
        let d = &d[t * n * g..(t + 1) * n * g];
        gemm(Size { m: n, n: h, k: g }, 1.0, d, (g, 1), p.w_h, (h, 1), 1.0, grads.dh, (h, 1));
    }
    let size = Size { m: s.steps * n, n: s.inputs, k: g };
    gemm(size, 1.0, &from_x, (g, 1), p.w_x, (s.inputs, 1), 1.0, grads.dx, (s.inputs, 1));
    let from_h = if gru { &from_h } else { &from_x };
    parameters(s, passed, &from_x, from_h, dp);
}

/// The gradients of the parameters from those of what data and states give to the gates.
fn parameters<C: Compute>(
    s: &Sizes,
    Passed { x, h0, y, .. }: &Passed<C>,
    from_x: &[C],
    from_h: &[C],
    dp: Parameters<&mut [C]>,
) {
    let (n, h, g) = (s.batch, s.hidden, s.gates());
    let size = Size { m: g, n: s.inputs, k: s.steps * n };
    gemm(size, 1.0, from_x, (1, g), x, (s.inputs, 1), 0.0, dp.w_x, (s.inputs, 1));
    // All steps but the first have a state before them in the result.
    let (first, later, earlier) = if s.reverse { ((s.steps - 1) * n, 0, n * s.width) } else { (0, n * g, 0) };
    let size = Size { m: g, n: h, k: n };
    gemm(size, 1.0, &from_h[first * g..], (1, g), h0, (h, 1), 0.0, dp.w_h, (h, 1));
    if s.steps > 1 {
        let size = Size { m: g, n: h, k: (s.steps - 1) * n };
        gemm(size, 1.0, &from_h[later..], (1, g), &y[earlier..], (s.width, 1), 1.0, dp.w_h, (h, 1));
    }
    for (bias, from) in [(dp.b_x, from_x), (dp.b_h, from_h)] {
        bias.fill(C::ZERO);
        for row in from.chunks_exact(g) {
            bias.iter_mut().zip(row).for_each(|(b, d)| *b += *d);
        }
    }
}
