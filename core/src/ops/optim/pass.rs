//! The loop of all updates: weight, gradient and states are read once and written once.
//!
//! Elements go through blocks on the stack, so that the arithmetic is a loop over arrays that nothing else
//! names, which vectorises however many states there are and although weight and output may be the same.

// Loops over the lanes of fixed arrays: the form that vectorises.
#![allow(clippy::needless_range_loop)]

use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::kernels::math::Real;
use crate::kernels::simd::{Isa, isa};
use crate::op::kernel::Kernel;
use crate::parallel;

/// Elements of a block.
const BLOCK: usize = 64;

/// Fewest blocks that are worth another thread.
const GRAIN: usize = 256;

/// The arithmetic of an update with `S` states and `P` numbers.
pub(super) trait Update<const S: usize, const P: usize> {
    /// The new weight and states of one element.
    fn step<A: Real>(p: &[A; P], weight: A, grad: A, states: [A; S]) -> (A, [A; S]);
}

/// A type whose elements are computed with in `A`.
pub(super) trait Stored<A>: Element {
    fn widen(self) -> A;
    fn narrow(a: A) -> Self;
}

macro_rules! stored {
    ($($t:ty as $a:ty: |$x:ident| $widen:expr, |$y:ident| $narrow:expr;)*) => {$(
        impl Stored<$a> for $t {
            #[inline(always)]
            fn widen(self) -> $a { let $x = self; $widen }
            #[inline(always)]
            fn narrow($y: $a) -> Self { $narrow }
        }
    )*};
}
stored! {
    f32 as f32: |x| x, |y| y;
    f64 as f64: |x| x, |y| y;
    half::f16 as f32: |x| x.to_f32(), |y| half::f16::from_f32(y);
    half::bf16 as f32: |x| x.to_f32(), |y| half::bf16::from_f32(y);
}

/// Which arrays of the call an update works on.
#[derive(Clone, Copy)]
pub(super) struct Places<const S: usize> {
    pub(super) weight: usize,
    pub(super) grad: usize,
    pub(super) states: [usize; S],
    pub(super) out: usize,
}

impl<const S: usize> Places<S> {
    /// Weight, gradient, states, in this order.
    pub(super) fn in_order() -> Self {
        Places { weight: 0, grad: 1, states: std::array::from_fn(|i| i + 2), out: 0 }
    }
}

/// Addresses of the first elements. The weight and the output may be the same.
struct Arrays<T, U, O, const S: usize> {
    weight: *const T,
    grad: *const T,
    states: [*mut U; S],
    out: *mut O,
}

// SAFETY: threads work on ranges that do not overlap.
unsafe impl<T, U, O, const S: usize> Sync for Arrays<T, U, O, S> {}

impl<T, U, O, const S: usize> Arrays<T, U, O, S> {
    /// Updates the elements `at..at + n`; `n` is at most [`BLOCK`].
    ///
    /// # Safety
    /// All arrays hold these elements, and nothing else uses them meanwhile.
    #[inline(always)]
    unsafe fn block<R, A, const P: usize>(&self, p: &[A; P], at: usize, n: usize)
    where
        R: Update<S, P>,
        A: Real,
        T: Stored<A>,
        U: Stored<A>,
        O: Stored<A>,
    {
        let (mut w, mut g, mut s) = ([A::ZERO; BLOCK], [A::ZERO; BLOCK], [[A::ZERO; BLOCK]; S]);
        // SAFETY: the caller's promise; values are read before any is written.
        unsafe {
            for i in 0..n {
                w[i] = self.weight.add(at + i).read().widen();
                g[i] = self.grad.add(at + i).read().widen();
            }
            for (s, from) in s.iter_mut().zip(self.states) {
                for i in 0..n {
                    s[i] = from.add(at + i).read().widen();
                }
            }
        }
        for i in 0..BLOCK {
            let (weight, states) = R::step(p, w[i], g[i], std::array::from_fn(|j| s[j][i]));
            w[i] = weight;
            for j in 0..S {
                s[j][i] = states[j];
            }
        }
        // SAFETY: the caller's promise.
        unsafe {
            for i in 0..n {
                self.out.add(at + i).write(O::narrow(w[i]));
            }
            for (s, to) in s.iter().zip(self.states) {
                for i in 0..n {
                    to.add(at + i).write(U::narrow(s[i]));
                }
            }
        }
    }

