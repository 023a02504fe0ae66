//! Small blocks of memory that wait to be used again, first by the thread that gave them back.
//!
//! A thread keeps blocks in lists of its own, one for each kind, and takes the one that it kept last: no lock, no
//! atomic operation. What it has too many of it puts on a shelf for all threads, in chains of [`CHAIN`] blocks, and
//! whoever has none left takes a chain from there. So what a collector frees at once, or on a thread of its own, comes
//! back to those who make arrays, for a lock in so many blocks; a thread that finds the lock taken does without.

use super::pool;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::Mutex;

/// Blocks that are exchanged at once.
const CHAIN: usize = 64;
/// Whole chains that a thread keeps of a kind.
const CHAINS_PER_THREAD: usize = 4;
/// Bytes that a shelf holds at most.
const SHELF: usize = 32 << 20;

/// Kinds for headers of arrays and whatever else is small: of 32 bytes more each. Those for buffers follow.
const HEADERS: usize = 16;
const HEADER_STEP: usize = 32;
const HEADER_ALIGNMENT: usize = 16;
const KINDS: usize = HEADERS + pool::SMALL_CLASSES;

/// The start of a block that waits.
struct Block {
    next: *mut Block,
    /// Of the first of a chain: how many there are, and the chain below it.
    len: usize,
    below: *mut Block,
}

/// The kind of buffers of a class of the pool.
#[inline]
pub(super) fn buffers(class: usize) -> usize {
    HEADERS + class
}

fn layout(kind: usize) -> Layout {
    if kind >= HEADERS {
        return pool::layout(kind - HEADERS);
    }
    Layout::from_size_align((kind + 1) * HEADER_STEP, HEADER_ALIGNMENT).expect("a small size")
}

fn to_system(block: *mut Block, kind: usize) {
    if kind >= HEADERS {
        return pool::give_back(block.cast(), kind - HEADERS);
    }
    // SAFETY: blocks of a kind come from the system with its layout, and one that waits is used by nobody.
    unsafe { System.dealloc(block.cast(), layout(kind)) };
}

fn chain_to_system(mut block: *mut Block, kind: usize) {
    while !block.is_null() {
        // SAFETY: a block of a chain that this thread alone has.
        let next = unsafe { (*block).next };
        to_system(block, kind);
        block = next;
    }
}

/// Chains for all threads.
struct Shelf(Mutex<Stack>);

struct Stack {
    top: *mut Block,
    blocks: usize,
}

// SAFETY: blocks that wait are owned by the stack alone.
unsafe impl Send for Stack {}

static SHELVES: [Shelf; KINDS] = [const { Shelf(Mutex::new(Stack { top: null_mut(), blocks: 0 })) }; KINDS];

impl Shelf {
    /// Puts a chain on the shelf, unless it is full or in use.
    fn put(&self, chain: *mut Block, kind: usize) -> bool {
        let Ok(mut stack) = self.0.try_lock() else { return false };
        // SAFETY: the first of a chain that the caller owns.
        let first = unsafe { &mut *chain };
        if (stack.blocks + first.len) * layout(kind).size() > SHELF {
            return false;
        }
        stack.blocks += first.len;
        first.below = std::mem::replace(&mut stack.top, chain);
        true
    }

    /// The chain that was put there last; null if there is none or the shelf is in use.
    fn take(&self) -> *mut Block {
        let Ok(mut stack) = self.0.try_lock() else { return null_mut() };
        let chain = stack.top;
        if !chain.is_null() {
            // SAFETY: the first of a chain that the stack owns.
            let first = unsafe { &*chain };
            stack.blocks -= first.len;
            stack.top = first.below;
        }
        chain
    }
}

/// What a thread keeps of a kind.
struct List {
    /// The chain that blocks are taken from and added to.
    first: Cell<*mut Block>,
    len: Cell<usize>,
    /// Whole chains.
    chains: Cell<*mut Block>,
    num_chains: Cell<usize>,
}

