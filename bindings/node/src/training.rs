//! Optimizers, learning-rate schedules and initializers.

use crate::attrs::{Attrs, Reader};
use crate::error::{Failure, check};
use crate::handles::{New, Of, list};
use crate::js::{Call, Result};
use crate::texts::{Texts, lasting, texts};
use mxr_abi::abi;
use mxr_abi::ffi::{
    mxr_array_t, mxr_attr_t, mxr_error_t, mxr_initializer_t, mxr_lr_scheduler_t, mxr_optimizer_t,
    mxr_updater_t,
};
use napi_sys::napi_value;
use std::ffi::c_char;
use std::ptr;

/// Makes what has a name and attributes: the first argument is the name, the second the attributes' texts.
pub fn created<T: crate::handles::Handle>(
    call: &Call,
    create: impl FnOnce(*const c_char, *const mxr_attr_t, i32, *mut *mut T) -> *mut mxr_error_t,
) -> Result<napi_value> {
    let name = Texts::one(&call.get::<String>(0, "name")?)?;
    let mut attrs = Attrs::read(call.env, &mut Reader::new(call.env), call.raw(1))?;
    let ((attrs, n), mut out) = (attrs.finish()?, ptr::null_mut());
    check(create(name.pointers[0], attrs, n, &raw mut out))?;
    call.give(New(out))
}

/// `schedulerCreate(name, texts)`
pub fn scheduler_create(call: &Call) -> Result<napi_value> {
    // SAFETY: the name is a C string, and there are as many attributes as is said.
    created::<mxr_lr_scheduler_t>(call, |name, attrs, n, out| unsafe {
        (abi().mxr_lr_scheduler_create)(name, attrs, n, out)
    })
}

/// `initializerCreate(name, texts)`
pub fn initializer_create(call: &Call) -> Result<napi_value> {
    // SAFETY: as above.
    created::<mxr_initializer_t>(call, |name, attrs, n, out| unsafe {
        (abi().mxr_initializer_create)(name, attrs, n, out)
    })
}

/// `optimizerCreate(name, texts, scheduler)`
pub fn optimizer_create(call: &Call) -> Result<napi_value> {
    let scheduler = call.get::<Option<Of<mxr_lr_scheduler_t>>>(2, "lr_scheduler")?;
    let scheduler = scheduler.map_or(ptr::null_mut(), |scheduler| scheduler.0);
    // SAFETY: as above, and the handle is live or NULL.
    created::<mxr_optimizer_t>(call, |name, attrs, n, out| unsafe {
        (abi().mxr_optimizer_create)(name, attrs, n, scheduler, out)
    })
}

fn optimizer(call: &Call) -> Result<*mut mxr_optimizer_t> {
    Ok(call.get::<Of<mxr_optimizer_t>>(0, "optimizer")?.0)
}

/// `optimizerSet(optimizer, texts)`: changes attributes.
pub fn optimizer_set(call: &Call) -> Result<napi_value> {
    let optimizer = optimizer(call)?;
    let mut attrs = Attrs::read(call.env, &mut Reader::new(call.env), call.raw(1))?;
    let (attrs, n) = attrs.finish()?;
    // SAFETY: the handle is live, and there are as many attributes as is said.
    check(unsafe { (abi().mxr_optimizer_set)(optimizer, attrs, n) })?;
    call.give(())
}

/// `optimizerLearningRate(optimizer)`
pub fn optimizer_learning_rate(call: &Call) -> Result<napi_value> {
    let (optimizer, mut lr) = (optimizer(call)?, 0.0);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_optimizer_learning_rate)(optimizer, &raw mut lr) })?;
    call.give(lr)
}

/// `optimizerSetLearningRate(optimizer, lr)`
pub fn optimizer_set_learning_rate(call: &Call) -> Result<napi_value> {
    let optimizer = optimizer(call)?;
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_optimizer_set_learning_rate)(optimizer, call.get(1, "lr")?) })?;
    call.give(())
}

/// `optimizerSetNames(optimizer, indices, names)`
pub fn optimizer_set_names(call: &Call) -> Result<napi_value> {
    let (optimizer, indices) = (optimizer(call)?, call.get::<Vec<i64>>(1, "indices")?);
    let names = texts(call, 2, "names")?;
    let n = names.len().min(indices.len() as i32);
    // SAFETY: the handle is live, and there are as many names as is said.
    check(unsafe {
        (abi().mxr_optimizer_set_names)(optimizer, indices.as_ptr(), names.pointers.as_ptr(), n)
    })?;
    call.give(())
}

