//! Reductions over axes, and their inverses.

mod like;
mod sum;

pub use like::*;
pub use sum::*;

use crate::error::Result;
use crate::shape::{Shape, normalize_axis};

/// For each of `ndim` axes whether it is reduced: those that `axis` names (all if it names none), or the
/// others if `exclude`.
///
/// # Errors
/// `Index` for an axis that does not exist, `InvalidValue` for one named twice.
pub fn axis_mask(axis: Option<&Shape>, exclude: bool, ndim: usize) -> Result<Vec<bool>> {
    let axes: &[i64] = axis.map_or(&[], |a| a);
    let all = axes.is_empty();
    let mut mask = vec![all; ndim];
    for axis in axes {
        if std::mem::replace(&mut mask[normalize_axis(*axis, ndim)?], true) {
            return Err(crate::err!(InvalidValue, "axis {axis} is named twice").about("axis"));
        }
    }
    if exclude && !all {
        mask.iter_mut().for_each(|m| *m = !*m);
    }
    Ok(mask)
}
