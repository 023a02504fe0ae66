//! The engine against sequential evaluation, and what it promises beyond order.

use mxr_core::engine::{self, Config, EngineKind, PushOptions, Resource, Var};
use mxr_core::{Error, ErrorCode, Result};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod order;
mod promises;

const LONG: Option<Duration> = Some(Duration::from_secs(20));

/// A number behind a variable, which notices accesses that the engine should have kept apart.
#[derive(Default)]
struct Cell {
    var: Var,
    value: AtomicU64,
    users: AtomicI64,
}

impl Resource for Cell {
    fn var(&self) -> &Var {
        &self.var
    }
}

const WRITING: i64 = -1_000_000;

impl Cell {
    fn new(value: u64) -> Arc<Cell> {
        Arc::new(Cell { value: AtomicU64::new(value), ..Cell::default() })
    }

    fn read(&self) -> u64 {
        assert!(self.users.fetch_add(1, SeqCst) >= 0, "read during a write");
        let value = self.value.load(SeqCst);
        self.users.fetch_sub(1, SeqCst);
        value
    }

    fn write(&self, value: u64) {
        assert_eq!(self.users.fetch_add(WRITING, SeqCst), 0, "write during another access");
        self.value.store(value, SeqCst);
        self.users.fetch_sub(WRITING, SeqCst);
    }

    fn get(&self) -> Result<u64> {
        engine::wait_read(self, LONG).map(|()| self.read())
    }
}

fn resources(cells: &[&Arc<Cell>]) -> SmallVec<[Arc<dyn Resource>; 4]> {
    cells.iter().map(|c| Arc::clone(c) as Arc<dyn Resource>).collect()
}

fn push(reads: &[&Arc<Cell>], writes: &[&Arc<Cell>], task: impl FnOnce() -> Result<()> + Send + 'static) {
    push_with(reads, writes, PushOptions::default(), task);
}

fn push_with(
    reads: &[&Arc<Cell>],
    writes: &[&Arc<Cell>],
    opts: PushOptions,
    task: impl FnOnce() -> Result<()> + Send + 'static,
) {
    engine::push(Box::new(task), resources(reads), resources(writes), opts).expect("push");
}

/// The process has one engine: tests that set it up run one after the other.
fn set_up(kind: EngineKind, change: impl FnOnce(&mut Config)) -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut config = Config { kind, workers: 3, max_ops: 1024, max_bytes: 1 << 30 };
    change(&mut config);
    engine::configure(config).expect("configure");
    let _ = engine::wait_all(LONG);
    guard
}

fn on_both(test: impl Fn()) {
    for kind in [EngineKind::Naive, EngineKind::Threaded] {
        let _one = set_up(kind, |_| {});
        assert_eq!(engine::kind(), kind);
        test();
        assert_eq!(engine::wait_all(LONG).map_err(|e| e.len()), Ok(()), "the test looks at all errors");
        assert_eq!(engine::pending(), 0);
    }
}

fn failure(text: impl Into<String>) -> Error {
    Error::new(ErrorCode::Callback, text)
}
