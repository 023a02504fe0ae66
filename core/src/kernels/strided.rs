//! Copies between strided views: slices, repetitions, diagonals, concatenation.
//!
//! Only the element's size matters: use `u8`, `u16`, `u32` and `u64` for all types of these sizes.

use super::Shared;
use crate::parallel::for_each_range;
use smallvec::SmallVec;
use std::ops::Range;

/// Elements below which a piece is not worth a thread.
const GRAIN: usize = 1 << 15;

/// Where a view lies in its array: its first element, and the distance between neighbours along each axis, which
/// may be negative, or 0 where a source repeats.
pub type Place<'a> = (usize, &'a [isize]);

/// One axis: size, step in the source, step in the destination.
type Axis = (usize, isize, isize);

/// Copies a view of `src` to a view of `dst`, both of sizes `dims`.
///
/// # Panics
/// If a view leaves its array, or two places of the destination are the same.
pub fn copy<T: Copy + Send + Sync>(dims: &[usize], src: &[T], from: Place, dst: &mut [T], to: Place) {
    if dims.contains(&0) {
        return;
    }
    assert!(inside(dims, from, src.len()), "the source's view leaves its array");
    assert!(inside(dims, to, dst.len()), "the destination's view leaves its array");
    assert!(distinct(dims, to.1), "the destination's places are not distinct");
    let mut axes = collapse(dims, from.1, to.1);
    let inner = axes.pop().unwrap_or((1, 1, 1));
    let runs: usize = axes.iter().map(|a| a.0).product();
    let (from, to) = (from.0 as isize, to.0 as isize);
    let dst = Shared::new(dst);
    let put = |s: isize, d: isize, len: usize| {
        // SAFETY: both views lie inside their arrays, and no two places of the destination are the same.
        unsafe { run(src.as_ptr().offset(s), inner.1, dst.at(d as usize), inner.2, len) }
    };
    if runs == 1 {
        return for_each_range(inner.0, GRAIN, |r| {
            let at = r.start as isize;
            put(from + at * inner.1, to + at * inner.2, r.len());
        });
    }
    for_each_range(runs, GRAIN.div_ceil(inner.0), |range| {
        walk(&axes, range, |s, d| put(from + s, to + d, inner.0));
    });
}

/// Writes `value` to a view of `dst`.
///
/// # Panics
/// As [`copy`].
pub fn fill<T: Copy + Send + Sync>(dims: &[usize], value: T, dst: &mut [T], to: Place) {
    let still: SmallVec<[isize; 8]> = SmallVec::from_elem(0, dims.len());
    copy(dims, &[value], (0, &still), dst, to);
}

/// Distances between neighbours of a contiguous array.
pub fn steps(dims: &[usize]) -> SmallVec<[isize; 8]> {
    let mut steps: SmallVec<[isize; 8]> = SmallVec::from_elem(1, dims.len());
    for i in (1..dims.len()).rev() {
        steps[i - 1] = steps[i] * dims[i] as isize;
    }
    steps
}

fn inside(dims: &[usize], (start, steps): Place, len: usize) -> bool {
    assert_eq!(dims.len(), steps.len());
    let (mut low, mut high) = (start as isize, start as isize);
    for (d, s) in dims.iter().zip(steps) {
        let span = (*d as isize - 1) * s;
        if span < 0 { low += span } else { high += span }
    }
    low >= 0 && high < len as isize
}

/// True if each axis steps over all that the axes with smaller steps reach.
fn distinct(dims: &[usize], steps: &[isize]) -> bool {
    let mut axes: SmallVec<[(isize, isize); 8]> =
        dims.iter().zip(steps).filter(|(d, _)| **d > 1).map(|(d, s)| (s.abs(), *d as isize - 1)).collect();
    axes.sort_unstable();
    let mut reach = 0;
    axes.iter().all(|(step, more)| {
        let apart = *step > reach;
        reach += step * more;
        apart
    })
}

