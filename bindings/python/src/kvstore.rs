//! `KVStoreHandle`: stores of the library.

use crate::abi::{mxr_array_t, mxr_error_t, mxr_kvstore_t};
use crate::array::{NDArray, handles};
use crate::autograd::drop_object;
use crate::convert::Registered;
use crate::error::{carry, check, unlocked};
use crate::handle::handle;
use crate::library::abi;
use crate::optimizer::Optimizer;
use crate::registered::GRADIENT_COMPRESSIONS;
use crate::symbol::{c_text, taken};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

handle! {
    /// A store of the library.
    KVStoreHandle, mxr_kvstore_t, mxr_kvstore_free
}

/// A key: a text, or a number without one.
struct Key(Option<CString>, i64);

impl Key {
    fn of(key: &Bound<'_, PyAny>) -> PyResult<Key> {
        match key.cast::<PyString>() {
            Ok(name) => Ok(Key(Some(c_text(&name.to_cow()?)?), 0)),
            Err(_) => Ok(Key(None, key.extract()?)),
        }
    }

    fn name(&self) -> *const c_char {
        self.0.as_ref().map_or(ptr::null(), |name| name.as_ptr())
    }
}

/// Bytes that a function of the library makes.
pub fn bytes_of<'py>(
    py: Python<'py>,
    make: impl FnOnce(*mut *mut u8, *mut u64) -> *mut mxr_error_t,
) -> PyResult<Bound<'py, PyBytes>> {
    maybe_bytes_of(py, make)?.ok_or_else(|| PyValueError::new_err("the library gave nothing"))
}

/// Bytes that a function of the library makes, or does not.
pub fn maybe_bytes_of<'py>(
    py: Python<'py>,
    make: impl FnOnce(*mut *mut u8, *mut u64) -> *mut mxr_error_t,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let (mut bytes, mut len) = (ptr::null_mut(), 0);
    unlocked(py, || make(&raw mut bytes, &raw mut len))?;
    if bytes.is_null() {
        return Ok(None);
    }
    // SAFETY: the library gave so many bytes, which are freed once.
    unsafe {
        let copy = PyBytes::new(py, std::slice::from_raw_parts(bytes, len as usize));
        (abi().mxr_bytes_free)(bytes, len);
        Ok(Some(copy))
    }
}

// SAFETY of all blocks: handles are live while their objects are borrowed, texts and lists live for the call, and
// places are given for what comes back.
#[pymethods]
impl KVStoreHandle {
    #[new]
    fn new(py: Python<'_>, name: &str) -> PyResult<KVStoreHandle> {
        let name = c_text(name)?;
        KVStoreHandle::made(py, |out| unsafe { (abi().mxr_kvstore_create)(name.as_ptr(), out) })
    }

    /// The name by which it is made.
    fn kind(&self, py: Python<'_>) -> PyResult<String> {
        let mut name = ptr::null_mut();
        check(py, unsafe { (abi().mxr_kvstore_type)(self.ptr(), &raw mut name) })?;
        Ok(taken(name).unwrap_or_default())
    }

    /// The number of this worker, and how many there are.
    fn workers(&self, py: Python<'_>) -> PyResult<(i64, i64)> {
        let (mut rank, mut n) = (0, 0);
        check(py, unsafe { (abi().mxr_kvstore_workers)(self.ptr(), &raw mut rank, &raw mut n) })?;
        Ok((rank, n))
    }

    /// Keeps a copy of a value under a new key.
    fn init(&self, py: Python<'_>, key: &Bound<'_, PyAny>, value: &Bound<'_, NDArray>) -> PyResult<()> {
        let (key, value) = (Key::of(key)?, value.get().handle());
        unlocked(py, || unsafe { (abi().mxr_kvstore_init)(self.ptr(), key.name(), key.1, value) })
    }

    /// Sums values, and changes the stored one by the sum.
    fn push(&self, py: Python<'_>, key: &Bound<'_, PyAny>, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let (key, (_values, values)) = (Key::of(key)?, handles(values, false)?);
        unlocked(py, || unsafe {
            let n = values.len() as i32;
            (abi().mxr_kvstore_push)(self.ptr(), key.name(), key.1, values.as_ptr(), n)
        })
    }

