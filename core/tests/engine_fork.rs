//! Real forks while the engine works: what was idle works in the child, what was not is an error, nothing hangs.
#![cfg(target_os = "linux")]

use mxr_core::engine::{self, Begin, PushOptions, Resource, Var};
use mxr_core::{Error, ErrorCode, Result, parallel};
use smallvec::smallvec;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

const LONG: Option<Duration> = Some(Duration::from_secs(5));

fn push(read: &Arc<Var>, write: &Arc<Var>, task: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    let (read, write): (Arc<dyn Resource>, Arc<dyn Resource>) = (read.clone(), write.clone());
    engine::push(Box::new(task), smallvec![read], smallvec![write], PushOptions::default())
}

/// Forks, runs `child` there under an alarm and returns its status; a child that hangs is killed and shows it.
fn in_child(child: impl FnOnce() -> i32) -> i32 {
    // Other forks of this process would wait for each other's children only.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the child uses the engine, whose fork behaviour is under test, and ends with `_exit`.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0, "fork");
        if pid == 0 {
            libc::alarm(20);
            libc::_exit(child());
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
        if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -libc::WTERMSIG(status) }
    }
}

/// 0 if all claims hold, else the number of the first that does not.
fn check(claims: &[&dyn Fn() -> bool]) -> i32 {
    claims.iter().position(|claim| !claim()).map_or(0, |i| i as i32 + 1)
}

fn sum_in_parallel() -> usize {
    let sum = AtomicUsize::new(0);
    parallel::for_each_range(10_000, 100, |range| {
        sum.fetch_add(range.sum::<usize>(), SeqCst);
    });
    sum.into_inner()
}

/// Whether a chain of pushed operations runs to its end.
fn engine_works(var: &Arc<Var>) -> bool {
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..20 {
        let count = count.clone();
        let task = move || {
            count.fetch_add(1, SeqCst);
            Ok(())
        };
        if push(&Arc::new(Var::new()), var, task).is_err() {
            return false;
        }
    }
    engine::wait_read(var, LONG).is_ok() && count.load(SeqCst) == 20 && engine::wait_all(LONG).is_ok()
}

fn is_device_error(result: Result<()>) -> bool {
    result.is_err_and(|e| e.code() == ErrorCode::Device)
}

/// Whether a variable whose work was cut off answers every access with an error, and hands it on.
fn is_lost(lost: &Arc<Var>, idle: &Arc<Var>) -> bool {
    let fresh = Arc::new(Var::new());
    let refused = |begin| matches!(begin, Begin::Failed(e) if e.code() == ErrorCode::Device);
    is_device_error(engine::wait_read(lost, LONG))
        && is_device_error(engine::wait_write(lost, LONG))
        && !lost.is_idle()
        && lost.error().is_some()
        && is_device_error(push(lost, &fresh, || Ok(())))
        && is_device_error(push(&fresh, lost, || Ok(())))
        && refused(engine::begin(&[], &[lost]))
        && refused(engine::begin(&[idle, lost], &[&fresh]))
        && idle.is_idle()
        && fresh.is_idle()
        && fresh.error().is_some_and(|e| e.code() == ErrorCode::Device)
}

fn grandchild_works(idle: &Arc<Var>) -> bool {
    // SAFETY: as in `in_child`.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            libc::alarm(20);
            libc::_exit(i32::from(!(engine_works(idle) && sum_in_parallel() == 49_995_000)));
        }
        let mut status = -1;
        libc::waitpid(pid, &mut status, 0) == pid && status == 0
    }
}

