//! An optimizer: a rule, and what depends on the parameter.

use super::common::{Common, Rule, Step};
use super::optimizers;
use super::schedule::LrScheduler;
use crate::DType;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::AttrValue;
use crate::op::invoke::convert_to;
use std::collections::{BTreeMap, HashMap};

/// How a factor of a learning rate or decay names its parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Param {
    /// By index.
    Index(i64),
    /// By name; see [`Optimizer::set_names`].
    Name(String),
}

/// What an optimizer remembers of a parameter.
#[derive(Clone, Debug)]
pub struct State {
    /// The rule's states.
    pub arrays: Vec<NdArray>,
    /// The weight in `float32`, if it is in half precision and the optimizer keeps copies.
    pub master: Option<NdArray>,
}

/// A rule with learning rates, decays and counts of updates.
pub struct Optimizer {
    rule: Box<dyn Rule>,
    common: Common,
    learning_rate: f64,
    scheduler: Option<Box<dyn LrScheduler>>,
    names: HashMap<i64, String>,
    lr_mult: HashMap<Param, f64>,
    wd_mult: HashMap<Param, f64>,
    /// Updates so far, by number of the device and index of the parameter.
    pub(super) counts: BTreeMap<(i32, i64), i64>,
    pub(super) num_update: i64,
}

impl Optimizer {
    /// The optimizer of this name with these attributes.
    ///
    /// # Errors
    /// `NotFound` for an unknown name or attribute; about an attribute whose value is not allowed.
    pub fn create(name: &str, attrs: &[(&str, AttrValue)]) -> Result<Optimizer> {
        Ok(Optimizer::new(optimizers().create(name, attrs)?))
    }

    /// An optimizer with this rule.
    pub fn new(rule: Box<dyn Rule>) -> Optimizer {
        let common = rule.common();
        Optimizer {
            learning_rate: common.learning_rate.unwrap_or(0.01),
            num_update: common.begin_num_update,
            scheduler: None,
            names: HashMap::new(),
            lr_mult: HashMap::new(),
            wd_mult: HashMap::new(),
            counts: BTreeMap::new(),
            common,
            rule,
        }
    }

    /// Takes learning rates from a schedule. It starts from the optimizer's learning rate, if that was
    /// given or the
    /// optimizer has a default of its own.
    pub fn set_lr_scheduler(&mut self, mut scheduler: Box<dyn LrScheduler>) {
        if let Some(lr) = self.common.learning_rate {
            scheduler.set_base_lr(lr);
        }
        self.scheduler = Some(scheduler);
    }

    /// The learning rate now, without factors of parameters.
    pub fn learning_rate(&self) -> f64 {
        self.scheduler.as_ref().map_or(self.learning_rate, |s| s.lr(self.num_update))
    }

    /// Sets the learning rate.
    ///
    /// # Errors
    /// `InvalidValue` if a schedule says it.
    pub fn set_learning_rate(&mut self, lr: f64) -> Result<()> {
        if self.scheduler.is_some() {
            crate::bail!(InvalidValue, "a schedule says the learning rate, so it cannot be set");
        }
        self.learning_rate = lr;
        Ok(())
    }

    /// The factor of all gradients.
    pub fn rescale_grad(&self) -> f64 {
        self.common.rescale_grad
    }

    /// Sets the factor of all gradients.
    pub fn set_rescale_grad(&mut self, factor: f64) {
        self.common.rescale_grad = factor;
    }

    /// Largest number of updates that any parameter has had.
    pub fn num_update(&self) -> i64 {
        self.num_update
    }

    /// Says the parameters' names, by which factors find them. Parameters whose names end neither in
    /// `_weight` nor
    /// in `_gamma` then do not decay, unless [`Optimizer::set_wd_mult`] says so.
    pub fn set_names(&mut self, names: HashMap<i64, String>) {
        self.names = names;
        self.set_wd_mult(HashMap::new());
    }

    /// Sets the factors of the learning rate, 1 for parameters that are not named.
    pub fn set_lr_mult(&mut self, factors: HashMap<Param, f64>) {
        self.lr_mult = factors;
    }

