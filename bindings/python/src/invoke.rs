//! The one call for all operators.

use crate::abi::{self, MXR_ERROR_INVALID_TYPE as INVALID_TYPE, mxr_array_t, mxr_op_t};
use crate::array::{NDArray, wait_shape};
use crate::convert::{Attr, Values, about};
use crate::error::{check, exception};
use crate::library::{abi, file};
use crate::ops::OPS;
use crate::scope;
use pyo3::exceptions::{PyImportError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyTuple};
use smallvec::SmallVec;
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// An operator, as the schema has it.
pub struct Op {
    /// Its name.
    pub name: &'static CStr,
    /// What calls were written for: (break, revision).
    pub version: (u32, u32),
    /// The names of its inputs.
    pub inputs: &'static [&'static str],
    /// Whether it takes any number of them.
    pub variadic: bool,
    /// Its attributes, in the order of the Python function's parameters.
    pub attrs: &'static [Attr],
    /// The library's handle, once it was asked for.
    pub handle: AtomicPtr<mxr_op_t>,
    /// The default of each attribute's parameter: such a value is not passed on.
    pub defaults: PyOnceLock<Vec<Option<Py<PyAny>>>>,
}

/// The object that stands for a value that was not given.
static NO_VALUE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Says which object stands for a value that was not given.
#[pyfunction]
pub fn set_no_value(py: Python<'_>, object: Py<PyAny>) {
    let _ = NO_VALUE.set(py, object);
}

impl Op {
    /// An operator that was not asked for yet.
    pub const fn new(
        name: &'static CStr,
        version: (u32, u32),
        inputs: &'static [&'static str],
        variadic: bool,
        attrs: &'static [Attr],
    ) -> Op {
        let handle = AtomicPtr::new(ptr::null_mut());
        Op { name, version, inputs, variadic, attrs, handle, defaults: PyOnceLock::new() }
    }

    /// The name as text.
    pub fn text(&self) -> &'static str {
        self.name.to_str().unwrap_or("operator")
    }

    /// The library's handle; its version is checked the first time.
    #[inline]
    pub fn handle(&self, py: Python<'_>) -> PyResult<*const mxr_op_t> {
        let handle = self.handle.load(Ordering::Acquire);
        if handle.is_null() { self.find(py) } else { Ok(handle) }
    }

    #[cold]
    fn find(&self, py: Python<'_>) -> PyResult<*const mxr_op_t> {
        let mut handle: *const mxr_op_t = ptr::null();
        let (mut breaking, mut revision) = (0, 0);
        // SAFETY: the name is a C string, and the places are given; a handle that was found is static.
        unsafe {
            check(py, (abi().mxr_op_find)(self.name.as_ptr(), &raw mut handle))?;
            check(py, (abi().mxr_op_version)(handle, &raw mut breaking, &raw mut revision))?;
        }
        let (needs, at_least) = self.version;
        if breaking != needs || revision < at_least {
            return Err(PyImportError::new_err(format!(
                "operator {}: this mxr needs version {needs}.{at_least} or a later revision, and {} has {breaking}.{revision}",
                self.text(),
                file()
            )));
        }
        self.handle.store(handle.cast_mut(), Ordering::Release);
        Ok(handle)
    }

    fn input_error(&self, i: usize, value: &Bound<'_, PyAny>) -> PyErr {
        let argument = self.inputs.get(i).or(self.inputs.last()).copied().unwrap_or("data");
        let got = value.get_type().name().map(|n| n.to_string()).unwrap_or_default();
        let message = format!("{}: argument '{argument}': expected an NDArray, got {got}", self.text());
        exception(value.py(), INVALID_TYPE, &message, Some(self.text()), Some(argument))
    }

    fn unknown_keyword(&self, py: Python<'_>, kwargs: &Bound<'_, PyDict>) -> PyErr {
        let known: Vec<&str> = self
            .inputs
            .iter()
            .copied()
            .chain(self.attrs.iter().map(|a| a.name))
            .chain(["out", "name"])
            .collect();
        let name = kwargs.keys().iter().next().map(|k| k.to_string()).unwrap_or_default();
        let close = py
            .import("difflib")
            .and_then(|d| d.call_method1("get_close_matches", (&name, known, 1)))
            .and_then(|found| found.extract::<Vec<String>>());
        let hint = match close.as_deref() {
            Ok([nearest, ..]) => format!("; did you mean '{nearest}'?"),
            _ => String::new(),
        };
        let message = format!("{}() got an unexpected keyword argument '{name}'{hint}", self.text());
        exception(py, INVALID_TYPE, &message, Some(self.text()), Some(&name))
    }

    fn values(&self, py: Python<'_>, given: &Bound<'_, PyTuple>) -> PyResult<Values> {
        let mut values = Values::default();
        let defaults = self.defaults.get(py);
        let no_value = NO_VALUE.get(py);
        for (i, (attr, value)) in self.attrs.iter().zip(given.iter_borrowed()).enumerate() {
            if !attr.required && defaults.and_then(|d| d[i].as_ref()).is_some_and(|d| d.is(value)) {
                continue;
            }
            let lacks = value.is_none();
            if lacks && attr.may_lack {
                values.add_none(attr);
                continue;
            }
            if lacks || no_value.is_some_and(|n| n.is(value)) {
                if attr.required {
                    let message = format!("{}() needs the argument '{}'", self.text(), attr.name);
                    return Err(exception(py, INVALID_TYPE, &message, Some(self.text()), Some(attr.name)));
                }
                continue;
            }
            values.add(attr, &value).map_err(|e| about(py, self.text(), attr.name, &e))?;
        }
        Ok(values)
    }
}

/// Room for outputs at first.
const ROOM: usize = 8;

