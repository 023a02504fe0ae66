//! An optimizer: a rule, and what depends on the parameter.

use super::common::{Common, LEARNING_RATE, Rule, Step};
use super::optimizers;
use super::schedule::SharedScheduler;
use crate::DType;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::attrs::find_attr;
use crate::op::invoke::convert_to;
use crate::op::{AttrValue, Registered};
use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;

/// How a factor of a learning rate or decay names its parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Param {
    /// By index.
    Index(i64),
    /// By name; see [`Optimizer::set_names`].
    Name(String),
}

/// Factors of a learning rate or decay.
pub type Factors = HashMap<Param, f64>;

/// What an optimizer remembers of a parameter.
#[derive(Clone, Debug)]
pub struct State {
    /// The rule's states.
    pub arrays: Vec<NdArray>,
    /// The weight in `float32`, if it is in half precision and the optimizer keeps copies.
    pub master: Option<NdArray>,
}

impl State {
    /// All arrays; the copy of the weight, if there is one, is the last.
    pub fn to_arrays(&self) -> Vec<NdArray> {
        self.arrays.iter().chain(&self.master).cloned().collect()
    }
}

/// The learning rate where nothing says another.
const DEFAULT_LEARNING_RATE: f64 = 0.01;

/// A rule with learning rates, decays and counts of updates.
pub struct Optimizer {
    entry: &'static Registered<dyn Rule>,
    values: Vec<(u32, AttrValue)>,
    rule: Box<dyn Rule>,
    common: Common,
    learning_rate: f64,
    scheduler: Option<SharedScheduler>,
    names: HashMap<i64, String>,
    lr_mult: Factors,
    wd_mult: Factors,
    /// Factors of the learning rate and of the decay that a symbol's variables have.
    of_symbol: (Factors, Factors),
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
        let entry = optimizers().find(name)?;
        let values: Result<Vec<_>> =
            attrs.iter().map(|(n, v)| Ok((find_attr(&entry.attrs, n)?.id, v.clone()))).collect();
        Optimizer::with_values(name, &values.map_err(|e| e.in_operator(entry.name))?)
    }

    /// The optimizer of this name with these attributes, by id.
    ///
    /// # Errors
    /// As [`Optimizer::create`].
    pub fn with_values(name: &str, values: &[(u32, AttrValue)]) -> Result<Optimizer> {
        let entry = optimizers().find(name)?;
        let rule = entry.create(values)?;
        let common = rule.common();
        Ok(Optimizer {
            entry,
            values: values.to_vec(),
            learning_rate: common.learning_rate.unwrap_or(DEFAULT_LEARNING_RATE),
            num_update: common.begin_num_update,
            scheduler: None,
            names: HashMap::new(),
            lr_mult: Factors::new(),
            wd_mult: Factors::new(),
            of_symbol: Default::default(),
            counts: BTreeMap::new(),
            common,
            rule,
        })
    }

    /// Changes attributes, by id; all others, and what was counted, stay.
    ///
    /// # Errors
    /// As [`Optimizer::create`]; nothing has changed then.
    pub fn set(&mut self, changes: &[(u32, AttrValue)]) -> Result<()> {
        let mut values = self.values.clone();
        for (id, value) in changes {
            match values.iter_mut().find(|(known, _)| known == id) {
                Some(known) => known.1 = value.clone(),
                None => values.push((*id, value.clone())),
            }
        }
        let mut rule = self.entry.create(&values)?;
        rule.set_numbers(&self.rule.numbers());
        self.common = rule.common();
        if changes.iter().any(|(id, _)| *id == LEARNING_RATE) {
            self.learning_rate = self.common.learning_rate.unwrap_or(DEFAULT_LEARNING_RATE);
        }
        (self.values, self.rule) = (values, rule);
        Ok(())
    }

    /// Takes learning rates from a schedule. It starts from the optimizer's learning rate, if that was given
    /// or the optimizer has a default of its own.
    pub fn set_lr_scheduler(&mut self, scheduler: SharedScheduler) {
        if let Some(lr) = self.common.learning_rate {
            scheduler.lock().unwrap_or_else(PoisonError::into_inner).set_base_lr(lr);
        }
        self.scheduler = Some(scheduler);
    }

    /// The learning rate now, without factors of parameters.
    pub fn learning_rate(&self) -> f64 {
        self.scheduler.as_ref().map_or(self.learning_rate, |s| {
            s.lock().unwrap_or_else(PoisonError::into_inner).lr(self.num_update)
        })
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

    /// Largest number of updates that any parameter has had.
    pub fn num_update(&self) -> i64 {
        self.num_update
    }

    /// Says the parameters' names, by which factors find them. Parameters whose names end neither in
    /// `_weight` nor in `_gamma` then do not decay, unless [`Optimizer::set_wd_mult`] says so: what MXNet's
    /// `param_idx2name` does.
    pub fn set_names(&mut self, names: HashMap<i64, String>) {
        self.names = names;
        self.set_wd_mult(Factors::new());
    }

    /// Says more parameters' names, by which factors find them. All parameters decay as before, until
    /// [`Optimizer::set_wd_mult`] is called.
    pub fn add_names(&mut self, names: HashMap<i64, String>) {
        self.names.extend(names);
    }

    /// Says the factors of the learning rate and of the decay that a symbol's variables have. They stay where
    /// other factors are set later, unless those are of the same parameters.
    pub fn set_symbol_factors(&mut self, lr_mult: Factors, wd_mult: Factors) {
        self.of_symbol = (lr_mult, wd_mult);
        self.set_lr_mult(Factors::new());
        self.set_wd_mult(Factors::new());
    }

    /// True if some parameter's name is known.
    pub fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// The index of the parameter with this name, a free one if no parameter has it.
    pub fn index_of(&mut self, name: &str) -> i64 {
        if let Some((index, _)) = self.names.iter().find(|(_, n)| *n == name) {
            return *index;
        }
        let free = self.names.keys().max().map_or(0, |last| last + 1);
        self.names.insert(free, name.to_owned());
        free
    }

    /// True if the attribute with this id was given.
    pub fn is_given(&self, id: u32) -> bool {
        self.values.iter().any(|(given, _)| *given == id)
    }

    /// Sets the factors of the learning rate, 1 for parameters that are not named.
    pub fn set_lr_mult(&mut self, factors: Factors) {
        self.lr_mult = self.of_symbol.0.clone();
        self.lr_mult.extend(factors);
    }

    /// Sets the factors of the decay, 1 for parameters that are not named, but 0 for those whose known names
    /// end neither in `_weight` nor in `_gamma`.
    pub fn set_wd_mult(&mut self, factors: Factors) {
        let decays = |n: &str| n.ends_with("_weight") || n.ends_with("_gamma");
        let others = self.names.values().filter(|n| !decays(n));
        self.wd_mult = others.map(|n| (Param::Name(n.clone()), 0.0)).collect();
        self.wd_mult.extend(self.of_symbol.1.clone());
        self.wd_mult.extend(factors);
    }

    /// Sets both factors of one parameter, which count before those by its name.
    pub fn set_mult(&mut self, index: i64, lr_mult: f64, wd_mult: f64) {
        self.lr_mult.insert(Param::Index(index), lr_mult);
        self.wd_mult.insert(Param::Index(index), wd_mult);
    }

    /// The learning rate and the decay of a parameter now.
    pub fn rates(&self, index: i64) -> (f64, f64) {
        let lr = self.learning_rate() * self.factor(&self.lr_mult, index);
        (lr, self.common.wd * self.factor(&self.wd_mult, index))
    }

    fn factor(&self, factors: &Factors, index: i64) -> f64 {
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
    pub fn create_state(&self, weight: &NdArray) -> Result<State> {
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

    /// The state that consists of these arrays, in the order of [`State::to_arrays`].
    ///
    /// # Errors
    /// `InvalidValue` for another number of arrays.
    pub fn state(&self, mut arrays: Vec<NdArray>) -> Result<State> {
        let n = self.rule.num_states();
        if arrays.len() != n && arrays.len() != n + 1 {
            return Err(crate::err!(
                InvalidValue,
                "expected {n} arrays, or {} with a copy of the weight, got {}",
                n + 1,
                arrays.len()
            )
            .about("state")
            .in_operator(self.entry.name));
        }
        let master = if arrays.len() > n { arrays.pop() } else { None };
        Ok(State { arrays, master })
    }

    /// Counts an update of a parameter and changes its weight and state by its gradient.
    ///
    /// # Errors
    /// As [`Optimizer::step`].
    pub fn update(&mut self, index: i64, weight: &NdArray, grad: &NdArray, state: &State) -> Result<()> {
        let key = (weight.device().id, index);
        let (before, num_update) = (self.counts.get(&key).copied(), self.num_update);
        let t = self.count(index, key.0);
        let done = self.step(index, t, weight, grad, state);
        if done.is_err() {
            // A failed call changes nothing.
            match before {
                Some(n) => self.counts.insert(key, n),
                None => self.counts.remove(&key),
            };
            self.num_update = num_update;
        }
        done
    }

    /// Counts an update of a parameter on the device with this number; returns how many there are now.
    pub fn count(&mut self, index: i64, device: i32) -> i64 {
        let count = self.counts.entry((device, index)).or_insert(self.common.begin_num_update);
        *count += 1;
        self.num_update = self.num_update.max(*count);
        *count
    }

    /// How many updates of a parameter were counted on the device with this number.
    pub fn updates(&self, index: i64, device: i32) -> i64 {
        self.counts.get(&(device, index)).copied().unwrap_or(self.common.begin_num_update)
    }

    /// Changes a weight and its state by its gradient, as its update number `t`.
    ///
    /// # Errors
    /// `InvalidValue` for a state that belongs to another optimizer and for a `t` below 1; those of the operators.
    pub fn step(
        &mut self,
        index: i64,
        t: i64,
        weight: &NdArray,
        grad: &NdArray,
        state: &State,
    ) -> Result<()> {
        let name = self.entry.name;
        if t < 1 {
            return Err(crate::err!(InvalidValue, "expected at least 1, got {t}")
                .about("t")
                .in_operator(name));
        }
        self.check(weight, state).map_err(|e| e.in_operator(name))?;
        let (lr, wd) = self.rates(index);
        let step = Step {
            weight,
            grad,
            states: &state.arrays,
            master: state.master.as_ref(),
            lr,
            wd,
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

    /// Refuses a state that another optimizer, or this one with other attributes, made.
    fn check(&self, weight: &NdArray, state: &State) -> Result<()> {
        let (n, master) = (self.rule.num_states(), self.keeps_master(weight));
        if state.arrays.len() == n && state.master.is_some() == master {
            return Ok(());
        }
        let copy = |there: bool| if there { " and a copy of the weight" } else { "" };
        Err(crate::err!(
            InvalidValue,
            "expected {n} arrays{}, got {}{}: another optimizer made it",
            copy(master),
            state.arrays.len(),
            copy(state.master.is_some())
        )
        .about("state"))
    }

    pub(super) fn rule(&mut self) -> &mut dyn Rule {
        &mut *self.rule
    }
}
