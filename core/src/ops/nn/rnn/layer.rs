//! One direction of one recurrent layer through time. The products with the data are one matrix product for all
//! steps, those with the state one for each step.

use super::RnnMode;
use super::cells::{Back, Clip, Step, back, step};
use crate::kernels::gemm::{Size, gemm};
use crate::kernels::packed::Reused;
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
    /// Elements of a cell.
    pub hidden: usize,
    /// Elements of the state.
    pub state: usize,
    pub clip: Clip,
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

    /// The step that came before step `t` in a sample of `len` steps.
    fn before(&self, t: usize, len: usize) -> Option<usize> {
        if self.reverse { Some(t + 1).filter(|t| *t < len) } else { t.checked_sub(1) }
    }

    /// The step that comes last in a sample of `len` steps.
    pub fn end(&self, len: usize) -> Option<usize> {
        if self.reverse { Some(0).filter(|t| *t < len) } else { len.checked_sub(1) }
    }

    fn order(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let (n, reverse) = (self.steps, self.reverse);
        (0..n).map(move |i| if reverse { n - 1 - i } else { i })
    }
}

/// The parameters of one direction of a layer, or their gradients.
pub struct Parameters<S> {
    /// (gates, inputs).
    pub w_x: S,
    /// (gates, state).
    pub w_h: S,
    /// (state, hidden), which makes a state of a cell's result; empty where that is the state.
    pub w_r: S,
    /// (gates).
    pub b_x: S,
    /// (gates).
    pub b_h: S,
}

/// What the forward pass leaves for the gradient: activated gates, and the cells or what GRU keeps. What belongs to
/// steps behind a sample's end means nothing.
pub struct Kept<S> {
    /// (steps, batch, gates).
    pub gates: S,
    /// (steps, batch, hidden); empty for plain cells.
    pub extra: S,
}

/// What samples begin with, and how long they are.
pub struct Start<'a, C> {
    /// (batch, state).
    pub h0: &'a [C],
    /// (batch, hidden); empty without cells.
    pub c0: &'a [C],
    /// Steps of each sample.
    pub lengths: &'a [usize],
}

/// The slice of sample `n` in an array of rows; nothing of an empty one.
fn row<T>(x: &[T], n: usize, len: usize) -> &[T] {
    if x.is_empty() { x } else { &x[n * len..(n + 1) * len] }
}

/// [`row`] to be changed.
fn row_mut<T>(x: &mut [T], n: usize, len: usize) -> &mut [T] {
    if x.is_empty() { x } else { &mut x[n * len..(n + 1) * len] }
}

/// What the data gives to the gates of all steps, with the biases.
pub fn data_to_gates<C: Compute>(s: &Sizes, x: &[C], p: &Parameters<&[C]>, gates: &mut [C]) {
    let (n, g) = (s.batch, s.gates());
    for gates in gates.chunks_exact_mut(g) {
        gates.copy_from_slice(p.b_x);
        if s.mode != RnnMode::Gru {
            gates.iter_mut().zip(p.b_h).for_each(|(g, b)| *g += *b);
        }
    }
    let size = Size { m: s.steps * n, n: g, k: s.inputs };
    gemm(size, 1.0, x, (s.inputs, 1), p.w_x, (1, s.inputs), 1.0, gates, (g, 1));
}

