//! Gathers tiles of the matrix of input patches.
//!
//! For each group the matrix has a row per (channel, position in the window) and a column per (sample, position in
//! the output). Columns of one row of the output lie next to each other in the input, so that a tile is made of
//! runs.

use super::ConvGeometry;
use crate::kernels::Shared;
use crate::kernels::math::Real;
use smallvec::SmallVec;
use std::ops::Range;

/// How positions of the window and of the output meet in the input: input = output * stride + offset + window *
/// dilation. The offset is minus the padding, but may have any sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patches {
    pub channels: usize,
    pub group_channels: usize,
    pub input: [usize; 3],
    pub output: [usize; 3],
    pub kernel: [usize; 3],
    pub stride: [usize; 3],
    pub offset: [isize; 3],
    pub dilation: [usize; 3],
}

/// Columns of a tile that lie in one row of the output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// First column, counted from the tile's.
    col: usize,
    len: usize,
    /// Where the window's first element falls in the sample for the run's first column.
    at: [isize; 3],
    /// The same as an offset in the array, for the sample's first channel; meaningless outside of the sample.
    origin: isize,
}

/// The runs of a tile.
pub(super) type Runs = SmallVec<[Run; 32]>;

impl Patches {
    /// The patches of a convolution's input.
    pub(super) fn of(g: &ConvGeometry) -> Patches {
        Patches {
            channels: g.in_channels,
            group_channels: g.group_in(),
            input: g.input,
            output: g.output,
            kernel: g.kernel,
            stride: g.stride,
            offset: g.pad.map(|p| -(p as isize)),
            dilation: g.dilation,
        }
    }

    /// The patches of the output's gradient from which a convolution with stride 1 makes the input's.
    pub(super) fn mirrored(g: &ConvGeometry) -> Patches {
        let reach = |a: usize| g.pad[a] as isize - (g.dilation[a] * (g.kernel[a] - 1)) as isize;
        Patches {
            channels: g.out_channels,
            group_channels: g.group_out(),
            input: g.output,
            output: g.input,
            kernel: g.kernel,
            stride: [1; 3],
            offset: [reach(0), reach(1), reach(2)],
            dilation: g.dilation,
        }
    }

    /// Positions of the output in one sample.
    pub(super) fn positions(&self) -> usize {
        self.output.iter().product()
    }

    /// Rows of the matrix.
    pub(super) fn rows(&self) -> usize {
        self.group_channels * self.kernel.iter().product::<usize>()
    }

    /// The runs of the columns `start..end`.
    pub(super) fn runs(&self, start: usize, end: usize, runs: &mut Runs) {
        runs.clear();
        let [od, oh, ow] = self.output;
        let mut p = start;
        while p < end {
            let x = p % ow;
            let len = (ow - x).min(end - p);
            let sample = p / (ow * oh * od);
            let place = |o: usize, a: usize| (o * self.stride[a]) as isize + self.offset[a];
            let at = [place(p / (ow * oh) % od, 0), place(p / ow % oh, 1), place(x, 2)];
            let [d, h, w] = self.input.map(|n| n as isize);
            let origin = (((sample * self.channels) as isize * d + at[0]) * h + at[1]) * w + at[2];
            runs.push(Run { col: p - start, len, at, origin });
            p += len;
        }
    }

    /// Row `row` of a group's matrix: what its place in the window adds to a run's place and origin.
    #[inline(always)]
    fn row(&self, group: usize, row: usize) -> ([isize; 3], isize) {
        let [_, kh, kw] = self.kernel;
        let window = self.kernel[0] * kh * kw;
        let channel = group * self.group_channels + row / window;
        let by = [
            row / (kh * kw) % self.kernel[0] * self.dilation[0],
            row / kw % kh * self.dilation[1],
            row % kw * self.dilation[2],
        ];
        let [d, h, w] = self.input;
        let offset = ((channel * d + by[0]) * h + by[1]) * w + by[2];
        (by.map(|b| b as isize), offset as isize)
    }

    /// The columns of `run` whose element at distance `by` lies in the input.
    #[inline(always)]
    fn inside(&self, run: &Run, by: [isize; 3]) -> Range<usize> {
        let (z, y, x) = (run.at[0] + by[0], run.at[1] + by[1], run.at[2] + by[2]);
        if z as usize >= self.input[0] || y as usize >= self.input[1] {
            return 0..0;
        }
        let step = self.stride[2];
        let (before, room) = ((-x).max(0) as usize, (self.input[2] as isize - x).max(0) as usize);
        let (first, end) =
            if step == 1 { (before, room) } else { (before.div_ceil(step), room.div_ceil(step)) };
        let end = end.min(run.len);
        first.min(end)..end
    }
}

/// What [`gather`] may write past the end of a row: it copies whole groups of this many elements.
pub(super) const SLACK: usize = 8;

