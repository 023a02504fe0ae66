//! Learning-rate schedules of the library.

use crate::abi::mxr_lr_scheduler_t;
use crate::convert::Registered;
use crate::error::check;
use crate::library::abi;
use crate::registered::LR_SCHEDULERS;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ptr;

/// A schedule that the library computes.
#[pyclass(module = "mxr._core", frozen)]
pub struct LRScheduler {
    handle: *mut mxr_lr_scheduler_t,
}
// SAFETY: the library's handles may be used and freed on any thread.
unsafe impl Send for LRScheduler {}
// SAFETY: as above.
unsafe impl Sync for LRScheduler {}

impl Drop for LRScheduler {
    fn drop(&mut self) {
        // SAFETY: the handle owns a reference, which ends here.
        unsafe { (abi().mxr_lr_scheduler_free)(self.handle) }
    }
}

#[pymethods]
impl LRScheduler {
    #[new]
    fn new(py: Python<'_>, name: &str, attrs: &Bound<'_, PyDict>) -> PyResult<LRScheduler> {
        let known = Registered::find(&LR_SCHEDULERS, name)?;
        let mut values = known.values(attrs)?;
        let (attrs, mut handle) = (values.finish(), ptr::null_mut());
        // SAFETY: the name is a C string, the attributes are as many as is said, and a place is given.
        check(py, unsafe {
            let n = attrs.len() as i32;
            (abi().mxr_lr_scheduler_create)(known.name.as_ptr(), attrs.as_ptr(), n, &raw mut handle)
        })?;
        Ok(LRScheduler { handle })
    }

    /// The learning rate after a number of updates.
    fn value(&self, py: Python<'_>, num_update: i64) -> PyResult<f64> {
        let mut lr = 0.0;
        // SAFETY: the handle is live, and a place is given.
        check(py, unsafe { (abi().mxr_lr_scheduler_value)(self.handle, num_update, &raw mut lr) })?;
        Ok(lr)
    }

    /// The learning rate that it starts from.
    fn base(&self, py: Python<'_>) -> PyResult<f64> {
        let mut lr = 0.0;
        // SAFETY: the handle is live, and a place is given.
        check(py, unsafe { (abi().mxr_lr_scheduler_base)(self.handle, &raw mut lr) })?;
        Ok(lr)
    }

    /// Starts from another learning rate.
    fn set_base(&self, py: Python<'_>, lr: f64) -> PyResult<()> {
        // SAFETY: the handle is live.
        check(py, unsafe { (abi().mxr_lr_scheduler_set_base)(self.handle, lr) })
    }
}
