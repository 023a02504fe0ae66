//! The gradient of the input.

use super::depthwise::{self, is_depthwise};
use super::forward::{GRAIN, Product, row_len, width};
use super::gather::{Patches, Runs, output_rows, scatter_add};
use super::{ConvElement, ConvGeometry};
use crate::kernels::Shared;
use crate::kernels::micro::{Left, Start, Steps, balanced, tile_rows, with_scratch};
use crate::parallel::{for_each_range, num_threads};
use std::ops::Range;

/// Writes the gradient of the input for the output's gradient `dy` to `dx`, or adds it to what is there.
///
/// It is also the forward pass of a deconvolution, from `dy` to `dx`.
pub fn backward_data<T: ConvElement>(g: &ConvGeometry, dy: &[T], w: &[T], dx: &mut [T], accumulate: bool) {
    g.check(dx.len(), w.len(), dy.len());
    if is_depthwise(g) {
        depthwise::backward_data(g, dy, w, dx, accumulate);
    } else if mirrors(g) {
        let product = Product {
            patches: Patches::mirrored(g),
            batch: g.batch,
            groups: g.groups,
            rows: g.group_in(),
            src: dy,
            weight: &mirror(g, w),
            bias: None,
            accumulate,
        };
        product.run(dx);
    } else {
        scatter(g, dy, w, dx, accumulate);
    }
}

/// Whether to gather with mirrored weights rather than to scatter: what takes less time by a rough count of
/// multiplications and of elements moved, each of which costs as much as some multiplications.
fn mirrors(g: &ConvGeometry) -> bool {
    const MOVE: usize = 8;
    const MIRROR: usize = 24;
    let gather = g.batch * g.input_size() * g.group_out() * (g.group_in() + MOVE);
    let mirror = MIRROR * g.group_out() * g.group_in();
    let scatter = g.batch * g.output_size() * g.group_in() * (g.group_out() + 2 * MOVE);
    g.stride == [1; 3] && gather + mirror <= scatter
}

/// The weights as (group, in channel, out channel, mirrored window).
fn mirror<T: ConvElement>(g: &ConvGeometry, w: &[T]) -> Vec<T> {
    /// Out channels that are read side by side, so that what the caches hold of them is used up.
    const SIDE: usize = 16;
    let (outs, ins, window) = (g.group_out(), g.group_in(), g.kernel_size());
    let mut m = vec![T::ZERO; w.len()];
    let to = Shared::new(&mut m);
    for_each_range(g.groups * ins, GRAIN.div_ceil(4 * outs * window.max(1)), |range| {
        for first in (0..outs).step_by(SIDE) {
            for row in range.clone() {
                let (group, i) = (row / ins, row % ins);
                for o in first..(first + SIDE).min(outs) {
                    let from = &w[((group * outs + o) * ins + i) * window..][..window];
                    // SAFETY: each row of the result belongs to one piece.
                    let to = unsafe { to.slice((row * outs + o) * window, window) };
                    for (t, f) in to.iter_mut().zip(from.iter().rev()) {
                        *t = *f;
                    }
                }
            }
        }
    });
    m
}

/// The input's gradient for any stride: transposed weights times the gradient, scattered tile by tile. A task owns
/// some channels of some samples, and goes through their positions in order.
fn scatter<T: ConvElement>(g: &ConvGeometry, dy: &[T], w: &[T], dx: &mut [T], accumulate: bool) {
    let (outs, ins, window) = (g.group_out(), g.group_in(), g.kernel_size());
    // Small maps are taken together, so that a tile is full.
    let together = (width::<T>() / g.output_size().max(1)).clamp(1, g.batch.max(1));
    let chunks = g.batch.div_ceil(together);
    let tasks_wanted = (4 * num_threads()).div_ceil((chunks * g.groups).max(1));
    let per_band = ins.div_ceil(tasks_wanted.clamp(1, ins.max(1))).max(1);
    let bands = ins.div_ceil(per_band);
    let run = Scatter { g, patches: Patches::of(g), dy, w, dx: Shared::new(dx) };
    let work = together * per_band * window * outs * g.output_size();
    for_each_range(chunks * g.groups * bands, GRAIN.div_ceil(work.max(1)), |range| {
        for task in range {
            let (chunk, group, band) = (task / (g.groups * bands), task / bands % g.groups, task % bands);
            let samples = chunk * together..((chunk + 1) * together).min(g.batch);
            let channels = band * per_band..((band + 1) * per_band).min(ins);
            if !accumulate {
                run.clear(&samples, group, &channels);
            }
            run.task(samples, group, channels);
        }
    });
}

