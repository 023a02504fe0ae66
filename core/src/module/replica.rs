//! Executors of one symbol on several devices, each with its part of a batch.

use super::{Module, Purpose};
use crate::device::Device;
use crate::error::Result;
use crate::graph::Symbol;
use crate::graph::compile::Options;
use crate::graph::executor::Executor;
use crate::graph::ir::Type;
use crate::graph::symbol::Inputs;
use crate::io::DataDesc;
use crate::ndarray::NdArray;
use crate::op::invoke::{convert_to, copy_to};
use crate::op::{Call, Req, invoke, registry};
use crate::ops::matrix::Concat;
use crate::shape::Shape;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// An executor with the part of every batch that it computes.
pub(super) struct Replica {
    pub(super) executor: Arc<Executor>,
    /// Rows of a batch; all of them if it is the only one.
    rows: Option<Range<i64>>,
}

impl Replica {
    /// Its part of an array that is divided.
    pub(super) fn part(&self, array: &NdArray) -> Result<NdArray> {
        match &self.rows {
            Some(rows) => array.slice(rows.start, rows.end),
            None => Ok(array.clone()),
        }
    }

    /// Copies its part of each array to the variable of its name, if the symbol has one.
    pub(super) fn load(&self, descs: &[DataDesc], arrays: &[NdArray]) -> Result<()> {
        for (desc, array) in descs.iter().zip(arrays) {
            if let Some(to) = self.variable(&desc.name) {
                convert_to(&self.part(array)?, to).map_err(|e| e.about(&desc.name))?;
            }
        }
        Ok(())
    }

    /// The array of an argument or auxiliary state.
    pub(super) fn variable(&self, name: &str) -> Option<&NdArray> {
        let all = self.executor.arguments().chain(self.executor.auxiliary_states());
        all.into_iter().find(|(n, _)| *n == name).map(|(_, a)| a)
    }

    pub(super) fn gradient_of(&self, name: &str) -> Result<NdArray> {
        let found = self.executor.gradients().find(|(n, _)| *n == name).and_then(|(_, g)| g.cloned());
        found.ok_or_else(|| crate::err!(NotFound, "there is no gradient of '{name}'"))
    }
}

/// The rows of a batch that device `i` of `n` computes.
fn rows_of(i: usize, n: usize, descs: &[DataDesc]) -> Result<Option<Range<i64>>> {
    if n == 1 {
        return Ok(None);
    }
    if let Some(d) = descs.iter().find(|d| d.shape.is_empty() || !d.layout.starts_with('N')) {
        let e = crate::err!(
            InvalidValue,
            "expected a layout that begins with N on several devices, got '{}'",
            d.layout
        );
        return Err(e.about(&d.name));
    }
    let size = descs.first().and_then(|d| d.shape.first().copied()).unwrap_or(0);
    if size < n as i64 {
        let e =
            crate::err!(InvalidValue, "expected a batch of at least {n}, one for each device, got {size}");
        return Err(e.about("data_shapes"));
    }
    let bound = |i: usize| size * i as i64 / n as i64;
    Ok(Some(bound(i)..bound(i + 1)))
}

/// The types of all variables, from the shapes of data and labels, for some rows of a batch.
fn types(
    symbol: &Symbol,
    data: &[DataDesc],
    label: &[DataDesc],
    rows: Option<&Range<i64>>,
) -> Result<Vec<Type>> {
    let arguments = symbol.list_arguments();
    let known: Vec<&DataDesc> = data.iter().chain(label).filter(|d| arguments.contains(&d.name)).collect();
    let part = |d: &DataDesc| {
        let mut shape: Shape = d.shape.clone();
        if let (Some(rows), Some(first)) = (rows, shape.first_mut()) {
            *first = rows.end - rows.start;
        }
        shape
    };
    let shapes: Vec<_> = known.iter().map(|d| (d.name.as_str(), part(d))).collect();
    let dtypes: Vec<_> = known.iter().map(|d| (d.name.as_str(), d.dtype)).collect();
    symbol.infer_types(&shapes, &dtypes)
}

/// Binds an executor on each device of a module. Parameters and memory are those of `lenders`, where there are any.
pub(super) fn bind_all(
    module: &Module,
    data: &[DataDesc],
    label: &[DataDesc],
    purpose: Purpose,
    lenders: Option<&Vec<Replica>>,
) -> Result<Vec<Replica>> {
    let requests = requests(module, purpose);
    let n = module.devices.len();
    let bind = |(i, device): (usize, &Device)| {
        let rows = rows_of(i, n, data)?;
        let types = types(&module.symbol, data, label, rows.as_ref())?;
        let lender = lenders.and_then(|l| l.get(i));
        let executor = bind_one(module, &types, &requests, *device, lender)?;
        Ok(Replica { executor: Arc::new(executor), rows })
    };
    module.devices.iter().enumerate().map(bind).collect()
}

