//! What a fork means to this library: the generation of the process, and the gate that a fork closes.
//!
//! A forked child has one thread, the one that forked; the others vanish wherever they were. Two rules keep the
//! child alive:
//!
//! - **State that needs its threads is never used again.** Whatever owns threads remembers the [`generation`] it
//!   was made in and is left behind, never freed, when the generation has changed.
//! - **State that both sides use is whole at the fork.** A lock that lives in such state is taken only inside the
//!   [`Gate`], and a fork waits until nobody is inside.
//!
//! The locks are those of `std`, whose whole state lies in the lock itself; a lock with a global table of
//! sleepers could be caught by a fork in the middle of that table.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Generation of this process; 0 until the handlers are registered.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Number of threads inside the gate, and whether a fork has closed it.
static GATE: AtomicU32 = AtomicU32::new(0);
const CLOSED: u32 = 1 << 31;

/// The generation of this process: never 0, and another number in every forked child.
#[inline]
pub(crate) fn generation() -> u32 {
    match GENERATION.load(Ordering::Relaxed) {
        0 => register(),
        generation => generation,
    }
}

#[cold]
fn register() -> u32 {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if !STARTED.swap(true, Ordering::SeqCst) {
        // SAFETY: the handlers are functions of this library, use atomics only and never unwind.
        #[cfg(unix)]
        unsafe {
            libc::pthread_atfork(Some(before_fork), Some(after_fork_parent), Some(after_fork_child));
        }
        GENERATION.store(1, Ordering::SeqCst);
    }
    // Nobody waits for the thread that registers: a fork could take that thread away.
    GENERATION.load(Ordering::SeqCst).max(1)
}

/// Presence inside the gate: no fork happens while one exists.
///
/// A thread takes one for a few hundred nanoseconds and never a second one inside the first.
pub(crate) struct Gate(());

impl Gate {
    /// Enters the gate; waits while a fork is under way.
    pub(crate) fn enter() -> Gate {
        while GATE.fetch_add(1, Ordering::SeqCst) & CLOSED != 0 {
            GATE.fetch_sub(1, Ordering::SeqCst);
            pause_until(|state| state & CLOSED == 0);
        }
        Gate(())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        GATE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits until the state of the gate is as asked: some spins, then naps, since a fork takes milliseconds.
fn pause_until(reached: impl Fn(u32) -> bool) {
    let mut turns = 0_u32;
    while !reached(GATE.load(Ordering::SeqCst)) {
        turns += 1;
        match turns {
            0..64 => std::hint::spin_loop(),
            64..128 => std::thread::yield_now(),
            _ => std::thread::sleep(Duration::from_micros(50)),
        }
    }
}

#[cfg(unix)]
extern "C" fn before_fork() {
    while GATE.fetch_or(CLOSED, Ordering::SeqCst) & CLOSED != 0 {
        pause_until(|state| state & CLOSED == 0);
    }
    pause_until(|state| state == CLOSED);
}

#[cfg(unix)]
extern "C" fn after_fork_parent() {
    GATE.fetch_and(!CLOSED, Ordering::SeqCst);
}

#[cfg(unix)]
extern "C" fn after_fork_child() {
    GENERATION.fetch_add(1, Ordering::SeqCst);
    GATE.store(0, Ordering::SeqCst);
}
