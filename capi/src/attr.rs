//! Strings, lists and tagged attribute values on their way in.

use mxr_core::op::AttrValue;
use mxr_core::{Error, ErrorCode, Result, Shape, err};
use std::ffi::{CStr, c_char, c_void};

/// The attribute is absent: the same as not passing it.
pub const MXR_ATTR_NONE: u32 = 0;
/// `integer` is 0 or 1.
pub const MXR_ATTR_BOOL: u32 = 1;
/// `integer` is the value; also a dtype's code and the position of an enumeration's value.
pub const MXR_ATTR_INT: u32 = 2;
/// `number` is the value.
pub const MXR_ATTR_FLOAT: u32 = 3;
/// `data` is a UTF-8 text of `integer` bytes.
pub const MXR_ATTR_STRING: u32 = 4;
/// `data` is an array of `integer` int64_t; also a shape. INT64_MIN is an absent element.
pub const MXR_ATTR_INTS: u32 = 5;
/// `data` is an array of `integer` double.
pub const MXR_ATTR_FLOATS: u32 = 6;
/// `data` is an array of `integer` const char *.
pub const MXR_ATTR_STRINGS: u32 = 7;
/// No value, for an optional attribute whose default is a value.
pub const MXR_ATTR_NO_VALUE: u32 = 8;

/// The value of an attribute. All pointers are borrowed for the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_attr_t {
    /// Number of the attribute, from the schema.
    pub id: u32,
    /// Form of the value, one of `MXR_ATTR_…`.
    pub tag: u32,
    /// The value, or the length of `data`.
    pub integer: i64,
    /// The value.
    pub number: f64,
    /// Text or elements.
    pub data: *const c_void,
}

/// What is behind a pointer and a length; an empty slice may have any pointer.
pub(crate) unsafe fn slice<'a, T>(data: *const T, len: usize, argument: &str) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(err!(InvalidValue, "expected {len} elements, got NULL").about(argument));
    }
    // SAFETY: the caller promises `len` elements.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// The text of a C string.
pub(crate) unsafe fn string<'a>(s: *const c_char, argument: &str) -> Result<&'a str> {
    if s.is_null() {
        return Err(err!(InvalidValue, "expected a text, got NULL").about(argument));
    }
    // SAFETY: the caller gives a C string.
    let s = unsafe { CStr::from_ptr(s) };
    s.to_str().map_err(|_| err!(InvalidValue, "expected UTF-8").about(argument))
}

/// The text of a C string as far as it is readable; nothing for NULL.
pub(crate) unsafe fn string_or_empty(s: *const c_char) -> String {
    if s.is_null() {
        return String::new();
    }
    // SAFETY: the caller gives a C string.
    unsafe { CStr::from_ptr(s) }.to_string_lossy().into_owned()
}

/// A length or number of axes that C gives as a signed number.
pub(crate) fn length(n: i64, argument: &str) -> Result<usize> {
    usize::try_from(n).map_err(|_| err!(InvalidValue, "expected a length, got {n}").about(argument))
}

impl mxr_attr_t {
    /// The value with its id; `None` for an absent one.
    pub(crate) unsafe fn read(&self) -> Result<Option<(u32, AttrValue)>> {
        let len = || length(self.integer, "attrs");
        let value = match self.tag {
            MXR_ATTR_NONE => return Ok(None),
            MXR_ATTR_NO_VALUE => AttrValue::None,
            MXR_ATTR_BOOL => AttrValue::Bool(self.integer != 0),
            MXR_ATTR_INT => AttrValue::Int(self.integer),
            MXR_ATTR_FLOAT => AttrValue::Float(self.number),
            MXR_ATTR_STRING => {
                // SAFETY: the caller says that `data` has `integer` bytes.
                let bytes = unsafe { slice(self.data.cast::<u8>(), len()?, "attrs") }?;
                let text = std::str::from_utf8(bytes)
                    .map_err(|_| err!(InvalidValue, "expected UTF-8").about("attrs"))?;
                AttrValue::Str(text.to_owned())
            }
            MXR_ATTR_INTS => {
                // SAFETY: the caller says that `data` has `integer` numbers.
                AttrValue::Ints(Shape::new(unsafe { slice(self.data.cast::<i64>(), len()?, "attrs") }?))
            }
            MXR_ATTR_FLOATS => {
                // SAFETY: the caller says that `data` has `integer` numbers.
                AttrValue::Floats(unsafe { slice(self.data.cast::<f64>(), len()?, "attrs") }?.to_vec())
            }
            MXR_ATTR_STRINGS => {
                // SAFETY: the caller says that `data` has `integer` pointers to C strings.
                let texts = unsafe { slice(self.data.cast::<*const c_char>(), len()?, "attrs") }?;
                // SAFETY: as above.
                let texts = texts.iter().map(|s| unsafe { string(*s, "attrs") }.map(str::to_owned));
                AttrValue::Strs(texts.collect::<Result<_>>()?)
            }
            tag => {
                return Err(Error::new(ErrorCode::InvalidValue, format!("no attribute has the tag {tag}"))
                    .about("attrs"));
            }
        };
        Ok(Some((self.id, value)))
    }
}

/// All values of a call that are not absent.
pub(crate) unsafe fn read_attrs(
    attrs: *const mxr_attr_t,
    n: i32,
) -> Result<smallvec::SmallVec<[(u32, AttrValue); 4]>> {
    let mut values = smallvec::SmallVec::new();
    // SAFETY: the caller promises `n` attributes whose pointers are valid.
    for attr in unsafe { slice(attrs, length(n.into(), "num_attrs")?, "attrs") }? {
        // SAFETY: as above.
        values.extend(unsafe { attr.read() }?);
    }
    Ok(values)
}

/// Text for the caller to own; it frees it with `mxr_string_free`.
pub(crate) fn owned_string(text: &str) -> *mut c_char {
    let text = text.replace('\0', "\\0");
    std::ffi::CString::new(text).expect("zero bytes were replaced").into_raw()
}

/// Frees a text that the library gave to the caller. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_string_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: the text came from `owned_string` and is freed once.
        drop(unsafe { std::ffi::CString::from_raw(text) });
    }
}

/// Frees `len` bytes that the library gave to the caller. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_bytes_free(bytes: *mut u8, len: u64) {
    if !bytes.is_null() {
        // SAFETY: the bytes came as a boxed slice of this length and are freed once.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(bytes, len as usize)) });
    }
}
