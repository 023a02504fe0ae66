//! What may be bound to a symbol's variables: the checks of executors.

use super::ir::Type;
use super::symbol::Node;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::storage::Storage;
use std::collections::HashMap;
use std::sync::Arc;

/// Refuses arrays that are not one for each variable, and gradients that do not fit theirs or share memory.
///
/// # Errors
/// `InvalidValue`; `Shape` or `DType` for a gradient, naming it.
pub(super) fn check(
    inputs: &[Arc<Node>],
    variables: &[NdArray],
    gradients: &[Option<NdArray>],
) -> Result<()> {
    if variables.len() != inputs.len() {
        crate::bail!(
            InvalidValue,
            "expected {} arrays, one for each variable, got {}",
            inputs.len(),
            variables.len()
        );
    }
    for ((gradient, variable), node) in gradients.iter().zip(variables).zip(inputs) {
        if let Some(gradient) = gradient {
            check_like(gradient, variable).map_err(|e| e.about(&format!("args_grad['{}']", node.name)))?;
        }
    }
    if let Some(i) = shares_memory(variables, gradients) {
        return Err(crate::err!(InvalidValue, "a gradient must not share memory with another array")
            .about(&format!("args_grad['{}']", inputs[i].name)));
    }
    Ok(())
}

/// The types of arrays.
///
/// # Errors
/// What failed while a shape was computed.
pub(super) fn types_of(arrays: &[NdArray]) -> Result<Vec<Type>> {
    arrays.iter().map(|a| Ok(Type { shape: a.shape()?.clone(), dtype: a.dtype() })).collect()
}

/// Refuses an array that has not the shape and dtype of another.
///
/// # Errors
/// `Shape`, `DType`.
pub(super) fn check_like(array: &NdArray, like: &NdArray) -> Result<()> {
    if array.shape()? != like.shape()? {
        crate::bail!(Shape, "expected shape {}, got {}", like.shape()?, array.shape()?);
    }
    if array.dtype() != like.dtype() {
        crate::bail!(DType, "expected dtype {}, got {}", like.dtype(), array.dtype());
    }
    Ok(())
}

/// The place of a gradient that shares memory with a variable or another gradient.
fn shares_memory(variables: &[NdArray], gradients: &[Option<NdArray>]) -> Option<usize> {
    let mut seen: HashMap<*const Storage, Vec<&NdArray>> = HashMap::new();
    for array in variables {
        seen.entry(Arc::as_ptr(array.storage())).or_default().push(array);
    }
    gradients.iter().enumerate().find_map(|(i, gradient)| {
        let gradient = gradient.as_ref()?;
        let near = seen.entry(Arc::as_ptr(gradient.storage())).or_default();
        let shares = near.iter().any(|a| a.overlaps(gradient));
        near.push(gradient);
        shares.then_some(i)
    })
}
