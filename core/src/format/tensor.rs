//! A tensor as files hold it: little-endian bytes with their dtype and shape, dense or sparse.
//!
//! [`RawTensor::check`] is the contract between readers and whoever makes arrays: byte counts agree with
//! shapes, sparse parts agree with each other, and every sparse index lies inside the tensor.

use crate::dtype::DType;
use crate::error::Result;
use crate::shape::Shape;

/// How a tensor is stored. The numbers are MXNet's storage types, which its files use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum StorageKind {
    /// No tensor at all: a place in a list that MXNet left empty.
    None = -1,
    /// Every element, in row-major order.
    Dense = 0,
    /// Some rows; `aux[0]` holds their numbers.
    RowSparse = 1,
    /// Compressed sparse rows; `aux[0]` holds where each row begins, `aux[1]` the columns.
    Csr = 2,
}

impl StorageKind {
    /// The kind with MXNet's number `code`, if it is one that files hold.
    pub fn from_code(code: i32) -> Result<StorageKind> {
        Ok(match code {
            0 => StorageKind::Dense,
            1 => StorageKind::RowSparse,
            2 => StorageKind::Csr,
            _ => crate::bail!(Format, "unknown storage type {code}: expected 0, 1 or 2"),
        })
    }

    /// Number of auxiliary arrays that a tensor of this kind has.
    pub const fn num_aux(self) -> usize {
        match self {
            StorageKind::None | StorageKind::Dense => 0,
            StorageKind::RowSparse => 1,
            StorageKind::Csr => 2,
        }
    }
}

/// An auxiliary array of a sparse tensor: its indices.
#[derive(Clone, Debug, PartialEq)]
pub struct RawAux {
    /// Element type; an integer type.
    pub dtype: DType,
    /// Shape; one axis.
    pub shape: Shape,
    /// Little-endian elements.
    pub data: Vec<u8>,
}

/// A tensor as files hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct RawTensor {
    /// How it is stored.
    pub storage: StorageKind,
    /// Saved with NumPy's shapes, where `()` is a scalar and an axis may have size 0.
    pub np_shape: bool,
    /// Element type.
    pub dtype: DType,
    /// Shape of the tensor.
    pub shape: Shape,
    /// Shape of `data`: equal to `shape` if dense, otherwise of the values that are stored.
    pub storage_shape: Shape,
    /// MXNet's device type and number where it lived when it was saved.
    pub device: (i32, i32),
    /// Little-endian elements.
    pub data: Vec<u8>,
    /// The auxiliary arrays of sparse kinds.
    pub aux: Vec<RawAux>,
}

impl RawTensor {
    /// A dense tensor on `cpu(0)`.
    pub fn dense(dtype: DType, shape: Shape, data: Vec<u8>) -> RawTensor {
        RawTensor {
            storage: StorageKind::Dense,
            np_shape: needs_np_shape(&shape),
            dtype,
            storage_shape: shape.clone(),
            shape,
            device: (1, 0),
            data,
            aux: Vec::new(),
        }
    }

    /// A tensor of which some rows are stored: `data` holds one row for each of the `rows`.
    pub fn row_sparse(dtype: DType, shape: Shape, data: Vec<u8>, rows: RawAux) -> RawTensor {
        let mut storage_shape = shape.clone();
        if let (Some(first), Some(stored)) = (storage_shape.first_mut(), rows.shape.first()) {
            *first = *stored;
        }
        let storage = StorageKind::RowSparse;
        RawTensor { storage, storage_shape, aux: vec![rows], ..RawTensor::dense(dtype, shape, data) }
    }

    /// A matrix in compressed sparse rows.
    pub fn csr(dtype: DType, shape: Shape, data: Vec<u8>, indptr: RawAux, columns: RawAux) -> RawTensor {
        let storage_shape = columns.shape.clone();
        let storage = StorageKind::Csr;
        RawTensor {
            storage,
            storage_shape,
            aux: vec![indptr, columns],
            ..RawTensor::dense(dtype, shape, data)
        }
    }

    /// An empty place in a list.
    pub fn none() -> RawTensor {
        let empty = RawTensor::dense(DType::F32, Shape::scalar(), Vec::new());
        RawTensor { storage: StorageKind::None, np_shape: false, ..empty }
    }

    /// True if only MXNet's NumPy semantics can express the shape.
    pub fn needs_np_shape(&self) -> bool {
        self.storage == StorageKind::Dense && needs_np_shape(&self.shape)
    }

