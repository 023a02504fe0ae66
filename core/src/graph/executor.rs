//! An executor: a symbol bound to arrays, compiled for prediction and for training when each is first asked for.
//!
//! Outputs and gradients are arrays that every run overwrites, as in MXNet. What the plans need besides is an
//! [`Arena`], which executors that never run at the same time may share. A symbol with operators whose shapes only
//! running shows has no plan: it runs node by node, and each run makes new outputs.

use super::bound::{self, check_like};
use super::compile::{Options, compile};
use super::ir::{Kind, Type};
use super::launch::Launch;
use super::plan::Plan;
use super::symbol::{Inputs, Symbol};
use super::unplanned::Unplanned;
use crate::device::Device;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::attrs::nearest;
use crate::op::invoke::{Req, copy_to};
use crate::rng::{self, Stream};
use crate::storage::Storage;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory for plans that never run at the same time: as large as the largest of them needs.
#[derive(Default)]
pub struct Arena(Mutex<Option<(Arc<Storage>, u64)>>);

impl Arena {
    /// The memory, grown to `bytes` if it is smaller, marked as used by run number `run`.
    fn take(&self, bytes: usize, device: Device, run: u64) -> Arc<Storage> {
        let mut kept = self.0.lock();
        let storage = match &*kept {
            Some((storage, _)) if storage.bytes() >= bytes => storage.clone(),
            _ => Storage::new(bytes, device),
        };
        *kept = Some((storage.clone(), run));
        storage
    }

    /// The memory, if run number `run` was the last to use it.
    fn of_run(&self, run: u64) -> Option<Arc<Storage>> {
        self.0.lock().as_ref().filter(|(_, last)| *last == run).map(|(storage, _)| storage.clone())
    }
}

/// Sees an output of a call by its name: `conv0_output`.
pub type Monitor = Box<dyn Fn(&str, &NdArray) + Send + Sync>;

/// What a backward pass continues.
struct Started {
    plan: Arc<Plan>,
    run: u64,
    stream: Stream,
}

/// A symbol bound to arrays.
pub struct Executor {
    symbol: Symbol,
    names: Vec<Arc<str>>,
    is_auxiliary: Vec<bool>,
    variables: Vec<NdArray>,
    gradients: Vec<Option<NdArray>>,
    outputs: Vec<NdArray>,
    /// For a symbol that no plan can be made of.
    unplanned: Option<Unplanned>,
    options: Options,
    /// For prediction and for training.
    plans: [Mutex<Option<Arc<Plan>>>; 2],
    arena: Arc<Arena>,
    started: Mutex<Option<Started>>,
    monitor: Mutex<Option<Arc<Monitor>>>,
}

static RUNS: AtomicU64 = AtomicU64::new(1);

impl Executor {
    /// Binds a symbol to arrays for all its variables, in the order of [`Symbol::inputs`]. `gradients[i]`, where
    /// given, receives the gradient of variable `i` as `requests[i]` says; both may be empty.
    ///
    /// # Errors
    /// `InvalidValue` for another number of arrays; `Shape` or `DType` where arrays do not fit the symbol or a
    /// gradient its variable; what [`compile`] reports.
    pub fn bind(
        symbol: &Symbol,
        variables: Vec<NdArray>,
        mut gradients: Vec<Option<NdArray>>,
        mut requests: Vec<Req>,
        arena: Option<Arc<Arena>>,
        options: Options,
    ) -> Result<Executor> {
        let inputs = symbol.inputs(Inputs::All);
        let states: HashSet<String> = symbol.list_auxiliary_states().into_iter().collect();
        gradients.resize(inputs.len(), None);
        bound::check(&inputs, &variables, &gradients)?;
        requests.resize(inputs.len(), Req::Null);
        for (request, _) in requests.iter_mut().zip(&gradients).filter(|(_, g)| g.is_none()) {
            *request = Req::Null;
        }
        let options = Options {
            requests,
            device: variables.first().map_or(options.device, NdArray::device),
            ..options
        };
        let mut executor = Executor {
            symbol: symbol.clone(),
            names: inputs.iter().map(|n| n.name.as_str().into()).collect(),
            is_auxiliary: inputs.iter().map(|n| states.contains(&n.name)).collect(),
            variables,
            gradients,
            outputs: vec![],
            unplanned: None,
            options,
            plans: [Mutex::new(None), Mutex::new(None)],
            arena: arena.unwrap_or_default(),
            started: Mutex::new(None),
            monitor: Mutex::new(None),
        };
        if symbol.has_dynamic_shapes() {
            let Executor { variables, gradients, options, .. } = &executor;
            let unplanned = Unplanned::new(symbol, variables, gradients, &options.requests, options.device)?;
            executor.unplanned = Some(unplanned);
            return Ok(executor);
        }
        let training = executor.options.requests.iter().any(|r| *r != Req::Null);
        let plan = executor.plan(training)?;
        for ty in &plan.outputs {
            executor.outputs.push(NdArray::empty(ty.shape.clone(), ty.dtype, plan.device)?);
        }
        Ok(executor)
    }

