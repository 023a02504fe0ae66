//! Arrays over the bytes of a safetensors file, and back.
//!
//! A file is mapped, not read: opening one takes no longer for being large, and its pages come from the disk
//! when a kernel touches them. The mapping is private, so that an array can be written as any other and the
//! file never changes. What nobody can guard against is another program that shortens the very file while it
//! is mapped: its pages are gone, and touching them ends the process with SIGBUS. [`fn@save`] replaces files
//! and so does no harm to whoever has the old one mapped; for files of careless programs there is
//! [`Access::Copied`].

use super::NdArray;
use crate::device::Device;
use crate::error::Result;
use crate::format::atomic;
use crate::format::safetensors::{self, Metadata, Tensor};
use memmap2::{MmapMut, MmapOptions, MmapRaw};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// How the bytes of a file become those of arrays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// They stay in the file, until they are written to.
    #[default]
    Mapped,
    /// They are read at once.
    Copied,
}

/// Arrays of a file with their names, and its texts.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Texts that belong to the file as a whole.
    pub metadata: Metadata,
    /// The arrays in the order of the header.
    pub arrays: Vec<(String, NdArray)>,
}

/// A text of a file whose arrays are a list without names; they are called 0, 1, …
const UNNAMED: (&str, &str) = ("mxr.list", "unnamed");

impl Contents {
    /// The arrays as a list of MXNet has them.
    pub fn into_list(self) -> Vec<(Option<String>, NdArray)> {
        if self.metadata.get(UNNAMED.0).is_none_or(|text| text != UNNAMED.1) {
            return self.arrays.into_iter().map(|(name, array)| (Some(name), array)).collect();
        }
        let number = |name: &str| name.parse::<u64>().unwrap_or(u64::MAX);
        let mut arrays = self.arrays;
        arrays.sort_by_key(|(name, _)| number(name));
        arrays.into_iter().map(|(_, array)| (None, array)).collect()
    }
}

/// Writes a list, all arrays with names or none, to a file that is replaced in one step.
///
/// # Errors
/// As [`fn@save`]; `InvalidValue` if only some have names.
pub fn save_list(path: &Path, entries: &[(Option<String>, NdArray)]) -> Result<()> {
    let named = entries.iter().filter(|(name, _)| name.is_some()).count();
    if named != 0 && named != entries.len() {
        crate::bail!(InvalidValue, "{named} of {} arrays have names: expected all or none", entries.len());
    }
    let mut metadata = Metadata::new();
    if named == 0 {
        metadata.insert(UNNAMED.0.to_owned(), UNNAMED.1.to_owned());
    }
    let name = |(i, (name, _)): (usize, &(Option<String>, NdArray))| name.clone().unwrap_or(i.to_string());
    let names: Vec<String> = entries.iter().enumerate().map(name).collect();
    let arrays: Vec<_> = names.iter().zip(entries).map(|(n, (_, a))| (n.as_str(), a)).collect();
    save(path, &metadata, &arrays)
}

/// Opens a file.
///
/// # Errors
/// `Io`, `NotFound`; `Format` and `Unsupported` as [`safetensors::read`].
pub fn load(path: &Path, access: Access) -> Result<Contents> {
    let map = map(path, access).map_err(|e| atomic::io_error("read", path, &e))?;
    contents(map).map_err(|e| e.in_file(path))
}

/// The arrays of a file that is in memory, which is copied.
///
/// # Errors
/// `Format` and `Unsupported` as [`safetensors::read`].
pub fn from_bytes(bytes: &[u8]) -> Result<Contents> {
    let mut map = anonymous(bytes.len() as u64).map_err(|e| crate::err!(OutOfMemory, "{e}"))?;
    map[..bytes.len()].copy_from_slice(bytes);
    contents(Mapping { map: map.into(), len: bytes.len() })
}

/// Writes arrays to a file, which is replaced in one step.
///
/// # Errors
/// `Io`; those of [`safetensors::header`]; the errors of the operations that should have made the arrays.
pub fn save(path: &Path, metadata: &Metadata, arrays: &[(&str, &NdArray)]) -> Result<()> {
    let (header, order) = header(metadata, arrays)?;
    atomic::write_with(path, |file| write(file, &header, &order, arrays))
}