/// The axes without those of size 1, and with neighbours joined that both views run through as one.
fn collapse(dims: &[usize], from: &[isize], to: &[isize]) -> SmallVec<[Axis; 8]> {
    let mut axes: SmallVec<[Axis; 8]> = SmallVec::new();
    for ((&d, &s), &t) in dims.iter().zip(from).zip(to).filter(|((d, _), _)| **d != 1) {
        match axes.last_mut() {
            Some(a) if a.1 == s * d as isize && a.2 == t * d as isize => *a = (a.0 * d, s, t),
            _ => axes.push((d, s, t)),
        }
    }
    axes
}

/// Calls `f` with the offsets in source and destination of some of the positions along `axes`, in order.
fn walk(axes: &[Axis], positions: Range<usize>, mut f: impl FnMut(isize, isize)) {
    let mut index: SmallVec<[usize; 8]> = SmallVec::from_elem(0, axes.len());
    let (mut s, mut d, mut rest) = (0, 0, positions.start);
    for (i, a) in index.iter_mut().zip(axes).rev() {
        *i = rest % a.0;
        rest /= a.0;
        s += *i as isize * a.1;
        d += *i as isize * a.2;
    }
    for _ in positions {
        f(s, d);
        for (i, a) in index.iter_mut().zip(axes).rev() {
            *i += 1;
            s += a.1;
            d += a.2;
            if *i < a.0 {
                break;
            }
            *i = 0;
            s -= a.0 as isize * a.1;
            d -= a.0 as isize * a.2;
        }
    }
}

/// Copies `len` elements with these steps.
///
/// # Safety
/// They may be read and written, and the destination does not overlap the source.
#[inline(always)]
unsafe fn run<T: Copy>(src: *const T, s: isize, dst: *mut T, d: isize, len: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        match (s, d) {
            (1, 1) => std::ptr::copy_nonoverlapping(src, dst, len),
            (0, 1) => std::slice::from_raw_parts_mut(dst.cast::<std::mem::MaybeUninit<T>>(), len)
                .fill(std::mem::MaybeUninit::new(*src)),
            _ => {
                for i in 0..len as isize {
                    *dst.offset(i * d) = *src.offset(i * s);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::Random;

    #[test]
    fn every_place_of_a_view_gets_its_element() {
        let mut r = Random(9);
        for _ in 0..300 {
            let n = r.size(0, 4);
            let big: Vec<usize> = (0..n).map(|_| r.size(1, 7)).collect();
            let dims: Vec<usize> = big.iter().map(|d| r.size(0, *d)).collect();
            let whole = steps(&big);
            let src: Vec<u32> = (0..big.iter().product::<usize>() as u32).collect();
            let mut from = 0;
            let mut by = whole.clone();
            for i in 0..n {
                match r.size(0, 2) {
                    0 => by[i] = 0,
                    1 => {
                        from += (big[i] - 1) * whole[i] as usize;
                        by[i] = -by[i];
                    }
                    _ => {}
                }
            }
            let mut dst = vec![u32::MAX; dims.iter().product()];
            copy(&dims, &src, (from, &by), &mut dst, (0, &steps(&dims)));
            for (flat, got) in dst.iter().enumerate() {
                let (mut rest, mut at) = (flat, from as isize);
                for i in (0..n).rev() {
                    at += (rest % dims[i]) as isize * by[i];
                    rest /= dims[i];
                }
                assert_eq!(*got, src[at as usize], "{dims:?} of {big:?} by {by:?}");
            }
        }
    }

    #[test]
    fn long_runs_and_many_runs_are_copied_in_parallel() {
        let src: Vec<u8> = (0..300_000).map(|i| i as u8).collect();
        let mut dst = vec![0; src.len()];
        copy(&[src.len()], &src, (0, &[1]), &mut dst, (0, &[1]));
        assert_eq!(src, dst);
        let mut turned = vec![0; src.len()];
        copy(&[500, 600], &src, (0, &[1, 500]), &mut turned, (0, &[600, 1]));
        assert!((0..src.len()).all(|i| turned[i] == src[i / 600 + i % 600 * 500]));
    }

    #[test]
    #[should_panic(expected = "distinct")]
    fn places_that_coincide_are_refused() {
        copy(&[2, 2], &[1u8; 4], (0, &[2, 1]), &mut [0u8; 4], (0, &[1, 1]));
    }
}
