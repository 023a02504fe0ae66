//! The pool of main memory behind all arrays.
//!
//! Released buffers are kept by size class and used again; small ones first by the thread that released them,
//! without a lock (`blocks.rs`). What is kept is bounded by what is in use, so memory goes back to the system when
//! a program's need falls. [`stats`] reports, [`trim`] gives everything back at once.

use super::blocks;
use crate::error::Result;
use parking_lot::Mutex;
use std::alloc::Layout;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Alignment of every buffer: a cache line, and the widest vector register.
pub const ALIGNMENT: usize = 64;

/// Buffers up to this size are kept per thread.
const SMALL: usize = 4096;
/// The classes of those.
pub(super) const SMALL_CLASSES: usize = COARSE * (SMALL / ALIGNMENT).ilog2() as usize - COARSE;
/// This much may be kept however little is in use.
const KEPT_ALWAYS: usize = 64 << 20;
/// Sizes per power of two, of small buffers and of large ones.
const COARSE: usize = 4;
const FINE: usize = 32;
/// Power of two of the units, each of [`ALIGNMENT`], from which on a buffer is large: 1 MiB.
const LARGE: usize = 14;
/// The first class of large buffers.
const FIRST_LARGE: usize = COARSE * (LARGE - 1);
const CLASSES: usize = FIRST_LARGE + FINE * (usize::BITS as usize - LARGE);

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static KEPT: AtomicUsize = AtomicUsize::new(0);
static FREE: [Mutex<Vec<Block>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];

struct Block(*mut u8);
// SAFETY: a block that the pool keeps is owned by the pool alone.
unsafe impl Send for Block {}

/// What the pool holds, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Held by arrays.
    pub in_use: usize,
    /// Kept for later use.
    pub kept: usize,
    /// Largest `in_use` since the start or [`reset_peak`].
    pub peak: usize,
}

/// Buffers fall into classes of equal size: of a small one at most a quarter is unused, of a large one a 32nd.
fn class_of(bytes: usize) -> usize {
    let units = bytes.div_ceil(ALIGNMENT).max(1);
    if units <= COARSE {
        return units - 1;
    }
    let power = (units - 1).ilog2() as usize;
    if power < LARGE {
        return COARSE * (power - 2) + ((units - 1) >> (power - 2));
    }
    FIRST_LARGE + FINE * (power - LARGE) + ((units - 1) >> (power - 5)) % FINE
}

fn size_of(class: usize) -> usize {
    let units = if class < COARSE {
        class + 1
    } else if class < FIRST_LARGE {
        let power = class / COARSE + 1;
        (class % COARSE + COARSE + 1) << (power - 2)
    } else {
        let (power, part) = ((class - FIRST_LARGE) / FINE + LARGE, (class - FIRST_LARGE) % FINE);
        (part + FINE + 1) << (power - 5)
    };
    units * ALIGNMENT
}

pub(super) fn layout(class: usize) -> Layout {
    Layout::from_size_align(size_of(class), ALIGNMENT).expect("sizes are checked before")
}

/// Refuses a size that the machine can never hold. The system promises it all the same, and kills whoever uses it.
///
/// # Errors
/// `OutOfMemory` for more than main memory and swap space together.
pub fn check_fits(bytes: usize) -> Result<()> {
    static MACHINE: LazyLock<usize> = LazyLock::new(machine_bytes);
    if bytes > *MACHINE {
        crate::bail!(OutOfMemory, "cannot allocate {bytes} bytes: this machine has {}", *MACHINE);
    }
    Ok(())
}

/// Bytes of main memory and swap space, as far as the system tells.
fn machine_bytes() -> usize {
    const MOST: usize = isize::MAX as usize / 4;
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the struct is plain numbers, which the call fills.
        let (done, info) = unsafe {
            let mut info: libc::sysinfo = std::mem::zeroed();
            (libc::sysinfo(&raw mut info), info)
        };
        if done == 0 {
            return ((info.totalram + info.totalswap) as usize)
                .saturating_mul(info.mem_unit as usize)
                .min(MOST);
        }
    }
    MOST
}

