//! A symbol called like an operator: what hybridized blocks use.
//!
//! Each combination of input types, mode and wanted gradients is compiled once. While recording, a call is one
//! operation on the tape, whose backward pass is the plan's; where that must be differentiable itself, the call is run
//! again node by node. A symbol with operators whose shapes only running shows always runs node by node.

use super::again;
use super::bound::types_of;
use super::compile::{Options, compile};
use super::ir::{Kind, Type, Variable};
use super::launch::Launch;
use super::lower::lower;
use super::plan::Plan;
use super::symbol::Symbol;
use crate::autograd::{self, Compiled, Entry, Mode};
use crate::device::Device;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::OpRef;
use crate::op::invoke::{Call, Outputs, Req};
use crate::rng::{self, Stream};
use crate::storage::Storage;
use parking_lot::Mutex;
use std::any::Any;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Plans kept at most: shapes that never come again would otherwise collect.
const KEPT: usize = 64;

/// What a plan is compiled for.
#[derive(Clone, PartialEq)]
struct Key {
    types: Vec<Type>,
    training: bool,
    wanted: Vec<bool>,
}

/// Memory of plans that are not running, kept for the next call.
type Spare = Arc<Mutex<Vec<Arc<Storage>>>>;

/// A symbol that is called on arrays.
pub struct CachedOp {
    symbol: Arc<Symbol>,
    names: Arc<[String]>,
    is_state: Vec<bool>,
    /// Only running shows all shapes.
    dynamic: bool,
    options: Options,
    plans: Mutex<VecDeque<(Key, Arc<Plan>)>>,
    /// `None` if memory goes back to the pool after each call.
    spare: Option<Spare>,
}

impl CachedOp {
    /// Compiles `symbol` when it is called. With `keep_memory` (MXNet's `static_alloc`) the memory of a call is kept
    /// for the next one.
    pub fn new(symbol: &Symbol, keep_memory: bool, options: Options) -> CachedOp {
        let states: HashSet<String> = symbol.list_auxiliary_states().into_iter().collect();
        let names = symbol.list_inputs();
        CachedOp {
            symbol: Arc::new(symbol.clone()),
            is_state: names.iter().map(|n| states.contains(n)).collect(),
            names: names.into(),
            dynamic: symbol.has_dynamic_shapes(),
            options,
            plans: Mutex::default(),
            spare: keep_memory.then(Spare::default),
        }
    }

    /// The symbol.
    pub fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// Names of the inputs, in the order in which calls take them: [`Symbol::list_inputs`].
    pub fn inputs(&self) -> &[String] {
        &self.names
    }

    /// Computes the outputs from arrays for all variables.
    ///
    /// # Errors
    /// `InvalidValue` for another number of arrays; `Device` if they are on several; what compiling reports when the
    /// call is the first of its kind.
    pub fn call(&self, inputs: &[NdArray], mode: &Mode) -> Result<Outputs> {
        if inputs.len() != self.names.len() {
            crate::bail!(
                InvalidValue,
                "expected {} arrays ({}), got {}",
                self.names.len(),
                self.names.join(", "),
                inputs.len()
            );
        }
        let device = inputs.first().map_or(mode.call.device, NdArray::device);
        if let Some(i) = inputs.iter().position(|a| a.device() != device) {
            return Err(crate::err!(
                Device,
                "expected an array on {device}, got one on {}",
                inputs[i].device()
            )
            .about(&self.names[i]));
        }
        if self.dynamic {
            return Ok(self.symbol.run_apart(inputs, mode, None)?.into());
        }
        let wants = |(a, s): (&NdArray, &bool)| mode.recording && !s && a.is_recorded();
        let wanted: Vec<bool> = inputs.iter().zip(&self.is_state).map(wants).collect();
        let plan = self.plan(inputs, mode.call.training, &wanted, device)?;
        let run = self.start(&plan, inputs, wanted)?;
        // Other handles than those that the tape keeps, or a call would keep itself alive.
        let outputs: Outputs = run.outputs.iter().map(NdArray::detach).collect::<Result<_>>()?;
        if run.wanted.contains(&true) {
            let run = Arc::new(run);
            autograd::record_compiled(run.clone(), inputs, &run.wanted, &outputs)?;
        }
        Ok(outputs)
    }

    /// The plan for arrays like these, made now if it was not yet.
    fn plan(&self, inputs: &[NdArray], training: bool, wanted: &[bool], device: Device) -> Result<Arc<Plan>> {
        let key = Key { types: types_of(inputs)?, training, wanted: wanted.to_vec() };
        let mut plans = self.plans.lock();
        if let Some((_, plan)) = plans.iter().find(|(k, _)| *k == key) {
            return Ok(plan.clone());
        }
        let requests = wanted.iter().map(|w| if *w { Req::Write } else { Req::Null }).collect();
        let options = Options { training, requests, device, ..self.options.clone() };
        let plan = Arc::new(compile(&self.symbol, &key.types, &options)?);
        if plans.len() >= KEPT {
            plans.pop_front();
        }
        plans.push_back((key, plan.clone()));
        Ok(plan)
    }

    fn start(&self, plan: &Arc<Plan>, inputs: &[NdArray], wanted: Vec<bool>) -> Result<Run> {
        let bytes = plan.report.arena_bytes;
        let kept = self.spare.as_ref().and_then(|spare| {
            let mut spare = spare.lock();
            spare.iter().position(|s| s.bytes() >= bytes).map(|i| spare.swap_remove(i))
        });
        let arena = kept.unwrap_or_else(|| Storage::new(bytes, plan.device));
        let stream = match plan.draws[0] {
            0 => Stream::default(),
            n => rng::generator(plan.device).reserve(n),
        };
        let run = Run {
            symbol: self.symbol.clone(),
            names: self.names.clone(),
            wanted,
            inputs: inputs
                .iter()
                .map(|a| {
                    a.detach().map(|a| {
                        let v = a.version();
                        (a, v)
                    })
                })
                .collect::<Result<_>>()?,
            outputs: fresh(plan)?,
            plan: plan.clone(),
            arena: Lent { arena, spare: self.spare.clone() },
            stream,
            used: AtomicBool::new(false),
        };
        run.forward(&run.outputs)?;
        Ok(run)
    }
}

