//! A symbol with what training and prediction need: executors on one or several devices, parameters, an optimizer
//! and perhaps a store, as MXNet 1.9.1's `mx.mod.Module`.
//!
//! The order of its use: [`Module::bind`] to shapes, [`Module::init_params`], [`Module::init_optimizer`]; then for
//! each batch [`Module::forward`], [`Module::backward`], [`Module::update`], [`Module::update_metric`]. The loop over
//! epochs and batches is the caller's.

mod checkpoint;
mod params;
mod replica;
mod train;

pub use params::Given;
pub use train::{StoreChoice, Taking};

use crate::device::Device;
use crate::error::Result;
use crate::graph::Symbol;
use crate::graph::executor::Executor;
use crate::io::DataDesc;
use crate::model::Named;
use crate::ndarray::NdArray;
use crate::op::Req;
use crate::shape::Shape;
use replica::Replica;
use std::sync::{Arc, Mutex};
use train::Trainer;

/// What a module's variables are. Others are parameters.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Data, which every batch brings.
    pub data: Vec<String>,
    /// Labels, which batches bring in training. Those that the symbol does not have are passed over.
    pub label: Vec<String>,
    /// Parameters that are not trained.
    pub fixed: Vec<String>,
    /// States, which stay from batch to batch and are set by the caller.
    pub state: Vec<String>,
}

impl Names {
    /// MXNet's defaults: `data` and `softmax_label`.
    pub fn usual() -> Names {
        Names { data: vec!["data".into()], label: vec!["softmax_label".into()], ..Names::default() }
    }
}

/// What a module is bound for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    /// Prepare for training.
    pub training: bool,
    /// Compute gradients of the data too.
    pub input_gradients: bool,
    /// What to do with gradients of parameters.
    pub request: Req,
}

impl Default for Purpose {
    fn default() -> Purpose {
        Purpose { training: true, input_gradients: false, request: Req::Write }
    }
}

/// What binding made.
struct Bound {
    data: Vec<DataDesc>,
    label: Vec<DataDesc>,
    purpose: Purpose,
    replicas: Vec<Replica>,
}

/// A symbol that can be trained.
pub struct Module {
    symbol: Symbol,
    names: Names,
    params: Vec<String>,
    states: Vec<String>,
    devices: Vec<Device>,
    bound: Option<Bound>,
    initialized: bool,
    /// Parameters that came before the module was bound.
    waiting: Option<(Named, Named)>,
    trainer: Option<Arc<Mutex<Trainer>>>,
    /// States of an optimizer that came before it.
    waiting_states: Option<Vec<u8>>,
}

impl Module {
    /// A module of a symbol, on these devices, among which batches are divided.
    ///
    /// # Errors
    /// `NotFound` for a name of data, state or fixed parameter that the symbol does not have; `InvalidValue`
    /// without a device.
    pub fn new(symbol: Symbol, names: Names, devices: Vec<Device>) -> Result<Module> {
        let arguments = symbol.list_arguments();
        let lists =
            [("data_names", &names.data), ("state_names", &names.state), ("fixed_param_names", &names.fixed)];
        for (argument, list) in lists {
            if let Some(name) = list.iter().find(|n| !arguments.contains(n)) {
                let have: Vec<&str> = arguments.iter().map(String::as_str).take(20).collect();
                let e =
                    crate::err!(NotFound, "the symbol has no argument '{name}'; it has {}", have.join(", "));
                return Err(e.about(argument));
            }
        }
        if devices.is_empty() {
            return Err(crate::err!(InvalidValue, "expected at least one device, got none").about("context"));
        }
        let given =
            |n: &String| [&names.data, &names.label, &names.state].iter().any(|list| list.contains(n));
        let params = arguments.iter().filter(|n| !given(n)).cloned().collect();
        let states = symbol.list_auxiliary_states();
        Ok(Module {
            symbol,
            names,
            params,
            states,
            devices,
            bound: None,
            initialized: false,
            waiting: None,
            trainer: None,
            waiting_states: None,
        })
    }

    /// The symbol.
    pub fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// What the variables are.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Names of the parameters, in the order of the symbol's arguments.
    pub fn param_names(&self) -> &[String] {
        &self.params
    }

