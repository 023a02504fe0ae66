//! Lists of arrays in MXNet's `.params` files.

use crate::attr::{length, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{arrays, came_back, check, give, given, mxr_array_t};
use crate::out::out;
use mxr_core::ndarray::file;
use mxr_core::{NdArray, Result, err};
use std::ffi::{CString, c_char};
use std::path::Path;

/// Arrays read from a file, with their names.
pub struct mxr_list_t {
    entries: Vec<(Option<CString>, NdArray)>,
}

const LIST: &str = "list";

/// A handle for these arrays.
pub(crate) fn give_list(entries: Vec<(Option<String>, NdArray)>) -> Result<*mut mxr_list_t> {
    let named = |n: String| CString::new(n).map_err(|_| err!(Format, "a name contains a zero byte"));
    let entries: Result<Vec<_>> =
        entries.into_iter().map(|(n, a)| Ok((n.map(named).transpose()?, a))).collect();
    let handle = Box::into_raw(Box::new(mxr_list_t { entries: entries? }));
    given(handle, LIST);
    Ok(handle)
}

/// Writes `n` arrays to a file as `mx.nd.save` does. `names` may be NULL. An existing file is replaced only by a
/// whole one. @nullable names
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_list_save(
    path: *const c_char,
    names: *const *const c_char,
    arrays: *const *mut mxr_array_t,
    n: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string and `n` names, or none, and handles.
        unsafe {
            let path = string(path, "path")?;
            let arrays = self::arrays(arrays, n, "arrays")?;
            let named = !names.is_null();
            let names = if named { slice(names, length(n.into(), "n")?, "names")? } else { &[] };
            let mut entries = Vec::with_capacity(arrays.len());
            for (i, a) in arrays.iter().enumerate() {
                let name = names.get(i).map(|s| string(*s, "names").map(str::to_owned)).transpose()?;
                entries.push((name, (**a).clone()));
            }
            file::save(Path::new(path), &entries)
        }
    })
}

/// Reads the arrays of a file that `mx.nd.save` or `mxr_list_save` wrote, or maps those of a safetensors file. Sparse
/// arrays become dense ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_list_load(path: *const c_char, list: *mut *mut mxr_list_t) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string and a place for the handle.
        unsafe {
            let list = out(list, "list")?;
            list.write(give_list(file::load(Path::new(string(path, "path")?))?)?);
        }
        Ok(())
    })
}

/// Number of arrays of a list; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_list_len(list: *const mxr_list_t) -> i64 {
    if check(list, LIST, "list").is_err() {
        return -1;
    }
    // SAFETY: checked above; the caller gives a live handle.
    unsafe { (*list).entries.len() as i64 }
}

/// Name of array `i`, NULL if it has none. Lives as long as the list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_list_name(list: *const mxr_list_t, i: i64) -> *const c_char {
    if check(list, LIST, "list").is_err() {
        return std::ptr::null();
    }
    // SAFETY: checked above; the caller gives a live handle.
    let entries = unsafe { &(*list).entries };
    usize::try_from(i)
        .ok()
        .and_then(|i| entries.get(i))
        .and_then(|(n, _)| n.as_ref())
        .map_or(std::ptr::null(), |n| n.as_ptr())
}

/// Array `i` of a list, a new reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_list_array(
    list: *const mxr_list_t,
    i: i64,
    array: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        check(list, LIST, "list")?;
        // SAFETY: checked above; the caller gives a live handle and a place for the new one.
        unsafe {
            let array = out(array, "array")?;
            let entries = &(*list).entries;
            let entry = usize::try_from(i).ok().and_then(|i| entries.get(i));
            let (_, a) = entry.ok_or_else(|| {
                err!(Index, "there is no array {i} in a list of {}", entries.len()).about("i")
            })?;
            array.write(give(a.clone()));
        }
        Ok(())
    })
}

/// Frees a list; arrays taken from it stay. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_list_free(list: *mut mxr_list_t) {
    if !list.is_null() && came_back(list, LIST) {
        // SAFETY: the list came from `mxr_list_load` and is freed once.
        drop(unsafe { Box::from_raw(list) });
    }
}
