//! The forward pass: weights times gathered patches.

use super::depthwise::{self, is_depthwise};
use super::direct::Strips;
use super::gather::{Patches, Runs, SLACK, gather};
use super::{ConvElement, ConvGeometry};
use crate::kernels::Shared;
use crate::kernels::micro::{Left, MR, Start, Steps, balanced, tile_rows, with_scratch};
use crate::parallel::{for_each_range, num_threads};

/// Most rows of the patch matrix in a tile: a column of panels then stays in the first-level cache.
const DEPTH: usize = 256;
/// The same where there are few columns: the weights, which are then most of what is read, are read in longer pieces.
const DEEP: usize = 1024;
/// Panels per tile.
const PANELS: usize = 5;
/// Multiplications below which a piece is not worth a thread.
pub(super) const GRAIN: usize = 1 << 18;

/// Columns of a tile.
pub(super) fn width<T: ConvElement>() -> usize {
    PANELS * T::NR
}

/// Elements from one row of a tile to the next: an odd number of cache lines, which spreads the rows over the sets of
/// the cache.
pub(super) fn row_len<T: ConvElement>() -> usize {
    width::<T>() + T::GROUP
}

/// Writes the convolution of `x` with `w`, plus `bias` per output channel, to `y`, or adds it to what is there.
pub fn forward<T: ConvElement>(
    g: &ConvGeometry,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
    accumulate: bool,
) {
    g.check(x.len(), w.len(), y.len());
    debug_assert!(bias.is_none_or(|b| b.len() == g.out_channels));
    if is_depthwise(g) {
        return depthwise::forward(g, x, w, bias, y, accumulate);
    }
    let product = Product {
        patches: Patches::of(g),
        batch: g.batch,
        groups: g.groups,
        rows: g.group_out(),
        src: x,
        weight: w,
        bias,
        accumulate,
    };
    product.run(y);
}

/// Into how many bands of rows to cut so few tiles that threads would be idle. Each band gathers its tile again, so
/// there are no more than needed. Elements do not change by it.
pub(super) fn bands(tiles: usize, threads: usize) -> usize {
    (1..threads).find(|bands| tiles * bands >= 4 * threads || tiles * bands % threads == 0).unwrap_or(threads)
}

/// A product of a matrix of weights per group, row-major, with the patches of `src`.
pub(super) struct Product<'a, T> {
    pub patches: Patches,
    pub batch: usize,
    pub groups: usize,
    /// Rows of the weights, and channels of the result, per group.
    pub rows: usize,
    pub src: &'a [T],
    pub weight: &'a [T],
    pub bias: Option<&'a [T]>,
    pub accumulate: bool,
}

impl<T: ConvElement> Product<'_, T> {
    /// Computes all channels, samples and positions of the result.
    pub(super) fn run(&self, y: &mut [T]) {
        if let Some(strips) = Strips::of(&self.patches) {
            return self.run_direct(&strips, y);
        }
        let cols = self.batch * self.patches.positions();
        let depth = self.patches.rows();
        if cols == 0 || self.rows == 0 {
            return;
        }
        let width = width::<T>();
        let tiles = cols.div_ceil(width);
        let wanted = bands(tiles * self.groups, num_threads());
        let per_band = self.rows.div_ceil(wanted.min(self.rows.div_ceil(MR))).next_multiple_of(MR);
        let bands = self.rows.div_ceil(per_band);
        let work = width.min(cols) * depth.max(1) * per_band.min(self.rows);
        let y = Shared::new(y);
        for_each_range(self.groups * tiles * bands, GRAIN.div_ceil(work), |range| {
            let mut runs = Runs::new();
            for task in range {
                let (group, tile, band) = (task / (tiles * bands), task / bands % tiles, task % bands);
                let start = tile * width;
                let rows = band * per_band..((band + 1) * per_band).min(self.rows);
                self.tile(group, start..(start + width).min(cols), rows, &mut runs, y);
            }
        });
    }

    /// Computes some rows and columns of one group.
    fn tile(
        &self,
        group: usize,
        cols: std::ops::Range<usize>,
        rows: std::ops::Range<usize>,
        runs: &mut Runs,
        y: Shared<T>,
    ) {
        let depth = self.patches.rows();
        let few = self.batch * self.patches.positions() <= 2 * T::NR;
        let blocks = depth.div_ceil(if few { DEEP } else { DEPTH }).max(1);
        let block = depth.div_ceil(blocks);
        self.patches.runs(cols.start, cols.end, runs);
        let ld = row_len::<T>();
        with_scratch(block * ld + SLACK, |buffer: &mut [T]| {
            for b in 0..blocks {
                let (k0, k1) = (b * block, ((b + 1) * block).min(depth));
                gather(&self.patches, self.src, group, k0..k1, runs, buffer, ld);
                for j in (0..cols.len()).step_by(T::NR) {
                    let panel = Panel::new(self, group, cols.start + j, (cols.len() - j).min(T::NR));
                    balanced(rows.len(), tile_rows(), |i, m| {
                        // SAFETY: the buffer holds the rows `k0..k1`; `y` holds the channels and columns of the
                        // panel, which no other task writes.
                        unsafe { panel.tile(self, k0..k1, rows.start + i, m, &buffer[j..], y) };
                    });
                }
            }
        });
    }
}