#[test]
fn a_child_reads_what_was_idle_and_gets_errors_for_what_was_not() {
    let [idle, running, waiting, read] = std::array::from_fn(|_| Arc::new(Var::new()));
    let (go, held) = mpsc::channel::<()>();
    let hold = move || {
        held.recv().expect("told to go on");
        Ok(())
    };
    push(&read, &running, hold).expect("push");
    push(&running, &waiting, || Ok(())).expect("push");
    assert_eq!(sum_in_parallel(), 49_995_000);
    let status = in_child(|| {
        check(&[
            &|| engine::pending() == 0,
            &|| idle.is_idle() && engine::wait_read(&idle, LONG).is_ok(),
            &|| is_lost(&running, &idle),
            &|| is_lost(&waiting, &idle),
            &|| idle.is_idle() && engine_works(&idle),
            // What was only read is whole.
            &|| engine_works(&read),
            &|| sum_in_parallel() == 49_995_000,
            &|| engine::shutdown(LONG).is_ok(),
            &|| grandchild_works(&idle),
        ])
    });
    assert_eq!(status, 0, "this claim did not hold in the child");
    go.send(()).expect("held");
    assert!(engine::wait_read(&waiting, LONG).is_ok(), "the parent goes on");
}

/// Runs, pushes and waits over three variables until told to stop.
fn keep_working(shared: &[Arc<Var>; 3], first: usize, stop: &AtomicBool) {
    let mut turn = first;
    while !stop.load(SeqCst) {
        turn += 1;
        let (a, b) = (&shared[turn % 3], &shared[(turn / 3) % 3]);
        match engine::begin(&[a], &[b]) {
            Begin::Ready => engine::finish(&[a], &[b], Ok(())),
            _ => push(a, b, || Ok(())).expect("push"),
        }
        if turn % 5 == 0 {
            let _ = engine::wait_read(a, Some(Duration::from_micros(10)));
        }
        if turn % 500 == 0 {
            assert_eq!(sum_in_parallel(), 49_995_000);
        }
    }
}

#[test]
fn forks_in_the_middle_of_work_never_hang() {
    let stop = AtomicBool::new(false);
    let shared: [Arc<Var>; 3] = std::array::from_fn(|_| Arc::new(Var::new()));
    let idle = Arc::new(Var::new());
    std::thread::scope(|s| {
        for t in 0..3 {
            let (stop, shared) = (&stop, &shared);
            s.spawn(move || keep_working(shared, t, stop));
        }
        for round in 0..100 {
            let status = in_child(|| {
                // Busy or idle at the fork: every access answers at once or works.
                let answers = |var: &Arc<Var>| match engine::wait_write(var, LONG) {
                    Ok(()) => engine_works(var),
                    Err(e) => e.code() == ErrorCode::Device && var.error().is_some(),
                };
                check(&[
                    &|| engine_works(&idle),
                    &|| shared.iter().all(answers),
                    &|| engine_works(&Arc::new(Var::new())),
                    &|| sum_in_parallel() == 49_995_000,
                ])
            });
            if status != 0 {
                stop.store(true, SeqCst);
            }
            assert_eq!(status, 0, "in round {round}, this claim did not hold in the child");
        }
        stop.store(true, SeqCst);
    });
    let others = engine::wait_all(LONG).err().unwrap_or_default();
    assert!(others.iter().all(|e| e.code() == ErrorCode::Callback), "the parent goes on");
}

#[test]
fn a_lock_taken_at_the_fork_is_free_in_the_child() {
    let failed = Arc::new(Var::new());
    assert!(matches!(engine::begin(&[], &[&failed]), Begin::Ready));
    engine::finish(&[], &[&failed], Err(Error::new(ErrorCode::Callback, "it failed")));
    let stop = AtomicBool::new(false);
    std::thread::scope(|s| {
        for _ in 0..2 {
            // Reading an error takes the lock of the variable.
            s.spawn(|| {
                while !stop.load(SeqCst) {
                    assert!(failed.error().is_some());
                }
            });
        }
        let statuses: Vec<i32> = (0..200)
            .map(|_| {
                in_child(|| check(&[&|| failed.error().is_some_and(|e| e.code() == ErrorCode::Callback)]))
            })
            .take_while(|status| *status == 0)
            .collect();
        stop.store(true, SeqCst);
        assert_eq!(statuses.len(), 200);
    });
}
