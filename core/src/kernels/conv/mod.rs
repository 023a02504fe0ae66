//! Convolution in one to three dimensions and its two gradients, channels first: data is (N, C, \[D,\] \[H,\] W),
//! weights are (out channels, in channels / groups, \[D,\] \[H,\] W).
//!
//! All three are matrix products whose one factor, the matrix of input patches, is never stored as a whole: tiles
//! of it are gathered into a small buffer per thread and used at once.
//!
//! - [`forward`] multiplies weights with patches.
//! - [`backward_data`] with stride 1 is a forward convolution of the output's gradient with mirrored weights;
//!   with other strides, and where mirroring takes longer than multiplying, it multiplies transposed weights with the
//!   gradient and scatters the product. It is also the forward pass of a deconvolution.
//! - [`backward_weight`] multiplies the output's gradient with patches, along positions; where there are many of both,
//!   `weight_channels` reads them in an input with its channels innermost.
//!
//! Where windows move by one along two axes nothing is gathered: `direct` reads patches in the padded input.
//! Where groups have one input channel nothing is gathered either: `depthwise` filters plane by plane.
//!
//! Where a caller allows other rounding, [`winograd`] filters windows of 3 x 3 with fewer multiplications.
//!
//! Each element is summed in an order that depends on the shape and the instruction path only.

mod backward;
mod depthwise;
mod direct;
mod forward;
mod gather;
#[cfg(test)]
mod tests;
mod weight;
mod weight_channels;
mod winograd;

pub use backward::backward_data;
pub use forward::forward;
pub use weight::backward_weight;
pub use winograd::{winograd, winograd_suits};

use super::micro::Micro;

/// A type that convolutions compute in: `f32` or `f64`.
#[allow(private_bounds)]
pub trait ConvElement: Micro {}
impl ConvElement for f32 {}
impl ConvElement for f64 {}

/// The sizes of a convolution. Spatial sizes always have three axes; missing ones have size 1 in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    /// Samples.
    pub batch: usize,
    /// Groups of channels; it divides both numbers of channels.
    pub groups: usize,
    /// Channels of the input, all groups together.
    pub in_channels: usize,
    /// Channels of the output, all groups together.
    pub out_channels: usize,
    /// Spatial size of the input.
    pub input: [usize; 3],
    /// Spatial size of the output.
    pub output: [usize; 3],
    /// Size of the window.
    pub kernel: [usize; 3],
    /// Step of the window.
    pub stride: [usize; 3],
    /// Zeros in front of each axis.
    pub pad: [usize; 3],
    /// Distance between neighbouring elements of the window.
    pub dilation: [usize; 3],
}

impl ConvGeometry {
    /// The geometry of a convolution over one to three axes, with the output that follows from symmetric padding.
    ///
    /// For a deconvolution, let `input` be the size of its result and then set [`ConvGeometry::output`] to the
    /// size of its data.
    pub fn new(
        batch: usize,
        (in_channels, out_channels, groups): (usize, usize, usize),
        input: &[usize],
        kernel: &[usize],
        stride: &[usize],
        pad: &[usize],
        dilation: &[usize],
    ) -> ConvGeometry {
        let three = |dims: &[usize], fill| {
            debug_assert!((1..=3).contains(&dims.len()));
            let mut r = [fill; 3];
            r[3 - dims.len()..].copy_from_slice(dims);
            r
        };
        let mut g = ConvGeometry {
            batch,
            groups,
            in_channels,
            out_channels,
            input: three(input, 1),
            output: [0; 3],
            kernel: three(kernel, 1),
            stride: three(stride, 1),
            pad: three(pad, 0),
            dilation: three(dilation, 1),
        };
        for a in 0..3 {
            let window = g.dilation[a] * (g.kernel[a] - 1) + 1;
            let room = g.input[a] + 2 * g.pad[a];
            g.output[a] = if room < window { 0 } else { (room - window) / g.stride[a] + 1 };
        }
        g
    }

    /// Elements of the input.
    pub fn input_len(&self) -> usize {
        self.batch * self.in_channels * self.input_size()
    }

    /// Elements of the output.
    pub fn output_len(&self) -> usize {
        self.batch * self.out_channels * self.output_size()
    }

    /// Elements of the weights.
    pub fn weight_len(&self) -> usize {
        self.out_channels * self.patch_len()
    }

    /// Elements of one channel of the input.
    fn input_size(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of one channel of the output.
    fn output_size(&self) -> usize {
        self.output.iter().product()
    }

    /// Elements of the window in one channel.
    fn kernel_size(&self) -> usize {
        self.kernel.iter().product()
    }

    /// Input channels per group.
    fn group_in(&self) -> usize {
        self.in_channels / self.groups
    }

    /// Output channels per group.
    fn group_out(&self) -> usize {
        self.out_channels / self.groups
    }

    /// Elements of the window in all channels of a group.
    fn patch_len(&self) -> usize {
        self.group_in() * self.kernel_size()
    }

    fn check(&self, input: usize, weight: usize, output: usize) {
        debug_assert!(self.groups > 0 && self.in_channels % self.groups == 0);
        debug_assert!(self.out_channels % self.groups == 0);
        debug_assert!(self.stride.iter().chain(&self.dilation).chain(&self.kernel).all(|s| *s > 0));
        debug_assert_eq!((input, weight, output), (self.input_len(), self.weight_len(), self.output_len()));
    }
}
