//! The gradient of the weights from an input that is laid out with its channels innermost.
//!
//! A row of the second factor, the input's channels where an element of the window meets a position, is then read in
//! place. The input is laid out once, padding included; the matrix of patches would be as often as large as the window
//! has elements.

use super::forward::{GRAIN, bands};
use super::{ConvElement, ConvGeometry};
use crate::kernels::Shared;
use crate::kernels::math::Real;
use crate::kernels::micro::{Left, MR, Start, Steps, balanced, tile_rows, with_scratch};
use crate::parallel::{for_each_range, num_threads};
use std::ops::Range;

/// Positions that are summed at once, so that what they read of the input stays in the first-level cache.
const POSITIONS: usize = 256;
/// Channels that are laid out together.
const BLOCK: usize = 8;
/// Elements of the input, with its padding, that are laid out at once, unless a sample has more.
const PLANES: usize = 1 << 19;

/// Whether windows lie in a plane, and there are channels enough to fill registers.
pub(super) fn suits<T: ConvElement>(g: &ConvGeometry) -> bool {
    let ins = g.group_in();
    let planar = g.input[0] == 1 && g.kernel[0] == 1 && g.pad[0] == 0;
    planar && 9 * ins >= 5 * ins.next_multiple_of(T::GROUP)
}

/// Writes the gradient of the weights to `dw`, or adds it to what is there. Sums are taken over some rows of the output
/// at a time, in order.
pub(super) fn backward_weight<T: ConvElement>(
    g: &ConvGeometry,
    x: &[T],
    dy: &[T],
    dw: &mut [T],
    accumulate: bool,
) {
    let layout = Layout::of::<T>(g);
    let (sample, sums) = (layout.sample(), g.group_out() * g.kernel_size() * layout.ld);
    let at_once = (PLANES / sample).clamp(1, g.batch);
    let dw = Shared::new(dw);
    for group in 0..g.groups {
        with_scratch(at_once * sample + sums, |buffer: &mut [T]| {
            let (planes, sums) = buffer.split_at_mut(at_once * sample);
            let sums = Shared::new(sums);
            for first in (0..g.batch).step_by(at_once) {
                let samples = first..(first + at_once).min(g.batch);
                layout.fill(g, x, group, samples.clone(), planes);
                let run = Run { g, layout: &layout, planes, dy, group, sums };
                in_bands(g, |outs| run.band(samples.clone(), outs));
            }
            in_bands(g, |outs| write(g, layout.ld, group, outs, sums, dw, accumulate));
        });
    }
}

/// Calls `f` with the output channels of a group, band by band. Elements do not change by how these are cut.
fn in_bands(g: &ConvGeometry, f: impl Fn(Range<usize>) + Sync) {
    let outs = g.group_out();
    let per_band = outs.div_ceil(bands(1, num_threads())).next_multiple_of(MR);
    let work = per_band * g.patch_len() * g.output_size();
    for_each_range(outs.div_ceil(per_band), GRAIN.div_ceil(work), |range| {
        f(range.start * per_band..(range.end * per_band).min(outs));
    });
}

/// The input with its channels innermost: (sample, row, column, channel), padding included.
struct Layout {
    rows: usize,
    columns: usize,
    /// Elements from one column to the next: an odd number of cache lines, which spreads them over the sets of the cache.
    ld: usize,
    /// Rows of the output that are summed at once.
    at_once: usize,
    /// Where each position of these rows meets the input, for the window's first element.
    starts: Vec<usize>,
}

impl Layout {
    fn of<T: ConvElement>(g: &ConvGeometry) -> Layout {
        let reach = |a: usize| (g.output[a] - 1) * g.stride[a] + (g.kernel[a] - 1) * g.dilation[a] + 1;
        let (rows, columns, ow) = (reach(1), reach(2), g.output[2]);
        let ld = (g.group_in().div_ceil(T::GROUP) | 1) * T::GROUP;
        let at_once = (POSITIONS / ow).clamp(1, g.output[1]);
        let place = |p: usize| (p / ow * g.stride[1] * columns + p % ow * g.stride[2]) * ld;
        Layout { rows, columns, ld, at_once, starts: (0..at_once * ow).map(place).collect() }
    }

    /// Elements of a sample.
    fn sample(&self) -> usize {
        self.rows * self.columns * self.ld
    }

    /// Lays out a group's channels of some samples.
    fn fill<T: ConvElement>(
        &self,
        g: &ConvGeometry,
        x: &[T],
        group: usize,
        samples: Range<usize>,
        planes: &mut [T],
    ) {
        let len = self.columns * self.ld;
        let planes = Shared::new(planes);
        for_each_range(samples.len() * self.rows, (GRAIN / 16).div_ceil(len), |range| {
            for row in range {
                let (sample, at) = (samples.start + row / self.rows, row % self.rows);
                // SAFETY: each row belongs to one piece.
                let to = unsafe { planes.slice(row * len, len) };
                to.fill(T::ZERO);
                let Some(y) = at.checked_sub(g.pad[1]).filter(|y| *y < g.input[1]) else { continue };
                let first = sample * g.in_channels + group * g.group_in();
                let from = &x[(first * g.input[1] + y) * g.input[2]..];
                let columns = g.input[2].min(self.columns - g.pad[2].min(self.columns));
                let to = &mut to[g.pad[2].min(self.columns) * self.ld..];
                turn(from, g.input_size(), g.group_in(), columns, to, self.ld);
            }
        });
    }
}