crate::simd_fn! {
    /// Writes the tile of `rows` and `runs` to `tile`, whose rows are `ld` apart. Up to [`SLACK`] elements after each
    /// row, also the last, are overwritten.
    pub(super) fn gather<T: Real>(
        p: &Patches,
        src: &[T],
        group: usize,
        rows: Range<usize>,
        runs: &[Run],
        tile: &mut [T],
        ld: usize,
    ) {
        let width = runs.last().map_or(0, |r| r.col + r.len);
        assert!(rows.is_empty() || tile.len() >= (rows.len() - 1) * ld + width + SLACK);
        let step = p.stride[2];
        for (r, row) in rows.enumerate() {
            let (by, offset) = p.row(group, row);
            for run in runs {
                let inside = p.inside(run, by);
                // SAFETY: the run lies in its row of the tile, and a group that starts in it ends in the slack;
                // sources inside the input lie inside `src`, which is checked for groups that reach further.
                unsafe {
                    let to = tile.as_mut_ptr().add(r * ld + run.col);
                    let from = src.as_ptr().wrapping_offset(run.origin + offset);
                    if inside.is_empty() {
                        zero(to, run.len);
                        continue;
                    }
                    if step == 1 {
                        let first = (run.origin + offset + inside.start as isize) as usize;
                        let from = from.wrapping_add(inside.start);
                        let whole = first + inside.len().next_multiple_of(SLACK) <= src.len();
                        copy(from, to.add(inside.start), inside.len(), whole);
                    } else {
                        for i in inside.clone() {
                            *to.add(i) = *from.wrapping_add(i * step);
                        }
                    }
                    for i in (0..inside.start).chain(inside.end..run.len) {
                        *to.add(i) = T::ZERO;
                    }
                }
            }
        }
    }

    /// Adds the tile of `rows` and `runs` to the places that [`gather`] would read. Nothing else may use these
    /// channels of `dst` meanwhile.
    pub(super) fn scatter_add<T: Real>(
        p: &Patches,
        dst: Shared<T>,
        group: usize,
        rows: Range<usize>,
        runs: &[Run],
        tile: &[T],
        ld: usize,
    ) {
        let step = p.stride[2];
        for (r, row) in rows.enumerate() {
            let (by, offset) = p.row(group, row);
            for run in runs {
                let inside = p.inside(run, by);
                if inside.is_empty() {
                    continue;
                }
                let from = &tile[r * ld + run.col..][inside.clone()];
                let at = (run.origin + offset + (inside.start * step) as isize) as usize;
                // SAFETY: `inside` gives places inside the input; nobody else uses them.
                let to = unsafe { dst.slice(at, (from.len() - 1) * step + 1) };
                if step == 1 {
                    to.iter_mut().zip(from).for_each(|(t, f)| *t += *f);
                } else {
                    to.iter_mut().step_by(step).zip(from).for_each(|(t, f)| *t += *f);
                }
            }
        }
    }
}

/// Writes a group's output, or its gradient, to `to`: a row for each of the channels `outs`, `ld` apart, of the elements
/// at `positions`, which are counted through all samples.
pub(super) fn output_rows<T: Real>(
    g: &ConvGeometry,
    from: &[T],
    group: usize,
    outs: Range<usize>,
    positions: Range<usize>,
    to: &mut [T],
    ld: usize,
) {
    let size = g.output_size();
    let mut p = positions.start;
    while p < positions.end {
        let (sample, at) = (p / size, p % size);
        let len = (size - at).min(positions.end - p);
        for (row, o) in to.chunks_exact_mut(ld).zip(outs.clone()) {
            let channel = sample * g.out_channels + group * g.group_out() + o;
            row[p - positions.start..][..len].copy_from_slice(&from[channel * size + at..][..len]);
        }
        p += len;
    }
}

/// Copies `len` elements, in whole groups if that is allowed.
///
/// # Safety
/// The elements may be read and written, and if `whole` so may those up to a multiple of [`SLACK`].
#[inline(always)]
unsafe fn copy<T: Copy>(from: *const T, to: *mut T, len: usize, whole: bool) {
    // SAFETY: the caller's contract.
    unsafe {
        if whole {
            for i in (0..len).step_by(SLACK) {
                to.add(i)
                    .cast::<[T; SLACK]>()
                    .write_unaligned(from.add(i).cast::<[T; SLACK]>().read_unaligned());
            }
        } else {
            for i in 0..len {
                *to.add(i) = *from.add(i);
            }
        }
    }
}

/// Writes zeros to `len` elements, in whole groups.
///
/// # Safety
/// The elements up to a multiple of [`SLACK`] may be written.
#[inline(always)]
unsafe fn zero<T: Real>(to: *mut T, len: usize) {
    for i in (0..len).step_by(SLACK) {
        // SAFETY: the caller's contract.
        unsafe { to.add(i).cast::<[T; SLACK]>().write_unaligned([T::ZERO; SLACK]) };
    }
}
