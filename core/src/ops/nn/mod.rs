//! Layers of neural networks, their activations, normalisations and losses.

#[macro_use]
mod compute;
mod activation;
mod convolution;
mod fully_connected;
mod pooling;
mod regression;
mod softmax;
mod softmax_output;
mod spatial;

pub use activation::*;
pub use convolution::{Convolution, ConvolutionImage, ConvolutionMap, ConvolutionWeight, Tune};
pub use fully_connected::*;
pub use pooling::*;
pub use regression::*;
pub use softmax::*;
pub use softmax_output::*;
pub use spatial::Layout;