crate::simd_fn! {
    /// Writes element `c` of row `r` of `from`, whose rows are `step` apart, to `to[c * ld + r]`.
    fn turn<T: Real>(from: &[T], step: usize, rows: usize, columns: usize, to: &mut [T], ld: usize) {
        for r in (0..rows).step_by(BLOCK) {
            if r + BLOCK > rows {
                for c in 0..columns {
                    (r..rows).for_each(|r| to[c * ld + r] = from[r * step + c]);
                }
                continue;
            }
            let lines: [&[T]; BLOCK] = std::array::from_fn(|i| &from[(r + i) * step..][..columns]);
            for c in 0..columns {
                let column: [T; BLOCK] = std::array::from_fn(|i| lines[i][c]);
                to[c * ld + r..][..BLOCK].copy_from_slice(&column);
            }
        }
    }
}

struct Run<'a, T> {
    g: &'a ConvGeometry,
    layout: &'a Layout,
    planes: &'a [T],
    dy: &'a [T],
    group: usize,
    /// (out channel, window, in channel).
    sums: Shared<T>,
}

impl<T: ConvElement> Run<'_, T> {
    /// Adds to the sums of some output channels; the first sample begins them.
    fn band(&self, samples: Range<usize>, outs: Range<usize>) {
        let (g, layout) = (self.g, self.layout);
        let row = g.kernel_size() * layout.ld;
        // SAFETY: the sums of these output channels are this piece's alone.
        let sums = unsafe { self.sums.slice(outs.start * row, outs.len() * row) };
        for (sample, plane) in samples.zip(self.planes.chunks_exact(layout.sample())) {
            for row in (0..g.output[1]).step_by(layout.at_once) {
                let rows = row..(row + layout.at_once).min(g.output[1]);
                self.add_rows(&outs, sample, plane, rows, sums);
            }
        }
    }

    /// Adds what some rows of a sample's output give.
    fn add_rows(&self, outs: &Range<usize>, sample: usize, plane: &[T], rows: Range<usize>, sums: &mut [T]) {
        let (g, Layout { columns, ld, starts, .. }) = (self.g, self.layout);
        let [_, _, ow] = g.output;
        let starts = &starts[..rows.len() * ow];
        let start = Start { load: (sample, rows.start) != (0, 0), bias: std::ptr::null() };
        let first = rows.start * g.stride[1] * columns * ld;
        let channel = sample * g.out_channels + self.group * g.group_out() + outs.start;
        for place in 0..g.kernel_size() {
            let (ky, kx) = (place / g.kernel[2] * g.dilation[1], place % g.kernel[2] * g.dilation[2]);
            for j in (0..g.group_in()).step_by(T::NR) {
                let b = plane[first + (ky * columns + kx) * ld + j..].as_ptr();
                balanced(outs.len(), tile_rows(), |i, m| {
                    let at = (channel + i) * g.output_size() + rows.start * ow;
                    let a = Left { ptr: self.dy[at..].as_ptr(), rs: g.output_size(), cs: 1 };
                    let c = sums[(i * g.kernel_size() + place) * ld + j..].as_mut_ptr();
                    let n = (g.group_in() - j).min(T::NR);
                    // SAFETY: the output's gradient has `m` channels from here on, each with as many positions as there
                    // are starts; the input has `ld` elements at each of them; the sums have `m` rows.
                    unsafe {
                        T::outer(
                            m,
                            n,
                            starts.len(),
                            a,
                            b,
                            Steps::Listed(starts),
                            c,
                            g.kernel_size() * ld,
                            start,
                        )
                    };
                });
            }
        }
    }
}

/// Writes the sums of some output channels to the gradient, or adds them.
fn write<T: ConvElement>(
    g: &ConvGeometry,
    ld: usize,
    group: usize,
    outs: Range<usize>,
    sums: Shared<T>,
    dw: Shared<T>,
    accumulate: bool,
) {
    let (window, len) = (g.kernel_size(), g.patch_len());
    for o in outs {
        // SAFETY: the rows of this output channel are this piece's alone.
        let (to, sums) = unsafe {
            (dw.slice((group * g.group_out() + o) * len, len), sums.slice(o * window * ld, window * ld))
        };
        for (c, to) in to.chunks_exact_mut(window).enumerate() {
            for (place, to) in to.iter_mut().enumerate() {
                let sum = sums[place * ld + c];
                *to = if accumulate { *to + sum } else { sum };
            }
        }
    }
}
