//! The threaded engine: a few workers take operations whose access is granted from one priority queue.
//!
//! Workers start with the first operation that needs them, again after a stop. If the system gives no thread at
//! all, operations run where they become ready.

use super::op::Op;
use super::sync::lock;
use super::{EngineKind, Scheduler};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// Operations below this cost run where they are called, if they can run at once: about what handing over to a
/// worker costs, in elements touched.
const INLINE_BELOW: usize = 32 * 1024;

pub(super) struct Threaded(Arc<Shared>);

struct Shared {
    workers: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    ready: BinaryHeap<Ready>,
    threads: Vec<JoinHandle<()>>,
    alive: usize,
    idle: usize,
    stopping: bool,
}

/// An operation in the queue: higher priority first, then the order of the pushes.
struct Ready {
    key: (i32, Reverse<u64>),
    op: Arc<Op>,
}

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl Eq for Ready {}
impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ready {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl Threaded {
    pub(super) fn new(workers: usize) -> Threaded {
        let shared = Shared { workers: workers.max(1), state: Mutex::default(), work: Condvar::new() };
        Threaded(Arc::new(shared))
    }
}

impl Scheduler for Threaded {
    fn kind(&self) -> EngineKind {
        EngineKind::Threaded
    }

    fn should_inline(&self, cost: usize) -> bool {
        cost < INLINE_BELOW
    }

    fn ready(&self, op: Arc<Op>) {
        let mut state = lock(&self.0.state);
        state.ready.push(Ready { key: (op.priority, Reverse(op.number)), op });
        if state.alive == 0 {
            start_workers(&self.0, &mut state);
        }
        if state.alive == 0 {
            let alone = state.ready.pop();
            drop(state);
            if let Some(ready) = alone {
                ready.op.run_here();
            }
        } else if state.idle > 0 {
            drop(state);
            self.0.work.notify_one();
        }
    }

    fn runs_ahead(&self) -> bool {
        true
    }

    fn stop(&self) {
        let mut state = lock(&self.0.state);
        state.stopping = true;
        self.0.work.notify_all();
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        for thread in threads {
            // A worker does not panic: it runs tasks under catch_unwind.
            let _ = thread.join();
        }
    }
}

fn start_workers(shared: &Arc<Shared>, state: &mut State) {
    state.stopping = false;
    for i in 0..shared.workers {
        let own = shared.clone();
        let named = std::thread::Builder::new().name(format!("mxr-engine-{i}"));
        let Ok(thread) = named.spawn(move || work(&own)) else { return };
        state.threads.push(thread);
        state.alive += 1;
    }
}

fn work(shared: &Shared) {
    let mut state = lock(&shared.state);
    loop {
        if let Some(ready) = state.ready.pop() {
            drop(state);
            ready.op.run();
            state = lock(&shared.state);
        } else if state.stopping {
            state.alive -= 1;
            return;
        } else {
            state.idle += 1;
            state = super::sync::sleep(&shared.work, state, None).0;
            state.idle -= 1;
        }
    }
}
