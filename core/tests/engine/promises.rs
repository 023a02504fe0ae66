//! Errors, panics, priorities, the bound of the run-ahead, timeouts, shutdown.

use super::{Cell, LONG, failure, on_both, push, push_with, set_up};
use mxr_core::ErrorCode;
use mxr_core::engine::{self, Begin, EngineKind, PushOptions, Var};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

#[test]
fn an_error_travels_to_dependents_and_is_cleared_by_a_plain_write() {
    on_both(|| {
        let [a, b, c] = [Cell::new(1), Cell::new(2), Cell::new(3)];
        push(&[], &[&a], || Err(failure("first")));
        push(&[&a], &[&b], || panic!("must not run"));
        push(&[&b, &b, &c], &[&c, &c], || panic!("must not run"));
        for cell in [&a, &b, &c] {
            assert_eq!(cell.get().expect_err("failed").message(), "first");
        }
        // A variable in both lists is read as well, so its error stays; a plain write replaces the content.
        push(&[&c], &[&c], || panic!("must not run"));
        assert_eq!(engine::wait_write(&*c, LONG).expect_err("failed").message(), "first");
        let own = b.clone();
        push(&[], &[&b], move || {
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
        push_with(&[], &[&a], opts, || panic!("it broke"));
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
        push(&[], &[&a], move || {
            let (a3, b3) = (a2.clone(), b2.clone());
            push(&[&a2], &[&b2], move || {
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
            push(&[], &[&self.0], move || {
                cell.write(5);
                Ok(())
            });
        }
    }
    on_both(|| {
        let a = Cell::new(0);
        let last = Last(a.clone());
        push(&[], &[&a], move || {
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
    push(&[], &[&a], || Ok(()));
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
        push(&[&a], &[], || Ok(()));
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
            push(&[], &[&a], move || {
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
            push(&[], &[cell], move || Err(failure(i.to_string())));
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
