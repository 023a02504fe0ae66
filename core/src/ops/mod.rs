//! The operators, and nothing else. Each stands in its file; this is the list of all.
//!
//! The order is that of the schema: append to a group, never sort.

#[macro_use]
mod family;

pub mod create;
pub mod elemwise;
pub mod index;
pub mod matrix;
pub mod nn;
pub mod optim;
pub mod random;
pub mod reduce;
pub mod reshape_to;

use crate::op::registry::Entry;

/// The operator that sums gradients.
pub const ADDITION: &str = "elemwise_add";
/// The operator that makes the gradient of what nothing depends on.
pub const ZEROS: &str = "_zeros";

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
        RSqrt, Cbrt, RCbrt, Reciprocal, Expm1, Log10, Log2, Log1p,
        Sin, Cos, Tan, ArcSin, ArcCos, ArcTan, Sinh, Cosh, ArcSinh, ArcCosh, ArcTanh, Degrees, Radians,
        Abs, Sign, Round, Rint, Ceil, Floor, Trunc, Fix, LogicalNot,
        Sigmoid, SoftSign, Relu, Erf, ErfInv, Gamma, GammaLn, Digamma,
        Mod, BroadcastMod, Power, BroadcastPower, Maximum, BroadcastMaximum, Minimum, BroadcastMinimum,
        Hypot, BroadcastHypot, ModScalar, PowerScalar, MaximumScalar, MinimumScalar, HypotScalar,
        RModScalar, RPowerScalar, Equal, NotEqual, Greater, GreaterEqual, Lesser, LesserEqual, LogicalAnd,
        LogicalOr, LogicalXor, BroadcastEqual, BroadcastNotEqual, BroadcastGreater, BroadcastGreaterEqual,
        BroadcastLesser, BroadcastLesserEqual, BroadcastLogicalAnd, BroadcastLogicalOr, BroadcastLogicalXor,
        EqualScalar, NotEqualScalar, GreaterScalar, GreaterEqualScalar, LesserScalar, LesserEqualScalar,
        LogicalAndScalar, LogicalOrScalar, LogicalXorScalar,
        Copy, BlockGrad, AsLoss, MakeLoss, GradientMultiplier, ZerosLike, OnesLike, ShapeArray, SizeArray,
        Clip, HardSigmoid, SmoothL1, IsNan, IsInf, IsFinite, Cast, CastLike, AmpCast, AmpMulticast, Where, AddN,
    },
    reduce::{
        Sum, SumLike, SpreadLike, BroadcastLike, Mean, Prod, NanSum, NanProd, Max, Min, Norm, L2Normalization,
        ArgMax, ArgMin, ArgMaxChannel, BroadcastTo, BroadcastAxis, CumSum, ReverseCumSum,
    },
    create::{
        Zeros, Ones, Full, ReshapeLike, ZerosWithoutDType, IdentityLikeRhs, Arange, Linspace, Eye, ArangeLike,
    },
    reshape_to::{ ReshapeTo },
    nn::{
        FullyConnected, FullyConnectedData, FullyConnectedWeight, FullyConnectedProduct,
        Convolution, ConvolutionMap, ConvolutionImage, ConvolutionWeight,
        WinogradConvolution, Pooling, PoolingBackward, ReluPooling, ReluPoolingBackward, Activation, ActivationBackward, ActivationSlope,
        Softmax, Softmin, LogSoftmax, SoftmaxBackward, SoftmaxActivation,
        SoftmaxOutput, SoftmaxOutputBackward, SoftmaxCrossEntropy,
        LinearRegressionOutput, LogisticRegressionOutput, MaeRegressionOutput, RegressionBackward,
        LayerNorm, GroupNorm, InstanceNorm, NormData, NormParameters, BatchNorm, BatchNormBackward,
        Deconvolution, Rnn, RnnBackward, Dropout, LeakyRelu, LeakyReluBackward, PreluBackward,
        Lrn, ChannelWindow, UpSampling, NearestLike, NearestSum,
    },
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
    optim::{
        SgdUpdate, SgdMomUpdate, MpSgdUpdate, MpSgdMomUpdate, NagMomUpdate, MpNagMomUpdate,
        SignsgdUpdate, SignumUpdate, AdamUpdate, AdamaxUpdate, NadamUpdate, AdamwUpdate, MpAdamwUpdate,
        RmspropUpdate, RmspropalexUpdate, AdagradUpdate, AdadeltaUpdate, FtrlUpdate, FtmlUpdate,
        LambUpdatePhase1, LambUpdatePhase2, MpLambUpdatePhase1, MpLambUpdatePhase2,
        MultiSgdUpdate, MultiSgdMomUpdate, MultiMpSgdUpdate, MultiMpSgdMomUpdate,
        AllFinite, MultiAllFinite, MultiSumSq, MultiLars,
    },
}
