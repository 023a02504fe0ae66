//! Gathers tiles of the matrix of input patches.
//!
//! For each group the matrix has a row per (channel, position in the window) and a column per (sample, position in
//! the output). Columns of one row of the output lie next to each other in the input, so that a tile is made of
//! runs.

use super::ConvGeometry;
use crate::kernels::math::Real;
use smallvec::SmallVec;

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
    sample: usize,
    /// Where the window's first element falls in the input for the run's first column.
    at: [isize; 3],
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
            let at = |o: usize, a: usize| (o * self.stride[a]) as isize + self.offset[a];
            runs.push(Run {
                col: p - start,
                len,
                sample: p / (ow * oh * od),
                at: [at(p / (ow * oh) % od, 0), at(p / ow % oh, 1), at(x, 2)],
            });
            p += len;
        }
    }

    /// Calls `f` for every row in `rows` and run with: the row counted from the first, the run, and the piece of it
    /// that falls into the input, as (index of the element, first column, number of columns) or nothing.
    #[inline(always)]
    fn walk(
        &self,
        group: usize,
        rows: std::ops::Range<usize>,
        runs: &[Run],
        mut f: impl FnMut(usize, &Run, Option<(usize, usize, usize)>),
    ) {
        let [kd, kh, kw] = self.kernel;
        let [id, ih, iw] = self.input;
        let step = self.stride[2];
        for r in rows.clone() {
            let channel = group * self.group_channels + r / (kd * kh * kw);
            let dz = (r / (kh * kw) % kd * self.dilation[0]) as isize;
            let dy = (r / kw % kh * self.dilation[1]) as isize;
            let dx = (r % kw * self.dilation[2]) as isize;
            for run in runs {
                let (z, y, x) = (run.at[0] + dz, run.at[1] + dy, run.at[2] + dx);
                if z < 0 || y < 0 || z >= id as isize || y >= ih as isize {
                    f(r - rows.start, run, None);
                    continue;
                }
                let first = if x >= 0 { 0 } else { (-x as usize).div_ceil(step) };
                let room = iw as isize - x;
                let last = if room <= 0 {
                    0
                } else if step == 1 {
                    run.len.min(room as usize)
                } else {
                    run.len.min((room as usize).div_ceil(step))
                };
                if first >= last {
                    f(r - rows.start, run, None);
                    continue;
                }
                let line = ((run.sample * self.channels + channel) * id + z as usize) * ih + y as usize;
                let at = (line * iw) as isize + x + (first * step) as isize;
                f(r - rows.start, run, Some((at as usize, first, last - first)));
            }
        }
    }

    /// Writes the tile of `rows` and `runs` to `tile`, whose rows are `ld` apart.
    #[inline(always)]
    pub(super) fn gather<T: Real>(
        &self,
        src: &[T],
        group: usize,
        rows: std::ops::Range<usize>,
        runs: &[Run],
        tile: &mut [T],
        ld: usize,
    ) {
        let step = self.stride[2];
        self.walk(group, rows, runs, |r, run, piece| {
            let out = &mut tile[r * ld + run.col..][..run.len];
            let Some((at, first, len)) = piece else {
                out.fill(T::ZERO);
                return;
            };
            if len < run.len {
                out[..first].fill(T::ZERO);
                out[first + len..].fill(T::ZERO);
            }
            if step == 1 {
                copy(&src[at..at + len], &mut out[first..first + len]);
            } else {
                for (o, s) in out[first..first + len].iter_mut().zip(src[at..].iter().step_by(step)) {
                    *o = *s;
                }
            }
        });
    }

    /// Adds the tile of `rows` and `runs` to the places that [`Patches::gather`] would read.
    ///
    /// # Safety
    /// `dst` points to an array of the input's size, and nothing else uses these channels of it meanwhile.
    pub(super) unsafe fn scatter_add<T: Real>(
        &self,
        dst: *mut T,
        group: usize,
        rows: std::ops::Range<usize>,
        runs: &[Run],
        tile: &[T],
        ld: usize,
    ) {
        let step = self.stride[2];
        self.walk(group, rows, runs, |r, run, piece| {
            if let Some((at, first, len)) = piece {
                let from = &tile[r * ld + run.col + first..][..len];
                for (i, v) in from.iter().enumerate() {
                    // SAFETY: `walk` gives places inside the input.
                    unsafe { *dst.add(at + i * step) += *v };
                }
            }
        });
    }
}

/// Copies a short run without a call.
#[inline(always)]
fn copy<T: Copy>(src: &[T], dst: &mut [T]) {
    let (mut s, mut d) = (src.chunks_exact(8), dst.chunks_exact_mut(8));
    for (d, s) in (&mut d).zip(&mut s) {
        d.copy_from_slice(s);
    }
    for (d, s) in d.into_remainder().iter_mut().zip(s.remainder()) {
        *d = *s;
    }
}
