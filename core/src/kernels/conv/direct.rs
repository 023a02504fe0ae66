//! The product without a matrix of patches, for windows that move by one over two axes.
//!
//! A sample, or a strip of its rows, is copied once with its padding. An element of the window then meets the outputs at
//! one distance from all of them, so that rows of the matrix of patches are read in place. The columns include those
//! between the end of one row of the output and the start of the next, which are computed for nothing.

use super::ConvElement;
use super::forward::{GRAIN, Product, bands};
use super::gather::Patches;
use crate::kernels::Shared;
use crate::kernels::micro::{Left, MR, Start, Steps, balanced, tile_rows, with_scratch};
use crate::parallel::{for_each_range, num_threads};
use smallvec::SmallVec;
use std::ops::Range;

/// Most elements of a strip with its padding, so that it stays in the second-level cache.
const STRIP: usize = 1 << 16;

/// How the output is cut into strips of rows.
pub(super) struct Strips {
    /// Rows of the output in a strip; the last may have fewer.
    rows: usize,
    /// Elements of a row with padding.
    row_len: usize,
    /// Elements of a channel of a strip with padding.
    plane: usize,
    /// Where each row of the matrix of patches begins in a strip.
    starts: Vec<usize>,
}

impl Strips {
    /// The strips of a product, if it suits: at most a quarter of the columns are for nothing, and strips are not so
    /// flat that most of them is shared with the next.
    pub(super) fn of(p: &Patches) -> Option<Strips> {
        let ([d, ..], [od, oh, ow], [kd, kh, kw]) = (p.input, p.output, p.kernel);
        if p.stride != [1; 3] || [d, od, kd] != [1; 3] || p.offset[0] != 0 {
            return None;
        }
        let (down, across) = (p.dilation[1] * (kh - 1), p.dilation[2] * (kw - 1));
        let row_len = ow + across;
        if ow < 8 || 4 * across > ow {
            return None;
        }
        let most = (STRIP / (p.group_channels * row_len).max(1)).saturating_sub(down);
        if most < oh.min(2 * down + 1) {
            return None;
        }
        let rows = oh.div_ceil(oh.div_ceil(most));
        let plane = (rows + down) * row_len;
        let starts = (0..p.rows())
            .map(|k| {
                let (c, ky, kx) = (k / (kh * kw), k / kw % kh, k % kw);
                c * plane + ky * p.dilation[1] * row_len + kx * p.dilation[2]
            })
            .collect();
        Some(Strips { rows, row_len, plane, starts })
    }
}

