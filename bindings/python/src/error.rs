//! Errors of the library as Python's exceptions, and exceptions on their way through the library.

use crate::abi::{self, mxr_error_t};
use crate::library::abi;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char};
use std::sync::Mutex;

/// Makes an exception of (code, message, operator, argument).
static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Exceptions that a callback raised, by the origin id of the error that stands for them in the library.
static RAISED: Mutex<Option<HashMap<u64, PyErr>>> = Mutex::new(None);

/// Says what makes the exceptions.
#[pyfunction]
pub fn set_error_factory(py: Python<'_>, make: Py<PyAny>) {
    let _ = MAKE.set(py, make);
}

unsafe fn text(s: *const c_char) -> Option<String> {
    // SAFETY: the library gives C strings or NULL.
    (!s.is_null()).then(|| unsafe { CStr::from_ptr(s) }.to_string_lossy().into_owned())
}

/// The exception for a code of `MXR_ERROR_…`.
pub fn exception(
    py: Python<'_>,
    code: i32,
    message: &str,
    operator: Option<&str>,
    argument: Option<&str>,
) -> PyErr {
    let Some(make) = MAKE.get(py) else { return PyRuntimeError::new_err(message.to_owned()) };
    match make.bind(py).call1((code, message, operator, argument)) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

// SAFETY of all blocks: the error is owned here, its texts live as long as it does, and it is freed once.
#[cold]
fn raise(py: Python<'_>, error: *mut mxr_error_t) -> PyErr {
    let (origin, code) = unsafe { ((abi().mxr_error_origin)(error), (abi().mxr_error_code)(error)) };
    let raised = RAISED.lock().ok().and_then(|mut all| all.as_mut()?.remove(&origin));
    let result = raised.unwrap_or_else(|| {
        let message = unsafe { text((abi().mxr_error_message)(error)) }.unwrap_or_default();
        let operator = unsafe { text((abi().mxr_error_operator)(error)) };
        let argument = unsafe { text((abi().mxr_error_argument)(error)) };
        exception(py, code, &message, operator.as_deref(), argument.as_deref())
    });
    unsafe { (abi().mxr_error_free)(error) };
    result
}

/// Turns what a function of the library returned into a result.
#[inline]
pub fn check(py: Python<'_>, error: *mut mxr_error_t) -> PyResult<()> {
    if error.is_null() { Ok(()) } else { Err(raise(py, error)) }
}

/// Whether the error says that a wait took longer than asked for; it is then freed.
fn timed_out(error: *mut mxr_error_t) -> bool {
    if error.is_null() {
        return false;
    }
    // SAFETY: the error is owned here; it is not used after it was freed.
    unsafe {
        let timed_out = (abi().mxr_error_code)(error) == abi::MXR_ERROR_TIMEOUT;
        if timed_out {
            (abi().mxr_error_free)(error);
        }
        timed_out
    }
}

/// Waits without the interpreter lock, a tenth of a second at a time, so that Ctrl-C interrupts.
pub fn wait(py: Python<'_>, step: impl Fn(i64) -> *mut mxr_error_t + Send + Sync) -> PyResult<()> {
    loop {
        // A pointer crosses as a number.
        let error = py.detach(|| step(100) as usize) as *mut mxr_error_t;
        crate::scope::poll();
        if !timed_out(error) {
            return check(py, error);
        }
        py.check_signals()?;
    }
}

/// Pointers that go to where the interpreter lock is not held.
pub struct Sent<T>(pub T);
// SAFETY: the library's handles may be used on any thread.
unsafe impl<T> Send for Sent<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Sent<T> {}

/// Calls the library without the interpreter lock: what it does may take long, or wait for another thread that is
/// in a function of Python's. `call` uses no objects of Python's.
pub fn unlocked(py: Python<'_>, call: impl FnOnce() -> *mut mxr_error_t) -> PyResult<()> {
    let call = Sent(call);
    let error = py.detach(move || {
        let call = call;
        Sent((call.0)())
    });
    crate::scope::poll();
    check(py, error.0)
}

/// An error for the library that stands for a raised exception; `raise` finds the exception again.
pub fn carry(error: PyErr) -> *mut mxr_error_t {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let origin = NEXT.fetch_add(1, Ordering::Relaxed);
    let message = CString::new(error.to_string().replace('\0', "\\0")).unwrap_or_default();
    if let Ok(mut all) = RAISED.lock() {
        all.get_or_insert_default().insert(origin, error);
    }
    // SAFETY: the message is a C string for the time of the call.
    unsafe { (abi().mxr_error_new)(abi::MXR_ERROR_CALLBACK, message.as_ptr(), origin) }
}
