//! Texts on their way to the library and from it.

use crate::error::{Failure, check, text};
use crate::js::{Call, Env, Result, ToJs};
use mxr_abi::abi;
use mxr_abi::ffi::{mxr_error_t, mxr_texts_t};
use napi_sys::napi_value;
use std::ffi::{CString, c_char};
use std::ptr;

/// Texts with the pointers by which the library takes them.
pub struct Texts {
    /// NULL for a text that lacks.
    pub pointers: Vec<*const c_char>,
    _texts: Vec<CString>,
}

impl Texts {
    /// Some texts.
    pub fn of(texts: &[String]) -> Result<Texts> {
        Texts::some(texts.iter().map(|text| Some(text.as_str())))
    }

    /// One text.
    pub fn one(text: &str) -> Result<Texts> {
        Texts::some([Some(text)])
    }

    /// Texts, some of which may lack.
    pub fn some<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Result<Texts> {
        let (mut kept, mut pointers) = (vec![], vec![]);
        for text in texts {
            let Some(text) = text else {
                pointers.push(ptr::null());
                continue;
            };
            let text = CString::new(text).map_err(|_| {
                Failure::wrong_value("text", "expected a text without zero bytes, got one with")
            })?;
            pointers.push(text.as_ptr());
            kept.push(text);
        }
        Ok(Texts { pointers, _texts: kept })
    }

    /// Their number.
    pub fn len(&self) -> i32 {
        self.pointers.len() as i32
    }
}

/// An argument that is a list of texts.
pub fn texts(call: &Call, i: usize, what: &str) -> Result<Texts> {
    Texts::of(&call.get::<Vec<String>>(i, what)?)
}

/// A result that is a list of texts, which the library makes.
pub fn made(call: &Call, make: impl FnOnce(*mut *mut mxr_texts_t) -> *mut mxr_error_t) -> Result<napi_value> {
    call.give(taken(make)?)
}

/// A list of texts that the library makes.
pub fn taken(make: impl FnOnce(*mut *mut mxr_texts_t) -> *mut mxr_error_t) -> Result<Vec<String>> {
    let mut list = ptr::null_mut();
    check(make(&raw mut list))?;
    // SAFETY: the list is live, its texts live as long, and it is freed once.
    unsafe {
        let entry = |i| text((abi().mxr_texts_get)(list, i)).unwrap_or_default();
        let found = (0..(abi().mxr_texts_len)(list)).map(entry).collect();
        (abi().mxr_texts_free)(list);
        Ok(found)
    }
}

/// A result that is a text, or null, which the library makes.
pub fn made_one(call: &Call, make: impl FnOnce(*mut *mut c_char) -> *mut mxr_error_t) -> Result<napi_value> {
    let mut made = ptr::null_mut();
    check(make(&raw mut made))?;
    // SAFETY: the text is NULL or owned here, and is freed once.
    unsafe {
        let found = text(made);
        (abi().mxr_string_free)(made);
        call.give(found)
    }
}

/// A static text of the library.
///
/// # Safety
/// The pointer is NULL or to a C string.
pub unsafe fn lasting(env: Env, pointer: *const c_char) -> Result<napi_value> {
    // SAFETY: the caller's promise.
    unsafe { text(pointer) }.to_js(env)
}
