//! What holds for the calls of a thread: recording, training, device; and what the library asks of threads.

use crate::abi::{self, mxr_call_t};
use crate::error::check;
use crate::library::abi;
use pyo3::prelude::*;
use std::cell::Cell;

thread_local! {
    static CALL: Cell<mxr_call_t> = const {
        Cell::new(mxr_call_t { struct_size: size_of::<mxr_call_t>() as u32, flags: 0, device_kind: 0, device_id: 0 })
    };
}

/// The circumstances of a call on this thread.
#[inline]
pub fn call() -> mxr_call_t {
    CALL.get()
}

fn set_flag(flag: u32, on: bool) -> bool {
    let mut call = CALL.get();
    let before = call.flags & flag != 0;
    call.flags = if on { call.flags | flag } else { call.flags & !flag };
    CALL.set(call);
    before
}

/// Sets whether calls on this thread are recorded, and returns what held before.
#[pyfunction]
pub fn set_recording(on: bool) -> bool {
    set_flag(abi::MXR_CALL_RECORDING, on)
}

/// Sets whether a model is being trained on this thread, and returns what held before.
#[pyfunction]
pub fn set_training(on: bool) -> bool {
    set_flag(abi::MXR_CALL_TRAINING, on)
}

/// Whether calls on this thread are recorded.
#[pyfunction]
pub fn is_recording() -> bool {
    CALL.get().flags & abi::MXR_CALL_RECORDING != 0
}

/// Whether a model is being trained on this thread.
#[pyfunction]
pub fn is_training() -> bool {
    CALL.get().flags & abi::MXR_CALL_TRAINING != 0
}

/// Sets the device for new arrays of this thread.
#[pyfunction]
pub fn set_device(kind: i32, id: i32) {
    CALL.set(mxr_call_t { device_kind: kind, device_id: id, ..CALL.get() });
}

/// Runs what the library queued for threads of the interpreter, such as giving memory back.
#[inline]
pub fn poll() -> i32 {
    // SAFETY: the queue holds functions of this module, which may run on any thread.
    unsafe { (abi().mxr_events_poll)() }
}

/// Runs what is queued, and says how much that was.
#[pyfunction]
pub fn poll_events() -> i32 {
    poll()
}

/// Waits until everything asked so far is done.
#[pyfunction]
pub fn wait_all(py: Python<'_>) -> PyResult<()> {
    // SAFETY: the function takes nothing but a number.
    crate::error::wait(py, |ms| unsafe { (abi().mxr_wait_all)(ms) })
}

/// Finishes what was asked for and stops the engine's threads.
#[pyfunction]
pub fn shutdown(py: Python<'_>) -> PyResult<()> {
    // SAFETY: the function takes nothing but a number.
    crate::error::wait(py, |ms| unsafe { (abi().mxr_shutdown)(ms) })
}

/// Seeds the random numbers of one device, or of all if `kind` is 0.
#[pyfunction]
pub fn seed(py: Python<'_>, seed: u64, kind: i32, id: i32) -> PyResult<()> {
    // SAFETY: the function takes nothing but numbers.
    check(py, unsafe { (abi().mxr_random_seed)(seed, kind, id) })
}

/// Operations that were asked for and are not done.
#[pyfunction]
pub fn pending() -> i64 {
    // SAFETY: the function takes nothing.
    unsafe { (abi().mxr_engine_pending)() }
}

/// Threads that one operation may use.
#[pyfunction]
pub fn num_threads() -> i32 {
    // SAFETY: the function takes nothing.
    unsafe { (abi().mxr_num_threads)() }
}

/// Bytes of main memory in use, kept for later use, and the largest use so far.
#[pyfunction]
pub fn memory_stats(py: Python<'_>) -> PyResult<(u64, u64, u64)> {
    let size = size_of::<abi::mxr_memory_t>() as u32;
    let mut memory = abi::mxr_memory_t { struct_size: size, in_use: 0, kept: 0, peak: 0 };
    // SAFETY: the struct says its size.
    check(py, unsafe { (abi().mxr_memory_stats)(&raw mut memory) })?;
    Ok((memory.in_use, memory.kept, memory.peak))
}

/// Returns kept memory to the system and starts a new measurement of the peak.
#[pyfunction]
pub fn memory_trim() {
    // SAFETY: the function takes nothing.
    unsafe { (abi().mxr_memory_trim)() }
}
