//! `RecordWriter`, `RecordReader`: files of records; and the headers of labelled records.

use crate::abi::{mxr_record_reader_t, mxr_record_writer_t};
use crate::error::{check, unlocked};
use crate::handle::handle;
use crate::kvstore::{bytes_of, maybe_bytes_of};
use crate::library::abi;
use crate::symbol::{c_text, texts_of};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::CString;
use std::ptr;

handle! {
    /// Appends records to a file.
    RecordWriter, mxr_record_writer_t, mxr_record_writer_free
}

handle! {
    /// Goes through the records of a file.
    RecordReader, mxr_record_reader_t, mxr_record_reader_free
}

/// The paths of records and of an index.
fn paths(path: &str, index: Option<&str>) -> PyResult<(CString, Option<CString>)> {
    Ok((c_text(path)?, index.map(c_text).transpose()?))
}

/// Bytes that are read while the buffer is held.
fn bytes_in(buffer: &PyBuffer<u8>) -> PyResult<(*const u8, u64)> {
    if !buffer.is_c_contiguous() {
        return Err(PyTypeError::new_err("expected bytes one after the other"));
    }
    Ok((buffer.buf_ptr().cast_const().cast(), buffer.len_bytes() as u64))
}

// SAFETY of all blocks: handles are live while their objects are borrowed, texts and buffers are held for the call,
// and places are given for what comes back.
#[pymethods]
impl RecordWriter {
    #[new]
    #[pyo3(signature = (path, index = None))]
    fn new(py: Python<'_>, path: &str, index: Option<&str>) -> PyResult<RecordWriter> {
        let (path, index) = paths(path, index)?;
        let index = index.as_ref().map_or(ptr::null(), |i| i.as_ptr());
        RecordWriter::made(py, |out| unsafe { (abi().mxr_record_writer_create)(path.as_ptr(), index, out) })
    }

    /// Appends a record, in the index by a key if that is given.
    fn write(&self, py: Python<'_>, key: Option<&str>, record: PyBuffer<u8>) -> PyResult<()> {
        let key = key.map(c_text).transpose()?;
        let key = key.as_ref().map_or(ptr::null(), |k| k.as_ptr());
        let (bytes, len) = bytes_in(&record)?;
        check(py, unsafe { (abi().mxr_record_writer_write)(self.ptr(), key, bytes, len) })
    }

    /// Where the next record will begin.
    fn position(&self, py: Python<'_>) -> PyResult<u64> {
        let mut position = 0;
        check(py, unsafe { (abi().mxr_record_writer_position)(self.ptr(), &raw mut position) })?;
        Ok(position)
    }

    /// Gives what was written to the operating system.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        unlocked(py, || unsafe { (abi().mxr_record_writer_flush)(self.ptr()) })
    }
}

// SAFETY of all blocks: as above.
#[pymethods]
impl RecordReader {
    #[new]
    #[pyo3(signature = (path, index = None))]
    fn new(py: Python<'_>, path: &str, index: Option<&str>) -> PyResult<RecordReader> {
        let (path, index) = paths(path, index)?;
        let index = index.as_ref().map_or(ptr::null(), |i| i.as_ptr());
        RecordReader::made(py, |out| unsafe { (abi().mxr_record_reader_open)(path.as_ptr(), index, out) })
    }

    /// The next record; none at the end of the file.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        maybe_bytes_of(py, |bytes, len| unsafe { (abi().mxr_record_reader_read)(self.ptr(), bytes, len) })
    }

    /// Goes to the record that begins there.
    fn seek(&self, py: Python<'_>, position: u64) -> PyResult<()> {
        check(py, unsafe { (abi().mxr_record_reader_seek)(self.ptr(), position) })
    }

    /// The keys of the index and where their records begin.
    fn index(&self, py: Python<'_>) -> PyResult<Vec<(String, u64)>> {
        let keys = texts_of(py, |out| unsafe { (abi().mxr_record_reader_keys)(self.ptr(), out) })?;
        let (mut positions, mut n) = (vec![0; keys.len()], 0);
        check(py, unsafe {
            let room = positions.len() as i64;
            (abi().mxr_record_reader_positions)(self.ptr(), positions.as_mut_ptr(), room, &raw mut n)
        })?;
        Ok(keys.into_iter().zip(positions).collect())
    }
}

/// A record of a label, or of labels, two numbers and bytes.
#[pyfunction]
pub fn record_pack<'py>(
    py: Python<'py>,
    label: f64,
    labels: Option<Vec<f32>>,
    id: u64,
    id2: u64,
    bytes: PyBuffer<u8>,
) -> PyResult<Bound<'py, PyBytes>> {
    let (data, len) = bytes_in(&bytes)?;
    let n = labels.as_ref().map_or(-1, |l| l.len() as i64);
    let labels = labels.as_ref().map_or(ptr::null(), |l| l.as_ptr());
    // SAFETY: the buffer and the labels are held for the call, and places are given.
    bytes_of(py, |out, out_len| unsafe {
        (abi().mxr_record_pack)(label, labels, n, id, id2, data, len, out, out_len)
    })
}

/// A record's label, its labels if it has a list, its two numbers, and where its bytes begin.
type Unpacked = (f64, Option<Vec<f32>>, u64, u64, u64);

/// What is in a record that has a header.
#[pyfunction]
pub fn record_unpack(py: Python<'_>, record: PyBuffer<u8>) -> PyResult<Unpacked> {
    let (data, len) = bytes_in(&record)?;
    let (mut label, mut n, mut id, mut id2, mut begin) = (0.0, 0, 0, 0, 0);
    let mut labels: Vec<f32> = vec![];
    loop {
        let room = labels.len() as i64;
        // SAFETY: the buffer is held for the call, and places are given.
        check(py, unsafe {
            (abi().mxr_record_unpack)(
                data,
                len,
                &raw mut label,
                labels.as_mut_ptr(),
                room,
                &raw mut n,
                &raw mut id,
                &raw mut id2,
                &raw mut begin,
            )
        })?;
        if n <= room {
            return Ok((label, (n >= 0).then_some(labels), id, id2, begin));
        }
        labels.resize(n as usize, 0.0);
    }
}
