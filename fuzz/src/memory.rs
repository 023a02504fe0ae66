//! An allocator that counts, and the bound on what a reader may hold: a multiple of its input.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Bytes that a reader may hold whatever its input is: tables that are made once, texts of errors.
pub const ALWAYS: usize = 1 << 20;
/// Bytes that it may hold for each byte of its input. A node of a graph takes 35 bytes in a text and some
/// hundreds in memory, in a vector that doubles.
pub const PER_BYTE: usize = 40;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, counting for each thread.
pub struct Counting;

fn count(bytes: isize) {
    // A thread that ends has no counters left.
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + bytes);
        PEAK.with(|peak| peak.set(peak.get().max(live.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, data: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(data, layout) }
    }

    unsafe fn realloc(&self, data: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new block may be there at once.
        count(size as isize);
        // SAFETY: the caller's promise.
        let fresh = unsafe { System.realloc(data, layout, size) };
        count(-(layout.size() as isize));
        fresh
    }
}

/// Runs a reader on an input of `len` bytes.
///
/// # Panics
/// If more memory was held at once than the bound allows.
pub fn bounded<R>(len: usize, read: impl FnOnce() -> R) -> R {
    let before = LIVE.get();
    PEAK.set(before);
    let result = read();
    let held = PEAK.get() - before;
    let bound = (ALWAYS + PER_BYTE * len) as isize;
    assert!(held <= bound, "{held} bytes were held for an input of {len}: at most {bound} may be");
    result
}
