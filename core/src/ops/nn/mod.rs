//! Layers of neural networks, their activations, normalisations and losses.

#[macro_use]
mod compute;
mod activation;
mod batch_norm;
mod convolution;
mod deconvolution;
mod dropout;
mod fully_connected;
mod layer_norm;
mod leaky_relu;
mod lrn;
mod norm;
mod pooling;
mod regression;
mod rnn;
mod softmax;
mod softmax_output;
mod spatial;
mod upsampling;
mod winograd;

pub use activation::*;
pub use batch_norm::*;
pub use convolution::{Convolution, ConvolutionImage, ConvolutionMap, ConvolutionWeight, Tune};
pub use deconvolution::*;
pub use dropout::*;
pub use fully_connected::*;
pub use layer_norm::*;
pub use leaky_relu::*;
pub use lrn::*;
pub use pooling::*;
pub use regression::*;
pub use rnn::{Rnn, RnnBackward, RnnMode};
pub use softmax::*;
pub use softmax_output::*;
pub use spatial::Layout;
pub use upsampling::*;
pub use winograd::WinogradConvolution;
