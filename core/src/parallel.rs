//! Parallel loops inside one operation, on the engine's single pool of compute threads.
//!
//! How a loop is cut never changes what it computes: pieces write disjoint results, and sums are taken over
//! blocks whose borders depend on the shape alone.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ops::Range;
use std::sync::OnceLock;

static POOL: OnceLock<ThreadPool> = OnceLock::new();

/// Number of threads that a parallel loop may use: `MXR_NUM_THREADS`, else the processors of this process.
pub fn num_threads() -> usize {
    static N: OnceLock<usize> = OnceLock::new();
    *N.get_or_init(|| {
        let asked = std::env::var("MXR_NUM_THREADS").ok().and_then(|v| v.trim().parse().ok());
        let have = std::thread::available_parallelism().map_or(1, usize::from);
        asked.filter(|n| *n > 0).unwrap_or(have)
    })
}

/// The pool of compute threads.
pub fn pool() -> &'static ThreadPool {
    POOL.get_or_init(|| {
        ThreadPoolBuilder::new()
            .num_threads(num_threads())
            .thread_name(|i| format!("mxr-compute-{i}"))
            .build()
            .expect("the compute threads can be started")
    })
}

/// Calls `f` with ranges that cover `0..n`, in parallel when there are at least two pieces of `grain`.
pub fn for_each_range(n: usize, grain: usize, f: impl Fn(Range<usize>) + Sync) {
    let pieces = (n / grain.max(1)).min(num_threads() * 4);
    if pieces <= 1 || num_threads() == 1 {
        if n > 0 {
            f(0..n);
        }
        return;
    }
    let step = n.div_ceil(pieces);
    let f = &f;
    pool().scope(|s| {
        for start in (0..n).step_by(step) {
            s.spawn(move |_| f(start..(start + step).min(n)));
        }
    });
}
