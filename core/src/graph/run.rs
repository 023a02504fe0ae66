//! Runs the calls of a plan on memory that the engine granted.

use super::ir::Work;
use super::plan::{Operand, Place, Plan, Step};
use crate::error::Result;
use crate::op::invoke;
use crate::op::kernel::{Kernel, Tensor};
use crate::rng::Stream;
use std::ops::Range;
use std::ptr::NonNull;

/// Where the memory of a running plan is.
pub(super) struct Memory<'a> {
    /// Start of the arena.
    pub arena: *mut u8,
    /// Starts of the arrays of variables, outputs and gradients.
    pub slots: &'a [*mut u8],
    /// Random numbers of the forward and the backward pass.
    pub streams: [Stream; 2],
}

/// Runs some calls in order, up to the first that fails.
pub(super) fn run(plan: &Plan, calls: Range<usize>, memory: &Memory) -> Result<()> {
    plan.steps[calls].iter().try_for_each(|step| call(plan, step, memory))
}

fn call(plan: &Plan, step: &Step, memory: &Memory) -> Result<()> {
    let tensor = |o: &Operand| {
        let ty = &plan.types[o.ty as usize];
        let data = match o.place {
            Place::Nowhere => NonNull::<u64>::dangling().as_ptr().cast(),
            Place::Arena(offset) => memory.arena.wrapping_add(offset),
            Place::Slot(slot) => memory.slots[slot as usize],
            Place::Room(slot, offset) => memory.slots[slot as usize].wrapping_add(offset),
        };
        Tensor { data, shape: &ty.shape, dtype: ty.dtype }
    };
    let random = step.random.map_or_else(Stream::default, |(offset, pass)| {
        let stream = memory.streams[pass];
        Stream { base: stream.base.wrapping_add(offset), ..stream }
    });
    let mut kernel = Kernel {
        inputs: step.inputs.iter().map(tensor).collect(),
        outputs: step.outputs.iter().map(tensor).collect(),
        accumulate: step.accumulate,
        training: plan.training,
        random,
        pending: None,
    };
    match &step.work {
        Work::Op(op) => invoke::run(op, &mut kernel),
        Work::Fused(fused) => fused.run(&kernel),
        Work::Copy => {
            kernel.copy(0, 0);
            Ok(())
        }
    }
}
