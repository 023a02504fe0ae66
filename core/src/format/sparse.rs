//! Dense tensors made of sparse ones and the reverse, as MXNet's `cast_storage` does: on the bytes of files.

use super::tensor::{RawAux, RawTensor, StorageKind};
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::Shape;
use crate::storage::pool;

impl RawTensor {
    /// The tensor with every element stored.
    ///
    /// # Errors
    /// `Format` if its parts do not agree with each other; `Unsupported` for an empty place; `OutOfMemory` if the
    /// dense tensor cannot be had.
    pub fn to_dense(&self) -> Result<RawTensor> {
        self.check()?;
        match self.storage {
            StorageKind::Dense => return Ok(self.clone()),
            StorageKind::None => crate::bail!(Unsupported, "an empty place in a list has no elements"),
            StorageKind::RowSparse | StorageKind::Csr => {}
        }
        let size = self.dtype.size();
        let mut data = zeros(self.shape.checked_len()?.saturating_mul(size))?;
        let mut put =
            |at: usize, bytes: &[u8]| data[at * bytes.len()..][..bytes.len()].copy_from_slice(bytes);
        if self.storage == StorageKind::RowSparse {
            let row = self.shape[1..].iter().product::<i64>() as usize * size;
            if row > 0 {
                self.data.chunks_exact(row).zip(self.aux[0].numbers()).for_each(|(bytes, r)| put(r, bytes));
            }
        } else {
            let (begins, columns) = (self.aux[0].numbers(), self.aux[1].numbers());
            let width = self.shape[1] as usize;
            for (row, ends) in begins.windows(2).enumerate() {
                let stored = self.data[ends[0] * size..ends[1] * size].chunks_exact(size);
                for (column, element) in columns[ends[0]..ends[1]].iter().zip(stored) {
                    put(row * width + column, element);
                }
            }
        }
        Ok(RawTensor::dense(self.dtype, self.shape.clone(), data))
    }

    /// The tensor stored in another way: of rows those that are not all zero, or of a matrix the elements that are
    /// not zero.
    ///
    /// # Errors
    /// As [`RawTensor::to_dense`]; `Shape` for a scalar, and for compressed rows of what is no matrix.
    pub fn to_storage(&self, kind: StorageKind) -> Result<RawTensor> {
        if kind == self.storage {
            return Ok(self.clone());
        }
        let dense = self.to_dense()?;
        match kind {
            StorageKind::Dense => Ok(dense),
            StorageKind::None => crate::bail!(Unsupported, "a tensor cannot become an empty place"),
            StorageKind::RowSparse => dense.rows_that_are_not_zero(),
            StorageKind::Csr => dense.compressed_rows(),
        }
    }

    fn rows_that_are_not_zero(&self) -> Result<RawTensor> {
        if self.shape.ndim() == 0 {
            crate::bail!(Shape, "expected at least one axis for rows, got shape {}", self.shape);
        }
        let row = self.shape[1..].iter().product::<i64>() as usize * self.dtype.size();
        let (mut data, mut rows) = (vec![], vec![]);
        if row > 0 {
            for (r, bytes) in self.data.chunks_exact(row).enumerate() {
                if !bytes.chunks_exact(self.dtype.size()).all(|e| is_zero(self.dtype, e)) {
                    data.extend_from_slice(bytes);
                    rows.push(r);
                }
            }
        }
        Ok(RawTensor::row_sparse(self.dtype, self.shape.clone(), data, indices(&rows)))
    }

    fn compressed_rows(&self) -> Result<RawTensor> {
        let [rows, width] = self.shape[..] else {
            crate::bail!(Shape, "expected a matrix for compressed rows, got shape {}", self.shape);
        };
        let size = self.dtype.size();
        let (mut data, mut begins, mut columns) = (vec![], vec![0], vec![]);
        for row in 0..rows as usize {
            let bytes = &self.data[row * width as usize * size..][..width as usize * size];
            for (column, element) in bytes.chunks_exact(size).enumerate() {
                if !is_zero(self.dtype, element) {
                    data.extend_from_slice(element);
                    columns.push(column);
                }
            }
            begins.push(columns.len());
        }
        Ok(RawTensor::csr(self.dtype, self.shape.clone(), data, indices(&begins), indices(&columns)))
    }
}

impl RawAux {
    /// The indices, which were checked to be integers that are not negative.
    fn numbers(&self) -> Vec<usize> {
        let number = |bytes: &[u8]| {
            let mut all = [0; 8];
            all[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(all) as usize
        };
        self.data.chunks_exact(self.dtype.size()).map(number).collect()
    }
}

fn indices(numbers: &[usize]) -> RawAux {
    let data = numbers.iter().flat_map(|n| (*n as i64).to_le_bytes()).collect();
    RawAux { dtype: DType::I64, shape: Shape::new(&[numbers.len() as i64]), data }
}

/// Zeros, or an error where the memory cannot be had: a file of few bytes may speak of a large tensor.
fn zeros(bytes: usize) -> Result<Vec<u8>> {
    pool::check_fits(bytes)?;
    let mut data = Vec::new();
    data.try_reserve_exact(bytes).map_err(|_| crate::err!(OutOfMemory, "{bytes} bytes cannot be had"))?;
    data.resize(bytes, 0);
    Ok(data)
}

/// True for a zero of either sign.
fn is_zero(dtype: DType, element: &[u8]) -> bool {
    let Some((last, rest)) = element.split_last() else { return true };
    let sign = if dtype.is_float() { 0x80 } else { 0 };
    last & !sign == 0 && rest.iter().all(|b| *b == 0)
}
