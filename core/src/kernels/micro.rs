//! Register-blocked inner kernels of matrix products, and per-thread scratch memory.
//!
//! [`Micro::outer`] computes a tile of C from a column of A, element by element, times a row of B, vector by
//! vector. [`Micro::dot`] computes a tile of C from dot products of rows of A and rows of B. Both exist for every
//! instruction path; the lanes of a tile are the same on each, so that callers lay out memory once.

use super::math::Real;
use super::simd::{Isa, isa};
use std::cell::RefCell;

/// Most rows of an outer-product tile, on any path.
pub(crate) const MR: usize = 8;
/// Most rows of A and of B in a dot-product tile.
pub(crate) const DOT_A: usize = 4;
/// See [`DOT_A`].
pub(crate) const DOT_B: usize = 3;

/// Rows of an outer-product tile that suit the registers of the path. The rows of a tile do not depend on each other.
#[inline]
pub(crate) fn tile_rows() -> usize {
    if isa() >= Isa::Avx512 { MR } else { 6 }
}

/// A matrix read element by element: element (i, p) is at `ptr + i * rs + p * cs`.
#[derive(Clone, Copy)]
pub(crate) struct Left<T> {
    pub ptr: *const T,
    pub rs: usize,
    pub cs: usize,
}

/// Where the rows of B begin, from its first element on.
#[derive(Clone, Copy)]
pub(crate) enum Steps<'a> {
    /// At even distances.
    Even(usize),
    /// At these distances from the first element, one for each row.
    Listed(&'a [usize]),
}

/// [`Steps`] of one kind, for the inner loop.
trait RowStarts: Copy {
    /// Where row `p` begins.
    ///
    /// # Safety
    /// There is such a row.
    unsafe fn of(self, p: usize) -> usize;
}
#[derive(Clone, Copy)]
struct Even(usize);
impl RowStarts for Even {
    #[inline(always)]
    unsafe fn of(self, p: usize) -> usize {
        p * self.0
    }
}
#[derive(Clone, Copy)]
struct Listed(*const usize);
impl RowStarts for Listed {
    #[inline(always)]
    unsafe fn of(self, p: usize) -> usize {
        // SAFETY: the caller's contract: the list has a number for each row.
        unsafe { *self.0.add(p) }
    }
}

/// What a tile of C starts from: what is there or zero, plus one value per row if `bias` is not null.
#[derive(Clone, Copy)]
pub(crate) struct Start<T> {
    pub load: bool,
    pub bias: *const T,
}

/// A register of several numbers.
trait Vector<T>: Copy {
    /// Numbers per register.
    const LANES: usize;
    unsafe fn splat(x: T) -> Self;
    unsafe fn load(p: *const T) -> Self;
    unsafe fn store(self, p: *mut T);
    /// `self + a * b`.
    unsafe fn fma(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, a: Self) -> Self;
    /// Sum of the lanes, halves first.
    unsafe fn sum(self) -> T;
}

/// An array standing for a register on the portable path.
#[derive(Clone, Copy)]
struct Lanes<T, const N: usize>([T; N]);

