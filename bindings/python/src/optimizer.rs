//! Optimizers of the library, and updaters, by which their states become bytes.

use crate::abi::{mxr_array_t, mxr_error_t, mxr_optimizer_t, mxr_updater_t};
use crate::array::{NDArray, handles, list_of};
use crate::convert::Registered;
use crate::error::check;
use crate::library::abi;
use crate::registered::OPTIMIZERS;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use std::ffi::{CString, c_char};
use std::ptr;

/// An optimizer that the library computes, or whose books it keeps.
#[pyclass(module = "mxr._core", frozen)]
pub struct Optimizer {
    handle: *mut mxr_optimizer_t,
    known: &'static Registered,
}
// SAFETY: the library's handles may be used and freed on any thread.
unsafe impl Send for Optimizer {}
// SAFETY: as above.
unsafe impl Sync for Optimizer {}

impl Drop for Optimizer {
    fn drop(&mut self) {
        // SAFETY: the handle owns a reference, which ends here.
        unsafe { (abi().mxr_optimizer_free)(self.handle) }
    }
}

/// Room for the arrays of a state.
const ROOM: usize = 8;

/// The arrays that a function of the library leaves at the places it is given.
fn states<'py>(
    py: Python<'py>,
    make: impl FnOnce(*mut *mut mxr_array_t, *mut i32) -> *mut mxr_error_t,
) -> PyResult<Bound<'py, PyList>> {
    let (mut found, mut n) = ([ptr::null_mut(); ROOM], ROOM as i32);
    check(py, make(found.as_mut_ptr(), &raw mut n))?;
    list_of(py, found[..n as usize].to_vec())
}

/// A function that says names.
type SayNames =
    unsafe extern "C" fn(*const mxr_optimizer_t, *const i64, *const *const c_char, i32) -> *mut mxr_error_t;

/// A function that sets factors.
type SetMults = unsafe extern "C" fn(
    *const mxr_optimizer_t,
    *const i64,
    *const *const c_char,
    *const f64,
    i32,
) -> *mut mxr_error_t;

impl Optimizer {
    /// The handle, borrowed.
    pub fn ptr(&self) -> *mut mxr_optimizer_t {
        self.handle
    }

    /// Sets factors of parameters that are given by name or by index.
    fn set_mults(&self, given: &Bound<'_, PyDict>, set: SetMults) -> PyResult<()> {
        let (mut indices, mut texts, mut factors) = (vec![], vec![], vec![]);
        for (key, factor) in given {
            let name = match key.cast::<PyString>() {
                Ok(name) => Some(text(&name.to_cow()?)?),
                Err(_) => None,
            };
            indices.push(if name.is_some() { 0 } else { key.extract()? });
            texts.push(name);
            factors.push(factor.extract()?);
        }
        let names: Vec<_> = texts.iter().map(|t| t.as_ref().map_or(ptr::null(), |t| t.as_ptr())).collect();
        let n = names.len() as i32;
        // SAFETY: the handle is live, and all lists have this length.
        check(given.py(), unsafe { set(self.handle, indices.as_ptr(), names.as_ptr(), factors.as_ptr(), n) })
    }

    /// Says names of parameters by index.
    fn name(&self, given: &Bound<'_, PyDict>, say: SayNames) -> PyResult<()> {
        let (mut indices, mut texts) = (Vec::<i64>::new(), vec![]);
        for (index, name) in given {
            indices.push(index.extract()?);
            texts.push(text(&name.extract::<String>()?)?);
        }
        let names: Vec<_> = texts.iter().map(|t| t.as_ptr()).collect();
        let n = names.len() as i32;
        // SAFETY: the handle is live, and both lists have this length.
        check(given.py(), unsafe { say(self.handle, indices.as_ptr(), names.as_ptr(), n) })
    }
}

fn text(text: &str) -> PyResult<CString> {
    CString::new(text).map_err(|_| PyTypeError::new_err("a name has no zero bytes"))
}

#[pymethods]
impl Optimizer {
    #[new]
    fn new(py: Python<'_>, name: &str, attrs: &Bound<'_, PyDict>) -> PyResult<Optimizer> {
        let known = Registered::find(&OPTIMIZERS, name)?;
        let mut values = known.values(attrs)?;
        let (attrs, mut handle) = (values.finish(), ptr::null_mut());
        // SAFETY: the name is a C string, the attributes are as many as is said, and a place is given.
        // Schedules are Python's to call.
        check(py, unsafe {
            let (name, n) = (known.name.as_ptr(), attrs.len() as i32);
            (abi().mxr_optimizer_create)(name, attrs.as_ptr(), n, ptr::null_mut(), &raw mut handle)
        })?;
        Ok(Optimizer { handle, known })
    }

