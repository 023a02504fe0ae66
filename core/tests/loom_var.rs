//! The variable queue under loom, which tries every order in which threads can meet:
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p mxr-core --test loom_var --release --target-dir target/loom`
//!
//! The files under test are compiled here once more, over loom's atomics and locks.
#![cfg(loom)]
#![allow(dead_code)]

#[path = "../src/engine/access.rs"]
mod access;
#[path = "../src/error.rs"]
mod error;
#[path = "../src/engine/var.rs"]
mod var;
#[path = "../src/engine/waiter.rs"]
mod waiter;

/// No forks here.
mod fork {
    pub fn generation() -> u32 {
        1
    }

    pub struct Gate;

    impl Gate {
        pub fn enter() -> Gate {
            Gate
        }
    }
}

/// What `engine/sync.rs` gives, by loom.
mod sync {
    pub use loom::sync::atomic::{AtomicU64, Ordering};
    pub use loom::sync::{Condvar, Mutex, MutexGuard};
    use std::time::Instant;

    pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("no panic")
    }

    /// A deadline is over at once: loom has no clock.
    pub fn sleep<'a, T>(
        condvar: &Condvar,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> (MutexGuard<'a, T>, bool) {
        match deadline {
            Some(_) => (guard, false),
            None => (condvar.wait(guard).expect("no panic"), true),
        }
    }
}

/// Where `access.rs` and `var.rs` point to in their documentation.
fn finish(reads: &[&Var], writes: &[&Var], outcome: Outcome) {
    access::release(reads, writes, &outcome);
}
fn push() {}

use access::{Begin, begin};
use error::{Error, ErrorCode};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;
use var::{Client, Outcome, Var};

/// Two variables with a number each; loom reports accesses to a number that are not ordered.
struct World {
    vars: [Var; 2],
    numbers: [UnsafeCell<usize>; 2],
}

// SAFETY: the queue under test orders the accesses to the numbers, and loom checks that it does.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World { vars: [Var::new(), Var::new()], numbers: [UnsafeCell::new(0), UnsafeCell::new(0)] })
    }

    fn list(&self, which: &[usize]) -> Vec<&Var> {
        which.iter().map(|i| &self.vars[*i]).collect()
    }

    fn work(&self, reads: &[usize], writes: &[usize]) {
        reads.iter().for_each(|i| {
            // SAFETY: see the implementation of `Sync`.
            self.numbers[*i].with(|n| unsafe { *n });
        });
        // SAFETY: see the implementation of `Sync`.
        writes.iter().for_each(|i| self.numbers[*i].with_mut(|n| unsafe { *n += 1 }));
    }

    /// The numbers, once nothing is held any more.
    fn end(&self) -> [usize; 2] {
        assert!(self.vars.iter().all(Var::is_idle), "something is still held");
        // SAFETY: see the implementation of `Sync`.
        [0, 1].map(|i| self.numbers[i].with(|n| unsafe { *n }))
    }
}

struct Op {
    world: Arc<World>,
    waiting: AtomicUsize,
    reads: &'static [usize],
    writes: &'static [usize],
}

impl Client for Op {
    fn expect(&self, grants: usize) {
        self.waiting.store(grants, Ordering::Release);
    }

    fn granted(&self) -> bool {
        self.waiting.fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn start(self: Arc<Self>) {
        let world = &self.world;
        world.work(self.reads, self.writes);
        access::release_enqueued(&world.list(self.reads), &world.list(self.writes), &Outcome::Done);
    }
}

fn push_op(world: &Arc<World>, reads: &'static [usize], writes: &'static [usize]) {
    let op = Op { world: world.clone(), waiting: AtomicUsize::new(0), reads, writes };
    let op: Arc<dyn Client> = Arc::new(op);
    if access::enqueue(&op, &world.list(reads), &world.list(writes)).expect("nothing is lost") {
        op.start();
    }
}

/// What a caller does: inline if possible, else pushed.
fn run(world: &Arc<World>, reads: &'static [usize], writes: &'static [usize]) {
    let (r, w) = (world.list(reads), world.list(writes));
    match begin(&r, &w) {
        Begin::Ready => {
            world.work(reads, writes);
            finish(&r, &w, Outcome::Done);
        }
        Begin::Busy => push_op(world, reads, writes),
        Begin::Failed(error) => panic!("{error}"),
    }
}

fn model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

fn together(world: &Arc<World>, a: impl FnOnce(Arc<World>) + 'static, b: impl FnOnce(Arc<World>)) {
    let other = world.clone();
    let thread = loom::thread::spawn(move || a(other));
    b(world.clone());
    thread.join().expect("no panic");
}

#[test]
fn two_writers_exclude_each_other() {
    model(6, || {
        let world = World::new();
        together(&world, |w| run(&w, &[], &[0]), |w| run(&w, &[], &[0]));
        assert_eq!(world.end(), [2, 0]);
    });
}

#[test]
fn three_writers_all_run() {
    model(3, || {
        let world = World::new();
        let other = world.clone();
        let third = loom::thread::spawn(move || run(&other, &[], &[0]));
        together(&world, |w| run(&w, &[], &[0]), |w| push_op(&w, &[], &[0]));
        third.join().expect("no panic");
        assert_eq!(world.end(), [3, 0]);
    });
}

#[test]
fn readers_share_and_exclude_a_writer() {
    model(3, || {
        let world = World::new();
        let other = world.clone();
        let third = loom::thread::spawn(move || run(&other, &[0, 0], &[]));
        together(&world, |w| run(&w, &[0], &[1]), |w| run(&w, &[1], &[0]));
        third.join().expect("no panic");
        assert_eq!(world.end(), [1, 1]);
    });
}

#[test]
fn pushes_over_the_same_set_in_opposite_orders_both_run() {
    model(5, || {
        let world = World::new();
        together(&world, |w| push_op(&w, &[], &[0, 1]), |w| push_op(&w, &[], &[1, 0]));
        assert_eq!(world.end(), [2, 2]);
    });
}

#[test]
fn an_inline_attempt_that_gives_up_leaves_nobody_waiting() {
    model(5, || {
        let world = World::new();
        together(
            &world,
            |w| run(&w, &[], &[0, 1]),
            |w| {
                push_op(&w, &[], &[1]);
                push_op(&w, &[1], &[0]);
            },
        );
        assert_eq!(world.end(), [2, 2]);
    });
}

#[test]
fn a_wait_sees_what_was_written() {
    model(5, || {
        let world = World::new();
        assert!(matches!(begin(&[], &[&world.vars[0]]), Begin::Ready));
        together(
            &world,
            |w| {
                w.vars[0].wait(false, None, true).expect("no error");
                w.work(&[0], &[]);
            },
            |w| {
                w.work(&[], &[0]);
                finish(&[], &[&w.vars[0]], Outcome::Done);
            },
        );
        assert_eq!(world.end(), [1, 0]);
    });
}

#[test]
fn a_wait_that_gives_up_leaves_nothing_behind() {
    model(5, || {
        let world = World::new();
        assert!(matches!(begin(&[&world.vars[0]], &[]), Begin::Ready));
        together(
            &world,
            |w| {
                // Ready or timed out.
                let _ = w.vars[0].wait(true, Some(Duration::ZERO), true);
                run(&w, &[0], &[1]);
            },
            |w| finish(&[&w.vars[0]], &[], Outcome::Done),
        );
        assert_eq!(world.end(), [0, 1]);
    });
}

#[test]
fn a_reader_sees_the_error_or_comes_before_it() {
    model(5, || {
        let world = World::new();
        let failure = || Outcome::Failed(Error::new(ErrorCode::Callback, "it failed"));
        together(
            &world,
            move |w| {
                if let Begin::Ready = begin(&[], &[&w.vars[0]]) {
                    finish(&[], &[&w.vars[0]], failure());
                }
            },
            |w| match begin(&[&w.vars[0]], &[&w.vars[1]]) {
                Begin::Ready => finish(&[&w.vars[0]], &[&w.vars[1]], Outcome::Done),
                Begin::Failed(error) => {
                    assert_eq!(w.vars[1].error().expect("handed on").code(), error.code())
                }
                Begin::Busy => assert!(w.vars[1].error().is_none()),
            },
        );
        world.end();
    });
}
