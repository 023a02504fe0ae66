//! The dependency engine: operations run when what they read is written and what they write is free.
//!
//! Whoever owns something that operations read and write embeds a [`Var`] in it and shows it as a [`Resource`].
//! An operation is run in one of two ways:
//!
//! - **Inline**: [`begin`] over its variables, the work, [`finish`]. This is for small operations
//!   ([`should_inline`]) whose variables are free, and costs two atomic operations per variable.
//! - **Pushed**: [`push`] hands a task over, which runs once its turn has come on every one of its variables.
//!
//! The contract:
//!
//! - On each variable, operations take effect in the order of their calls; what is computed does not depend on
//!   the engine, the number of workers or the timing.
//! - A failed operation leaves its error on the variables that it should have written. An operation that reads
//!   such a variable does not run and hands the same error on; one that only writes it clears the error.
//!   [`wait_read`] and [`wait_write`] report the error of one variable, [`wait_all`] all of them, each once.
//! - A panic of a task is an error of code `Internal`. Nothing aborts.
//! - A task may push, and is never made to wait for room; it may not wait for a variable that is not ready.
//! - A forked child has a fresh engine. Variables idle at the fork work there; those with unfinished work give an
//!   error of code `Device`.
//! - A thread between `begin` and `finish` must not push or wait over the same variables.
//!
//! The engine knows no array. [`shutdown`] ends its threads; later use starts them again.

mod access;
mod config;
mod ledger;
mod naive;
mod op;
mod sync;
mod threaded;
mod var;
mod waiter;

pub use access::{Begin, begin};
pub use config::{Config, EngineKind};
pub use var::Var;

use crate::error::{Error, Result};
use crate::fork;
use ledger::Ledger;
use op::{Op, in_task, vars};
use smallvec::SmallVec;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use var::{Client, Outcome};

/// Something that operations read and write.
pub trait Resource: Send + Sync + 'static {
    /// The variable that stands for it, always the same one.
    fn var(&self) -> &Var;
}

impl Resource for Var {
    fn var(&self) -> &Var {
        self
    }
}

impl<T: Resource + ?Sized> Resource for Arc<T> {
    fn var(&self) -> &Var {
        (**self).var()
    }
}

/// The work of a pushed operation.
pub type Task = Box<dyn FnOnce() -> Result<()> + Send>;

/// What the engine should know of a pushed operation.
#[derive(Clone, Copy, Debug, Default)]
pub struct PushOptions {
    /// Operations of higher priority run first among those that can run; equal ones in the order of the pushes.
    pub priority: i32,
    /// Memory that the operation needs, for the bound of the run-ahead.
    pub bytes: usize,
    /// Named as the operator of an error of the task that names none.
    pub name: &'static str,
}

/// What differs between the engines.
trait Scheduler: Send + Sync {
    fn kind(&self) -> EngineKind;
    fn should_inline(&self, cost: usize) -> bool;
    /// Runs an operation whose access is granted, now or later.
    fn ready(&self, op: Arc<Op>);
    /// Whether a push may return before its operation has ended.
    fn runs_ahead(&self) -> bool;
    /// Ends the threads after the operations that are ready; `ready` starts them again.
    fn stop(&self);
}

/// The engine of one process. Never freed: operations and threads refer to it until the end.
struct Process {
    generation: u32,
    config: Config,
    ledger: Ledger,
    scheduler: Box<dyn Scheduler>,
}

static PROCESS: AtomicPtr<Process> = AtomicPtr::new(ptr::null_mut());

fn process() -> &'static Process {
    let process = PROCESS.load(Ordering::Acquire);
    usable(process).unwrap_or_else(|| install(Config::from_env(), process))
}

/// The engine, if this process has one yet.
fn current() -> Option<&'static Process> {
    usable(PROCESS.load(Ordering::Acquire))
}

/// What `PROCESS` points to, if it was made on this side of the last fork.
fn usable(process: *mut Process) -> Option<&'static Process> {
    // SAFETY: `PROCESS` is null or comes from `install`, which leaks what it points to.
    unsafe { process.as_ref() }.filter(|p| p.generation == fork::generation())
}

/// Makes an engine current in place of `old`, unless another thread was faster.
#[cold]
fn install(config: Config, old: *mut Process) -> &'static Process {
    let scheduler: Box<dyn Scheduler> = match config.kind {
        EngineKind::Naive => Box::new(naive::Naive),
        EngineKind::Threaded => Box::new(threaded::Threaded::new(config.workers)),
    };
    let generation = fork::generation();
    let new = Box::into_raw(Box::new(Process { generation, config, ledger: Ledger::default(), scheduler }));
    match PROCESS.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: `new` was made above and is never freed once it is current.
        Ok(_) => unsafe { &*new },
        Err(faster) => {
            // SAFETY: nobody else has seen `new`; `faster` was made current, so it is never freed.
            unsafe {
                drop(Box::from_raw(new));
                &*faster
            }
        }
    }
}

/// Ends an operation that [`begin`] answered with `Ready`: gives the same variables back, with the error of a
/// failed operation on those that it should have written, and starts whoever waited for them.
#[inline]
pub fn finish(reads: &[&Var], writes: &[&Var], result: Result<()>) {
    let outcome = match result {
        Ok(()) => Outcome::Done,
        Err(error) => finish_failed(error),
    };
    access::release(reads, writes, &outcome);
}

