//! `NDArray`, the class: what must be fast or needs the library. The rest of its methods are Python.

use crate::abi::mxr_array_t;
use crate::error::{check, wait};
use crate::library::abi;
use crate::scope;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyTuple};
use smallvec::SmallVec;
use std::ptr::{self, NonNull};

/// An array with any number of axes, whose elements are all of one type, on a device.
///
/// Operations on arrays return at once and are computed in the background, in the order that the data demand;
/// reading elements waits for them.
#[pyclass(name = "NDArray", module = "mxr.ndarray.ndarray", subclass, weakref, frozen)]
pub struct NDArray {
    handle: NonNull<mxr_array_t>,
}
// SAFETY: the library's handles may be used and freed on any thread.
unsafe impl Send for NDArray {}
// SAFETY: as above.
unsafe impl Sync for NDArray {}

impl Drop for NDArray {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the handle owns a reference, which ends here; freeing never blocks.
        unsafe { (abi().mxr_array_free)(self.handle.as_ptr()) }
    }
}

/// The numpy type of each dtype code.
static DTYPES: PyOnceLock<Vec<(i32, Py<PyAny>)>> = PyOnceLock::new();

/// Says which numpy types the codes of dtypes mean.
#[pyfunction]
pub fn set_dtypes(py: Python<'_>, types: Vec<(i32, Py<PyAny>)>) {
    let _ = DTYPES.set(py, types);
}

/// The code of a numpy type that is one of the types themselves.
pub fn code_of_type(py: Python<'_>, object: &Bound<'_, PyAny>) -> Option<i32> {
    DTYPES.get(py)?.iter().find(|(_, t)| t.is(object)).map(|(code, _)| *code)
}

/// Sizes, on the stack unless there are many.
pub type Dims = SmallVec<[i64; 8]>;

impl NDArray {
    /// An object that owns a handle.
    ///
    /// # Panics
    /// If the handle is NULL.
    #[inline]
    pub fn own(handle: *mut mxr_array_t) -> NDArray {
        NDArray { handle: NonNull::new(handle).expect("the library gives arrays") }
    }

    /// The handle, borrowed.
    #[inline]
    pub fn handle(&self) -> *mut mxr_array_t {
        self.handle.as_ptr()
    }

    /// What a function of the library leaves at the place it is given.
    pub fn made(
        py: Python<'_>,
        make: impl FnOnce(*mut *mut mxr_array_t) -> *mut crate::abi::mxr_error_t,
    ) -> PyResult<NDArray> {
        scope::poll();
        let mut out = ptr::null_mut();
        check(py, make(&raw mut out))?;
        Ok(NDArray::own(out))
    }

    /// The sizes. Waits where only running tells them.
    pub fn dims(&self, py: Python<'_>) -> PyResult<Dims> {
        wait_shape(py, self.handle())?;
        let mut dims = Dims::from_buf([0; 8]);
        let mut ndim = 0;
        loop {
            // SAFETY: there is room for as many sizes as is said.
            let error = unsafe {
                (abi().mxr_array_shape)(self.handle(), dims.as_mut_ptr(), dims.len() as i32, &raw mut ndim)
            };
            check(py, error)?;
            let enough = ndim as usize <= dims.len();
            dims.resize(ndim as usize, 0);
            if enough {
                return Ok(dims);
            }
        }
    }

    /// The dtype's code.
    pub fn dtype_code(&self) -> i32 {
        // SAFETY: the handle is live.
        unsafe { (abi().mxr_array_dtype)(self.handle()) }
    }

    /// Waits until everything asked so far has written the array.
    pub fn wait_read(&self, py: Python<'_>) -> PyResult<()> {
        let handle = self.handle() as usize;
        // SAFETY: the handle is live while `self` is borrowed.
        wait(py, move |ms| unsafe { (abi().mxr_array_wait_to_read)(handle as *mut _, ms) })
    }