impl<T: Real, const N: usize> Vector<T> for Lanes<T, N> {
    const LANES: usize = N;
    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Lanes([x; N])
    }
    #[inline(always)]
    unsafe fn load(p: *const T) -> Self {
        // SAFETY: the caller has N readable elements at `p`; arrays need no more alignment than elements.
        Lanes(unsafe { p.cast::<[T; N]>().read() })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut T) {
        // SAFETY: as in `load`, writable.
        unsafe { p.cast::<[T; N]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn fma(mut self, a: Self, b: Self) -> Self {
        for l in 0..N {
            self.0[l] += a.0[l] * b.0[l];
        }
        self
    }
    #[inline(always)]
    unsafe fn add(mut self, a: Self) -> Self {
        for l in 0..N {
            self.0[l] += a.0[l];
        }
        self
    }
    #[inline(always)]
    unsafe fn sum(mut self) -> T {
        let mut n = N;
        while n > 1 {
            n /= 2;
            for l in 0..n {
                let high = self.0[l + n];
                self.0[l] += high;
            }
        }
        self.0[0]
    }
}

// The feature `x86-v4` needs Rust 1.89.
#[allow(clippy::incompatible_msrv)]
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Vector;
    use std::arch::x86_64::*;

    macro_rules! vector {
        ($t:ty, $v:ty, $n:expr, $splat:ident $load:ident $store:ident $fma:ident $add:ident, $sum:item) => {
            // SAFETY of all blocks: called only where the registers' features and FMA are enabled, with pointers to a register's
            // worth of elements; the intrinsics need no alignment.
            impl Vector<$t> for $v {
                const LANES: usize = $n;
                #[inline(always)]
                unsafe fn splat(x: $t) -> Self {
                    unsafe { $splat(x) }
                }
                #[inline(always)]
                unsafe fn load(p: *const $t) -> Self {
                    unsafe { $load(p) }
                }
                #[inline(always)]
                unsafe fn store(self, p: *mut $t) {
                    unsafe { $store(p, self) }
                }
                #[inline(always)]
                unsafe fn fma(self, a: Self, b: Self) -> Self {
                    unsafe { $fma(a, b, self) }
                }
                #[inline(always)]
                unsafe fn add(self, a: Self) -> Self {
                    unsafe { $add(self, a) }
                }
                #[inline(always)]
                $sum
            }
        };
    }
    #[cfg(feature = "x86-v4")]
    vector!(f32, __m512, 16, _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_fmadd_ps _mm512_add_ps,
    unsafe fn sum(self) -> f32 {
        // SAFETY: only called where AVX-512 is there.
        unsafe {
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self)));
            _mm256_add_ps(_mm512_castps512_ps256(self), high).sum()
        }
    });
    #[cfg(feature = "x86-v4")]
    vector!(f64, __m512d, 8, _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_fmadd_pd _mm512_add_pd,
    unsafe fn sum(self) -> f64 {
        // SAFETY: only called where AVX-512 is there.
        unsafe { _mm256_add_pd(_mm512_castpd512_pd256(self), _mm512_extractf64x4_pd::<1>(self)).sum() }
    });
    vector!(f32, __m256, 8, _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_fmadd_ps _mm256_add_ps,
    unsafe fn sum(self) -> f32 {
        // SAFETY: only called where AVX2 is there.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    });
    vector!(f64, __m256d, 4, _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_fmadd_pd _mm256_add_pd,
    unsafe fn sum(self) -> f64 {
        // SAFETY: only called where AVX2 is there.
        unsafe {
            let two = _mm_add_pd(_mm256_castpd256_pd128(self), _mm256_extractf128_pd::<1>(self));
            _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
        }
    });
}

/// The same pointer, of which the compiler does not know where it comes from. Rows of a matrix are else addressed by
/// a chain of additions from one to the next, which takes as long as the multiplications.
#[inline(always)]
fn opaque<T>(p: *const T) -> *const T {
    #[cfg(target_arch = "x86_64")]
    {
        let mut p = p;
        // SAFETY: there is no instruction.
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) p, options(pure, readonly, nostack, preserves_flags))
        };
        p
    }
    #[cfg(not(target_arch = "x86_64"))]
    p
}