/// Rows of a product that are made at once, roughly.
const ROWS: usize = 96;

struct Scatter<'a, T> {
    g: &'a ConvGeometry,
    patches: Patches,
    dy: &'a [T],
    w: &'a [T],
    dx: Shared<T>,
}

impl<T: ConvElement> Scatter<'_, T> {
    /// Sets some channels of some samples to zero.
    fn clear(&self, samples: &Range<usize>, group: usize, channels: &Range<usize>) {
        let (g, size) = (self.g, self.g.input_size());
        for n in samples.clone() {
            let first = n * g.in_channels + group * g.group_in() + channels.start;
            // SAFETY: these channels of these samples belong to this task alone.
            unsafe { self.dx.slice(first * size, channels.len() * size) }.fill(T::ZERO);
        }
    }

    /// Adds to some channels of some samples.
    fn task(&self, samples: Range<usize>, group: usize, channels: Range<usize>) {
        let (g, ld, window) = (self.g, row_len::<T>(), self.g.kernel_size());
        let (outs, size) = (g.group_out(), g.output_size());
        let per_step = (ROWS / window).clamp(1, channels.len().max(1));
        let mut runs = Runs::new();
        for start in (samples.start * size..samples.end * size).step_by(width::<T>()) {
            let positions = start..(start + width::<T>()).min(samples.end * size);
            self.patches.runs(positions.start, positions.end, &mut runs);
            with_scratch((outs + per_step * window) * ld, |buffer: &mut [T]| {
                let (grad, tile) = buffer.split_at_mut(outs * ld);
                output_rows(g, self.dy, group, 0..outs, positions.clone(), grad, ld);
                grad.chunks_exact_mut(ld).for_each(|row| row[positions.len()..].fill(T::ZERO));
                for first in channels.clone().step_by(per_step) {
                    let rows = first * window..(first + per_step).min(channels.end) * window;
                    let weights = &self.w[group * outs * g.patch_len() + rows.start..];
                    multiply(outs, rows.len(), weights, g.patch_len(), grad, tile, positions.len());
                    scatter_add(&self.patches, self.dx, group, rows, &runs, tile, ld);
                }
            });
        }
    }
}

/// `tile = a * b` for `rows` rows of `a`, whose `depth` columns are `cs` apart, and the first `len` columns of `b`.
fn multiply<T: ConvElement>(
    depth: usize,
    rows: usize,
    a: &[T],
    cs: usize,
    b: &[T],
    tile: &mut [T],
    len: usize,
) {
    let ld = row_len::<T>();
    debug_assert!(a.len() >= (depth - 1) * cs + rows && b.len() >= depth * ld && tile.len() >= rows * ld);
    for j in (0..len).step_by(T::NR) {
        let columns = (len - j).min(T::NR);
        balanced(rows, tile_rows(), |i, m| {
            let left = Left { ptr: a[i..].as_ptr(), rs: 1, cs };
            let start = Start { load: false, bias: std::ptr::null() };
            let c = tile[i * ld + j..].as_mut_ptr();
            // SAFETY: the lengths asserted above hold by the callers' sizes.
            unsafe { T::outer(m, columns, depth, left, b[j..].as_ptr(), Steps::Even(ld), c, ld, start) };
        });
    }
}