/// `optimizerSetMults(optimizer, decay, names, factors)`: factors of the learning rate, or of the decay.
pub fn optimizer_set_mults(call: &Call) -> Result<napi_value> {
    let (optimizer, decay) = (optimizer(call)?, call.get::<bool>(1, "decay")?);
    let (names, factors) = (texts(call, 2, "names")?, call.get::<Vec<f64>>(3, "factors")?);
    let n = names.len().min(factors.len() as i32);
    let set = if decay { abi().mxr_optimizer_set_wd_mults } else { abi().mxr_optimizer_set_lr_mults };
    // SAFETY: the handle is live, and there are as many names as is said.
    check(unsafe { set(optimizer, ptr::null(), names.pointers.as_ptr(), factors.as_ptr(), n) })?;
    call.give(())
}

/// `optimizerSetMult(optimizer, index, lrMult, wdMult)`
pub fn optimizer_set_mult(call: &Call) -> Result<napi_value> {
    let (optimizer, index) = (optimizer(call)?, call.get(1, "index")?);
    let (lr, wd) = (call.get(2, "lr_mult")?, call.get(3, "wd_mult")?);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_optimizer_set_mult)(optimizer, index, lr, wd) })?;
    call.give(())
}

/// `optimizerRates(optimizer, index)`: learning rate and decay.
pub fn optimizer_rates(call: &Call) -> Result<napi_value> {
    let (optimizer, index) = (optimizer(call)?, call.get(1, "index")?);
    let (mut lr, mut wd) = (0.0, 0.0);
    // SAFETY: the handle is live, and places are given.
    check(unsafe { (abi().mxr_optimizer_rates)(optimizer, index, &raw mut lr, &raw mut wd) })?;
    call.give((lr, wd))
}

/// `optimizerNumUpdate(optimizer)`
pub fn optimizer_num_update(call: &Call) -> Result<napi_value> {
    let (optimizer, mut n) = (optimizer(call)?, 0i64);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_optimizer_num_update)(optimizer, &raw mut n) })?;
    call.give(n)
}

/// `optimizerCount(optimizer, index)`: counts an update, and says how many there are.
pub fn optimizer_count(call: &Call) -> Result<napi_value> {
    let (optimizer, index, mut t) = (optimizer(call)?, call.get(1, "index")?, 0i64);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_optimizer_count)(optimizer, index, 0, &raw mut t) })?;
    call.give(t)
}

/// `updaterCreate(optimizer)`
pub fn updater_create(call: &Call) -> Result<napi_value> {
    let (optimizer, mut out) = (optimizer(call)?, ptr::null_mut());
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_updater_create)(optimizer, &raw mut out) })?;
    call.give(New(out))
}

fn updater(call: &Call) -> Result<*mut mxr_updater_t> {
    Ok(call.get::<Of<mxr_updater_t>>(0, "updater")?.0)
}

/// `updaterUpdate(updater, index, grad, weight)`
pub fn updater_update(call: &Call) -> Result<napi_value> {
    let (updater, index) = (updater(call)?, call.get(1, "index")?);
    let grad = call.get::<Of<mxr_array_t>>(2, "grad")?.0;
    let weight = call.get::<Of<mxr_array_t>>(3, "weight")?.0;
    // SAFETY: the handles are live.
    check(unsafe { (abi().mxr_updater_update)(updater, index, grad, weight) })?;
    call.give(())
}

/// `updaterIndices(updater)`
pub fn updater_indices(call: &Call) -> Result<napi_value> {
    let (updater, mut n) = (updater(call)?, 0);
    // SAFETY: the handle is live; there is no room.
    check(unsafe { (abi().mxr_updater_indices)(updater, ptr::null_mut(), 0, &raw mut n) })?;
    let mut indices = vec![0; n as usize];
    // SAFETY: as above, and there is so much room.
    check(unsafe { (abi().mxr_updater_indices)(updater, indices.as_mut_ptr(), n, &raw mut n) })?;
    call.give(indices)
}

/// Arrays that a state may consist of.
const STATES: usize = 16;

/// `updaterState(updater, index)`
pub fn updater_state(call: &Call) -> Result<napi_value> {
    let (updater, index) = (updater(call)?, call.get(1, "index")?);
    let (mut states, mut n) = ([ptr::null_mut(); STATES], STATES as i32);
    // SAFETY: the handle is live, and there is so much room.
    check(unsafe { (abi().mxr_updater_state)(updater, index, states.as_mut_ptr(), &raw mut n) })?;
    call.give(states[..n as usize].iter().map(|array| New(*array)).collect::<Vec<_>>())
}

/// `updaterSetState(updater, index, states)`
pub fn updater_set_state(call: &Call) -> Result<napi_value> {
    let (updater, index) = (updater(call)?, call.get(1, "index")?);
    let states = list::<mxr_array_t>(call, 2, "states")?;
    // SAFETY: handles are live, and there are as many as is said.
    check(unsafe { (abi().mxr_updater_set_state)(updater, index, states.as_ptr(), states.len() as i32) })?;
    call.give(())
}

