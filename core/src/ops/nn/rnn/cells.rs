//! One step of one sample in a recurrent cell, forward and back. Gates lie next to each other in the order of the
//! parameters and are kept as they are after their activation.

use super::RnnMode;
use crate::kernels::math::Real;

/// The range that the cells of an LSTM are held to.
#[derive(Clone, Copy, Debug)]
pub struct Clip {
    pub min: f64,
    pub max: f64,
    /// NaN becomes the smallest value of the range.
    pub nan: bool,
}

impl Clip {
    /// Every number may be a cell.
    pub const NONE: Clip = Clip { min: f64::NEG_INFINITY, max: f64::INFINITY, nan: false };

    /// The range in the type that is computed in.
    fn range<T: Real>(self) -> (T, T, bool) {
        (T::from_f64(self.min), T::from_f64(self.max), self.nan)
    }
}

/// A cell held to a range.
#[inline(always)]
fn clipped<T: Real>(c: T, (min, max, nan): (T, T, bool)) -> T {
    if c < min || (nan && c.is_nan()) {
        min
    } else if c > max {
        max
    } else {
        c
    }
}

/// Several gates of a sample, `n` elements each. The compiler knows their lengths, so that loops over them vectorise.
#[inline(always)]
fn parts<T, const N: usize>(gates: &[T], n: usize) -> [&[T]; N] {
    std::array::from_fn(|i| &gates[i * n..][..n])
}

/// [`parts`] to be written.
#[inline(always)]
fn parts_mut<T, const N: usize>(mut gates: &mut [T], n: usize) -> [&mut [T]; N] {
    std::array::from_fn(|_| {
        let (part, rest) = std::mem::take(&mut gates).split_at_mut(n);
        gates = rest;
        part
    })
}

crate::simd_fn! {
    /// LSTM: gates are input, forget, cell, output.
    fn lstm<T: Real>(gates: &mut [T], c_prev: &[T], c: &mut [T], h: &mut [T], range: (T, T, bool)) {
        let n = h.len();
        gates[..2 * n].iter_mut().for_each(|g| *g = g.sigmoid());
        gates[2 * n..3 * n].iter_mut().for_each(|g| *g = g.tanh());
        gates[3 * n..].iter_mut().for_each(|g| *g = g.sigmoid());
        let (input, rest) = gates.split_at(n);
        let (forget, rest) = rest.split_at(n);
        let (cell, output) = rest.split_at(n);
        for i in 0..n.min(c.len()).min(c_prev.len()) {
            c[i] = clipped(forget[i] * c_prev[i] + input[i] * cell[i], range);
            h[i] = output[i] * c[i].tanh();
        }
    }

    /// The gradient of [`lstm`]: of its gates before their activation, and of the cell before, from that behind.
    fn lstm_back<T: Real>(
        gates: &[T],
        c_prev: &[T],
        c: &[T],
        dh: &[T],
        dc: &mut [T],
        dgates: &mut [T],
        range: (T, T, bool),
    ) {
        let n = dh.len();
        let ([is, fs, gs, os], [di, df, dg, d_o]) = (parts(gates, n), parts_mut(dgates, n));
        let (c_prev, c, dc) = (&c_prev[..n], &c[..n], &mut dc[..n]);
        for j in 0..n {
            let (i, f, g, o) = (is[j], fs[j], gs[j], os[j]);
            let t = c[j].tanh();
            let free = f * c_prev[j] + i * g;
            let held = (free < range.0) | (free > range.1) | free.is_nan();
            let d = dc[j] + dh[j] * o * (T::ONE - t * t);
            let d = if held { T::ZERO } else { d };
            di[j] = d * g * i * (T::ONE - i);
            df[j] = d * c_prev[j] * f * (T::ONE - f);
            dg[j] = d * i * (T::ONE - g * g);
            d_o[j] = dh[j] * t * o * (T::ONE - o);
            dc[j] = d * f;
        }
    }

    /// GRU: gates are reset, update, new; `from_h` is what the state before gives to them. `kept` is what it gives
    /// to the last one.
    fn gru<T: Real>(gates: &mut [T], from_h: &[T], h_prev: &[T], kept: &mut [T], h: &mut [T]) {
        let n = h.len();
        for (g, d) in gates[..2 * n].iter_mut().zip(from_h) {
            *g = (*g + *d).sigmoid();
        }
        for j in 0..n {
            kept[j] = from_h[2 * n + j];
            let new = (gates[2 * n + j] + gates[j] * kept[j]).tanh();
            gates[2 * n + j] = new;
            h[j] = (T::ONE - gates[n + j]) * new + gates[n + j] * h_prev[j];
        }
    }

    /// The gradient of [`gru`]: of what the data and what the state before give to the gates. The part of `dh` that
    /// goes straight to the state before is left in `dh`.
    fn gru_back<T: Real>(gates: &[T], kept: &[T], h_prev: &[T], dh: &mut [T], from_x: &mut [T], from_h: &mut [T]) {
        let n = dh.len();
        let ([rs, zs, news], kept, h_prev) = (parts(gates, n), &kept[..n], &h_prev[..n]);
        let ([xr, xz, xn], [hr, hz, hn]) = (parts_mut(from_x, n), parts_mut(from_h, n));
        for j in 0..n {
            let (r, z, new) = (rs[j], zs[j], news[j]);
            let dnew = dh[j] * (T::ONE - z) * (T::ONE - new * new);
            let dreset = dnew * kept[j] * r * (T::ONE - r);
            let dupdate = dh[j] * (h_prev[j] - new) * z * (T::ONE - z);
            (xr[j], xz[j], xn[j]) = (dreset, dupdate, dnew);
            (hr[j], hz[j], hn[j]) = (dreset, dupdate, dnew * r);
            dh[j] *= z;
        }
    }

    fn tanh<T: Real>(gates: &mut [T], h: &mut [T]) {
        for (g, h) in gates.iter_mut().zip(h) {
            *g = g.tanh();
            *h = *g;
        }
    }
}