    /// The devices.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// True once the module is bound.
    pub fn is_bound(&self) -> bool {
        self.bound.is_some()
    }

    /// True once the parameters have values.
    pub fn is_initialized(&self) -> bool {
        self.initialized
    }

    /// True once there is an optimizer.
    pub fn has_optimizer(&self) -> bool {
        self.trainer.is_some()
    }

    /// Makes executors for data and labels of these shapes. Parameters keep their values if the module was bound
    /// before. `shared` is a bound module of which parameters, memory and optimizer are taken.
    ///
    /// # Errors
    /// `InvalidValue` for names that are not those of the module; those of [`Executor::bind`].
    pub fn bind(
        &mut self,
        data: Vec<DataDesc>,
        label: Vec<DataDesc>,
        purpose: Purpose,
        shared: Option<&Module>,
    ) -> Result<()> {
        self.check_names(&data, &label)?;
        if purpose.input_gradients && !purpose.training {
            let e = crate::err!(InvalidValue, "gradients of inputs need a module that is bound for training");
            return Err(e.about("inputs_need_grad"));
        }
        let before =
            if self.initialized && self.is_bound() { Some(self.params()?) } else { self.waiting.clone() };
        let lenders = shared.map(|m| m.bound().map(|b| &b.replicas)).transpose()?;
        let replicas = replica::bind_all(self, &data, &label, purpose, lenders)?;
        self.bound = Some(Bound { data, label, purpose, replicas });
        self.waiting = None;
        if let Some(shared) = shared {
            self.initialized = shared.initialized;
            self.trainer.clone_from(&shared.trainer);
        } else if let Some((arguments, states)) = before {
            self.initialized = true;
            self.set_params(&arguments, &states, false, true)?;
        }
        Ok(())
    }

    fn check_names(&self, data: &[DataDesc], label: &[DataDesc]) -> Result<()> {
        let list = |descs: &[DataDesc]| descs.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
        let (given, mut expected) = (list(data), self.names.data.clone());
        let mut sorted = given.clone();
        sorted.sort_unstable();
        expected.sort_unstable();
        if sorted != expected {
            let e =
                crate::err!(InvalidValue, "expected data {}, got {}", expected.join(", "), given.join(", "));
            return Err(e.about("data_shapes"));
        }
        if let Some(d) = label.iter().find(|d| !self.names.label.contains(&d.name)) {
            let e =
                crate::err!(InvalidValue, "expected labels {}, got {}", self.names.label.join(", "), d.name);
            return Err(e.about("label_shapes"));
        }
        Ok(())
    }

    fn bound(&self) -> Result<&Bound> {
        self.bound
            .as_ref()
            .ok_or_else(|| crate::err!(InvalidValue, "the module is not bound: call bind first"))
    }

    /// What the data of a batch are.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::bind`].
    pub fn data_descs(&self) -> Result<&[DataDesc]> {
        Ok(&self.bound()?.data)
    }

    /// What the labels of a batch are.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::bind`].
    pub fn label_descs(&self) -> Result<&[DataDesc]> {
        Ok(&self.bound()?.label)
    }

    /// Makes executors for other shapes, with the same parameters.
    ///
    /// # Errors
    /// As [`Module::bind`].
    pub fn reshape(&mut self, data: Vec<DataDesc>, label: Vec<DataDesc>) -> Result<()> {
        self.check_names(&data, &label)?;
        let bound = self.bound()?;
        let replicas = replica::reshape_all(&self.symbol, &bound.replicas, &data, &label, &self.devices)?;
        let purpose = bound.purpose;
        self.bound = Some(Bound { data, label, purpose, replicas });
        Ok(())
    }

