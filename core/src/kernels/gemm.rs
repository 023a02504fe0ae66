//! Matrix products of strided matrices.
//!
//! `f32` and `f64` go to the `gemm` crate, inside the engine's own pool of threads; vectors and very small matrices
//! have loops of their own. `f16` and `bf16` are widened to `f32` and accumulate there. Integers wrap around.
//!
//! Which loop runs, and so the order of summation, depends on the sizes and strides, never on the number of threads:
//! the crate's blocks along the summed axis do not depend on it.

use super::Shared;
use super::math::Real;
use super::micro::{DOT_A, DOT_B, Micro, balanced};
use crate::dtype::Element;
use crate::parallel::{for_each_range, num_threads, pool};

/// Distances between neighbouring rows and neighbouring columns, in elements.
pub type Strides = (usize, usize);

/// Sizes of a product: C has `m` rows and `n` columns, A `m` x `k`, B `k` x `n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
}

/// A dtype that matrices can be multiplied in.
pub trait GemmElement: Element {
    /// `c = alpha * a * b + beta * c`; `c` is not read if `beta` is 0.
    ///
    /// # Safety
    /// The matrices lie inside memory that may be read, and written for `c`, which does not overlap the others and
    /// whose elements are distinct.
    #[doc(hidden)]
    unsafe fn product(p: &Problem<Self>, parallel: bool);
}

/// A product whose matrices are pointers; see [`GemmElement::product`].
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Problem<T> {
    size: Size,
    alpha: f64,
    a: *const T,
    a_strides: Strides,
    b: *const T,
    b_strides: Strides,
    beta: f64,
    c: *mut T,
    c_strides: Strides,
}

// SAFETY: a problem is sizes and pointers; `GemmElement::product` says what holds while it is used.
unsafe impl<T: Send> Send for Problem<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Problem<T> {}

/// Multiplications from which a product is cut over threads.
const PARALLEL: usize = 1 << 18;
/// Multiplications up to which a plain loop is fastest.
const TINY: usize = 512;
/// Rows of A up to which rows of B are not worth packing.
const SKINNY: usize = 16;

/// Elements that a matrix spans.
fn span(rows: usize, cols: usize, (rs, cs): Strides) -> usize {
    if rows == 0 || cols == 0 { 0 } else { (rows - 1) * rs + (cols - 1) * cs + 1 }
}

/// `c = alpha * a * b + beta * c` for matrices with any strides. `c` is not read if `beta` is 0.
#[allow(clippy::too_many_arguments)]
pub fn gemm<T: GemmElement>(
    size: Size,
    alpha: f64,
    a: &[T],
    a_strides: Strides,
    b: &[T],
    b_strides: Strides,
    beta: f64,
    c: &mut [T],
    c_strides: Strides,
) {
    gemm_batched(1, size, alpha, (a, 0), a_strides, (b, 0), b_strides, beta, (c, 0), c_strides);
}

/// [`gemm`] for each of `batch` triples of matrices. Each operand is given with the distance between its matrices; A
/// and B may have distance 0.
#[allow(clippy::too_many_arguments)]
pub fn gemm_batched<T: GemmElement>(
    batch: usize,
    size: Size,
    alpha: f64,
    (a, a_step): (&[T], usize),
    a_strides: Strides,
    (b, b_step): (&[T], usize),
    b_strides: Strides,
    beta: f64,
    (c, c_step): (&mut [T], usize),
    c_strides: Strides,
) {
    let Size { m, n, k } = size;
    if batch == 0 || m == 0 || n == 0 {
        return;
    }
    let last = batch - 1;
    assert!(k == 0 || last * a_step + span(m, k, a_strides) <= a.len(), "A does not fit its slice");
    assert!(k == 0 || last * b_step + span(k, n, b_strides) <= b.len(), "B does not fit its slice");
    assert!(last * c_step + span(m, n, c_strides) <= c.len(), "C does not fit its slice");
    debug_assert!(batch == 1 || c_step > 0, "the results overlap");
    let c = Shared::new(c);
    let one = |i: usize, parallel: bool| {
        let (a, b) = (a.as_ptr().wrapping_add(i * a_step), b.as_ptr().wrapping_add(i * b_step));
        let c = c.at(i * c_step);
        let p = Problem { size, alpha, a, a_strides, b, b_strides, beta, c, c_strides };
        // SAFETY: the matrices were checked to lie inside their slices, and each result is written once.
        unsafe { T::product(&p, parallel) }
    };
    let work = m * n * k.max(1);
    if batch >= num_threads() && batch > 1 {
        for_each_range(batch, PARALLEL.div_ceil(work), |range| range.for_each(|i| one(i, false)));
    } else {
        (0..batch).for_each(|i| one(i, work >= PARALLEL));
    }
}

