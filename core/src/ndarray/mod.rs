//! Arrays: a shape and a dtype over a row-major range of a [`Storage`].
//!
//! Arrays are handles: cloning one gives another name for the same data. Ranges along the first axis and new
//! shapes are views that share the data; every other selection copies, as in MXNet. The contents may not be
//! computed yet: everything that looks at them waits first, and reports the error of the operation that
//! should have made them.

pub mod file;
mod host;
pub mod observe;
pub mod safetensors;
mod view;

use crate::autograd::Entry;
use crate::device::Device;
use crate::dtype::DType;
use crate::engine;
use crate::error::Result;
use crate::shape::Shape;
use crate::storage::Storage;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// How an array's elements are laid out. Only dense arrays can be computed with so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum StorageKind {
    /// All elements, row-major.
    Dense = 0,
    /// Some rows, the others zero.
    RowSparse = 1,
    /// Compressed sparse rows.
    Csr = 2,
}

/// An n-dimensional array.
#[derive(Clone)]
pub struct NdArray(Arc<Inner>);

#[doc(hidden)]
pub struct Inner {
    storage: Arc<Storage>,
    /// First element's distance from the start of the storage, in bytes.
    offset: usize,
    shape: Extent,
    dtype: DType,
    /// Where autograd finds how the array was made.
    entry: Mutex<Option<Entry>>,
}

/// An array that may be gone.
pub(crate) type WeakArray = Weak<Inner>;

/// The shape of an array. Nearly all know theirs from the start, and pay for nothing else.
enum Extent {
    Known(Shape),
    /// Not set while only a running operation knows it.
    Pending(OnceLock<Shape>),
}

impl Extent {
    #[inline]
    fn get(&self) -> Option<&Shape> {
        match self {
            Extent::Known(shape) => Some(shape),
            Extent::Pending(shape) => shape.get(),
        }
    }
}

impl NdArray {
    /// An array whose elements are not set, of which no memory is taken before something is written.
    ///
    /// # Errors
    /// `Shape` for negative sizes, `OutOfMemory` for sizes that cannot exist, `Device` for a missing device.
    pub fn empty(shape: Shape, dtype: DType, device: Device) -> Result<NdArray> {
        device.check_available()?;
        let bytes = shape.checked_len()? * dtype.size();
        Ok(NdArray::over(Storage::new(bytes, device), 0, Some(shape), dtype))
    }

    /// An array whose shape its first operation finds out.
    pub(crate) fn pending_shape(dtype: DType, device: Device) -> NdArray {
        NdArray::over(Storage::new(0, device), 0, None, dtype)
    }

    /// An array with a shape and no contents, for rules that read only shapes.
    pub(crate) fn shape_only(shape: Shape, dtype: DType, device: Device) -> NdArray {
        NdArray::over(Storage::new(shape.len() * dtype.size(), device), 0, Some(shape), dtype)
    }

    pub(crate) fn over(storage: Arc<Storage>, offset: usize, shape: Option<Shape>, dtype: DType) -> NdArray {
        let shape = shape.map_or_else(|| Extent::Pending(OnceLock::new()), Extent::Known);
        NdArray(Arc::new(Inner { storage, offset, shape, dtype, entry: Mutex::new(None) }))
    }

    /// The sizes of the axes. Waits if only a running operation knows them.
    pub fn shape(&self) -> Result<&Shape> {
        if let Some(shape) = self.0.shape.get() {
            return Ok(shape);
        }
        self.wait_to_read(None)?;
        self.0.shape.get().ok_or_else(|| crate::error::Error::internal("an operation set no shape"))
    }

    pub(crate) fn set_shape(&self, shape: Shape) {
        self.0.storage.set_bytes(shape.len() * self.0.dtype.size());
        if let Extent::Pending(pending) = &self.0.shape {
            let _ = pending.set(shape);
        }
    }

    /// The shape, if no operation is still to find it out.
    pub fn known_shape(&self) -> Option<&Shape> {
        self.0.shape.get()
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// The device that holds the elements.
    pub fn device(&self) -> Device {
        self.0.storage.device()
    }

    /// How the elements are laid out.
    pub fn storage_kind(&self) -> StorageKind {
        StorageKind::Dense
    }

    /// Number of elements.
    pub fn len(&self) -> Result<usize> {
        Ok(self.shape()?.len())
    }

    /// True if there are no elements.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.shape()?.is_empty())
    }

