//! Models: a graph with its parameters and inputs in one file of mxr's own.

use crate::attr::{length, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::file::{give_list, mxr_list_t};
use crate::handle::{arrays, came_back, check, given, mxr_array_t};
use crate::out::out;
use crate::symbol::{give_symbol, mxr_symbol_t, symbol};
use crate::text::{give_texts, mxr_texts_t, pairs};
use mxr_core::graph::Symbol;
use mxr_core::model::{Input, Model, native};
use mxr_core::ndarray::safetensors::Access;
use mxr_core::{DType, Result, Shape, err};
use std::ffi::{CString, c_char};
use std::path::Path;
use std::sync::Arc;

/// A model that was opened.
pub struct mxr_model_t {
    model: Model,
    symbol: Arc<Symbol>,
    names: Vec<CString>,
}

/// The file is read at once. Without this its arrays stay in it until they are written to, and another
/// program must not shorten it meanwhile.
pub const MXR_MODEL_COPY: u32 = 1;

const MODEL: &str = "model";

/// What a user gives to a model.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mxr_input_t {
    /// Size of this struct as the caller knows it.
    pub struct_size: u32,
    /// dtype, one of `MXR_FLOAT32`, ….
    pub dtype: i32,
    /// 1 for what only training needs, else 0.
    pub is_label: i32,
    /// Number of axes; -1 for any shape.
    pub ndim: i32,
    /// The sizes of the axes; -1 for any size.
    pub dims: *const i64,
    /// Name of the argument.
    pub name: *const c_char,
}

/// The model behind a handle, for the time of a call.
unsafe fn model<'a>(handle: *const mxr_model_t) -> Result<&'a mxr_model_t> {
    check(handle, MODEL, "model")?;
    // SAFETY: the handle came from `mxr_model_load` and its owner keeps it during the call.
    Ok(unsafe { &*handle })
}

/// Opens a model. `flags` is 0 or `MXR_MODEL_COPY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_model_load(
    path: *const c_char,
    flags: u32,
    model: *mut *mut mxr_model_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a C string and a place for the handle.
        unsafe {
            let model = out(model, "model")?;
            let path = Path::new(string(path, "path")?);
            let access = match flags {
                0 => Access::Mapped,
                MXR_MODEL_COPY => Access::Copied,
                other => return Err(err!(InvalidValue, "expected 0 or 1, got {other}").about("flags")),
            };
            let opened = native::load(path, access)?;
            let name = |i: &Input| {
                CString::new(i.name.as_str()).map_err(|_| err!(Format, "a name contains a zero byte"))
            };
            let names = opened.inputs.iter().map(name).collect::<Result<_>>()?;
            let symbol = Arc::new(opened.symbol.clone());
            let handle = Box::into_raw(Box::new(mxr_model_t { model: opened, symbol, names }));
            given(handle, MODEL);
            model.write(handle);
        }
        Ok(())
    })
}

/// Writes a model; an existing file is replaced only by a whole one.
///
/// The names of the `num_arrays` parameters begin with "arg:" or, for auxiliary states, "aux:". What has no
/// parameter is an input; `inputs` may say more of some of them. The `num_texts` texts are the caller's own,
/// under keys that do not begin with "mxr.".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_model_save(
    path: *const c_char,
    symbol: *const mxr_symbol_t,
    names: *const *const c_char,
    arrays: *const *mut mxr_array_t,
    num_arrays: i32,
    inputs: *const *const mxr_input_t,
    num_inputs: i32,
    keys: *const *const c_char,
    values: *const *const c_char,
    num_texts: i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives C strings, handles and inputs, as many as it says.
        unsafe {
            let path = Path::new(string(path, "path")?);
            let graph = self::symbol(symbol, "symbol")?.clone();
            let arrays = self::arrays(arrays, num_arrays, "arrays")?;
            let names = slice(names, arrays.len(), "names")?.iter().zip(&arrays);
            let named = names.map(|(n, a)| Ok((string(*n, "names")?.to_owned(), (**a).clone())));
            let named = named.collect::<Result<_>>()?;
            let inputs = slice(inputs, length(num_inputs.into(), "num_inputs")?, "inputs")?;
            let texts = pairs(keys, values, num_texts)?;
            let mut model = Model::from_file_names(graph, named)?;
            for input in inputs {
                model.declare(read_input(*input)?)?;
            }
            model.metadata = texts.into_iter().map(|(k, t)| (k.to_owned(), t.to_owned())).collect();
            native::save(&model, path)
        }
    })
}

