//! Numerical kernels that several operators share.
//!
//! Kernels work on plain slices and sizes; they know no array and no operator. Callers check arguments: a kernel
//! only asserts in debug builds. What a kernel computes depends on the shape, the element type and the
//! instruction path ([`simd::isa`]), never on the number of threads.

pub mod conv;
pub mod gemm;
pub mod index;
pub mod layout;
pub mod math;
mod micro;
pub mod normalize;
pub mod order;
pub(crate) mod packed;
pub mod pool;
pub mod reduce;
pub mod simd;
pub mod softmax;
pub mod special;
pub mod strided;
#[cfg(test)]
mod testing;

/// A mutable array that several threads write at disjoint places.
///
/// [`crate::parallel::for_each_range`] hands out ranges, not slices; a kernel whose pieces are not contiguous
/// shares its output through this.
pub(crate) struct Shared<T> {
    ptr: *mut T,
    len: usize,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Shared<T> {}

// SAFETY: `Shared` is a pointer and a length; every access goes through an unsafe method whose contract forbids
// overlapping use from several threads.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Shares `data` for the time of its borrow; the caller lets no use outlive it.
    pub(crate) fn new(data: &mut [T]) -> Self {
        Shared { ptr: data.as_mut_ptr(), len: data.len() }
    }

    /// The elements `start..start + len`.
    ///
    /// # Safety
    /// The range lies inside, the borrow given to [`Shared::new`] is still alive, and nothing else uses these
    /// elements meanwhile.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn slice<'a>(self, start: usize, len: usize) -> &'a mut [T] {
        debug_assert!(start + len <= self.len);
        // SAFETY: the caller's contract.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.add(start), len) }
    }

    /// Pointer to element `i`, which may be one past the end.
    #[inline(always)]
    pub(crate) fn at(self, i: usize) -> *mut T {
        debug_assert!(i <= self.len);
        self.ptr.wrapping_add(i)
    }
}

/// Calls `f(start, piece)` for contiguous pieces that cover `out`, in parallel when there are at least two of `grain`.
pub fn for_each_piece<T: Send>(out: &mut [T], grain: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    let (n, out) = (out.len(), Shared::new(out));
    crate::parallel::for_each_range(n, grain, |range| {
        // SAFETY: the ranges are disjoint and lie inside.
        f(range.start, unsafe { out.slice(range.start, range.len()) });
    });
}
