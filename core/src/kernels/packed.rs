//! Products of several small left factors with one right factor, such as the steps of a recurrent layer with its
//! weights.
//!
//! A general product lays its right factor out anew every time, which takes as long as the multiplications where the
//! left factor has few rows. Here that is done once. The order of summation depends on the sizes and on the number of
//! uses, never on the number of threads.

use super::Shared;
use super::gemm::{GemmElement, Size, Strides, gemm};
use super::micro::{Left, MR, Micro, Start, Steps, balanced, tile_rows};
use crate::parallel::for_each_range;

/// Multiplications that are worth a thread.
const GRAIN: usize = 1 << 17;
/// Rows of B that are used together: a panel of them stays in the first-level cache.
const DEPTH: usize = 256;
/// Products from which laying out B pays.
const USES: usize = 4;
/// Rows of A from which tiles have enough sums to keep the processor busy; fewer are as fast by dot products.
const ROWS: usize = 4;

/// A right factor B of `k` rows and `n` columns that is used several times.
pub(crate) struct Reused<'a, T> {
    size: Size,
    b: &'a [T],
    strides: Strides,
    /// Empty if B is read where it is.
    panels: Panels<T>,
}

/// Columns of B in panels of `NR`, row by row, the last with zeros behind its end.
struct Panels<T> {
    memory: Vec<T>,
    /// First element that is aligned to a cache line.
    start: usize,
}

impl<'a, T: Micro + GemmElement> Reused<'a, T> {
    /// Prepares B for `uses` products with left factors of `size.m` rows.
    pub fn new(uses: usize, size: Size, b: &'a [T], strides: Strides) -> Self {
        let pays = uses >= USES && size.m >= ROWS && size.n >= T::GROUP && size.k > 0;
        let panels = if pays { pack(size, b, strides) } else { Panels { memory: vec![], start: 0 } };
        Reused { size, b, strides, panels }
    }

    /// `c += a * b` for A of (m, k) and C of (m, n), both dense.
    pub fn add_product(&self, a: &[T], c: &mut [T]) {
        let Size { m, n, k } = self.size;
        if self.panels.memory.is_empty() {
            return gemm(self.size, 1.0, a, (k, 1), self.b, self.strides, 1.0, c, (n, 1));
        }
        assert!(a.len() >= m * k && c.len() >= m * n, "A or C is smaller than its size");
        let c = Shared::new(c);
        for_each_range(n.div_ceil(T::NR), GRAIN.div_ceil(m * k * T::NR), |panels| {
            for panel in panels {
                self.add_columns(panel, a, c);
            }
        });
    }

    /// The columns of one panel of [`Reused::add_product`].
    fn add_columns(&self, panel: usize, a: &[T], c: Shared<T>) {
        let Size { m, n, k } = self.size;
        let (first, b) =
            (panel * T::NR, &self.panels.memory[self.panels.start + panel * k * T::NR..][..k * T::NR]);
        let width = T::NR.min(n - first);
        for (depth, b) in b.chunks(DEPTH * T::NR).enumerate() {
            let rows = b.len() / T::NR;
            balanced(m, tile_rows(), |i, height| {
                let left = Left { ptr: a[i * k + depth * DEPTH..].as_ptr(), rs: k, cs: 1 };
                let tile = |c, ldc, load| {
                    let start = Start { load, bias: std::ptr::null() };
                    // SAFETY: A has `height` rows from `i` on and `rows` columns from here on, and `b` as many rows;
                    // C has room for `height` rows of `width`, rounded up to groups, and is this call's alone.
                    unsafe {
                        T::outer(height, width, rows, left, b.as_ptr(), Steps::Even(T::NR), c, ldc, start)
                    }
                };
                if width % T::GROUP == 0 {
                    return tile(c.at(i * n + first), n, true);
                }
                let mut sums = [T::ZERO; MR * 32];
                tile(sums.as_mut_ptr(), T::NR, false);
                for (r, sums) in sums.chunks_exact(T::NR).take(height).enumerate() {
                    // SAFETY: these columns are this call's alone.
                    let row = unsafe { c.slice((i + r) * n + first, width) };
                    row.iter_mut().zip(sums).for_each(|(c, s)| *c += *s);
                }
            });
        }
    }
}

/// Lays out B.
fn pack<T: Micro>(Size { n, k, .. }: Size, b: &[T], (rs, cs): Strides) -> Panels<T> {
    let line = 64 / size_of::<T>();
    let mut memory = vec![T::ZERO; n.div_ceil(T::NR) * k * T::NR + line];
    let start = memory.as_ptr().align_offset(64).min(line);
    for (panel, rows) in memory[start..].chunks_exact_mut(k.max(1) * T::NR).enumerate() {
        let columns = panel * T::NR..n.min((panel + 1) * T::NR);
        for (p, row) in rows.chunks_exact_mut(T::NR).enumerate() {
            for (to, j) in row.iter_mut().zip(columns.clone()) {
                *to = b[p * rs + j * cs];
            }
        }
    }
    Panels { memory, start }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::{Isa, with_at_most};
    use crate::kernels::testing::{Random, assert_close};

    fn check<T: Micro + GemmElement>(r: &mut Random, size: Size, uses: usize, transposed: bool, tol: f64) {
        let Size { m, n, k } = size;
        let strides = if transposed { (1, k) } else { (n, 1) };
        let b: Vec<T> = r.vec(k * n, 1.0);
        let reused = Reused::new(uses, size, &b, strides);
        for _ in 0..2 {
            let (a, before): (Vec<T>, Vec<T>) = (r.vec(m * k, 1.0), r.vec(m * n, 1.0));
            let mut c = before.clone();
            reused.add_product(&a, &mut c);
            let sum = |i: usize, j: usize| -> f64 {
                (0..k).map(|p| a[i * k + p].to_f64() * b[p * strides.0 + j * strides.1].to_f64()).sum()
            };
            let want: Vec<T> =
                (0..m * n).map(|at| T::from_f64(before[at].to_f64() + sum(at / n, at % n))).collect();
            assert_close(&c, &want, tol, &format!("{size:?} {uses} {transposed}"));
        }
    }

    #[test]
    fn random_products_equal_their_definition_on_every_path() {
        let mut r = Random(21);
        for isa in [Isa::Portable, Isa::Avx2, Isa::Avx512] {
            with_at_most(isa, || {
                for i in 0..40 {
                    let most = [20, 70, 600][i % 3];
                    let size = Size { m: r.size(1, 30), n: r.size(1, 100), k: r.size(1, most) };
                    let uses = r.size(1, 8);
                    check::<f32>(&mut r, size, uses, i % 2 == 0, 1e-4);
                    check::<f64>(&mut r, size, uses, i % 2 == 0, 1e-12);
                }
            });
        }
    }

    #[test]
    fn an_empty_factor_adds_nothing() {
        let size = Size { m: 5, n: 40, k: 0 };
        let mut c = vec![1.0f32; 200];
        Reused::new(9, size, &[], (40, 1)).add_product(&[], &mut c);
        assert_eq!(c, [1.0; 200]);
    }
}
