//! Automatic differentiation of recorded operations.
//!
//! [`invoke`] runs an operator and, while recording, remembers on its outputs how they were made ([`tape`]).
//! [`backward`] and [`grad`] follow that back from the heads. The tape names no operator: it replays the
//! gradient rules that operators state in terms of other operators, so gradients of gradients need nothing more.

mod backward;
mod heads;
mod rules;
mod tape;

pub use backward::{BackwardOptions, backward, grad};
pub use heads::reads_head_gradient;
pub use tape::{
    Compiled, CustomBackward, Entry, Node, Recorded, Source, Variable, record_compiled, record_custom,
    record_view,
};

use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::invoke::{Call, Outputs, Req};
use crate::op::{GraphFn, OpRef};
use std::sync::Arc;

/// The circumstances of a call that may be recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Remember the call for differentiation.
    pub recording: bool,
    /// Training, device, aliasing.
    pub call: Call,
}

/// Runs an operator on arrays as [`crate::op::invoke()`] does, expands composites, and records if asked to.
///
/// # Errors
/// Those of [`crate::op::invoke()`]; `Autograd` for writing to an array that is part of a recorded graph.
pub fn invoke(
    op: &OpRef,
    inputs: &[NdArray],
    out: &[Option<(NdArray, Req)>],
    mode: &Mode,
) -> Result<Outputs> {
    if op.op.is_composite() {
        return invoke_composite(op, inputs, out, mode);
    }
    if !mode.recording {
        return crate::op::invoke(op, inputs, out, &mode.call);
    }
    let edges = tape::edges_of(op, inputs);
    if edges.iter().all(Option::is_none) {
        return crate::op::invoke(op, inputs, out, &mode.call);
    }
    if out.iter().flatten().any(|(a, _)| a.entry().is_some()) {
        return Err(crate::err!(
            Autograd,
            "cannot write to an array that is part of a recorded graph; call backward first, or write outside of record"
        )
        .about("out")
        .in_operator(op.def.meta.name));
    }
    let outputs = crate::op::invoke(op, inputs, out, &mode.call)?;
    tape::record(op, inputs, edges, &outputs)?;
    Ok(outputs)
}

fn invoke_composite(
    op: &OpRef,
    inputs: &[NdArray],
    out: &[Option<(NdArray, Req)>],
    mode: &Mode,
) -> Result<Outputs> {
    let checked = crate::op::invoke::check_arity(op, inputs.len());
    checked
        .and_then(|()| crate::op::invoke::infer(op, inputs, out).map(drop))
        .map_err(|e| e.in_operator(op.def.meta.name))?;
    let body: Arc<GraphFn> = rules::body(op, inputs.len())?;
    let leaf = |src| match src {
        crate::op::builder::Src::Input(i) => Ok(inputs[i as usize].clone()),
        other => Err(crate::Error::internal(format!("a composite's body reads {other:?}"))),
    };
    let mut call =
        |op: &OpRef, inputs: &[NdArray], out: &[Option<(NdArray, Req)>]| invoke(op, inputs, out, mode);
    let results = body.run(&leaf, &mut call, out)?;
    let mut outputs = Outputs::new();
    for (i, result) in results.into_iter().enumerate() {
        let result = result.ok_or_else(|| crate::Error::internal("a body without a result"))?;
        match out.get(i) {
            Some(Some((target, _))) if !body.writes_target(i) => {
                crate::op::invoke::copy_to(&result, target)?;
                outputs.push(target.clone());
            }
            _ => outputs.push(result),
        }
    }
    Ok(outputs)
}

/// Makes arrays variables: `backward` then leaves their gradients in `gradients`, as `requests` say.
///
/// # Errors
/// `Shape` or `DType` if a gradient does not match its variable.
pub fn mark_variables(variables: &[NdArray], gradients: &[NdArray], requests: &[Req]) -> Result<()> {
    for ((variable, gradient), request) in variables.iter().zip(gradients).zip(requests) {
        if variable.shape()? != gradient.shape()? {
            crate::bail!(
                Shape,
                "expected a gradient of shape {}, got {}",
                variable.shape()?,
                gradient.shape()?
            );
        }
        if variable.dtype() != gradient.dtype() {
            crate::bail!(
                DType,
                "expected a gradient of dtype {}, got {}",
                variable.dtype(),
                gradient.dtype()
            );
        }
        let variable_entry = Variable::new(gradient.clone(), *request);
        variable.set_entry(Some(Entry::Variable(Arc::new(variable_entry))));
    }
    Ok(())
}

/// The gradient that `backward` leaves for an array, if the array is a variable.
pub fn gradient_of(array: &NdArray) -> Option<NdArray> {
    match array.entry() {
        Some(Entry::Variable(v)) => Some(v.gradient().clone()),
        _ => None,
    }
}
