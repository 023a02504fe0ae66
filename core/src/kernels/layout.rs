//! Rearrangement of elements: transposition of contiguous arrays, and iteration over broadcast operands.

use super::Shared;
use crate::parallel::for_each_range;
use smallvec::SmallVec;
use std::ops::Range;

type Dims = SmallVec<[usize; 8]>;

/// Elements below which a piece is not worth a thread.
const GRAIN: usize = 1 << 15;
/// Side of the blocks in which a plane is transposed.
const BLOCK: usize = 16;

/// Writes the contiguous array `src` of sizes `dims` to `dst` with its axes in the order `perm`: axis `i` of `dst`
/// is axis `perm[i]` of `src`.
///
/// Only the element's size matters: use `u8`, `u16`, `u32` and `u64` for all types of these sizes.
pub fn transpose<T: Copy + Send + Sync>(src: &[T], dims: &[usize], perm: &[usize], dst: &mut [T]) {
    debug_assert_eq!(dims.len(), perm.len());
    debug_assert_eq!(src.len(), dims.iter().product::<usize>());
    debug_assert_eq!(src.len(), dst.len());
    if src.is_empty() {
        return;
    }
    let (out, strides) = collapse(dims, perm);
    let n = out.len();
    if n == 0 || (n == 1 && strides[0] == 1) {
        return dst.copy_from_slice(src);
    }
    if strides[n - 1] == 1 {
        copy_rows(src, &out, &strides, dst);
    } else {
        planes(src, &out, &strides, dst);
    }
}

/// Sizes of the result and the source's strides along them, with axes of size 1 dropped and axes joined that stay
/// neighbours.
fn collapse(dims: &[usize], perm: &[usize]) -> (Dims, Dims) {
    let mut stride: Dims = SmallVec::from_elem(1, dims.len());
    for i in (1..dims.len()).rev() {
        stride[i - 1] = stride[i] * dims[i];
    }
    let (mut out, mut strides) = (Dims::new(), Dims::new());
    for &p in perm.iter().filter(|p| dims[**p] != 1) {
        match strides.last_mut() {
            Some(last) if *last == stride[p] * dims[p] => {
                *last = stride[p];
                *out.last_mut().expect("sizes and strides have equal lengths") *= dims[p];
            }
            _ => {
                out.push(dims[p]);
                strides.push(stride[p]);
            }
        }
    }
    (out, strides)
}

/// Offset in the source of the position `flat` in row-major order over `dims`.
fn offset(mut flat: usize, dims: &[usize], strides: &[usize]) -> usize {
    let mut at = 0;
    for (d, s) in dims.iter().zip(strides).rev() {
        at += flat % d * s;
        flat /= d;
    }
    at
}

/// The last axis stays last: copies runs.
fn copy_rows<T: Copy + Send + Sync>(src: &[T], dims: &[usize], strides: &[usize], dst: &mut [T]) {
    let n = dims.len() - 1;
    let len = dims[n];
    let rows = dst.len() / len;
    let dst = Shared::new(dst);
    for_each_range(rows, GRAIN.div_ceil(len), |range| {
        for r in range {
            let at = offset(r, &dims[..n], &strides[..n]);
            // SAFETY: each row belongs to one piece.
            let row = unsafe { dst.slice(r * len, len) };
            row.copy_from_slice(&src[at..at + len]);
        }
    });
}

/// Another axis of the source becomes the last: transposes the planes that it spans with the source's last axis.
fn planes<T: Copy + Send + Sync>(src: &[T], dims: &[usize], strides: &[usize], dst: &mut [T]) {
    let n = dims.len() - 1;
    let unit = strides.iter().position(|s| *s == 1).expect("some axis is the source's last");
    // A plane is `rows` x `cols` in the source, with `lds` between its rows, and turned in the destination.
    let (rows, cols, lds) = (dims[n], dims[unit], strides[n]);
    let ldd: usize = dims[unit + 1..].iter().product();
    let mut outer: Dims = dims.into();
    outer[unit] = 1;
    outer.truncate(n);
    let mut out_strides: Dims = SmallVec::from_elem(1, n);
    for i in (0..n).rev() {
        out_strides[i] = dims[i + 1..].iter().product();
    }
    let count: usize = outer.iter().product();
    let strips = cols.div_ceil(BLOCK);
    let dst = Shared::new(dst);
    for_each_range(count * strips, GRAIN.div_ceil(rows * BLOCK), |range| {
        for task in range {
            let (plane, strip) = (task / strips, task % strips);
            let from = offset(plane, &outer, &strides[..n]);
            let to = offset(plane, &outer, &out_strides);
            let c = strip * BLOCK..(strip * BLOCK + BLOCK).min(cols);
            for r in (0..rows).step_by(BLOCK) {
                let r = r..(r + BLOCK).min(rows);
                debug_assert!(from + (r.end - 1) * lds + c.end <= src.len());
                // SAFETY: the block lies in this plane of source and destination; strips of planes do not overlap.
                unsafe { block(src.as_ptr().add(from), lds, dst.at(to), ldd, r, c.clone()) };
            }
        }
    });
}

