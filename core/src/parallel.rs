//! Parallel loops inside one operation, on the engine's single pool of compute threads.
//!
//! How a loop is cut never changes what it computes: pieces write disjoint results, and sums are taken over
//! blocks whose borders depend on the shape alone. A forked child gets a pool of its own with its first loop.

use crate::fork;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// More threads than this are not made, whatever `MXR_NUM_THREADS` says.
const MOST_THREADS: usize = 1024;

struct Pool {
    generation: u32,
    threads: ThreadPool,
}

/// The pool of this process, or that of a parent, which has no threads here. Never freed.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(ptr::null_mut());

/// Number of threads that a parallel loop may use: `MXR_NUM_THREADS`, else the processors of this process, which
/// its affinity and the CPU quota of its cgroup (version 1 or 2) limit.
pub fn num_threads() -> usize {
    static N: AtomicUsize = AtomicUsize::new(0);
    match N.load(Ordering::Relaxed) {
        0 => {
            let asked = std::env::var("MXR_NUM_THREADS").ok();
            let n = threads_for(asked.as_deref());
            N.store(n, Ordering::Relaxed);
            n
        }
        n => n,
    }
}

fn threads_for(asked: Option<&str>) -> usize {
    let asked = asked.and_then(|v| v.trim().parse().ok()).filter(|n| *n > 0);
    // On Linux the standard library takes affinity and cgroup quotas into account, the parents' quotas as well.
    let have = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.unwrap_or_else(have).min(MOST_THREADS)
}

/// The pool of compute threads.
pub fn pool() -> &'static ThreadPool {
    let current = POOL.load(Ordering::Acquire);
    // SAFETY: the pointer is null or comes from `make_pool`, which leaks what it points to.
    match unsafe { current.as_ref() } {
        Some(pool) if pool.generation == fork::generation() => &pool.threads,
        _ => make_pool(current),
    }
}

#[cold]
fn make_pool(old: *mut Pool) -> &'static ThreadPool {
    let threads = start_threads();
    let new = Box::into_raw(Box::new(Pool { generation: fork::generation(), threads }));
    let current = match POOL.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => new,
        Err(faster) => {
            // SAFETY: nobody else has seen `new`.
            drop(unsafe { Box::from_raw(new) });
            faster
        }
    };
    // SAFETY: a pool that was made current is never freed.
    unsafe { &(*current).threads }
}

/// As many threads as are wanted, or as the system gives.
fn start_threads() -> ThreadPool {
    let mut n = num_threads();
    loop {
        let builder = ThreadPoolBuilder::new().num_threads(n).thread_name(|i| format!("mxr-compute-{i}"));
        match builder.build() {
            Ok(pool) => return pool,
            Err(error) if n == 1 => panic!("no compute thread can be started: {error}"),
            Err(_) => n = n.div_ceil(2),
        }
    }
}

/// Calls `f` with ranges that cover `0..n`, in parallel when there are at least two pieces of `grain`.
pub fn for_each_range(n: usize, grain: usize, f: impl Fn(Range<usize>) + Sync) {
    run(n, grain, &f);
}

/// One copy for all loops: what a loop does is called through a pointer, once for each piece.
fn run(n: usize, grain: usize, f: &(dyn Fn(Range<usize>) + Sync)) {
    let pieces = (n / grain.max(1)).min(num_threads() * 4);
    if pieces <= 1 || num_threads() == 1 {
        if n > 0 {
            f(0..n);
        }
        return;
    }
    let step = n.div_ceil(pieces);
    pool().scope(|s| {
        for start in (0..n).step_by(step) {
            s.spawn(move |_| f(start..(start + step).min(n)));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_is_the_one_asked_for_if_it_makes_sense() {
        let have = threads_for(None);
        assert!(have >= 1);
        assert_eq!(threads_for(Some(" 3 ")), 3);
        assert_eq!(threads_for(Some("0")), have);
        assert_eq!(threads_for(Some("many")), have);
        assert_eq!(threads_for(Some("99999999")), MOST_THREADS);
    }

    #[test]
    fn ranges_cover_everything_once() {
        let hits: Vec<AtomicUsize> = (0..1003).map(|_| AtomicUsize::new(0)).collect();
        for_each_range(hits.len(), 10, |range| {
            for i in range {
                hits[i].fetch_add(1, Ordering::Relaxed);
            }
        });
        assert!(hits.iter().all(|h| h.load(Ordering::Relaxed) == 1));
    }
}
