//! Gathering by indices, and its opposite, scattering with addition.
//!
//! Indices come checked, as positions. Elements that are only moved go by their size: `u8`, `u16`, `u32`, `u64`.
//! Sums are taken in the order of the indices, in the accumulator of the dtype, whatever the number of threads.

use super::Shared;
use super::reduce::{Accumulator, ReduceElement};
use crate::parallel::for_each_range;

/// An index that stands for nothing: it gathers nothing and what is scattered to it is dropped.
pub const NOWHERE: usize = usize::MAX;

/// Elements below which a piece is not worth a thread.
const GRAIN: usize = 1 << 14;

/// `dst[o, j, ..] = src[o, index[j], ..]` for arrays seen as (outer, axis, inner); places with index [`NOWHERE`] are
/// left as they are.
pub fn gather<T: Copy + Send + Sync>(
    src: &[T],
    (outer, axis, inner): (usize, usize, usize),
    index: &[usize],
    dst: &mut [T],
) {
    let n = index.len();
    assert!(src.len() == outer * axis * inner && dst.len() == outer * n * inner);
    assert!(index.iter().all(|i| *i < axis || *i == NOWHERE), "an index lies outside the axis");
    let dst = Shared::new(dst);
    for_each_range(outer * n, GRAIN.div_ceil(inner.max(1)), |range| {
        for row in range {
            let (o, j) = (row / n, row % n);
            if index[j] != NOWHERE {
                let from = (o * axis + index[j]) * inner;
                // SAFETY: each row of the destination belongs to one piece.
                unsafe { dst.slice(row * inner, inner) }.copy_from_slice(&src[from..from + inner]);
            }
        }
    });
}

/// Writes `dst[o, i, ..]`, the sum of `src[o, j, ..]` over all `j` with `index[j] == i`.
pub fn scatter_add<T: ReduceElement>(
    src: &[T],
    (outer, axis, inner): (usize, usize, usize),
    index: &[usize],
    dst: &mut [T],
) {
    let n = index.len();
    assert!(src.len() == outer * n * inner && dst.len() == outer * axis * inner);
    let (starts, order) = group(index, axis);
    let dst = Shared::new(dst);
    let work = (outer * n * inner).div_ceil((outer * axis).max(1)) + inner;
    for_each_range(outer * axis, GRAIN.div_ceil(work.max(1)), |range| {
        let mut sums = vec![T::Acc::ZERO; inner];
        let mut buffer = T::buffer(inner);
        for row in range {
            let (o, i) = (row / axis, row % axis);
            // SAFETY: each row of the destination belongs to one piece.
            let to = unsafe { dst.slice(row * inner, inner) };
            match &order[starts[i]..starts[i + 1]] {
                [] => to.fill(T::narrow(T::Acc::ZERO)),
                [j] => to.copy_from_slice(&src[(o * n + j) * inner..][..inner]),
                many => {
                    sums.fill(T::Acc::ZERO);
                    for j in many {
                        let from = T::widen(&src[(o * n + j) * inner..][..inner], &mut buffer);
                        sums.iter_mut().zip(from).for_each(|(s, f)| *s = s.plus(*f));
                    }
                    to.iter_mut().zip(&sums).for_each(|(t, s)| *t = T::narrow(*s));
                }
            }
        }
    });
}

/// For each position of an axis where its part of the list begins, and the list: the places of `index` that hold it.
fn group(index: &[usize], axis: usize) -> (Vec<usize>, Vec<usize>) {
    let mut starts = vec![0; axis + 1];
    for i in index.iter().filter(|i| **i != NOWHERE) {
        starts[i + 1] += 1;
    }
    for i in 0..axis {
        starts[i + 1] += starts[i];
    }
    let mut next = starts.clone();
    let mut order = vec![0; starts[axis]];
    for (j, i) in index.iter().enumerate().filter(|(_, i)| **i != NOWHERE) {
        order[next[*i]] = j;
        next[*i] += 1;
    }
    (starts, order)
}

