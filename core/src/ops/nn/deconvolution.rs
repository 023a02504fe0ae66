//! Deconvolution: the transpose of a convolution.

use super::compute::{read, write};
use super::convolution::{ConvolutionMap, ConvolutionWeight, Linear, Tune, Window, bias_sum, check_groups};
use super::spatial::{Layout, Sizes, channels_first, per_axis};
use crate::kernels::conv::backward_data;
use crate::ops::family::prelude::*;

/// Spreads each element of the data over a window of the result, multiplied with each filter: the transpose of a
/// convolution, which is its gradient with respect to its data.
///
/// Data is (n, channels, \[depth,\] \[height,\] width), the weight (channels, num_filter / num_group, kernel…), the
/// bias (num_filter). Along each axis the result has `stride · (x − 1) + dilate · (kernel − 1) + 1 − 2·pad + adj`
/// elements; with `target_shape` that many, and the padding follows.
#[derive(Attrs, Clone, Debug)]
pub struct Deconvolution {
    /// Size of the window along each axis.
    #[attr(id = 1)]
    pub kernel: Shape,
    /// Step of the window along each axis; 1 if empty.
    #[attr(id = 2, default = Shape::scalar())]
    pub stride: Shape,
    /// Distance between neighbouring elements of the window; 1 if empty.
    #[attr(id = 3, default = Shape::scalar())]
    pub dilate: Shape,
    /// Elements taken away before and after each axis; none if empty.
    #[attr(id = 4, default = Shape::scalar())]
    pub pad: Shape,
    /// Elements added after each axis, fewer than the step; none if empty.
    #[attr(id = 5, default = Shape::scalar())]
    pub adj: Shape,
    /// Size of the result along each axis, in place of `pad` and `adj`.
    #[attr(id = 6, default = Shape::scalar())]
    pub target_shape: Shape,
    /// Number of filters: channels of the result.
    #[attr(id = 7, min = 1)]
    pub num_filter: i64,
    /// Groups of channels that are treated apart from each other.
    #[attr(id = 8, default = 1, min = 1)]
    pub num_group: i64,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 9, default = 512, min = 0)]
    pub workspace: i64,
    /// Add no bias.
    #[attr(id = 10, default = true)]
    pub no_bias: bool,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 11)]
    pub cudnn_tune: Option<Tune>,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 12, default = false)]
    pub cudnn_off: bool,
    /// Order of the axes; only those with channels before space.
    #[attr(id = 13)]
    pub layout: Option<Layout>,
}

impl Deconvolution {
    fn linear(&self) -> Linear {
        let a = self.clone();
        Linear {
            kernel: a.kernel,
            stride: a.stride,
            dilate: a.dilate,
            pad: a.pad,
            num_group: a.num_group,
            target: self.has_target(),
        }
    }

    /// True if the padding follows from the shapes.
    fn has_target(&self) -> bool {
        self.target_shape.iter().any(|d| *d != 0)
    }

    fn window(&self) -> Result<Window> {
        Window::new(&self.kernel, &self.stride, &self.dilate, &self.pad, self.num_group)
    }

    /// The elements added after each axis.
    fn extra(&self, window: &Window) -> Result<Sizes> {
        let adj = per_axis("adj", &self.adj, window.kernel.len(), 0, 0)?;
        if !self.has_target() && adj.iter().zip(&window.stride).any(|(a, s)| a >= s) {
            let (adj, stride) = (&self.adj, &self.stride);
            return Err(err!(InvalidValue, "expected less than the stride {stride}, got {adj}").about("adj"));
        }
        Ok(adj)
    }

    /// Size of the result along an axis of the data.
    fn output(&self, window: &Window, extra: &Sizes, axis: usize, size: i64) -> Result<i64> {
        if size < 0 {
            return Ok(UNKNOWN);
        }
        let full = window.stride[axis] as i64 * (size - 1) + window.reach(axis) as i64;
        if self.has_target() {
            let target = self.target_shape[axis];
            if target > full {
                return Err(err!(Shape, "expected at most {full} along axis {}, got {target}", axis + 2)
                    .about("target_shape"));
            }
            return Ok(target);
        }
        let out = full - 2 * window.pad[axis] as i64 + extra[axis] as i64;
        if out < 1 {
            return Err(err!(Shape, "nothing remains along axis {}", axis + 2).about("pad"));
        }
        Ok(out)
    }
}

