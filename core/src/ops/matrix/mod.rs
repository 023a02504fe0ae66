//! Matrix products, and operators that give an array another shape or another order of its elements.

mod concat;
mod diag;
mod dot;
mod linalg;
mod pad;
mod repeat;
mod reshape;
mod slice;
mod slice_assign;
mod split;
mod transpose;

pub use concat::*;
pub use diag::*;
pub use dot::*;
pub use linalg::*;
pub use pad::*;
pub use repeat::*;
pub use reshape::*;
pub use slice::*;
pub use slice_assign::*;
pub use split::*;
pub use transpose::*;

use crate::op::sample::{Oracle, Sample};
use crate::shape::Shape;
use smallvec::SmallVec;

/// Sizes as the kernels take them.
pub(crate) fn sizes(shape: &Shape) -> SmallVec<[usize; 8]> {
    shape.iter().map(|d| *d as usize).collect()
}

/// Samples for the integer dtypes and for `bool` of an operator that only moves elements: `with` adds the attributes
/// to a call on an array of this shape, `numpy` computes the same.
pub(crate) fn moving_samples(
    shape: &[i64],
    with: impl Fn(Sample) -> Sample,
    numpy: &'static str,
) -> [Sample; 2] {
    [
        with(Sample::new("integers").ints(shape, 0, 100)).int_dtypes(),
        with(Sample::new("truth values").ints(shape, 0, 2)).bool_dtype().oracle(Oracle::NumPy(numpy)),
    ]
}
