//! Failures as JavaScript's exceptions, and exceptions on their way through the library.

use crate::js::{Env, FromJs, Result, ToJs};
use mxr_abi::abi;
use mxr_abi::ffi::{self, mxr_error_t};
use napi_sys::{self as sys, napi_value};
use std::ffi::{CStr, CString, c_char};
use std::ptr;

/// Why a function gives no result.
pub enum Failure {
    /// An exception is pending in JavaScript.
    Thrown,
    /// A failure to be thrown.
    New {
        /// `MXR_ERROR_…`.
        code: i32,
        /// What happened.
        message: String,
        /// The operator that failed.
        operator: Option<String>,
        /// The argument that the failure is about.
        argument: Option<String>,
    },
    /// An exception of a callback, kept under this number.
    Carried(u64),
}

impl Failure {
    fn new(code: i32, message: String, argument: Option<&str>) -> Failure {
        Failure::New { code, message, operator: None, argument: argument.map(str::to_owned) }
    }

    /// A fault of the addon or of Node.
    pub fn internal(message: &str) -> Failure {
        Failure::new(ffi::MXR_ERROR_INTERNAL, message.to_owned(), None)
    }

    /// An argument is of the wrong kind.
    pub fn wrong_type(argument: &str, expected: &str) -> Failure {
        let message = format!("argument '{argument}': expected {expected}");
        Failure::new(ffi::MXR_ERROR_INVALID_TYPE, message, Some(argument))
    }

    /// An argument has a wrong value.
    pub fn wrong_value(argument: &str, message: &str) -> Failure {
        Failure::new(
            ffi::MXR_ERROR_INVALID_VALUE,
            format!("argument '{argument}': {message}"),
            Some(argument),
        )
    }

    /// The object was closed.
    pub fn closed(argument: &str) -> Failure {
        Failure::new(
            ffi::MXR_ERROR_CLOSED,
            format!("argument '{argument}': the object was closed"),
            Some(argument),
        )
    }

    /// Versions do not go together.
    pub fn version(message: String) -> Failure {
        Failure::new(ffi::MXR_ERROR_VERSION, message, None)
    }
}

/// A text of the library; None for NULL.
///
/// # Safety
/// The pointer is NULL or to a C string.
pub unsafe fn text(text: *const c_char) -> Option<String> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// Turns what a function of the library returned into a result.
#[inline]
pub fn check(error: *mut mxr_error_t) -> Result<()> {
    if error.is_null() { Ok(()) } else { Err(failure(error)) }
}

// SAFETY of all blocks: the error is owned here, its texts live as long as it does, and it is freed once.
#[cold]
fn failure(error: *mut mxr_error_t) -> Failure {
    let origin = unsafe { (abi().mxr_error_origin)(error) };
    let found = if origin != 0 {
        Failure::Carried(origin)
    } else {
        Failure::New {
            code: unsafe { (abi().mxr_error_code)(error) },
            message: unsafe { text((abi().mxr_error_message)(error)) }.unwrap_or_default(),
            operator: unsafe { text((abi().mxr_error_operator)(error)) },
            argument: unsafe { text((abi().mxr_error_argument)(error)) },
        }
    };
    unsafe { (abi().mxr_error_free)(error) };
    found
}

/// The exception for a failure.
pub fn exception(env: Env, failure: Failure) -> Result<napi_value> {
    let (code, message, operator, argument) = match failure {
        Failure::Thrown => {
            // SAFETY: the instance is live.
            return env.made(|out| unsafe { sys::napi_get_and_clear_last_exception(env.0, out) });
        }
        Failure::Carried(origin) => {
            let reference = env.state().carried.borrow_mut().remove(&origin);
            let reference = reference.ok_or_else(|| Failure::internal("an exception was lost"))?;
            // SAFETY: the reference keeps the value; it is deleted once.
            return env.made(|out| unsafe {
                let status = sys::napi_get_reference_value(env.0, reference, out);
                sys::napi_delete_reference(env.0, reference);
                status
            });
        }
        Failure::New { code, message, operator, argument } => (code, message, operator, argument),
    };
    let arguments = [code.to_js(env)?, message.to_js(env)?, operator.to_js(env)?, argument.to_js(env)?];
    let factory = env.state().factory.get();
    if factory.is_null() {
        let [code, message] = [ptr::null_mut(), arguments[1]];
        // SAFETY: the instance and the text are live.
        return env.made(|out| unsafe { sys::napi_create_error(env.0, code, message, out) });
    }
    let receiver = env.undefined()?;
    // SAFETY: the instance is live, the reference keeps the function, and there are so many arguments.
    env.made(|out| unsafe {
        let mut function = ptr::null_mut();
        sys::napi_get_reference_value(env.0, factory, &raw mut function);
        sys::napi_call_function(env.0, receiver, function, arguments.len(), arguments.as_ptr(), out)
    })
}

/// Throws.
pub fn throw(env: Env, failure: Failure) {
    if matches!(failure, Failure::Thrown) {
        return;
    }
    match exception(env, failure) {
        // SAFETY: the instance and the value are live.
        Ok(value) => drop(unsafe { sys::napi_throw(env.0, value) }),
        Err(Failure::Thrown) => {}
        Err(_) => {
            let text = c"mxr failed, and could not say how".as_ptr();
            // SAFETY: the text is static.
            unsafe { sys::napi_throw_error(env.0, ptr::null(), text) };
        }
    }
}

/// An error for the library that stands for a callback's failure; [`exception`] finds the exception again.
pub fn carry(env: Env, failure: Failure) -> *mut mxr_error_t {
    let state = env.state();
    let Ok(value) = exception(env, failure) else {
        // SAFETY: the message is static.
        return unsafe { (abi().mxr_error_new)(ffi::MXR_ERROR_CALLBACK, c"a callback failed".as_ptr(), 0) };
    };
    let mut reference = ptr::null_mut();
    // SAFETY: the instance and the value are live.
    unsafe { sys::napi_create_reference(env.0, value, 1, &raw mut reference) };
    let origin = state.next_origin.get();
    state.next_origin.set(origin + 1);
    state.carried.borrow_mut().insert(origin, reference);
    let message = message_of(env, value).unwrap_or_default();
    // SAFETY: the message is a C string for the time of the call.
    unsafe { (abi().mxr_error_new)(ffi::MXR_ERROR_CALLBACK, message.as_ptr(), origin) }
}

fn message_of(env: Env, value: napi_value) -> Result<CString> {
    // SAFETY: the instance and the value are live.
    let text = env.made(|out| unsafe { sys::napi_coerce_to_string(env.0, value, out) })?;
    CString::from_js(env, text, "message")
}