#[cold]
fn finish_failed(error: Error) -> Outcome {
    process().ledger.record(error.clone());
    Outcome::Failed(error)
}

/// Hands an operation over, to run when its turn has come on all of its variables.
///
/// Waits while too much is under way, unless called from a task. The error is one of the push itself, whose task
/// then never runs; that of the task comes at the wait.
pub fn push(
    task: Task,
    reads: SmallVec<[Arc<dyn Resource>; 4]>,
    writes: SmallVec<[Arc<dyn Resource>; 4]>,
    opts: PushOptions,
) -> Result<()> {
    push_timeout(task, reads, writes, opts, None)
}

/// As [`push`], but gives up, with an error of code `Timeout`, when it has waited for room so long. The naive
/// engine, which needs no room, returns then while the operation still waits for other threads.
///
/// To wait in small steps without losing the task, call [`wait_room`] before a push.
pub fn push_timeout(
    task: Task,
    reads: SmallVec<[Arc<dyn Resource>; 4]>,
    writes: SmallVec<[Arc<dyn Resource>; 4]>,
    opts: PushOptions,
    timeout: Option<Duration>,
) -> Result<()> {
    let process = process();
    let ahead = process.scheduler.runs_ahead();
    let limits = (ahead && !in_task()).then(|| process.config.limits());
    let number = process.ledger.enter(opts.bytes, in_task(), limits, timeout)?;
    let PushOptions { priority, bytes, name } = opts;
    let (task, waiting) = (Mutex::new(Some(task)), AtomicUsize::new(0));
    let op = Arc::new(Op { process, task, waiting, reads, writes, name, priority, number, bytes });
    let client: Arc<dyn Client> = op.clone();
    let granted = access::enqueue(&client, &vars(&op.reads), &vars(&op.writes));
    drop(client);
    match granted {
        Ok(true) => process.scheduler.ready(op),
        Ok(false) => drop(op),
        Err(error) => {
            drop(op);
            process.ledger.leave(number, bytes);
            return Err(error);
        }
    }
    if !ahead && !in_task() {
        // The task is the engine's by now; if its turn takes too long, it comes without the caller.
        let _ = process.ledger.wait_ended(number, timeout);
    }
    Ok(())
}

/// Waits until an operation of so many bytes could be pushed without waiting.
pub fn wait_room(bytes: usize, timeout: Option<Duration>) -> Result<()> {
    let process = process();
    if !process.scheduler.runs_ahead() || in_task() {
        return Ok(());
    }
    process.ledger.wait_room(bytes, process.config.limits(), timeout)
}

/// Waits until all writes called before have ended; the error is that of the last of them, or `Timeout`.
pub fn wait_read<R: Resource + ?Sized>(resource: &R, timeout: Option<Duration>) -> Result<()> {
    resource.var().wait(false, timeout, !in_task())
}

/// Waits until all reads and writes called before have ended; the error is that of the last write, or `Timeout`.
pub fn wait_write<R: Resource + ?Sized>(resource: &R, timeout: Option<Duration>) -> Result<()> {
    resource.var().wait(true, timeout, !in_task())
}

/// Waits until all operations pushed before, and those that their tasks push, have ended, and reports the errors of all operations, pushed and
/// inline, since the last report, each once.
///
/// After a timeout the only error is `Timeout`, and the others are kept for the next call.
pub fn wait_all(timeout: Option<Duration>) -> Result<(), Vec<Error>> {
    if in_task() {
        return Err(vec![Error::internal("a task may not wait for all others")]);
    }
    let Some(process) = current() else { return Ok(()) };
    process.ledger.wait_all(timeout).map_err(|e| vec![e])?;
    let errors = process.ledger.take_errors();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Which engine runs operations.
pub fn kind() -> EngineKind {
    process().scheduler.kind()
}

/// Whether an operation that touches so many elements should run on the calling thread if it can.
pub fn should_inline(cost: usize) -> bool {
    process().scheduler.should_inline(cost)
}

/// Number of pushed operations that have not ended.
pub fn pending() -> usize {
    current().map_or(0, |p| p.ledger.live())
}

/// Lets all operations end and replaces the engine by one with these settings, for start-up and tests.
///
/// Operations that other threads push meanwhile run on one engine or the other; both keep their order.
pub fn configure(config: Config) -> Result<()> {
    let old = PROCESS.load(Ordering::Acquire);
    let before = usable(old);
    shutdown(None)?;
    let now = install(config, old);
    for error in before.map(|p| p.ledger.take_errors()).unwrap_or_default() {
        now.ledger.record(error);
    }
    Ok(())
}

/// Lets all operations end and stops the engine's threads; later use starts them again.
///
/// The error is `Timeout`, when nothing is stopped, or that of a call from inside a task.
pub fn shutdown(timeout: Option<Duration>) -> Result<()> {
    if in_task() {
        return Err(Error::internal("a task may not shut the engine down"));
    }
    if let Some(process) = current() {
        process.ledger.wait_all(timeout)?;
        process.scheduler.stop();
    }
    Ok(())
}
