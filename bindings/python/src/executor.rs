//! `PlanHandle`, `ExecutorHandle` and `CachedOpHandle`: compiled symbols as the library has them. The classes that
//! users see are Python.

use crate::abi::{
    self, mxr_array_t, mxr_cached_op_t, mxr_executor_t, mxr_known_t, mxr_plan_options_t, mxr_plan_report_t,
    mxr_plan_t,
};
use crate::array::{Dims, NDArray, dims_of, handles, list_of};
use crate::autograd::drop_object;
use crate::error::{Sent, check};
use crate::handle::handle;
use crate::library::abi;
use crate::scope;
use crate::symbol::{SymbolHandle, Texts, taken, texts_of};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;

handle! {
    /// A compiled symbol.
    PlanHandle, mxr_plan_t, mxr_plan_free
}
handle! {
    /// A symbol bound to arrays.
    ExecutorHandle, mxr_executor_t, mxr_executor_free
}
handle! {
    /// A symbol that is called like an operator.
    CachedOpHandle, mxr_cached_op_t, mxr_cached_op_free
}

/// What is known of a symbol's variables, alive for a call.
pub struct Known {
    shape_names: Texts,
    shapes: Vec<Dims>,
    shape_pointers: Vec<*const i64>,
    axes: Vec<i32>,
    dtype_names: Texts,
    dtypes: Vec<i32>,
    request_names: Texts,
    requests: Vec<i32>,
    others: i32,
}

/// Shapes, codes of dtypes and requests, each by name, and the request for other arguments.
type Given<'py> = (Vec<(String, Bound<'py, PyAny>)>, Vec<(String, i32)>, Vec<(String, i32)>, i32);

impl Known {
    fn new((shapes, dtypes, requests, others): Given<'_>) -> PyResult<Known> {
        let names = |list: &[(String, i32)]| Texts::of(list.iter().map(|(n, _)| Some(n.as_str())));
        let codes = |list: &[(String, i32)]| list.iter().map(|(_, c)| *c).collect();
        let dims = shapes.iter().map(|(_, s)| dims_of(s)).collect::<PyResult<Vec<Dims>>>()?;
        Ok(Known {
            shape_names: Texts::of(shapes.iter().map(|(n, _)| Some(n.as_str())))?,
            shape_pointers: dims.iter().map(|d| d.as_ptr()).collect(),
            axes: dims.iter().map(|d| d.len() as i32).collect(),
            shapes: dims,
            dtype_names: names(&dtypes)?,
            dtypes: codes(&dtypes),
            request_names: names(&requests)?,
            requests: codes(&requests),
            others,
        })
    }

    /// The struct of the library, which points to what `self` holds.
    fn view(&self) -> mxr_known_t {
        mxr_known_t {
            struct_size: size_of::<mxr_known_t>() as u32,
            num_shapes: self.shapes.len() as i32,
            shape_names: self.shape_names.pointers.as_ptr(),
            shapes: self.shape_pointers.as_ptr(),
            num_axes: self.axes.as_ptr(),
            dtype_names: self.dtype_names.pointers.as_ptr(),
            dtypes: self.dtypes.as_ptr(),
            num_dtypes: self.dtypes.len() as i32,
            num_requests: self.requests.len() as i32,
            request_names: self.request_names.pointers.as_ptr(),
            requests: self.requests.as_ptr(),
            other_requests: self.others,
        }
    }
}

/// Flags of the C interface, the budget, kind and number of the device.
type Options = (u32, i64, i32, i32);

fn options((flags, budget, device_kind, device_id): Options) -> mxr_plan_options_t {
    let struct_size = size_of::<mxr_plan_options_t>() as u32;
    mxr_plan_options_t { struct_size, flags, budget, device_kind, device_id }
}

// SAFETY of all blocks: handles are live while their objects are borrowed, texts and lists live for the call and
// are as long as is said, and places are given for what comes back.
#[pymethods]
impl PlanHandle {
    /// Compiles a symbol.
    #[new]
    fn new(
        py: Python<'_>,
        symbol: &SymbolHandle,
        known: Given<'_>,
        options: Options,
    ) -> PyResult<PlanHandle> {
        let (known, options) = (Known::new(known)?, self::options(options));
        let view = known.view();
        PlanHandle::made(py, |out| unsafe {
            (abi().mxr_plan_new)(symbol.ptr(), &raw const view, &raw const options, out)
        })
    }

