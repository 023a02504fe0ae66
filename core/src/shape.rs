//! Shapes: the sizes of an array's axes, possibly not all known yet.

use crate::error::Result;
use smallvec::SmallVec;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// The size of an axis that is not known yet.
pub const UNKNOWN: i64 = -1;

/// Sizes of all axes, slowest first. An axis may have size 0; no axes at all is a scalar.
///
/// While shapes are inferred an axis may be [`UNKNOWN`]; a whole shape that is not known, not even in its
/// number of axes, is an `Option<Shape>` that is `None`.
#[derive(PartialEq, Eq, Hash, Default)]
pub struct Shape(SmallVec<[i64; 6]>);

impl Clone for Shape {
    /// One copy of memory, where the derived clone would go element by element.
    #[inline]
    fn clone(&self) -> Self {
        Shape(SmallVec::from_slice(&self.0))
    }
}

impl Shape {
    /// A shape with these sizes.
    pub fn new(dims: &[i64]) -> Shape {
        Shape(SmallVec::from_slice(dims))
    }

    /// The shape of a scalar.
    pub fn scalar() -> Shape {
        Shape::default()
    }

    /// `n` axes, all of size `dim`.
    pub fn repeat(dim: i64, n: usize) -> Shape {
        Shape(SmallVec::from_elem(dim, n))
    }

    /// Number of elements. All axes must be known, and the array must exist: see [`Shape::checked_len`].
    pub fn len(&self) -> usize {
        self.0.iter().product::<i64>() as usize
    }

    /// True if there are no elements.
    pub fn is_empty(&self) -> bool {
        self.0.contains(&0)
    }

    /// Number of elements, or an error for negative sizes and for counts that no memory could hold.
    pub fn checked_len(&self) -> Result<usize> {
        if let Some(d) = self.0.iter().find(|d| **d < 0) {
            crate::bail!(Shape, "sizes must not be negative, got {d} in shape {self}");
        }
        if self.is_empty() {
            return Ok(0);
        }
        self.0
            .iter()
            .try_fold(1i64, |n, d| n.checked_mul(*d))
            .filter(|n| *n <= 1 << 56)
            .map(|n| n as usize)
            .ok_or_else(|| crate::err!(OutOfMemory, "an array of shape {self} has too many elements"))
    }

    /// Number of axes.
    pub fn ndim(&self) -> usize {
        self.0.len()
    }

    /// True if every axis has a known size.
    pub fn is_known(&self) -> bool {
        self.0.iter().all(|d| *d >= 0)
    }

    /// Appends an axis.
    pub fn push(&mut self, dim: i64) {
        self.0.push(dim);
    }

    /// Removes an axis and returns its size.
    pub fn remove(&mut self, axis: usize) -> i64 {
        self.0.remove(axis)
    }

    /// Inserts an axis.
    pub fn insert(&mut self, axis: usize, dim: i64) {
        self.0.insert(axis, dim);
    }

    /// Distance in elements between neighbours along each axis, in row-major order.
    pub fn strides(&self) -> SmallVec<[usize; 6]> {
        let mut strides: SmallVec<[usize; 6]> = SmallVec::from_elem(1, self.ndim());
        for i in (1..self.ndim()).rev() {
            strides[i - 1] = strides[i] * self.0[i] as usize;
        }
        strides
    }

    /// The axis that `axis` means when negative numbers count from the end.
    pub fn axis(&self, axis: i64) -> Result<usize> {
        normalize_axis(axis, self.ndim())
    }

    /// Number of elements before, along and after an axis: the array seen as (outer, axis, inner).
    pub fn split_at_axis(&self, axis: usize) -> (usize, usize, usize) {
        let outer: i64 = self.0[..axis].iter().product();
        let inner: i64 = self.0[axis + 1..].iter().product();
        (outer as usize, self.0[axis] as usize, inner as usize)
    }
}

/// The axis that `axis` means among `ndim` when negative numbers count from the end.
pub fn normalize_axis(axis: i64, ndim: usize) -> Result<usize> {
    let n = ndim as i64;
    let a = if axis < 0 { axis + n } else { axis };
    if (0..n).contains(&a) {
        Ok(a as usize)
    } else {
        Err(crate::err!(Index, "axis {axis} is out of range for an array of {ndim} axes").about("axis"))
    }
}

impl Deref for Shape {
    type Target = [i64];
    fn deref(&self) -> &[i64] {
        &self.0
    }
}

impl DerefMut for Shape {
    fn deref_mut(&mut self) -> &mut [i64] {
        &mut self.0
    }
}

impl FromIterator<i64> for Shape {
    fn from_iter<I: IntoIterator<Item = i64>>(iter: I) -> Self {
        Shape(iter.into_iter().collect())
    }
}

impl<const N: usize> From<[i64; N]> for Shape {
    fn from(dims: [i64; N]) -> Self {
        Shape::new(&dims)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            if *d == UNKNOWN { f.write_str("?")? } else { write!(f, "{d}")? }
        }
        if self.ndim() == 1 {
            f.write_str(",")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
