//! Indexing, ordering and sequences.

mod boolean;
mod coordinates;
mod copy;
mod nd;
mod one_hot;
mod order;
mod pick;
mod sequence;
mod take;
mod topk;

pub use boolean::*;
pub use coordinates::*;
pub use copy::*;
pub use nd::*;
pub use one_hot::*;
pub use order::*;
pub use pick::*;
pub use sequence::*;
pub use take::*;
pub use topk::*;

use crate::error::Result;
use crate::op::kernel::Kernel;

/// What an index beyond an axis means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Beyond {
    /// The nearest place.
    Clip,
    /// The place that many times round.
    Wrap,
    /// An error.
    Raise,
    /// An error, but negative indices count from the end.
    FromEnd,
}

/// The place along an axis of `size` places that an index means.
pub(crate) fn place(index: i64, size: usize, beyond: Beyond) -> Result<usize> {
    let n = size as i64;
    let at = match beyond {
        Beyond::Clip => index.clamp(0, (n - 1).max(0)),
        Beyond::Wrap if n > 0 => index.rem_euclid(n),
        Beyond::FromEnd if index < 0 => index + n,
        _ => index,
    };
    if (0..n).contains(&at) {
        Ok(at as usize)
    } else {
        Err(crate::err!(Index, "index {index} lies outside an axis of {size} places").about("indices"))
    }
}

/// The places along an axis of `size` places that input `i` holds the indices of.
pub(crate) fn places(k: &Kernel, i: usize, size: usize, beyond: Beyond) -> Result<Vec<usize>> {
    k.input_i64(i).into_iter().map(|index| place(index, size, beyond)).collect()
}

/// Integers that a kernel computed itself, as places.
pub(crate) fn as_places(indices: &[i64]) -> Vec<usize> {
    indices.iter().map(|i| *i as usize).collect()
}
