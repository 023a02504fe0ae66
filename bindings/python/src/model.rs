//! mxr's model files: opened and written. The classes of what comes back are Python.

use crate::abi::{self, mxr_input_t, mxr_model_t};
use crate::array::{Dims, NDArray, dims_of, handles};
use crate::error::check;
use crate::interchange::take_list;
use crate::library::abi;
use crate::symbol::{SymbolHandle, Texts, texts_of};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ffi::CStr;
use std::ptr;

/// An input: name, shape, dtype code, whether it is a label.
type Input<'py> = (String, Option<Bound<'py, PyAny>>, i32, bool);
/// An input that was read.
type ReadInput = (String, Option<Py<PyTuple>>, i32, bool);
/// What a model file holds: graph, arrays by their names there, inputs, keys and texts in turn.
type Parts = (SymbolHandle, Vec<(Option<String>, NDArray)>, Vec<ReadInput>, Vec<String>);

/// A model that is freed at the end.
struct Model(*mut mxr_model_t);

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: the handle is owned here and freed once.
        unsafe { (abi().mxr_model_free)(self.0) }
    }
}

/// Opens a model file.
#[pyfunction]
pub fn load_model(py: Python<'_>, path: &str, copy: bool) -> PyResult<Parts> {
    let path = Texts::of([Some(path)])?;
    let flags = if copy { abi::MXR_MODEL_COPY } else { 0 };
    let mut handle = ptr::null_mut();
    // SAFETY: the path is a C string, and places are given; the model is live until the end.
    unsafe {
        check(py, (abi().mxr_model_load)(path.pointers[0], flags, &raw mut handle))?;
        let model = Model(handle);
        let symbol = SymbolHandle::made(py, |out| (abi().mxr_model_symbol)(model.0, out))?;
        let mut list = ptr::null_mut();
        check(py, (abi().mxr_model_arrays)(model.0, &raw mut list))?;
        let arrays = take_list(py, list)?;
        let count = (abi().mxr_model_num_inputs)(model.0);
        let inputs = (0..count).map(|i| input(py, &model, i)).collect::<PyResult<_>>()?;
        let texts = texts_of(py, |out| (abi().mxr_model_texts)(model.0, out))?;
        Ok((symbol, arrays, inputs, texts))
    }
}

fn input(py: Python<'_>, model: &Model, i: i32) -> PyResult<ReadInput> {
    let mut input = unset();
    // SAFETY: the model is live, and the struct knows its size.
    check(py, unsafe { (abi().mxr_model_input)(model.0, i, &raw mut input) })?;
    // SAFETY: the name is a C string that lives as long as the model.
    let name = unsafe { CStr::from_ptr(input.name) }.to_string_lossy().into_owned();
    let dims = match input.ndim {
        ..0 => None,
        0 => Some(&[][..]),
        // SAFETY: there are so many sizes, which live as long as the model.
        n => Some(unsafe { std::slice::from_raw_parts(input.dims, n as usize) }),
    };
    let shape = dims.map(|dims| PyTuple::new(py, dims).map(Bound::unbind)).transpose()?;
    Ok((name, shape, input.dtype, input.is_label != 0))
}

fn unset() -> mxr_input_t {
    mxr_input_t {
        struct_size: size_of::<mxr_input_t>() as u32,
        dtype: 0,
        is_label: 0,
        ndim: -1,
        dims: ptr::null(),
        name: ptr::null(),
    }
}

/// Writes a model file.
#[pyfunction]
pub fn save_model(
    py: Python<'_>,
    path: &str,
    symbol: &Bound<'_, SymbolHandle>,
    names: Vec<String>,
    arrays: &Bound<'_, PyAny>,
    inputs: Vec<Input<'_>>,
    texts: Vec<(String, String)>,
) -> PyResult<()> {
    let (objects, arrays) = handles(arrays, false)?;
    for array in &objects {
        array.get().wait_read(py)?;
    }
    let path = Texts::of([Some(path)])?;
    let names = Texts::of(names.iter().map(|n| Some(n.as_str())))?;
    let (keys, values) = Texts::pairs(&texts)?;
    let input_names = Texts::of(inputs.iter().map(|(name, ..)| Some(name.as_str())))?;
    let shapes = inputs.iter().map(|(_, shape, ..)| shape.as_ref().map(dims_of).transpose());
    let shapes = shapes.collect::<PyResult<Vec<Option<Dims>>>>()?;
    let described = inputs.iter().zip(&shapes).zip(&input_names.pointers);
    let described: Vec<mxr_input_t> = described
        .map(|(((_, _, dtype, label), shape), name)| mxr_input_t {
            dtype: *dtype,
            is_label: i32::from(*label),
            ndim: shape.as_ref().map_or(-1, |s| s.len() as i32),
            dims: shape.as_ref().map_or(ptr::null(), |s| s.as_ptr()),
            name: *name,
            ..unset()
        })
        .collect();
    let inputs: Vec<*const mxr_input_t> = described.iter().map(ptr::from_ref).collect();
    // SAFETY: handles are live, and there are as many texts, arrays and inputs as is said.
    check(py, unsafe {
        (abi().mxr_model_save)(
            path.pointers[0],
            symbol.get().ptr(),
            names.pointers.as_ptr(),
            arrays.as_ptr(),
            arrays.len() as i32,
            inputs.as_ptr(),
            inputs.len() as i32,
            keys.pointers.as_ptr(),
            values.pointers.as_ptr(),
            texts.len() as i32,
        )
    })
}
