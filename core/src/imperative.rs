//! What languages call on arrays besides operators: views that autograd sees as the operators they stand for.

use crate::autograd::{self, Mode};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::AttrValue;
use crate::registry::registry;
use crate::shape::Shape;

/// The rows `begin..end` along the first axis, sharing memory; recorded as `slice_axis`.
///
/// # Errors
/// `Index` if the range does not lie within the first axis.
pub fn slice(array: &NdArray, begin: i64, end: i64, mode: &Mode) -> Result<NdArray> {
    let view = array.slice(begin, end)?;
    if mode.recording && array.is_recorded() {
        let attrs = [("axis", 0), ("begin", begin), ("end", end)].map(|(n, v)| (n, AttrValue::Int(v)));
        autograd::record_view(&registry().find("slice_axis")?.with_named(&attrs)?, array, &view)?;
    }
    Ok(view)
}

/// Row `index` of the first axis, without that axis, sharing memory; negative indices count from the end.
///
/// # Errors
/// `Index` if there is no such row.
pub fn at(array: &NdArray, index: i64, mode: &Mode) -> Result<NdArray> {
    if !(mode.recording && array.is_recorded()) {
        return array.at(index);
    }
    let shape = array.at(index)?.shape()?.clone();
    let row = if index < 0 { index + array.shape()?[0] } else { index };
    reshape(&slice(array, row, row + 1, mode)?, &shape, mode)
}

/// The same elements in another shape, sharing memory; one size may be -1.
///
/// # Errors
/// `Shape` if the number of elements differs.
pub fn reshape(array: &NdArray, shape: &Shape, mode: &Mode) -> Result<NdArray> {
    let view = array.reshape(shape)?;
    if mode.recording && array.is_recorded() {
        let attrs = [("shape", AttrValue::Ints(view.shape()?.clone()))];
        autograd::record_view(&registry().find("_reshape_to")?.with_named(&attrs)?, array, &view)?;
    }
    Ok(view)
}
