//! Arrays to and from MXNet's `.params` files, and out of safetensors files.

use super::NdArray;
use super::safetensors::{self, Access};
use crate::device::Device;
use crate::error::Result;
use crate::format::{Kind, RawTensor, StorageKind, atomic, ndarray_list};
use std::path::Path;

/// Writes arrays, all with names or none, as `mx.nd.save` does. An existing file is replaced only by a whole
/// one.
///
/// # Errors
/// `Io`; `InvalidValue` if only some have names; the errors of the operations that should have made the
/// arrays.
pub fn save(path: &Path, entries: &[(Option<String>, NdArray)]) -> Result<()> {
    let raw: Result<Vec<_>> = entries.iter().map(|(n, a)| Ok((n.clone(), to_raw(a)?))).collect();
    ndarray_list::write_file(path, &raw?)
}

/// Reads arrays that `mx.nd.save` or [`save`] wrote, in any version of the format; those of a safetensors
/// file are mapped. Sparse arrays become dense ones.
///
/// # Errors
/// `Io`; `Format` for other bytes; `OutOfMemory` for a sparse array that is too large to be dense.
pub fn load(path: &Path) -> Result<Vec<(Option<String>, NdArray)>> {
    let kind = atomic::begin(path, Kind::BYTES)?;
    if Kind::of(&kind) == Some(Kind::Safetensors) {
        return Ok(safetensors::load(path, Access::Mapped)?.into_list());
    }
    ndarray_list::read_file(path)?.into_iter().map(|(n, raw)| Ok((n, from_raw(raw)?))).collect()
}

fn to_raw(array: &NdArray) -> Result<RawTensor> {
    let mut data = vec![0; array.len()? * array.dtype().size()];
    array.copy_to_bytes(&mut data)?;
    Ok(RawTensor::dense(array.dtype(), array.shape()?.clone(), data))
}

fn from_raw(raw: RawTensor) -> Result<NdArray> {
    let raw = match raw.storage {
        StorageKind::Dense => raw,
        StorageKind::None => return NdArray::empty([0].into(), raw.dtype, Device::cpu(0)),
        StorageKind::RowSparse | StorageKind::Csr => raw.to_dense()?,
    };
    let array = NdArray::empty(raw.shape, raw.dtype, Device::cpu(0))?;
    array.copy_from_bytes(&raw.data)?;
    Ok(array)
}
