//! Copies between arrays and the caller's memory. They wait, and are done when they return.

use super::NdArray;
use crate::device::Device;
use crate::dtype::{DType, Element};
use crate::engine::{self, Begin, Resource, Var};
use crate::error::Result;
use crate::shape::Shape;
use crate::storage::{Deleter, Storage};

impl NdArray {
    /// An array with these elements.
    pub fn from_slice<T: Element>(shape: impl Into<Shape>, values: &[T], device: Device) -> Result<NdArray> {
        let a = NdArray::empty(shape.into(), T::DTYPE, device)?;
        // SAFETY: elements are plain numbers, so their bytes may be read.
        let bytes = unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) };
        a.copy_from_bytes(bytes)?;
        Ok(a)
    }

    /// An array whose elements are all `value`.
    ///
    /// # Errors
    /// As [`NdArray::empty`].
    pub fn full(shape: Shape, value: f64, dtype: DType, device: Device) -> Result<NdArray> {
        let a = NdArray::empty(shape, dtype, device)?;
        let n = a.len()?;
        a.with_access(true, |data| {
            crate::with_dtype!(dtype, T => {
                // SAFETY: the engine granted writing, and the array has `n` elements of this type.
                unsafe { std::slice::from_raw_parts_mut(data.cast::<T>(), n) }.fill(T::from_f64(value));
            });
        })?;
        Ok(a)
    }

    /// An array over memory that someone else owns and `deleter` gives back.
    ///
    /// # Safety
    /// As for [`Storage::foreign`], with the shape's number of elements.
    pub unsafe fn from_foreign(
        data: *mut u8,
        shape: Shape,
        dtype: DType,
        device: Device,
        deleter: Deleter,
    ) -> Result<NdArray> {
        let bytes = shape.checked_len()? * dtype.size();
        // SAFETY: the caller's promise.
        let storage = unsafe { Storage::foreign(data, bytes, device, deleter) };
        Ok(NdArray::over(storage, 0, Some(shape), dtype))
    }

    /// The elements.
    ///
    /// # Errors
    /// `DType` if the elements are of another type; the error of the operation that should have made them.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        if self.dtype() != T::DTYPE {
            crate::bail!(DType, "expected an array of {}, got one of {}", T::DTYPE, self.dtype());
        }
        let mut out = vec![T::default(); self.len()?];
        // SAFETY: elements are plain numbers, so any bytes may be written to them.
        let bytes = unsafe { std::slice::from_raw_parts_mut(out.as_mut_ptr().cast(), size_of_val(&out[..])) };
        self.copy_to_bytes(bytes)?;
        Ok(out)
    }

    /// Copies all elements, row-major, to `out`, which must have exactly their size.
    ///
    /// # Errors
    /// `Shape` for another size; the error of the operation that should have made the elements.
    pub fn copy_to_bytes(&self, out: &mut [u8]) -> Result<()> {
        let bytes = self.len()? * self.dtype().size();
        if out.len() != bytes {
            crate::bail!(Shape, "expected a buffer of {bytes} bytes, got one of {}", out.len());
        }
        self.with_access(false, |data| {
            // SAFETY: the engine granted reading, and both sides have `bytes` bytes.
            unsafe { std::ptr::copy_nonoverlapping(data, out.as_mut_ptr(), bytes) }
        })
    }

    /// Calls `f` with the bytes of all elements, row-major, which nothing writes meanwhile. `f` must not wait
    /// for another operation.
    ///
    /// # Errors
    /// The error of the operation that should have made the elements.
    pub fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let bytes = self.len()? * self.dtype().size();
        let mut result = None;
        self.with_access(false, |data| {
            // SAFETY: the engine granted reading, and the array has so many bytes.
            result = Some(f(unsafe { std::slice::from_raw_parts(data, bytes) }));
        })?;
        result.ok_or_else(|| crate::Error::internal("granted access was not used"))
    }

    /// Sets all elements from their bytes, row-major.
    ///
    /// # Errors
    /// `Shape` if `bytes` has not exactly the array's size.
    pub fn copy_from_bytes(&self, bytes: &[u8]) -> Result<()> {
        let expected = self.len()? * self.dtype().size();
        if bytes.len() != expected {
            crate::bail!(Shape, "expected {expected} bytes for shape {}, got {}", self.shape()?, bytes.len());
        }
        self.storage().bump_version();
        self.with_access(true, |data| {
            // SAFETY: the engine granted writing, and both sides have `expected` bytes.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), data, expected) }
        })
    }

    /// Calls `f` with the address of the elements while the engine grants access to them.
    fn with_access(&self, write: bool, f: impl FnOnce(*mut u8)) -> Result<()> {
        let var = [self.storage().var()];
        let none: [&Var; 0] = [];
        // A view writes a part of its memory, so what failed before stays failed.
        let whole = self.storage().bytes() == self.len()? * self.dtype().size();
        let reads: &[&Var] = if write && whole { &none } else { &var };
        let writes: &[&Var] = if write { &var } else { &none };
        loop {
            match engine::begin(reads, writes) {
                Begin::Ready => {
                    let result = self.data().map(f);
                    engine::finish(reads, writes, result.clone());
                    return result;
                }
                Begin::Failed(e) => return Err(e),
                Begin::Busy if write => drop(self.wait_to_write(None)),
                Begin::Busy => self.wait_to_read(None)?,
            }
        }
    }

    /// The address of the elements, for readers and writers outside the engine: waits until nothing uses
    /// them.
    ///
    /// # Errors
    /// The error of the operation that should have made the elements.
    pub fn wait_and_expose(&self) -> Result<*mut u8> {
        self.wait_to_write(None)?;
        self.data()
    }
}
