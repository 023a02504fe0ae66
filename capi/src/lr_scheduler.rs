//! Learning-rate schedules.

use crate::attr::{mxr_attr_t, read_attrs, string};
use crate::error::{guard, mxr_error_t};
use crate::out::out as place;
use crate::shared::{self, Handle, behind, give, lock};
use mxr_core::optim::{LrScheduler, lr_schedulers};
use std::ffi::c_char;
use std::sync::{Arc, Mutex};

/// A learning rate that depends on the number of updates. Optimizers may share one.
pub struct mxr_lr_scheduler_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_lr_scheduler_t {
    type Thing = Mutex<Box<dyn LrScheduler>>;
    const NAME: &'static str = "learning-rate schedule";
}

/// Makes a schedule by its name, such as `FactorScheduler` or `factor`, with attributes by the schema's ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_lr_scheduler_create(
    name: *const c_char,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
    out: *mut *mut mxr_lr_scheduler_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string, attributes and a place for the handle.
        unsafe {
            let out = place(out, "out")?;
            let attrs = read_attrs(attrs, num_attrs)?;
            let entry = lr_schedulers().find(string(name, "name")?)?;
            out.write(give(Arc::new(Mutex::new(entry.create(&attrs)?))));
        }
        Ok(())
    })
}

/// The learning rate when some parameter has had `num_update` updates, and none more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_lr_scheduler_value(
    scheduler: *const mxr_lr_scheduler_t,
    num_update: i64,
    lr: *mut f64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe { place(lr, "lr")?.write(lock(behind(scheduler, "scheduler")?).lr(num_update)) };
        Ok(())
    })
}

/// The learning rate that the schedule starts from after its warm-up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_lr_scheduler_base(
    scheduler: *const mxr_lr_scheduler_t,
    lr: *mut f64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe { place(lr, "lr")?.write(lock(behind(scheduler, "scheduler")?).base_lr()) };
        Ok(())
    })
}

/// Starts from another learning rate. Schedules that lead to a final learning rate keep their own, and all
/// keep their warm-up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_lr_scheduler_set_base(
    scheduler: *const mxr_lr_scheduler_t,
    lr: f64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle.
        unsafe { lock(behind(scheduler, "scheduler")?).set_base_lr(lr) };
        Ok(())
    })
}

/// Takes another reference to a schedule, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_lr_scheduler_retain(
    scheduler: *mut mxr_lr_scheduler_t,
) -> *mut mxr_lr_scheduler_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(scheduler) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_lr_scheduler_free(scheduler: *mut mxr_lr_scheduler_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(scheduler) }
}
