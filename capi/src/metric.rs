//! Metrics: how good predictions are.

use crate::attr::{length, mxr_attr_t, read_attrs, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{arrays, as_arrays, mxr_array_t};
use crate::out::{out as place, places};
use crate::shared::{self, Handle, behind, give, lock, share};
use crate::text::{give_texts, mxr_texts_t};
use mxr_core::metric::{self, Metric, metrics};
use mxr_core::{NdArray, Result};
use std::ffi::c_char;
use std::sync::{Arc, Mutex};

/// A metric with what it has summed up.
pub struct mxr_metric_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_metric_t {
    type Thing = Mutex<Box<dyn Metric>>;
    const NAME: &'static str = "metric";
}

/// Makes a metric by its name, such as `acc`, with attributes by the schema's ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_create(
    name: *const c_char,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
    out: *mut *mut mxr_metric_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string, attributes and a place for the handle.
        unsafe {
            let out = place(out, "out")?;
            let attrs = read_attrs(attrs, num_attrs)?;
            let made = metrics().find(string(name, "name")?)?.create(&attrs)?;
            out.write(give(Arc::new(Mutex::new(made))));
        }
        Ok(())
    })
}

/// Adds a metric, which stays the caller's too, to a `CompositeEvalMetric`, of which it must not be made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_push(
    metric: *const mxr_metric_t,
    part: *mut mxr_metric_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives both handles.
        unsafe { metric::push(behind(metric, "metric")?, share(part, "part")?) }
    })
}

/// Takes in a batch: as many labels as predictions. Waits for nothing: what is wrong with elements is told by
/// `mxr_metric_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_update(
    metric: *const mxr_metric_t,
    labels: *const *mut mxr_array_t,
    num_labels: i32,
    preds: *const *mut mxr_array_t,
    num_preds: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many handles as it says.
        unsafe {
            let labels = arrays(labels, num_labels, "labels")?;
            let preds = arrays(preds, num_preds, "preds")?;
            lock(behind(metric, "metric")?).update(as_arrays(&labels), as_arrays(&preds))
        }
    })
}

/// Pairs `n` names with as many arrays.
pub(crate) unsafe fn with_names<'a>(
    names: *const *const c_char,
    arrays: &'a [NdArray],
    argument: &str,
) -> Result<Vec<(&'a str, &'a NdArray)>> {
    // SAFETY: the caller promises a C string for each array.
    unsafe {
        let names = slice(names, arrays.len(), argument)?;
        names.iter().zip(arrays).map(|(n, a)| Ok((string(*n, argument)?, a))).collect()
    }
}

/// Takes in a batch of which the attributes `label_names` and `output_names` choose arrays, all without them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_update_named(
    metric: *const mxr_metric_t,
    label_names: *const *const c_char,
    labels: *const *mut mxr_array_t,
    num_labels: i32,
    pred_names: *const *const c_char,
    preds: *const *mut mxr_array_t,
    num_preds: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many names and handles as it says.
        unsafe {
            let labels = arrays(labels, num_labels, "labels")?;
            let preds = arrays(preds, num_preds, "preds")?;
            let labels = with_names(label_names, as_arrays(&labels), "label_names")?;
            let preds = with_names(pred_names, as_arrays(&preds), "pred_names")?;
            lock(behind(metric, "metric")?).update_named(&labels, &preds)
        }
    })
}

/// Adds a sum and a count that the caller found by itself, to the metric `CustomMetric` or to another whose value is
/// their quotient.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_add(
    metric: *const mxr_metric_t,
    sum: f64,
    count: f64,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle.
    guard(|| unsafe { lock(behind(metric, "metric")?).add(sum, count) })
}

/// Forgets everything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_reset(metric: *const mxr_metric_t) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle.
        unsafe { lock(behind(metric, "metric")?).reset() };
        Ok(())
    })
}

/// Forgets everything but what `mxr_metric_get` tells with `global` not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_reset_local(metric: *const mxr_metric_t) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle.
        unsafe { lock(behind(metric, "metric")?).reset_local() };
        Ok(())
    })
}

/// The names, and the values as many as there is room for, since the last reset of either kind, or with `global` not
/// 0 since the last `mxr_metric_reset`. A value is not a number where there was nothing. `n` becomes their number.
/// Waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_get(
    metric: *const mxr_metric_t,
    global: i32,
    names: *mut *mut mxr_texts_t,
    values: *mut f64,
    room: i32,
    n: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, places, and room for `room` numbers.
        unsafe {
            let (names, n) = (place(names, "names")?, place(n, "n")?);
            let values = places(values, length(room.into(), "room")?, "values")?;
            let metric = lock(behind(metric, "metric")?);
            let told = if global == 0 { metric.get()? } else { metric.get_global()? };
            for (place, (_, value)) in values.iter_mut().zip(&told) {
                place.write(*value);
            }
            n.write(told.len() as i32);
            names.write(give_texts(told.into_iter().map(|(name, _)| name)));
        }
        Ok(())
    })
}

/// Takes another reference to a metric, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_retain(metric: *mut mxr_metric_t) -> *mut mxr_metric_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(metric) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_metric_free(metric: *mut mxr_metric_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(metric) }
}
