//! Convolutions whose groups have one input channel: every plane of the input is filtered by itself. There is too
//! little to multiply for patches to be worth gathering: rows are added, scaled, where they meet.

use super::{ConvElement, ConvGeometry};
use crate::kernels::Shared;
use crate::kernels::math::Real;
use crate::parallel::for_each_range;
use smallvec::SmallVec;

/// Most output channels per group that are filtered one by one.
const MOST: usize = 4;
/// Multiplications below which a piece is not worth a thread.
const GRAIN: usize = 1 << 17;
/// Interleaved sums along a row.
const LANES: usize = 8;

/// Whether planes are filtered one by one.
pub(super) fn is_depthwise(g: &ConvGeometry) -> bool {
    g.groups > 1 && g.group_in() == 1 && g.group_out() <= MOST
}

/// A place along the last axis of the window: the outputs that meet the input there, and where the first of them
/// meets it.
#[derive(Clone, Copy)]
struct Column {
    out: usize,
    input: usize,
    len: usize,
}

type Columns = SmallVec<[Column; 8]>;

/// The places along the last axis of the window.
fn columns(g: &ConvGeometry) -> Columns {
    let (s, p) = (g.stride[2], g.pad[2]);
    let column = |k: usize| {
        let by = k * g.dilation[2];
        let end = (g.input[2] + p).saturating_sub(by).div_ceil(s).min(g.output[2]);
        let out = p.saturating_sub(by).div_ceil(s).min(end);
        Column { out, input: (out * s + by).saturating_sub(p), len: end - out }
    };
    (0..g.kernel[2]).map(column).collect()
}

/// Calls `f(place in the window, first output, first input, length)` for all pieces of rows of a plane that meet.
#[inline(always)]
fn each_piece(g: &ConvGeometry, columns: &[Column], mut f: impl FnMut(usize, usize, usize, usize)) {
    let ([id, ih, iw], [od, oh, ow], [kd, kh, kw]) = (g.input, g.output, g.kernel);
    let meets = |a: usize, o: usize, k: usize| (o * g.stride[a] + k * g.dilation[a]).wrapping_sub(g.pad[a]);
    for oz in 0..od {
        for oy in 0..oh {
            for kz in 0..kd {
                for ky in 0..kh {
                    let (z, y) = (meets(0, oz, kz), meets(1, oy, ky));
                    if z >= id || y >= ih {
                        continue;
                    }
                    for (kx, c) in columns.iter().enumerate().filter(|(_, c)| c.len > 0) {
                        let place = (kz * kh + ky) * kw + kx;
                        f(place, (oz * oh + oy) * ow + c.out, (z * ih + y) * iw + c.input, c.len);
                    }
                }
            }
        }
    }
}

/// Calls `f(plane, piece of the result)` for planes of `size` elements, in parallel.
fn each_plane<T: Send + Sync>(
    result: &mut [T],
    size: usize,
    work: usize,
    f: impl Fn(usize, &mut [T]) + Sync,
) {
    let planes = result.len().checked_div(size).unwrap_or(0);
    let result = Shared::new(result);
    for_each_range(planes, GRAIN.div_ceil(work.max(1)), |range| {
        for plane in range {
            // SAFETY: each plane is written by one call.
            f(plane, unsafe { result.slice(plane * size, size) });
        }
    });
}

/// [`super::forward`] for planes.
pub(super) fn forward<T: ConvElement>(
    g: &ConvGeometry,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
    accumulate: bool,
) {
    let (size_in, size_out, window) = (g.input_size(), g.output_size(), g.kernel_size());
    let columns = columns(g);
    each_plane(y, size_out, size_out * window, |plane, y| {
        let (n, o) = (plane / g.out_channels, plane % g.out_channels);
        let from = (n * g.in_channels + o / g.group_out()) * size_in;
        let bias = bias.map_or(T::ZERO, |b| b[o]);
        if accumulate {
            y.iter_mut().for_each(|y| *y += bias);
        } else {
            y.fill(bias);
        }
        filter(g, &columns, &x[from..from + size_in], &w[o * window..][..window], y);
    });
}

