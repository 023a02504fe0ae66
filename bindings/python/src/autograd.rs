//! Automatic differentiation.

use crate::abi::{self, mxr_array_t, mxr_error_t};
use crate::array::{NDArray, handles, list_of};
use crate::error::{Sent, carry, check};
use crate::library::abi;
use crate::scope;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::ffi::{CString, c_void};
use std::ptr;

/// Makes arrays variables, whose gradients `backward` leaves in `gradients` as `requests` say.
#[pyfunction]
pub fn mark(
    py: Python<'_>,
    variables: &Bound<'_, PyAny>,
    gradients: &Bound<'_, PyAny>,
    requests: Vec<i32>,
) -> PyResult<()> {
    let (_variables, variables) = handles(variables, false)?;
    let (_gradients, gradients) = handles(gradients, false)?;
    if variables.len() != gradients.len() || variables.len() != requests.len() {
        return Err(PyValueError::new_err(format!(
            "expected as many gradients and requests as variables, got {} variables, {} gradients, {} requests",
            variables.len(),
            gradients.len(),
            requests.len()
        )));
    }
    // SAFETY: all lists have the length that is said, and their objects are kept.
    check(py, unsafe {
        (abi().mxr_autograd_mark)(
            variables.as_ptr(),
            gradients.as_ptr(),
            requests.as_ptr(),
            variables.len() as i32,
        )
    })
}

fn flags(retain_graph: bool, create_graph: bool, training: bool) -> u32 {
    let flag = |on: bool, flag: u32| if on { flag } else { 0 };
    flag(retain_graph, abi::MXR_BACKWARD_RETAIN_GRAPH)
        | flag(create_graph, abi::MXR_BACKWARD_CREATE_GRAPH)
        | flag(training, abi::MXR_BACKWARD_TRAINING)
}

/// Head gradients, as many as heads; None means ones.
fn head_gradients<'py>(
    heads: usize,
    given: &Bound<'py, PyAny>,
) -> PyResult<(Vec<Bound<'py, NDArray>>, Vec<*mut mxr_array_t>)> {
    if given.is_none() {
        return Ok((Vec::new(), vec![ptr::null_mut(); heads]));
    }
    let (objects, given) = handles(given, true)?;
    if given.len() != heads {
        return Err(PyValueError::new_err(format!(
            "head_grads: expected {heads}, one for each head, got {}",
            given.len()
        )));
    }
    Ok((objects, given))
}

/// Leaves the gradients of the sum of all heads in the gradient arrays of the variables.
#[pyfunction]
pub fn backward(
    py: Python<'_>,
    heads: &Bound<'_, PyAny>,
    head_grads: &Bound<'_, PyAny>,
    retain_graph: bool,
    create_graph: bool,
    training: bool,
) -> PyResult<()> {
    let (_heads, heads) = handles(heads, false)?;
    let (_grads, grads) = head_gradients(heads.len(), head_grads)?;
    let flags = flags(retain_graph, create_graph, training);
    let (heads, grads) = (Sent(heads), Sent(grads));
    let error = py.detach(|| {
        let (heads, grads) = (&heads, &grads);
        // SAFETY: both lists have the length that is said, and their objects are kept.
        Sent(unsafe {
            (abi().mxr_autograd_backward)(heads.0.as_ptr(), grads.0.as_ptr(), heads.0.len() as i32, flags)
        })
    });
    scope::poll();
    check(py, error.0)
}

