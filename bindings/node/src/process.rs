//! The library as a whole: found, described, waited for.

use crate::error::{Failure, check};
use crate::js::{Call, Result};
use mxr_abi::abi;
use mxr_abi::ffi::mxr_memory_t;
use napi_sys::{self as sys, napi_value};
use std::path::PathBuf;
use std::ptr;

/// `load(named, bundled, factory)`: finds libmxr and says which file it is. `factory` makes exceptions.
pub fn load(call: &Call) -> Result<napi_value> {
    let mut factory = ptr::null_mut();
    // SAFETY: the instance and the value are live.
    call.env.check(unsafe { sys::napi_create_reference(call.env.0, call.raw(2), 1, &raw mut factory) })?;
    call.env.state().factory.set(factory);
    let named = call.get::<Option<String>>(0, "MXR_LIBRARY")?.filter(|name| !name.is_empty());
    let bundled = call.get::<String>(1, "bundled")?;
    call.give(mxr_abi::load(named.map(PathBuf::from), PathBuf::from(bundled)).map_err(Failure::version)?)
}

/// `version()`
pub fn version(call: &Call) -> Result<napi_value> {
    call.give(mxr_abi::version())
}

/// `buildInfo()`
pub fn build_info(call: &Call) -> Result<napi_value> {
    call.give(mxr_abi::build_info())
}

/// `waitAll(milliseconds)`
pub fn wait_all(call: &Call) -> Result<napi_value> {
    // SAFETY: the function takes a number.
    check(unsafe { (abi().mxr_wait_all)(call.get(0, "milliseconds")?) })?;
    call.env.state().release(call.env);
    call.give(())
}

/// `shutdown(milliseconds)`
pub fn shutdown(call: &Call) -> Result<napi_value> {
    // SAFETY: the function takes a number.
    check(unsafe { (abi().mxr_shutdown)(call.get(0, "milliseconds")?) })?;
    call.give(())
}

/// `pending()`
pub fn pending(call: &Call) -> Result<napi_value> {
    // SAFETY: the function takes nothing.
    call.give(unsafe { (abi().mxr_engine_pending)() })
}

/// `numThreads()`
pub fn num_threads(call: &Call) -> Result<napi_value> {
    // SAFETY: the function takes nothing.
    call.give(unsafe { (abi().mxr_num_threads)() })
}

/// `seed(seed, kind, id)`
pub fn seed(call: &Call) -> Result<napi_value> {
    let (seed, kind, id) = (call.get::<u64>(0, "seed")?, call.get(1, "ctx")?, call.get(2, "ctx")?);
    // SAFETY: the function takes numbers.
    check(unsafe { (abi().mxr_random_seed)(seed, kind, id) })?;
    call.give(())
}

/// `memoryStats()`: in use, kept, and the peak, in bytes.
pub fn memory_stats(call: &Call) -> Result<napi_value> {
    let size = size_of::<mxr_memory_t>() as u32;
    let mut memory = mxr_memory_t { struct_size: size, in_use: 0, kept: 0, peak: 0 };
    // SAFETY: the struct says its size.
    check(unsafe { (abi().mxr_memory_stats)(&raw mut memory) })?;
    call.give(vec![memory.in_use, memory.kept, memory.peak])
}

/// `memoryTrim()`
pub fn memory_trim(call: &Call) -> Result<napi_value> {
    // SAFETY: the function takes nothing.
    unsafe { (abi().mxr_memory_trim)() };
    call.give(())
}
