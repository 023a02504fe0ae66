//! The engine against sequential evaluation, and what it promises beyond order.

use mxr_core::engine::{self, Begin, Config, EngineKind, PushOptions, Resource, Var};
use mxr_core::{Error, ErrorCode, Result};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

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

type Cells = [Arc<Cell>];

fn resources(cells: &Cells) -> SmallVec<[Arc<dyn Resource>; 4]> {
    cells.iter().map(|c| c.clone() as Arc<dyn Resource>).collect()
}

fn push(reads: &Cells, writes: &Cells, task: impl FnOnce() -> Result<()> + Send + 'static) {
    push_with(reads, writes, PushOptions::default(), task);
}

fn push_with(
    reads: &Cells,
    writes: &Cells,
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

/// A small generator; quality does not matter here.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    fn some_of(&mut self, cells: &Cells, most: usize) -> Vec<usize> {
        (0..self.below(most + 1)).map(|_| self.below(cells.len())).collect()
    }
}

fn mix(values: &[u64], id: u64) -> u64 {
    values
        .iter()
        .fold(id.wrapping_mul(0x9e37_79b9), |h, v| (h ^ v).rotate_left(7).wrapping_mul(0x100_0000_01b3))
}

/// One operation of a workload: reads, writes, how it is run and whether it fails by itself.
struct Step {
    reads: Vec<usize>,
    writes: Vec<usize>,
    id: u64,
    fails: bool,
    inline: bool,
}

fn step_on_engine(cells: &Cells, step: &Step) {
    let pick = |list: &[usize]| list.iter().map(|i| cells[*i].clone()).collect::<Vec<_>>();
    let (reads, writes, id, fails) = (pick(&step.reads), pick(&step.writes), step.id, step.fails);
    let (r, w) = (reads.clone(), writes.clone());
    let work = move || {
        if fails {
            return Err(failure(id.to_string()));
        }
        let result = mix(&r.iter().map(|c| c.read()).collect::<Vec<_>>(), id);
        w.iter().enumerate().for_each(|(i, c)| c.write(result.wrapping_add(i as u64)));
        Ok(())
    };
    let read_vars: Vec<&Var> = reads.iter().map(|c| &c.var).collect();
    let write_vars: Vec<&Var> = writes.iter().map(|c| &c.var).collect();
    let begun = if step.inline { engine::begin(&read_vars, &write_vars) } else { Begin::Busy };
    match begun {
        Begin::Ready => engine::finish(&read_vars, &write_vars, work()),
        Begin::Failed(error) => {
            assert!(read_vars.iter().any(|v| v.error().is_some()) || !write_vars.is_empty(), "{error}")
        }
        Begin::Busy => push(&reads, &writes, work),
    }
}

fn step_in_sequence(state: &mut [Result<u64, u64>], step: &Step) {
    let read: Result<Vec<u64>, u64> = step.reads.iter().map(|i| state[*i]).collect();
    let result = match read {
        Err(e) => Err(e),
        Ok(_) if step.fails => Err(step.id),
        Ok(values) => Ok(mix(&values, step.id)),
    };
    for (i, cell) in step.writes.iter().enumerate() {
        state[*cell] = result.map(|r| r.wrapping_add(i as u64));
    }
}

fn workload(seed: u64) {
    let mut random = Random(seed);
    let cells: Vec<Arc<Cell>> = (0..1 + random.below(6)).map(|i| Cell::new(i as u64)).collect();
    let mut state: Vec<Result<u64, u64>> = (0..cells.len() as u64).map(Ok).collect();
    for id in 0..1 + random.below(12) as u64 {
        let most = if random.below(50) == 0 { 24 } else { 3 };
        let step = Step {
            reads: random.some_of(&cells, most),
            writes: random.some_of(&cells, 2),
            id,
            fails: random.below(12) == 0,
            inline: random.below(2) == 0,
        };
        step_on_engine(&cells, &step);
        step_in_sequence(&mut state, &step);
    }
    for (cell, expected) in cells.iter().zip(state) {
        let got = cell.get().map_err(|e| e.message().parse().expect("an id"));
        assert_eq!(got, expected, "workload {seed}");
    }
}

#[test]
fn ten_thousand_random_workloads_equal_sequential_evaluation() {
    on_both(|| {
        for seed in 0..10_000 {
            workload(seed);
            if seed % 100 == 0 {
                let _ = engine::wait_all(LONG);
            }
        }
        let _ = engine::wait_all(LONG);
    });
}

