//! The two gradients.

use super::depthwise::{self, is_depthwise};
use super::forward::{GRAIN, PANELS, Product};
use super::gather::{Patches, Runs, SLACK, gather, scatter_add};
use super::{ConvElement, ConvGeometry};
use crate::kernels::Shared;
use crate::kernels::micro::{DOT_A, DOT_B, Left, MR, Start, balanced, with_scratch};
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
    let (outs, ins, window) = (g.group_out(), g.group_in(), g.kernel_size());
    let mut m = vec![T::ZERO; w.len()];
    for group in 0..g.groups {
        for i in 0..ins {
            for o in 0..outs {
                let from = &w[((group * outs + o) * ins + i) * window..][..window];
                let to = &mut m[((group * ins + i) * outs + o) * window..][..window];
                for (t, f) in to.iter_mut().zip(from.iter().rev()) {
                    *t = *f;
                }
            }
        }
    }
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
            let width = PANELS * T::NR;
            for p in (0..g.output_size()).step_by(width) {
                let len = width.min(g.output_size() - p);
                let start = n * g.output_size() + p;
                patches.runs(start, start + len, &mut runs);
                with_scratch((outs + rows.len()) * width, |buffer: &mut [T]| {
                    let (grad, tile) = buffer.split_at_mut(outs * width);
                    for (o, row) in grad.chunks_exact_mut(width).enumerate() {
                        let from = (n * g.out_channels + group * outs + o) * g.output_size() + p;
                        row[..len].copy_from_slice(&dy[from..from + len]);
                        row[len..].fill(T::ZERO);
                    }
                    multiply(outs, rows.len(), a, grad, tile, len);
                    scatter_add(&patches, dx, group, rows.clone(), &runs, tile, width);
                });
            }
        }
    });
}

/// `tile = a * b` for `rows` rows of `a`, of `depth` elements each, and the first `len` columns of `b`.
fn multiply<T: ConvElement>(depth: usize, rows: usize, a: &[T], b: &[T], tile: &mut [T], len: usize) {
    let width = PANELS * T::NR;
    debug_assert!(a.len() >= rows * depth && b.len() >= depth * width && tile.len() >= rows * width);
    for j in (0..len).step_by(T::NR) {
        balanced(rows, MR, |i, m| {
            let left = Left { ptr: a[i * depth..].as_ptr(), rs: depth };
            let start = Start { load: false, bias: std::ptr::null() };
            let c = tile[i * width + j..].as_mut_ptr();
            // SAFETY: the lengths asserted above hold by the callers' sizes.
            unsafe { T::outer(m, depth, left, b[j..].as_ptr(), width, c, width, start) };
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
    if !accumulate {
        dw.fill(T::ZERO);
    }
    let cols = g.batch * g.output_size();
    if dw.is_empty() || cols == 0 {
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
                self.gradient(group, outs.clone(), start..end, grad);
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

    /// Copies the output's gradient at `positions` to rows of SPAN elements.
    fn gradient(
        &self,
        group: usize,
        outs: std::ops::Range<usize>,
        positions: std::ops::Range<usize>,
        grad: &mut [T],
    ) {
        let size = self.g.output_size();
        let mut p = positions.start;
        while p < positions.end {
            let (n, at) = (p / size, p % size);
            let len = (size - at).min(positions.end - p);
            for (row, o) in buffer_rows(grad, SPAN).zip(outs.clone()) {
                let channel = n * self.g.out_channels + group * self.g.group_out() + o;
                let to = p - positions.start;
                row[to..to + len].copy_from_slice(&self.dy[channel * size + at..][..len]);
            }
            p += len;
        }
    }
}

fn buffer_rows<T>(buffer: &mut [T], len: usize) -> impl Iterator<Item = &mut [T]> {
    buffer.chunks_exact_mut(len)
}
