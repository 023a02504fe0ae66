//! A variable: the word that says who holds it, and the queue of those who wait for it.
//!
//! Reads share a variable, a write has it alone, and both are granted in the order in which they were asked for.
//! An access that is free at once is one compare-and-swap of the word, taken and given back without a lock. Once
//! somebody has to wait, the word is marked [`QUEUED`] and all goes through the lock, until the queue is empty.
//! Whoever holds the lock marks the word [`SLOW`], on which every compare-and-swap of others fails; so the holder
//! decides over word and queue together, and publishes the new word before it unlocks.
//!
//! A word that is not idle carries the generation of the process that made it so. In a forked child, readers of
//! the parent are forgotten, since they leave the content whole; a variable with a writer or a queue is **lost**
//! there: it belongs to work that will never finish, and every access is an error of code `Device`.

use super::sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock};
use super::waiter::{Waiter, timeout_error};
use crate::error::{Error, Result};
use crate::fork::{self, Gate};
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A holder of the lock decides; nobody else may change the word.
const SLOW: u64 = 1;
/// One writer holds the variable.
const WRITER: u64 = 2;
/// The queue is not empty.
const QUEUED: u64 = 4;
/// The last write failed, and its error is stored.
const FAILED: u64 = 8;
/// One reader; the readers are counted from this bit up to the generation.
const READER: u64 = 1 << 8;
const READERS: u64 = 0xff_ffff << 8;

const fn tag(generation: u32) -> u64 {
    (generation as u64) << 32
}

const fn stale(word: u64, generation: u32) -> bool {
    word & !FAILED != 0 && (word >> 32) as u32 != generation
}

/// Who asks for access over several variables and starts once all of it is granted.
pub(super) trait Client: Send + Sync {
    /// Says how many grants are still to come, before the first of them can.
    fn expect(&self, grants: usize);
    /// One more access was granted; true if it was the last.
    fn granted(&self) -> bool;
    /// All access is granted. Called without any lock.
    fn start(self: Arc<Self>);
}

/// Clients whose last access was granted, to be started when no lock is held.
pub(super) type Started = SmallVec<[Arc<dyn Client>; 4]>;

/// What an access leaves behind on the variables that it wrote.
#[derive(Clone)]
pub(super) enum Outcome {
    /// The new content is there; an earlier error is gone.
    Done,
    /// There is no content, for this reason.
    Failed(Error),
    /// Nothing was done; content and error are as before.
    Undone,
}

/// The answer to an access that does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// Granted.
    Got,
    /// Granted, and the variable carries an error.
    GotFailed,
    /// Somebody else has it or waits for it.
    Busy,
    /// Its work was cut off by a fork.
    Lost,
}

/// The engine's view of something that is read and written: a queue, a version of content, perhaps an error.
pub struct Var {
    word: AtomicU64,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    entries: VecDeque<Entry>,
    error: Option<Error>,
}

struct Entry {
    write: bool,
    who: Who,
}

enum Who {
    Client(Arc<dyn Client>),
    Waiter(Arc<Waiter>),
}

impl Var {
    /// An idle variable without error.
    pub fn new() -> Var {
        Var { word: AtomicU64::new(0), queue: Mutex::new(Queue::default()) }
    }

    /// Whether nothing holds the variable and nothing waits for it.
    pub fn is_idle(&self) -> bool {
        let mut word = self.word.load(Ordering::Acquire);
        if word & SLOW != 0 {
            word = self.lock(&Gate::enter()).word();
        }
        word & (WRITER | QUEUED) == 0 && (word & READERS == 0 || stale(word, fork::generation()))
    }

    /// The error of the last write, if it failed. Says nothing about writes that have not ended.
    pub fn error(&self) -> Option<Error> {
        let word = self.word.load(Ordering::Acquire);
        if word & (SLOW | FAILED) == 0 && !stale(word, fork::generation()) {
            return None;
        }
        let gate = Gate::enter();
        let locked = self.lock(&gate);
        if locked.lost { Some(lost_error()) } else { locked.queue.error.clone() }
    }