    /// Sets the factors of the decay, 1 for parameters that are not named, but for the names that
    /// [`Optimizer::set_names`] speaks of.
    pub fn set_wd_mult(&mut self, factors: HashMap<Param, f64>) {
        let decays = |n: &str| n.ends_with("_weight") || n.ends_with("_gamma");
        let others = self.names.values().filter(|n| !decays(n));
        self.wd_mult = others.map(|n| (Param::Name(n.clone()), 0.0)).collect();
        self.wd_mult.extend(factors);
    }

    fn factor(&self, factors: &HashMap<Param, f64>, index: i64) -> f64 {
        let by_name = || factors.get(&Param::Name(self.names.get(&index)?.clone()));
        factors.get(&Param::Index(index)).or_else(by_name).copied().unwrap_or(1.0)
    }

    /// True if a copy in `float32` of this weight is kept.
    fn keeps_master(&self, weight: &NdArray) -> bool {
        self.common.multi_precision && matches!(weight.dtype(), DType::F16 | DType::BF16)
    }

    /// The state that a parameter begins with.
    ///
    /// # Errors
    /// `DType` for a weight that is not floating-point.
    pub fn create_state(&self, _index: i64, weight: &NdArray) -> Result<State> {
        if !weight.dtype().is_float() {
            return Err(
                crate::err!(DType, "expected a floating-point dtype, got {}", weight.dtype()).about("weight")
            );
        }
        let (shape, device) = (weight.shape()?.clone(), weight.device());
        let master = if self.keeps_master(weight) {
            let copy = NdArray::empty(shape.clone(), DType::F32, device)?;
            convert_to(weight, &copy)?;
            Some(copy)
        } else {
            None
        };
        let dtype = if master.is_some() { DType::F32 } else { weight.dtype() };
        let zeros = || NdArray::full(shape.clone(), 0.0, dtype, device);
        let arrays = (0..self.rule.num_states()).map(|_| zeros()).collect::<Result<_>>()?;
        Ok(State { arrays, master })
    }

    /// Changes a weight and its state by its gradient.
    ///
    /// # Errors
    /// `InvalidValue` for a state that belongs to another optimizer; those of the operators.
    pub fn update(&mut self, index: i64, weight: &NdArray, grad: &NdArray, state: &State) -> Result<()> {
        if state.arrays.len() != self.rule.num_states() || state.master.is_some() != self.keeps_master(weight)
        {
            return Err(crate::err!(
                InvalidValue,
                "expected {} arrays{}, got {}{}: it was made by another optimizer",
                self.rule.num_states(),
                if self.keeps_master(weight) { " and a copy of the weight" } else { "" },
                state.arrays.len(),
                if state.master.is_some() { " and a copy of the weight" } else { "" }
            )
            .about("state"));
        }
        let t = self.count(index, weight);
        let step = Step {
            weight,
            grad,
            states: &state.arrays,
            master: state.master.as_ref(),
            lr: self.learning_rate() * self.factor(&self.lr_mult, index),
            wd: self.common.wd * self.factor(&self.wd_mult, index),
            t,
            rescale_grad: self.common.rescale_grad,
            clip_gradient: self.common.clip_gradient.filter(|c| *c != 0.0).unwrap_or(-1.0),
        };
        match &state.master {
            Some(master) if !self.rule.handles_master() => {
                let wide = NdArray::empty(grad.shape()?.clone(), DType::F32, grad.device())?;
                convert_to(grad, &wide)?;
                self.rule.step(&Step { weight: master, grad: &wide, master: None, ..step })?;
                convert_to(master, weight)
            }
            _ => self.rule.step(&step),
        }
    }

    /// Counts an update and says its number.
    fn count(&mut self, index: i64, weight: &NdArray) -> i64 {
        let count = self.counts.entry((weight.device().id, index)).or_insert(self.common.begin_num_update);
        *count += 1;
        self.num_update = self.num_update.max(*count);
        *count
    }

    pub(super) fn rule(&mut self) -> &mut dyn Rule {
        &mut *self.rule
    }
}
