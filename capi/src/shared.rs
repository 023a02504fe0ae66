//! Handles to things that several owners share: each handle is one reference.

use crate::handle::{came_back, check, given};
use mxr_core::Result;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A type of handles.
pub(crate) trait Handle: Sized {
    /// What they point to.
    type Thing: Send + Sync;
    /// What it is called in messages.
    const NAME: &'static str;
}

/// A handle that owns one reference.
pub(crate) fn give<H: Handle>(thing: Arc<H::Thing>) -> *mut H {
    let handle: *mut H = Arc::into_raw(thing).cast_mut().cast();
    given(handle, H::NAME);
    handle
}

/// What is behind a handle, for the time of a call.
pub(crate) unsafe fn behind<'a, H: Handle>(handle: *const H, argument: &str) -> Result<&'a H::Thing> {
    check(handle, H::NAME, argument)?;
    // SAFETY: the handle came from `give` and its owner keeps it during the call.
    Ok(unsafe { &*handle.cast::<H::Thing>() })
}

/// Another reference to what is behind a handle.
pub(crate) unsafe fn share<H: Handle>(handle: *const H, argument: &str) -> Result<Arc<H::Thing>> {
    check(handle, H::NAME, argument)?;
    // SAFETY: the handle came from `give`; the count is raised for the reference that is made of it.
    unsafe {
        Arc::increment_strong_count(handle.cast::<H::Thing>());
        Ok(Arc::from_raw(handle.cast::<H::Thing>()))
    }
}

/// Takes another reference, to be freed like the first. NULL gives NULL.
pub(crate) unsafe fn retain<H: Handle>(handle: *mut H) -> *mut H {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { share(handle, "handle") }.map_or(std::ptr::null_mut(), give)
}

/// Gives a reference back. NULL is allowed.
pub(crate) unsafe fn free<H: Handle>(handle: *mut H) {
    if !handle.is_null() && came_back(handle, H::NAME) {
        // SAFETY: the handle owns a reference, which ends here.
        drop(unsafe { Arc::from_raw(handle.cast_const().cast::<H::Thing>()) });
    }
}

/// The value in a mutex, whatever happened to its other users.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