    /// An array over memory of this one, from so many bytes behind its start.
    pub(crate) fn within(&self, offset: usize, shape: Shape, dtype: DType) -> NdArray {
        NdArray::over(self.0.storage.clone(), self.0.offset + offset, Some(shape), dtype)
    }

    pub(crate) fn storage(&self) -> &Arc<Storage> {
        &self.0.storage
    }

    /// First element's address; its memory is allocated now if it was not yet.
    pub(crate) fn data(&self) -> Result<*mut u8> {
        let base = self.0.storage.data()?;
        // SAFETY: the offset lies within the storage.
        Ok(unsafe { base.add(self.0.offset) })
    }

    /// True if the two share at least one byte of memory.
    pub fn overlaps(&self, other: &NdArray) -> bool {
        if !Arc::ptr_eq(&self.0.storage, &other.0.storage) {
            return false;
        }
        let end = |a: &NdArray| a.0.offset + a.known_shape().map_or(0, Shape::len) * a.0.dtype.size();
        self.0.offset < end(other) && other.0.offset < end(self)
    }

    /// True if both name the same elements in the same order.
    pub fn same_elements(&self, other: &NdArray) -> bool {
        Arc::ptr_eq(&self.0.storage, &other.0.storage)
            && self.0.offset == other.0.offset
            && self.0.dtype == other.0.dtype
            && self.known_shape().map(Shape::len) == other.known_shape().map(Shape::len)
    }

    /// Number of writes to the memory so far, in the order of the calls.
    pub fn version(&self) -> u64 {
        self.0.storage.version()
    }

    /// How autograd knows the array: as a variable, as the result of a recorded operation, or not at all.
    pub(crate) fn entry(&self) -> Option<Entry> {
        self.0.entry.lock().clone()
    }

    pub(crate) fn set_entry(&self, entry: Option<Entry>) {
        let old = std::mem::replace(&mut *self.0.entry.lock(), entry);
        drop(old);
    }

    /// What tells the array from others as long as it is kept, without keeping the elements.
    pub(crate) fn downgrade(&self) -> WeakArray {
        Arc::downgrade(&self.0)
    }

    /// True if autograd knows the array, as a variable or as the result of a recorded operation.
    pub fn is_recorded(&self) -> bool {
        self.0.entry.lock().is_some()
    }

    /// Waits until everything that was asked to write the array has done so.
    ///
    /// # Errors
    /// The error of the operation that failed to write it, or `Timeout`.
    pub fn wait_to_read(&self, timeout: Option<Duration>) -> Result<()> {
        engine::wait_read(&*self.0.storage, timeout)
    }

    /// Waits until everything that was asked to read or write the array has done so.
    ///
    /// # Errors
    /// As [`NdArray::wait_to_read`].
    pub fn wait_to_write(&self, timeout: Option<Duration>) -> Result<()> {
        engine::wait_write(&*self.0.storage, timeout)
    }

    /// The array as a raw pointer that owns one reference.
    pub fn into_raw(self) -> *const Inner {
        Arc::into_raw(self.0)
    }

    /// The array that a pointer of [`NdArray::into_raw`] stands for, taking over its reference.
    ///
    /// # Safety
    /// `raw` must come from [`NdArray::into_raw`] and own a reference.
    pub unsafe fn from_raw(raw: *const Inner) -> NdArray {
        // SAFETY: the caller's promise.
        NdArray(unsafe { Arc::from_raw(raw) })
    }

    /// The address that [`NdArray::into_raw`] would give, without giving up this reference.
    pub fn as_ptr(&self) -> *const Inner {
        Arc::as_ptr(&self.0)
    }
}

impl std::fmt::Debug for NdArray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.known_shape() {
            Some(shape) => write!(f, "NdArray {shape} {} @{}", self.dtype(), self.device()),
            None => write!(f, "NdArray (shape not known yet) {} @{}", self.dtype(), self.device()),
        }
    }
}