macro_rules! float {
    ($($t:ty),*) => {$(
        impl GemmElement for $t {
            unsafe fn product(p: &Problem<$t>, parallel: bool) {
                let Size { m, n, k } = p.size;
                // SAFETY: the caller's contract, passed on.
                unsafe {
                    if m == 1 || n == 1 {
                        vector(p, parallel);
                    } else if k == 0 || p.alpha == 0.0 || m * n * k <= TINY {
                        tiny(p);
                    } else if m <= SKINNY && p.a_strides.1 == 1 && p.b_strides.0 == 1 && k >= 32 {
                        skinny(p, parallel);
                    } else {
                        crate_gemm(p, parallel);
                    }
                }
            }
        }
    )*};
}
float!(f32, f64);

/// Calls the `gemm` crate, inside the engine's pool if `parallel`.
///
/// # Safety
/// As [`GemmElement::product`].
unsafe fn crate_gemm<T: Real>(p: &Problem<T>, parallel: bool) {
    let Size { m, n, k } = p.size;
    let s = |(r, c): Strides| (r as isize, c as isize);
    let ((ar, ac), (br, bc), (cr, cc)) = (s(p.a_strides), s(p.b_strides), s(p.c_strides));
    let (alpha, beta) = (T::from_f64(p.alpha), T::from_f64(p.beta));
    let run = |threads| {
        // SAFETY: the caller's contract. The crate's alpha belongs to C and its beta to the product.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                p.c,
                cc,
                cr,
                p.beta != 0.0,
                p.a,
                ac,
                ar,
                p.b,
                bc,
                br,
                beta,
                alpha,
                false,
                false,
                false,
                threads,
            )
        }
    };
    if parallel && num_threads() > 1 {
        pool().install(|| run(gemm::Parallelism::Rayon(num_threads())));
    } else {
        run(gemm::Parallelism::None);
    }
}

/// Element by element.
///
/// # Safety
/// As [`GemmElement::product`].
unsafe fn tiny<T: Real>(p: &Problem<T>) {
    let (alpha, beta) = (T::from_f64(p.alpha), T::from_f64(p.beta));
    for i in 0..p.size.m {
        for j in 0..p.size.n {
            let mut sum = T::ZERO;
            // SAFETY: the caller's contract.
            unsafe {
                for l in 0..p.size.k {
                    let a = *p.a.add(i * p.a_strides.0 + l * p.a_strides.1);
                    sum += a * *p.b.add(l * p.b_strides.0 + j * p.b_strides.1);
                }
                store(p.c.add(i * p.c_strides.0 + j * p.c_strides.1), alpha * sum, beta);
            }
        }
    }
}

/// `*c = x + beta * *c`, without reading `c` if `beta` is 0.
///
/// # Safety
/// `c` may be read and written.
#[inline(always)]
unsafe fn store<T: Real>(c: *mut T, x: T, beta: T) {
    // SAFETY: the caller's contract.
    unsafe { *c = if beta == T::ZERO { x } else { x + beta * *c } }
}