    /// What it takes, in the order of the C interface's struct.
    fn report(&self, py: Python<'_>) -> PyResult<[i64; 8]> {
        let mut r = mxr_plan_report_t {
            struct_size: size_of::<mxr_plan_report_t>() as u32,
            reserved: 0,
            peak_bytes: 0,
            parameter_bytes: 0,
            unplanned_bytes: 0,
            arena_bytes: 0,
            workspace_bytes: 0,
            flops: 0,
            again_flops: 0,
            steps: 0,
        };
        check(py, unsafe { (abi().mxr_plan_report)(self.ptr(), &raw mut r) })?;
        Ok([
            r.peak_bytes,
            r.parameter_bytes,
            r.unplanned_bytes,
            r.arena_bytes,
            r.workspace_bytes,
            r.flops,
            r.again_flops,
            r.steps,
        ])
    }

    /// The plan for people.
    fn text(&self, py: Python<'_>) -> PyResult<String> {
        let mut text = ptr::null_mut();
        check(py, unsafe { (abi().mxr_plan_text)(self.ptr(), &raw mut text) })?;
        Ok(taken(text).unwrap_or_default())
    }

    /// What was applied that changes arithmetic.
    fn choices(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        texts_of(py, |out| unsafe { (abi().mxr_plan_choices)(self.ptr(), out) })
    }

    /// Name, text and picture of the graph after each pass: name, text, picture, …
    fn passes(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        texts_of(py, |out| unsafe { (abi().mxr_plan_passes)(self.ptr(), out) })
    }
}

/// The handle of an executor whose memory is shared, or NULL.
fn shared(executor: Option<&Bound<'_, ExecutorHandle>>) -> *const mxr_executor_t {
    executor.map_or(ptr::null(), |e| e.get().ptr().cast_const())
}

// SAFETY of all blocks: as above.
#[pymethods]
impl ExecutorHandle {
    /// Binds a symbol to arrays for all variables, with gradients or None and a request for each.
    #[staticmethod]
    fn bind(
        py: Python<'_>,
        symbol: &SymbolHandle,
        variables: &Bound<'_, PyAny>,
        gradients: &Bound<'_, PyAny>,
        requests: Vec<i32>,
        shared: Option<&Bound<'_, ExecutorHandle>>,
        options: Options,
    ) -> PyResult<ExecutorHandle> {
        let (_variables, variables) = handles(variables, false)?;
        let (_gradients, gradients) = handles(gradients, true)?;
        if gradients.len() != variables.len() || requests.len() != variables.len() {
            return Err(PyValueError::new_err("expected a gradient or None and a request for each variable"));
        }
        let options = self::options(options);
        ExecutorHandle::made(py, |out| unsafe {
            (abi().mxr_executor_bind)(
                symbol.ptr(),
                variables.as_ptr(),
                gradients.as_ptr(),
                requests.as_ptr(),
                variables.len() as i32,
                self::shared(shared),
                &raw const options,
                out,
            )
        })
    }

    /// Binds a symbol to new arrays.
    #[staticmethod]
    fn simple_bind(
        py: Python<'_>,
        symbol: &SymbolHandle,
        known: Given<'_>,
        shared: Option<&Bound<'_, ExecutorHandle>>,
        options: Options,
    ) -> PyResult<ExecutorHandle> {
        let (known, options) = (Known::new(known)?, self::options(options));
        let view = known.view();
        ExecutorHandle::made(py, |out| unsafe {
            let shared = self::shared(shared);
            (abi().mxr_executor_simple_bind)(symbol.ptr(), &raw const view, shared, &raw const options, out)
        })
    }

    /// Computes the outputs.
    fn forward(&self, py: Python<'_>, training: bool) -> PyResult<()> {
        scope::poll();
        let executor = Sent(self.ptr());
        // A monitor's callback takes the interpreter lock again.
        let error = py.detach(|| {
            let executor = &executor;
            Sent(unsafe { (abi().mxr_executor_forward)(executor.0, i32::from(training)) })
        });
        check(py, error.0)
    }

    /// Computes the gradients.
    fn backward(&self, py: Python<'_>, head_grads: &Bound<'_, PyAny>) -> PyResult<()> {
        let (_grads, grads) = handles(head_grads, false)?;
        check(py, unsafe { (abi().mxr_executor_backward)(self.ptr(), grads.as_ptr(), grads.len() as i32) })
    }

    /// Array `i` of list number `list` of the C interface.
    fn array(&self, py: Python<'_>, list: i32, i: i64) -> PyResult<NDArray> {
        NDArray::made(py, |out| unsafe { (abi().mxr_executor_array)(self.ptr(), list, i, out) })
    }

    /// The gradient of argument `i`, if one was asked for.
    fn gradient(&self, py: Python<'_>, i: i64) -> PyResult<Option<NDArray>> {
        let mut out: *mut mxr_array_t = ptr::null_mut();
        check(py, unsafe { (abi().mxr_executor_gradient)(self.ptr(), i, &raw mut out) })?;
        Ok((!out.is_null()).then(|| NDArray::own(out)))
    }