    /// Binds a symbol to new arrays of zeros of these types, in the order of [`Symbol::inputs`], with gradients
    /// where they are asked for.
    ///
    /// # Errors
    /// As [`Executor::bind`]; `OutOfMemory`.
    pub fn simple_bind(
        symbol: &Symbol,
        types: &[Type],
        requests: Vec<Req>,
        arena: Option<Arc<Arena>>,
        options: Options,
    ) -> Result<Executor> {
        let zeros = |t: &Type| NdArray::full(t.shape.clone(), 0.0, t.dtype, options.device);
        let variables = types.iter().map(zeros).collect::<Result<Vec<_>>>()?;
        let wanted = types.iter().zip(requests.iter().chain(std::iter::repeat(&Req::Null)));
        let gradients = wanted.map(|(t, r)| (*r != Req::Null).then(|| zeros(t)).transpose());
        let gradients = gradients.collect::<Result<Vec<_>>>()?;
        Executor::bind(symbol, variables, gradients, requests, arena, options)
    }

    /// The plan for prediction or training, made now if it was not yet.
    ///
    /// # Errors
    /// What [`compile`] reports.
    pub fn plan(&self, training: bool) -> Result<Arc<Plan>> {
        let mut slot = self.plans[usize::from(training)].lock();
        if let Some(plan) = &*slot {
            return Ok(plan.clone());
        }
        let mut options = Options { training, ..self.options.clone() };
        if !training {
            options.requests.clear();
        }
        if self.monitor.lock().is_some() {
            options.fuse = false;
            options.sharing.views = false;
        }
        let plan = Arc::new(compile(&self.symbol, &bound::types_of(&self.variables)?, &options)?);
        *slot = Some(plan.clone());
        Ok(plan)
    }

    /// Computes the outputs; `training` prepares for [`Executor::backward`].
    ///
    /// # Errors
    /// What compiling reports when it is the first run of its kind. Failures while running are reported by
    /// whoever waits for an output, or by this where the symbol runs node by node.
    pub fn forward(&self, training: bool) -> Result<Vec<NdArray>> {
        let monitor = self.monitor.lock().clone();
        if let Some(unplanned) = &self.unplanned {
            return unplanned.forward(training, monitor.as_deref());
        }
        let plan = self.plan(training)?;
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let arena = self.arena.take(plan.report.arena_bytes, plan.device, run);
        let stream = reserve(plan.draws[0], plan.device);
        let mut slots = self.variable_slots(&plan, &[])?;
        slots.extend(self.outputs.iter().cloned().map(Some));
        slots.resize(plan.gradient_slot(plan.gradients.len()), None);
        let launch =
            Launch { plan: plan.clone(), pass: 0, slots: Arc::new(slots), arena, streams: [stream, stream] };
        *self.started.lock() = training.then_some(Started { plan, run, stream });
        match monitor {
            Some(monitor) => self.watched(launch, &monitor)?,
            None => launch.start()?,
        }
        Ok(self.outputs.clone())
    }

