//! The operators, and nothing else. Each stands in its file; this is the list of all.
//!
//! The order is that of the schema: append to a group, never sort.

#[macro_use]
mod family;

pub mod create;
pub mod elemwise;
pub mod index;
pub mod matrix;
pub mod reduce;

use crate::op::registry::Entry;

/// The operator that sums gradients.
pub const ADDITION: &str = "elemwise_add";

macro_rules! list {
    ($($group:ident::{$($op:ident),* $(,)?}),* $(,)?) => {
        /// Every operator.
        pub fn all() -> Vec<Entry> {
            vec![$($(Entry::of::<$group::$op>()),*),*]
        }
    };
}

list! {
    elemwise::{
        ElemwiseAdd, ElemwiseSub, ElemwiseMul, ElemwiseDiv,
        BroadcastAdd, BroadcastSub, BroadcastMul, BroadcastDiv,
        AddScalar, SubScalar, RSubScalar, MulScalar, DivScalar, RDivScalar,
        Negative, Square, Sqrt, Exp, Log, Tanh,
    },
    reduce::{ Sum, SumLike, SpreadLike, BroadcastLike },
    create::{ Zeros, Ones, Full, ReshapeLike },
    matrix::{
        Dot, DotLike, BatchDot, LinalgGemm, LinalgGemm2, LinalgSyrk,
        Reshape, Flatten, ExpandDims, Squeeze, Transpose, SwapAxis, DepthToSpace, SpaceToDepth,
        Slice, SliceAxis, SliceLike, Reverse, SliceAssign, SliceAssignScalar, SliceInto, SliceAxisInto, CornerInto,
        Concat, Stack, SplitLike, SliceChannel, SplitV2, Tile, TileSum, Repeat, RepeatSum, Pad, PadSum,
        Diag, DiagInto,
    },
    index::{
        Take, TakeSum, Embedding, Pick, PickInto, BatchTake,
        GatherNd, GatherNdSum, ScatterNd, BackwardGatherNd, ScatterSetNd, BooleanMask, BooleanMaskInto,
        OneHot, RavelMultiIndex, UnravelIndex, IndexArray, IndexCopy, IndexClear,
        SequenceMask, SequenceLast, SequenceLastInto, SequenceReverse,
        Sort, Argsort, OrderInto, OrderTake, Topk,
    },
}
