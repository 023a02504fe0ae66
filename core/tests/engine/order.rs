//! Random workloads and many threads: what is computed is what sequential evaluation computes.

use super::{Cell, LONG, failure, on_both, push};
use mxr_core::Result;
use mxr_core::engine::{self, Begin, Var};
use std::sync::Arc;

/// A small generator; quality does not matter here.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    fn some_of(&mut self, cells: &[Arc<Cell>], most: usize) -> Vec<usize> {
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

fn step_on_engine(cells: &[Arc<Cell>], step: &Step) {
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
        Begin::Failed(_) => {}
        Begin::Busy => push(&reads.iter().collect::<Vec<_>>(), &writes.iter().collect::<Vec<_>>(), work),
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

/// Adds one to each of some random cells, 500 times; returns how much was added.
fn add_to_random_sets(cells: &[Arc<Cell>], seed: u64) -> u64 {
    let mut random = Random(seed);
    let mut added = 0;
    for turn in 0..500 {
        let mut set: Vec<&Arc<Cell>> = (0..3).map(|_| &cells[random.below(cells.len())]).collect();
        set.sort_by_key(|c| Arc::as_ptr(c));
        set.dedup_by(|a, b| Arc::ptr_eq(a, b));
        if turn % 2 == 0 {
            set.reverse();
        }
        added += set.len() as u64;
        let vars: Vec<&Var> = set.iter().map(|c| &c.var).collect();
        let own: Vec<Arc<Cell>> = set.iter().map(|c| Arc::clone(c)).collect();
        let add = move || {
            own.iter().for_each(|c| c.write(c.read() + 1));
            Ok(())
        };
        match engine::begin(&[], &vars) {
            Begin::Ready => engine::finish(&[], &vars, add()),
            _ => push(&[], &set, add),
        }
        if turn % 100 == 0 {
            engine::wait_read(&**set[0], LONG).expect("no error");
        }
    }
    added
}

#[test]
fn overlapping_sets_pushed_from_many_threads_neither_deadlock_nor_overlap() {
    on_both(|| {
        let cells: Vec<Arc<Cell>> = (0..5).map(|_| Cell::new(0)).collect();
        let added: u64 = std::thread::scope(|s| {
            let cells = &cells;
            let threads: Vec<_> = (0..4).map(|t| s.spawn(move || add_to_random_sets(cells, t))).collect();
            threads.into_iter().map(|t| t.join().expect("no panic")).sum()
        });
        engine::wait_all(LONG).expect("no error");
        let total: u64 = cells.iter().map(|c| c.get().expect("no error")).sum();
        assert_eq!(total, added);
    });
}
