//! `MetricHandle`: metrics of the library.

use crate::abi::mxr_metric_t;
use crate::array::handles;
use crate::convert::Registered;
use crate::error::unlocked;
use crate::handle::{handle, place};
use crate::library::abi;
use crate::registered::METRICS;
use crate::symbol::{Texts, texts_of};
use pyo3::prelude::*;
use pyo3::types::PyDict;

handle! {
    /// A metric that the library computes.
    MetricHandle, mxr_metric_t, mxr_metric_free
}

// SAFETY of all blocks: handles are live while their objects are borrowed, texts and lists live for the call, and
// places are given for what comes back.
#[pymethods]
impl MetricHandle {
    #[new]
    fn new(py: Python<'_>, name: &str, attrs: &Bound<'_, PyDict>) -> PyResult<MetricHandle> {
        let known = Registered::find(&METRICS, name)?;
        let mut values = known.values(attrs)?;
        let attrs = values.finish();
        MetricHandle::made(py, |out| unsafe {
            (abi().mxr_metric_create)(known.name.as_ptr(), attrs.as_ptr(), attrs.len() as i32, out)
        })
    }

    /// Takes in a batch.
    fn update(&self, py: Python<'_>, labels: &Bound<'_, PyAny>, preds: &Bound<'_, PyAny>) -> PyResult<()> {
        let ((_labels, labels), (_preds, preds)) = (handles(labels, false)?, handles(preds, false)?);
        unlocked(py, || unsafe {
            let (m, n) = (labels.len() as i32, preds.len() as i32);
            (abi().mxr_metric_update)(self.ptr(), labels.as_ptr(), m, preds.as_ptr(), n)
        })
    }

    /// Takes in a batch of arrays by name.
    fn update_named(
        &self,
        py: Python<'_>,
        labels: &Bound<'_, PyDict>,
        preds: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        let names = |given: &Bound<'_, PyDict>| {
            let names = given.keys().extract::<Vec<String>>()?;
            Texts::of(names.iter().map(|n| Some(n.as_str())))
        };
        let (label_names, pred_names) = (names(labels)?, names(preds)?);
        let (_labels, labels) = handles(labels.values().as_any(), false)?;
        let (_preds, preds) = handles(preds.values().as_any(), false)?;
        unlocked(py, || unsafe {
            (abi().mxr_metric_update_named)(
                self.ptr(),
                label_names.pointers.as_ptr(),
                labels.as_ptr(),
                labels.len() as i32,
                pred_names.pointers.as_ptr(),
                preds.as_ptr(),
                preds.len() as i32,
            )
        })
    }

    /// Forgets everything, or what `get` tells without `all`.
    fn reset(&self, py: Python<'_>, local: bool) -> PyResult<()> {
        let reset = if local { abi().mxr_metric_reset_local } else { abi().mxr_metric_reset };
        unlocked(py, || unsafe { reset(self.ptr()) })
    }

    /// Name and value, since the last reset of either kind, or with `all` since the last full one.
    fn get(&self, py: Python<'_>, all: bool) -> PyResult<(String, f64)> {
        let (mut value, mut n) = (f64::NAN, 0);
        let mut names = std::ptr::null_mut();
        unlocked(py, || unsafe {
            (abi().mxr_metric_get)(self.ptr(), all.into(), &raw mut names, &raw mut value, 1, &raw mut n)
        })?;
        let names = texts_of(py, |out| place(out, names))?;
        Ok((names.into_iter().next().unwrap_or_default(), value))
    }
}