    /// Changes attributes.
    fn set(&self, py: Python<'_>, attrs: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut values = self.known.values(attrs)?;
        let attrs = values.finish();
        // SAFETY: the handle is live, and the attributes are as many as is said.
        check(py, unsafe { (abi().mxr_optimizer_set)(self.handle, attrs.as_ptr(), attrs.len() as i32) })
    }

    /// The learning rate.
    fn learning_rate(&self, py: Python<'_>) -> PyResult<f64> {
        let mut lr = 0.0;
        // SAFETY: the handle is live, and a place is given.
        check(py, unsafe { (abi().mxr_optimizer_learning_rate)(self.handle, &raw mut lr) })?;
        Ok(lr)
    }

    /// Sets the learning rate.
    fn set_learning_rate(&self, py: Python<'_>, lr: f64) -> PyResult<()> {
        // SAFETY: the handle is live.
        check(py, unsafe { (abi().mxr_optimizer_set_learning_rate)(self.handle, lr) })
    }

    /// Says the parameters' names, by index.
    fn set_names(&self, given: &Bound<'_, PyDict>) -> PyResult<()> {
        self.name(given, abi().mxr_optimizer_set_names)
    }

    /// Says the names of more parameters, by index; all decay as before.
    fn add_names(&self, given: &Bound<'_, PyDict>) -> PyResult<()> {
        self.name(given, abi().mxr_optimizer_add_names)
    }

    /// Sets factors of the learning rate.
    fn set_lr_mults(&self, given: &Bound<'_, PyDict>) -> PyResult<()> {
        self.set_mults(given, abi().mxr_optimizer_set_lr_mults)
    }

    /// Sets factors of the decay.
    fn set_wd_mults(&self, given: &Bound<'_, PyDict>) -> PyResult<()> {
        self.set_mults(given, abi().mxr_optimizer_set_wd_mults)
    }

    /// Sets both factors of one parameter.
    fn set_mult(&self, py: Python<'_>, index: i64, lr_mult: f64, wd_mult: f64) -> PyResult<()> {
        // SAFETY: the handle is live.
        check(py, unsafe { (abi().mxr_optimizer_set_mult)(self.handle, index, lr_mult, wd_mult) })
    }

    /// The learning rate and the decay of a parameter.
    fn rates(&self, py: Python<'_>, index: i64) -> PyResult<(f64, f64)> {
        let (mut lr, mut wd) = (0.0, 0.0);
        // SAFETY: the handle is live, and both places are given.
        check(py, unsafe { (abi().mxr_optimizer_rates)(self.handle, index, &raw mut lr, &raw mut wd) })?;
        Ok((lr, wd))
    }

    /// The largest number of updates of a parameter.
    fn num_update(&self, py: Python<'_>) -> PyResult<i64> {
        let mut n = 0;
        // SAFETY: the handle is live, and a place is given.
        check(py, unsafe { (abi().mxr_optimizer_num_update)(self.handle, &raw mut n) })?;
        Ok(n)
    }

    /// The number of updates of a parameter on a device.
    fn updates(&self, py: Python<'_>, index: i64, device: i32) -> PyResult<i64> {
        let mut t = 0;
        // SAFETY: the handle is live, and a place is given.
        check(py, unsafe { (abi().mxr_optimizer_updates)(self.handle, index, device, &raw mut t) })?;
        Ok(t)
    }

    /// Counts an update of a parameter on a device, and says how many there are.
    fn count(&self, py: Python<'_>, index: i64, device: i32) -> PyResult<i64> {
        let mut t = 0;
        // SAFETY: the handle is live, and a place is given.
        check(py, unsafe { (abi().mxr_optimizer_count)(self.handle, index, device, &raw mut t) })?;
        Ok(t)
    }

