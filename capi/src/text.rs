//! Lists of texts on their way out, and pairs of texts on their way in.

use crate::attr::{length, slice, string};
use crate::handle::{came_back, check, given};
use mxr_core::Result;
use std::ffi::{CString, c_char};

/// A list of texts. They live as long as it does.
pub struct mxr_texts_t {
    texts: Vec<CString>,
}

const TEXTS: &str = "list of texts";

/// A handle for these texts.
pub(crate) fn give_texts(texts: impl IntoIterator<Item = String>) -> *mut mxr_texts_t {
    let owned = |t: String| CString::new(t.replace('\0', "\\0")).expect("zero bytes were replaced");
    let handle = Box::into_raw(Box::new(mxr_texts_t { texts: texts.into_iter().map(owned).collect() }));
    given(handle, TEXTS);
    handle
}

/// `n` pairs of texts.
pub(crate) unsafe fn pairs<'a>(
    keys: *const *const c_char,
    values: *const *const c_char,
    n: i32,
) -> Result<Vec<(&'a str, &'a str)>> {
    // SAFETY: the caller promises `n` C strings in each list.
    unsafe {
        let n = length(n.into(), "num_attrs")?;
        let (keys, values) = (slice(keys, n, "keys")?, slice(values, n, "values")?);
        keys.iter().zip(values).map(|(k, v)| Ok((string(*k, "keys")?, string(*v, "values")?))).collect()
    }
}

/// Number of texts of a list; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_texts_len(texts: *const mxr_texts_t) -> i64 {
    if check(texts, TEXTS, "texts").is_err() {
        return -1;
    }
    // SAFETY: checked above; the caller gives a live handle.
    unsafe { (*texts).texts.len() as i64 }
}

/// Text `i` of a list; NULL if there is none. Lives as long as the list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_texts_get(texts: *const mxr_texts_t, i: i64) -> *const c_char {
    if check(texts, TEXTS, "texts").is_err() {
        return std::ptr::null();
    }
    // SAFETY: checked above; the caller gives a live handle.
    let texts = unsafe { &(*texts).texts };
    usize::try_from(i).ok().and_then(|i| texts.get(i)).map_or(std::ptr::null(), |t| t.as_ptr())
}

/// Frees a list of texts. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_texts_free(texts: *mut mxr_texts_t) {
    if !texts.is_null() && came_back(texts, TEXTS) {
        // SAFETY: the list came from `give_texts` and is freed once.
        drop(unsafe { Box::from_raw(texts) });
    }
}
