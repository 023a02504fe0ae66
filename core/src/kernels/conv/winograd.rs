//! Convolution with windows of 3 x 3 that move by one, by minimal filtering: Winograd's F(2 x 2, 3 x 3) as Lavin and
//! Gray give it ("Fast Algorithms for Convolutional Neural Networks", 2015).
//!
//! A tile of 4 x 4 elements of the input makes 2 x 2 of the output. Both it and the window are transformed to 16
//! numbers, whose products, summed over channels, are transformed back: 16 multiplications instead of 36. The sums over
//! channels are 16 matrix products, one for each place of a tile. Results differ from [`forward`](super::forward) in
//! rounding.

use super::{ConvElement, ConvGeometry};
use crate::kernels::Shared;
use crate::kernels::math::Real;
use crate::kernels::micro::{Left, Start, Steps, balanced, tile_rows, with_scratch};
use crate::parallel::for_each_range;
use std::ops::Range;

/// Places of a tile of the input.
const PLACES: usize = 16;
/// Tiles from which transforming the weights pays: it costs as much as is saved in about half as many.
const LEAST_TILES: usize = 96;
/// Channels on both sides from which transforming tiles pays.
const LEAST_CHANNELS: usize = 96;
/// Tiles that are transformed together: what a register of AVX2 holds.
const BLOCK: usize = 8;
/// Columns of tiles times channels that are worked on at once, so that they stay in the second-level cache.
const PIECE: usize = 1 << 14;

/// Whether minimal filtering computes this convolution, and in less time than [`forward`](super::forward).
pub fn winograd_suits(g: &ConvGeometry) -> bool {
    let planar = g.input[0] == 1 && g.pad[0] == 0 && g.kernel == [1, 3, 3] && g.groups == 1;
    let tiles = Tiles::of(g);
    planar
        && g.stride == [1; 3]
        && g.dilation == [1; 3]
        && g.in_channels.min(g.out_channels) >= LEAST_CHANNELS
        && tiles.across >= 4
        && tiles.rows(g) * tiles.across >= LEAST_TILES
}

/// How the output is cut into tiles of 2 x 2.
#[derive(Clone, Copy)]
struct Tiles {
    down: usize,
    across: usize,
}

impl Tiles {
    fn of(g: &ConvGeometry) -> Tiles {
        Tiles { down: g.output[1].div_ceil(2), across: g.output[2].div_ceil(2) }
    }

    /// Rows of tiles in all samples.
    fn rows(self, g: &ConvGeometry) -> usize {
        g.batch * self.down
    }
}

/// Writes the convolution of `x` with `w`, plus `bias` per output channel, to `y`.
///
/// The geometry has windows of 3 x 3 that move by one over two axes, without gaps and groups.
pub fn winograd<T: ConvElement>(g: &ConvGeometry, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    g.check(x.len(), w.len(), y.len());
    debug_assert!(g.kernel == [1, 3, 3] && g.groups == 1 && g.input[0] == 1 && g.pad[0] == 0);
    debug_assert!(g.stride == [1; 3] && g.dilation == [1; 3]);
    let (ins, outs, tiles) = (g.in_channels, g.out_channels, Tiles::of(g));
    let rows = tiles.rows(g);
    if rows * tiles.across * outs == 0 {
        return;
    }
    let weights = transformed(ins, outs, w);
    let wanted = (PIECE / (ins + outs)).clamp(T::NR, 2 * T::NR);
    let per_piece = (wanted / tiles.across).clamp(1, rows);
    let pieces = rows.div_ceil(per_piece);
    // A row has room for a block behind its last tile, and an odd number of groups, which spreads the rows over the sets
    // of the cache.
    let ld = ((per_piece * tiles.across + BLOCK).div_ceil(T::GROUP) | 1) * T::GROUP;
    let run = Run { g, tiles, x, weights: &weights, bias, y: Shared::new(y), ld };
    for_each_range(pieces, 1, |range| {
        for piece in range {
            run.piece(piece * per_piece..((piece + 1) * per_piece).min(rows));
        }
    });
}

/// The weights as (place, out channel, in channel).
fn transformed<T: ConvElement>(ins: usize, outs: usize, w: &[T]) -> Vec<T> {
    let mut u = vec![T::ZERO; PLACES * outs * ins];
    let to = Shared::new(&mut u);
    for_each_range(outs, (1 << 14) / ins.max(1) + 1, |range| {
        let mut places = vec![T::ZERO; PLACES * ins];
        for o in range {
            windows(&w[o * ins * 9..][..ins * 9], &mut places);
            for (place, from) in places.chunks_exact(ins).enumerate() {
                // SAFETY: each row of the result belongs to one out channel, and so to one piece.
                unsafe { to.slice((place * outs + o) * ins, ins) }.copy_from_slice(from);
            }
        }
    });
    u
}