    /// Whether the work on the variable was cut off by a fork.
    pub(super) fn is_lost(&self) -> bool {
        let word = self.word.load(Ordering::Acquire);
        stale(word, fork::generation()) && self.lock(&Gate::enter()).lost
    }

    /// Takes the variable if that is possible at once.
    #[inline]
    pub(super) fn try_take(&self, write: bool, generation: u32) -> Take {
        let held = tag(generation) | if write { WRITER } else { READER };
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let next = if word & !FAILED == 0 {
                held | word
            } else {
                match share(word, write, generation) {
                    Ok(next) => next,
                    Err(refusal) => return refusal,
                }
            };
            match self.word.compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if word & FAILED != 0 => return Take::GotFailed,
                Ok(_) => return Take::Got,
                Err(now) => word = now,
            }
        }
    }

    /// Gives the variable back and collects those who may start now.
    #[inline]
    pub(super) fn release(&self, write: bool, outcome: &Outcome, generation: u32, started: &mut Started) {
        let mut word = self.word.load(Ordering::Relaxed);
        while let Some(next) = left(word, write, outcome, generation) {
            match self.word.compare_exchange_weak(word, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        self.release_slow(write, outcome, started);
    }

    #[cold]
    fn release_slow(&self, write: bool, outcome: &Outcome, started: &mut Started) {
        let gate = Gate::enter();
        self.lock(&gate).release(write, outcome, started);
    }

    /// Locks word and queue. The gate shows that no fork can come between.
    pub(super) fn lock<'a>(&'a self, _gate: &'a Gate) -> Locked<'a> {
        let queue = lock(&self.queue);
        let word = self.word.fetch_or(SLOW, Ordering::AcqRel) & !SLOW;
        let generation = fork::generation();
        let stale = stale(word, generation);
        let lost = stale && word & (WRITER | QUEUED) != 0;
        let readers = if stale { 0 } else { (word & READERS) / READER };
        Locked { var: self, queue, before: word, generation, lost, writer: word & WRITER != 0, readers }
    }

    /// Waits until all writes asked for before, and for a write also all reads, have ended.
    ///
    /// The error is that of the last of these writes. `may_block` false makes it an error to have to wait.
    pub(super) fn wait(&self, write: bool, timeout: Option<Duration>, may_block: bool) -> Result<()> {
        let word = self.word.load(Ordering::Acquire);
        if word & !FAILED == 0 || (!write && word & (SLOW | WRITER | QUEUED) == 0) {
            return self.error().map_or(Ok(()), Err);
        }
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        let waiter = match self.queue_waiter(write, may_block)? {
            None => return Ok(()),
            Some(waiter) => waiter,
        };
        if let Some(result) = waiter.sleep(deadline) {
            return result;
        }
        self.forget_waiter(&waiter);
        waiter.result().unwrap_or_else(|| Err(timeout_error("the array was not ready", timeout)))
    }

    /// None if there is nothing to wait for.
    fn queue_waiter(&self, write: bool, may_block: bool) -> Result<Option<Arc<Waiter>>> {
        let gate = Gate::enter();
        let mut locked = self.lock(&gate);
        if locked.lost {
            return Err(lost_error());
        }
        if locked.free(write) {
            return locked.queue.error.clone().map_or(Ok(None), Err);
        }
        if !may_block {
            return Err(Error::internal(
                "a task may not wait for a variable; name it as a dependency instead",
            ));
        }
        let waiter = Arc::new(Waiter::default());
        locked.queue.entries.push_back(Entry { write, who: Who::Waiter(waiter.clone()) });
        Ok(Some(waiter))
    }

    fn forget_waiter(&self, waiter: &Arc<Waiter>) {
        let mut started = Started::new();
        {
            let gate = Gate::enter();
            let mut locked = self.lock(&gate);
            locked.queue.entries.retain(|e| !matches!(&e.who, Who::Waiter(w) if Arc::ptr_eq(w, waiter)));
            locked.advance(&mut started);
        }
        start(started);
    }
}

impl Default for Var {
    fn default() -> Self {
        Var::new()
    }
}

impl fmt::Debug for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Var").field("idle", &self.is_idle()).field("error", &self.error()).finish()
    }
}

