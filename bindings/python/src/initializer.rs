//! Initializers of the library.

use crate::abi::mxr_initializer_t;
use crate::array::NDArray;
use crate::convert::Registered;
use crate::error::check;
use crate::library::abi;
use crate::registered::INITIALIZERS;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::{CStr, CString};
use std::ptr;

/// An initializer that the library computes.
#[pyclass(module = "mxr._core", frozen)]
pub struct Initializer {
    handle: *mut mxr_initializer_t,
}
// SAFETY: the library's handles may be used and freed on any thread.
unsafe impl Send for Initializer {}
// SAFETY: as above.
unsafe impl Sync for Initializer {}

impl Drop for Initializer {
    fn drop(&mut self) {
        // SAFETY: the handle owns a reference, which ends here.
        unsafe { (abi().mxr_initializer_free)(self.handle) }
    }
}

#[pymethods]
impl Initializer {
    #[new]
    fn new(py: Python<'_>, name: &str, attrs: &Bound<'_, PyDict>) -> PyResult<Initializer> {
        let known = Registered::find(&INITIALIZERS, name)?;
        let mut values = known.values(attrs)?;
        let (attrs, mut handle) = (values.finish(), ptr::null_mut());
        // SAFETY: the name is a C string, the attributes are as many as is said, and a place is given.
        check(py, unsafe {
            let n = attrs.len() as i32;
            (abi().mxr_initializer_create)(known.name.as_ptr(), attrs.as_ptr(), n, &raw mut handle)
        })?;
        Ok(Initializer { handle })
    }

    /// Fills a weight.
    fn fill(&self, py: Python<'_>, array: PyRef<'_, NDArray>) -> PyResult<()> {
        // SAFETY: both handles are live.
        check(py, unsafe { (abi().mxr_initializer_fill)(self.handle, array.handle()) })
    }
}

/// What the name of a parameter says that it is, or None.
#[pyfunction]
pub fn role(name: &str) -> PyResult<Option<&'static str>> {
    let name = CString::new(name).map_err(|_| PyTypeError::new_err("a name has no zero bytes"))?;
    // SAFETY: the name is a C string; the library gives a static text or NULL.
    unsafe {
        let role = (abi().mxr_initializer_role)(name.as_ptr());
        Ok(if role.is_null() { None } else { CStr::from_ptr(role).to_str().ok() })
    }
}