impl List {
    const fn new() -> List {
        List {
            first: Cell::new(null_mut()),
            len: Cell::new(0),
            chains: Cell::new(null_mut()),
            num_chains: Cell::new(0),
        }
    }

    #[inline]
    fn take(&self) -> Option<*mut u8> {
        let block = self.first.get();
        if block.is_null() {
            return None;
        }
        // SAFETY: the list owns its blocks.
        self.first.set(unsafe { (*block).next });
        self.len.set(self.len.get() - 1);
        Some(block.cast())
    }

    #[inline]
    fn keep(&self, block: *mut Block, kind: usize) -> bool {
        if self.len.get() == CHAIN && !self.stow(kind) {
            return false;
        }
        // SAFETY: the block is the caller's, and large enough for any kind.
        unsafe { (*block).next = self.first.get() };
        self.first.set(block);
        self.len.set(self.len.get() + 1);
        true
    }

    /// Begins a chain that is whole; false if there is none.
    fn refill(&self, kind: usize) -> bool {
        let mut chain = self.chains.get();
        if chain.is_null() {
            chain = SHELVES[kind].take();
            if chain.is_null() {
                return false;
            }
        } else {
            // SAFETY: the first of a chain of the list's.
            self.chains.set(unsafe { (*chain).below });
            self.num_chains.set(self.num_chains.get() - 1);
        }
        self.first.set(chain);
        // SAFETY: the first of a chain knows its length.
        self.len.set(unsafe { (*chain).len });
        true
    }

    /// Puts the current chain away; false if there is no room for it.
    #[cold]
    fn stow(&self, kind: usize) -> bool {
        let chain = self.first.get();
        // SAFETY: the first of the list's blocks.
        let first = unsafe { &mut *chain };
        first.len = self.len.get();
        if self.num_chains.get() < CHAINS_PER_THREAD {
            first.below = self.chains.replace(chain);
            self.num_chains.set(self.num_chains.get() + 1);
        } else if !SHELVES[kind].put(chain, kind) {
            return false;
        }
        self.first.set(null_mut());
        self.len.set(0);
        true
    }

    /// Puts all that is kept on the shelf, or gives it to the system.
    fn empty(&self, kind: usize, on_shelf: bool) {
        let end = |chain: *mut Block| {
            if !(on_shelf && SHELVES[kind].put(chain, kind)) {
                chain_to_system(chain, kind);
            }
        };
        let first = self.first.replace(null_mut());
        if !first.is_null() {
            // SAFETY: the first of the list's blocks.
            unsafe { (*first).len = self.len.replace(0) };
            end(first);
        }
        let mut chain = self.chains.replace(null_mut());
        self.num_chains.set(0);
        while !chain.is_null() {
            // SAFETY: the first of a chain of the list's.
            let below = unsafe { (*chain).below };
            end(chain);
            chain = below;
        }
    }
}

/// What a thread keeps. It needs no destructor, so that it can be used as long as the thread runs.
struct Local {
    lists: [List; KINDS],
    stage: Cell<Stage>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Unused,
    Open,
    Ended,
}

/// Empties what a thread keeps when it ends.
struct AtEnd;

impl Drop for AtEnd {
    fn drop(&mut self) {
        LOCAL.with(|local| {
            local.stage.set(Stage::Ended);
            local.empty(true);
        });
    }
}

thread_local! {
    static LOCAL: Local = const { Local { lists: [const { List::new() }; KINDS], stage: Cell::new(Stage::Unused) } };
    static AT_END: AtEnd = const { AtEnd };
}

impl Local {
    /// Whether the thread may keep something: not when it ends.
    #[inline]
    fn open(&self) -> bool {
        self.stage.get() == Stage::Open || self.begin()
    }

    #[cold]
    fn begin(&self) -> bool {
        if self.stage.get() == Stage::Ended {
            return false;
        }
        // First: what is called may allocate.
        self.stage.set(Stage::Open);
        AT_END.try_with(|_| ()).is_ok()
    }

