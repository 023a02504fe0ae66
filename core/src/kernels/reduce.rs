//! Reductions along axes, and the positions of extremes.
//!
//! Sums are taken over blocks whose borders depend on the shape alone; the blocks' results are joined as a tree.
//! Half-precision numbers accumulate in `f32`, integers in wrapping `i64`. Maximum and minimum are NaN if an element
//! is. A reduction over nothing gives the start value: 0, 1, or an infinity.

mod arg;
mod fold;

pub use arg::{Extreme, arg_extreme};
pub use fold::{Accumulator, ReduceElement};

use super::Shared;
use crate::parallel::for_each_range;
use fold::{fold_row, fold_rows, tree};
use smallvec::SmallVec;

/// What a reduction computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Sum.
    Sum,
    /// Product.
    Prod,
    /// Largest element.
    Max,
    /// Smallest element.
    Min,
    /// Sum of what is not NaN.
    NanSum,
    /// Product of what is not NaN.
    NanProd,
    /// Sum of squares.
    SumSquares,
    /// Sum of absolute values.
    SumAbs,
}

impl Reduction {
    /// How results of this reduction are reduced further.
    fn again(self) -> Reduction {
        match self {
            Reduction::NanSum | Reduction::SumSquares | Reduction::SumAbs => Reduction::Sum,
            Reduction::NanProd => Reduction::Prod,
            other => other,
        }
    }
}

/// Elements of a contiguous row that are folded together.
const ROW_BLOCK: usize = 4096;
/// Columns that are folded together where the axis is not the last.
const COLUMNS: usize = 1024;
/// Elements below which a piece is not worth a thread.
const GRAIN: usize = 1 << 15;

/// Reduces the axes of `src`, of sizes `dims`, that `mask` marks, into `dst`, which has the other axes in order.
pub fn reduce<T: ReduceElement>(op: Reduction, src: &[T], dims: &[usize], mask: &[bool], dst: &mut [T]) {
    let result = reduce_wide(op, src, dims, mask);
    debug_assert_eq!(result.len(), dst.len());
    for (d, r) in dst.iter_mut().zip(result) {
        *d = T::narrow(r);
    }
}

/// [`reduce`] with the results as they were accumulated, for what comes after it: a mean, a root, another dtype.
pub fn reduce_wide<T: ReduceElement>(op: Reduction, src: &[T], dims: &[usize], mask: &[bool]) -> Vec<T::Acc> {
    debug_assert!(dims.len() == mask.len() && src.len() == dims.iter().product::<usize>());
    // Neighbouring axes that are both kept or both reduced count as one.
    let mut axes: SmallVec<[(usize, bool); 8]> = SmallVec::new();
    for (&d, &m) in dims.iter().zip(mask).filter(|(d, _)| **d != 1) {
        match axes.last_mut() {
            Some((size, reduced)) if *reduced == m => *size *= d,
            _ => axes.push((d, m)),
        }
    }
    let size = |axes: &[(usize, bool)]| axes.iter().map(|a| a.0).product::<usize>();
    // The last reduced axis goes first: it reads most and leaves least.
    let Some(last) = axes.iter().rposition(|a| a.1) else {
        return reduce_axis(op, src, (src.len(), 1, 1));
    };
    let mut result = reduce_axis(op, src, (size(&axes[..last]), axes[last].0, size(&axes[last + 1..])));
    axes.remove(last);
    while let Some(last) = axes.iter().rposition(|a| a.1) {
        let around = (size(&axes[..last]), axes[last].0, size(&axes[last + 1..]));
        result = reduce_axis(op.again(), &result, around);
        axes.remove(last);
    }
    result
}

/// Reduces the middle of an array seen as (outer, axis, inner).
pub fn reduce_axis<T: ReduceElement>(op: Reduction, src: &[T], around: (usize, usize, usize)) -> Vec<T::Acc> {
    let (outer, axis, inner) = around;
    debug_assert_eq!(src.len(), outer * axis * inner);
    let start = T::Acc::start(op);
    if src.is_empty() {
        return vec![start; outer * inner];
    }
    if inner == 1 { rows(op, src, outer, axis, start) } else { columns(op, src, around, start) }
}

fn rows<T: ReduceElement>(op: Reduction, src: &[T], outer: usize, axis: usize, start: T::Acc) -> Vec<T::Acc> {
    let blocks = axis.div_ceil(ROW_BLOCK);
    let mut partial = vec![start; outer * blocks];
    let out = Shared::new(&mut partial);
    for_each_range(outer * blocks, GRAIN.div_ceil(axis.min(ROW_BLOCK)), |range| {
        let mut buffer = T::buffer(ROW_BLOCK);
        for task in range {
            let from = task / blocks * axis + task % blocks * ROW_BLOCK;
            let len = ROW_BLOCK.min(axis - task % blocks * ROW_BLOCK);
            let row = T::widen(&src[from..from + len], &mut buffer);
            // SAFETY: each task writes its own element.
            unsafe { *out.at(task) = fold_row(op, row) };
        }
    });
    if blocks == 1 {
        return partial;
    }
    partial.chunks_exact_mut(blocks).map(|row| tree(op.again(), row)).collect()
}

fn columns<T: ReduceElement>(
    op: Reduction,
    src: &[T],
    (outer, axis, inner): (usize, usize, usize),
    start: T::Acc,
) -> Vec<T::Acc> {
    let width = inner.min(COLUMNS);
    let per_block = ((1 << 16) / width).clamp(64, 4096);
    let (blocks, strips) = (axis.div_ceil(per_block), inner.div_ceil(COLUMNS));
    // Narrow rows are folded several at a time.
    let fused = if inner < 32 { 64 / inner } else { 1 };
    let mut partial = vec![start; outer * blocks * inner];
    let out = Shared::new(&mut partial);
    let work = per_block.min(axis) * width;
    for_each_range(outer * blocks * strips, GRAIN.div_ceil(work), |range| {
        let mut buffer = T::buffer(COLUMNS);
        let mut wide = [start; 64];
        for task in range {
            let (o, b, strip) = (task / (blocks * strips), task / strips % blocks, task % strips);
            let (first, end) = (b * per_block, ((b + 1) * per_block).min(axis));
            let at = |a: usize| (o * axis + a) * inner + strip * COLUMNS;
            let len = COLUMNS.min(inner - strip * COLUMNS);
            // SAFETY: each task has its own columns of its own block.
            let acc = unsafe { out.slice((o * blocks + b) * inner + strip * COLUMNS, len) };
            let mut a = first;
            if fused > 1 {
                let wide = &mut wide[..fused * inner];
                wide.fill(start);
                while a + fused <= end {
                    fold_rows(op, wide, T::widen(&src[at(a)..][..wide.len()], &mut buffer));
                    a += fused;
                }
                for part in wide.chunks_exact(inner) {
                    fold_rows(op.again(), acc, part);
                }
            }
            for a in a..end {
                fold_rows(op, acc, T::widen(&src[at(a)..][..len], &mut buffer));
            }
        }
    });
    if blocks == 1 {
        return partial;
    }
    let mut result = vec![start; outer * inner];
    for (result, partial) in result.chunks_exact_mut(inner).zip(partial.chunks_exact(blocks * inner)) {
        for block in partial.chunks_exact(inner) {
            fold_rows(op.again(), result, block);
        }
    }
    result
}

#[cfg(test)]
mod tests;