    /// Copies the stored value to arrays.
    fn pull(&self, py: Python<'_>, key: &Bound<'_, PyAny>, out: &Bound<'_, PyAny>) -> PyResult<()> {
        let (key, (_out, out)) = (Key::of(key)?, handles(out, false)?);
        unlocked(py, || unsafe {
            (abi().mxr_kvstore_pull)(self.ptr(), key.name(), key.1, out.as_ptr(), out.len() as i32)
        })
    }

    /// Pushes values, and pulls to arrays.
    fn pushpull(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        values: &Bound<'_, PyAny>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let key = Key::of(key)?;
        let ((_values, values), (_out, out)) = (handles(values, false)?, handles(out, false)?);
        unlocked(py, || unsafe {
            (abi().mxr_kvstore_pushpull)(
                self.ptr(),
                key.name(),
                key.1,
                values.as_ptr(),
                values.len() as i32,
                out.as_ptr(),
                out.len() as i32,
            )
        })
    }

    /// Updates stored values by an optimizer.
    fn set_optimizer(&self, py: Python<'_>, optimizer: &Bound<'_, Optimizer>) -> PyResult<()> {
        let optimizer = optimizer.get().ptr();
        unlocked(py, || unsafe { (abi().mxr_kvstore_set_optimizer)(self.ptr(), optimizer) })
    }

    /// Updates stored values by a function of (key, pushed, stored); None lets sums take their place.
    fn set_update(&self, py: Python<'_>, update: Option<Py<PyAny>>) -> PyResult<()> {
        let call = update.is_some().then_some(run_update as unsafe extern "C" fn(_, _, _, _, _) -> _);
        let payload = update.map_or(ptr::null_mut(), |u| Box::into_raw(Box::new(u)).cast::<c_void>());
        let drop = call.is_some().then_some(drop_object as unsafe extern "C" fn(*mut c_void));
        unlocked(py, || unsafe { (abi().mxr_kvstore_set_update)(self.ptr(), call, payload, drop) })
    }

    /// Compresses what is pushed.
    fn set_compression(&self, py: Python<'_>, name: &str, attrs: &Bound<'_, PyDict>) -> PyResult<()> {
        let known = Registered::find(&GRADIENT_COMPRESSIONS, name)?;
        let mut values = known.values(attrs)?;
        let attrs = values.finish();
        check(py, unsafe {
            let n = attrs.len() as i32;
            (abi().mxr_kvstore_set_compression)(self.ptr(), known.name.as_ptr(), attrs.as_ptr(), n)
        })
    }

    /// The states of the optimizer.
    fn optimizer_states<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        bytes_of(py, |bytes, len| unsafe { (abi().mxr_kvstore_optimizer_states)(self.ptr(), bytes, len) })
    }

    /// Replaces the states of the optimizer.
    fn set_optimizer_states(&self, py: Python<'_>, bytes: &[u8]) -> PyResult<()> {
        unlocked(py, || unsafe {
            (abi().mxr_kvstore_set_optimizer_states)(self.ptr(), bytes.as_ptr(), bytes.len() as u64)
        })
    }
}

/// Calls the function in `payload` with a key, what was pushed, and what is stored.
unsafe extern "C" fn run_update(
    payload: *mut c_void,
    key: *const c_char,
    index: i64,
    pushed: *mut mxr_array_t,
    stored: *mut mxr_array_t,
) -> *mut mxr_error_t {
    Python::attach(|py| {
        // SAFETY: `payload` is the box made in `set_update`, alive until `drop_object`; the key is a C string or NULL,
        // and the handles are live for this call: the objects own references of their own.
        let (function, key, pushed, stored) = unsafe {
            let key = (!key.is_null()).then(|| CStr::from_ptr(key).to_string_lossy());
            let own = |h| NDArray::own((abi().mxr_array_retain)(h));
            (&*payload.cast::<Py<PyAny>>(), key, own(pushed), own(stored))
        };
        let function = function.bind(py);
        let called = match key {
            Some(key) => function.call1((key, pushed, stored)),
            None => function.call1((index, pushed, stored)),
        };
        called.map_or_else(carry, |_| ptr::null_mut())
    })
}