#[test]
fn workloads_of_several_threads_do_not_disturb_each_other() {
    on_both(|| {
        std::thread::scope(|s| {
            for t in 0..4 {
                s.spawn(move || (0..300).for_each(|i| workload(1_000_000 * (t + 1) + i)));
            }
        });
        let _ = engine::wait_all(LONG);
    });
}

#[test]
fn overlapping_sets_pushed_from_many_threads_neither_deadlock_nor_overlap() {
    on_both(|| {
        let cells: Vec<Arc<Cell>> = (0..5).map(|_| Cell::new(0)).collect();
        std::thread::scope(|s| {
            for t in 0..4 {
                let cells = &cells;
                s.spawn(move || {
                    let mut random = Random(t);
                    for i in 0..500 {
                        let mut set: Vec<Arc<Cell>> =
                            (0..3).map(|_| cells[random.below(5)].clone()).collect();
                        set.sort_by_key(|c| Arc::as_ptr(c) as usize);
                        set.dedup_by(|a, b| Arc::ptr_eq(a, b));
                        if i % 2 == 0 {
                            set.reverse();
                        }
                        let vars: Vec<&Var> = set.iter().map(|c| &c.var).collect();
                        let own = set.clone();
                        let add = move || {
                            own.iter().for_each(|c| c.write(c.read() + 1));
                            Ok(())
                        };
                        match engine::begin(&[], &vars) {
                            Begin::Ready => engine::finish(&[], &vars, add()),
                            _ => push(&[], &set, add),
                        }
                        if i % 100 == 0 {
                            set[0].get().expect("no error");
                        }
                    }
                });
            }
        });
        engine::wait_all(LONG).expect("no error");
        let total: u64 = cells.iter().map(|c| c.get().expect("no error")).sum();
        let mut expected = 0;
        for t in 0..4 {
            let mut random = Random(t);
            for _ in 0..500 {
                let set: std::collections::HashSet<usize> = (0..3).map(|_| random.below(5)).collect();
                expected += set.len() as u64;
            }
        }
        assert_eq!(total, expected);
    });
}

#[test]
fn an_error_travels_to_dependents_and_is_cleared_by_a_plain_write() {
    on_both(|| {
        let [a, b, c] = [Cell::new(1), Cell::new(2), Cell::new(3)];
        push(&[], &[a.clone()], || Err(failure("first")));
        push(&[a.clone()], &[b.clone()], || panic!("must not run"));
        push(&[b.clone(), b.clone(), c.clone()], &[c.clone(), c.clone()], || panic!("must not run"));
        for cell in [&a, &b, &c] {
            assert_eq!(cell.get().expect_err("failed").message(), "first");
        }
        // A variable in both lists is read as well, so its error stays; a plain write replaces the content.
        push(&[c.clone()], &[c.clone()], || panic!("must not run"));
        assert_eq!(engine::wait_write(&*c, LONG).expect_err("failed").message(), "first");
        let own = b.clone();
        push(&[], &[b.clone()], move || {
            own.write(7);
            Ok(())
        });
        assert_eq!(b.get().expect("cleared"), 7);
        assert_eq!(engine::wait_all(LONG).expect_err("one").len(), 1);
    });
}

#[test]
fn begin_hands_an_error_on_and_finish_stores_one() {
    on_both(|| {
        let [a, b] = [Var::new(), Var::new()];
        assert!(matches!(engine::begin(&[], &[&a]), Begin::Ready));
        assert!(!a.is_idle());
        assert!(matches!(engine::begin(&[&a], &[&b]), Begin::Busy));
        assert!(b.is_idle());
        engine::finish(&[], &[&a], Err(failure("inline")));
        assert!(matches!(engine::begin(&[&a, &a], &[&b, &b]), Begin::Failed(e) if e.message() == "inline"));
        assert!(a.is_idle() && b.is_idle());
        assert_eq!(b.error().expect("handed on").message(), "inline");
        assert!(matches!(engine::begin(&[&b], &[&b]), Begin::Failed(_)));
        assert!(matches!(engine::begin(&[], &[&b]), Begin::Ready));
        engine::finish(&[], &[&b], Ok(()));
        assert!(b.error().is_none());
        let errors = engine::wait_all(LONG).expect_err("one");
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].message(), "inline");
    });
}

