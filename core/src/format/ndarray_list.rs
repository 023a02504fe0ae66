//! MXNet's lists of arrays: what `mx.nd.save` writes, `.params` files among them.
//!
//! A list is the magic number 0x112, a reserved word, the arrays, and as many names or none; bytes after it
//! are ignored, as MXNet ignores them. All numbers are little-endian. An array begins with a word that tells
//! its layout:
//!
//! | word | layout |
//! |---|---|
//! | 0xF993fac8 (V1) | shape, device, dtype, data |
//! | 0xF993fac9 (V2) | storage type, shape of the storage if sparse, shape, device, dtype, auxiliary dtypes and shapes, data, auxiliary data |
//! | 0xF993faca (V3) | as V2, dense only, and shapes mean what they mean in NumPy |
//! | anything else | the oldest: the word is the number of axes, sizes follow as 32-bit words, then as V1 |
//!
//! A shape is a 32-bit number of axes and 64-bit sizes. In all but V3 a shape of no axes is an array that does
//! not exist and of which nothing else is stored; in V3 that is a shape with something unknown in it.
//! MXNet writes V3 for the whole list when it runs with NumPy shapes, otherwise V2, and reads a list only if
//! all its arrays are of one kind. [`fn@write`] therefore writes V3 for all as soon as one array is marked
//! `np_shape` or has a shape that needs it.
//!
//! Source: MXNet 1.9.1, `src/ndarray/ndarray.cc` (`NDArray::Save`, `Load`, `LegacyLoad`),
//! `include/mxnet/tuple.h`; checked against files that it wrote.

use super::cursor::Cursor;
use super::tensor::{RawAux, RawTensor, StorageKind};
use crate::dtype::DType;
use crate::error::{Error, ErrorCode, Result};
use crate::shape::Shape;
use std::path::Path;

pub(super) const LIST_MAGIC: u64 = 0x112;
const V1: u32 = 0xf993_fac8;
const V2: u32 = 0xf993_fac9;
const V3: u32 = 0xf993_faca;

/// An array of a list with its name, if the list has names.
pub type Entry = (Option<String>, RawTensor);

/// Reads a list. Every tensor it returns passes [`RawTensor::check`].
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>> {
    let mut c = Cursor::new(bytes);
    let magic = c.u64("the magic number of a list of arrays")?;
    if magic != LIST_MAGIC {
        crate::bail!(Format, "not a list of arrays: it begins with {magic:#x}, expected {LIST_MAGIC:#x}");
    }
    c.u64("the reserved word")?;
    let count = c.u64("the number of arrays")?;
    if count > c.left() as u64 / 4 {
        crate::bail!(Format, "{count} arrays cannot be in the {} bytes that are left", c.left());
    }
    let mut entries = Vec::new();
    for i in 0..count {
        let tensor = read_tensor(&mut c).map_err(|e| in_array(e, i, count))?;
        entries.push((None, tensor));
    }
    read_names(&mut c, &mut entries)?;
    Ok(entries)
}

/// Reads a list from a file.
pub fn read_file(path: impl AsRef<Path>) -> Result<Vec<Entry>> {
    let path = path.as_ref();
    let bytes = super::atomic::read(path)?;
    read(&bytes).map_err(|e| e.in_file(path))
}

/// The bytes that MXNet 1.9.1 writes for these arrays. Either all have a name or none has.
pub fn write(entries: &[Entry]) -> Result<Vec<u8>> {
    let np_shape = entries.iter().any(|(_, t)| t.np_shape || t.needs_np_shape());
    let size: usize = entries.iter().map(|(_, t)| 256 + t.data.len()).sum();
    let mut out = Vec::with_capacity(size);
    put_u64(&mut out, LIST_MAGIC);
    put_u64(&mut out, 0);
    put_u64(&mut out, entries.len() as u64);
    for (i, (_, tensor)) in entries.iter().enumerate() {
        write_tensor(&mut out, tensor, np_shape).map_err(|e| in_array(e, i as u64, entries.len() as u64))?;
    }
    let names: Vec<&str> = entries.iter().filter_map(|(name, _)| name.as_deref()).collect();
    if !names.is_empty() && names.len() != entries.len() {
        crate::bail!(InvalidValue, "{} of {} arrays have names: expected all or none", names.len(), {
            entries.len()
        });
    }
    put_u64(&mut out, names.len() as u64);
    for name in names {
        put_u64(&mut out, name.len() as u64);
        out.extend_from_slice(name.as_bytes());
    }
    Ok(out)
}

/// Writes a list to a file, which is replaced in one step.
pub fn write_file(path: impl AsRef<Path>, entries: &[Entry]) -> Result<()> {
    super::atomic::write(path.as_ref(), &write(entries)?)
}

fn in_array(e: Error, i: u64, count: u64) -> Error {
    let code = if e.code() == ErrorCode::Unsupported { e.code() } else { ErrorCode::Format };
    Error::new(code, format!("array {i} of {count}: {}", e.message()))
}

fn read_names(c: &mut Cursor, entries: &mut [Entry]) -> Result<()> {
    let count = c.u64("the number of names")?;
    if count != 0 && count != entries.len() as u64 {
        crate::bail!(Format, "{count} names for {} arrays", entries.len());
    }
    for (name, _) in entries.iter_mut().take(count as usize) {
        let len = c.u64("the length of a name")?;
        let bytes = c.take(len, "a name")?;
        let text = std::str::from_utf8(bytes).map_err(|e| crate::err!(Format, "a name is not UTF-8: {e}"))?;
        *name = Some(text.to_owned());
    }
    Ok(())
}