    /// Updates a range of elements.
    ///
    /// # Safety
    /// As [`Arrays::block`].
    #[inline(always)]
    unsafe fn range<R, A, const P: usize>(&self, p: &[A; P], start: usize, end: usize)
    where
        R: Update<S, P>,
        A: Real,
        T: Stored<A>,
        U: Stored<A>,
        O: Stored<A>,
    {
        let mut at = start;
        while at + BLOCK <= end {
            // SAFETY: the caller's promise.
            unsafe { self.block::<R, A, P>(p, at, BLOCK) };
            at += BLOCK;
        }
        if at < end {
            // SAFETY: the caller's promise.
            unsafe { self.block::<R, A, P>(p, at, end - at) };
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn range_avx2<R, A, const P: usize>(&self, p: &[A; P], start: usize, end: usize)
    where
        R: Update<S, P>,
        A: Real,
        T: Stored<A>,
        U: Stored<A>,
        O: Stored<A>,
    {
        // SAFETY: the caller's promise.
        unsafe { self.range::<R, A, P>(p, start, end) }
    }
}

/// Runs an update where weight and gradient are of type `T`, states of `U` and the output of `O`.
fn run<R, A, T, U, O, const S: usize, const P: usize>(k: &Kernel, places: Places<S>, p: [f64; P])
where
    R: Update<S, P>,
    A: Real,
    T: Stored<A>,
    U: Stored<A>,
    O: Stored<A>,
{
    let len = k.shape(places.weight).len();
    let _ = (k.input::<T>(places.grad), k.output::<O>(places.out));
    let arrays: Arrays<T, U, O, S> = Arrays {
        weight: k.input_ptr(places.weight).cast(),
        grad: k.input_ptr(places.grad).cast(),
        states: places.states.map(|i| k.state::<U>(i).as_mut_ptr()),
        out: k.output_ptr(places.out).cast(),
    };
    let p = p.map(A::from_f64);
    parallel::for_each_range(len.div_ceil(BLOCK), GRAIN, |blocks| {
        let (start, end) = (blocks.start * BLOCK, (blocks.end * BLOCK).min(len));
        #[cfg(target_arch = "x86_64")]
        if isa() >= Isa::Avx2 && is_x86_feature_detected!("f16c") {
            // SAFETY: ranges do not overlap, all arrays have `len` elements, the processor has the features.
            return unsafe { arrays.range_avx2::<R, A, P>(&p, start, end) };
        }
        // SAFETY: as above.
        unsafe { arrays.range::<R, A, P>(&p, start, end) }
    });
}

/// Runs an update whose arrays are all of one dtype.
pub(super) fn update<R: Update<S, P>, const S: usize, const P: usize>(
    k: &Kernel,
    places: Places<S>,
    p: [f64; P],
) -> Result<()> {
    use half::{bf16, f16};
    match k.dtype(places.weight) {
        DType::F64 => run::<R, f64, f64, f64, f64, S, P>(k, places, p),
        DType::F32 => run::<R, f32, f32, f32, f32, S, P>(k, places, p),
        DType::F16 => run::<R, f32, f16, f16, f16, S, P>(k, places, p),
        DType::BF16 => run::<R, f32, bf16, bf16, bf16, S, P>(k, places, p),
        other => crate::bail!(Internal, "no kernel for dtype {other}"),
    }
    Ok(())
}

/// Runs an update with states in `f32`; the output is in `f32` too or has the weight's dtype.
pub(super) fn update_mixed<R: Update<S, P>, const S: usize, const P: usize>(
    k: &Kernel,
    places: Places<S>,
    p: [f64; P],
) -> Result<()> {
    use half::{bf16, f16};
    match (k.dtype(places.weight), k.out_dtype(places.out)) {
        (DType::F32, _) => run::<R, f32, f32, f32, f32, S, P>(k, places, p),
        (DType::F16, DType::F32) => run::<R, f32, f16, f32, f32, S, P>(k, places, p),
        (DType::F16, _) => run::<R, f32, f16, f32, f16, S, P>(k, places, p),
        (DType::BF16, DType::F32) => run::<R, f32, bf16, f32, f32, S, P>(k, places, p),
        (DType::BF16, _) => run::<R, f32, bf16, f32, bf16, S, P>(k, places, p),
        (other, _) => crate::bail!(Internal, "no kernel for dtype {other}"),
    }
    Ok(())
}