#[test]
fn a_panic_is_an_internal_error_that_names_the_operation() {
    on_both(|| {
        let a = Cell::new(0);
        let opts = PushOptions { name: "boom", ..PushOptions::default() };
        push_with(&[], &[a.clone()], opts, || panic!("it broke"));
        let error = a.get().expect_err("failed");
        assert_eq!((error.code(), error.operator()), (ErrorCode::Internal, Some("boom")));
        assert!(error.message().contains("it broke"));
        assert_eq!(engine::wait_all(LONG).expect_err("one").len(), 1);
    });
}

#[test]
fn a_task_may_push_but_not_wait() {
    on_both(|| {
        let [a, b] = [Cell::new(0), Cell::new(0)];
        let (a2, b2) = (a.clone(), b.clone());
        push(&[], &[a.clone()], move || {
            let (a3, b3) = (a2.clone(), b2.clone());
            push(&[a2.clone()], &[b2.clone()], move || {
                b3.write(a3.read() + 1);
                Ok(())
            });
            assert_eq!(engine::wait_read(&*a2, LONG).expect_err("itself").code(), ErrorCode::Internal);
            a2.write(41);
            Ok(())
        });
        engine::wait_all(LONG).expect("no error");
        assert_eq!(b.get().expect("no error"), 42);
    });
}

#[test]
fn what_a_task_holds_may_use_the_engine_when_it_is_dropped() {
    struct Last(Arc<Cell>);
    impl Drop for Last {
        fn drop(&mut self) {
            let cell = self.0.clone();
            push(&[], &[self.0.clone()], move || {
                cell.write(5);
                Ok(())
            });
        }
    }
    on_both(|| {
        let a = Cell::new(0);
        let last = Last(a.clone());
        push(&[], &[a.clone()], move || {
            let _own = &last;
            Ok(())
        });
        engine::wait_all(LONG).expect("no error");
        assert_eq!(a.get().expect("no error"), 5);
    });
}

/// Holds the only worker until told to go on.
fn hold_worker() -> mpsc::Sender<()> {
    let (go, wait) = mpsc::channel();
    let started = Arc::new(AtomicBool::new(false));
    let seen = started.clone();
    push(&[], &[], move || {
        seen.store(true, SeqCst);
        wait.recv().expect("told to go on");
        Ok(())
    });
    while !started.load(SeqCst) {
        std::thread::yield_now();
    }
    go
}

#[test]
fn higher_priority_runs_first_and_equals_in_the_order_of_the_pushes() {
    let _one = set_up(EngineKind::Threaded, |c| c.workers = 1);
    let go = hold_worker();
    let order = Arc::new(Mutex::new(Vec::new()));
    for (i, priority) in [0, 5, -3, 5, 0, i32::MAX].into_iter().enumerate() {
        let order = order.clone();
        push_with(&[], &[], PushOptions { priority, ..PushOptions::default() }, move || {
            order.lock().expect("no panic").push(i);
            Ok(())
        });
    }
    go.send(()).expect("held");
    engine::wait_all(LONG).expect("no error");
    assert_eq!(*order.lock().expect("no panic"), [5, 1, 3, 0, 4, 2]);
}

#[test]
fn pushes_run_ahead_by_a_bounded_number_of_operations_and_bytes() {
    for (max_ops, max_bytes, bytes) in [(8, usize::MAX, 0), (1000, 800, 100)] {
        let _one =
            set_up(EngineKind::Threaded, |c| (c.workers, c.max_ops, c.max_bytes) = (1, max_ops, max_bytes));
        let go = hold_worker();
        let (done, most) = (Arc::new(AtomicUsize::new(0)), 8 - usize::from(bytes == 0));
        let opts = PushOptions { bytes, ..PushOptions::default() };
        let one = |done: &Arc<AtomicUsize>| {
            let done = done.clone();
            move || {
                done.fetch_add(1, SeqCst);
                Ok(())
            }
        };
        for _ in 0..most {
            engine::wait_room(bytes, LONG).expect("room");
            push_with(&[], &[], opts, one(&done));
        }
        let short = Some(Duration::from_millis(20));
        let none = SmallVec::new;
        let refused = engine::push_timeout(Box::new(one(&done)), none(), none(), opts, short);
        assert_eq!(refused.expect_err("no room").code(), ErrorCode::Timeout);
        assert_eq!(engine::wait_room(bytes, short).expect_err("no room").code(), ErrorCode::Timeout);
        let started = Instant::now();
        std::thread::scope(|s| {
            s.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                go.send(()).expect("held");
            });
            push_with(&[], &[], opts, one(&done));
        });
        assert!(started.elapsed() >= Duration::from_millis(40), "the push did not wait");
        engine::wait_all(LONG).expect("no error");
        assert_eq!(done.load(SeqCst), most + 1);
    }
}