/// Matrix times vector, for products with `m` or `n` of 1.
///
/// # Safety
/// As [`GemmElement::product`].
unsafe fn vector<T: Micro>(p: &Problem<T>, parallel: bool) {
    let Size { m, n, k } = p.size;
    // y (rows) = matrix (rows x k) * x (k); a row times a matrix is the transposed matrix times a column.
    let (rows, matrix, strides, x, x_step, y_step) = if n == 1 {
        (m, p.a, p.a_strides, p.b, p.b_strides.0, p.c_strides.0)
    } else {
        (n, p.b, (p.b_strides.1, p.b_strides.0), p.a, p.a_strides.1, p.c_strides.1)
    };
    let (alpha, beta) = (T::from_f64(p.alpha), T::from_f64(p.beta));
    // SAFETY: the caller's contract; `x` has `k` elements `x_step` apart.
    let x: Vec<T> = (0..k).map(|i| unsafe { *x.add(i * x_step) }).collect();
    let grain = if parallel { PARALLEL.div_ceil(4 * k.max(1)).max(CHUNK) } else { rows };
    let (matrix, y) = (SendPtr(matrix.cast_mut()), SendPtr(p.c));
    for_each_range(rows.div_ceil(CHUNK), grain.div_ceil(CHUNK), |range| {
        for chunk in range {
            let first = chunk * CHUNK;
            let mut sums = [T::ZERO; CHUNK];
            let sums = &mut sums[..CHUNK.min(rows - first)];
            // SAFETY: the caller's contract: the matrix has `rows` rows of `k` elements at these strides, and each
            // element of `y` is written by one piece.
            unsafe {
                let from = matrix.get().add(first * strides.0).cast_const();
                let row = |i: usize, step: usize, len| std::slice::from_raw_parts(from.add(i * step), len);
                if strides.1 == 1 {
                    let whole = k / T::LANES * T::LANES;
                    for (r, s) in sums.chunks_mut(DOT_A).enumerate() {
                        let a = from.add(r * DOT_A * strides.0);
                        T::dot(s.len(), 1, whole, (a, strides.0), (x.as_ptr(), k), (s.as_mut_ptr(), 1));
                        for (i, s) in s.iter_mut().enumerate() {
                            for (l, x) in x.iter().enumerate().skip(whole) {
                                *s += *a.add(i * strides.0 + l) * *x;
                            }
                        }
                    }
                } else if strides.0 == 1 {
                    let n = sums.len();
                    for (l, x) in x.chunks(4).enumerate() {
                        // Missing rows repeat the last one; they are not used.
                        let last = 4 * l + x.len() - 1;
                        let rows = [0, 1, 2, 3].map(|i| row((4 * l + i).min(last), strides.1, n));
                        match x {
                            [a, b, c, d] => axpy4([*a, *b, *c, *d], rows, sums),
                            _ => x.iter().zip(rows).for_each(|(x, row)| axpy(*x, row, sums)),
                        }
                    }
                } else {
                    for (r, s) in sums.iter_mut().enumerate() {
                        for (l, x) in x.iter().enumerate() {
                            *s += *from.add(r * strides.0 + l * strides.1) * *x;
                        }
                    }
                }
                for (r, s) in sums.iter().enumerate() {
                    store(y.get().add((first + r) * y_step), alpha * *s, beta);
                }
            }
        }
    });
}

/// Elements of a result vector that are computed together.
const CHUNK: usize = 512;

/// A few rows of A times rows of B, both contiguous along the summed axis: what a dense layer does for a small batch.
/// B is read once, and nothing is copied.
///
/// # Safety
/// As [`GemmElement::product`], with `k` columns of A and rows of B next to each other.
unsafe fn skinny<T: Micro>(p: &Problem<T>, parallel: bool) {
    let Size { m, n, k } = p.size;
    let (alpha, beta) = (T::from_f64(p.alpha), T::from_f64(p.beta));
    let whole = k / T::LANES * T::LANES;
    let (a, b, c) = (SendPtr(p.a.cast_mut()), SendPtr(p.b.cast_mut()), SendPtr(p.c));
    let tiles = n.div_ceil(DOT_B);
    let grain = if parallel { PARALLEL.div_ceil(m * k * DOT_B) } else { tiles };
    for_each_range(tiles, grain, |range| {
        for j in range.map(|t| t * DOT_B) {
            let width = DOT_B.min(n - j);
            balanced(m, DOT_A, |i, height| {
                let mut tile = [T::ZERO; DOT_A * DOT_B];
                // SAFETY: the caller's contract; tiles of C do not overlap.
                unsafe {
                    let a = a.get().add(i * p.a_strides.0).cast_const();
                    let b = b.get().add(j * p.b_strides.1).cast_const();
                    let to = (tile.as_mut_ptr(), DOT_B);
                    T::dot(height, width, whole, (a, p.a_strides.0), (b, p.b_strides.1), to);
                    for r in 0..height {
                        for s in 0..width {
                            let mut sum = tile[r * DOT_B + s];
                            for l in whole..k {
                                sum += *a.add(r * p.a_strides.0 + l) * *b.add(s * p.b_strides.1 + l);
                            }
                            let at = (i + r) * p.c_strides.0 + (j + s) * p.c_strides.1;
                            store(c.get().add(at), alpha * sum, beta);
                        }
                    }
                }
            });
        }
    });
}

