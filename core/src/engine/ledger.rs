//! The account of what was pushed: how much is under way, what has ended, which errors nobody has seen.
//!
//! Belongs to one process: a forked child has a fresh one.

use super::sync::{lock, sleep};
use super::waiter::timeout_error;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Errors kept for `wait_all`; of more than that only the number is kept.
const KEPT_ERRORS: usize = 1000;

/// How far pushes may run ahead of what has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub ops: usize,
    pub bytes: usize,
}

#[derive(Default)]
pub(super) struct Ledger {
    state: Mutex<State>,
    change: Condvar,
}

#[derive(Default)]
struct State {
    /// Number of the oldest operation that has not ended.
    base: u64,
    /// Whether operations have ended, from `base` on.
    ended: VecDeque<bool>,
    /// The number after the last operation that a task pushed.
    after_tasks: u64,
    live: usize,
    bytes: usize,
    sleepers: usize,
    errors: Vec<Error>,
    more_errors: usize,
}

impl State {
    fn has_room(&self, limits: Limits, bytes: usize) -> bool {
        self.live < limits.ops && (self.bytes == 0 || self.bytes.saturating_add(bytes) <= limits.bytes)
    }

    fn next(&self) -> u64 {
        self.base + self.ended.len() as u64
    }

    fn has_ended(&self, number: u64) -> bool {
        number < self.base || self.ended.get((number - self.base) as usize).is_some_and(|e| *e)
    }
}

impl Ledger {
    /// Enters an operation and returns its number; with limits, waits for room first. What a task pushes belongs
    /// to the task for `wait_all`.
    pub(super) fn enter(
        &self,
        bytes: usize,
        from_task: bool,
        limits: Option<Limits>,
        timeout: Option<Duration>,
    ) -> Result<u64> {
        let mut state = lock(&self.state);
        if let Some(limits) = limits {
            state = self.sleep_until(state, timeout, |s| s.has_room(limits, bytes))?;
        }
        let number = state.next();
        state.ended.push_back(false);
        state.live += 1;
        state.bytes += bytes;
        if from_task {
            state.after_tasks = state.next();
        }
        Ok(number)
    }

    /// Waits until an operation of so many bytes would find room.
    pub(super) fn wait_room(&self, bytes: usize, limits: Limits, timeout: Option<Duration>) -> Result<()> {
        self.sleep_until(lock(&self.state), timeout, |s| s.has_room(limits, bytes)).map(drop)
    }

    /// An operation has ended and holds nothing any more.
    pub(super) fn leave(&self, number: u64, bytes: usize) {
        let mut state = lock(&self.state);
        let index = (number - state.base) as usize;
        state.ended[index] = true;
        while state.ended.front() == Some(&true) {
            state.ended.pop_front();
            state.base += 1;
        }
        state.live -= 1;
        state.bytes -= bytes;
        if state.sleepers > 0 {
            self.change.notify_all();
        }
    }

    /// Waits until the operation has ended.
    pub(super) fn wait_ended(&self, number: u64, timeout: Option<Duration>) -> Result<()> {
        self.sleep_until(lock(&self.state), timeout, |s| s.has_ended(number)).map(drop)
    }

    /// Waits until all operations entered before the call, and those that their tasks push, have ended.
    pub(super) fn wait_all(&self, timeout: Option<Duration>) -> Result<()> {
        let state = lock(&self.state);
        let next = state.next();
        self.sleep_until(state, timeout, |s| s.base >= next.max(s.after_tasks)).map(drop)
    }

    fn sleep_until<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        timeout: Option<Duration>,
        reached: impl Fn(&State) -> bool,
    ) -> Result<MutexGuard<'a, State>> {
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        let mut in_time = true;
        while !reached(&state) {
            if !in_time {
                return Err(timeout_error("the engine was not done", timeout));
            }
            state.sleepers += 1;
            (state, in_time) = sleep(&self.change, state, deadline);
            state.sleepers -= 1;
        }
        Ok(state)
    }

    /// Number of operations that have not ended.
    pub(super) fn live(&self) -> usize {
        lock(&self.state).live
    }

    /// Keeps an error for [`take_errors`](Self::take_errors).
    pub(super) fn record(&self, error: Error) {
        let mut state = lock(&self.state);
        if state.errors.len() < KEPT_ERRORS {
            state.errors.push(error);
        } else {
            state.more_errors += 1;
        }
    }

    /// The errors since the last call, in the order in which they happened.
    pub(super) fn take_errors(&self) -> Vec<Error> {
        let mut state = lock(&self.state);
        let mut errors = std::mem::take(&mut state.errors);
        match std::mem::take(&mut state.more_errors) {
            0 => {}
            n => errors.push(Error::internal(format!("{n} more operations failed"))),
        }
        errors
    }
}