/// The bytes that [`fn@save`] writes.
///
/// # Errors
/// As [`fn@save`].
pub fn to_bytes(metadata: &Metadata, arrays: &[(&str, &NdArray)]) -> Result<Vec<u8>> {
    let (header, order) = header(metadata, arrays)?;
    let mut bytes = Vec::new();
    write(&mut bytes, &header, &order, arrays).map_err(|e| crate::err!(Io, "{e}"))?;
    Ok(bytes)
}

/// Waits for the arrays; then the header and the order of the data.
fn header(metadata: &Metadata, arrays: &[(&str, &NdArray)]) -> Result<(Vec<u8>, Vec<usize>)> {
    for (_, array) in arrays {
        array.wait_to_read(None)?;
    }
    let tensors: Vec<_> =
        arrays.iter().map(|(n, a)| Ok((*n, a.dtype(), a.shape()?))).collect::<Result<_>>()?;
    safetensors::header(metadata, &tensors)
}

fn write(out: &mut dyn Write, header: &[u8], order: &[usize], arrays: &[(&str, &NdArray)]) -> io::Result<()> {
    out.write_all(header)?;
    for i in order {
        arrays[*i].1.with_bytes(|bytes| out.write_all(bytes)).map_err(io::Error::other)??;
    }
    Ok(())
}

/// A file in memory.
struct Mapping {
    map: MmapRaw,
    /// Its size; the mapping of an empty file has one byte more.
    len: usize,
}

/// Memory for `len` bytes, which begins where a page does.
fn anonymous(len: u64) -> io::Result<MmapMut> {
    let len = usize::try_from(len).map_err(io::Error::other)?;
    MmapMut::map_anon(len.max(1))
}

fn map(path: &Path, access: Access) -> io::Result<Mapping> {
    // Before it is opened: opening a pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("expected a regular file"));
    }
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    if access == Access::Mapped && len > 0 {
        // SAFETY: a private mapping, of which nothing was handed out yet; the module says what remains.
        let map = unsafe { MmapOptions::new().no_reserve_swap().len(len as usize).map_copy(&file)? };
        return Ok(Mapping { map: map.into(), len: len as usize });
    }
    let mut map = anonymous(len)?;
    file.read_exact(&mut map[..len as usize])?;
    Ok(Mapping { map: map.into(), len: len as usize })
}

fn contents(mapping: Mapping) -> Result<Contents> {
    // SAFETY: the mapping has `len` bytes, and nothing writes them while the header is read.
    let header = safetensors::read(unsafe { std::slice::from_raw_parts(mapping.map.as_ptr(), mapping.len) })?;
    let map = Arc::new(mapping.map);
    let arrays = header.tensors.into_iter().map(|t| Ok((t.name.clone(), array(&map, t)?)));
    Ok(Contents { arrays: arrays.collect::<Result<_>>()?, metadata: header.metadata })
}

/// The array of a tensor; it keeps the mapping alive.
fn array(map: &Arc<MmapRaw>, tensor: Tensor) -> Result<NdArray> {
    // SAFETY: the header was checked, so the tensor's bytes lie in the mapping.
    let data = unsafe { map.as_mut_ptr().add(tensor.bytes.start) };
    if tensor.bytes.start % tensor.dtype.size() != 0 {
        // Only other programs write such files.
        let array = NdArray::empty(tensor.shape, tensor.dtype, Device::cpu(0))?;
        // SAFETY: as above, and no array is over these bytes.
        array.copy_from_bytes(unsafe { std::slice::from_raw_parts(data, tensor.bytes.len()) })?;
        return Ok(array);
    }
    let map = map.clone();
    let deleter = Box::new(move || drop(map));
    // SAFETY: the deleter owns the mapping, tensors do not overlap, and the address is a multiple of the
    // element's size.
    unsafe { NdArray::from_foreign(data, tensor.shape, tensor.dtype, Device::cpu(0), deleter) }
}