    /// Waits until everything asked so far has read and written the array.
    pub fn wait_write(&self, py: Python<'_>) -> PyResult<()> {
        let handle = self.handle() as usize;
        // SAFETY: the handle is live while `self` is borrowed.
        wait(py, move |ms| unsafe { (abi().mxr_array_wait_to_write)(handle as *mut _, ms) })
    }
}

/// Waits without the interpreter lock where only running tells the shape; the library would wait with it.
#[inline]
pub fn wait_shape(py: Python<'_>, handle: *mut mxr_array_t) -> PyResult<()> {
    // SAFETY: the handle is live.
    if unsafe { (abi().mxr_array_shape_known)(handle) } != 0 {
        return Ok(());
    }
    let handle = handle as usize;
    // SAFETY: as above, while the caller borrows it.
    wait(py, move |ms| unsafe { (abi().mxr_array_wait_to_read)(handle as *mut _, ms) })
}

/// Sizes from a tuple or list of integers.
pub fn dims_of(object: &Bound<'_, PyAny>) -> PyResult<Dims> {
    let mut dims = Dims::new();
    if let Ok(tuple) = object.cast_exact::<PyTuple>() {
        for item in tuple.iter_borrowed() {
            dims.push(item.extract()?);
        }
        return Ok(dims);
    }
    for item in object.try_iter()? {
        dims.push(item?.extract()?);
    }
    Ok(dims)
}

#[pymethods]
impl NDArray {
    /// Tuple of the sizes along the axes.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.dims(py)?)
    }

    /// Number of axes.
    #[getter]
    fn ndim(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.dims(py)?.len())
    }

    /// Number of elements.
    #[getter]
    fn size(&self, py: Python<'_>) -> PyResult<i64> {
        Ok(self.dims(py)?.iter().product())
    }

    /// The numpy type of the elements.
    #[getter]
    fn dtype(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let code = self.dtype_code();
        let types = DTYPES.get(py).ok_or_else(|| PyTypeError::new_err("mxr is not imported as a whole"))?;
        let found = types.iter().find(|(c, _)| *c == code);
        let (_, object) =
            found.ok_or_else(|| PyTypeError::new_err(format!("no numpy type has code {code}")))?;
        Ok(object.clone_ref(py))
    }

    #[getter(_dtype_code)]
    fn py_dtype_code(&self) -> i32 {
        self.dtype_code()
    }

    #[getter]
    fn _storage_kind(&self) -> i32 {
        // SAFETY: the handle is live.
        unsafe { (abi().mxr_array_storage_kind)(self.handle()) }
    }

    #[getter]
    fn _device(&self, py: Python<'_>) -> PyResult<(i32, i32)> {
        let (mut kind, mut id) = (0, 0);
        // SAFETY: the handle is live, and both places are given.
        check(py, unsafe { (abi().mxr_array_device)(self.handle(), &raw mut kind, &raw mut id) })?;
        Ok((kind, id))
    }

    /// The array that `backward` leaves the gradient in, or None.
    #[getter]
    fn grad(&self, py: Python<'_>) -> PyResult<Option<NDArray>> {
        let mut out = ptr::null_mut();
        // SAFETY: the handle is live, and a place is given.
        check(py, unsafe { (abi().mxr_array_grad)(self.handle(), &raw mut out) })?;
        Ok((!out.is_null()).then(|| NDArray::own(out)))
    }

    #[getter]
    fn _is_recorded(&self) -> bool {
        // SAFETY: the handle is live.
        unsafe { (abi().mxr_array_is_recorded)(self.handle()) != 0 }
    }

    /// Waits until everything asked so far has written the array; failures of that are raised here.
    fn wait_to_read(&self, py: Python<'_>) -> PyResult<()> {
        self.wait_read(py)
    }

    /// Waits until everything asked so far has read and written the array.
    fn wait_to_write(&self, py: Python<'_>) -> PyResult<()> {
        self.wait_write(py)
    }

    /// Another array over the same elements, which autograd knows nothing about.
    fn detach(&self, py: Python<'_>) -> PyResult<NDArray> {
        wait_shape(py, self.handle())?;
        // SAFETY: the handle is live, and a place is given.
        NDArray::made(py, |out| unsafe { (abi().mxr_array_detach)(self.handle(), out) })
    }

    fn _at(&self, py: Python<'_>, index: i64) -> PyResult<NDArray> {
        wait_shape(py, self.handle())?;
        let call = scope::call();
        // SAFETY: the handle is live, and a place is given.
        NDArray::made(py, |out| unsafe { (abi().mxr_array_at)(self.handle(), index, &raw const call, out) })
    }

    fn _slice(&self, py: Python<'_>, begin: i64, end: i64) -> PyResult<NDArray> {
        wait_shape(py, self.handle())?;
        let call = scope::call();
        NDArray::made(py, |out| {
            // SAFETY: the handle is live, and a place is given.
            unsafe { (abi().mxr_array_slice)(self.handle(), begin, end, &raw const call, out) }
        })
    }

    fn _reshape(&self, py: Python<'_>, shape: &Bound<'_, PyAny>) -> PyResult<NDArray> {
        wait_shape(py, self.handle())?;
        let dims = dims_of(shape)?;
        let call = scope::call();
        NDArray::made(py, |out| {
            // SAFETY: the handle is live, and the sizes and a place are given.
            unsafe {
                (abi().mxr_array_reshape)(
                    self.handle(),
                    dims.as_ptr(),
                    dims.len() as i32,
                    &raw const call,
                    out,
                )
            }
        })
    }

    /// Copies the elements to an array of the same shape and dtype, which autograd does not see.
    fn _copy_to(&self, py: Python<'_>, other: PyRef<'_, NDArray>) -> PyResult<()> {
        wait_shape(py, self.handle())?;
        // SAFETY: both handles are live.
        check(py, unsafe { (abi().mxr_array_copy)(self.handle(), other.handle()) })
    }

    fn __hash__(slf: &Bound<'_, Self>) -> isize {
        slf.as_ptr() as isize >> 4
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        match self.dims(py)?.first() {
            Some(n) => Ok(*n as usize),
            None => Err(PyTypeError::new_err("len() of an array without axes")),
        }
    }
}