/// Bytes that the library makes, copied to the Uint8Array that is the second argument if it has their number, which is
/// the result.
pub fn bytes(
    call: &Call,
    make: impl FnOnce(*mut *mut u8, *mut u64) -> *mut mxr_error_t,
) -> Result<napi_value> {
    let (mut data, mut n) = (ptr::null_mut(), 0);
    let (place, room) = call.env.memory(call.raw(1), "place")?;
    check(make(&raw mut data, &raw mut n))?;
    // SAFETY: the bytes are owned here and freed once; the place has room for them.
    unsafe {
        if room as u64 == n {
            ptr::copy_nonoverlapping(data.cast_const(), place.cast::<u8>(), room);
        }
        (abi().mxr_bytes_free)(data, n);
    }
    call.give(n)
}

/// A handle that stays while a call runs, in which JavaScript may run.
pub struct Kept<T> {
    /// The handle.
    pub handle: *mut T,
    free: unsafe extern "C" fn(*mut T),
}

/// Takes a reference to a live handle until the result is dropped.
pub fn keep<T>(
    handle: *mut T,
    retain: unsafe extern "C" fn(*mut T) -> *mut T,
    free: unsafe extern "C" fn(*mut T),
) -> Kept<T> {
    // SAFETY: the handle is live.
    Kept { handle: unsafe { retain(handle) }, free }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        // SAFETY: the reference was taken above.
        unsafe { (self.free)(self.handle) }
    }
}

/// `updaterToBytes(updater, place)`
pub fn updater_to_bytes(call: &Call) -> Result<napi_value> {
    let updater = updater(call)?;
    // SAFETY: the handle is live.
    bytes(call, |data, n| unsafe { (abi().mxr_updater_to_bytes)(updater, data, n) })
}

/// `updaterSetBytes(updater, bytes)`
pub fn updater_set_bytes(call: &Call) -> Result<napi_value> {
    let (updater, (bytes, n)) = (updater(call)?, call.env.memory(call.raw(1), "states")?);
    // SAFETY: the handle is live, and there are so many bytes.
    check(unsafe { (abi().mxr_updater_set_bytes)(updater, bytes.cast(), n as u64) })?;
    call.give(())
}

fn scheduler(call: &Call) -> Result<*mut mxr_lr_scheduler_t> {
    Ok(call.get::<Of<mxr_lr_scheduler_t>>(0, "lr_scheduler")?.0)
}

/// `schedulerValue(scheduler, numUpdate)`
pub fn scheduler_value(call: &Call) -> Result<napi_value> {
    let (scheduler, mut lr) = (scheduler(call)?, 0.0);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_lr_scheduler_value)(scheduler, call.get(1, "num_update")?, &raw mut lr) })?;
    call.give(lr)
}

/// `schedulerBase(scheduler)`
pub fn scheduler_base(call: &Call) -> Result<napi_value> {
    let (scheduler, mut lr) = (scheduler(call)?, 0.0);
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_lr_scheduler_base)(scheduler, &raw mut lr) })?;
    call.give(lr)
}

/// `schedulerSetBase(scheduler, lr)`
pub fn scheduler_set_base(call: &Call) -> Result<napi_value> {
    let scheduler = scheduler(call)?;
    // SAFETY: the handle is live.
    check(unsafe { (abi().mxr_lr_scheduler_set_base)(scheduler, call.get(1, "lr")?) })?;
    call.give(())
}

/// `initializerParse(text)`
pub fn initializer_parse(call: &Call) -> Result<napi_value> {
    let (text, mut out) = (Texts::one(&call.get::<String>(0, "text")?)?, ptr::null_mut());
    // SAFETY: the text is a C string.
    check(unsafe { (abi().mxr_initializer_parse)(text.pointers[0], &raw mut out) })?;
    call.give(New(out))
}

/// `initializerApply(initializer, name, own, array)`: without a name fills the array as a weight.
pub fn initializer_apply(call: &Call) -> Result<napi_value> {
    let initializer = call.get::<Of<mxr_initializer_t>>(0, "initializer")?.0;
    let (name, own) = (call.get::<Option<String>>(1, "name")?, call.get::<Option<String>>(2, "own")?);
    let array = call.get::<Of<mxr_array_t>>(3, "array")?.0;
    let texts = Texts::some([name.as_deref(), own.as_deref()])?;
    let [name, own] = texts.pointers[..] else { return Err(Failure::internal("two texts are two")) };
    // SAFETY: handles are live, and texts are C strings or NULL where they may be.
    check(unsafe {
        if name.is_null() {
            (abi().mxr_initializer_fill)(initializer, array)
        } else {
            (abi().mxr_initializer_apply)(initializer, name, own, array)
        }
    })?;
    call.give(())
}

/// `initializerRole(name)`
pub fn initializer_role(call: &Call) -> Result<napi_value> {
    let name = Texts::one(&call.get::<String>(0, "name")?)?;
    // SAFETY: the name is a C string, and the text is static.
    unsafe { lasting(call.env, (abi().mxr_initializer_role)(name.pointers[0])) }
}