/// `dst[o, j, i] = src[o, index[o, j, i], i]`, with `n` places along the axis of `index` and `dst`.
pub fn gather_along<T: Copy + Send + Sync>(
    src: &[T],
    (outer, axis, inner): (usize, usize, usize),
    n: usize,
    index: &[usize],
    dst: &mut [T],
) {
    assert!(src.len() == outer * axis * inner && dst.len() == outer * n * inner && dst.len() == index.len());
    let dst = Shared::new(dst);
    for_each_range(index.len(), GRAIN, |range| {
        for at in range {
            let (o, i) = (at / inner / n, at % inner);
            assert!(index[at] < axis, "an index lies outside the axis");
            // SAFETY: each place belongs to one piece.
            unsafe { *dst.at(at) = src[(o * axis + index[at]) * inner + i] };
        }
    });
}

/// Writes `dst[o, a, i]`, the sum of `src[o, j, i]` over all `j` with `index[o, j, i] == a`.
pub fn scatter_add_along<T: ReduceElement>(
    src: &[T],
    (outer, axis, inner): (usize, usize, usize),
    n: usize,
    index: &[usize],
    dst: &mut [T],
) {
    assert!(dst.len() == outer * axis * inner && src.len() == outer * n * inner && src.len() == index.len());
    let dst = Shared::new(dst);
    let block = axis * inner;
    for_each_range(outer, GRAIN.div_ceil(block.max(1)), |range| {
        let mut sums = vec![T::Acc::ZERO; block];
        let mut buffer = T::buffer(n * inner);
        for o in range {
            sums.fill(T::Acc::ZERO);
            let places = o * n * inner..(o + 1) * n * inner;
            let from = T::widen(&src[places.clone()], &mut buffer);
            for (at, (v, a)) in from.iter().zip(&index[places]).enumerate() {
                let sum = &mut sums[a * inner + at % inner];
                *sum = sum.plus(*v);
            }
            // SAFETY: each block belongs to one piece.
            let to = unsafe { dst.slice(o * block, block) };
            to.iter_mut().zip(&sums).for_each(|(t, s)| *t = T::narrow(*s));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Random, assert_close};

    #[test]
    fn scattering_is_the_transpose_of_gathering() {
        let mut r = Random(3);
        for _ in 0..100 {
            let around = (r.size(0, 3), r.size(1, 6), r.size(0, 4));
            let index: Vec<usize> = (0..r.size(0, 9))
                .map(|_| if r.size(0, 5) == 0 { NOWHERE } else { r.size(0, around.1 - 1) })
                .collect();
            let x: Vec<f64> = r.vec(around.0 * around.1 * around.2, 1.0);
            let y: Vec<f64> = r.vec(around.0 * index.len() * around.2, 1.0);
            let (mut gathered, mut scattered) = (vec![0.0; y.len()], vec![7.0; x.len()]);
            gather(&x, around, &index, &mut gathered);
            scatter_add(&y, around, &index, &mut scattered);
            let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            assert_close(&[product(&gathered, &y)], &[product(&x, &scattered)], 1e-12, "inner products");
        }
    }

    #[test]
    fn indices_along_an_axis_differ_by_place() {
        let (x, index) = ([1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 0, 1, 1]);
        let mut out = [0.0; 4];
        gather_along(&x, (1, 3, 2), 2, &index, &mut out);
        assert_eq!(out, [5.0, 2.0, 3.0, 4.0]);
        let mut back = [9.0f32; 6];
        scatter_add_along(&out, (1, 3, 2), 2, &index, &mut back);
        assert_eq!(back, [0.0, 2.0, 3.0, 4.0, 5.0, 0.0]);
    }

    #[test]
    fn half_precision_sums_are_rounded_once() {
        let ones = vec![half::f16::from_f32(1.0); 4096];
        let mut out = [half::f16::ZERO];
        scatter_add(&ones, (1, 1, 1), &vec![0; 4096], &mut out);
        assert_eq!(out[0].to_f32(), 4096.0);
    }
}