/// What a step reads and writes, for one sample.
pub struct Step<'a, T> {
    pub gates: &'a mut [T],
    /// What the state before gives to the gates, for GRU; else it is in `gates` already.
    pub from_h: &'a [T],
    pub h_prev: &'a [T],
    pub c_prev: &'a [T],
    /// The cell behind (LSTM), or what the state before gives to the last gate (GRU).
    pub extra: &'a mut [T],
    pub h: &'a mut [T],
}

/// One step.
pub fn step<T: Real>(mode: RnnMode, clip: Clip, s: Step<T>) {
    match mode {
        RnnMode::Lstm => lstm(s.gates, s.c_prev, s.extra, s.h, clip.range()),
        RnnMode::Gru => gru(s.gates, s.from_h, s.h_prev, s.extra, s.h),
        RnnMode::RnnTanh => tanh(s.gates, s.h),
        RnnMode::RnnRelu => {
            for (g, h) in s.gates.iter_mut().zip(s.h) {
                *g = if *g > T::ZERO { *g } else { T::ZERO };
                *h = *g;
            }
        }
    }
}

/// What a step back reads and writes, for one sample.
pub struct Back<'a, T> {
    pub gates: &'a [T],
    pub extra: &'a [T],
    pub h_prev: &'a [T],
    pub c_prev: &'a [T],
    /// The gradient of the state behind; what goes straight to the state before afterwards.
    pub dh: &'a mut [T],
    /// The gradient of the cell behind, then of the cell before.
    pub dc: &'a mut [T],
    /// The gradient of what the data gives to the gates.
    pub from_x: &'a mut [T],
    /// The gradient of what the state before gives to the gates, for GRU.
    pub from_h: &'a mut [T],
}

/// One step back.
pub fn back<T: Real>(mode: RnnMode, clip: Clip, s: Back<T>) {
    match mode {
        RnnMode::Lstm => {
            lstm_back(s.gates, s.c_prev, s.extra, s.dh, s.dc, s.from_x, clip.range());
            s.dh.fill(T::ZERO);
        }
        RnnMode::Gru => gru_back(s.gates, s.extra, s.h_prev, s.dh, s.from_x, s.from_h),
        RnnMode::RnnTanh | RnnMode::RnnRelu => {
            for ((g, dh), d) in s.gates.iter().zip(s.dh.iter_mut()).zip(s.from_x) {
                let slope = match mode {
                    RnnMode::RnnTanh => T::ONE - *g * *g,
                    _ if *g > T::ZERO => T::ONE,
                    _ => T::ZERO,
                };
                *d = *dh * slope;
                *dh = T::ZERO;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_is_nan_becomes_the_smallest_value_only_where_that_is_asked_for() {
        let cell = |clip: Clip| {
            let (mut gates, mut c, mut h) = ([0.0, 0.0, f64::NAN, 0.0], [0.0], [0.0]);
            let (from_h, h_prev, c_prev) = (&[][..], &[0.0][..], &[0.0][..]);
            let s = Step { gates: &mut gates, from_h, h_prev, c_prev, extra: &mut c, h: &mut h };
            step(RnnMode::Lstm, clip, s);
            c[0]
        };
        assert_eq!(cell(Clip { min: -0.5, max: 0.5, nan: true }), -0.5);
        assert!(cell(Clip { min: -0.5, max: 0.5, nan: false }).is_nan());
        assert!(cell(Clip::NONE).is_nan());
    }
}
