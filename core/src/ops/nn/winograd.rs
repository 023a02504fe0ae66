//! The convolution that planned prediction takes for windows of 3 x 3.

use super::compute::{read, write};
use super::convolution::{Convolution, product_flops};
use crate::kernels::conv::{winograd, winograd_suits};
use crate::ops::family::prelude::*;

/// A convolution with windows of 3 x 3 that move by one, by Winograd's minimal filtering (Lavin and Gray, "Fast
/// Algorithms for Convolutional Neural Networks", 2015), which multiplies less and rounds differently.
///
/// Data is (n, channels, height, width), the weight is (num_filter, channels, 3, 3), the bias (num_filter).
#[derive(Attrs, Clone, Debug)]
pub struct WinogradConvolution {
    /// Zeros before and after each axis; none if empty.
    #[attr(id = 1, default = Shape::scalar())]
    pub pad: Shape,
    /// Number of filters: channels of the result.
    #[attr(id = 2, min = 1)]
    pub num_filter: i64,
    /// Add no bias.
    #[attr(id = 3, default = false)]
    pub no_bias: bool,
}

impl WinogradConvolution {
    /// The operator that may take the place of a convolution of these shapes, if that is faster.
    pub(super) fn instead_of(conv: &Convolution, s: &ShapeInfer) -> Option<WinogradConvolution> {
        let (data, map) = (s.known(0)?, s.output(0).filter(|o| o.is_known())?);
        let window = conv.window().ok()?;
        (window.kernel.len() == 2 && winograd_suits(&window.geometry(data, map))).then(|| {
            WinogradConvolution { pad: conv.pad.clone(), num_filter: conv.num_filter, no_bias: conv.no_bias }
        })
    }

    fn plain(&self) -> Convolution {
        Convolution {
            kernel: Shape::new(&[3, 3]),
            stride: Shape::scalar(),
            dilate: Shape::scalar(),
            pad: self.pad.clone(),
            num_filter: self.num_filter,
            num_group: 1,
            workspace: 1024,
            no_bias: self.no_bias,
            cudnn_tune: None,
            cudnn_off: false,
            layout: None,
        }
    }
}

impl Operator for WinogradConvolution {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The data, (n, channels, height, width)."),
            Input::new("weight", "The weight, (num_filter, channels, 3, 3)."),
            Input::new("bias", "The bias, (num_filter).").optional(),
        ];
        Meta::new("_winograd_convolution", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let sample = |name, data: &[i64], weight: &[i64]| {
            let s = Sample::new(name).grid(data, -1.0, 1.0).grid(weight, -1.0, 1.0).input(&weight[..1]);
            s.attr("num_filter", weight[0]).tolerance(4.0).no_gradient()
        };
        let oracle = Oracle::MxNetCode("mx.nd.Convolution(*x, kernel=(3, 3), **attrs)");
        vec![
            sample("a map of odd sizes", &[2, 3, 5, 7], &[4, 3, 3, 3]).oracle(oracle),
            sample("padding", &[1, 2, 6, 5], &[4, 2, 3, 3]).attr("pad", [2, 1]).oracle(oracle),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        self.plain().num_inputs()
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        self.plain().infer_shape(s)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let g = self.plain().window()?.geometry(k.shape(0), k.out_shape(0));
        with_compute!(k.dtype(0), C => {
            let (x, w) = (read::<C>(k, 0), read::<C>(k, 1));
            let bias = (!self.no_bias).then(|| read::<C>(k, 2));
            write::<C>(k, 0, |y| winograd(&g, &x, &w, bias.as_deref(), y));
        });
        Ok(())
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        product_flops(s.output(0), s.known(1))
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        self.plain().cost(s)
    }
}