/// Runs through time, from what [`data_to_gates`] left in `kept`. `y` begins with the direction's part of the first
/// sample, and its samples are `width` apart; it is 0 behind a sample's end.
pub fn forward<C: Compute>(
    s: &Sizes,
    p: &Parameters<&[C]>,
    start: &Start<C>,
    kept: Kept<&mut [C]>,
    y: &mut [C],
) {
    let (n, h, r, g) = (s.batch, s.hidden, s.state, s.gates());
    let gru = s.mode == RnnMode::Gru;
    let mut from_h = vec![C::ZERO; if gru { n * g } else { 0 }];
    let mut h_prev = start.h0.to_vec();
    let mut unprojected = vec![C::ZERO; if p.w_r.is_empty() { 0 } else { n * h }];
    let w_h = Reused::new(s.steps, Size { m: n, n: g, k: r }, p.w_h, (1, r));
    for t in s.order() {
        let gates = &mut kept.gates[t * n * g..(t + 1) * n * g];
        from_h.chunks_exact_mut(g).for_each(|row| row.copy_from_slice(p.b_h));
        let to = if gru { &mut from_h[..] } else { &mut *gates };
        w_h.add_product(&h_prev, to);
        let y = &mut y[t * n * s.width..];
        for i in 0..n {
            let h_out = if unprojected.is_empty() {
                &mut y[i * s.width..][..h]
            } else {
                row_mut(&mut unprojected, i, h)
            };
            if t >= start.lengths[i] {
                h_out.fill(C::ZERO);
                continue;
            }
            let before = s.before(t, start.lengths[i]).map(|b| b * n + i);
            let (c_prev, extra) = split_extra(kept.extra, before, t * n + i, h);
            step(
                s.mode,
                s.clip,
                Step {
                    gates: row_mut(gates, i, g),
                    from_h: row(&from_h, i, g),
                    h_prev: row(&h_prev, i, r),
                    c_prev: c_prev.unwrap_or(row(start.c0, i, h)),
                    extra,
                    h: h_out,
                },
            );
        }
        if !unprojected.is_empty() {
            let size = Size { m: n, n: r, k: h };
            gemm(size, 1.0, &unprojected, (h, 1), p.w_r, (1, h), 0.0, y, (s.width, 1));
        }
        for i in (0..n).filter(|i| t < start.lengths[*i]) {
            row_mut(&mut h_prev, i, r).copy_from_slice(&y[i * s.width..][..r]);
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
    /// Of the data; added to, or empty if it is not wanted.
    pub dx: &'a mut [C],
    /// Of the last state, then of the first.
    pub dh: &'a mut [C],
    /// Of the last cell, then of the first; empty without cells.
    pub dc: &'a mut [C],
}

/// What the forward pass read and made.
pub struct Passed<'a, C> {
    pub x: &'a [C],
    pub start: Start<'a, C>,
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
    let Passed { start, kept, y, .. } = passed;
    let (n, h, r, g) = (s.batch, s.hidden, s.state, s.gates());
    let (gru, projected) = (s.mode == RnnMode::Gru, !p.w_r.is_empty());
    let mut from_x = vec![C::ZERO; s.steps * n * g];
    let mut from_h = vec![C::ZERO; if gru { s.steps * n * g } else { 0 }];
    // Of the states, and of what they are projections of.
    let mut dr = vec![C::ZERO; if projected { s.steps * n * r } else { 0 }];
    let mut unprojected = vec![C::ZERO; if projected { n * h } else { 0 }];
    let w_h = Reused::new(s.steps, Size { m: n, n: r, k: g }, p.w_h, (r, 1));
    for t in s.order().rev() {
        let active = |i: &usize| t < start.lengths[*i];
        for i in (0..n).filter(active) {
            let dh = row_mut(grads.dh, i, r);
            let dy = &grads.dy[(t * n + i) * s.width..][..r];
            dh.iter_mut().zip(dy).for_each(|(dh, dy)| *dh += *dy);
            if projected {
                row_mut(&mut dr, t * n + i, r).copy_from_slice(dh);
                dh.fill(C::ZERO);
            }
        }
        if projected {
            let dr = &dr[t * n * r..(t + 1) * n * r];
            let size = Size { m: n, n: h, k: r };
            gemm(size, 1.0, dr, (r, 1), p.w_r, (h, 1), 0.0, &mut unprojected, (h, 1));
        }
        for i in (0..n).filter(active) {
            let now = t * n + i;
            let before = s.before(t, start.lengths[i]).map(|b| b * n + i);
            back(
                s.mode,
                s.clip,
                Back {
                    gates: row(kept.gates, now, g),
                    extra: row(kept.extra, now, h),
                    h_prev: before.map_or(row(start.h0, i, r), |b| &y[b * s.width..][..r]),
                    c_prev: before.map_or(row(start.c0, i, h), |b| row(kept.extra, b, h)),
                    dh: row_mut(if projected { &mut unprojected } else { grads.dh }, i, h),
                    dc: row_mut(grads.dc, i, h),
                    from_x: row_mut(&mut from_x, now, g),
                    from_h: row_mut(&mut from_h, now, g),
                },
            );
        }
        let d = if gru { &from_h } else { &from_x };
        w_h.add_product(&d[t * n * g..(t + 1) * n * g], grads.dh);
    }
    if !grads.dx.is_empty() {
        let size = Size { m: s.steps * n, n: s.inputs, k: g };
        gemm(size, 1.0, &from_x, (g, 1), p.w_x, (s.inputs, 1), 1.0, grads.dx, (s.inputs, 1));
    }
    let from_h = if gru { &from_h } else { &from_x };
    parameters(s, passed, (&from_x, from_h, &dr), dp);
}

/// The gradients of the parameters from those of what data and states give to the gates, and of the states.
fn parameters<C: Compute>(
    s: &Sizes,
    passed: &Passed<C>,
    (from_x, from_h, dr): (&[C], &[C], &[C]),
    dp: Parameters<&mut [C]>,
) {
    let (n, h, r, g) = (s.batch, s.hidden, s.state, s.gates());
    let k = s.steps * n;
    gemm(
        Size { m: g, n: s.inputs, k },
        1.0,
        from_x,
        (1, g),
        passed.x,
        (s.inputs, 1),
        0.0,
        dp.w_x,
        (s.inputs, 1),
    );
    let before = states_before(s, passed);
    gemm(Size { m: g, n: r, k }, 1.0, from_h, (1, g), &before, (r, 1), 0.0, dp.w_h, (r, 1));
    if !dp.w_r.is_empty() {
        let unprojected = cell_results(s, passed);
        gemm(Size { m: r, n: h, k }, 1.0, dr, (1, r), &unprojected, (h, 1), 0.0, dp.w_r, (h, 1));
    }
    for (bias, from) in [(dp.b_x, from_x), (dp.b_h, from_h)] {
        bias.fill(C::ZERO);
        for row in from.chunks_exact(g) {
            bias.iter_mut().zip(row).for_each(|(b, d)| *b += *d);
        }
    }
}

/// The states that the steps began with, (steps, batch, state); 0 behind a sample's end.
fn states_before<C: Compute>(s: &Sizes, Passed { start, y, .. }: &Passed<C>) -> Vec<C> {
    let (n, r) = (s.batch, s.state);
    let mut states = vec![C::ZERO; s.steps * n * r];
    for (at, state) in states.chunks_exact_mut(r).enumerate() {
        let (t, i) = (at / n, at % n);
        if t < start.lengths[i] {
            let before = s.before(t, start.lengths[i]);
            let from = before.map_or(row(start.h0, i, r), |b| &y[(b * n + i) * s.width..][..r]);
            state.copy_from_slice(from);
        }
    }
    states
}

/// What an LSTM's steps gave before it was projected, (steps, batch, hidden); 0 behind a sample's end.
fn cell_results<C: Compute>(s: &Sizes, Passed { start, kept, .. }: &Passed<C>) -> Vec<C> {
    let (n, h, g) = (s.batch, s.hidden, s.gates());
    let mut results = vec![C::ZERO; s.steps * n * h];
    for (at, result) in results.chunks_exact_mut(h).enumerate() {
        if at / n < start.lengths[at % n] {
            let output = &row(kept.gates, at, g)[3 * h..];
            for ((result, o), c) in result.iter_mut().zip(output).zip(row(kept.extra, at, h)) {
                *result = *o * c.tanh();
            }
        }
    }
    results
}
