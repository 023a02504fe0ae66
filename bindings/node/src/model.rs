//! mxr's model files: opened and written.

use crate::array::take_list;
use crate::error::{check, text};
use crate::handles::{New, list};
use crate::js::{Call, Result, ToJs};
use crate::symbol::{pairs, symbol};
use crate::texts::{self, Texts, texts};
use mxr_abi::abi;
use mxr_abi::ffi::{self, mxr_array_t, mxr_input_t, mxr_model_t};
use napi_sys::napi_value;
use std::ptr;

/// A model that is freed at the end.
struct Model(*mut mxr_model_t);

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: the handle is owned here and freed once.
        unsafe { (abi().mxr_model_free)(self.0) }
    }
}

fn unset() -> mxr_input_t {
    let struct_size = size_of::<mxr_input_t>() as u32;
    mxr_input_t { struct_size, dtype: 0, is_label: 0, ndim: -1, dims: ptr::null(), name: ptr::null() }
}

/// `modelLoad(path, copy)`: the symbol, names and arrays, inputs, and keys and texts in turn.
pub fn load(call: &Call) -> Result<napi_value> {
    let path = Texts::one(&call.get::<String>(0, "path")?)?;
    let flags = if call.get::<bool>(1, "copy")? { ffi::MXR_MODEL_COPY } else { 0 };
    let (mut handle, mut symbol, mut arrays) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the path is a C string, and places are given; the model is live until the end.
    unsafe {
        check((abi().mxr_model_load)(path.pointers[0], flags, &raw mut handle))?;
        let model = Model(handle);
        check((abi().mxr_model_symbol)(model.0, &raw mut symbol))?;
        check((abi().mxr_model_arrays)(model.0, &raw mut arrays))?;
        let (symbol, arrays) = (New(symbol), take_list(arrays)?);
        let count = (abi().mxr_model_num_inputs)(model.0);
        let inputs = (0..count).map(|i| input(call, &model, i)).collect::<Result<Vec<_>>>()?;
        let metadata = texts::taken(|out| (abi().mxr_model_texts)(model.0, out))?;
        call.give((symbol, arrays, inputs, metadata))
    }
}

/// An input: name, shape or null, dtype, whether it is a label.
fn input(call: &Call, model: &Model, i: i32) -> Result<napi_value> {
    let mut input = unset();
    // SAFETY: the model is live, and the struct knows its size.
    check(unsafe { (abi().mxr_model_input)(model.0, i, &raw mut input) })?;
    let dims = match input.ndim {
        ..0 => None,
        0 => Some(vec![]),
        // SAFETY: there are so many sizes, which live as long as the model.
        n => Some(unsafe { std::slice::from_raw_parts(input.dims, n as usize) }.to_vec()),
    };
    // SAFETY: the name is a C string that lives as long as the model.
    let name = unsafe { text(input.name) };
    (name, dims, input.dtype, input.is_label != 0).to_js(call.env)
}

/// `modelSave(path, symbol, names, arrays, inputs, dtypes, shapes, labels, keys, values)`: a shape that is null may be
/// any.
pub fn save(call: &Call) -> Result<napi_value> {
    let (path, symbol) = (Texts::one(&call.get::<String>(0, "path")?)?, symbol(call, 1)?);
    let (names, arrays) = (texts(call, 2, "names")?, list::<mxr_array_t>(call, 3, "arrays")?);
    let (inputs, dtypes) = (texts(call, 4, "inputs")?, call.get::<Vec<i32>>(5, "inputs")?);
    let (shapes, labels) =
        (call.get::<Vec<Option<Vec<i64>>>>(6, "inputs")?, call.get::<Vec<bool>>(7, "inputs")?);
    let (keys, values) = pairs(call, 8)?;
    let described = inputs.pointers.iter().zip(&dtypes).zip(&shapes).zip(&labels);
    let described: Vec<mxr_input_t> = described
        .map(|(((name, dtype), shape), label)| mxr_input_t {
            dtype: *dtype,
            is_label: (*label).into(),
            ndim: shape.as_ref().map_or(-1, |shape| shape.len() as i32),
            dims: shape.as_ref().map_or(ptr::null(), |shape| shape.as_ptr()),
            name: *name,
            ..unset()
        })
        .collect();
    let described: Vec<*const mxr_input_t> = described.iter().map(ptr::from_ref).collect();
    let n = names.len().min(arrays.len() as i32);
    // SAFETY: handles are live, and there are as many texts, arrays and inputs as is said.
    check(unsafe {
        (abi().mxr_model_save)(
            path.pointers[0],
            symbol,
            names.pointers.as_ptr(),
            arrays.as_ptr(),
            n,
            described.as_ptr(),
            described.len() as i32,
            keys.pointers.as_ptr(),
            values.pointers.as_ptr(),
            keys.len(),
        )
    })?;
    call.give(())
}
