//! Hands a pass of a plan to the engine as one operation: at once on this thread if it is small, else to a worker.

use super::plan::Plan;
use super::run::{self, Memory};
use crate::engine::{self, Begin, PushOptions, Resource, Var};
use crate::error::{Error, Result};
use crate::ndarray::NdArray;
use crate::rng::Stream;
use crate::storage::Storage;
use smallvec::SmallVec;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A pass of a plan that is about to run.
#[derive(Clone)]
pub(super) struct Launch {
    pub plan: Arc<Plan>,
    /// Forward 0, backward 1.
    pub pass: usize,
    /// The arrays by slot; those that the pass does not touch may be missing.
    pub slots: Arc<Vec<Option<NdArray>>>,
    pub arena: Arc<Storage>,
    /// Random numbers of the two passes.
    pub streams: [Stream; 2],
}

impl Launch {
    /// Runs the whole pass.
    ///
    /// # Errors
    /// Those of the engine; what fails while it runs is reported by whoever waits for a result.
    pub fn start(self) -> Result<()> {
        let calls = self.plan.pass(self.pass);
        self.bump_versions();
        self.start_calls(calls, &[])
    }

    /// Counts the writes to the arrays that the pass writes.
    pub fn bump_versions(&self) {
        let written = self.plan.touched[self.pass].iter().filter(|(_, write)| *write);
        written
            .filter_map(|(s, _)| self.slots[*s as usize].as_ref())
            .for_each(|a| a.storage().bump_version());
    }

    /// Runs some of the calls, which write `extra` arrays as well.
    pub fn start_calls(self, calls: Range<usize>, extra: &[NdArray]) -> Result<()> {
        let touched = &self.plan.touched[self.pass];
        let array = |slot: u32| {
            let name = || format!("slot {slot} of the plan has no array");
            self.slots[slot as usize].as_ref().ok_or_else(|| Error::internal(name()))
        };
        let (mut reads, mut writes): (Vec<&NdArray>, Vec<&NdArray>) = (vec![], extra.iter().collect());
        for (slot, write) in touched {
            let array = array(*slot)?;
            if *write {
                writes.push(array);
            }
            let first = self.plan.variables.len() + self.plan.outputs.len();
            let added = (*slot as usize)
                .checked_sub(first)
                .is_some_and(|g| self.plan.gradients[g].1 == crate::op::Req::Add);
            if !*write || added || (*slot as usize) < self.plan.variables.len() {
                reads.push(array);
            }
        }
        // Later calls read what earlier ones left in the arena, or the error that they left.
        let continues = calls.start > 0;
        if engine::should_inline(self.plan.cost[self.pass]) {
            let mut read: SmallVec<[&Var; 8]> = reads.iter().map(|a| a.storage().var()).collect();
            let mut write: SmallVec<[&Var; 8]> = writes.iter().map(|a| a.storage().var()).collect();
            write.push(self.arena.var());
            if continues {
                read.push(self.arena.var());
            }
            match engine::begin(&read, &write) {
                Begin::Ready => {
                    engine::finish(&read, &write, self.guarded(calls));
                    return Ok(());
                }
                Begin::Failed(_) => return Ok(()),
                Begin::Busy => {}
            }
        }
        let handle = |a: &&NdArray| -> Arc<dyn Resource> { a.storage().clone() };
        let mut reads: SmallVec<[Arc<dyn Resource>; 4]> = reads.iter().map(handle).collect();
        if continues {
            reads.push(self.arena.clone());
        }
        let mut writes: SmallVec<[Arc<dyn Resource>; 4]> = writes.iter().map(handle).collect();
        writes.push(self.arena.clone());
        let options = PushOptions { priority: 0, bytes: self.arena.bytes(), name: "" };
        engine::push(Box::new(move || self.run(calls)), reads, writes, options)
    }

    fn run(&self, calls: Range<usize>) -> Result<()> {
        let touched = &self.plan.touched[self.pass];
        let mut slots = vec![std::ptr::null_mut(); self.slots.len()];
        for (slot, _) in touched {
            if let Some(array) = &self.slots[*slot as usize] {
                slots[*slot as usize] = array.data()?;
            }
        }
        let memory = Memory { arena: self.arena.data()?, slots: &slots, streams: self.streams };
        run::run(&self.plan, calls, &memory)
    }

    /// Runs on the caller's thread, so a panic of a kernel must become an error here.
    fn guarded(&self, calls: Range<usize>) -> Result<()> {
        let done = catch_unwind(AssertUnwindSafe(|| self.run(calls)));
        done.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
            Err(Error::internal(format!("a kernel panicked: {text}")))
        })
    }
}

impl Launch {
    /// Copies of the outputs of a call that has run or will, with their names.
    pub fn show_outputs(&self, call: usize) -> Result<Vec<(String, NdArray)>> {
        let step = &self.plan.steps[call];
        let names = step.work.op().map_or(&["output"][..], |op| op.def.meta.outputs);
        let visible = step.work.op().map_or(1, |op| op.op.num_visible_outputs());
        let mut shown = Vec::new();
        for (o, operand) in step.outputs.iter().enumerate().take(visible) {
            let ty = &self.plan.types[operand.ty as usize];
            let copy = NdArray::empty(ty.shape.clone(), ty.dtype, self.plan.device)?;
            let (from, to) = (self.array_at(operand.place, ty)?, copy.clone());
            crate::op::invoke::copy_to(&from, &to)?;
            let suffix = if names.len() > 1 || visible == 1 {
                names[o.min(names.len() - 1)].to_owned()
            } else {
                format!("{}{o}", names[0])
            };
            shown.push((format!("{}_{suffix}", step.name), copy));
        }
        Ok(shown)
    }

    /// An array over the memory of an operand.
    fn array_at(&self, place: super::plan::Place, ty: &super::ir::Type) -> Result<NdArray> {
        use super::plan::Place;
        let slot = |slot: u32| {
            self.slots[slot as usize].clone().ok_or_else(|| Error::internal("an operand without an array"))
        };
        match place {
            Place::Arena(offset) => {
                Ok(NdArray::over(self.arena.clone(), offset, Some(ty.shape.clone()), ty.dtype))
            }
            Place::Slot(s) => slot(s),
            Place::Room(s, offset) => Ok(slot(s)?.within(offset, ty.shape.clone(), ty.dtype)),
            Place::Nowhere => NdArray::full(ty.shape.clone(), 0.0, ty.dtype, self.plan.device),
        }
    }
}