/// The transform along one axis of a window: `(a, (a + b + c) / 2, (a - b + c) / 2, c)`.
#[inline(always)]
fn window_axis<T: Real>(a: T, b: T, c: T) -> [T; 4] {
    let half = T::from_f64(0.5);
    let (sum, middle) = ((a + c) * half, b * half);
    [a, sum + middle, sum - middle, c]
}

crate::simd_fn! {
    /// Transforms windows of 3 x 3 that lie one after the other; `out` is (place, window).
    fn windows<T: Real>(w: &[T], out: &mut [T]) {
        let n = w.len() / 9;
        for (c, w) in w.chunks_exact(9).enumerate() {
            let columns = [
                window_axis(w[0], w[3], w[6]),
                window_axis(w[1], w[4], w[7]),
                window_axis(w[2], w[5], w[8]),
            ];
            for i in 0..4 {
                let row = window_axis(columns[0][i], columns[1][i], columns[2][i]);
                for (j, v) in row.iter().enumerate() {
                    out[(4 * i + j) * n + c] = *v;
                }
            }
        }
    }

    /// Transforms a row of tiles, a block at a time. `lines` are four rows of the padded input, `len` elements each, of
    /// which there are as many as `blocks` need. Place `p` of tile `t` goes to `out[p * step + t]`; tiles behind the last
    /// of a row mean nothing.
    fn tiles_of_row<T: Real>(lines: &[T], len: usize, blocks: usize, out: &mut [T], step: usize) {
        for block in 0..blocks {
            // Along the lines first, then across them.
            let mut h = [[[T::ZERO; BLOCK]; 4]; 4];
            for (i, h) in h.iter_mut().enumerate() {
                let line = &lines[i * len + 2 * BLOCK * block..][..2 * BLOCK + 2];
                // Neighbours are told apart once, so that all else is done register by register.
                let (mut even, mut odd) = ([T::ZERO; BLOCK + 1], [T::ZERO; BLOCK + 1]);
                for t in 0..BLOCK + 1 {
                    even[t] = line[2 * t];
                    odd[t] = line[2 * t + 1];
                }
                for t in 0..BLOCK {
                    h[0][t] = even[t] - even[t + 1];
                }
                for t in 0..BLOCK {
                    h[1][t] = odd[t] + even[t + 1];
                }
                for t in 0..BLOCK {
                    h[2][t] = even[t + 1] - odd[t];
                }
                for t in 0..BLOCK {
                    h[3][t] = odd[t] - odd[t + 1];
                }
            }
            for j in 0..4 {
                let mut v = [[T::ZERO; BLOCK]; 4];
                for t in 0..BLOCK {
                    v[0][t] = h[0][j][t] - h[2][j][t];
                }
                for t in 0..BLOCK {
                    v[1][t] = h[1][j][t] + h[2][j][t];
                }
                for t in 0..BLOCK {
                    v[2][t] = h[2][j][t] - h[1][j][t];
                }
                for t in 0..BLOCK {
                    v[3][t] = h[1][j][t] - h[3][j][t];
                }
                for (i, v) in v.iter().enumerate() {
                    out[(4 * i + j) * step + BLOCK * block..][..BLOCK].copy_from_slice(v);
                }
            }
        }
    }

    /// Transforms sums over channels back, a block at a time. Place `p` of tile `t` is `sums[p * step + t]`; the four
    /// results of a tile are `n` apart in `out`, where `n` is a number of whole blocks.
    fn results<T: Real>(sums: &[T], step: usize, n: usize, bias: T, out: &mut [T]) {
        for at in (0..n).step_by(BLOCK) {
            let (mut top, mut bottom) = ([[T::ZERO; BLOCK]; 4], [[T::ZERO; BLOCK]; 4]);
            for j in 0..4 {
                let place = |i: usize| &sums[(4 * i + j) * step + at..][..BLOCK];
                let (a, b, c, d) = (place(0), place(1), place(2), place(3));
                for t in 0..BLOCK {
                    top[j][t] = a[t] + b[t] + c[t];
                    bottom[j][t] = b[t] - c[t] - d[t];
                }
            }
            for (half, v) in [top, bottom].iter().enumerate() {
                let (mut left, mut right) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
                for t in 0..BLOCK {
                    left[t] = v[0][t] + v[1][t] + v[2][t] + bias;
                    right[t] = v[1][t] - v[2][t] - v[3][t] + bias;
                }
                out[2 * half * n + at..][..BLOCK].copy_from_slice(&left);
                out[(2 * half + 1) * n + at..][..BLOCK].copy_from_slice(&right);
            }
        }
    }

    /// Writes a row of the output: elements of `left` and `right` in turn.
    fn interleave<T: Real>(left: &[T], right: &[T], y: &mut [T]) {
        let whole = y.len() / (2 * BLOCK);
        for block in 0..whole {
            let (l, r) = (&left[block * BLOCK..][..BLOCK], &right[block * BLOCK..][..BLOCK]);
            let mut pairs = [T::ZERO; 2 * BLOCK];
            for t in 0..BLOCK {
                pairs[2 * t] = l[t];
                pairs[2 * t + 1] = r[t];
            }
            y[2 * block * BLOCK..][..2 * BLOCK].copy_from_slice(&pairs);
        }
        for (i, y) in y.iter_mut().enumerate().skip(2 * whole * BLOCK) {
            *y = if i % 2 == 0 { left[i / 2] } else { right[i / 2] };
        }
    }
}

