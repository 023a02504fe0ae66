//! A body's plan on memory that a kernel was given.

use crate::error::Result;
use crate::graph::ir::{Kind, Type};
use crate::graph::plan::Plan;
use crate::graph::run::{self, Memory};
use crate::op::Kernel;
use crate::op::kernel::Tensor;
use crate::rng::Stream;
use crate::storage::Storage;
use crate::with_word;
use smallvec::SmallVec;
use std::sync::Arc;

/// A plan that runs step after step. What is not placed elsewhere goes to memory of its own.
pub(super) struct Running {
    plan: Arc<Plan>,
    arena: Arc<Storage>,
    slots: Vec<*mut u8>,
    _own: Vec<Arc<Storage>>,
}

impl Running {
    /// Prepares a plan.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn new(plan: Arc<Plan>) -> Result<Running> {
        let own = Scratch::of(&plan.outputs, &plan)?;
        let mut slots = vec![std::ptr::null_mut(); plan.gradient_slot(plan.gradients.len())];
        for (o, data) in own.places.iter().enumerate() {
            slots[plan.output_slot(o)] = *data;
        }
        let arena = Storage::new(plan.report.arena_bytes, plan.device);
        Ok(Running { arena, slots, _own: own.storage, plan })
    }

    /// Type of output `i`.
    pub fn output_type(&self, i: usize) -> &Type {
        &self.plan.outputs[i]
    }

    /// Where output `i` is.
    pub fn output(&self, i: usize) -> *mut u8 {
        self.slots[self.plan.output_slot(i)]
    }

    /// Says where input `i` is.
    pub fn place_input(&mut self, i: usize, data: *mut u8) {
        self.slots[i] = data;
    }

    /// Says where output `i` goes.
    pub fn place_output(&mut self, i: usize, data: *mut u8) {
        let slot = self.plan.output_slot(i);
        self.slots[slot] = data;
    }

    /// Says where the gradient of output `i` is, if the backward pass reads it.
    pub fn place_head(&mut self, i: usize, data: *mut u8) {
        let is_head = |kind: &Kind| matches!(kind, Kind::HeadGradient(o) if *o == i);
        if let Some(slot) = self.plan.variables.iter().position(|v| is_head(&v.kind)) {
            self.slots[slot] = data;
        }
    }

    /// Says where the gradient of input `i` goes, if it is made.
    pub fn place_gradient(&mut self, i: usize, data: *mut u8) {
        if let Some(g) = self.plan.gradients.iter().position(|(v, _)| *v as usize == i) {
            let slot = self.plan.gradient_slot(g);
            self.slots[slot] = data;
        }
    }

    /// Runs the forward pass, 0, or the backward pass, 1.
    ///
    /// # Errors
    /// The first of its calls.
    pub fn pass(&self, pass: usize, streams: [Stream; 2]) -> Result<()> {
        let memory = Memory { arena: self.arena.data()?, slots: &self.slots, streams };
        run::run(&self.plan, self.plan.pass(pass), &memory)
    }
}

/// Memory for values of some types.
pub(super) struct Scratch {
    /// Where each is.
    pub places: Vec<*mut u8>,
    storage: Vec<Arc<Storage>>,
}

impl Scratch {
    /// Memory on the device of a plan.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub fn of<'a>(types: impl IntoIterator<Item = &'a Type>, plan: &Plan) -> Result<Scratch> {
        let storage: Vec<_> = types.into_iter().map(|t| Storage::new(t.bytes(), plan.device)).collect();
        let places = storage.iter().map(|s| s.data()).collect::<Result<_>>()?;
        Ok(Scratch { places, storage })
    }
}

fn kernel<'a>(input: Option<Tensor<'a>>, output: Option<Tensor<'a>>) -> Kernel<'a> {
    Kernel {
        inputs: input.into_iter().collect(),
        outputs: SmallVec::from_iter(output),
        accumulate: false,
        training: false,
        random: Stream::default(),
        pending: None,
    }
}

fn tensor(data: *mut u8, ty: &Type) -> Tensor<'_> {
    Tensor { data, shape: &ty.shape, dtype: ty.dtype }
}

/// Copies a value.
pub(super) fn copy(from: *mut u8, to: *mut u8, ty: &Type) {
    kernel(Some(tensor(from, ty)), Some(tensor(to, ty))).copy(0, 0);
}

/// Makes a value zero.
pub(super) fn clear(data: *mut u8, ty: &Type) {
    let kernel = kernel(None, Some(tensor(data, ty)));
    with_word!(ty.dtype, W => kernel.output_words::<W>(0).fill(W::default()));
}

/// Whether a value of one element is not zero.
pub(super) fn holds(data: *mut u8, ty: &Type) -> bool {
    kernel(Some(tensor(data, ty)), None).input_f64(0).first().is_some_and(|v| *v != 0.0)
}