/// The handles of a call's outputs.
pub type Outputs = SmallVec<[*mut mxr_array_t; ROOM]>;

/// Calls an operator on handles. `outputs` begins with those that are given, and comes back with all.
pub fn call(
    py: Python<'_>,
    op: &Op,
    inputs: &[*mut mxr_array_t],
    attrs: &[abi::mxr_attr_t],
    mut outputs: Outputs,
) -> PyResult<Outputs> {
    let handle = op.handle(py)?;
    scope::poll();
    inputs.iter().try_for_each(|input| wait_shape(py, *input))?;
    let mode = scope::call();
    let given = outputs.len();
    outputs.resize(outputs.len().max(ROOM), ptr::null_mut());
    loop {
        let mut n = outputs.len() as i32;
        // SAFETY: all lists are as long as is said, and live for the call.
        let error = unsafe {
            (abi().mxr_op_invoke)(
                handle,
                inputs.as_ptr(),
                inputs.len() as i32,
                attrs.as_ptr(),
                attrs.len() as i32,
                outputs.as_mut_ptr(),
                &raw mut n,
                ptr::null(),
                &raw const mode,
            )
        };
        if error.is_null() {
            outputs.truncate((n as usize).max(given));
            return Ok(outputs);
        }
        let mut needed = 0;
        // SAFETY: the attributes are as many as is said, and a place is given.
        let asked = unsafe {
            (abi().mxr_op_num_outputs)(handle, attrs.as_ptr(), attrs.len() as i32, &raw mut needed)
        };
        if !asked.is_null() {
            // SAFETY: the error is owned here.
            unsafe { (abi().mxr_error_free)(asked) };
        } else if needed as usize > outputs.len() {
            // SAFETY: as above.
            unsafe { (abi().mxr_error_free)(error) };
            outputs.resize(needed as usize, ptr::null_mut());
            continue;
        }
        check(py, error)?;
    }
}

/// The arrays of `out=`, an array or a list of them.
fn given_outputs<'py>(out: &Bound<'py, PyAny>) -> PyResult<SmallVec<[Bound<'py, NDArray>; 1]>> {
    let mut arrays = SmallVec::new();
    if out.is_none() {
        return Ok(arrays);
    }
    if let Ok(array) = out.cast::<NDArray>() {
        arrays.push(array.clone());
        return Ok(arrays);
    }
    let wrong = |o: &Bound<'_, PyAny>| {
        PyTypeError::new_err(format!("out: expected an NDArray or a list of them, got {}", o.get_type()))
    };
    for item in out.try_iter().map_err(|_| wrong(out))? {
        let item = item?;
        arrays.push(item.cast::<NDArray>().map_err(|_| wrong(&item))?.clone());
    }
    Ok(arrays)
}

/// Calls operator number `index` on inputs, of which None are left out, with its attributes in order.
#[pyfunction]
pub fn invoke<'py>(
    py: Python<'py>,
    index: usize,
    inputs: &Bound<'py, PyTuple>,
    attrs: &Bound<'py, PyTuple>,
    out: &Bound<'py, PyAny>,
    kwargs: &Bound<'py, PyDict>,
) -> PyResult<Py<PyAny>> {
    let op = &OPS[index];
    if !kwargs.is_empty() {
        return Err(op.unknown_keyword(py, kwargs));
    }
    let mut handles: SmallVec<[*mut mxr_array_t; 8]> = SmallVec::new();
    for (i, input) in inputs.iter_borrowed().enumerate() {
        if let Ok(array) = input.cast::<NDArray>() {
            handles.push(array.get().handle());
        } else if let (true, Ok(all)) = (op.variadic, input.cast::<PyList>()) {
            // Any number of arrays may come as a list.
            for (i, item) in all.iter().enumerate() {
                let array = item.cast::<NDArray>().map_err(|_| op.input_error(i, &item))?;
                handles.push(array.get().handle());
            }
        } else if !input.is_none() {
            return Err(op.input_error(i, &input));
        }
    }
    let mut values = op.values(py, attrs)?;
    let given = given_outputs(out)?;
    let places = given.iter().map(|a| a.get().handle()).collect();
    let outputs = call(py, op, &handles, values.finish(), places)?;
    let object = |i: usize, handle: *mut mxr_array_t| match given.get(i) {
        Some(array) => Ok(array.clone().into_any()),
        None => Bound::new(py, NDArray::own(handle)).map(Bound::into_any),
    };
    if let [handle] = outputs[..] {
        return Ok(object(0, handle)?.unbind());
    }
    let objects = outputs.iter().enumerate().map(|(i, h)| object(i, *h)).collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, objects)?.into_any().unbind())
}

/// Decorates the function of operator number `index`: its parameters' defaults need not be passed on.
#[pyfunction]
pub fn operator(py: Python<'_>, index: usize, function: Py<PyAny>) -> PyResult<Py<PyAny>> {
    let op = &OPS[index];
    let bound = function.bind(py);
    let positional: Vec<Py<PyAny>> =
        bound.getattr("__defaults__")?.extract::<Option<Vec<_>>>()?.unwrap_or_default();
    let named = bound.getattr("__kwdefaults__")?.extract::<Option<Bound<'_, PyDict>>>()?;
    // After the attributes come `out` and `name`.
    let end = positional.len().saturating_sub(2);
    let mut defaults = Vec::with_capacity(op.attrs.len());
    for (i, attr) in op.attrs.iter().enumerate() {
        defaults.push(match &named {
            Some(named) => named.get_item(attr.name)?.map(Bound::unbind),
            None => (end + i)
                .checked_sub(op.attrs.len())
                .and_then(|at| positional.get(at))
                .map(|d| d.clone_ref(py)),
        });
    }
    let _ = op.defaults.set(py, defaults);
    Ok(function)
}