/// The largest `NR`.
const WIDEST: usize = 32;

/// Up to `NR` columns of the result in one group.
struct Panel {
    group: usize,
    /// Where each column lies in the result, for the group's first channel.
    at: [usize; WIDEST],
    len: usize,
    /// Whether the columns lie next to each other and are whole groups.
    whole: bool,
}

impl Panel {
    fn new<T: ConvElement>(p: &Product<T>, group: usize, start: usize, len: usize) -> Panel {
        let size = p.patches.positions();
        let channels = p.rows * p.groups;
        let place = |c: usize| (c / size * channels + group * p.rows) * size + c % size;
        let mut at = [0; WIDEST];
        let whole = len % T::GROUP == 0 && start / size == (start + len - 1) / size;
        at[0] = place(start);
        if !whole {
            for (c, at) in at[..len].iter_mut().enumerate() {
                *at = place(start + c);
            }
        }
        Panel { group, at, len, whole }
    }

    /// Computes `m` channels from `i` on, for the rows `ks` of the patches, which `b` starts with.
    ///
    /// # Safety
    /// Nothing else uses these channels and columns of `y` meanwhile.
    unsafe fn tile<T: ConvElement>(
        &self,
        p: &Product<T>,
        ks: std::ops::Range<usize>,
        i: usize,
        m: usize,
        b: &[T],
        y: Shared<T>,
    ) {
        let depth = p.patches.rows();
        let size = p.patches.positions();
        let channel = self.group * p.rows + i;
        let a = Left { ptr: p.weight[channel * depth + ks.start..].as_ptr(), rs: depth, cs: 1 };
        let first = ks.start == 0;
        let bias = if first { p.bias } else { None };
        let bias = bias.map_or(std::ptr::null(), |b| b[channel..].as_ptr());
        let start = Start { load: p.accumulate || !first, bias };
        let ldb = row_len::<T>();
        debug_assert!(ks.is_empty() || b.len() >= (ks.len() - 1) * ldb + self.len.next_multiple_of(T::GROUP));
        // SAFETY: the weights have `m` rows from `channel` on; `b` has as many rows as `ks`; the result lies inside
        // `y` where the panel is whole, and in `tile` else.
        unsafe {
            if self.whole {
                T::outer(
                    m,
                    self.len,
                    ks.len(),
                    a,
                    b.as_ptr(),
                    Steps::Even(ldb),
                    y.at(self.at[0] + i * size),
                    size,
                    start,
                );
                return;
            }
            let mut tile = [T::ZERO; MR * WIDEST];
            let columns = &self.at[..self.len];
            for r in 0..if start.load { m } else { 0 } {
                for (c, at) in columns.iter().enumerate() {
                    tile[r * WIDEST + c] = *y.at(at + (i + r) * size);
                }
            }
            T::outer(
                m,
                self.len,
                ks.len(),
                a,
                b.as_ptr(),
                Steps::Even(ldb),
                tile.as_mut_ptr(),
                WIDEST,
                start,
            );
            for r in 0..m {
                for (c, at) in columns.iter().enumerate() {
                    *y.at(at + (i + r) * size) = tile[r * WIDEST + c];
                }
            }
        }
    }
}