    /// Refuses a tensor whose parts do not agree with each other.
    pub fn check(&self) -> Result<()> {
        if self.aux.len() != self.storage.num_aux() {
            crate::bail!(Format, "{} auxiliary arrays, but {:?} has {}", self.aux.len(), self.storage, {
                self.storage.num_aux()
            });
        }
        self.shape.checked_len()?;
        match self.storage {
            StorageKind::None => return Ok(()),
            StorageKind::Dense if self.storage_shape != self.shape => {
                crate::bail!(Format, "stored shape {} differs from {}", self.storage_shape, self.shape)
            }
            StorageKind::Dense => {}
            StorageKind::RowSparse => self.check_row_sparse()?,
            StorageKind::Csr => self.check_csr()?,
        }
        check_bytes("data", self.dtype, &self.storage_shape, &self.data)
    }

    fn check_row_sparse(&self) -> Result<()> {
        let rows = self.aux[0].indices("row numbers")?;
        let fits = self.storage_shape.ndim() == self.shape.ndim()
            && self.shape.ndim() > 0
            && self.storage_shape[1..] == self.shape[1..]
            && self.storage_shape[0] == rows.len() as i64;
        if !fits {
            crate::bail!(
                Format,
                "{} rows stored as {} do not fit the shape {}",
                rows.len(),
                self.storage_shape,
                self.shape
            );
        }
        check_range("row number", rows, self.shape[0])
    }

    fn check_csr(&self) -> Result<()> {
        let mut begins = self.aux[0].indices("row beginnings")?;
        let columns = self.aux[1].indices("columns")?;
        let stored = columns.len() as i64;
        if self.shape.ndim() != 2 || *self.storage_shape != [stored] {
            crate::bail!(
                Format,
                "{stored} values stored as {} do not fit a matrix of shape {}",
                self.storage_shape,
                self.shape
            );
        }
        // MXNet leaves the beginnings out of a matrix that was never written to.
        let untouched = begins.len() == 0 && stored == 0;
        if !untouched {
            let (rows, count) = (self.shape[0], begins.len() as i64);
            let mut last = 0;
            let ascending = begins.next() == Some(0) && begins.all(|b| std::mem::replace(&mut last, b) <= b);
            if !ascending || last != stored || count != rows.saturating_add(1) {
                crate::bail!(Format, "{count} row beginnings do not cut {stored} values into {rows} rows");
            }
        }
        check_range("column", columns, self.shape[1])
    }
}

impl RawAux {
    /// The elements as integers.
    fn indices(&self, what: &str) -> Result<impl ExactSizeIterator<Item = i64> + '_> {
        if !self.dtype.is_int() {
            crate::bail!(Format, "{what} have dtype {}: expected an integer type", self.dtype);
        }
        if self.shape.ndim() != 1 {
            crate::bail!(Format, "{what} have shape {}: expected one axis", self.shape);
        }
        check_bytes(what, self.dtype, &self.shape, &self.data)?;
        let dtype = self.dtype;
        Ok(self.data.chunks_exact(dtype.size()).map(move |b| match dtype {
            DType::U8 => i64::from(b[0]),
            _ => sign_extend(b),
        }))
    }
}

/// A little-endian signed integer of up to eight bytes.
fn sign_extend(bytes: &[u8]) -> i64 {
    let fill = if bytes.last().is_some_and(|b| b & 0x80 != 0) { 0xff } else { 0 };
    let mut all = [fill; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(all)
}

fn needs_np_shape(shape: &Shape) -> bool {
    shape.ndim() == 0 || shape.is_empty()
}

fn check_range(what: &str, mut values: impl Iterator<Item = i64>, size: i64) -> Result<()> {
    match values.find(|v| !(0..size).contains(v)) {
        Some(v) => Err(crate::err!(Format, "{what} {v} lies outside an axis of size {size}")),
        None => Ok(()),
    }
}

fn check_bytes(what: &str, dtype: DType, shape: &Shape, data: &[u8]) -> Result<()> {
    let want = shape.checked_len()? as u64 * dtype.size() as u64;
    if want != data.len() as u64 {
        crate::bail!(
            Format,
            "{what} of shape {shape} and dtype {dtype} takes {want} bytes, got {}",
            data.len()
        );
    }
    Ok(())
}
