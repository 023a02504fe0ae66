//! One pushed operation: its task, what it holds, and how it is run.

use super::access::{first_error, release_enqueued};
use super::var::{Client, Outcome, Var};
use super::{Process, Resource, Task};
use crate::error::{Error, Result};
use smallvec::SmallVec;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The variables that an operation reads or writes, kept alive by it.
pub(super) type Resources = SmallVec<[Arc<dyn Resource>; 4]>;

pub(super) struct Op {
    pub(super) process: &'static Process,
    pub(super) task: Mutex<Option<Task>>,
    pub(super) waiting: AtomicUsize,
    pub(super) reads: Resources,
    pub(super) writes: Resources,
    pub(super) name: &'static str,
    pub(super) priority: i32,
    pub(super) number: u64,
    pub(super) bytes: usize,
}

thread_local! {
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
    /// What `run_here` will run next on this thread, and whether it is running something.
    static NEXT: RefCell<VecDeque<Arc<Op>>> = const { RefCell::new(VecDeque::new()) };
    static DRAINING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is running a task.
pub(super) fn in_task() -> bool {
    IN_TASK.get()
}

/// Marks the thread as running a task, for as long as it exists.
struct Running(bool);

impl Running {
    fn new() -> Running {
        Running(IN_TASK.replace(true))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        IN_TASK.set(self.0);
    }
}

/// The variables behind the resources.
pub(super) fn vars(resources: &Resources) -> SmallVec<[&Var; 4]> {
    resources.iter().map(|r| r.var()).collect()
}

impl Client for Op {
    fn expect(&self, grants: usize) {
        self.waiting.store(grants, Ordering::Release);
    }

    fn granted(&self) -> bool {
        self.waiting.fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn start(self: Arc<Self>) {
        self.process.scheduler.ready(self);
    }
}

impl Op {
    /// Runs the task, gives its variables back and forgets the operation. All access is granted.
    ///
    /// What the task captured is dropped before its variables are given back, the operation's own resources after.
    pub(super) fn run(self: Arc<Self>) {
        let _running = Running::new();
        let (process, number, bytes) = (self.process, self.number, self.bytes);
        {
            let (reads, writes) = (vars(&self.reads), vars(&self.writes));
            let outcome = self.outcome(&reads, &writes);
            release_enqueued(&reads, &writes, &outcome);
        }
        let _ = catch(|| drop(self));
        process.ledger.leave(number, bytes);
    }

    /// Runs the operation on the calling thread, after what that thread is running now.
    pub(super) fn run_here(self: Arc<Self>) {
        NEXT.with_borrow_mut(|next| next.push_back(self));
        if DRAINING.replace(true) {
            return;
        }
        while let Some(op) = NEXT.with_borrow_mut(VecDeque::pop_front) {
            op.run();
        }
        DRAINING.set(false);
    }

    fn outcome(&self, reads: &[&Var], writes: &[&Var]) -> Outcome {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(error) = first_error(reads, writes) {
            let _ = catch(|| drop(task));
            return Outcome::Failed(error);
        }
        match catch(|| task.map_or(Ok(()), |task| task())) {
            Ok(Ok(())) => Outcome::Done,
            Ok(Err(error)) | Err(error) => {
                let error = if self.name.is_empty() { error } else { error.in_operator(self.name) };
                self.process.ledger.record(error.clone());
                Outcome::Failed(error)
            }
        }
    }
}

/// Calls `f` and makes an error of a panic.
fn catch<T>(f: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let error = Error::internal(format!("panic: {}", panic_message(payload.as_ref())));
        // A payload may panic when it is dropped; then it is left behind.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(std::mem::forget);
        error
    })
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
