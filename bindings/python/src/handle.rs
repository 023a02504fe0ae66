//! Classes that own a handle of the library.

use crate::abi::mxr_error_t;
use crate::error::unlocked;
use pyo3::prelude::*;
use std::ptr;

/// What a function of the library leaves at a place, called without the interpreter lock; see [`unlocked`].
pub fn made<T>(py: Python<'_>, make: impl FnOnce(*mut *mut T) -> *mut mxr_error_t) -> PyResult<*mut T> {
    let mut out = ptr::null_mut();
    unlocked(py, || make(&raw mut out))?;
    Ok(out)
}

/// Leaves at a place what was made before.
pub fn place<T>(out: *mut *mut T, made: *mut T) -> *mut mxr_error_t {
    // SAFETY: those who call this give a place.
    unsafe { out.write(made) };
    ptr::null_mut()
}

/// A class that owns a handle of the library.
macro_rules! handle {
    ($(#[doc = $doc:literal])* $class:ident, $type:ty, $free:ident) => {
        $(#[doc = $doc])*
        #[pyclass(module = "mxr._core", frozen)]
        pub struct $class {
            handle: std::ptr::NonNull<$type>,
        }
        // SAFETY: the library's handles may be used and freed on any thread.
        unsafe impl Send for $class {}
        // SAFETY: as above.
        unsafe impl Sync for $class {}

        impl Drop for $class {
            fn drop(&mut self) {
                // SAFETY: the handle owns a reference, which ends here; freeing never blocks.
                unsafe { (crate::library::abi().$free)(self.handle.as_ptr()) }
            }
        }

        impl $class {
            /// What a function of the library leaves at the place it is given.
            pub(crate) fn made(
                py: Python<'_>,
                make: impl FnOnce(*mut *mut $type) -> *mut crate::abi::mxr_error_t,
            ) -> PyResult<$class> {
                let mut out = std::ptr::null_mut();
                crate::error::check(py, make(&raw mut out))?;
                let handle = std::ptr::NonNull::new(out).ok_or_else(|| pyo3::exceptions::PyValueError::new_err("the library gave nothing"))?;
                Ok($class { handle })
            }

            /// The handle, borrowed.
            pub(crate) fn ptr(&self) -> *mut $type {
                self.handle.as_ptr()
            }
        }
    };
}
pub(crate) use handle;