    /// The arrays that the state of a weight begins with.
    fn create_state<'py>(&self, weight: &Bound<'py, NDArray>) -> PyResult<Bound<'py, PyList>> {
        states(weight.py(), |out, n| {
            // SAFETY: both handles are live, and there is room for as many arrays as is said.
            unsafe { (abi().mxr_optimizer_create_state)(self.handle, weight.get().handle(), out, n) }
        })
    }

    /// Changes a weight and its state by its gradient, as its update number `t`.
    fn step(
        &self,
        py: Python<'_>,
        index: i64,
        t: i64,
        weight: PyRef<'_, NDArray>,
        grad: PyRef<'_, NDArray>,
        states: &Bound<'_, PyList>,
    ) -> PyResult<()> {
        let (_objects, states) = handles(states, false)?;
        // SAFETY: all handles are live, and the states are as many as is said.
        check(py, unsafe {
            let (weight, grad, n) = (weight.handle(), grad.handle(), states.len() as i32);
            (abi().mxr_optimizer_step)(self.handle, index, t, weight, grad, states.as_ptr(), n)
        })
    }
}

/// An optimizer with the states of its parameters.
#[pyclass(module = "mxr._core", frozen)]
pub struct Updater {
    handle: *mut mxr_updater_t,
}
// SAFETY: the library's handles may be used and freed on any thread.
unsafe impl Send for Updater {}
// SAFETY: as above.
unsafe impl Sync for Updater {}

impl Drop for Updater {
    fn drop(&mut self) {
        // SAFETY: the handle owns a reference, which ends here.
        unsafe { (abi().mxr_updater_free)(self.handle) }
    }
}

#[pymethods]
impl Updater {
    #[new]
    fn new(py: Python<'_>, optimizer: PyRef<'_, Optimizer>) -> PyResult<Updater> {
        let mut handle = ptr::null_mut();
        // SAFETY: the handle is live, and a place is given.
        check(py, unsafe { (abi().mxr_updater_create)(optimizer.handle, &raw mut handle) })?;
        Ok(Updater { handle })
    }

    /// The parameters that have a state.
    fn indices(&self, py: Python<'_>) -> PyResult<Vec<i64>> {
        let (mut indices, mut n) = (vec![], 0);
        loop {
            let room = indices.len() as i64;
            // SAFETY: the handle is live, and there is room for as many numbers as is said.
            check(py, unsafe {
                (abi().mxr_updater_indices)(self.handle, indices.as_mut_ptr(), room, &raw mut n)
            })?;
            indices.resize(n as usize, 0);
            if n <= room {
                return Ok(indices);
            }
        }
    }

    /// The arrays of a parameter's state.
    fn state<'py>(&self, py: Python<'py>, index: i64) -> PyResult<Bound<'py, PyList>> {
        states(py, |out, n| {
            // SAFETY: the handle is live, and there is room for as many arrays as is said.
            unsafe { (abi().mxr_updater_state)(self.handle, index, out, n) }
        })
    }

    /// Gives a parameter a state.
    fn set_state(&self, py: Python<'_>, index: i64, states: &Bound<'_, PyList>) -> PyResult<()> {
        let (_objects, states) = handles(states, false)?;
        // SAFETY: all handles are live, and the states are as many as is said.
        check(py, unsafe {
            (abi().mxr_updater_set_state)(self.handle, index, states.as_ptr(), states.len() as i32)
        })
    }

    /// All states and counts as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let handle = self.handle as usize;
        // Pointers cross as numbers.
        let (error, bytes, len) = py.detach(move || {
            let (mut bytes, mut len) = (ptr::null_mut(), 0);
            // SAFETY: the handle is live while `self` is borrowed, and both places are given.
            let error =
                unsafe { (abi().mxr_updater_to_bytes)(handle as *const _, &raw mut bytes, &raw mut len) };
            (error as usize, bytes as usize, len)
        });
        check(py, error as *mut mxr_error_t)?;
        let bytes = bytes as *mut u8;
        // SAFETY: the library gave so many bytes, which are freed once.
        unsafe {
            let copy = PyBytes::new(py, std::slice::from_raw_parts(bytes, len as usize));
            (abi().mxr_bytes_free)(bytes, len);
            Ok(copy)
        }
    }

    /// Replaces all states and counts.
    fn set_bytes(&self, py: Python<'_>, bytes: &[u8]) -> PyResult<()> {
        // SAFETY: the handle is live, and the bytes are as many as is said.
        check(py, unsafe { (abi().mxr_updater_set_bytes)(self.handle, bytes.as_ptr(), bytes.len() as u64) })
    }
}
