//! Callbacks: what is said and done while a model is trained.

use crate::attr::{length, mxr_attr_t, owned_string, read_attrs, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::out::out as place;
use crate::shared::{self, Handle, behind, give, lock};
use mxr_core::Result;
use mxr_core::callback::{Callback, Moment, callbacks};
use std::ffi::c_char;
use std::ptr;
use std::sync::{Arc, Mutex};

/// Is told of each batch or epoch.
pub struct mxr_callback_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_callback_t {
    type Thing = Mutex<Box<dyn Callback>>;
    const NAME: &'static str = "callback";
}

/// A callback wants the metric to forget what it has told: `mxr_metric_reset_local`.
pub const MXR_CALLBACK_RESET_METRIC: i32 = 1;
/// A callback wants a checkpoint of the epoch, under its number from 1, by the attributes that it was made with.
pub const MXR_CALLBACK_SAVE: i32 = 2;

/// Makes a callback by its name, such as `Speedometer`, with attributes by the schema's ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_callback_create(
    name: *const c_char,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
    out: *mut *mut mxr_callback_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string, attributes and a place for the handle.
        unsafe {
            let out = place(out, "out")?;
            let attrs = read_attrs(attrs, num_attrs)?;
            let made = callbacks().find(string(name, "name")?)?.create(&attrs)?;
            out.write(give(Arc::new(Mutex::new(made))));
        }
        Ok(())
    })
}

/// Tells a callback of a batch of an epoch, both from 0, and the time in seconds from any beginning; `due` becomes 1
/// if `mxr_callback_call` is to follow, for which the metric is then asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_callback_due(
    callback: *const mxr_callback_t,
    epoch: i64,
    batch: i64,
    seconds: f64,
    due: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe {
            let due = place(due, "due")?;
            let now = Moment { epoch, batch, seconds };
            due.write(i32::from(lock(behind(callback, "callback")?).due(&now)));
        }
        Ok(())
    })
}

/// Asks a callback that was due, with `n` names and values of the metric; `names` is NULL without a metric.
///
/// `text` becomes what is to be printed, as a line unless it ends in a carriage return, for the caller to free, or
/// NULL. `actions` become `MXR_CALLBACK_…`, combined. @nullable names, values
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_callback_call(
    callback: *const mxr_callback_t,
    epoch: i64,
    batch: i64,
    seconds: f64,
    names: *const *const c_char,
    values: *const f64,
    n: i32,
    text: *mut *mut c_char,
    actions: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, `n` of each, and places.
        unsafe {
            let (text, actions) = (place(text, "text")?, place(actions, "actions")?);
            let callback = behind(callback, "callback")?;
            let told = if names.is_null() { None } else { Some(self::values(names, values, n)?) };
            let reply = lock(callback).call(&Moment { epoch, batch, seconds }, told.as_ref());
            let action = |wanted: bool, action: i32| if wanted { action } else { 0 };
            actions.write(
                action(reply.reset_metric, MXR_CALLBACK_RESET_METRIC) | action(reply.save, MXR_CALLBACK_SAVE),
            );
            text.write(reply.text.map_or(ptr::null_mut(), |t| owned_string(&t)));
        }
        Ok(())
    })
}

unsafe fn values(names: *const *const c_char, values: *const f64, n: i32) -> Result<Vec<(String, f64)>> {
    // SAFETY: the caller promises `n` of each.
    unsafe {
        let n = length(n.into(), "n")?;
        let (names, values) = (slice(names, n, "names")?, slice(values, n, "values")?);
        names.iter().zip(values).map(|(n, v)| Ok((string(*n, "names")?.to_owned(), *v))).collect()
    }
}

/// Takes another reference to a callback, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_callback_retain(callback: *mut mxr_callback_t) -> *mut mxr_callback_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(callback) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_callback_free(callback: *mut mxr_callback_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(callback) }
}
