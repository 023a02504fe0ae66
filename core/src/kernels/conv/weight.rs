//! The gradient of the weights: the output's gradient times patches, summed over positions.

use super::depthwise::{self, is_depthwise};
use super::forward::GRAIN;
use super::gather::{Patches, Runs, SLACK, gather, output_rows};
use super::{ConvElement, ConvGeometry, weight_channels};
use crate::kernels::Shared;
use crate::kernels::micro::{DOT_A, DOT_B, Left, MR, Start, Steps, balanced, tile_rows, with_scratch};
use crate::parallel::for_each_range;

/// Positions up to which rows of the gradient are sums of rows of patches rather than made of dot products, whose
/// ends would take longer than they.
const FEW: usize = 128;
/// Positions per dot product.
const SPAN: usize = 512;
/// Most rows of patches that a task gathers at once.
const ROWS: usize = 48;
/// Most output channels that a task holds at once.
const CHANNELS: usize = 128;

/// Writes the gradient of the weights for the output's gradient `dy` to `dw`, or adds it to what is there.
///
/// Positions are cut into a number of parts that depends on the shape; each is summed by itself, and the parts are
/// added in order.
pub fn backward_weight<T: ConvElement>(g: &ConvGeometry, x: &[T], dy: &[T], dw: &mut [T], accumulate: bool) {
    g.check(x.len(), dw.len(), dy.len());
    if is_depthwise(g) {
        return depthwise::backward_weight(g, x, dy, dw, accumulate);
    }
    let cols = g.batch * g.output_size();
    if dw.is_empty() {
        return;
    }
    if (1..=FEW).contains(&cols) {
        return few_positions(g, x, dy, dw, accumulate);
    }
    if cols > 0 && weight_channels::suits::<T>(g) {
        return weight_channels::backward_weight(g, x, dy, dw, accumulate);
    }
    if !accumulate {
        dw.fill(T::ZERO);
    }
    if cols == 0 {
        return;
    }
    let spans = cols.div_ceil(SPAN);
    let parts = if dw.len() <= 1 << 16 { spans.div_ceil(2).min(8) } else { 1 };
    let spans_per_part = spans.div_ceil(parts);
    let parts = spans.div_ceil(spans_per_part);
    let sum = WeightSum {
        g,
        patches: Patches::of(g),
        x,
        dy,
        rows_per_task: g.patch_len().min(ROWS),
        outs_per_task: g.group_out().div_ceil(g.group_out().div_ceil(CHANNELS)),
    };
    let len = dw.len();
    let mut partial = vec![T::ZERO; if parts > 1 { (parts - 1) * len } else { 0 }];
    let (first, rest) = (Shared::new(dw), Shared::new(&mut partial));
    let row_tasks = g.patch_len().div_ceil(sum.rows_per_task);
    let out_tasks = g.group_out().div_ceil(sum.outs_per_task);
    let work = sum.rows_per_task * sum.outs_per_task * spans_per_part * SPAN.min(cols);
    let tasks = parts * g.groups * row_tasks * out_tasks;
    for_each_range(tasks, GRAIN.div_ceil(work), |range| {
        let mut runs = Runs::new();
        for task in range {
            let (part, rest_of) =
                (task / (g.groups * row_tasks * out_tasks), task % (g.groups * row_tasks * out_tasks));
            let (group, r, o) =
                (rest_of / (row_tasks * out_tasks), rest_of / out_tasks % row_tasks, rest_of % out_tasks);
            let positions = part * spans_per_part * SPAN..((part + 1) * spans_per_part * SPAN).min(cols);
            let to = if part == 0 { first.at(0) } else { rest.at((part - 1) * len) };
            // SAFETY: every task has its own part, group, rows and channels of the gradient.
            unsafe { sum.task(group, r, o, positions, &mut runs, to) };
        }
    });
    for part in partial.chunks_exact(len) {
        for (d, p) in dw.iter_mut().zip(part) {
            *d += *p;
        }
    }
}

/// [`backward_weight`] where positions are few: the patches are laid out once, in panels of `NR` rows, position by
/// position. Whole rows of the gradient are then written one after the other, as it may be larger than the caches.
fn few_positions<T: ConvElement>(g: &ConvGeometry, x: &[T], dy: &[T], dw: &mut [T], accumulate: bool) {
    let cols = g.batch * g.output_size();
    let (patch, outs) = (g.patch_len(), g.group_out());
    let by_channel = channels_outermost(g, dy);
    let dw = Shared::new(dw);
    for group in 0..g.groups {
        with_scratch(patch.div_ceil(T::NR) * cols * T::NR, |panels: &mut [T]| {
            lay_out(&Patches::of(g), x, group, cols, panels);
            for_each_range(outs.div_ceil(MR), GRAIN.div_ceil(MR * cols * patch), |blocks| {
                let rows = blocks.start * MR..(blocks.end * MR).min(outs);
                balanced(rows.len(), tile_rows(), |i, m| {
                    let channel = group * outs + rows.start + i;
                    let a = Left { ptr: by_channel[channel * cols..].as_ptr(), rs: cols, cs: 1 };
                    for (j, panel) in panels.chunks_exact(cols * T::NR).enumerate() {
                        let n = (patch - j * T::NR).min(T::NR);
                        let c = dw.at(channel * patch + j * T::NR);
                        // SAFETY: A has `m` rows of `cols` elements, the panel `cols` rows of NR, and these rows of the
                        // gradient are this piece's alone.
                        unsafe { put_tile(m, n, cols, a, panel.as_ptr(), T::NR, c, patch, accumulate) };
                    }
                });
            });
        });
    }
}