impl<T: ConvElement> Product<'_, T> {
    /// Computes all channels, samples and positions of the result.
    pub(super) fn run_direct(&self, strips: &Strips, y: &mut [T]) {
        let [_, oh, ow] = self.patches.output;
        let count = oh.div_ceil(strips.rows);
        let tasks = self.groups * self.batch * count;
        if tasks == 0 || self.rows == 0 || ow == 0 {
            return;
        }
        let per_band = self.rows.div_ceil(bands(tasks, num_threads())).next_multiple_of(MR);
        let bands = self.rows.div_ceil(per_band);
        let work = strips.rows * strips.row_len * strips.starts.len().max(1) * per_band;
        let y = Shared::new(y);
        for_each_range(tasks * bands, GRAIN.div_ceil(work), |range| {
            for task in range {
                let (place, band) = (task / bands, task % bands);
                let (sample, group, strip) =
                    (place / (self.groups * count), place / count % self.groups, place % count);
                let rows = strip * strips.rows..((strip + 1) * strips.rows).min(oh);
                let channels = band * per_band..((band + 1) * per_band).min(self.rows);
                self.strip(strips, sample, group, rows, channels, y);
            }
        });
    }

    /// Computes some channels of the rows `rows` of the output.
    fn strip(
        &self,
        strips: &Strips,
        sample: usize,
        group: usize,
        rows: Range<usize>,
        channels: Range<usize>,
        y: Shared<T>,
    ) {
        let [_, oh, ow] = self.patches.output;
        let depth = self.patches.rows();
        let cols = (rows.len() - 1) * strips.row_len + ow;
        with_scratch(self.patches.group_channels * strips.plane + T::NR, |buffer: &mut [T]| {
            self.pad(strips, sample, group, &rows, buffer);
            for j in (0..cols).step_by(T::NR) {
                let n = (cols - j).min(T::NR);
                let runs = outputs(j, n, strips.row_len, ow);
                balanced(channels.len(), tile_rows(), |i, m| {
                    let channel = group * self.rows + channels.start + i;
                    let a = Left { ptr: self.weight[channel * depth..].as_ptr(), rs: depth, cs: 1 };
                    let bias = self.bias.map_or(std::ptr::null(), |b| b[channel..].as_ptr());
                    let start = Start { load: false, bias };
                    let mut tile = [T::ZERO; MR * 32];
                    // SAFETY: the weights have `m` rows from `channel` on; rows of B end inside the buffer, which is
                    // one tile longer than the strip; the tile has room for `m` rows of `NR`.
                    unsafe {
                        let b = buffer[j..].as_ptr();
                        T::outer(
                            m,
                            n,
                            depth,
                            a,
                            b,
                            Steps::Listed(&strips.starts),
                            tile.as_mut_ptr(),
                            T::NR,
                            start,
                        );
                    }
                    let first = (sample * self.groups * self.rows + channel) * oh + rows.start;
                    for (r, tile) in tile.chunks_exact(T::NR).take(m).enumerate() {
                        for run in &runs {
                            // SAFETY: these channels and rows of `y` are this call's alone.
                            let to = unsafe { y.slice((first + r * oh) * ow + run.to, run.len) };
                            let from = &tile[run.from..run.from + run.len];
                            if self.accumulate {
                                to.iter_mut().zip(from).for_each(|(y, v)| *y += *v);
                            } else {
                                to.copy_from_slice(from);
                            }
                        }
                    }
                });
            }
        });
    }

    /// Writes the input of some rows of the output, with zeros around it, to `strip`.
    fn pad(&self, strips: &Strips, sample: usize, group: usize, rows: &Range<usize>, strip: &mut [T]) {
        let p = &self.patches;
        let [_, ih, iw] = p.input;
        let before = ((-p.offset[2]).max(0) as usize).min(strips.row_len);
        let skipped = p.offset[2].max(0) as usize;
        let inside = (strips.row_len - before).min(iw.saturating_sub(skipped));
        let first = sample * p.channels + group * p.group_channels;
        for (c, plane) in strip.chunks_exact_mut(strips.plane).take(p.group_channels).enumerate() {
            for (r, row) in plane.chunks_exact_mut(strips.row_len).enumerate() {
                let from = (rows.start + r) as isize + p.offset[1];
                if !(0..ih as isize).contains(&from) {
                    row.fill(T::ZERO);
                    continue;
                }
                let from = ((first + c) * ih + from as usize) * iw + skipped;
                row[..before].fill(T::ZERO);
                row[before..before + inside].copy_from_slice(&self.src[from..from + inside]);
                row[before + inside..].fill(T::ZERO);
            }
        }
    }
}

/// Columns of a tile that are outputs next to each other.
struct Run {
    from: usize,
    /// Position in the strip's rows of the output.
    to: usize,
    len: usize,
}

/// The outputs among the `n` columns from `start` on, where rows of `ow` outputs are `row_len` apart.
fn outputs(start: usize, n: usize, row_len: usize, ow: usize) -> SmallVec<[Run; 6]> {
    let mut runs = SmallVec::new();
    let mut q = start;
    while q < start + n {
        let (row, x) = (q / row_len, q % row_len);
        let next = (row + 1) * row_len;
        if x < ow {
            runs.push(Run { from: q - start, to: row * ow + x, len: (ow - x).min(start + n - q) });
        }
        q = next;
    }
    runs
}