/// The tile of [`Micro::outer`] for `M` rows of `W` registers.
#[inline(always)]
unsafe fn outer_tile<T: Real, V: Vector<T>, S: RowStarts, const M: usize, const W: usize>(
    k: usize,
    a: Left<T>,
    b: *const T,
    starts: S,
    c: *mut T,
    ldc: usize,
    start: Start<T>,
) {
    // SAFETY: the contract of `Micro::outer`, whose arguments these are.
    unsafe {
        let mut acc = [[V::splat(T::ZERO); W]; M];
        let rows: [*const T; M] = std::array::from_fn(|i| opaque(a.ptr.add(i * a.rs)));
        for p in 0..k {
            let (bp, at) = (b.add(starts.of(p)), p * a.cs);
            // A closure would not be compiled for the registers.
            let mut bs = [V::splat(T::ZERO); W];
            for (w, b) in bs.iter_mut().enumerate() {
                *b = V::load(bp.add(w * V::LANES));
            }
            for (row, a) in acc.iter_mut().zip(rows) {
                let x = V::splat(*a.add(at));
                for (v, b) in row.iter_mut().zip(bs) {
                    *v = v.fma(x, b);
                }
            }
        }
        for (i, row) in acc.iter().enumerate() {
            for (h, v) in row.iter().enumerate() {
                let p = c.add(i * ldc + h * V::LANES);
                let mut v = *v;
                if !start.bias.is_null() {
                    v = v.add(V::splat(*start.bias.add(i)));
                }
                if start.load {
                    v = V::load(p).add(v);
                }
                v.store(p);
            }
        }
    }
}

/// The tile of [`Micro::dot`] for `M` rows of A and `N` rows of B.
#[inline(always)]
unsafe fn dot_tile<T: Real, V: Vector<T>, const M: usize, const N: usize>(
    k: usize,
    a: *const T,
    lda: usize,
    b: *const T,
    ldb: usize,
    c: *mut T,
    ldc: usize,
) {
    // SAFETY: the contract of `Micro::dot`, whose arguments these are.
    unsafe {
        let mut acc = [[V::splat(T::ZERO); N]; M];
        let mut p = 0;
        while p < k {
            let mut y = [V::splat(T::ZERO); N];
            for (j, y) in y.iter_mut().enumerate() {
                *y = V::load(b.add(j * ldb + p));
            }
            for (i, row) in acc.iter_mut().enumerate() {
                let x = V::load(a.add(i * lda + p));
                for (v, y) in row.iter_mut().zip(y) {
                    *v = v.fma(x, y);
                }
            }
            p += V::LANES;
        }
        for (i, row) in acc.iter().enumerate() {
            for (j, v) in row.iter().enumerate() {
                *c.add(i * ldc + j) += v.sum();
            }
        }
    }
}

/// Chooses the instance for a number of rows.
macro_rules! by_rows {
    ($m:expr, $f:ident::<$T:ty, $V:ty, $W:literal> $args:tt) => {
        by_rows!(@list $m, $f::<$T, $V, $W> $args, 1 2 3 4 5 6 7 8)
    };
    (@list $m:expr, $f:ident::<$T:ty, $V:ty, $W:literal> $args:tt, $($n:literal)*) => {
        match $m { $($n => $f::<$T, $V, _, $n, $W> $args,)* _ => unreachable!("no tile has this many rows") }
    };
}
macro_rules! by_rows2 {
    ($m:expr, $n:expr, $f:ident::<$T:ty, $V:ty> $args:tt, $($i:literal)*) => {
        match ($m, $n) {
            $(($i, 1) => $f::<$T, $V, $i, 1> $args,
              ($i, 2) => $f::<$T, $V, $i, 2> $args,
              ($i, 3) => $f::<$T, $V, $i, 3> $args,)*
            _ => unreachable!("no tile has this many rows"),
        }
    };
}

/// Rows of two matrices that meet in dot products: pointer and distance of rows.
type Rows<T> = (*const T, usize);

/// The inner kernels of an element type.
pub(crate) trait Micro: Real {
    /// Most columns of an outer-product tile.
    const NR: usize;
    /// Columns of an outer-product tile come in groups of this many.
    const GROUP: usize = Self::NR / 2;
    /// What the length of a dot product must be a multiple of.
    const LANES: usize;