fn fresh(plan: &Plan) -> Result<Vec<NdArray>> {
    plan.outputs.iter().map(|t| NdArray::empty(t.shape.clone(), t.dtype, plan.device)).collect()
}

/// Memory that goes back to where it is kept when the call is forgotten. The engine orders its uses.
struct Lent {
    arena: Arc<Storage>,
    spare: Option<Spare>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(spare) = &self.spare {
            spare.lock().push(self.arena.clone());
        }
    }
}

/// One call, as long as it may be differentiated.
pub(super) struct Run {
    pub symbol: Arc<Symbol>,
    names: Arc<[String]>,
    /// The inputs whose gradients are.
    wanted: Vec<bool>,
    plan: Arc<Plan>,
    /// The inputs with the versions that the call read.
    inputs: Vec<(NdArray, u64)>,
    outputs: Vec<NdArray>,
    arena: Lent,
    stream: Stream,
    /// A backward pass has run, and may have written over what the forward pass left.
    used: AtomicBool,
}

impl Run {
    fn variables(&self, heads: &[NdArray]) -> Vec<Option<NdArray>> {
        let mut inputs = self.inputs.iter();
        let slot = |v: &Variable| match &v.kind {
            Kind::Argument | Kind::Auxiliary => inputs.next().map(|(a, _)| a.clone()),
            Kind::HeadGradient(i) => heads.get(*i).cloned(),
            Kind::Constant(array) => Some(array.clone()),
        };
        self.plan.variables.iter().map(slot).collect()
    }

    fn launch(&self, pass: usize, slots: Vec<Option<NdArray>>) -> Result<()> {
        let streams = match (pass, self.plan.draws[1]) {
            (0, _) | (_, 0) => [self.stream; 2],
            (_, n) => [self.stream, rng::generator(self.plan.device).reserve(n)],
        };
        let arena = self.arena.arena.clone();
        Launch { plan: self.plan.clone(), pass, slots: Arc::new(slots), arena, streams }.start()
    }

    fn forward(&self, outputs: &[NdArray]) -> Result<()> {
        let mut slots = self.variables(&[]);
        slots.extend(outputs.iter().cloned().map(Some));
        slots.resize(self.plan.gradient_slot(self.plan.gradients.len()), None);
        self.launch(0, slots)
    }

    /// Refuses to go back through inputs that were written since, but for states.
    fn check_versions(&self, passes: &[usize]) -> Result<()> {
        let touched = |pass: &usize| self.plan.touched[*pass].iter();
        let read = |slot: usize| passes.iter().flat_map(touched).any(|(s, _)| *s as usize == slot);
        let mut slots = (0..self.plan.variables.len())
            .filter(|s| matches!(self.plan.variables[*s].kind, Kind::Argument | Kind::Auxiliary));
        for ((array, version), name) in self.inputs.iter().zip(&*self.names) {
            let Some(slot) = slots.next() else { break };
            let state = matches!(self.plan.variables[slot].kind, Kind::Auxiliary) || self.plan.changed[slot];
            if !state && read(slot) && array.version() != *version {
                return Err(crate::err!(
                    Autograd,
                    "an array that the gradient needs was overwritten after it was recorded"
                )
                .about(name));
            }
        }
        Ok(())
    }
}

impl Compiled for Run {
    fn name(&self) -> &str {
        "CachedOp"
    }

    /// The gradients of the inputs, of which those that are not wanted are only a shape.
    fn backward(&self, heads: &[NdArray]) -> Result<Vec<NdArray>> {
        self.check_versions(&[1])?;
        let mut outputs = self.outputs.clone();
        if self.used.swap(true, Ordering::Relaxed) {
            outputs = fresh(&self.plan)?;
            self.forward(&outputs)?;
        }
        let like = |a: &NdArray| NdArray::empty(a.shape()?.clone(), a.dtype(), a.device());
        let results = self.inputs.iter().zip(&self.wanted).map(|((a, _), w)| {
            if *w { like(a) } else { Ok(NdArray::shape_only(a.shape()?.clone(), a.dtype(), a.device())) }
        });
        let results: Vec<NdArray> = results.collect::<Result<_>>()?;
        let mut slots = self.variables(heads);
        slots.extend(outputs.into_iter().map(Some));
        let given: Vec<&NdArray> = results.iter().collect();
        slots.extend(self.plan.gradients.iter().map(|(v, _)| Some(given[*v as usize].clone())));
        self.launch(1, slots)?;
        Ok(results)
    }

    fn run_again(&self, edges: &[Option<Entry>], mode: &Mode) -> Result<Outputs> {
        self.check_versions(&[0, 1])?;
        let mut inputs = Vec::with_capacity(edges.len());
        for ((array, _), edge) in self.inputs.iter().zip(edges) {
            let array = array.detach()?;
            array.set_entry(edge.clone());
            inputs.push(array);
        }
        let graph = lower(&self.symbol, &types_of(&inputs)?, self.plan.training)?;
        let around = Call { training: self.plan.training, random: Some(self.stream), ..mode.call };
        let mut call = |op: &OpRef, inputs: &[NdArray], call: &Call| {
            autograd::invoke(op, inputs, &[], &Mode { call: *call, ..*mode })
        };
        Ok(again::run(&graph, &inputs, &around, &mut call)?.into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