    /// Computes the gradients of the last [`Executor::forward`] in training; `head_grads` are those of the outputs,
    /// which outputs of losses do not need.
    ///
    /// # Errors
    /// `Autograd` without such a forward pass, if its memory was used by another executor since, or if a head
    /// gradient is missing; `Shape` or `DType` for one that does not fit its output.
    pub fn backward(&self, head_grads: &[NdArray]) -> Result<()> {
        if let Some(unplanned) = &self.unplanned {
            let (outputs, needed): (Vec<_>, Vec<_>) = unplanned.heads()?.into_iter().unzip();
            check_heads(&outputs, head_grads, |i| needed[i])?;
            return unplanned.backward(&self.apart(head_grads)?);
        }
        let started = self.started.lock();
        let Some(Started { plan, run, stream }) = &*started else {
            crate::bail!(Autograd, "backward needs a forward pass with is_train=True before it");
        };
        let arena = self.arena.of_run(*run).ok_or_else(|| {
            crate::err!(Autograd, "another executor that shares the memory ran after the forward pass")
        })?;
        let read = |slot: usize| plan.touched[1].iter().any(|(s, _)| *s as usize == slot);
        check_heads(&self.outputs, head_grads, |i| {
            let head = plan.variables.iter().position(|v| matches!(v.kind, Kind::HeadGradient(n) if n == i));
            head.is_some_and(read)
        })?;
        let head_grads = self.apart(head_grads)?;
        let mut slots = self.variable_slots(plan, &head_grads)?;
        slots.extend(self.outputs.iter().cloned().map(Some));
        for (variable, _) in &plan.gradients {
            slots.push(self.gradients[*variable as usize].clone());
        }
        let streams = [*stream, reserve(plan.draws[1], plan.device)];
        Launch { plan: plan.clone(), pass: 1, slots: Arc::new(slots), arena, streams }.start()
    }

    /// Head gradients in memory of their own: gradients' arrays are written before the last of them is read.
    fn apart(&self, head_grads: &[NdArray]) -> Result<Vec<NdArray>> {
        let apart = |head: &NdArray| {
            let shares = self.gradients.iter().flatten().any(|g| g.overlaps(head));
            if !shares {
                return Ok(head.clone());
            }
            let copy = NdArray::empty(head.shape()?.clone(), head.dtype(), head.device())?;
            copy_to(head, &copy).map(|()| copy)
        };
        head_grads.iter().map(apart).collect()
    }

    fn variable_slots(&self, plan: &Plan, head_grads: &[NdArray]) -> Result<Vec<Option<NdArray>>> {
        let mut given = self.variables.iter();
        let slot = |v: &super::ir::Variable| match &v.kind {
            Kind::Argument | Kind::Auxiliary => given.next().cloned(),
            Kind::HeadGradient(i) => head_grads.get(*i).cloned(),
            Kind::Constant(array) => Some(array.clone()),
        };
        Ok(plan.variables.iter().map(slot).collect())
    }

    /// Runs call by call and shows each output to the monitor, on this thread.
    fn watched(&self, launch: Launch, monitor: &Monitor) -> Result<()> {
        launch.bump_versions();
        for n in launch.plan.pass(0) {
            launch.clone().start_calls(n..n + 1, &[])?;
            for (name, array) in launch.show_outputs(n)? {
                monitor(&name, &array);
            }
        }
        Ok(())
    }

    /// Shows every output of every call in forward passes to `monitor`; `None` ends it.
    pub fn set_monitor(&self, monitor: Option<Monitor>) {
        *self.monitor.lock() = monitor.map(Arc::new);
        *self.started.lock() = None;
        self.plans.iter().for_each(|plan| *plan.lock() = None);
    }

    /// The symbol.
    pub fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// The arrays of the outputs, which every forward pass overwrites; where the symbol runs node by node, those of the
    /// last pass.
    ///
    /// # Errors
    /// `Shape` before the first forward pass if only running shows the shapes.
    pub fn outputs(&self) -> Result<Vec<NdArray>> {
        self.unplanned.as_ref().map_or_else(|| Ok(self.outputs.clone()), Unplanned::outputs)
    }

    /// The memory of the plans, to be shared with another executor.
    pub fn arena(&self) -> &Arc<Arena> {
        &self.arena
    }

    /// Names and arrays of the variables that no operator changes.
    pub fn arguments(&self) -> impl Iterator<Item = (&str, &NdArray)> {
        self.named(false)
    }

    /// Names and arrays of the variables that operators change.
    pub fn auxiliary_states(&self) -> impl Iterator<Item = (&str, &NdArray)> {
        self.named(true)
    }

    fn named(&self, auxiliary: bool) -> impl Iterator<Item = (&str, &NdArray)> {
        let all = self.names.iter().zip(&self.variables).zip(&self.is_auxiliary);
        all.filter(move |(_, a)| **a == auxiliary).map(|((n, v), _)| (&**n, v))
    }

