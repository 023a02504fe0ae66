//! Elements in and out: copies through Python's buffers, and memory that is shared.

use crate::abi::{DLManagedTensor, mxr_list_t};
use crate::array::{NDArray, dims_of};
use crate::autograd::drop_object;
use crate::error::check;
use crate::library::abi;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::ffi::{CStr, c_void};
use std::ptr;

const NEW: &CStr = c"dltensor";
const USED: &CStr = c"used_dltensor";

/// A contiguous piece of memory that another object shows.
struct Memory {
    view: Box<ffi::Py_buffer>,
}

impl Memory {
    fn of(object: &Bound<'_, PyAny>, writable: bool) -> PyResult<Memory> {
        let mut view = Box::new(ffi::Py_buffer::new());
        let flags = ffi::PyBUF_C_CONTIGUOUS | if writable { ffi::PyBUF_WRITABLE } else { 0 };
        // SAFETY: the object is live, and the view is given back in `drop`.
        if unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), &raw mut *view, flags) } != 0 {
            return Err(PyErr::fetch(object.py()));
        }
        Ok(Memory { view })
    }

    fn bytes(&self) -> u64 {
        self.view.len as u64
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the view was filled by `PyObject_GetBuffer`; the interpreter lock is held where this is dropped.
        unsafe { ffi::PyBuffer_Release(&raw mut *self.view) }
    }
}

/// Makes an array from a copy of what an object's buffer holds.
#[pyfunction]
pub fn from_buffer(
    py: Python<'_>,
    buffer: &Bound<'_, PyAny>,
    shape: &Bound<'_, PyAny>,
    dtype: i32,
    kind: i32,
    id: i32,
) -> PyResult<NDArray> {
    let dims = dims_of(shape)?;
    let memory = Memory::of(buffer, false)?;
    NDArray::made(py, |out| {
        // SAFETY: the buffer has as many bytes as is said and stays for the call.
        unsafe {
            (abi().mxr_array_from_data)(
                dims.as_ptr(),
                dims.len() as i32,
                dtype,
                kind,
                id,
                memory.view.buf,
                memory.bytes(),
                out,
            )
        }
    })
}

/// Copies of this many bytes or more let other threads run.
const BIG: u64 = 1 << 20;

#[pymethods]
impl NDArray {
    /// Waits and copies the elements to an object's buffer.
    fn _read_into(&self, py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<()> {
        self.wait_read(py)?;
        let memory = Memory::of(buffer, true)?;
        let (handle, data, bytes) = (self.handle() as usize, memory.view.buf as usize, memory.bytes());
        // SAFETY: the handle is live, and the buffer has as many bytes as is said and stays for the call.
        let copy =
            move || unsafe { (abi().mxr_array_copy_to)(handle as *mut _, data as *mut _, bytes) as usize };
        let error = if bytes < BIG { copy() } else { py.detach(copy) };
        check(py, error as *mut _)
    }

    /// Waits and sets the elements from an object's buffer.
    fn _write_from(&self, py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<()> {
        self.wait_write(py)?;
        let memory = Memory::of(buffer, false)?;
        let (handle, data, bytes) = (self.handle() as usize, memory.view.buf as usize, memory.bytes());
        // SAFETY: the handle is live, and the buffer has as many bytes as is said and stays for the call.
        let copy = move || unsafe {
            (abi().mxr_array_copy_from)(handle as *mut _, data as *const _, bytes) as usize
        };
        let error = if bytes < BIG { copy() } else { py.detach(copy) };
        check(py, error as *mut _)
    }

    /// A DLPack capsule that shares the elements.
    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<&Bound<'py, PyAny>>,
        dl_device: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = (max_version, dl_device);
        if stream.is_some() {
            return Err(PyValueError::new_err("stream: main memory has no streams"));
        }
        if copy == Some(true) {
            return Err(pyo3::exceptions::PyBufferError::new_err(
                "copy: an array is only shared; copy it first",
            ));
        }
        self.wait_write(py)?;
        let mut tensor: *mut DLManagedTensor = ptr::null_mut();
        // SAFETY: the handle is live, and a place is given.
        check(py, unsafe { (abi().mxr_array_to_dlpack)(self.handle(), &raw mut tensor) })?;
        // SAFETY: the capsule owns the tensor until a consumer renames it.
        unsafe {
            Bound::from_owned_ptr_or_err(
                py,
                ffi::PyCapsule_New(tensor.cast(), NEW.as_ptr(), Some(delete_unused)),
            )
        }
    }

    fn __dlpack_device__(&self) -> (i32, i32) {
        (1, 0)
    }
}

/// Gives a tensor back that nobody took.
unsafe extern "C" fn delete_unused(capsule: *mut ffi::PyObject) {
    // SAFETY: the interpreter calls this with the capsule made above; under its first name it owns the tensor.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, NEW.as_ptr()) == 1 {
            let tensor = ffi::PyCapsule_GetPointer(capsule, NEW.as_ptr());
            delete(tensor);
        }
    }
}

