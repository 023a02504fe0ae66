//! `DataIterHandle`: data iterators of the library.

use crate::abi::{self, mxr_data_iter_t, mxr_error_t};
use crate::array::NDArray;
use crate::convert::Registered;
use crate::error::{check, unlocked};
use crate::handle::{handle, made, place};
use crate::library::abi;
use crate::registered::DATA_ITERS;
use crate::symbol::{Texts, taken, texts_of};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::ptr;

handle! {
    /// An iterator of the library.
    DataIterHandle, mxr_data_iter_t, mxr_data_iter_free
}

/// Name, shape, code of the dtype, layout.
pub type Desc = (String, Vec<i64>, i32, String);
/// Arrays with their names, where they have some.
type MaybeNamed<'py> = Vec<(Option<String>, Bound<'py, NDArray>)>;

/// Reads shape and dtype by a function that takes room for sizes, and places for their number and the dtype.
pub fn shape_and_dtype(
    py: Python<'_>,
    read: impl Fn(*mut i64, i32, *mut i32, *mut i32) -> *mut mxr_error_t,
) -> PyResult<(Vec<i64>, i32)> {
    let (mut dims, mut ndim, mut dtype) = (vec![0; 8], 0, 0);
    loop {
        let room = dims.len() as i32;
        check(py, read(dims.as_mut_ptr(), room, &raw mut ndim, &raw mut dtype))?;
        dims.resize(ndim as usize, 0);
        if ndim <= room {
            return Ok((dims, dtype));
        }
    }
}

/// The lists of a batch: data, labels.
fn list(labels: bool) -> i32 {
    if labels { abi::MXR_LABELS } else { abi::MXR_DATA }
}

// SAFETY of all blocks: handles are live while their objects are borrowed, texts and lists live for the call, and
// places are given for what comes back.
#[pymethods]
impl DataIterHandle {
    #[new]
    fn new(
        py: Python<'_>,
        name: &str,
        attrs: &Bound<'_, PyDict>,
        data: MaybeNamed<'_>,
        labels: MaybeNamed<'_>,
        iters: Vec<Bound<'_, DataIterHandle>>,
    ) -> PyResult<DataIterHandle> {
        let known = Registered::find(&DATA_ITERS, name)?;
        let mut values = known.values(attrs)?;
        let attrs = values.finish();
        let names = |list: &MaybeNamed<'_>| Texts::of(list.iter().map(|(n, _)| n.as_deref()));
        let arrays = |list: &MaybeNamed<'_>| list.iter().map(|(_, a)| a.get().handle()).collect::<Vec<_>>();
        let (data_names, label_names) = (names(&data)?, names(&labels)?);
        let (data, labels) = (arrays(&data), arrays(&labels));
        let iters: Vec<*mut mxr_data_iter_t> = iters.iter().map(|i| i.get().ptr()).collect();
        let handle = made(py, |out| unsafe {
            (abi().mxr_data_iter_create)(
                known.name.as_ptr(),
                attrs.as_ptr(),
                attrs.len() as i32,
                data_names.pointers.as_ptr(),
                data.as_ptr(),
                data.len() as i32,
                label_names.pointers.as_ptr(),
                labels.as_ptr(),
                labels.len() as i32,
                iters.as_ptr(),
                iters.len() as i32,
                out,
            )
        })?;
        DataIterHandle::made(py, |out| place(out, handle))
    }

    /// What the data or the labels of a batch are.
    fn descs(&self, py: Python<'_>, labels: bool) -> PyResult<Vec<Desc>> {
        let list = list(labels);
        let names = texts_of(py, |out| unsafe { (abi().mxr_data_iter_names)(self.ptr(), list, out) })?;
        let desc = |(i, name): (usize, String)| {
            let i = i as i64;
            let (shape, dtype) = shape_and_dtype(py, |dims, room, ndim, dtype| unsafe {
                (abi().mxr_data_iter_desc)(self.ptr(), list, i, dims, room, ndim, dtype)
            })?;
            let mut layout = ptr::null_mut();
            check(py, unsafe { (abi().mxr_data_iter_layout)(self.ptr(), list, i, &raw mut layout) })?;
            Ok((name, shape, dtype, taken(layout).unwrap_or_default()))
        };
        names.into_iter().enumerate().map(desc).collect()
    }

    /// Number of examples in a batch.
    fn batch_size(&self, py: Python<'_>) -> PyResult<i64> {
        let mut size = 0;
        check(py, unsafe { (abi().mxr_data_iter_batch_size)(self.ptr(), &raw mut size) })?;
        Ok(size)
    }

    /// Goes to the next batch; false at the end of the epoch.
    fn next(&self, py: Python<'_>) -> PyResult<bool> {
        let mut more = 0;
        unlocked(py, || unsafe { (abi().mxr_data_iter_next)(self.ptr(), &raw mut more) })?;
        Ok(more != 0)
    }

    /// Begins the next epoch; with `hard` as if nothing had been read.
    fn reset(&self, py: Python<'_>, hard: bool) -> PyResult<()> {
        unlocked(py, || unsafe { (abi().mxr_data_iter_reset)(self.ptr(), hard.into()) })
    }

    /// The first `n` of the batch's data or labels.
    fn arrays<'py>(&self, py: Python<'py>, labels: bool, n: i64) -> PyResult<Bound<'py, PyList>> {
        let array = |i| {
            NDArray::made(py, |out| unsafe { (abi().mxr_data_iter_array)(self.ptr(), list(labels), i, out) })
        };
        PyList::new(py, (0..n).map(|i| Py::new(py, array(i)?)).collect::<PyResult<Vec<_>>>()?)
    }

    /// How many examples of the batch only fill it up.
    fn pad(&self, py: Python<'_>) -> PyResult<i64> {
        let mut pad = 0;
        check(py, unsafe { (abi().mxr_data_iter_pad)(self.ptr(), &raw mut pad) })?;
        Ok(pad)
    }

    /// Numbers of the batch's examples.
    fn index(&self, py: Python<'_>) -> PyResult<Vec<i64>> {
        let (mut index, mut n) = (vec![0; 256], 0);
        loop {
            let room = index.len() as i64;
            check(py, unsafe {
                (abi().mxr_data_iter_index)(self.ptr(), index.as_mut_ptr(), room, &raw mut n)
            })?;
            index.resize(n as usize, 0);
            if n <= room {
                return Ok(index);
            }
        }
    }
}