#[derive(Clone, Copy)]
struct SendPtr<T>(*mut T);
// SAFETY: only `vector` and `skinny` make these, and their pieces write disjoint elements.
unsafe impl<T> Send for SendPtr<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for SendPtr<T> {}
impl<T> SendPtr<T> {
    fn get(self) -> *mut T {
        self.0
    }
}

crate::simd_fn! {
    /// `y += a[0] * x[0] + ... + a[3] * x[3]`, one after the other.
    fn axpy4<T: Real>(a: [T; 4], x: [&[T]; 4], y: &mut [T]) {
        let x = x.map(|x| &x[..y.len()]);
        for (i, y) in y.iter_mut().enumerate() {
            *y = *y + a[0] * x[0][i] + a[1] * x[1][i] + a[2] * x[2][i] + a[3] * x[3][i];
        }
    }

    /// `y += alpha * x`.
    fn axpy<T: Real>(alpha: T, x: &[T], y: &mut [T]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += alpha * *x;
        }
    }
}

macro_rules! half {
    ($($t:ty),*) => {$(
        impl GemmElement for $t {
            unsafe fn product(p: &Problem<$t>, parallel: bool) {
                let Size { m, n, k } = p.size;
                // SAFETY: the caller's contract; the copies are dense.
                unsafe {
                    let a = widen(p.a, m, k, p.a_strides);
                    let b = widen(p.b, k, n, p.b_strides);
                    let mut c = if p.beta == 0.0 { vec![0.0; m * n] } else { widen(p.c, m, n, p.c_strides) };
                    let wide = Problem {
                        size: p.size, alpha: p.alpha, a: a.as_ptr(), a_strides: (k, 1), b: b.as_ptr(),
                        b_strides: (n, 1), beta: p.beta, c: c.as_mut_ptr(), c_strides: (n, 1),
                    };
                    f32::product(&wide, parallel);
                    for (i, row) in c.chunks_exact(n).enumerate() {
                        for (j, v) in row.iter().enumerate() {
                            *p.c.add(i * p.c_strides.0 + j * p.c_strides.1) = <$t>::from_f32(*v);
                        }
                    }
                }
            }
        }
    )*};
}
half!(half::f16, half::bf16);

/// A dense copy of a matrix in single precision.
///
/// # Safety
/// The matrix may be read.
unsafe fn widen<T: Element>(p: *const T, rows: usize, cols: usize, (rs, cs): Strides) -> Vec<f32> {
    let mut v = Vec::with_capacity(rows * cols);
    for i in 0..rows {
        // SAFETY: the caller's contract.
        v.extend((0..cols).map(|j| unsafe { *p.add(i * rs + j * cs) }.to_f64() as f32));
    }
    v
}

