//! Errors as C sees them.

use mxr_core::{Error, ErrorCode};
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// A failure. Its texts live as long as it does.
pub struct mxr_error_t {
    error: Error,
    message: CString,
    operator: Option<CString>,
    argument: Option<CString>,
}

/// An argument has a value that is not allowed.
pub const MXR_ERROR_INVALID_VALUE: i32 = 1;
/// An argument is of the wrong kind.
pub const MXR_ERROR_INVALID_TYPE: i32 = 2;
/// Shapes do not fit.
pub const MXR_ERROR_SHAPE: i32 = 3;
/// Data types do not fit.
pub const MXR_ERROR_DTYPE: i32 = 4;
/// An index lies outside its axis.
pub const MXR_ERROR_INDEX: i32 = 5;
/// No operator, attribute, parameter or file has this name.
pub const MXR_ERROR_NOT_FOUND: i32 = 6;
/// The object was closed.
pub const MXR_ERROR_CLOSED: i32 = 7;
/// Memory could not be had.
pub const MXR_ERROR_OUT_OF_MEMORY: i32 = 8;
/// The request is well formed but not supported.
pub const MXR_ERROR_UNSUPPORTED: i32 = 9;
/// Reading or writing a file failed.
pub const MXR_ERROR_IO: i32 = 10;
/// Bytes do not follow the format they claim.
pub const MXR_ERROR_FORMAT: i32 = 11;
/// A wait took longer than its timeout.
pub const MXR_ERROR_TIMEOUT: i32 = 12;
/// Misuse of automatic differentiation.
pub const MXR_ERROR_AUTOGRAD: i32 = 13;
/// Two parts of mxr have versions that do not go together.
pub const MXR_ERROR_VERSION: i32 = 14;
/// The device is missing or cannot be used.
pub const MXR_ERROR_DEVICE: i32 = 15;
/// A fault in mxr itself.
pub const MXR_ERROR_INTERNAL: i32 = 16;
/// A callback of the caller failed.
pub const MXR_ERROR_CALLBACK: i32 = 17;

const CODES: [ErrorCode; 17] = [
    ErrorCode::InvalidValue,
    ErrorCode::InvalidType,
    ErrorCode::Shape,
    ErrorCode::DType,
    ErrorCode::Index,
    ErrorCode::NotFound,
    ErrorCode::Closed,
    ErrorCode::OutOfMemory,
    ErrorCode::Unsupported,
    ErrorCode::Io,
    ErrorCode::Format,
    ErrorCode::Timeout,
    ErrorCode::Autograd,
    ErrorCode::Version,
    ErrorCode::Device,
    ErrorCode::Internal,
    ErrorCode::Callback,
];

fn text(s: &str) -> CString {
    CString::new(s.replace('\0', "\\0")).expect("zero bytes were replaced")
}

impl mxr_error_t {
    pub(crate) fn boxed(error: Error) -> *mut mxr_error_t {
        let message = text(&error.to_string());
        let operator = error.operator().map(text);
        let argument = error.argument().map(text);
        Box::into_raw(Box::new(mxr_error_t { error, message, operator, argument }))
    }

    pub(crate) fn into_error(self) -> Error {
        self.error
    }
}

/// Runs the body of a function: failures and panics become errors that the caller owns.
pub(crate) fn guard(body: impl FnOnce() -> Result<(), Error>) -> *mut mxr_error_t {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => ptr::null_mut(),
        Ok(Err(error)) => mxr_error_t::boxed(error),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
            mxr_error_t::boxed(Error::internal(format!("panic: {text}")))
        }
    }
}

/// The code of an error, one of `MXR_ERROR_…`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_error_code(error: *const mxr_error_t) -> i32 {
    // SAFETY: the caller gives an error that it owns.
    unsafe { error.as_ref() }.map_or(0, |e| e.error.code() as i32)
}

/// The whole message: operator, argument, what was expected and what came. Lives as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_error_message(error: *const mxr_error_t) -> *const c_char {
    // SAFETY: the caller gives an error that it owns.
    unsafe { error.as_ref() }.map_or(c"no error".as_ptr(), |e| e.message.as_ptr())
}

/// The operator that failed, or NULL. Lives as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_error_operator(error: *const mxr_error_t) -> *const c_char {
    // SAFETY: the caller gives an error that it owns.
    unsafe { error.as_ref() }.and_then(|e| e.operator.as_ref()).map_or(ptr::null(), |s| s.as_ptr())
}

/// The argument that the error is about, or NULL. Lives as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_error_argument(error: *const mxr_error_t) -> *const c_char {
    // SAFETY: the caller gives an error that it owns.
    unsafe { error.as_ref() }.and_then(|e| e.argument.as_ref()).map_or(ptr::null(), |s| s.as_ptr())
}

/// The caller's own id of an error that a callback made, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_error_origin(error: *const mxr_error_t) -> u64 {
    // SAFETY: the caller gives an error that it owns.
    unsafe { error.as_ref() }.and_then(|e| e.error.origin()).unwrap_or(0)
}

/// Makes an error for a callback to return, with an id of the caller's own by which it finds its exception.
/// @nullable message
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_error_new(code: i32, message: *const c_char, origin: u64) -> *mut mxr_error_t {
    let code = CODES.into_iter().find(|c| *c as i32 == code).unwrap_or(ErrorCode::Callback);
    // SAFETY: the caller gives a C string or NULL.
    let message = unsafe { crate::attr::string_or_empty(message) };
    mxr_error_t::boxed(Error::new(code, message).with_origin(origin))
}

/// Frees an error. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_error_free(error: *mut mxr_error_t) {
    if !error.is_null() {
        // SAFETY: the error came from this library and is freed once.
        drop(unsafe { Box::from_raw(error) });
    }
}