/// Writes the patches of a group to panels.
fn lay_out<T: ConvElement>(patches: &Patches, x: &[T], group: usize, cols: usize, panels: &mut [T]) {
    let mut runs = Runs::new();
    patches.runs(0, cols, &mut runs);
    let size = cols * T::NR;
    let (count, panels) = (panels.len() / size, Shared::new(panels));
    for_each_range(count, (GRAIN / 16).div_ceil(size), |range| {
        with_scratch(size + SLACK, |tile: &mut [T]| {
            for panel in range {
                let rows = panel * T::NR..((panel + 1) * T::NR).min(patches.rows());
                tile[rows.len() * cols..].fill(T::ZERO);
                gather(patches, x, group, rows, &runs, tile, cols);
                // SAFETY: each panel belongs to one piece.
                let panel = unsafe { panels.slice(panel * size, size) };
                for (p, to) in panel.chunks_exact_mut(T::NR).enumerate() {
                    to.iter_mut().enumerate().for_each(|(r, to)| *to = tile[r * cols + p]);
                }
            }
        });
    });
}

/// Writes a product to `m` rows and `n` columns of the matrix at `c`, whose rows are `ldc` apart, or adds it to them.
///
/// # Safety
/// As [`Micro::outer`](crate::kernels::micro::Micro::outer), but that nothing beyond `n` columns of `c` is used.
#[allow(clippy::too_many_arguments)]
unsafe fn put_tile<T: ConvElement>(
    m: usize,
    n: usize,
    k: usize,
    a: Left<T>,
    b: *const T,
    ldb: usize,
    c: *mut T,
    ldc: usize,
    add: bool,
) {
    let whole = n / T::GROUP * T::GROUP;
    let start = Start { load: add, bias: std::ptr::null() };
    // SAFETY: the caller's contract; the columns after the last whole group go to a tile of their own.
    unsafe {
        if whole > 0 {
            T::outer(m, whole, k, a, b, Steps::Even(ldb), c, ldc, start);
        }
        if whole < n {
            let mut rest = [T::ZERO; MR * 16];
            let start = Start { load: false, ..start };
            T::outer(m, n - whole, k, a, b.add(whole), Steps::Even(ldb), rest.as_mut_ptr(), 16, start);
            for (i, row) in rest.chunks_exact(16).take(m).enumerate() {
                for (j, v) in row[..n - whole].iter().enumerate() {
                    let c = c.add(i * ldc + whole + j);
                    *c = if add { *c + *v } else { *v };
                }
            }
        }
    }
}

/// The output's gradient as (channel, sample, position).
fn channels_outermost<T: ConvElement>(g: &ConvGeometry, dy: &[T]) -> Vec<T> {
    let cols = g.batch * g.output_size();
    let mut out = vec![T::ZERO; dy.len()];
    for group in 0..g.groups {
        let own = &mut out[group * g.group_out() * cols..][..g.group_out() * cols];
        output_rows(g, dy, group, 0..g.group_out(), 0..cols, own, cols);
    }
    out
}

struct WeightSum<'a, T> {
    g: &'a ConvGeometry,
    patches: Patches,
    x: &'a [T],
    dy: &'a [T],
    rows_per_task: usize,
    outs_per_task: usize,
}

impl<T: ConvElement> WeightSum<'_, T> {
    /// Adds what `positions` contribute to block (`r`, `o`) of a group's gradient in the array at `dw`.
    ///
    /// # Safety
    /// `dw` points to an array of the weights' size, and nothing else uses the block meanwhile.
    unsafe fn task(
        &self,
        group: usize,
        r: usize,
        o: usize,
        positions: std::ops::Range<usize>,
        runs: &mut Runs,
        dw: *mut T,
    ) {
        let g = self.g;
        let rows = r * self.rows_per_task..((r + 1) * self.rows_per_task).min(g.patch_len());
        let outs = o * self.outs_per_task..((o + 1) * self.outs_per_task).min(g.group_out());
        with_scratch((rows.len() + outs.len()) * SPAN + SLACK, |buffer: &mut [T]| {
            for start in positions.clone().step_by(SPAN) {
                let end = (start + SPAN).min(positions.end);
                let len = end - start;
                let padded = len.next_multiple_of(T::LANES);
                self.patches.runs(start, end, runs);
                gather(&self.patches, self.x, group, rows.clone(), runs, buffer, SPAN);
                let (tile, grad) = buffer.split_at_mut(rows.len() * SPAN);
                output_rows(g, self.dy, group, outs.clone(), start..end, grad, SPAN);
                for row in buffer_rows(tile, SPAN).chain(buffer_rows(grad, SPAN)) {
                    row[len..padded].fill(T::ZERO);
                }
                balanced(outs.len(), DOT_A, |i, m| {
                    balanced(rows.len(), DOT_B, |j, n| {
                        let at = (group * g.group_out() + outs.start + i) * g.patch_len() + rows.start + j;
                        let (a, b) = (grad[i * SPAN..].as_ptr(), tile[j * SPAN..].as_ptr());
                        // SAFETY: both buffers have SPAN elements per row, and the tile of the gradient lies in the
                        // block.
                        unsafe { T::dot(m, n, padded, (a, SPAN), (b, SPAN), (dw.add(at), g.patch_len())) };
                    });
                });
            }
        });
    }
}

fn buffer_rows<T>(buffer: &mut [T], len: usize) -> impl Iterator<Item = &mut [T]> {
    buffer.chunks_exact_mut(len)
}