impl Operator for Deconvolution {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The data, (n, channels, …)."),
            Input::new("weight", "The weight, (channels, num_filter / num_group, kernel…)."),
            Input::new("bias", "The bias, (num_filter).").optional(),
        ];
        Meta::new("Deconvolution", inputs).aliases(&["_npx_deconvolution"])
    }
    fn samples() -> Vec<Sample> {
        let sample = |name, data: &[i64], weight: &[i64], groups: i64| {
            let s =
                Sample::new(name).grid(data, -1.0, 1.0).grid(weight, -1.0, 1.0).attr("kernel", &weight[2..]);
            s.attr("num_filter", weight[1] * groups).attr("num_group", groups).tolerance(2.0)
        };
        let plain = |name| sample(name, &[2, 3, 4, 3], &[3, 2, 3, 2], 1);
        let biased =
            Sample::new("bias").grid(&[2, 3, 3, 3], -1.0, 1.0).grid(&[3, 2, 2, 2], -1.0, 1.0).input(&[2]);
        vec![
            plain("two axes"),
            plain("steps, padding and more elements")
                .attr("stride", [2, 3])
                .attr("pad", [1, 1])
                .attr("adj", [1, 2]),
            plain("a target shape").attr("stride", [2, 2]).attr("target_shape", [8, 5]),
            plain("a window with gaps").attr("dilate", [2, 1]),
            sample("groups", &[1, 4, 3, 3], &[4, 3, 2, 2], 2).attr("stride", [2, 2]),
            sample("one axis", &[2, 3, 5], &[3, 2, 3], 1).attr("stride", [2]),
            sample("three axes", &[1, 2, 2, 3, 2], &[2, 3, 2, 2, 2], 1).attr("stride", [1, 2, 1]),
            biased.attr("kernel", [2, 2]).attr("num_filter", 2).attr("no_bias", false),
            plain("too many more elements").attr("adj", [1, 0]).fails(ErrorCode::InvalidValue),
            plain("a target too large").attr("target_shape", [9, 9]).fails(ErrorCode::Shape),
            plain("nothing remains").attr("pad", [4, 4]).fails(ErrorCode::Shape),
            plain("another number of filters").attr("num_filter", 3).fails(ErrorCode::Shape),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(if self.no_bias { 2 } else { 3 })
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let window = self.window()?;
        let (n, extra) = (window.kernel.len(), self.extra(&window)?);
        channels_first(self.layout, n)?;
        if self.has_target() {
            per_axis("target_shape", &self.target_shape, n, 0, 1)?;
        }
        check_groups("num_filter", self.num_filter, self.num_group)?;
        if !self.no_bias {
            s.set_input(2, Shape::new(&[self.num_filter]))?;
        }
        s.require_ndim(0, n + 2)?;
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        check_groups("data", x[1], self.num_group)?;
        let mut weight = Shape::new(&[x[1], self.num_filter / self.num_group]);
        self.kernel.iter().for_each(|k| weight.push(*k));
        s.set_input(1, weight)?;
        let mut y = Shape::new(&[x[0], self.num_filter]);
        for (axis, d) in x[2..].iter().enumerate() {
            y.push(self.output(&window, &extra, axis, *d)?);
        }
        s.set_output(0, y)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (image, map) = (k.out_shape(0), k.shape(0));
        let g = self.linear().window(image, map)?.geometry(image, map);
        with_compute!(k.dtype(0), C => {
            let (x, w) = (read::<C>(k, 0), read::<C>(k, 1));
            let bias = (!self.no_bias).then(|| read::<C>(k, 2));
            write::<C>(k, 0, |y| {
                if let Some(b) = &bias {
                    let channel: usize = image[2..].iter().product::<i64>() as usize;
                    y.chunks_mut(channel.max(1)).zip(b.iter().cycle()).for_each(|(y, b)| y.fill(*b));
                }
                backward_data(&g, &x, &w, y, bias.is_some());
            });
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (dy, x, w) = (b.out_grad(0), b.input(0), b.input(1));
        b.set_grad(0, b.apply(ConvolutionMap::from(&self.linear()), &[dy, w, x]));
        b.set_grad(1, b.apply(ConvolutionWeight::from(&self.linear()), &[dy, x, w]));
        if !self.no_bias {
            b.set_grad(2, dy.apply(bias_sum(), &[]));
        }
        Ok(())
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        super::convolution::product_flops(s.known(0), s.known(1))
    }
    fn workspace(&self, s: &ShapeInfer, size: usize) -> usize {
        s.known(1).map_or(0, Shape::len) * size
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        s.input(0).map_or(0, Shape::len) * s.input(1).map_or(0, |w| w[1..].iter().product::<i64>() as usize)
            / 4
    }
}
