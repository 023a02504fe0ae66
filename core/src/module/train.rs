//! Training: the optimizer of a module, with or without a store, its states, and metrics.

use super::Module;
use crate::error::Result;
use crate::kvstore::{self, Key, SharedKvStore};
use crate::metric::{Metric, NamedArrays};
use crate::ndarray::NdArray;
use crate::op::AttrValue;
use crate::optim::{Factors, Param, RESCALE_GRAD, SharedOptimizer, Updater};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where gradients are summed.
pub enum StoreChoice<'a> {
    /// Nowhere: each device is trained by itself.
    None,
    /// In a store that is made by its name; with one device no store is needed, and none is made.
    Named(&'a str),
    /// In this store.
    Given(SharedKvStore),
}

/// Parameters of more elements are updated on their devices, not in a store `local`.
const LARGE: usize = 16 << 20;

/// How a module is trained.
pub(super) struct Trainer {
    optimizer: SharedOptimizer,
    store: Option<SharedKvStore>,
    /// Updates each device's copy, unless the store updates.
    updater: Option<Updater>,
}

/// How [`Module::init_optimizer`] takes an optimizer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taking {
    /// Gradients are divided by the batch size, unless the optimizer was given a `rescale_grad`.
    pub rescale: bool,
    /// As MXNet's module takes an optimizer that is made by its name: parameters whose names end neither in
    /// `_weight` nor in `_gamma` do not decay, and the factors that the symbol's variables have count. Without it, and
    /// for an optimizer that knows names, factors stay.
    pub by_name: bool,
    /// Do it even if there is an optimizer.
    pub force: bool,
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Module {
    /// Takes an optimizer. Parameters get their names in it, unless it has some. Does nothing if there is an
    /// optimizer, unless forced; says whether it did.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::init_params`]; those of the store.
    pub fn init_optimizer(
        &mut self,
        optimizer: SharedOptimizer,
        store: StoreChoice,
        taking: Taking,
    ) -> Result<bool> {
        self.check_initialized()?;
        if self.trainer.is_some() && !taking.force {
            return Ok(false);
        }
        let named = matches!(store, StoreChoice::Named(_));
        let store = match store {
            StoreChoice::Named(name) if self.devices.len() > 1 => {
                Some(Arc::new(Mutex::new(kvstore::create(name)?)))
            }
            StoreChoice::Named(name) => kvstore::create(name).map(|_| None)?,
            StoreChoice::Given(store) => Some(store),
            StoreChoice::None => None,
        };
        let large = named && self.largest()? > LARGE;
        let on_store = store.as_ref().is_some_and(|s| !(large && lock(s).kind() == "local"));
        self.prepare(&optimizer, on_store, taking)?;
        if let Some(store) = &store {
            self.fill(&mut **lock(store), on_store.then(|| optimizer.clone()))?;
        }
        let updater = (!on_store).then(|| Updater::new(optimizer.clone()));
        self.trainer = Some(Arc::new(Mutex::new(Trainer { optimizer, store, updater })));
        if let Some(states) = self.waiting_states.take() {
            self.set_optimizer_states(&states)?;
        }
        Ok(true)
    }

    /// Elements of the largest parameter.
    fn largest(&self) -> Result<usize> {
        let first = &self.bound()?.replicas[0];
        let sizes = self.params.iter().filter_map(|n| first.variable(n)?.known_shape().map(|s| s.len()));
        Ok(sizes.max().unwrap_or(0))
    }

    /// Tells an optimizer of the parameters.
    fn prepare(&self, optimizer: &SharedOptimizer, on_store: bool, taking: Taking) -> Result<()> {
        let copies = if on_store { 1 } else { self.devices.len() };
        let mut optimizer = lock(optimizer);
        if !optimizer.has_names() {
            let each = self.params.iter().enumerate();
            let names =
                each.flat_map(|(i, n)| (0..copies).map(move |k| ((i * copies + k) as i64, n.clone())));
            optimizer.add_names(names.collect());
            if taking.by_name {
                let factors = |attribute| self.multipliers(attribute);
                optimizer.set_symbol_factors(factors("__lr_mult__")?, factors("__wd_mult__")?);
            }
        }
        if taking.rescale && !optimizer.is_given(RESCALE_GRAD) {
            let size = self.batch_size()?.max(1) as f64;
            optimizer.set(&[(RESCALE_GRAD, AttrValue::Float(1.0 / size))])?;
        }
        Ok(())
    }

    /// Number of examples in a batch.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::bind`].
    pub fn batch_size(&self) -> Result<i64> {
        let first = self.bound()?.data.first();
        Ok(first.map_or(0, |d| d.shape.get(d.layout.find('N').unwrap_or(0)).copied().unwrap_or(0)))
    }

    /// Multipliers that variables of the symbol have under this attribute.
    fn multipliers(&self, attribute: &str) -> Result<Factors> {
        let variables = self.symbol.topo().into_iter().filter(|n| n.is_variable());
        let given = variables.filter_map(|n| Some((n.name.clone(), n.attrs().get(attribute)?.clone())));
        let number = |(name, text): (String, String)| {
            let number = text.trim().parse().map_err(|_| {
                crate::err!(Format, "expected a number in the attribute {attribute}, got '{text}'")
                    .about(&name)
            })?;
            Ok((Param::Name(name), number))
        };
        given.map(number).collect()
    }

    /// Puts the parameters into a store.
    fn fill(&self, store: &mut dyn kvstore::KvStore, optimizer: Option<SharedOptimizer>) -> Result<()> {
        if let Some(optimizer) = optimizer {
            store.set_optimizer(optimizer);
        }
        let bound = self.bound()?;
        for name in &self.params {
            let copies: Vec<NdArray> =
                bound.replicas.iter().filter_map(|r| r.variable(name).cloned()).collect();
            store.broadcast(Key::Name(name.clone()), &copies[0], &copies)?;
        }
        Ok(())
    }

    fn trainer(&self) -> Result<MutexGuard<'_, Trainer>> {
        let trainer = self.trainer.as_deref().map(lock);
        trainer.ok_or_else(|| {
            crate::err!(InvalidValue, "the module has no optimizer: call init_optimizer first")
        })
    }

    /// Changes the parameters by their gradients.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::init_optimizer`]; those of the optimizer and the store.
    pub fn update(&mut self) -> Result<()> {
        let mut trainer = self.trainer()?;
        let Trainer { store, updater, .. } = &mut *trainer;
        let replicas = &self.bound()?.replicas;
        for (i, name) in self.params.iter().enumerate() {
            let gradients: Vec<NdArray> = replicas.iter().filter_map(|r| r.gradient_of(name).ok()).collect();
            if gradients.is_empty() {
                continue;
            }
            let weights: Vec<NdArray> = replicas.iter().filter_map(|r| r.variable(name).cloned()).collect();
            let key = Key::Name(name.clone());
            match (&store, &mut *updater) {
                (Some(store), None) => lock(store).pushpull(&key, &gradients, &weights)?,
                (Some(store), Some(_)) => lock(store).pushpull(&key, &gradients, &gradients)?,
                _ => {}
            }
            let Some(updater) = updater.as_mut() else { continue };
            for (k, (weight, gradient)) in weights.iter().zip(&gradients).enumerate() {
                updater.update((i * replicas.len() + k) as i64, gradient, weight)?;
            }
        }
        Ok(())
    }

    /// Shows the outputs of the last [`Module::forward`] to a metric, with the labels of the batch.
    ///
    /// # Errors
    /// Those of the metric.
    pub fn update_metric(&self, metric: &mut dyn Metric, labels: &[NdArray]) -> Result<()> {
        let bound = self.bound()?;
        let descs: Vec<&str> = match bound.label.is_empty() {
            true => self.names.label.iter().map(String::as_str).collect(),
            false => bound.label.iter().map(|d| d.name.as_str()).collect(),
        };
        let outputs = self.symbol.list_outputs();
        for replica in &bound.replicas {
            let parts = labels.iter().map(|l| replica.part(l)).collect::<Result<Vec<_>>>()?;
            let labels: Vec<_> = descs.iter().copied().zip(&parts).collect();
            let preds = replica.executor.outputs()?;
            let preds: Vec<_> = outputs.iter().map(String::as_str).zip(&preds).collect();
            let (labels, preds): (&NamedArrays, &NamedArrays) = (&labels, &preds);
            metric.update_named(labels, preds)?;
        }
        Ok(())
    }

    /// The optimizer.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::init_optimizer`].
    pub fn optimizer(&self) -> Result<SharedOptimizer> {
        Ok(self.trainer()?.optimizer.clone())
    }

    /// The states of the optimizer as bytes. Waits for them.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::init_optimizer`]; as [`Updater::to_bytes`].
    pub fn optimizer_states(&self) -> Result<Vec<u8>> {
        let trainer = self.trainer()?;
        match (&trainer.updater, &trainer.store) {
            (Some(updater), _) => updater.to_bytes(),
            (None, Some(store)) => lock(store).optimizer_states(),
            (None, None) => Err(crate::Error::internal("a trainer without an updater has a store")),
        }
    }

    /// Replaces the states of the optimizer by those of [`Module::optimizer_states`].
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::init_optimizer`]; `Format` for other bytes.
    pub fn set_optimizer_states(&mut self, bytes: &[u8]) -> Result<()> {
        let mut trainer = self.trainer()?;
        let Trainer { updater, store, .. } = &mut *trainer;
        match (updater, store) {
            (Some(updater), _) => updater.set_bytes(bytes),
            (None, Some(store)) => lock(store).set_optimizer_states(bytes),
            (None, None) => Err(crate::Error::internal("a trainer without an updater has a store")),
        }
    }
}
