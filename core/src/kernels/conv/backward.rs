//! The gradient of the input.

use super::depthwise::{self, is_depthwise};
use super::forward::{GRAIN, Product, row_len, width};
use super::gather::{Patches, Runs, scatter_add};
use super::{ConvElement, ConvGeometry};
use crate::kernels::Shared;
use crate::kernels::micro::{Left, Start, Steps, balanced, tile_rows, with_scratch};
use crate::parallel::{for_each_range, num_threads};

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
    let gather = g.input_size() * g.group_out() * (g.group_in() + MOVE);
    let scatter = g.output_size() * g.group_in() * (g.group_out() + 2 * MOVE);
    g.stride == [1; 3] && gather <= scatter
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
/// some channels of one sample, and goes through its positions in order.
fn scatter<T: ConvElement>(g: &ConvGeometry, dy: &[T], w: &[T], dx: &mut [T], accumulate: bool) {
    let (outs, ins, window) = (g.group_out(), g.group_in(), g.kernel_size());
    let tasks_wanted = (4 * num_threads()).div_ceil(g.batch.max(1) * g.groups);
    let per_band = ins.div_ceil(tasks_wanted.max(ins * window / 512).clamp(1, ins.max(1))).max(1);
    let bands = ins.div_ceil(per_band);
    let patches = Patches::of(g);
    let transposed = transpose(g, w);
    let size = g.input_size();
    let work = per_band * window * outs * g.output_size();
    let dx = Shared::new(dx);
    for_each_range(g.batch * g.groups * bands, GRAIN.div_ceil(work.max(1)), |range| {
        let mut runs = Runs::new();
        for task in range {
            let (n, group, band) = (task / (g.groups * bands), task / bands % g.groups, task % bands);
            let channels = band * per_band..((band + 1) * per_band).min(ins);
            let first = n * g.in_channels + group * ins + channels.start;
            // SAFETY: these channels of this sample belong to this task alone.
            let own = unsafe { dx.slice(first * size, channels.len() * size) };
            if !accumulate {
                own.fill(T::ZERO);
            }
            let rows = channels.start * window..channels.end * window;
            let a = &transposed[(group * ins * window + rows.start) * outs..];
            let (width, ld) = (width::<T>(), row_len::<T>());
            for p in (0..g.output_size()).step_by(width) {
                let len = width.min(g.output_size() - p);
                let start = n * g.output_size() + p;
                patches.runs(start, start + len, &mut runs);
                with_scratch((outs + rows.len()) * ld, |buffer: &mut [T]| {
                    let (grad, tile) = buffer.split_at_mut(outs * ld);
                    for (o, row) in grad.chunks_exact_mut(ld).enumerate() {
                        let from = (n * g.out_channels + group * outs + o) * g.output_size() + p;
                        row[..len].copy_from_slice(&dy[from..from + len]);
                        row[len..].fill(T::ZERO);
                    }
                    multiply(outs, rows.len(), a, grad, tile, len);
                    scatter_add(&patches, dx, group, rows.clone(), &runs, tile, ld);
                });
            }
        }
    });
}

/// `tile = a * b` for `rows` rows of `a`, of `depth` elements each, and the first `len` columns of `b`.
fn multiply<T: ConvElement>(depth: usize, rows: usize, a: &[T], b: &[T], tile: &mut [T], len: usize) {
    let ld = row_len::<T>();
    debug_assert!(a.len() >= rows * depth && b.len() >= depth * ld && tile.len() >= rows * ld);
    for j in (0..len).step_by(T::NR) {
        let columns = (len - j).min(T::NR);
        balanced(rows, tile_rows(), |i, m| {
            let left = Left { ptr: a[i * depth..].as_ptr(), rs: depth };
            let start = Start { load: false, bias: std::ptr::null() };
            let c = tile[i * ld + j..].as_mut_ptr();
            // SAFETY: the lengths asserted above hold by the callers' sizes.
            unsafe { T::outer(m, columns, depth, left, b[j..].as_ptr(), Steps::Even(ld), c, ld, start) };
        });
    }
}

/// The weights as (group, in channel and window, out channel).
fn transpose<T: ConvElement>(g: &ConvGeometry, w: &[T]) -> Vec<T> {
    let (outs, patch) = (g.group_out(), g.patch_len());
    let mut t = vec![T::ZERO; w.len()];
    if w.is_empty() {
        return t;
    }
    for (from, to) in w.chunks_exact(outs * patch).zip(t.chunks_exact_mut(outs * patch)) {
        crate::kernels::layout::transpose(from, &[outs, patch], &[1, 0], to);
    }
    t
}