    /// Computes the outputs for a batch, whose arrays are in the order in which the module was bound. Other shapes
    /// than before are bound first. `training` is as the module was bound if absent.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::init_params`] and for another number of arrays; those of
    /// [`Executor::forward`].
    pub fn forward(&mut self, data: &[NdArray], label: &[NdArray], training: Option<bool>) -> Result<()> {
        self.check_initialized()?;
        let bound = self.bound()?;
        if data.len() != bound.data.len() {
            let e = crate::err!(InvalidValue, "expected {} arrays, got {}", bound.data.len(), data.len());
            return Err(e.about("data"));
        }
        let (new_data, new_label) = (adapted(&bound.data, data)?, adapted(&bound.label, label)?);
        if new_data.is_some() || new_label.is_some() {
            let data = new_data.unwrap_or_else(|| bound.data.clone());
            let label = new_label.unwrap_or_else(|| follow(&bound.label, &bound.data, &data));
            self.reshape(data, label)?;
        }
        let bound = self.bound()?;
        let training = training.unwrap_or(bound.purpose.training);
        for replica in &bound.replicas {
            replica.load(&bound.data, data)?;
            replica.load(&bound.label, label)?;
            replica.executor.forward(training)?;
        }
        Ok(())
    }

    /// Computes the gradients after [`Module::forward`] in training; `out_grads` are those of the outputs, which
    /// outputs of losses do not need.
    ///
    /// # Errors
    /// Those of [`Executor::backward`].
    pub fn backward(&self, out_grads: &[NdArray]) -> Result<()> {
        let replicas = &self.bound()?.replicas;
        replicas.iter().try_for_each(|replica| {
            let part = out_grads.iter().map(|g| replica.part(g)).collect::<Result<Vec<_>>>()?;
            replica.executor.backward(&part)
        })
    }

    /// The outputs of the last [`Module::forward`], those of all devices as one. With one device these are arrays
    /// that the next one overwrites.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::bind`].
    pub fn outputs(&self) -> Result<Vec<NdArray>> {
        let replicas = &self.bound()?.replicas;
        (0..self.symbol.outputs.len())
            .map(|i| replica::joined(replicas, |r| Ok(r.executor.outputs()?.swap_remove(i))))
            .collect()
    }

    /// The gradients of the data, in the order in which the module was bound.
    ///
    /// # Errors
    /// `InvalidValue` unless the module was bound for them.
    pub fn input_grads(&self) -> Result<Vec<NdArray>> {
        let bound = self.bound()?;
        if !bound.purpose.input_gradients {
            crate::bail!(InvalidValue, "the module was not bound for gradients of inputs");
        }
        let gradient = |d: &DataDesc| replica::joined(&bound.replicas, |r| r.gradient_of(&d.name));
        bound.data.iter().map(gradient).collect()
    }

    /// The executor of a device, by its place in the list.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::bind`]; `Index` if there is none.
    pub fn executor(&self, i: usize) -> Result<Arc<Executor>> {
        let replicas = &self.bound()?.replicas;
        let found = replicas.get(i).map(|r| r.executor.clone());
        found.ok_or_else(|| crate::err!(Index, "there is no device {i} of {}", replicas.len()).about("i"))
    }

    fn check_initialized(&self) -> Result<()> {
        if !self.initialized {
            crate::bail!(InvalidValue, "the parameters have no values: call init_params first");
        }
        Ok(())
    }
}

/// The descriptions with the shapes of these arrays, if they differ. Arrays may be fewer.
fn adapted(descs: &[DataDesc], arrays: &[NdArray]) -> Result<Option<Vec<DataDesc>>> {
    let (mut out, mut differs) = (descs.to_vec(), false);
    for (desc, array) in out.iter_mut().zip(arrays) {
        if desc.shape != *array.shape()? {
            desc.shape = array.shape()?.clone();
            differs = true;
        }
    }
    Ok(differs.then_some(out))
}

/// Descriptions of labels for data of another batch size.
fn follow(label: &[DataDesc], old: &[DataDesc], new: &[DataDesc]) -> Vec<DataDesc> {
    let size = |descs: &[DataDesc]| descs.first().and_then(|d| d.shape.first().copied());
    let with = |d: &DataDesc| {
        let mut shape: Shape = d.shape.clone();
        if let (Some(was), Some(is), Some(first)) = (size(old), size(new), shape.first().copied()) {
            if first == was {
                shape[0] = is;
            }
        }
        DataDesc { shape, ..d.clone() }
    };
    label.iter().map(with).collect()
}
