//! The allocator of small blocks: whoever takes one has it alone, on whatever thread it was given back.

use mxr_core::storage::{Allocator, pool};
use std::alloc::{GlobalAlloc, Layout};
use std::collections::HashSet;
use std::sync::mpsc;
use std::thread;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

const SIZES: [usize; 6] = [1, 32, 33, 200, 512, 513];

/// Memory filled with a number, which tells whether somebody else wrote there.
struct Filled {
    data: *mut u8,
    layout: Layout,
    with: u8,
}

// SAFETY: memory that its owner has alone.
unsafe impl Send for Filled {}

impl Filled {
    fn new(i: usize) -> Filled {
        let layout = Layout::from_size_align(SIZES[i % SIZES.len()], 1 << (i % 5)).unwrap();
        let with = (i % 251) as u8;
        // SAFETY: the size is not zero, and so many bytes are written.
        let data = unsafe {
            let data = ALLOCATOR.alloc(layout);
            data.write_bytes(with, layout.size());
            data
        };
        assert_eq!(data.addr() % layout.align(), 0);
        Filled { data, layout, with }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: memory of that size, which was written.
        unsafe { std::slice::from_raw_parts(self.data, self.layout.size()) }
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        assert!(self.bytes().iter().all(|b| *b == self.with), "somebody else wrote here");
        // SAFETY: from the same allocator with this layout.
        unsafe { ALLOCATOR.dealloc(self.data, self.layout) };
    }
}

#[test]
fn threads_that_free_for_others_give_nobody_memory_that_is_in_use() {
    let (to_freer, freed) = mpsc::sync_channel::<Vec<Filled>>(4);
    let makers = (0..4).map(|maker| {
        let to_freer = to_freer.clone();
        thread::spawn(move || {
            for round in 0..50 {
                let mut made: Vec<_> = (0..997).map(|i| Filled::new(i + maker + round)).collect();
                let own = made.split_off(500);
                to_freer.send(made).unwrap();
                drop(own);
            }
        })
    });
    let makers: Vec<_> = makers.collect();
    drop(to_freer);
    // What it gives back has to reach the makers through the shelf; threads end with full lists.
    let freer = thread::spawn(move || freed.into_iter().for_each(drop));
    makers.into_iter().for_each(|maker| maker.join().unwrap());
    freer.join().unwrap();
}

#[test]
fn what_another_thread_freed_is_used_again() {
    const N: usize = 4096;
    let layout = Layout::from_size_align(480, 8).unwrap();
    // SAFETY: the size is not zero.
    let take = || -> Vec<usize> { (0..N).map(|_| unsafe { ALLOCATOR.alloc(layout) }.addr()).collect() };
    let give = move |blocks: &[usize]| {
        for block in blocks {
            // SAFETY: from the same allocator with this layout, once.
            unsafe { ALLOCATOR.dealloc(std::ptr::with_exposed_provenance_mut(*block), layout) };
        }
    };
    let first = take();
    let others = first.clone();
    thread::spawn(move || give(&others)).join().unwrap();
    let second = take();
    let known: HashSet<_> = first.into_iter().collect();
    let again = second.iter().filter(|block| known.contains(block)).count();
    assert!(again > N / 2, "{again} of {N}");
    give(&second);
}

#[test]
fn memory_keeps_its_content_when_it_grows_and_shrinks_between_kinds() {
    let mut layout = Layout::from_size_align(1, 8).unwrap();
    // SAFETY: sizes that are not zero, and reads of what was written.
    unsafe {
        let mut data = ALLOCATOR.alloc_zeroed(layout);
        assert_eq!(*data, 0);
        *data = 7;
        for size in [30, 40, 400, 512, 513, 5000, 512, 16, 1] {
            data = ALLOCATOR.realloc(data, layout, size);
            layout = Layout::from_size_align(size, 8).unwrap();
            assert_eq!(*data, 7, "{size}");
            data.add(1).write_bytes(9, size - 1);
        }
        ALLOCATOR.dealloc(data, layout);
    }
}

#[test]
fn zeroed_memory_is_zero_though_it_was_used_before() {
    let layout = Layout::from_size_align(96, 8).unwrap();
    // SAFETY: the size is not zero, and reads of what was written.
    unsafe {
        let used = ALLOCATOR.alloc(layout);
        used.write_bytes(0xff, layout.size());
        ALLOCATOR.dealloc(used, layout);
        let zero = ALLOCATOR.alloc_zeroed(layout);
        assert!(std::slice::from_raw_parts(zero, layout.size()).iter().all(|b| *b == 0));
        ALLOCATOR.dealloc(zero, layout);
    }
}

#[test]
fn trimming_keeps_what_is_in_use() {
    let kept: Vec<_> = (0..2000).map(Filled::new).collect();
    drop((0..2000).map(Filled::new).collect::<Vec<_>>());
    pool::trim();
    drop(kept);
}
