//! Access over several variables at once: taken inline, or asked for in the queues.
//!
//! [`begin`] takes what is free one by one and gives all back if one is not; it never waits while it holds
//! something. [`enqueue`] locks all variables in the order of their addresses before it asks the first, so that
//! of any two clients one is before the other in every queue that they share: no cycle of waits can arise.

use super::var::{Client, Locked, Outcome, Started, Take, Var, lost_error, start};
use crate::error::{Error, Result};
use crate::fork::{self, Gate};
use smallvec::SmallVec;
use std::sync::Arc;

/// The answer of [`begin`].
#[derive(Debug)]
pub enum Begin {
    /// The calling thread holds the access and must call [`finish`](super::finish) with the same lists.
    Ready,
    /// A variable that would be read carries this error. The variables that would be written carry it now as well;
    /// nothing is held.
    Failed(Error),
    /// Others hold or wait for one of the variables; nothing is held. [`push`](super::push) waits for its turn.
    Busy,
}

/// Lists longer than this are sorted to find duplicates; shorter ones are searched.
const SEARCHED: usize = 16;

type Accesses<'a> = SmallVec<[(&'a Var, bool); 8]>;

#[inline]
fn contains(vars: &[&Var], var: &Var) -> bool {
    vars.iter().any(|v| std::ptr::eq(*v, var))
}

/// Each variable once, in the order of the addresses, with whether it is written.
fn distinct<'a>(reads: &[&'a Var], writes: &[&'a Var]) -> Accesses<'a> {
    let all = writes.iter().map(|v| (*v, true)).chain(reads.iter().map(|v| (*v, false)));
    let mut all: Accesses<'a> = all.collect();
    all.sort_by_key(|(var, write)| (std::ptr::from_ref(*var), !write));
    all.dedup_by(|later, earlier| std::ptr::eq(later.0, earlier.0));
    all
}

/// Takes read and write access if all variables are free, without waiting, allocating or any global lock.
///
/// A variable in both lists counts as one write that reads the old content; duplicates are allowed. Between
/// `Ready` and `finish` the thread must neither push nor wait over these variables.
#[inline]
pub fn begin(reads: &[&Var], writes: &[&Var]) -> Begin {
    if reads.len() + writes.len() > SEARCHED {
        return begin_many(reads, writes);
    }
    let generation = fork::generation();
    let mut plain = true;
    for (i, var) in writes.iter().enumerate() {
        match var.try_take(true, generation) {
            Take::Got => {}
            Take::GotFailed | Take::Lost => plain = false,
            Take::Busy if contains(&writes[..i], var) => {}
            Take::Busy => return give_up(&[], &writes[..i]),
        }
    }
    for (i, var) in reads.iter().enumerate() {
        match var.try_take(false, generation) {
            Take::Got => {}
            Take::GotFailed | Take::Lost => plain = false,
            Take::Busy if contains(writes, var) => {}
            Take::Busy => return give_up(&reads[..i], writes),
        }
    }
    if plain { Begin::Ready } else { begin_failed(reads, writes) }
}

#[cold]
fn begin_many(reads: &[&Var], writes: &[&Var]) -> Begin {
    let all = distinct(reads, writes);
    let generation = fork::generation();
    let mut plain = true;
    for (i, (var, write)) in all.iter().enumerate() {
        match var.try_take(*write, generation) {
            Take::Got => {}
            Take::GotFailed | Take::Lost => plain = false,
            Take::Busy => {
                release_distinct(&all[..i], &Outcome::Undone);
                return Begin::Busy;
            }
        }
    }
    if plain { Begin::Ready } else { begin_failed(reads, writes) }
}

#[cold]
fn give_up(reads: &[&Var], writes: &[&Var]) -> Begin {
    release_searched(reads, writes, &Outcome::Undone);
    Begin::Busy
}

/// All access is held, and some variable carries an error or is lost.
#[cold]
fn begin_failed(reads: &[&Var], writes: &[&Var]) -> Begin {
    match first_error(reads, writes) {
        None => Begin::Ready,
        Some(error) => {
            release(reads, writes, &Outcome::Failed(error.clone()));
            Begin::Failed(error)
        }
    }
}

/// The error that keeps an operation from running, if there is one; the caller holds the access.
pub(super) fn first_error(reads: &[&Var], writes: &[&Var]) -> Option<Error> {
    let lost = || writes.iter().find_map(|v| v.is_lost().then(lost_error));
    reads.iter().find_map(|v| v.error()).or_else(lost)
}

/// Ends an access that [`begin`] gave and starts whoever may start now.
#[inline]
pub(super) fn release(reads: &[&Var], writes: &[&Var], outcome: &Outcome) {
    if reads.len() + writes.len() > SEARCHED {
        release_distinct(&distinct(reads, writes), outcome);
    } else {
        release_searched(reads, writes, outcome);
    }
}

#[inline]
fn release_searched(reads: &[&Var], writes: &[&Var], outcome: &Outcome) {
    let generation = fork::generation();
    let mut started = Started::new();
    for var in reads {
        if !contains(writes, var) {
            var.release(false, outcome, generation, &mut started);
        }
    }
    for (i, var) in writes.iter().enumerate() {
        if !contains(&writes[..i], var) {
            var.release(true, outcome, generation, &mut started);
        }
    }
    if !started.is_empty() {
        start(started);
    }
}

#[cold]
fn release_distinct(all: &[(&Var, bool)], outcome: &Outcome) {
    let generation = fork::generation();
    let mut started = Started::new();
    for (var, write) in all {
        var.release(*write, outcome, generation, &mut started);
    }
    start(started);
}

/// Ends an access that [`enqueue`] gave.
pub(super) fn release_enqueued(reads: &[&Var], writes: &[&Var], outcome: &Outcome) {
    release_distinct(&distinct(reads, writes), outcome);
}

/// Asks for access in the queues of all variables at one moment; true if all of it was granted at once.
///
/// Fails, and has asked nowhere, if a variable is lost.
pub(super) fn enqueue(client: &Arc<dyn Client>, reads: &[&Var], writes: &[&Var]) -> Result<bool> {
    let all = distinct(reads, writes);
    let gate = Gate::enter();
    let mut locked: SmallVec<[Locked<'_>; 8]> = all.iter().map(|(var, _)| var.lock(&gate)).collect();
    if locked.iter().any(|l| l.lost) {
        return Err(lost_error());
    }
    let asked = locked.iter_mut().zip(&all);
    let waiting = asked.filter_map(|(l, (_, write))| (!l.request(*write, client)).then_some(())).count();
    client.expect(waiting);
    Ok(waiting == 0)
}
