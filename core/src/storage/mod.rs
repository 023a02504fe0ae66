//! Memory of arrays: a buffer, its device, and the engine variable that orders access to it.
//!
//! Bytes are allocated when the first operation writes them, so that a caller who runs ahead holds no memory.
//! Only operations that the engine started touch a buffer; that is what makes the sharing sound.

mod blocks;
pub mod pool;

pub use blocks::Allocator;

use crate::device::Device;
use crate::engine::{Resource, Var};
use crate::error::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// Called once when foreign memory is no longer used.
pub type Deleter = Box<dyn FnOnce() + Send + Sync>;

/// A buffer that arrays share.
pub struct Storage {
    var: Var,
    data: AtomicPtr<u8>,
    bytes: AtomicUsize,
    version: AtomicU64,
    device: Device,
    /// `Some` for memory that someone else owns.
    deleter: Option<Deleter>,
}

impl Storage {
    /// A buffer of `bytes` bytes that is allocated on first use.
    pub fn new(bytes: usize, device: Device) -> Arc<Storage> {
        Arc::new(Storage {
            var: Var::new(),
            data: AtomicPtr::new(std::ptr::null_mut()),
            bytes: AtomicUsize::new(bytes),
            version: AtomicU64::new(0),
            device,
            deleter: None,
        })
    }

    /// Memory that someone else owns and `deleter` gives back.
    ///
    /// # Safety
    /// `data` must be valid for reads and writes of `bytes` bytes until `deleter` is called, and nothing else
    /// may touch it while an operation of the engine uses it.
    pub unsafe fn foreign(data: *mut u8, bytes: usize, device: Device, deleter: Deleter) -> Arc<Storage> {
        Arc::new(Storage {
            var: Var::new(),
            data: AtomicPtr::new(data),
            bytes: AtomicUsize::new(bytes),
            version: AtomicU64::new(0),
            device,
            deleter: Some(deleter),
        })
    }

    /// Start of the buffer, allocated now if it was not yet.
    ///
    /// # Errors
    /// `OutOfMemory` when the system has none left.
    pub fn data(&self) -> Result<*mut u8> {
        let data = self.data.load(Ordering::Acquire);
        if !data.is_null() {
            return Ok(data);
        }
        let fresh = pool::allocate(self.bytes())?;
        match self.data.compare_exchange(std::ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(fresh),
            Err(other) => {
                // SAFETY: `fresh` came from `allocate` with this size and was shown to nobody.
                unsafe { pool::release(fresh, self.bytes()) };
                Ok(other)
            }
        }
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Sets the size of a buffer whose size only its first operation finds out.
    pub(crate) fn set_bytes(&self, bytes: usize) {
        debug_assert!(self.data.load(Ordering::Relaxed).is_null());
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// The device that holds the buffer.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Counts the writes to the buffer, in the order of the calls that asked for them.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    pub(crate) fn bump_version(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }
}

impl Resource for Storage {
    fn var(&self) -> &Var {
        &self.var
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        let data = *self.data.get_mut();
        match self.deleter.take() {
            Some(deleter) => deleter(),
            // SAFETY: not foreign and not null, so it came from `allocate` with this size.
            None if !data.is_null() => unsafe { pool::release(data, self.bytes()) },
            None => {}
        }
    }
}
