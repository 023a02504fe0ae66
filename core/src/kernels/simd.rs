//! Choice of the instruction path at run time.
//!
//! A loop is written once in plain Rust. [`simd_fn!`](crate::simd_fn) compiles its body twice, for the target's
//! baseline and with AVX2 and FMA enabled, and picks one per call by [`isa`]; LLVM vectorises each for its
//! registers. Wrap whole loops, not single elements: the choice costs a load and a branch.
//!
//! Rust never contracts `a * b + c`, so a loop of plain arithmetic gives equal bits on every path. Do not use
//! `mul_add` in such loops: without FMA in hardware it is a slow library call.

use std::sync::OnceLock;

/// An instruction path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// What the compilation target guarantees.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// The same with AVX-512F, for the inner kernels of matrix products; other loops are as on [`Isa::Avx2`].
    Avx512,
}

/// The path that this process uses: the best that the processor has, or `MXR_ISA` (`portable`, `avx2`) if that
/// is lower. It is read once.
#[inline]
pub fn isa() -> Isa {
    #[cfg(test)]
    if let Some(isa) = FORCED.get() {
        return isa;
    }
    static ISA: OnceLock<Isa> = OnceLock::new();
    *ISA.get_or_init(|| match std::env::var("MXR_ISA").as_deref() {
        Ok("portable") => Isa::Portable,
        Ok("avx2") => best().min(Isa::Avx2),
        _ => best(),
    })
}

#[cfg(target_arch = "x86_64")]
fn best() -> Isa {
    if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        Isa::Portable
    } else if cfg!(feature = "x86-v4") && is_x86_feature_detected!("avx512f") {
        Isa::Avx512
    } else {
        Isa::Avx2
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn best() -> Isa {
    Isa::Portable
}

#[cfg(test)]
thread_local! {
    static FORCED: std::cell::Cell<Option<Isa>> = const { std::cell::Cell::new(None) };
}

/// Runs `f` with the portable path on this thread, for tests. Work that `f` hands to other threads keeps theirs.
#[cfg(test)]
pub(crate) fn with_portable<R>(f: impl FnOnce() -> R) -> R {
    with_at_most(Isa::Portable, f)
}

/// Runs `f` with this path, or the best that the processor has if that is less, as [`with_portable`] does.
#[cfg(test)]
pub(crate) fn with_at_most<R>(most: Isa, f: impl FnOnce() -> R) -> R {
    let before = FORCED.replace(Some(best().min(most)));
    let r = f();
    FORCED.set(before);
    r
}

/// Defines functions whose bodies are compiled for every instruction path and chosen per call by
/// [`isa`](crate::kernels::simd::isa).
///
/// Everything that the body calls in its loops must be `#[inline(always)]` to be compiled for the path too. An
/// operation that is a parameter is therefore best a type with an `#[inline(always)]` method; a closure is only
/// inlined when it is small.
///
/// ```
/// mxr_core::simd_fn! {
///     /// Adds `b` to `a`.
///     pub fn add_assign<T: mxr_core::kernels::math::Real>(a: &mut [T], b: &[T]) {
///         for (a, b) in a.iter_mut().zip(b) {
///             *a = *a + *b;
///         }
///     }
/// }
/// let mut a = [1.0f32, 2.0];
/// add_assign(&mut a, &[10.0, 20.0]);
/// assert_eq!(a, [11.0, 22.0]);
/// ```
///
/// A type parameter takes exactly one bound; lifetimes and constants are not supported.
#[macro_export]
macro_rules! simd_fn {
    ($(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($T:ident: $B:path),* $(,)?>)?
        ($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    )*) => {$(
        $crate::simd_fn!(@one [$(#[$meta])*] [$vis] $name [$($($T: $B),*)?] [$($($T),*)?]
            [$($arg: $ty),*] [$($arg),*] [$($ret)?] $body);
    )*};
    (@one [$($meta:tt)*] [$vis:vis] $name:ident [$($gen:tt)*] [$($T:ident),*]
        [$($args:tt)*] [$($arg:ident),*] [$($ret:ty)?] $body:block) => {
        $($meta)*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name<$($gen)*>($($args)*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<$($gen)*>($($args)*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2<$($gen)*>($($args)*) $(-> $ret)? {
                body::<$($T),*>($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            if $crate::kernels::simd::isa() >= $crate::kernels::simd::Isa::Avx2 {
                // SAFETY: `isa` answers this only on a processor that has AVX2 and FMA.
                return unsafe { avx2::<$($T),*>($($arg),*) };
            }
            body::<$($T),*>($($arg),*)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::simd_fn! {
        fn scale<T: crate::kernels::math::Real>(x: &[T], by: T, out: &mut [T]) {
            for (o, x) in out.iter_mut().zip(x) {
                *o = *x * by;
            }
        }
    }

    #[test]
    fn both_paths_give_the_same_bits() {
        let x: Vec<f32> = (0..100).map(|i| i as f32 * 0.3).collect();
        let (mut a, mut b) = (vec![0.0; 100], vec![0.0; 100]);
        scale(&x, 1.7, &mut a);
        with_portable(|| {
            assert_eq!(isa(), Isa::Portable);
            scale(&x, 1.7, &mut b);
        });
        assert_eq!(a, b);
    }
}