    /// Sets a tile of `m` rows (at most [`tile_rows`]) and `n` columns of C (at most `NR`, rounded up to whole groups)
    /// to its start plus the product of `k` columns of A and `k` rows of B.
    ///
    /// # Safety
    /// `a` has `m` rows and `k` columns; `b` has `k` rows, which begin as `ldb` says; `c` has `m` rows, `ldc` apart, where rows have
    /// `n` elements rounded up to whole groups; the bias, if any, has `m` elements.
    #[allow(clippy::too_many_arguments)]
    unsafe fn outer(
        m: usize,
        n: usize,
        k: usize,
        a: Left<Self>,
        b: *const Self,
        ldb: Steps,
        c: *mut Self,
        ldc: usize,
        start: Start<Self>,
    );

    /// Adds to a tile of C the dot products of `m` rows of A (at most [`DOT_A`]) and `n` rows of B (at most
    /// [`DOT_B`]), each of `k` elements, a multiple of `LANES`.
    ///
    /// # Safety
    /// `a` has `m` rows, `lda` apart, `b` has `n` rows, `ldb` apart, and `c` has `m` rows of `n`, `ldc` apart.
    unsafe fn dot(m: usize, n: usize, k: usize, a: Rows<Self>, b: Rows<Self>, c: (*mut Self, usize));
}

