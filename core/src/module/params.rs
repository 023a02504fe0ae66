//! Parameters of a module: first values, setting and getting them.

use super::Module;
use super::replica::Replica;
use crate::error::Result;
use crate::init::{self, Initializer};
use crate::model::Named;
use crate::ndarray::NdArray;
use crate::op::attrs::AttrValue;
use crate::op::invoke::{convert_to, copy_to};
use crate::op::{Call, Req, invoke, registry};
use crate::ops::elemwise::AddN;
use std::collections::HashMap;

/// Values that the caller has for parameters.
#[derive(Clone, Copy, Default)]
pub struct Given<'a> {
    /// Of arguments, if there are any values for them.
    pub arguments: Option<&'a [(String, NdArray)]>,
    /// Of auxiliary states.
    pub states: Option<&'a [(String, NdArray)]>,
    /// The initializer fills parameters without a value, which is an error otherwise.
    pub allow_missing: bool,
    /// Values that no parameter takes are passed over, which is an error otherwise.
    pub allow_extra: bool,
}

fn sorted(names: &[String]) -> Vec<&String> {
    let mut names: Vec<&String> = names.iter().collect();
    names.sort_unstable();
    names
}

impl Module {
    /// Gives the parameters their first values: those given, others by the initializer, in the order of their names,
    /// arguments first. Does nothing if they have values, unless `force`; says whether it did.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::bind`]; `NotFound` for a parameter that has no value, or a value without a
    /// parameter; `Shape` for values that do not fit; those of the initializer.
    pub fn init_params(
        &mut self,
        initializer: Option<&dyn Initializer>,
        given: Given,
        force: bool,
    ) -> Result<bool> {
        if self.initialized && !force {
            return Ok(false);
        }
        if !given.allow_extra {
            self.refuse_unknown(given.arguments.unwrap_or_default(), given.states.unwrap_or_default())?;
        }
        let own = self.own_initializers();
        let bound = self.bound()?;
        let (first, others) = bound.replicas.split_first().expect("a module has a device");
        let lists = [(&self.params, given.arguments), (&self.states, given.states)];
        for (name, values) in
            lists.into_iter().flat_map(|(names, v)| sorted(names).into_iter().map(move |n| (n, v)))
        {
            let array = variable(first, name)?;
            let value = values.map(|v| v.iter().find(|(n, _)| n == name).map(|(_, a)| a));
            match value {
                Some(Some(value)) => convert_to(value, array).map_err(|e| e.about(name))?,
                Some(None) if !given.allow_missing => {
                    return Err(
                        crate::err!(NotFound, "the parameter '{name}' is not among those given").about(name)
                    );
                }
                Some(None) if initializer.is_none() => {}
                _ => fill(name, own.get(name), initializer, array)?,
            }
            for other in others {
                copy_to(array, variable(other, name)?)?;
            }
        }
        self.initialized = true;
        Ok(true)
    }

    /// Initializers that variables of the symbol name themselves.
    fn own_initializers(&self) -> HashMap<String, String> {
        let variables = self.symbol.topo().into_iter().filter(|n| n.is_variable());
        variables.filter_map(|n| Some((n.name.clone(), n.attrs().get("__init__")?.clone()))).collect()
    }

    fn refuse_unknown(&self, arguments: &[(String, NdArray)], states: &[(String, NdArray)]) -> Result<()> {
        for (given, known) in [(arguments, &self.params), (states, &self.states)] {
            if let Some((name, _)) = given.iter().find(|(n, _)| !known.contains(n)) {
                let e = crate::err!(
                    NotFound,
                    "the module has no such parameter; pass allow_extra to pass it over"
                );
                return Err(e.about(name));
            }
        }
        Ok(())
    }

    /// Sets parameters.
    ///
    /// # Errors
    /// As [`Module::init_params`].
    pub fn set_params(
        &mut self,
        arguments: &[(String, NdArray)],
        states: &[(String, NdArray)],
        allow_missing: bool,
        allow_extra: bool,
    ) -> Result<()> {
        let given = Given { arguments: Some(arguments), states: Some(states), allow_missing, allow_extra };
        self.init_params(None, given, true).map(drop)
    }

    /// Copies of the parameters: arguments and auxiliary states. Those of several devices are averaged.
    ///
    /// # Errors
    /// `InvalidValue` before [`Module::init_params`].
    pub fn params(&self) -> Result<(Named, Named)> {
        self.check_initialized()?;
        let Some(bound) = &self.bound else {
            return self
                .waiting
                .clone()
                .ok_or_else(|| crate::Error::internal("the module lost its parameters"));
        };
        let copy = |name: &String, from: &NdArray| -> Result<(String, NdArray)> {
            let to = NdArray::empty(from.shape()?.clone(), from.dtype(), from.device())?;
            copy_to(from, &to)?;
            Ok((name.clone(), to))
        };
        let all = |names: &[String]| -> Result<Named> {
            names.iter().map(|n| copy(n, &mean(&bound.replicas, n)?)).collect()
        };
        Ok((all(&self.params)?, all(&self.states)?))
    }
}

fn variable<'a>(replica: &'a Replica, name: &str) -> Result<&'a NdArray> {
    replica.variable(name).ok_or_else(|| crate::Error::internal(format!("the executor has no '{name}'")))
}

fn fill(
    name: &str,
    own: Option<&String>,
    initializer: Option<&dyn Initializer>,
    array: &NdArray,
) -> Result<()> {
    let own = own.map(|text| init::parse(text)).transpose()?;
    match (&own, initializer) {
        (Some(own), _) => own.fill(array),
        (None, Some(initializer)) => init::initialize(name, None, initializer, array),
        (None, None) => {
            Err(crate::err!(InvalidValue, "expected an initializer or a value for '{name}'").about(name))
        }
    }
}

/// The mean over all devices of an array that each has.
fn mean(replicas: &[Replica], name: &str) -> Result<NdArray> {
    let first = variable(&replicas[0], name)?;
    if replicas.len() == 1 {
        return Ok(first.clone());
    }
    let like = || NdArray::empty(first.shape()?.clone(), first.dtype(), first.device());
    let mut here = Vec::with_capacity(replicas.len());
    for replica in replicas {
        let copy = like()?;
        copy_to(variable(replica, name)?, &copy)?;
        here.push(copy);
    }
    let sum = like()?;
    let to = [Some((sum.clone(), Req::Write))];
    invoke(&registry().op(AddN { num_args: Some(here.len() as i64) }), &here, &to, &Call::default())?;
    let share = [("scalar", AttrValue::Float(replicas.len() as f64))];
    invoke(
        &registry().find("_div_scalar")?.with_named(&share)?,
        std::slice::from_ref(&sum),
        &to,
        &Call::default(),
    )?;
    Ok(sum)
}
