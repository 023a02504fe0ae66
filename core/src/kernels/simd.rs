//! Run-time dispatch.
/// Runs a loop.
#[inline(always)]
pub fn dispatch<R>(f: impl FnOnce() -> R) -> R {
    f()
}
