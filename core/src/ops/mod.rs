//! The operators, and nothing else. Each stands in its file; this is the list of all.
//!
//! The order is that of the schema: append to a group, never sort.

#[macro_use]
mod family;

pub mod create;
pub mod elemwise;
pub mod nn;
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
    nn::{
        FullyConnected, FullyConnectedData, FullyConnectedWeight, FullyConnectedProduct,
        Convolution, ConvolutionMap, ConvolutionImage, ConvolutionWeight,
        Pooling, PoolingBackward, Activation, ActivationBackward, ActivationSlope,
        Softmax, Softmin, LogSoftmax, SoftmaxBackward, SoftmaxActivation,
        SoftmaxOutput, SoftmaxOutputBackward, SoftmaxCrossEntropy,
        LinearRegressionOutput, LogisticRegressionOutput, MaeRegressionOutput, RegressionBackward,
        LayerNorm, GroupNorm, InstanceNorm, NormData, NormParameters, BatchNorm, BatchNormBackward,
        Deconvolution, Rnn, RnnBackward, Dropout, LeakyRelu, LeakyReluBackward, PreluBackward,
    },
}
