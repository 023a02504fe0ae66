//! Reductions over axes, and their inverses.

mod arg;
mod broadcast;
mod cumsum;
mod like;
mod norm;
mod sum;

pub use arg::*;
pub use broadcast::*;
pub use cumsum::*;
pub use like::*;
pub use norm::*;
pub use sum::*;

use crate::error::Result;
use crate::op::ShapeInfer;
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

/// The shape without the axes of the mask, or with size 1 there if `keepdims`. Where no axis remains MXNet leaves
/// one of size 1.
fn reduced(x: &Shape, mask: &[bool], keepdims: bool) -> Shape {
    let kept = x.iter().zip(mask).filter(|(_, m)| keepdims || !**m);
    let out: Shape = kept.map(|(d, m)| if *m { 1 } else { *d }).collect();
    if out.ndim() == 0 && x.ndim() > 0 { Shape::new(&[1]) } else { out }
}

/// Relates the shape of what is reduced to that of the result.
fn infer_reduced(s: &mut ShapeInfer, axis: Option<&Shape>, exclude: bool, keepdims: bool) -> Result<()> {
    let Some(x) = s.input(0) else { return Ok(()) };
    let mask = axis_mask(axis, exclude, x.ndim())?;
    let out = reduced(x, &mask, keepdims);
    s.set_output(0, out)
}

/// The sizes of a shape that is known.
fn sizes(shape: &Shape) -> Vec<usize> {
    shape.iter().map(|d| *d as usize).collect()
}