/// A buffer of at least `bytes` bytes, not initialised.
///
/// # Errors
/// `OutOfMemory` when the system gives none, even after everything kept was returned to it.
pub fn allocate(bytes: usize) -> Result<*mut u8> {
    check_fits(bytes)?;
    let class = class_of(bytes);
    let size = size_of(class);
    let data = match take(class, size) {
        Some(data) => {
            KEPT.fetch_sub(size, Relaxed);
            data
        }
        None => from_system(class)
            .or_else(|| {
                trim();
                from_system(class)
            })
            .ok_or_else(|| {
                let s = stats();
                crate::err!(OutOfMemory, "cannot allocate {bytes} bytes; arrays hold {} bytes", s.in_use)
            })?,
    };
    PEAK.fetch_max(IN_USE.fetch_add(size, Relaxed) + size, Relaxed);
    Ok(data)
}

fn take(class: usize, size: usize) -> Option<*mut u8> {
    if size <= SMALL { blocks::take(blocks::buffers(class)) } else { FREE[class].lock().pop().map(|b| b.0) }
}

fn from_system(class: usize) -> Option<*mut u8> {
    // SAFETY: the layout's size is not zero.
    let data = unsafe { std::alloc::alloc(layout(class)) };
    (!data.is_null()).then_some(data)
}

/// Takes back a buffer of `bytes` bytes.
///
/// # Safety
/// `data` must come from [`allocate`] with the same number of bytes, and nobody may use it any more.
pub unsafe fn release(data: *mut u8, bytes: usize) {
    let class = class_of(bytes);
    let size = size_of(class);
    let in_use = IN_USE.fetch_sub(size, Relaxed) - size;
    let kept = KEPT.fetch_add(size, Relaxed) + size;
    if kept > KEPT_ALWAYS.max(in_use / 2) {
        give_back(data, class);
    } else if size > SMALL {
        FREE[class].lock().push(Block(data));
    // SAFETY: `data` came from the system with the layout of this class, and nobody uses it any more.
    } else if unsafe { !blocks::keep(data, blocks::buffers(class)) } {
        give_back(data, class);
    }
}

/// Gives a buffer that was kept to the system.
pub(super) fn give_back(data: *mut u8, class: usize) {
    KEPT.fetch_sub(size_of(class), Relaxed);
    // SAFETY: kept blocks came from the system with their class's layout, and are used by nobody.
    unsafe { std::alloc::dealloc(data, layout(class)) };
}

/// Returns everything that is kept, but for the small buffers of other threads, to the system.
pub fn trim() {
    blocks::trim();
    for (class, free) in FREE.iter().enumerate() {
        for block in std::mem::take(&mut *free.lock()) {
            give_back(block.0, class);
        }
    }
}

/// What the pool holds now.
pub fn stats() -> Stats {
    Stats { in_use: IN_USE.load(Relaxed), kept: KEPT.load(Relaxed), peak: PEAK.load(Relaxed) }
}

/// Starts a new measurement of the peak.
pub fn reset_peak() {
    PEAK.store(IN_USE.load(Relaxed), Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_every_size_that_maps_to_it_with_little_waste() {
        for bytes in (1..70_000).chain((17..40).flat_map(|p| [(1 << p) - 1, 1 << p, (1 << p) + 1])) {
            let size = size_of(class_of(bytes));
            assert!(size >= bytes, "{bytes} in {size}");
            let part = if bytes > 1 << 20 { 32 } else { 4 };
            assert!(size <= bytes + bytes / part + ALIGNMENT, "{bytes} in {size}");
        }
        assert!(class_of(isize::MAX as usize / 4) < CLASSES);
        assert_eq!(class_of(SMALL) + 1, SMALL_CLASSES);
    }

    #[test]
    fn an_impossible_size_is_an_error() {
        let e = allocate(isize::MAX as usize / 8).unwrap_err();
        assert_eq!(e.code(), crate::ErrorCode::OutOfMemory);
    }
}