fn read_tensor(c: &mut Cursor) -> Result<RawTensor> {
    let tensor = match c.u32("the magic number of an array")? {
        V3 => read_current(c, true)?,
        V2 => read_current(c, false)?,
        V1 => match read_shape(c)? {
            Some(shape) => read_old(c, shape)?,
            None => crate::bail!(Format, "the number of axes is negative"),
        },
        axes => {
            let sizes = c.take(u64::from(axes) * 4, "a shape")?.chunks_exact(4);
            let shape = sizes.map(|b| i64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect();
            read_old(c, shape)?
        }
    };
    tensor.check()?;
    Ok(tensor)
}

fn read_current(c: &mut Cursor, np_shape: bool) -> Result<RawTensor> {
    let storage = StorageKind::from_code(c.i32("the storage type")?)?;
    if np_shape && storage != StorageKind::Dense {
        crate::bail!(Format, "an array saved with NumPy shapes is {storage:?}: only dense ones can be");
    }
    let storage_shape = if storage.num_aux() > 0 { Some(read_known_shape(c)?) } else { None };
    let shape = match read_shape(c)? {
        Some(shape) if !np_shape && shape.ndim() == 0 => return Ok(RawTensor::none()),
        Some(shape) if !np_shape || shape.is_known() => shape,
        _ if np_shape => return Ok(RawTensor { np_shape, ..RawTensor::none() }),
        _ => crate::bail!(Format, "the number of axes is negative"),
    };
    let device = (c.i32("the device type")?, c.i32("the device number")?);
    let dtype = DType::from_code(c.i32("the dtype")?)?;
    let mut aux = Vec::new();
    for _ in 0..storage.num_aux() {
        let dtype = DType::from_code(c.i32("an auxiliary dtype")?)?;
        aux.push(RawAux { dtype, shape: read_known_shape(c)?, data: Vec::new() });
    }
    let storage_shape = storage_shape.unwrap_or_else(|| shape.clone());
    let data = read_data(c, dtype, &storage_shape)?;
    for a in &mut aux {
        a.data = read_data(c, a.dtype, &a.shape)?;
    }
    Ok(RawTensor { storage, np_shape, dtype, shape, storage_shape, device, data, aux })
}

/// What follows the shape in the layouts older than V2.
fn read_old(c: &mut Cursor, shape: Shape) -> Result<RawTensor> {
    if shape.ndim() == 0 {
        return Ok(RawTensor::none());
    }
    let device = (c.i32("the device type")?, c.i32("the device number")?);
    let dtype = DType::from_code(c.i32("the dtype")?)?;
    let data = read_data(c, dtype, &shape)?;
    Ok(RawTensor { device, np_shape: false, ..RawTensor::dense(dtype, shape, data) })
}

/// A shape, or `None` if its number of axes is unknown. Sizes may be negative.
fn read_shape(c: &mut Cursor) -> Result<Option<Shape>> {
    let axes = c.i32("the number of axes")?;
    if axes == -1 {
        return Ok(None);
    }
    let Ok(axes) = u64::try_from(axes) else {
        crate::bail!(Format, "the number of axes is {axes}");
    };
    let sizes = c.take(axes * 8, "a shape")?.chunks_exact(8);
    Ok(Some(sizes.map(|b| i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])).collect()))
}

fn read_known_shape(c: &mut Cursor) -> Result<Shape> {
    read_shape(c)?.ok_or_else(|| crate::err!(Format, "the number of axes is negative"))
}

fn read_data(c: &mut Cursor, dtype: DType, shape: &Shape) -> Result<Vec<u8>> {
    let len = shape.checked_len()? as u64;
    Ok(c.take(len * dtype.size() as u64, "the data of an array")?.to_vec())
}

fn write_tensor(out: &mut Vec<u8>, t: &RawTensor, np_shape: bool) -> Result<()> {
    t.check()?;
    if t.storage == StorageKind::None {
        crate::bail!(Unsupported, "an empty place cannot be written: MXNet cannot write one either");
    }
    if np_shape && t.storage != StorageKind::Dense {
        crate::bail!(Unsupported, "a {:?} array cannot be saved with NumPy shapes", t.storage);
    }
    put_u32(out, if np_shape { V3 } else { V2 });
    put_i32(out, t.storage as i32);
    if !t.aux.is_empty() {
        put_shape(out, &t.storage_shape);
    }
    put_shape(out, &t.shape);
    put_i32(out, t.device.0);
    put_i32(out, t.device.1);
    put_i32(out, t.dtype as i32);
    for a in &t.aux {
        put_i32(out, a.dtype as i32);
        put_shape(out, &a.shape);
    }
    out.extend_from_slice(&t.data);
    for a in &t.aux {
        out.extend_from_slice(&a.data);
    }
    Ok(())
}

fn put_shape(out: &mut Vec<u8>, shape: &Shape) {
    put_i32(out, shape.ndim() as i32);
    for size in shape.iter() {
        out.extend_from_slice(&size.to_le_bytes());
    }
}

fn put_u32(out: &mut Vec<u8>, v: u32) {
    out.extend_from_slice(&v.to_le_bytes());
}

fn put_i32(out: &mut Vec<u8>, v: i32) {
    out.extend_from_slice(&v.to_le_bytes());
}

fn put_u64(out: &mut Vec<u8>, v: u64) {
    out.extend_from_slice(&v.to_le_bytes());
}
