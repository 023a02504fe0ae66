//! Sorting rows by value, stably, and the largest or smallest of a row. NaN comes last in either direction.

use super::Shared;
use crate::dtype::{DType, Element};
use crate::parallel::{for_each_range, num_threads, pool};
use rayon::slice::ParallelSliceMut;

/// Elements from which one row is sorted by several threads.
const PARALLEL: usize = 1 << 16;
/// Elements below which rows are not worth a thread.
const GRAIN: usize = 1 << 11;

/// For an array seen as (outer, axis, inner) writes to `order`, seen as (outer, k, inner), the places along the axis
/// of the `k` elements that come first in ascending or descending order. Equal elements keep their order.
pub fn order<T: Element>(
    src: &[T],
    (outer, axis, inner): (usize, usize, usize),
    k: usize,
    ascending: bool,
    order: &mut [i64],
) {
    assert!(k <= axis && src.len() == outer * axis * inner && order.len() == outer * k * inner);
    let out = Shared::new(order);
    let rows = outer * inner;
    let many = rows >= num_threads();
    for_each_range(rows, if many { GRAIN.div_ceil(axis.max(1)) } else { rows }, |range| {
        for row in range {
            let (o, i) = (row / inner, row % inner);
            let value = |j: usize| src[(o * axis + j) * inner + i];
            let put = |j: usize, place: u64| {
                // SAFETY: each row's places belong to one piece.
                unsafe { *out.at((o * k + j) * inner + i) = place as i64 };
            };
            if T::DTYPE.size() <= 4 && u32::try_from(axis).is_ok() {
                let pack = |j| key(value(j), ascending) << 32 | j as u64;
                first((0..axis).map(pack).collect(), k, !many)
                    .iter()
                    .enumerate()
                    .for_each(|(j, p)| put(j, p & 0xffff_ffff));
            } else {
                let pack = |j| u128::from(key(value(j), ascending)) << 64 | j as u128;
                first((0..axis).map(pack).collect(), k, !many)
                    .iter()
                    .enumerate()
                    .for_each(|(j, p)| put(j, *p as u64));
            }
        }
    });
}

/// The `k` smallest, in order.
fn first<P: Ord + Copy + Send>(mut row: Vec<P>, k: usize, parallel: bool) -> Vec<P> {
    if k < row.len() && k > 0 {
        row.select_nth_unstable(k - 1);
    }
    row.truncate(k);
    // No two are the same, so the order does not depend on the algorithm.
    if parallel && k >= PARALLEL && num_threads() > 1 {
        pool().install(|| row.par_sort_unstable());
    } else {
        row.sort_unstable();
    }
    row
}

/// A number that orders as the value does; below 2³² for dtypes of up to four bytes.
#[inline(always)]
fn key<T: Element>(v: T, ascending: bool) -> u64 {
    let wide = T::DTYPE.size() == 8;
    let most = if wide { u64::MAX } else { u64::from(u32::MAX) };
    let key = match T::DTYPE {
        DType::I64 => v.to_i64() as u64 ^ 1 << 63,
        DType::F64 => {
            // Adding zero makes the negative zero positive.
            let v = v.to_f64() + 0.0;
            if v.is_nan() {
                return most;
            }
            let bits = v.to_bits();
            if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
        }
        DType::F32 | DType::F16 | DType::BF16 => {
            let v = v.to_f64() as f32 + 0.0;
            if v.is_nan() {
                return most;
            }
            let bits = v.to_bits();
            u64::from(if bits >> 31 == 1 { !bits } else { bits | 1 << 31 })
        }
        _ => (v.to_i64() + (1 << 31)) as u64,
    };
    if ascending { key } else { most - key }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::Random;

    fn sorted<T: Element>(src: &[T], ascending: bool) -> Vec<usize> {
        let mut order: Vec<usize> = (0..src.len()).collect();
        order.sort_by(|a, b| {
            let (a, b) = (src[*a], src[*b]);
            let nan = |v: T| v.partial_cmp(&v).is_none();
            nan(a).cmp(&nan(b)).then_with(|| {
                let by = a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal);
                if ascending { by } else { by.reverse() }
            })
        });
        order
    }

    fn check<T: Element>(src: &[T]) {
        for ascending in [true, false] {
            for k in [0, 1, src.len() / 3, src.len()] {
                let mut got = vec![0; k];
                order(src, (1, src.len(), 1), k, ascending, &mut got);
                let want: Vec<i64> = sorted(src, ascending)[..k].iter().map(|i| *i as i64).collect();
                assert_eq!(got, want, "{:?} {ascending} {k}", T::DTYPE);
            }
        }
    }

    #[test]
    fn the_order_is_stable_with_nan_last() {
        let mut r = Random(1);
        let mut floats: Vec<f32> = (0..200).map(|_| r.size(0, 20) as f32 - 10.0).collect();
        floats.extend([f32::NAN, -0.0, 0.0, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN]);
        check(&floats);
        check(&floats.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
        check(&floats.iter().map(|v| half::bf16::from_f32(*v)).collect::<Vec<_>>());
        check(&(0..300).map(|_| r.bits() as i64).collect::<Vec<_>>());
        check(&(0..300).map(|_| r.bits() as i8).collect::<Vec<_>>());
        check(&(0..300).map(|_| r.bits() as i32).collect::<Vec<_>>());
        check(&(0..90_000).map(|_| r.bits() as u8).collect::<Vec<_>>());
    }

    #[test]
    fn other_axes_than_the_last_are_ordered_place_by_place() {
        let mut got = [0; 6];
        order(&[3, 1, 1, 2, 2, 3], (1, 3, 2), 3, true, &mut got);
        assert_eq!(got, [1, 0, 2, 1, 0, 2]);
    }
}