    /// Copies arrays to the variables of their names.
    fn copy_params(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        params: &Bound<'_, PyAny>,
        allow_extra: bool,
    ) -> PyResult<()> {
        let names = Texts::of(names.iter().map(|n| Some(n.as_str())))?;
        let (_params, params) = handles(params, false)?;
        if names.pointers.len() != params.len() {
            return Err(PyValueError::new_err("expected a name for each array"));
        }
        check(py, unsafe {
            (abi().mxr_executor_copy_params)(
                self.ptr(),
                names.pointers.as_ptr(),
                params.as_ptr(),
                params.len() as i32,
                i32::from(allow_extra),
            )
        })
    }

    /// An executor for other shapes.
    fn reshape(&self, py: Python<'_>, known: Given<'_>, allow_up_sizing: bool) -> PyResult<ExecutorHandle> {
        let known = Known::new(known)?;
        let view = known.view();
        ExecutorHandle::made(py, |out| unsafe {
            (abi().mxr_executor_reshape)(self.ptr(), &raw const view, i32::from(allow_up_sizing), out)
        })
    }

    /// The plan for prediction or for training.
    fn plan(&self, py: Python<'_>, training: bool) -> PyResult<PlanHandle> {
        PlanHandle::made(py, |out| unsafe { (abi().mxr_executor_plan)(self.ptr(), i32::from(training), out) })
    }

    /// Calls a function with name and array of each output of each operator; None ends it.
    fn set_monitor(&self, py: Python<'_>, monitor: Option<Py<PyAny>>) -> PyResult<()> {
        let call = monitor.is_some().then_some(see as unsafe extern "C" fn(_, _, _));
        let payload = monitor.map_or(ptr::null_mut(), |m| Box::into_raw(Box::new(m)).cast::<c_void>());
        let drop = call.is_some().then_some(drop_object as unsafe extern "C" fn(*mut c_void));
        let error = unsafe { (abi().mxr_executor_set_monitor)(self.ptr(), call, payload, drop) };
        scope::poll();
        check(py, error)
    }
}

/// Shows an output to the function in `payload`. Its exception is written, as there is nobody to raise it to.
unsafe extern "C" fn see(payload: *mut c_void, name: *const c_char, array: *mut mxr_array_t) {
    Python::attach(|py| {
        // SAFETY: `payload` is the box made in `set_monitor`; the text and the handle live for the call.
        let (function, name, array) = unsafe {
            let name = CStr::from_ptr(name).to_string_lossy();
            (&*payload.cast::<Py<PyAny>>(), name, NDArray::own((abi().mxr_array_retain)(array)))
        };
        if let Err(error) = function.bind(py).call1((name, array)) {
            error.write_unraisable(py, Some(function.bind(py)));
        }
    });
}

// SAFETY of all blocks: as above.
#[pymethods]
impl CachedOpHandle {
    /// Makes a call of a symbol.
    #[new]
    fn new(
        py: Python<'_>,
        symbol: &SymbolHandle,
        keep_memory: bool,
        options: Options,
    ) -> PyResult<CachedOpHandle> {
        let options = self::options(options);
        CachedOpHandle::made(py, |out| unsafe {
            (abi().mxr_cached_op_new)(symbol.ptr(), i32::from(keep_memory), &raw const options, out)
        })
    }

    /// Calls it on arrays for all variables; it has so many outputs.
    fn call<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyAny>,
        num_outputs: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        scope::poll();
        let (_inputs, inputs) = handles(inputs, false)?;
        let mut outputs: Vec<*mut mxr_array_t> = vec![ptr::null_mut(); num_outputs];
        let call = scope::call();
        check(py, unsafe {
            (abi().mxr_cached_op_call)(
                self.ptr(),
                inputs.as_ptr(),
                inputs.len() as i32,
                &raw const call,
                outputs.as_mut_ptr(),
            )
        })?;
        list_of(py, outputs)
    }
}

/// The flags of plans by name, for the Python part.
#[pyfunction]
pub fn plan_flags() -> Vec<(&'static str, u32)> {
    vec![
        ("training", abi::MXR_PLAN_TRAINING),
        ("no_fusion", abi::MXR_PLAN_NO_FUSION),
        ("no_simplification", abi::MXR_PLAN_NO_SIMPLIFICATION),
        ("no_folding", abi::MXR_PLAN_NO_FOLDING),
        ("no_algorithms", abi::MXR_PLAN_NO_ALGORITHMS),
        ("no_sharing", abi::MXR_PLAN_NO_SHARING),
        ("mirror", abi::MXR_PLAN_MIRROR),
        ("keep_passes", abi::MXR_PLAN_KEEP_PASSES),
        ("no_repeating", abi::MXR_PLAN_NO_REPEATING),
    ]
}
