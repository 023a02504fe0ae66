//! Positions of extremes.

use crate::dtype::Element;
use crate::kernels::Shared;
use crate::parallel::for_each_range;

/// Which extreme is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extreme {
    /// The largest element.
    Max,
    /// The smallest element.
    Min,
}

/// Columns that are handled together.
const COLUMNS: usize = 256;

/// Writes the position along the axis of the first extreme element to `dst`, of sizes (outer, inner), for `src` seen
/// as (outer, axis, inner) with an axis that is not empty. A NaN counts as the extreme.
pub fn arg_extreme<T: Element>(
    which: Extreme,
    src: &[T],
    (outer, axis, inner): (usize, usize, usize),
    dst: &mut [i64],
) {
    debug_assert!(src.len() == outer * axis * inner && dst.len() == outer * inner);
    if src.is_empty() {
        return;
    }
    let out = Shared::new(dst);
    let strips = inner.div_ceil(COLUMNS);
    for_each_range(outer * strips, (1usize << 14).div_ceil(axis * inner.min(COLUMNS)), |range| {
        for task in range {
            let (o, column) = (task / strips, task % strips * COLUMNS);
            let width = COLUMNS.min(inner - column);
            // SAFETY: each task has its own columns.
            let out = unsafe { out.slice(o * inner + column, width) };
            let from = &src[o * axis * inner + column..];
            match which {
                Extreme::Max => scan(from, axis, inner, out, |x, best| x > best),
                Extreme::Min => scan(from, axis, inner, out, |x, best| x < best),
            }
        }
    });
}

#[inline(always)]
fn scan<T: Element>(src: &[T], axis: usize, inner: usize, out: &mut [i64], better: impl Fn(T, T) -> bool) {
    let mut best = [src[0]; COLUMNS];
    best[..out.len()].copy_from_slice(&src[..out.len()]);
    out.fill(0);
    for a in 1..axis {
        for ((o, b), x) in out.iter_mut().zip(&mut best).zip(&src[a * inner..]) {
            // A NaN, which differs from itself, wins against all but an earlier one.
            #[allow(clippy::eq_op)]
            if better(*x, *b) || (x != x && *b == *b) {
                *b = *x;
                *o = a as i64;
            }
        }
    }
}
