//! What symbols say of themselves: names, attributes, shapes and dtypes.

use crate::attr::{length, owned_string, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{came_back, check, given};
use crate::out::out;
use crate::symbol::{mxr_symbol_t, symbol};
use crate::text::{give_texts, mxr_texts_t};
use mxr_core::graph::infer::Inferred;
use mxr_core::{DType, Result, Shape, err};
use std::ffi::c_char;

/// Variables that no operator changes: data, weights, labels.
pub const MXR_LIST_ARGUMENTS: i32 = 1;
/// Outputs.
pub const MXR_LIST_OUTPUTS: i32 = 2;
/// Variables that an operator changes, as the moving mean of a batch normalisation.
pub const MXR_LIST_AUXILIARY_STATES: i32 = 3;
/// All variables.
pub const MXR_LIST_INPUTS: i32 = 4;

/// Inferred shapes or dtypes of a symbol's arguments, outputs and auxiliary states.
pub struct mxr_inferred_t {
    shapes: Inferred<Shape>,
    dtypes: Inferred<DType>,
}

const INFERRED: &str = "inference";

/// The names of a list, `MXR_LIST_…`, in MXNet's order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_list(
    symbol: *const mxr_symbol_t,
    list: i32,
    names: *mut *mut mxr_texts_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let names = out(names, "names")?;
            let symbol = self::symbol(symbol, "symbol")?;
            let texts = match list {
                MXR_LIST_ARGUMENTS => symbol.list_arguments(),
                MXR_LIST_OUTPUTS => symbol.list_outputs(),
                MXR_LIST_AUXILIARY_STATES => symbol.list_auxiliary_states(),
                MXR_LIST_INPUTS => symbol.list_inputs(),
                _ => return Err(no_list(list)),
            };
            names.write(give_texts(texts));
        }
        Ok(())
    })
}

fn no_list(list: i32) -> mxr_core::Error {
    err!(InvalidValue, "there is no list {list}").about("list")
}

/// The name of the symbol's node; NULL for a group of several. The caller owns the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_name(
    symbol: *const mxr_symbol_t,
    name: *mut *mut c_char,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the text.
        unsafe {
            let name = out(name, "name")?;
            let head = self::symbol(symbol, "symbol")?.head();
            name.write(head.map_or(std::ptr::null_mut(), |node| owned_string(&node.name)));
        }
        Ok(())
    })
}

/// An attribute of the symbol's node by the user's name; NULL if there is none. The caller owns the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_attr(
    symbol: *const mxr_symbol_t,
    key: *const c_char,
    value: *mut *mut c_char,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, a C string and a place for the text.
        unsafe {
            let value = out(value, "value")?;
            let key = string(key, "key")?;
            let found = self::symbol(symbol, "symbol")?.head().and_then(|node| node.attr(key));
            value.write(found.as_deref().map_or(std::ptr::null_mut(), owned_string));
        }
        Ok(())
    })
}

/// The attributes of the symbol's nodes: node, key, value; node, key, value; … Of its own node only, unless
/// `recursive` is not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_attrs(
    symbol: *const mxr_symbol_t,
    recursive: i32,
    attrs: *mut *mut mxr_texts_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let attrs = out(attrs, "attrs")?;
            let symbol = self::symbol(symbol, "symbol")?;
            let nodes =
                if recursive == 0 { symbol.head().cloned().into_iter().collect() } else { symbol.topo() };
            let texts = nodes.iter().flat_map(|node| {
                node.listed_attrs().into_iter().flat_map(|(key, value)| [node.name.clone(), key, value])
            });
            attrs.write(give_texts(texts));
        }
        Ok(())
    })
}

/// Outputs, variables and operators with their inputs and attributes, for people. The caller owns the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_text(
    symbol: *const mxr_symbol_t,
    text: *mut *mut c_char,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the text.
        unsafe {
            let text = out(text, "text")?;
            text.write(owned_string(&self::symbol(symbol, "symbol")?.debug_text()));
        }
        Ok(())
    })
}