    #[cold]
    fn take_from_chains(&self, kind: usize) -> Option<*mut u8> {
        let list = &self.lists[kind];
        if self.open() && list.refill(kind) { list.take() } else { None }
    }

    fn empty(&self, on_shelf: bool) {
        for (kind, list) in self.lists.iter().enumerate() {
            list.empty(kind, on_shelf);
        }
    }
}

/// A block of a kind that waited.
#[inline]
pub(super) fn take(kind: usize) -> Option<*mut u8> {
    LOCAL.with(|local| local.lists[kind].take().or_else(|| local.take_from_chains(kind)))
}

/// Keeps a block of a kind for later; false if there is no room for it.
///
/// # Safety
/// The block must come from the system with the kind's layout or from [`take`], and nobody may use it any more.
#[inline]
pub(super) unsafe fn keep(block: *mut u8, kind: usize) -> bool {
    LOCAL.with(|local| local.open() && local.lists[kind].keep(block.cast(), kind))
}

/// Gives all blocks that wait to the system, but for those that other threads keep.
pub(super) fn trim() {
    LOCAL.with(|local| local.empty(false));
    for (kind, shelf) in SHELVES.iter().enumerate() {
        loop {
            let chain = shelf.take();
            if chain.is_null() {
                break;
            }
            chain_to_system(chain, kind);
        }
    }
}

/// The allocator of a program that makes arrays: small blocks come from here, others from the system.
pub struct Allocator;

#[inline]
fn kind_of(size: usize, alignment: usize) -> Option<usize> {
    (size <= HEADERS * HEADER_STEP && alignment <= HEADER_ALIGNMENT)
        .then(|| size.saturating_sub(1) / HEADER_STEP)
}

// SAFETY: a block has the size and alignment of its kind, which is a function of the layout alone, or is the system's.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, wanted: Layout) -> *mut u8 {
        match kind_of(wanted.size(), wanted.align()) {
            // SAFETY: no kind has size 0.
            Some(kind) => take(kind).unwrap_or_else(|| unsafe { System.alloc(layout(kind)) }),
            // SAFETY: the caller's promise.
            None => unsafe { System.alloc(wanted) },
        }
    }

    #[inline]
    unsafe fn dealloc(&self, data: *mut u8, given: Layout) {
        match kind_of(given.size(), given.align()) {
            // SAFETY: as `alloc` of the same layout gave it, which the caller promises.
            Some(kind) if unsafe { keep(data, kind) } => {}
            Some(kind) => to_system(data.cast(), kind),
            // SAFETY: the caller's promise.
            None => unsafe { System.dealloc(data, given) },
        }
    }

    unsafe fn alloc_zeroed(&self, wanted: Layout) -> *mut u8 {
        if kind_of(wanted.size(), wanted.align()).is_none() {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc_zeroed(wanted) };
        }
        // SAFETY: the caller's promise.
        let data = unsafe { self.alloc(wanted) };
        if !data.is_null() {
            // SAFETY: a block of that many bytes.
            unsafe { data.write_bytes(0, wanted.size()) };
        }
        data
    }

    unsafe fn realloc(&self, data: *mut u8, given: Layout, size: usize) -> *mut u8 {
        match (kind_of(given.size(), given.align()), kind_of(size, given.align())) {
            // SAFETY: both are the system's.
            (None, None) => return unsafe { System.realloc(data, given, size) },
            (Some(old), Some(new)) if old == new => return data,
            _ => {}
        }
        // SAFETY: the size is not 0 and fits a layout, which the caller promises.
        let fresh = unsafe { self.alloc(Layout::from_size_align_unchecked(size, given.align())) };
        if !fresh.is_null() {
            // SAFETY: two blocks of at least as many bytes; the old one is used no more.
            unsafe {
                fresh.copy_from_nonoverlapping(data, given.size().min(size));
                self.dealloc(data, given);
            }
        }
        fresh
    }
}
