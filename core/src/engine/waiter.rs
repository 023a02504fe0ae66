//! A thread in the queue of a variable: it wants to know when its turn comes, and holds nothing then.

use super::sync::{Condvar, Mutex, lock, sleep};
use crate::error::{Error, Result};
use std::time::{Duration, Instant};

/// A thread that sleeps until its turn in the queue.
#[derive(Default)]
pub(super) struct Waiter {
    result: Mutex<Option<Result<()>>>,
    wake: Condvar,
}

impl Waiter {
    /// The turn has come, with the error of the last write.
    pub(super) fn signal(&self, error: Option<Error>) {
        *lock(&self.result) = Some(error.map_or(Ok(()), Err));
        self.wake.notify_all();
    }

    /// None while the turn has not come.
    pub(super) fn result(&self) -> Option<Result<()>> {
        lock(&self.result).clone()
    }

    /// None if the deadline came first.
    pub(super) fn sleep(&self, deadline: Option<Instant>) -> Option<Result<()>> {
        let mut result = lock(&self.result);
        let mut in_time = true;
        while result.is_none() && in_time {
            (result, in_time) = sleep(&self.wake, result, deadline);
        }
        result.clone()
    }
}

/// The error of a wait that took too long.
pub(super) fn timeout_error(what: &str, timeout: Option<Duration>) -> Error {
    crate::err!(Timeout, "{what} within {:?}", timeout.unwrap_or_default())
}