/// Infers shapes, in both directions, from those of `n` variables. Their sizes stand one shape after the other in
/// `sizes`, `num_axes[i]` of each; a negative size is one that is not known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_infer_shapes(
    symbol: *const mxr_symbol_t,
    names: *const *const c_char,
    sizes: *const i64,
    num_axes: *const i32,
    n: i32,
    inferred: *mut *mut mxr_inferred_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, `n` names and shapes, and a place for the new handle.
        unsafe {
            let inferred = out(inferred, "inferred")?;
            let n = length(n.into(), "n")?;
            let (names, num_axes) = (slice(names, n, "names")?, slice(num_axes, n, "num_axes")?);
            let axes: Result<Vec<usize>> = num_axes.iter().map(|n| length((*n).into(), "num_axes")).collect();
            let axes = axes?;
            let mut rest = slice(sizes, axes.iter().sum(), "sizes")?;
            let mut known = Vec::with_capacity(n);
            for (name, n) in names.iter().zip(axes) {
                let dims;
                (dims, rest) = rest.split_at(n);
                known.push((string(*name, "names")?, dims.iter().map(|d| (*d).max(-1)).collect()));
            }
            let shapes = self::symbol(symbol, "symbol")?.infer_shape(known)?;
            inferred.write(give(mxr_inferred_t { shapes, dtypes: Inferred::default() }));
        }
        Ok(())
    })
}

/// Infers dtypes, in both directions, from those of `n` variables.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_symbol_infer_dtypes(
    symbol: *const mxr_symbol_t,
    names: *const *const c_char,
    dtypes: *const i32,
    n: i32,
    inferred: *mut *mut mxr_inferred_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, `n` names and dtypes, and a place for the new handle.
        unsafe {
            let inferred = out(inferred, "inferred")?;
            let n = length(n.into(), "n")?;
            let (names, codes) = (slice(names, n, "names")?, slice(dtypes, n, "dtypes")?);
            let known = names
                .iter()
                .zip(codes)
                .map(|(name, code)| Ok((string(*name, "names")?, DType::from_code(*code)?)));
            let dtypes = self::symbol(symbol, "symbol")?.infer_type(known.collect::<Result<Vec<_>>>()?)?;
            inferred.write(give(mxr_inferred_t { shapes: Inferred::default(), dtypes }));
        }
        Ok(())
    })
}

fn give(inferred: mxr_inferred_t) -> *mut mxr_inferred_t {
    let handle = Box::into_raw(Box::new(inferred));
    given(handle, INFERRED);
    handle
}

/// 1 if everything in the graph follows, else 0; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_inferred_complete(inferred: *const mxr_inferred_t) -> i32 {
    if check(inferred, INFERRED, "inferred").is_err() {
        return -1;
    }
    // SAFETY: checked above; the caller gives a live handle.
    unsafe { i32::from((*inferred).shapes.complete || (*inferred).dtypes.complete) }
}

/// Element `i` of a list of inferred things.
fn element<T>(inferred: &Inferred<T>, list: i32, i: i64) -> Result<Option<&T>> {
    let all = match list {
        MXR_LIST_ARGUMENTS => &inferred.arguments,
        MXR_LIST_OUTPUTS => &inferred.outputs,
        MXR_LIST_AUXILIARY_STATES => &inferred.auxiliary_states,
        _ => return Err(no_list(list)),
    };
    let found = usize::try_from(i).ok().and_then(|i| all.get(i));
    found
        .map(Option::as_ref)
        .ok_or_else(|| err!(Index, "there is no element {i} in a list of {}", all.len()).about("i"))
}

/// The shape of element `i` of a list: its sizes, which live as long as `inferred`, -1 for one that is not known;
/// `*num_axes` is -1 if nothing is known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_inferred_shape(
    inferred: *const mxr_inferred_t,
    list: i32,
    i: i64,
    shape: *mut *const i64,
    num_axes: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives places and a live handle, which is checked.
        unsafe {
            let (shape, num_axes) = (out(shape, "shape")?, out(num_axes, "num_axes")?);
            check(inferred, INFERRED, "inferred")?;
            match element(&(*inferred).shapes, list, i)? {
                Some(known) => (shape.write(known.as_ptr()), num_axes.write(known.ndim() as i32)),
                None => (shape.write(std::ptr::null()), num_axes.write(-1)),
            };
        }
        Ok(())
    })
}

/// The dtype of element `i` of a list; -1 if it is not known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_inferred_dtype(
    inferred: *const mxr_inferred_t,
    list: i32,
    i: i64,
    dtype: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a place and a live handle, which is checked.
        unsafe {
            let dtype = out(dtype, "dtype")?;
            check(inferred, INFERRED, "inferred")?;
            dtype.write(element(&(*inferred).dtypes, list, i)?.map_or(-1, |d| *d as i32));
        }
        Ok(())
    })
}

/// Frees what was inferred. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_inferred_free(inferred: *mut mxr_inferred_t) {
    if !inferred.is_null() && came_back(inferred, INFERRED) {
        // SAFETY: the handle came from `give` and is freed once.
        drop(unsafe { Box::from_raw(inferred) });
    }
}