macro_rules! integer {
    ($($t:ty),*) => {$(
        impl GemmElement for $t {
            unsafe fn product(p: &Problem<$t>, _: bool) {
                let Size { m, n, k } = p.size;
                let mut row = vec![0i64; n];
                for i in 0..m {
                    row.fill(0);
                    // SAFETY: the caller's contract.
                    unsafe {
                        for l in 0..k {
                            let a = i64::from(*p.a.add(i * p.a_strides.0 + l * p.a_strides.1));
                            for (j, r) in row.iter_mut().enumerate() {
                                let b = i64::from(*p.b.add(l * p.b_strides.0 + j * p.b_strides.1));
                                *r = r.wrapping_add(a.wrapping_mul(b));
                            }
                        }
                        for (j, r) in row.iter().enumerate() {
                            let c = p.c.add(i * p.c_strides.0 + j * p.c_strides.1);
                            let old = if p.beta == 0.0 { 0 } else { i64::from(*c) };
                            let product = (p.alpha as i64).wrapping_mul(*r);
                            *c = product.wrapping_add((p.beta as i64).wrapping_mul(old)) as $t;
                        }
                    }
                }
            }
        }
    )*};
}
integer!(i32, i64, i8, u8);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Random, assert_close};

    fn check<T: GemmElement>(r: &mut Random, size: Size, batch: usize, scale: f64, tol: f64) {
        let Size { m, n, k } = size;
        let mut layout = |rows: usize, cols: usize| match r.size(0, 3) {
            0 => (cols + 1, 1),
            1 => (1, rows + 2),
            2 => (2 * cols, 2),
            _ => (cols.max(1), 1),
        };
        let (sa, sb, sc) = (layout(m, k), layout(k, n), layout(m, n));
        let step = |rows: usize, cols: usize, s: Strides| span(rows, cols, s) + 1;
        let (ta, tb, tc) = (step(m, k, sa), if batch == 3 { 0 } else { step(k, n, sb) }, step(m, n, sc));
        let a: Vec<T> = r.vec(batch * ta, scale);
        let b: Vec<T> = r.vec(batch * tb.max(step(k, n, sb)), scale);
        for (alpha, beta) in [(1.0, 0.0), (2.0, 1.0), (-1.0, 3.0), (0.0, 0.0)] {
            let before: Vec<T> = r.vec(batch * tc, scale);
            let mut want: Vec<f64> = before.iter().map(|x| x.to_f64()).collect();
            for s in 0..batch {
                for i in 0..m {
                    for j in 0..n {
                        let sum: f64 = (0..k)
                            .map(|l| {
                                a[s * ta + i * sa.0 + l * sa.1].to_f64()
                                    * b[s * tb + l * sb.0 + j * sb.1].to_f64()
                            })
                            .sum();
                        let c = &mut want[s * tc + i * sc.0 + j * sc.1];
                        *c = alpha * sum + if beta == 0.0 { 0.0 } else { beta * *c };
                    }
                }
            }
            let want: Vec<T> = want
                .iter()
                .map(|x| if T::DTYPE.is_int() { T::from_i64(*x as i64) } else { T::from_f64(*x) })
                .collect();
            let mut c = before;
            gemm_batched(batch, size, alpha, (&a, ta), sa, (&b, tb), sb, beta, (&mut c, tc), sc);
            assert_close(&c, &want, tol, &format!("{size:?} x{batch} {sa:?} {sb:?} {sc:?} {alpha} {beta}"));
        }
    }

    #[test]
    fn random_products_equal_their_definition_in_every_dtype() {
        let mut r = Random(7);
        for i in 0..300 {
            let most = [3, 20, 70][i % 3];
            let mut size = Size { m: r.size(0, most), n: r.size(0, most), k: r.size(0, most) };
            match i % 5 {
                0 => size.m = 1,
                1 => size.n = 1,
                _ => {}
            }
            let batch = r.size(0, 3);
            check::<f32>(&mut r, size, batch, 1.0, 1e-4);
            check::<f64>(&mut r, size, batch, 1.0, 1e-12);
            check::<half::bf16>(&mut r, size, batch, 1.0, 2e-2);
            check::<half::f16>(&mut r, size, batch, 1.0, 4e-3);
            check::<i32>(&mut r, size, batch, 9.0, 0.0);
            check::<i64>(&mut r, size, batch, 9.0, 0.0);
            check::<i8>(&mut r, size, batch, 9.0, 0.0);
            check::<u8>(&mut r, size, batch, 9.0, 0.0);
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let mut r = Random(8);
        for (m, n, k) in
            [(200, 150, 700), (64, 1000, 300), (1, 3000, 400), (3000, 1, 400), (17, 130, 1025), (9, 500, 300)]
        {
            let size = Size { m, n, k };
            let (a, b): (Vec<f32>, Vec<f32>) = (r.vec(m * k, 1.0), r.vec(k * n, 1.0));
            let (mut c, mut d) = (vec![0.0; m * n], vec![0.0; m * n]);
            for (c, parallel) in [(&mut c, false), (&mut d, true)] {
                let p = Problem {
                    size,
                    alpha: 1.0,
                    a: a.as_ptr(),
                    a_strides: (k, 1),
                    b: b.as_ptr(),
                    b_strides: (n, 1),
                    beta: 0.0,
                    c: c.as_mut_ptr(),
                    c_strides: (n, 1),
                };
                // SAFETY: the matrices are dense and of these sizes.
                unsafe { f32::product(&p, parallel) };
            }
            assert_eq!(c, d, "{size:?}");
        }
    }
}
