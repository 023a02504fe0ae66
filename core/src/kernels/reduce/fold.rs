//! The folding loops, compiled per accumulator and reduction.

use super::Reduction;
use crate::dtype::{Bool, Element};
use half::{bf16, f16};

/// A type that reductions accumulate in: `f32`, `f64` or `i64`.
#[allow(missing_docs)]
pub trait Accumulator: Element {
    const ZERO: Self;
    const ONE: Self;
    const LOWEST: Self;
    const HIGHEST: Self;
    fn plus(self, x: Self) -> Self;
    fn times(self, x: Self) -> Self;
    fn magnitude(self) -> Self;
    fn is_nan(self) -> bool;
    /// What a reduction over nothing gives.
    fn start(op: Reduction) -> Self {
        match op {
            Reduction::Prod | Reduction::NanProd => Self::ONE,
            Reduction::Max => Self::LOWEST,
            Reduction::Min => Self::HIGHEST,
            _ => Self::ZERO,
        }
    }
}

macro_rules! accumulator {
    ($($t:ident, $low:expr, $high:expr, $plus:expr, $times:expr, $abs:expr, $nan:expr;)*) => {$(
        impl Accumulator for $t {
            const ZERO: $t = 0 as $t;
            const ONE: $t = 1 as $t;
            const LOWEST: $t = $low;
            const HIGHEST: $t = $high;
            #[inline(always)]
            fn plus(self, x: $t) -> $t { $plus(self, x) }
            #[inline(always)]
            fn times(self, x: $t) -> $t { $times(self, x) }
            #[inline(always)]
            fn magnitude(self) -> $t { $abs(self) }
            #[inline(always)]
            fn is_nan(self) -> bool { $nan(self) }
        }
    )*};
}
accumulator! {
    f32, f32::NEG_INFINITY, f32::INFINITY, |a: f32, b| a + b, |a: f32, b| a * b, f32::abs, f32::is_nan;
    f64, f64::NEG_INFINITY, f64::INFINITY, |a: f64, b| a + b, |a: f64, b| a * b, f64::abs, f64::is_nan;
    i64, i64::MIN, i64::MAX, i64::wrapping_add, i64::wrapping_mul, i64::wrapping_abs, |_| false;
}

/// A dtype that can be reduced.
pub trait ReduceElement: Element {
    /// What it accumulates in.
    type Acc: Accumulator + ReduceElement<Acc = Self::Acc>;
    /// Room for `n` widened elements, or none if widening needs none.
    fn buffer(n: usize) -> Vec<Self::Acc>;
    /// The elements as accumulators, by way of `buffer` if they are of another type.
    fn widen<'a>(src: &'a [Self], buffer: &'a mut [Self::Acc]) -> &'a [Self::Acc];
    /// The nearest element; integers wrap around.
    fn narrow(x: Self::Acc) -> Self;
}

macro_rules! same {
    ($($t:ty),*) => {$(
        impl ReduceElement for $t {
            type Acc = $t;
            fn buffer(_: usize) -> Vec<$t> { Vec::new() }
            #[inline(always)]
            fn widen<'a>(src: &'a [$t], _: &'a mut [$t]) -> &'a [$t] { src }
            fn narrow(x: $t) -> $t { x }
        }
    )*};
}
same!(f32, f64, i64);

macro_rules! wider {
    ($($t:ty => $acc:ty, $to:expr, $from:expr;)*) => {$(
        impl ReduceElement for $t {
            type Acc = $acc;
            fn buffer(n: usize) -> Vec<$acc> { vec![0 as $acc; n] }
            fn widen<'a>(src: &'a [$t], buffer: &'a mut [$acc]) -> &'a [$acc] {
                let buffer = &mut buffer[..src.len()];
                for (b, s) in buffer.iter_mut().zip(src) {
                    *b = $to(*s);
                }
                buffer
            }
            fn narrow(x: $acc) -> $t { $from(x) }
        }
    )*};
}
wider! {
    f16 => f32, f16::to_f32, f16::from_f32;
    bf16 => f32, bf16::to_f32, bf16::from_f32;
    i32 => i64, i64::from, |x| x as i32;
    i8 => i64, i64::from, |x| x as i8;
    u8 => i64, i64::from, |x| x as u8;
    Bool => i64, Bool::to_i64, Bool::from_i64;
}