/// What to do with the gradient of each variable.
fn requests(module: &Module, purpose: Purpose) -> Vec<Req> {
    let names = &module.names;
    let request = |name: &String| match purpose.training {
        false => Req::Null,
        _ if names.data.contains(name) => {
            if purpose.input_gradients {
                Req::Write
            } else {
                Req::Null
            }
        }
        _ if names.fixed.contains(name) || !module.params.contains(name) => Req::Null,
        _ => purpose.request,
    };
    module.symbol.list_inputs().iter().map(request).collect()
}

fn bind_one(
    module: &Module,
    types: &[Type],
    requests: &[Req],
    device: Device,
    lender: Option<&Replica>,
) -> Result<Executor> {
    let lent: HashMap<&str, &NdArray> = lender
        .map_or_else(HashMap::new, |l| l.executor.arguments().chain(l.executor.auxiliary_states()).collect());
    let lent_gradients: HashMap<&str, Option<&NdArray>> =
        lender.map_or_else(HashMap::new, |l| l.executor.gradients().collect());
    let is_parameter = |name: &String| module.params.contains(name) || module.states.contains(name);
    let fresh = |t: &Type| NdArray::full(t.shape.clone(), 0.0, t.dtype, device);
    let fits = |a: &NdArray, t: &Type| a.known_shape() == Some(&t.shape) && a.dtype() == t.dtype;
    let (mut variables, mut gradients) = (vec![], vec![]);
    for ((node, ty), request) in module.symbol.inputs(Inputs::All).iter().zip(types).zip(requests) {
        let name = &node.name;
        let shared = lent.get(name.as_str()).filter(|a| is_parameter(name) && fits(a, ty));
        let gradient = lent_gradients.get(name.as_str()).copied().flatten().filter(|g| fits(g, ty));
        variables.push(match shared {
            Some(array) => (*array).clone(),
            None => fresh(ty)?,
        });
        gradients.push(match (request, gradient.filter(|_| shared.is_some())) {
            (Req::Null, _) => None,
            (_, Some(gradient)) => Some(gradient.clone()),
            _ => Some(fresh(ty)?),
        });
    }
    let arena = lender.map(|l| l.executor.arena().clone());
    let options =
        Options { device, mirror: crate::graph::recompute::asked_by_environment()?, ..Options::default() };
    Executor::bind(&module.symbol, variables, gradients, requests.to_vec(), arena, options)
}

/// Executors with the same parameters for other shapes.
pub(super) fn reshape_all(
    symbol: &Symbol,
    replicas: &[Replica],
    data: &[DataDesc],
    label: &[DataDesc],
    devices: &[Device],
) -> Result<Vec<Replica>> {
    let reshape = |(i, old): (usize, &Replica)| {
        let rows = rows_of(i, devices.len(), data)?;
        let types = types(symbol, data, label, rows.as_ref())?;
        let executor = Arc::new(old.executor.reshape(&types, true)?);
        Ok(Replica { executor, rows })
    };
    replicas.iter().enumerate().map(reshape).collect()
}

/// What all executors have of an array that is divided, as one array on the first device.
pub(super) fn joined(replicas: &[Replica], of: impl Fn(&Replica) -> Result<NdArray>) -> Result<NdArray> {
    if let [one] = replicas {
        return of(one);
    }
    let parts = replicas.iter().map(&of).collect::<Result<Vec<_>>>()?;
    let Some(first) = parts.first() else { crate::bail!(InvalidValue, "the module has no device") };
    let here = |part: &NdArray| -> Result<NdArray> {
        if part.device() == first.device() {
            return Ok(part.clone());
        }
        let copy = NdArray::empty(part.shape()?.clone(), part.dtype(), first.device())?;
        copy_to(part, &copy)?;
        Ok(copy)
    };
    let parts = parts.iter().map(here).collect::<Result<Vec<_>>>()?;
    let concat = Concat { num_args: Some(parts.len() as i64), dim: 0 };
    let mut out = invoke(&registry().op(concat), &parts, &[], &Call::default())?;
    out.pop().ok_or_else(|| crate::Error::internal("an operator gave nothing"))
}