/// Transposes one block of a plane: `dst[c * ldd + r] = src[r * lds + c]`.
///
/// # Safety
/// All these places lie inside their arrays, and nobody else uses those of `dst`.
#[inline(always)]
unsafe fn block<T: Copy>(
    src: *const T,
    lds: usize,
    dst: *mut T,
    ldd: usize,
    rows: Range<usize>,
    cols: Range<usize>,
) {
    // SAFETY: the caller's contract.
    unsafe {
        if rows.len() == BLOCK && cols.len() == BLOCK {
            let mut tile = [[*src.add(rows.start * lds + cols.start); BLOCK]; BLOCK];
            for (r, row) in tile.iter_mut().enumerate() {
                *row = src.add((rows.start + r) * lds + cols.start).cast::<[T; BLOCK]>().read();
            }
            for c in 0..BLOCK {
                let mut line = tile[0];
                for (l, row) in line.iter_mut().zip(&tile) {
                    *l = row[c];
                }
                dst.add((cols.start + c) * ldd + rows.start).cast::<[T; BLOCK]>().write(line);
            }
            return;
        }
        for c in cols {
            for r in rows.clone() {
                *dst.add(c * ldd + r) = *src.add(r * lds + c);
            }
        }
    }
}

/// How `N` contiguous operands of various shapes run along a broadcast result.
///
/// Axes that behave alike in every operand are joined, so that the innermost run is as long as can be; along it
/// each operand stands still (stride 0) or moves by one (stride 1).
///
/// ```
/// use mxr_core::kernels::layout::BroadcastPlan;
/// let plan = BroadcastPlan::new(&[2, 3], [&[2, 3], &[3]]);
/// let (a, b) = ([1, 2, 3, 4, 5, 6], [10, 20, 30]);
/// let mut out = [0; 6];
/// assert_eq!(plan.inner_strides(), [1, 1]);
/// plan.for_each_run(0..plan.runs(), |at, [i, j]| {
///     for k in 0..plan.run_len() {
///         out[at + k] = a[i + k] + b[j + k];
///     }
/// });
/// assert_eq!(out, [11, 22, 33, 14, 25, 36]);
/// ```
#[derive(Clone, Debug)]
pub struct BroadcastPlan<const N: usize> {
    /// Sizes of the joined axes, the innermost not among them.
    outer: Dims,
    /// Strides of the operands along `outer`.
    strides: SmallVec<[[usize; N]; 8]>,
    inner: usize,
    inner_strides: [usize; N],
}

impl<const N: usize> BroadcastPlan<N> {
    /// The plan for a result of sizes `out` and operands of sizes `shapes`, aligned at the last axis, each of which
    /// is the result's or 1.
    pub fn new(out: &[usize], shapes: [&[usize]; N]) -> Self {
        let mut dims = Dims::new();
        let mut strides: SmallVec<[[usize; N]; 8]> = SmallVec::new();
        let mut step = [1; N];
        // From the last axis to the first, joining an axis to the one after it where every operand allows.
        for (back, &d) in out.iter().rev().enumerate() {
            let mut s = [0; N];
            for (i, shape) in shapes.iter().enumerate() {
                let size = if back < shape.len() { shape[shape.len() - 1 - back] } else { 1 };
                debug_assert!(
                    size == d || size == 1,
                    "an operand's axis of {size} does not broadcast to {d}"
                );
                s[i] = if size == 1 { 0 } else { step[i] };
                step[i] *= size;
            }
            if d == 1 {
                continue;
            }
            match (dims.last_mut(), strides.last()) {
                (Some(last), Some(t)) if (0..N).all(|i| s[i] == t[i] * *last) => *last *= d,
                _ => {
                    dims.push(d);
                    strides.push(s);
                }
            }
        }
        let (inner, inner_strides) =
            if dims.is_empty() { (1, [1; N]) } else { (dims.remove(0), strides.remove(0)) };
        dims.reverse();
        strides.reverse();
        BroadcastPlan { outer: dims, strides, inner, inner_strides }
    }

    /// Elements per run.
    pub fn run_len(&self) -> usize {
        self.inner
    }

    /// Number of runs; run `r` of the result starts at element `r * run_len()`.
    pub fn runs(&self) -> usize {
        self.outer.iter().product()
    }

    /// What each operand moves by along a run: 0 or 1.
    pub fn inner_strides(&self) -> [usize; N] {
        self.inner_strides
    }