/// Makes an array whose elements are not set.
#[pyfunction]
pub fn empty(py: Python<'_>, shape: &Bound<'_, PyAny>, dtype: i32, kind: i32, id: i32) -> PyResult<NDArray> {
    let dims = dims_of(shape)?;
    NDArray::made(py, |out| {
        // SAFETY: the sizes and a place are given.
        unsafe { (abi().mxr_array_empty)(dims.as_ptr(), dims.len() as i32, dtype, kind, id, out) }
    })
}

/// The handles of a list or tuple of arrays; NULL for None where that is allowed. The objects keep them alive.
pub fn handles<'py>(
    arrays: &Bound<'py, PyAny>,
    none: bool,
) -> PyResult<(Vec<Bound<'py, NDArray>>, Vec<*mut mxr_array_t>)> {
    let mut objects = Vec::new();
    let mut handles = Vec::new();
    for item in arrays.try_iter()? {
        let item = item?;
        if none && item.is_none() {
            handles.push(ptr::null_mut());
            continue;
        }
        let array = item.cast_into::<NDArray>().map_err(|e| {
            let name = e.into_inner().get_type().name().map(|n| n.to_string()).unwrap_or_default();
            PyTypeError::new_err(format!("expected an NDArray, got {name}"))
        })?;
        handles.push(array.get().handle());
        objects.push(array);
    }
    Ok((objects, handles))
}

/// New objects for handles that are owned.
pub fn list_of(py: Python<'_>, handles: Vec<*mut mxr_array_t>) -> PyResult<Bound<'_, PyList>> {
    if handles.iter().any(|h| h.is_null()) {
        return Err(PyValueError::new_err("the library gave no array"));
    }
    let arrays: Vec<NDArray> = handles.into_iter().map(NDArray::own).collect();
    PyList::new(py, arrays.into_iter().map(|a| Py::new(py, a)).collect::<PyResult<Vec<_>>>()?)
}