/// The part of a tensor with its owner that giving it back needs.
#[repr(C)]
struct Owned {
    tensor: [u64; 6],
    manager_ctx: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut c_void)>,
}

unsafe fn delete(tensor: *mut c_void) {
    // SAFETY: the pointer is to a DLManagedTensor that is deleted once.
    unsafe {
        if let Some(deleter) = (*tensor.cast::<Owned>()).deleter {
            deleter(tensor);
        }
    }
}

/// An array over the memory of a DLPack capsule, which it takes over.
#[pyfunction]
pub fn from_capsule(py: Python<'_>, capsule: &Bound<'_, PyAny>) -> PyResult<NDArray> {
    let capsule =
        capsule.cast::<PyCapsule>().map_err(|_| PyTypeError::new_err("expected a DLPack capsule"))?;
    // SAFETY: the object is a capsule; its name was checked before the pointer is used.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule.as_ptr(), NEW.as_ptr()) != 1 {
            return Err(PyValueError::new_err("the DLPack capsule was used already, or is of another kind"));
        }
        let tensor = ffi::PyCapsule_GetPointer(capsule.as_ptr(), NEW.as_ptr());
        let array = NDArray::made(py, |out| (abi().mxr_array_from_dlpack)(tensor.cast(), out))?;
        ffi::PyCapsule_SetName(capsule.as_ptr(), USED.as_ptr());
        Ok(array)
    }
}

/// An array over an object's memory at `address`, which keeps the object.
#[pyfunction]
pub fn from_foreign(
    py: Python<'_>,
    owner: Py<PyAny>,
    address: usize,
    shape: &Bound<'_, PyAny>,
    dtype: i32,
) -> PyResult<NDArray> {
    let dims = dims_of(shape)?;
    let payload: *mut c_void = Box::into_raw(Box::new(owner)).cast();
    NDArray::made(py, |out| {
        // SAFETY: the owner keeps the memory, and goes when the array does.
        unsafe {
            (abi().mxr_array_from_foreign)(
                address as *mut c_void,
                dims.as_ptr(),
                dims.len() as i32,
                dtype,
                Some(drop_object),
                payload,
                out,
            )
        }
    })
}

/// Saves arrays to a file as MXNet does, with their names or without.
#[pyfunction]
pub fn save(
    py: Python<'_>,
    path: &str,
    names: Option<Vec<String>>,
    arrays: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let (objects, handles) = crate::array::handles(arrays, false)?;
    for array in &objects {
        array.get().wait_read(py)?;
    }
    let text = |s: &str| {
        std::ffi::CString::new(s).map_err(|_| PyValueError::new_err("a path or name has no zero bytes"))
    };
    let path = text(path)?;
    let names = names.map(|names| names.iter().map(|n| text(n)).collect::<PyResult<Vec<_>>>()).transpose()?;
    let pointers: Option<Vec<_>> = names.as_ref().map(|names| names.iter().map(|n| n.as_ptr()).collect());
    let pointers = pointers.as_ref().map_or(ptr::null(), |p| p.as_ptr());
    // SAFETY: there are as many names, if any, and handles as is said.
    check(py, unsafe {
        (abi().mxr_list_save)(path.as_ptr(), pointers, handles.as_ptr(), handles.len() as i32)
    })
}

/// Reads the arrays of a file with their names, which are None where there are none.
#[pyfunction]
pub fn load_list(py: Python<'_>, path: &str) -> PyResult<Vec<(Option<String>, NDArray)>> {
    let path = std::ffi::CString::new(path).map_err(|_| PyValueError::new_err("a path has no zero bytes"))?;
    let mut list = ptr::null_mut();
    // SAFETY: the path is a C string, and a place is given.
    check(py, unsafe { (abi().mxr_list_load)(path.as_ptr(), &raw mut list) })?;
    // SAFETY: the list is owned here.
    unsafe { take_list(py, list) }
}

/// The arrays of a list with their names; the list is freed.
///
/// # Safety
/// The list is live and owned by the caller.
pub unsafe fn take_list(py: Python<'_>, list: *mut mxr_list_t) -> PyResult<Vec<(Option<String>, NDArray)>> {
    let entry = |i| {
        // SAFETY: the list is live, and its names live as long.
        unsafe {
            let name = (abi().mxr_list_name)(list, i);
            let name = (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned());
            Ok((name, NDArray::made(py, |out| (abi().mxr_list_array)(list, i, out))?))
        }
    };
    // SAFETY: the list is live, and freed once.
    let found = (0..unsafe { (abi().mxr_list_len)(list) }).map(entry).collect();
    // SAFETY: as above.
    unsafe { (abi().mxr_list_free)(list) };
    found
}