    /// Calls `f(start in the result, starts in the operands)` for some of the runs, in order.
    pub fn for_each_run(&self, runs: Range<usize>, mut f: impl FnMut(usize, [usize; N])) {
        if runs.is_empty() {
            return;
        }
        let n = self.outer.len();
        let mut index: Dims = SmallVec::from_elem(0, n);
        let mut at = [0; N];
        let mut rest = runs.start;
        for a in (0..n).rev() {
            index[a] = rest % self.outer[a];
            rest /= self.outer[a];
            for (at, s) in at.iter_mut().zip(&self.strides[a]) {
                *at += index[a] * s;
            }
        }
        for r in runs {
            f(r * self.inner, at);
            for a in (0..n).rev() {
                index[a] += 1;
                let wrapped = index[a] == self.outer[a];
                for (at, s) in at.iter_mut().zip(&self.strides[a]) {
                    *at = if wrapped { *at - s * (index[a] - 1) } else { *at + s };
                }
                if !wrapped {
                    break;
                }
                index[a] = 0;
            }
        }
    }

    /// Calls `f(start in the result, starts in the operands, length)` for pieces of runs that cover the result, in
    /// parallel where that pays.
    pub fn par_for_each_run(&self, f: impl Fn(usize, [usize; N], usize) + Sync) {
        let (runs, len) = (self.runs(), self.inner);
        if runs == 1 {
            return for_each_range(len, GRAIN, |range| {
                f(range.start, self.inner_strides.map(|s| s * range.start), range.len());
            });
        }
        if len > 0 {
            for_each_range(runs, GRAIN.div_ceil(len), |range| {
                self.for_each_run(range, |at, starts| f(at, starts, len));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::Random;
    use std::sync::Mutex;

    fn naive<T: Copy>(src: &[T], dims: &[usize], perm: &[usize]) -> Vec<T> {
        let mut strides = vec![1; dims.len()];
        for i in (1..dims.len()).rev() {
            strides[i - 1] = strides[i] * dims[i];
        }
        let out: Vec<usize> = perm.iter().map(|p| dims[*p]).collect();
        let by: Vec<usize> = perm.iter().map(|p| strides[*p]).collect();
        (0..src.len()).map(|i| src[offset(i, &out, &by)]).collect()
    }

    #[test]
    fn every_permutation_moves_each_element_to_its_place() {
        let mut r = Random(5);
        for _ in 0..400 {
            let n = r.size(0, 5);
            let most = [1, 3000, 90, 20, 9, 6][n];
            let dims: Vec<usize> = (0..n).map(|_| r.size(usize::from(r.0 % 9 != 0), most)).collect();
            let mut perm: Vec<usize> = (0..n).collect();
            for i in (1..n).rev() {
                perm.swap(i, r.size(0, i));
            }
            let len = dims.iter().product();
            let src: Vec<u64> = (0..len as u64).collect();
            let mut dst = vec![0; len];
            transpose(&src, &dims, &perm, &mut dst);
            assert_eq!(dst, naive(&src, &dims, &perm), "{dims:?} {perm:?}");
            let bytes: Vec<u8> = src.iter().map(|x| *x as u8).collect();
            let mut out = vec![0; len];
            transpose(&bytes, &dims, &perm, &mut out);
            assert_eq!(out, naive(&bytes, &dims, &perm), "{dims:?} {perm:?}");
        }
    }

    #[test]
    fn large_planes_are_transposed_in_parallel() {
        let (a, b) = (700, 333);
        let src: Vec<u32> = (0..a * b).map(|i| i as u32).collect();
        let mut dst = vec![0; src.len()];
        transpose(&src, &[a, b], &[1, 0], &mut dst);
        assert_eq!(dst, naive(&src, &[a, b], &[1, 0]));
    }

    #[test]
    fn broadcast_runs_reach_every_element_once_with_the_right_operands() {
        let mut r = Random(6);
        for _ in 0..300 {
            let n = r.size(0, 5);
            let out: Vec<usize> = (0..n).map(|_| r.size(usize::from(r.0 % 11 != 0), 5)).collect();
            let shapes: Vec<Vec<usize>> = (0..3)
                .map(|_| {
                    let skip = r.size(0, n);
                    out[skip..].iter().map(|d| if r.size(0, 2) == 0 { 1 } else { *d }).collect()
                })
                .collect();
            let plan = BroadcastPlan::new(&out, [&shapes[0][..], &shapes[1][..], &shapes[2][..]]);
            let len = out.iter().product::<usize>();
            let seen = Mutex::new(vec![None; len]);
            let put = |at: usize, starts: [usize; 3], n: usize| {
                for k in 0..n {
                    let s = plan.inner_strides();
                    let old = seen.lock().unwrap()[at + k].replace([0, 1, 2].map(|i| starts[i] + k * s[i]));
                    assert!(old.is_none());
                }
            };
            plan.par_for_each_run(put);
            for (flat, got) in seen.into_inner().unwrap().into_iter().enumerate() {
                let want = [0, 1, 2].map(|i| {
                    let (mut rest, mut at, mut step) = (flat, 0, 1);
                    for (back, d) in out.iter().rev().enumerate() {
                        let shape = &shapes[i];
                        let size = if back < shape.len() { shape[shape.len() - 1 - back] } else { 1 };
                        at += if size == 1 { 0 } else { rest % d * step };
                        step *= size;
                        rest /= d;
                    }
                    at
                });
                assert_eq!(got, Some(want), "{out:?} {shapes:?}");
            }
        }
    }
}