    /// Names and gradients of the arguments; `None` where none is asked for.
    pub fn gradients(&self) -> impl Iterator<Item = (&str, Option<&NdArray>)> {
        let all = self.names.iter().zip(&self.gradients).zip(&self.is_auxiliary);
        all.filter(|(_, a)| !**a).map(|((n, g), _)| (&**n, g.as_ref()))
    }

    /// Copies arrays to the variables of their names, arguments and auxiliary states alike.
    ///
    /// # Errors
    /// `NotFound` for a name that no variable has, unless `allow_extra`; `Shape` or `DType` if an array does not
    /// fit.
    pub fn copy_params_from(&self, params: &[(&str, &NdArray)], allow_extra: bool) -> Result<()> {
        for (name, array) in params {
            match self.names.iter().position(|n| &**n == *name) {
                Some(i) => copy_to(array, &self.variables[i]).map_err(|e| e.about(name))?,
                None if allow_extra => {}
                None => {
                    let hint = nearest(name, self.names.iter().map(|n| &**n));
                    let hint = hint.map_or_else(String::new, |n| format!("; did you mean '{n}'?"));
                    crate::bail!(NotFound, "the symbol has no variable '{name}'{hint}")
                }
            }
        }
        Ok(())
    }

    /// Another executor of the same symbol for other types of its variables. Arrays whose type stays are shared;
    /// others are new, or views of the old ones if they are smaller. So is the memory of the plans.
    ///
    /// # Errors
    /// As [`Executor::bind`]; `Shape` for a variable that grows unless `allow_up_sizing`.
    pub fn reshape(&self, types: &[Type], allow_up_sizing: bool) -> Result<Executor> {
        let fit = |i: usize, old: &NdArray| -> Result<NdArray> {
            let ty = &types[i];
            if old.shape()? == &ty.shape && old.dtype() == ty.dtype {
                return Ok(old.clone());
            }
            if ty.shape.len() > old.len()? && !allow_up_sizing {
                return Err(crate::err!(
                    Shape,
                    "shape {} is larger than {}: pass allow_up_sizing=True to take new memory",
                    ty.shape,
                    old.shape()?
                )
                .about(&self.names[i]));
            }
            if ty.shape.len() <= old.len()? && ty.dtype == old.dtype() {
                let flat = old.reshape(&[old.len()? as i64].into())?;
                return flat.slice(0, ty.shape.len() as i64)?.reshape(&ty.shape);
            }
            NdArray::full(ty.shape.clone(), 0.0, ty.dtype, old.device())
        };
        if types.len() != self.variables.len() {
            crate::bail!(
                InvalidValue,
                "expected {} types, one for each variable, got {}",
                self.variables.len(),
                types.len()
            );
        }
        let variables = self.variables.iter().enumerate().map(|(i, a)| fit(i, a)).collect::<Result<_>>()?;
        let gradients =
            self.gradients.iter().enumerate().map(|(i, g)| g.as_ref().map(|g| fit(i, g)).transpose());
        let gradients = gradients.collect::<Result<_>>()?;
        let requests = self.options.requests.clone();
        Executor::bind(
            &self.symbol,
            variables,
            gradients,
            requests,
            Some(self.arena.clone()),
            self.options.clone(),
        )
    }
}

fn reserve(n: u64, device: Device) -> Stream {
    if n == 0 { Stream::default() } else { rng::generator(device).reserve(n) }
}

/// Refuses head gradients that do not fit their outputs, and that one is missing of which `needed` is true.
fn check_heads(outputs: &[NdArray], given: &[NdArray], needed: impl Fn(usize) -> bool) -> Result<()> {
    if given.len() > outputs.len() {
        crate::bail!(InvalidValue, "expected at most {} head gradients, got {}", outputs.len(), given.len());
    }
    for (i, (given, output)) in given.iter().zip(outputs).enumerate() {
        check_like(given, output).map_err(|e| e.about(&format!("head_grads[{i}]")))?;
    }
    if let Some(i) = (given.len()..outputs.len()).find(|i| needed(*i)) {
        return Err(crate::err!(
            Autograd,
            "output {i} is no loss, so its gradient must be given; or pass it through make_loss"
        )
        .about("out_grads"));
    }
    Ok(())
}
