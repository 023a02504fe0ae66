//! Views: other shapes and ranges over the same memory.

use super::NdArray;
use crate::error::Result;
use crate::shape::{Shape, UNKNOWN};

impl NdArray {
    /// The rows `begin..end` along the first axis, sharing memory.
    ///
    /// # Errors
    /// `Index` if the range does not lie within the first axis.
    pub fn slice(&self, begin: i64, end: i64) -> Result<NdArray> {
        let shape = self.shape()?;
        if shape.ndim() == 0 {
            crate::bail!(Index, "an array without axes cannot be sliced");
        }
        if begin < 0 || end < begin || end > shape[0] {
            crate::bail!(
                Index,
                "range {begin}..{end} does not lie within the first axis of size {}",
                shape[0]
            );
        }
        let row: usize = shape[1..].iter().product::<i64>() as usize * self.dtype().size();
        let mut out = shape.clone();
        out[0] = end - begin;
        Ok(self.view_at(begin as usize * row, out))
    }

    /// Row `index` of the first axis, without that axis, sharing memory. Negative indices count from the end.
    ///
    /// # Errors
    /// `Index` if there is no such row.
    pub fn at(&self, index: i64) -> Result<NdArray> {
        let shape = self.shape()?;
        let size = shape.first().copied().unwrap_or(0);
        let i = if index < 0 { index + size } else { index };
        if i < 0 || i >= size {
            crate::bail!(Index, "index {index} is out of range for the first axis of size {size}");
        }
        let rest = Shape::new(&shape[1..]);
        self.slice(i, i + 1)?.reshape(&rest)
    }

    /// The same elements in another shape, sharing memory. One size may be [`UNKNOWN`].
    ///
    /// # Errors
    /// `Shape` if the number of elements differs.
    pub fn reshape(&self, to: &Shape) -> Result<NdArray> {
        let from = self.shape()?;
        let mut out = to.clone();
        if let Some(axis) = to.iter().position(|d| *d == UNKNOWN) {
            let rest: i64 = to.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, d)| *d).product();
            if rest > 0 && from.len() as i64 % rest == 0 {
                out[axis] = from.len() as i64 / rest;
            }
        }
        if !out.is_known() || out.checked_len()? != from.len() {
            crate::bail!(
                Shape,
                "an array of shape {from} with {} elements cannot take the shape {to}",
                from.len()
            );
        }
        Ok(self.view_at(0, out))
    }

    fn view_at(&self, bytes: usize, shape: Shape) -> NdArray {
        NdArray::over(self.0.storage.clone(), self.0.offset + bytes, Some(shape), self.0.dtype)
    }

    /// Another handle to the same elements that autograd knows nothing about.
    ///
    /// # Errors
    /// The error of the operation that should have found out the shape.
    pub fn detach(&self) -> Result<NdArray> {
        Ok(self.view_at(0, self.shape()?.clone()))
    }
}
