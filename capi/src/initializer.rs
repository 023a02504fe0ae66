//! Initializers: what the elements of new parameters are.

use crate::attr::{mxr_attr_t, read_attrs, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{array, mxr_array_t};
use crate::out::out as place;
use crate::shared::{self, Handle, behind, give};
use mxr_core::init::{self, Initializer, initializers};
use std::ffi::{CStr, c_char};
use std::sync::Arc;

/// Fills new parameters.
pub struct mxr_initializer_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_initializer_t {
    type Thing = Box<dyn Initializer>;
    const NAME: &'static str = "initializer";
}

/// Makes an initializer by its name, such as `Xavier`, with attributes by the schema's ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_initializer_create(
    name: *const c_char,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
    out: *mut *mut mxr_initializer_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string, attributes and a place for the handle.
        unsafe {
            let out = place(out, "out")?;
            let attrs = read_attrs(attrs, num_attrs)?;
            let entry = initializers().find(string(name, "name")?)?;
            out.write(give(Arc::new(entry.create(&attrs)?)));
        }
        Ok(())
    })
}

/// Makes the initializer that MXNet's text means: a name, or `["xavier", {"magnitude": 2}]` as model files
/// have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_initializer_parse(
    text: *const c_char,
    out: *mut *mut mxr_initializer_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string and a place for the handle.
        unsafe { place(out, "out")?.write(give(Arc::new(init::parse(string(text, "text")?)?))) };
        Ok(())
    })
}

/// Fills a weight.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_initializer_fill(
    initializer: *const mxr_initializer_t,
    array: *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives both handles.
        unsafe {
            let array = self::array(array, "array")?;
            behind(initializer, "initializer")?.fill(&array)
        }
    })
}

/// Fills a parameter by its name: a weight as the initializer does, a bias with zeros, and so on as
/// `mxr_initializer_role` says. `own` may be the parameter's own initializer, as a text for
/// `mxr_initializer_parse`, which then fills it whatever its name is; else NULL. @nullable own
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_initializer_apply(
    initializer: *const mxr_initializer_t,
    name: *const c_char,
    own: *const c_char,
    array: *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives both handles and C strings; `own` may be NULL.
        unsafe {
            let initializer = behind(initializer, "initializer")?;
            let array = self::array(array, "array")?;
            let name = string(name, "name")?;
            let own = if own.is_null() { None } else { Some(init::parse(string(own, "own")?)?) };
            init::initialize(name, own.as_deref(), &**initializer, &array)
        }
    })
}

/// What the name of a parameter says that it is: `weight`, which initializers fill; `bias`, `beta` or `zero`,
/// which begin as zeros; `gamma` or `one`, which begin as ones. NULL if it does not say. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_initializer_role(name: *const c_char) -> *const c_char {
    const ROLES: [&CStr; 6] = [c"weight", c"bias", c"beta", c"zero", c"gamma", c"one"];
    // SAFETY: the caller gives a C string or NULL.
    let role = unsafe { string(name, "name") }.ok().and_then(init::role);
    let text = ROLES.iter().find(|text| role.is_some_and(|role| text.to_bytes() == role.as_bytes()));
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Takes another reference to an initializer, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_initializer_retain(
    initializer: *mut mxr_initializer_t,
) -> *mut mxr_initializer_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(initializer) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_initializer_free(initializer: *mut mxr_initializer_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(initializer) }
}
