//! `CallbackHandle`: what the library says while a model is trained.

use crate::abi::{self, mxr_callback_t};
use crate::convert::Registered;
use crate::error::check;
use crate::handle::handle;
use crate::library::abi;
use crate::registered::CALLBACKS;
use crate::symbol::{Texts, taken};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ptr;

handle! {
    /// A callback of the library.
    CallbackHandle, mxr_callback_t, mxr_callback_free
}

// SAFETY of all blocks: handles are live while their objects are borrowed, texts and lists live for the call, and
// places are given for what comes back.
#[pymethods]
impl CallbackHandle {
    #[new]
    fn new(py: Python<'_>, name: &str, attrs: &Bound<'_, PyDict>) -> PyResult<CallbackHandle> {
        let known = Registered::find(&CALLBACKS, name)?;
        let mut values = known.values(attrs)?;
        let attrs = values.finish();
        CallbackHandle::made(py, |out| unsafe {
            (abi().mxr_callback_create)(known.name.as_ptr(), attrs.as_ptr(), attrs.len() as i32, out)
        })
    }

    /// Tells it of a batch; true if `call` is to follow.
    fn due(&self, py: Python<'_>, epoch: i64, batch: i64, seconds: f64) -> PyResult<bool> {
        let mut due = 0;
        check(py, unsafe { (abi().mxr_callback_due)(self.ptr(), epoch, batch, seconds, &raw mut due) })?;
        Ok(due != 0)
    }

    /// Asks it, with names and values of the metric if there is one: a text, whether the metric is to begin again,
    /// whether a checkpoint is to be written.
    fn call(
        &self,
        py: Python<'_>,
        epoch: i64,
        batch: i64,
        seconds: f64,
        told: Option<Vec<(String, f64)>>,
    ) -> PyResult<(Option<String>, bool, bool)> {
        let pairs = told.as_deref().unwrap_or_default();
        let names = Texts::of(pairs.iter().map(|(name, _)| Some(name.as_str())))?;
        let values: Vec<f64> = pairs.iter().map(|(_, value)| *value).collect();
        let texts = if told.is_some() { names.pointers.as_ptr() } else { ptr::null() };
        let (mut text, mut actions) = (ptr::null_mut(), 0);
        check(py, unsafe {
            (abi().mxr_callback_call)(
                self.ptr(),
                epoch,
                batch,
                seconds,
                texts,
                values.as_ptr(),
                values.len() as i32,
                &raw mut text,
                &raw mut actions,
            )
        })?;
        let wants = |action| actions & action != 0;
        Ok((taken(text), wants(abi::MXR_CALLBACK_RESET_METRIC), wants(abi::MXR_CALLBACK_SAVE)))
    }
}