/// Starts what was collected; the caller holds no lock.
pub(super) fn start(started: Started) {
    for client in started {
        client.start();
    }
}

/// The error of every access to a variable whose work was cut off by a fork.
pub(super) fn lost_error() -> Error {
    crate::err!(
        Device,
        "work on this array was unfinished when the process was forked; wait for it before forking"
    )
}

/// The word after one more access to a word that is not idle.
fn share(word: u64, write: bool, generation: u32) -> Result<u64, Take> {
    if word & SLOW != 0 {
        return Err(Take::Busy);
    }
    let stale = stale(word, generation);
    if word & (WRITER | QUEUED) != 0 {
        return Err(if stale { Take::Lost } else { Take::Busy });
    }
    match (stale, write) {
        (true, true) => Ok(tag(generation) | WRITER | (word & FAILED)),
        (true, false) => Ok(tag(generation) | READER | (word & FAILED)),
        (false, true) => Err(Take::Busy),
        (false, false) => Ok(word + READER),
    }
}

/// The word after the end of an access; None if the lock is needed to say.
#[inline]
fn left(word: u64, write: bool, outcome: &Outcome, generation: u32) -> Option<u64> {
    let own = tag(generation);
    if write {
        return match outcome {
            Outcome::Done if word == own | WRITER => Some(0),
            Outcome::Undone if word & !FAILED == own | WRITER => Some(word & FAILED),
            _ => None,
        };
    }
    match word.wrapping_sub(own) & !FAILED {
        READER => Some(word & FAILED),
        n if n > READER && n & !READERS == 0 => Some(word - READER),
        _ => None,
    }
}

/// A variable whose word and queue are in the hands of one thread.
pub(super) struct Locked<'a> {
    var: &'a Var,
    queue: MutexGuard<'a, Queue>,
    before: u64,
    generation: u32,
    writer: bool,
    readers: u64,
    /// The work on the variable was cut off by a fork; it does not change any more.
    pub(super) lost: bool,
}

impl Locked<'_> {
    /// Asks for access; true if it is granted at once, else the client is told later.
    pub(super) fn request(&mut self, write: bool, client: &Arc<dyn Client>) -> bool {
        let free = self.free(write);
        if free {
            self.grant(write);
        } else {
            self.queue.entries.push_back(Entry { write, who: Who::Client(client.clone()) });
        }
        free
    }

    fn free(&self, write: bool) -> bool {
        !self.writer && self.queue.entries.is_empty() && (!write || self.readers == 0)
    }

    fn grant(&mut self, write: bool) {
        if write {
            self.writer = true;
        } else {
            self.readers += 1;
        }
    }

    /// Ends an access. One that is not held any more, because of a fork, is ignored.
    fn release(&mut self, write: bool, outcome: &Outcome, started: &mut Started) {
        if self.lost {
            return;
        }
        if !write {
            self.readers = self.readers.saturating_sub(1);
        } else if self.writer {
            self.writer = false;
            match outcome {
                Outcome::Done => self.queue.error = None,
                Outcome::Failed(error) => self.queue.error = Some(error.clone()),
                Outcome::Undone => {}
            }
        }
        self.advance(started);
    }

    /// Grants from the head of the queue what can be granted.
    fn advance(&mut self, started: &mut Started) {
        while let Some(entry) = self.queue.entries.front() {
            let write = entry.write;
            if self.lost || self.writer || (write && self.readers > 0) {
                return;
            }
            match self.queue.entries.pop_front().map(|e| e.who) {
                Some(Who::Client(client)) => {
                    self.grant(write);
                    if client.granted() {
                        started.push(client);
                    }
                }
                Some(Who::Waiter(waiter)) => waiter.signal(self.queue.error.clone()),
                None => return,
            }
        }
    }

    fn word(&self) -> u64 {
        if self.lost {
            return self.before;
        }
        let mut word = self.readers * READER;
        word |= if self.writer { WRITER } else { 0 };
        word |= if self.queue.entries.is_empty() { 0 } else { QUEUED };
        word |= if word != 0 { tag(self.generation) } else { 0 };
        word | if self.queue.error.is_some() { FAILED } else { 0 }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.var.word.store(self.word(), Ordering::Release);
    }
}