/// [`super::backward_data`] for planes.
pub(super) fn backward_data<T: ConvElement>(
    g: &ConvGeometry,
    dy: &[T],
    w: &[T],
    dx: &mut [T],
    accumulate: bool,
) {
    let (size_in, size_out, window, outs) = (g.input_size(), g.output_size(), g.kernel_size(), g.group_out());
    let columns = columns(g);
    each_plane(dx, size_in, size_out * window * outs, |plane, dx| {
        let (n, i) = (plane / g.in_channels, plane % g.in_channels);
        if !accumulate {
            dx.fill(T::ZERO);
        }
        for o in i * outs..(i + 1) * outs {
            let from = (n * g.out_channels + o) * size_out;
            spread(g, &columns, &dy[from..from + size_out], &w[o * window..][..window], dx);
        }
    });
}

/// [`super::backward_weight`] for planes.
pub(super) fn backward_weight<T: ConvElement>(
    g: &ConvGeometry,
    x: &[T],
    dy: &[T],
    dw: &mut [T],
    accumulate: bool,
) {
    let (size_in, size_out, window) = (g.input_size(), g.output_size(), g.kernel_size());
    let columns = columns(g);
    each_plane(dw, window, g.batch * size_out * window, |o, dw| {
        let mut sums = vec![[T::ZERO; LANES]; window];
        for n in 0..g.batch {
            let x = &x[(n * g.in_channels + o / g.group_out()) * size_in..][..size_in];
            let dy = &dy[(n * g.out_channels + o) * size_out..][..size_out];
            correlate(g, &columns, x, dy, &mut sums);
        }
        for (dw, sums) in dw.iter_mut().zip(sums) {
            let sum = sums.into_iter().fold(T::ZERO, |sum, s| sum + s);
            *dw = if accumulate { *dw + sum } else { sum };
        }
    });
}

crate::simd_fn! {
    /// Adds a filtered plane to `y`.
    fn filter<T: Real>(g: &ConvGeometry, columns: &[Column], x: &[T], w: &[T], y: &mut [T]) {
        each_piece(g, columns, |place, o, i, len| {
            let (y, x, w) = (&mut y[o..o + len], &x[i..], w[place]);
            match g.stride[2] {
                // A fixed step lets the loop be vectorised.
                1 => y.iter_mut().zip(x).for_each(|(y, x)| *y += w * *x),
                2 => {
                    let (last, rest) = y.split_last_mut().expect("a piece is not empty");
                    rest.iter_mut().zip(x.chunks_exact(2)).for_each(|(y, x)| *y += w * x[0]);
                    *last += w * x[2 * (len - 1)];
                }
                step => y.iter_mut().zip(x.iter().step_by(step)).for_each(|(y, x)| *y += w * *x),
            }
        });
    }

    /// Adds to the plane `dx` what a plane of the output's gradient gives to it.
    fn spread<T: Real>(g: &ConvGeometry, columns: &[Column], dy: &[T], w: &[T], dx: &mut [T]) {
        each_piece(g, columns, |place, o, i, len| {
            let (dy, dx, w) = (&dy[o..o + len], &mut dx[i..], w[place]);
            match g.stride[2] {
                1 => dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += w * *dy),
                step => dx.iter_mut().step_by(step).zip(dy).for_each(|(dx, dy)| *dx += w * *dy),
            }
        });
    }

    /// Adds the products of two planes to the sums of each place in the window.
    fn correlate<T: Real>(
        g: &ConvGeometry,
        columns: &[Column],
        x: &[T],
        dy: &[T],
        sums: &mut [[T; LANES]],
    ) {
        each_piece(g, columns, |place, o, i, len| {
            let (dy, x) = (&dy[o..o + len], &x[i..]);
            let mut lanes = sums[place];
            match g.stride[2] {
                1 => products::<T, 1>(dy, x, 1, &mut lanes),
                2 => products::<T, 2>(dy, x, 2, &mut lanes),
                step => products::<T, 0>(dy, x, step, &mut lanes),
            }
            sums[place] = lanes;
        });
    }
}

/// Adds the products of `d` with every `step`-th element of `x` to the lanes. `STEP` is the step, or 0 for any.
#[inline(always)]
fn products<T: Real, const STEP: usize>(d: &[T], x: &[T], step: usize, lanes: &mut [T; LANES]) {
    let whole = if STEP == 0 { 0 } else { (x.len() / (LANES * STEP)).min(d.len() / LANES) * LANES };
    if STEP > 0 {
        for (d, x) in d[..whole].chunks_exact(LANES).zip(x.chunks_exact(LANES * STEP)) {
            for l in 0..LANES {
                lanes[l] += d[l] * x[l * STEP];
            }
        }
    }
    for (l, d) in d.iter().enumerate().skip(whole) {
        lanes[l % LANES] += *d * x[l * step];
    }
}