/// A reduction as a type: how an element enters, and how two partial results join.
trait Fold {
    fn enter<A: Accumulator>(x: A) -> A;
    fn join<A: Accumulator>(a: A, b: A) -> A;
}

macro_rules! folds {
    ($($name:ident: |$x:ident| $enter:expr, |$a:ident, $b:ident| $join:expr;)*) => {$(
        struct $name;
        impl Fold for $name {
            #[inline(always)]
            fn enter<A: Accumulator>($x: A) -> A { $enter }
            #[inline(always)]
            fn join<A: Accumulator>($a: A, $b: A) -> A { $join }
        }
    )*};
}
folds! {
    Sum: |x| x, |a, b| a.plus(b);
    Prod: |x| x, |a, b| a.times(b);
    Max: |x| x, |a, b| if a > b || a.is_nan() { a } else { b };
    Min: |x| x, |a, b| if a < b || a.is_nan() { a } else { b };
    NanSum: |x| if x.is_nan() { A::ZERO } else { x }, |a, b| a.plus(b);
    NanProd: |x| if x.is_nan() { A::ONE } else { x }, |a, b| a.times(b);
    SumSquares: |x| x.times(x), |a, b| a.plus(b);
    SumAbs: |x| x.magnitude(), |a, b| a.plus(b);
}

/// Calls a function with the type of a reduction.
macro_rules! with_fold {
    ($op:expr, $F:ident => $body:expr, $($name:ident)*) => {
        match $op { $(Reduction::$name => { type $F = $name; $body })* }
    };
    ($op:expr, $F:ident => $body:expr) => {
        with_fold!($op, $F => $body, Sum Prod Max Min NanSum NanProd SumSquares SumAbs)
    };
}

/// Interleaved results along a row.
const LANES: usize = 32;

crate::simd_fn! {
    fn row<A: Accumulator, F: Fold>(kind: F, start: A, x: &[A]) -> A {
        let _ = kind;
        let mut lanes = [start; LANES];
        let chunks = x.chunks_exact(LANES);
        for (l, x) in lanes.iter_mut().zip(chunks.remainder()) {
            *l = F::join(*l, F::enter(*x));
        }
        for c in chunks {
            for l in 0..LANES {
                lanes[l] = F::join(lanes[l], F::enter(c[l]));
            }
        }
        let mut n = LANES;
        while n > 1 {
            n /= 2;
            for l in 0..n {
                lanes[l] = F::join(lanes[l], lanes[l + n]);
            }
        }
        lanes[0]
    }

    fn rows<A: Accumulator, F: Fold>(kind: F, acc: &mut [A], x: &[A]) {
        let _ = kind;
        for (a, x) in acc.iter_mut().zip(x) {
            *a = F::join(*a, F::enter(*x));
        }
    }
}

/// Folds a row into one value.
pub(super) fn fold_row<A: Accumulator>(op: Reduction, x: &[A]) -> A {
    with_fold!(op, F => row(F {}, A::start(op), x))
}

/// Folds a row into accumulators, element by element.
pub(super) fn fold_rows<A: Accumulator>(op: Reduction, acc: &mut [A], x: &[A]) {
    with_fold!(op, F => rows(F {}, acc, x))
}

/// Joins partial results as a tree: neighbours first.
pub(super) fn tree<A: Accumulator>(op: Reduction, x: &mut [A]) -> A {
    let mut n = x.len();
    while n > 1 {
        for i in 0..n / 2 {
            x[i] = fold_pair(op, x[2 * i], x[2 * i + 1]);
        }
        if n % 2 == 1 {
            x[n / 2] = x[n - 1];
        }
        n = n.div_ceil(2);
    }
    x[0]
}

fn fold_pair<A: Accumulator>(op: Reduction, a: A, b: A) -> A {
    with_fold!(op, F => F::join(a, b))
}