/// The kernels of one element type with one kind of registers, of which a group of columns takes `one`, and two
/// groups `two` where the registers suffice for them at once.
macro_rules! kernels {
    ($(#[$attr:meta])* $name:ident, $t:ident, $v:ty, one $one:literal $(, two $two:literal)?) => {
        mod $name {
            use super::*;
            $(#[$attr])*
            #[allow(clippy::too_many_arguments)]
            pub(super) unsafe fn outer(
                m: usize,
                n: usize,
                k: usize,
                a: Left<$t>,
                b: *const $t,
                ldb: Steps,
                c: *mut $t,
                ldc: usize,
                start: Start<$t>,
            ) {
                const GROUP: usize = <$t as Micro>::GROUP;
                // SAFETY: the contract of `Micro::outer`.
                unsafe {
                    $(if n > GROUP {
                        return match ldb {
                            Steps::Even(ld) => {
                                by_rows!(m, outer_tile::<$t, $v, $two>(k, a, b, Even(ld), c, ldc, start))
                            }
                            Steps::Listed(l) => {
                                by_rows!(m, outer_tile::<$t, $v, $two>(k, a, b, Listed(l.as_ptr()), c, ldc, start))
                            }
                        };
                    })?
                    for j in (0..n).step_by(GROUP) {
                        let (b, c) = (b.add(j), c.add(j));
                        match ldb {
                            Steps::Even(ld) => {
                                by_rows!(m, outer_tile::<$t, $v, $one>(k, a, b, Even(ld), c, ldc, start))
                            }
                            Steps::Listed(l) => {
                                by_rows!(m, outer_tile::<$t, $v, $one>(k, a, b, Listed(l.as_ptr()), c, ldc, start))
                            }
                        }
                    }
                }
            }
            $(#[$attr])*
            pub(super) unsafe fn dot(m: usize, n: usize, k: usize, a: Rows<$t>, b: Rows<$t>, c: (*mut $t, usize)) {
                // SAFETY: the contract of `Micro::dot`.
                unsafe {
                    by_rows2!(m, n, dot_tile::<$t, $v>(k, a.0, a.1, b.0, b.1, c.0, c.1), 1 2 3 4)
                }
            }
        }
    };
}
kernels!(portable_f32, f32, Lanes<f32, 8>, one 2);
kernels!(portable_f64, f64, Lanes<f64, 4>, one 2);
#[cfg(target_arch = "x86_64")]
kernels!(#[target_feature(enable = "avx2,fma")] avx2_f32, f32, std::arch::x86_64::__m256, one 2);
#[cfg(target_arch = "x86_64")]
kernels!(#[target_feature(enable = "avx2,fma")] avx2_f64, f64, std::arch::x86_64::__m256d, one 2);
#[cfg(all(target_arch = "x86_64", feature = "x86-v4"))]
kernels!(#[target_feature(enable = "avx512f,fma")] avx512_f32, f32, std::arch::x86_64::__m512, one 1, two 2);
#[cfg(all(target_arch = "x86_64", feature = "x86-v4"))]
kernels!(#[target_feature(enable = "avx512f,fma")] avx512_f64, f64, std::arch::x86_64::__m512d, one 1, two 2);

macro_rules! micro {
    ($t:ident, $lanes:literal, $portable:ident $avx2:ident $avx512:ident) => {
        impl Micro for $t {
            const NR: usize = 2 * $lanes;
            const LANES: usize = $lanes;
            #[inline]
            unsafe fn outer(
                m: usize,
                n: usize,
                k: usize,
                a: Left<$t>,
                b: *const $t,
                ldb: Steps,
                c: *mut $t,
                ldc: usize,
                start: Start<$t>,
            ) {
                // SAFETY: the caller's contract; `isa` answers only what the processor has.
                unsafe {
                    match isa() {
                        #[cfg(all(target_arch = "x86_64", feature = "x86-v4"))]
                        Isa::Avx512 => $avx512::outer(m, n, k, a, b, ldb, c, ldc, start),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx2 => $avx2::outer(m, n, k, a, b, ldb, c, ldc, start),
                        _ => $portable::outer(m, n, k, a, b, ldb, c, ldc, start),
                    }
                }
            }
            #[inline]
            unsafe fn dot(m: usize, n: usize, k: usize, a: Rows<$t>, b: Rows<$t>, c: (*mut $t, usize)) {
                // SAFETY: as in `outer`.
                unsafe {
                    match isa() {
                        #[cfg(all(target_arch = "x86_64", feature = "x86-v4"))]
                        Isa::Avx512 => $avx512::dot(m, n, k, a, b, c),
                        #[cfg(target_arch = "x86_64")]
                        Isa::Avx2 => $avx2::dot(m, n, k, a, b, c),
                        _ => $portable::dot(m, n, k, a, b, c),
                    }
                }
            }
        }
    };
}
micro!(f32, 16, portable_f32 avx2_f32 avx512_f32);
micro!(f64, 8, portable_f64 avx2_f64 avx512_f64);

thread_local! {
    static SCRATCH: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// A cache line, so that scratch memory is aligned to one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u64; 8]);

/// Gives `f` a buffer of `len` elements with unspecified contents, kept by the thread for the next use.
pub(crate) fn with_scratch<T: Real, R>(len: usize, f: impl FnOnce(&mut [T]) -> R) -> R {
    let lines = (len * size_of::<T>()).div_ceil(size_of::<Line>());
    let mut buffer = SCRATCH.take();
    if buffer.len() < lines {
        buffer.resize(lines, Line([0; 8]));
    }
    // SAFETY: the buffer holds at least `len` elements, initialised and aligned; every bit pattern is a `Real`
    // (the trait is implemented by f32 and f64), and nobody else sees the buffer while it is out of its cell.
    let r = f(unsafe { std::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast::<T>(), len) });
    // A large buffer for one odd shape is not kept.
    if buffer.len() * size_of::<Line>() <= 4 << 20 {
        SCRATCH.replace(buffer);
    }
    r
}

/// Cuts `n` rows into tiles of at most `most`, as equal as possible, and calls `f(start, len)` for each.
#[inline(always)]
pub(crate) fn balanced(n: usize, most: usize, mut f: impl FnMut(usize, usize)) {
    let tiles = n.div_ceil(most);
    let (mut start, mut left) = (0, tiles);
    while left > 0 {
        let len = (n - start).div_ceil(left);
        f(start, len);
        start += len;
        left -= 1;
    }
}