#[test]
fn a_task_pushes_beyond_the_bound_without_waiting() {
    let _one = set_up(EngineKind::Threaded, |c| (c.workers, c.max_ops) = (1, 2));
    let done = Arc::new(AtomicUsize::new(0));
    let count = done.clone();
    push(&[], &[], move || {
        for _ in 0..100 {
            let count = count.clone();
            push(&[], &[], move || {
                count.fetch_add(1, SeqCst);
                Ok(())
            });
        }
        Ok(())
    });
    engine::wait_all(LONG).expect("no error");
    assert_eq!(done.load(SeqCst), 100);
}

#[test]
fn an_operation_larger_than_the_bound_still_runs() {
    let _one = set_up(EngineKind::Threaded, |c| c.max_bytes = 10);
    push_with(&[], &[], PushOptions { bytes: 1 << 40, ..PushOptions::default() }, || Ok(()));
    engine::wait_all(LONG).expect("no error");
}

#[test]
fn every_wait_ends_at_its_timeout() {
    let _one = set_up(EngineKind::Threaded, |c| c.workers = 1);
    let go = hold_worker();
    let a = Cell::new(0);
    push(&[], &[a.clone()], || Ok(()));
    let short = Some(Duration::from_millis(5));
    assert_eq!(engine::wait_read(&*a, short).expect_err("held").code(), ErrorCode::Timeout);
    assert_eq!(engine::wait_write(&*a, short).expect_err("held").code(), ErrorCode::Timeout);
    assert_eq!(engine::wait_all(short).expect_err("held")[0].code(), ErrorCode::Timeout);
    assert_eq!(engine::shutdown(short).expect_err("held").code(), ErrorCode::Timeout);
    assert_eq!(engine::pending(), 2);
    go.send(()).expect("held");
    a.get().expect("no error");
}

#[test]
fn wait_read_passes_readers_and_wait_write_does_not() {
    let _one = set_up(EngineKind::Threaded, |_| {});
    let a = Cell::new(3);
    assert!(matches!(engine::begin(&[&a.var], &[]), Begin::Ready));
    engine::wait_read(&*a, Some(Duration::ZERO)).expect("only read");
    let short = Some(Duration::from_millis(5));
    assert_eq!(engine::wait_write(&*a, short).expect_err("read").code(), ErrorCode::Timeout);
    assert!(
        matches!(engine::begin(&[&a.var], &[]), Begin::Ready),
        "a wait that gave up leaves nothing behind"
    );
    engine::finish(&[&a.var], &[], Ok(()));
    engine::finish(&[&a.var], &[], Ok(()));
    engine::wait_write(&*a, Some(Duration::ZERO)).expect("idle");
}

#[test]
fn readers_behind_a_wait_that_gave_up_run_at_once() {
    let _one = set_up(EngineKind::Threaded, |_| {});
    let a = Cell::new(3);
    assert!(matches!(engine::begin(&[&a.var], &[]), Begin::Ready));
    std::thread::scope(|s| {
        let waiting = s.spawn(|| engine::wait_write(&*a, Some(Duration::from_millis(100))));
        std::thread::sleep(Duration::from_millis(30));
        push(&[a.clone()], &[], || Ok(()));
        assert_eq!(waiting.join().expect("no panic").expect_err("read").code(), ErrorCode::Timeout);
    });
    engine::wait_all(LONG).expect("the reader ran beside the one that is still there");
    engine::finish(&[&a.var], &[], Ok(()));
}

#[test]
fn the_engine_starts_again_after_a_shutdown() {
    on_both(|| {
        for round in 1..4 {
            let a = Cell::new(0);
            let own = a.clone();
            push(&[], &[a.clone()], move || {
                own.write(round);
                Ok(())
            });
            engine::shutdown(LONG).expect("drained");
            engine::shutdown(LONG).expect("nothing to do");
            assert_eq!(a.value.load(SeqCst), round);
        }
    });
}

#[test]
fn all_errors_are_reported_once() {
    on_both(|| {
        let cells: Vec<Arc<Cell>> = (0..20).map(Cell::new).collect();
        for (i, cell) in cells.iter().enumerate() {
            push(&[], &[cell.clone()], move || Err(failure(i.to_string())));
        }
        let mut numbers: Vec<usize> = engine::wait_all(LONG)
            .expect_err("all failed")
            .iter()
            .map(|e| e.message().parse().expect("a number"))
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    });
}