/// An input of which the caller may know only a part of the fields.
unsafe fn read_input(input: *const mxr_input_t) -> Result<Input> {
    if input.is_null() {
        return Err(err!(InvalidValue, "expected an input, got NULL").about("inputs"));
    }
    let (dims, name) = (std::ptr::null(), std::ptr::null());
    let mut full = mxr_input_t { struct_size: 0, dtype: 0, is_label: 0, ndim: -1, dims, name };
    // SAFETY: the caller's struct begins with its size, and that many bytes of it exist.
    unsafe {
        let size = ((*input).struct_size as usize).min(size_of::<mxr_input_t>());
        std::ptr::copy_nonoverlapping(input.cast::<u8>(), (&raw mut full).cast::<u8>(), size);
    }
    let shape = match full.ndim {
        -1 => None,
        // SAFETY: the caller gives so many sizes.
        n => Some(Shape::new(unsafe { slice(full.dims, length(n.into(), "ndim")?, "dims") }?)),
    };
    // SAFETY: the caller gives a C string.
    let name = unsafe { string(full.name, "name") }?.to_owned();
    Ok(Input { name, shape, dtype: DType::from_code(full.dtype)?, label: full.is_label != 0 })
}

/// The graph of a model, a new reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_model_symbol(
    model: *const mxr_model_t,
    symbol: *mut *mut mxr_symbol_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let symbol = out(symbol, "symbol")?;
            symbol.write(give_symbol(self::model(model)?.symbol.clone()));
        }
        Ok(())
    })
}

/// The parameters of a model under their names in the file: "arg:…" and "aux:…".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_model_arrays(
    model: *const mxr_model_t,
    list: *mut *mut mxr_list_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let list = out(list, "list")?;
            let arrays = self::model(model)?.model.file_names();
            list.write(give_list(arrays.map(|(name, array)| (Some(name), array.clone())).collect())?);
        }
        Ok(())
    })
}

/// The texts of a model that are not mxr's: each key, and then its text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_model_texts(
    model: *const mxr_model_t,
    texts: *mut *mut mxr_texts_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let texts = out(texts, "texts")?;
            let metadata = self::model(model)?.model.metadata.clone();
            texts.write(give_texts(metadata.into_iter().flat_map(|(key, text)| [key, text])));
        }
        Ok(())
    })
}

/// Number of inputs of a model; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_model_num_inputs(model: *const mxr_model_t) -> i32 {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { self::model(model) }.map_or(-1, |m| m.model.inputs.len() as i32)
}

/// Input `i` of a model; the caller sets `struct_size` before. What it points to lives as long as the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_model_input(
    model: *const mxr_model_t,
    i: i32,
    input: *mut mxr_input_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a live handle.
        let m = unsafe { self::model(model) }?;
        if input.is_null() {
            return Err(err!(InvalidValue, "expected room for an input, got NULL").about("input"));
        }
        let Some((known, name)) =
            usize::try_from(i).ok().and_then(|i| m.model.inputs.get(i).zip(m.names.get(i)))
        else {
            return Err(err!(Index, "there is no input {i} among {}", m.names.len()).about("i"));
        };
        // SAFETY: the caller's struct begins with its size, and that many bytes of it exist.
        unsafe {
            let size = ((*input).struct_size as usize).min(size_of::<mxr_input_t>());
            let full = mxr_input_t {
                struct_size: size as u32,
                dtype: known.dtype as i32,
                is_label: known.label.into(),
                ndim: known.shape.as_ref().map_or(-1, |s| s.ndim() as i32),
                dims: known.shape.as_ref().map_or(std::ptr::null(), |s| s.as_ptr()),
                name: name.as_ptr(),
            };
            std::ptr::copy_nonoverlapping((&raw const full).cast::<u8>(), input.cast::<u8>(), size);
        }
        Ok(())
    })
}

/// Frees a model; symbols and arrays taken from it stay. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_model_free(model: *mut mxr_model_t) {
    if !model.is_null() && came_back(model, MODEL) {
        // SAFETY: the model came from `mxr_model_load` and is freed once.
        drop(unsafe { Box::from_raw(model) });
    }
}
