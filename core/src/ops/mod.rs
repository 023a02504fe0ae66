//! The operators, and nothing else. Each stands in its file; this is the list of all.
//!
//! The order is that of the schema: append to a group, never sort.

#[macro_use]
mod family;

pub mod create;
pub mod elemwise;
pub mod optim;
pub mod random;
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
    random::{
        RandomUniform, RandomUniformLike, SampleUniform, RandomNormal, RandomNormalLike, SampleNormal,
        RandomGamma, RandomGammaLike, SampleGamma,
        RandomExponential, RandomExponentialLike, SampleExponential,
        RandomPoisson, RandomPoissonLike, SamplePoisson,
        RandomNegativeBinomial, RandomNegativeBinomialLike, SampleNegativeBinomial,
        RandomGeneralizedNegativeBinomial, RandomGeneralizedNegativeBinomialLike,
        SampleGeneralizedNegativeBinomial,
        RandomRandint, SampleMultinomial, MultinomialGrad, Shuffle,
    },
    optim::{
        SgdUpdate, SgdMomUpdate, MpSgdUpdate, MpSgdMomUpdate, NagMomUpdate, MpNagMomUpdate,
        SignsgdUpdate, SignumUpdate, AdamUpdate, AdamaxUpdate, NadamUpdate, AdamwUpdate, MpAdamwUpdate,
        RmspropUpdate, RmspropalexUpdate, AdagradUpdate, AdadeltaUpdate, FtrlUpdate, FtmlUpdate,
        LambUpdatePhase1, LambUpdatePhase2, MpLambUpdatePhase1, MpLambUpdatePhase2,
        MultiSgdUpdate, MultiSgdMomUpdate, MultiMpSgdUpdate, MultiMpSgdMomUpdate,
        AllFinite, MultiAllFinite, MultiSumSq, MultiLars,
    },
}