/// The gradients of the sum of all heads with respect to variables, as new arrays.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn grad<'py>(
    py: Python<'py>,
    heads: &Bound<'py, PyAny>,
    variables: &Bound<'py, PyAny>,
    head_grads: &Bound<'py, PyAny>,
    retain_graph: bool,
    create_graph: bool,
    training: bool,
) -> PyResult<Bound<'py, PyList>> {
    let (_heads, heads) = handles(heads, false)?;
    let (_variables, variables) = handles(variables, false)?;
    let (_grads, grads) = head_gradients(heads.len(), head_grads)?;
    let flags = flags(retain_graph, create_graph, training);
    let all = Sent((heads, grads, variables));
    let done = py.detach(|| {
        let (heads, grads, variables) = &{ &all }.0;
        let mut found: Vec<*mut mxr_array_t> = vec![ptr::null_mut(); variables.len()];
        // SAFETY: all lists have the length that is said, and their objects are kept.
        let error = unsafe {
            (abi().mxr_autograd_grad)(
                heads.as_ptr(),
                grads.as_ptr(),
                heads.len() as i32,
                variables.as_ptr(),
                variables.len() as i32,
                flags,
                found.as_mut_ptr(),
            )
        };
        Sent((error, found))
    });
    scope::poll();
    check(py, done.0.0)?;
    list_of(py, done.0.1)
}

/// Calls the function in `payload` with the output gradients and takes the arrays it returns.
unsafe extern "C" fn run_backward(
    payload: *mut c_void,
    output_grads: *const *mut mxr_array_t,
    num_outputs: i32,
    input_grads: *mut *mut mxr_array_t,
    num_inputs: i32,
) -> *mut mxr_error_t {
    Python::attach(|py| {
        // SAFETY: `payload` is the box made in `record_custom`, alive until `drop_object`; the lists are as long
        // as is said.
        let (function, given) = unsafe {
            let given = std::slice::from_raw_parts(output_grads, num_outputs as usize);
            (&*payload.cast::<Py<PyAny>>(), given)
        };
        // SAFETY: the handles are live for this call; the new references are owned by the objects.
        let given = given.iter().map(|h| Py::new(py, NDArray::own(unsafe { (abi().mxr_array_retain)(*h) })));
        let run = || -> PyResult<Vec<*mut mxr_array_t>> {
            let given = PyTuple::new(py, given.collect::<PyResult<Vec<_>>>()?)?;
            let results = function.bind(py).call1(given)?;
            let (objects, found) = handles(&results, false)?;
            if found.len() != num_inputs as usize {
                return Err(PyValueError::new_err(format!(
                    "backward: expected {num_inputs} gradients, one for each input, got {}",
                    found.len()
                )));
            }
            // SAFETY: the handles are live while their objects are.
            let kept = found.iter().map(|h| unsafe { (abi().mxr_array_retain)(*h) }).collect();
            drop(objects);
            Ok(kept)
        };
        match run() {
            Ok(found) => {
                for (i, handle) in found.into_iter().enumerate() {
                    // SAFETY: there are as many places as inputs.
                    unsafe { *input_grads.add(i) = handle };
                }
                ptr::null_mut()
            }
            Err(error) => carry(error),
        }
    })
}

/// Forgets a boxed object.
pub unsafe extern "C" fn drop_object(payload: *mut c_void) {
    // SAFETY: the payload is a box made with the function that gave this one, and is dropped once.
    let object = unsafe { Box::from_raw(payload.cast::<Py<PyAny>>()) };
    let _ = Python::try_attach(|_| drop(object));
}

/// Records `outputs` as made from `inputs`, with a function of output gradients that returns input gradients.
#[pyfunction]
pub fn record_custom(
    py: Python<'_>,
    name: &str,
    inputs: &Bound<'_, PyAny>,
    outputs: &Bound<'_, PyAny>,
    backward: Py<PyAny>,
) -> PyResult<()> {
    let (_inputs, inputs) = handles(inputs, false)?;
    let (_outputs, outputs) = handles(outputs, false)?;
    let name = CString::new(name).map_err(|_| PyTypeError::new_err("a name has no zero bytes"))?;
    let payload: *mut c_void = Box::into_raw(Box::new(backward)).cast();
    // SAFETY: both lists have the length that is said; the library drops the payload, in any case.
    let error = unsafe {
        (abi().mxr_autograd_record_custom)(
            name.as_ptr(),
            inputs.as_ptr(),
            inputs.len() as i32,
            outputs.as_ptr(),
            outputs.len() as i32,
            Some(run_backward),
            payload,
            Some(drop_object),
        )
    };
    check(py, error)
}