/// A convolution that runs.
struct Run<'a, T> {
    g: &'a ConvGeometry,
    tiles: Tiles,
    x: &'a [T],
    /// (place, out channel, in channel).
    weights: &'a [T],
    bias: Option<&'a [T]>,
    y: Shared<T>,
    /// Elements from one row of a piece to the next.
    ld: usize,
}

impl<T: ConvElement> Run<'_, T> {
    /// Elements from one place to the next for so many channels. An odd number of cache lines, so that the places of a
    /// tile are in different sets of the cache.
    fn step(&self, channels: usize) -> usize {
        ((channels * self.ld).div_ceil(16) | 1) * 16
    }

    /// Computes some rows of tiles in all channels.
    fn piece(&self, rows: Range<usize>) {
        let (ins, outs, ld) = (self.g.in_channels, self.g.out_channels, self.ld);
        let (from, to) = (self.step(ins), self.step(outs));
        let cols = rows.len() * self.tiles.across;
        with_scratch(PLACES * (from + to), |buffer: &mut [T]| {
            let (data, sums) = buffer.split_at_mut(PLACES * from);
            self.read(rows.clone(), data);
            for place in 0..PLACES {
                let weights = &self.weights[place * outs * ins..][..outs * ins];
                let (data, sums) = (&data[place * from..][..ins * ld], &mut sums[place * to..]);
                for j in (0..cols).step_by(T::NR) {
                    balanced(outs, tile_rows(), |i, m| {
                        let a = Left { ptr: weights[i * ins..].as_ptr(), rs: ins, cs: 1 };
                        let c = sums[i * ld + j..].as_mut_ptr();
                        let start = Start { load: false, bias: std::ptr::null() };
                        let n = (cols - j).min(T::NR);
                        // SAFETY: the weights have `m` rows of `ins` elements from `i` on; rows of `data` and `sums`
                        // have `ld` elements, which is `cols` rounded up to whole groups or more.
                        unsafe { T::outer(m, n, ins, a, data[j..].as_ptr(), Steps::Even(ld), c, ld, start) };
                    });
                }
            }
            self.write(rows, sums);
        });
    }

    /// The transformed tiles of some rows, (place, in channel, tile).
    fn read(&self, rows: Range<usize>, data: &mut [T]) {
        let (g, across) = (self.g, self.tiles.across);
        let ([_, ih, iw], blocks) = (g.input, across.div_ceil(BLOCK));
        let (top, left, len) = (g.pad[1], g.pad[2], 2 * BLOCK * blocks + 2);
        let mut lines = vec![T::ZERO; 4 * len];
        let inside = left.min(len)..(left + iw).min(len);
        for (r, row) in rows.enumerate() {
            let (sample, first) = (row / self.tiles.down, 2 * (row % self.tiles.down));
            for c in 0..g.in_channels {
                let plane = &self.x[(sample * g.in_channels + c) * ih * iw..][..ih * iw];
                for (i, line) in lines.chunks_exact_mut(len).enumerate() {
                    let line = &mut line[inside.clone()];
                    match (first + i).checked_sub(top).filter(|at| *at < ih) {
                        Some(at) => line.copy_from_slice(&plane[at * iw..][..line.len()]),
                        None => line.fill(T::ZERO),
                    }
                }
                // What a row writes behind its last tile, the next row writes anew.
                let out = &mut data[c * self.ld + r * across..];
                tiles_of_row(&lines, len, blocks, out, self.step(g.in_channels));
            }
        }
    }

    /// Transforms the sums, (place, out channel, tile), to the rows of the output.
    fn write(&self, rows: Range<usize>, sums: &[T]) {
        let (g, across) = (self.g, self.tiles.across);
        let [_, oh, ow] = g.output;
        let cols = (rows.len() * across).next_multiple_of(BLOCK);
        let mut four = vec![T::ZERO; 4 * cols];
        for o in 0..g.out_channels {
            let bias = self.bias.map_or(T::ZERO, |b| b[o]);
            results(&sums[o * self.ld..], self.step(g.out_channels), cols, bias, &mut four);
            for (r, row) in rows.clone().enumerate() {
                let (sample, first) = (row / self.tiles.down, 2 * (row % self.tiles.down));
                for (half, at) in (first..(first + 2).min(oh)).enumerate() {
                    let left = &four[2 * half * cols + r * across..][..across];
                    let right = &four[(2 * half + 1) * cols + r * across..][..across];
                    // SAFETY: each row of the output belongs to one row of tiles, and so to one piece.
                    let y = unsafe { self.y.slice(((sample * g.out_channels + o) * oh + at) * ow, ow) };
                    interleave(left, right, y);
                }
            }
        }
    }
}
