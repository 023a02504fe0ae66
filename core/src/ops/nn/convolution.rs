//! Convolution, and the three products between an image, a map and a weight of which it, its gradients and
//! deconvolution are made.
//!
//! An image (n, c, …) and a weight (f, c / groups, kernel…) make a map (n, f, …). Each of the three is linear in
//! the other two, so that their gradients are the others.

use super::compute::{Compute, read, write, write_or_add};
use super::spatial::{Layout, Sizes, channels_first, check_kernel, per_axis, spatial};
use super::winograd::WinogradConvolution;
use crate::kernels::conv::{ConvGeometry, backward_data, backward_weight, forward};
use crate::op::{OpRef, registry};
use crate::ops::family::prelude::*;
use crate::ops::reduce::Sum;

/// What a convolution's performance tests would choose; accepted for MXNet's model files.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum Tune {
    /// Choose the fastest.
    Fastest,
    /// Choose the fastest within the workspace.
    LimitedWorkspace,
    /// Choose without tests.
    Off,
}

/// Slides a window over one to three axes of the data and multiplies what is in it with each filter.
///
/// Data is (n, channels, \[depth,\] \[height,\] width), the weight is (num_filter, channels / num_group, kernel…),
/// the bias (num_filter). Along each axis the result has
/// `floor((x + 2·pad − dilate·(kernel − 1) − 1) / stride) + 1` elements.
#[derive(Attrs, Clone, Debug)]
pub struct Convolution {
    /// Size of the window along each axis.
    #[attr(id = 1)]
    pub kernel: Shape,
    /// Step of the window along each axis; 1 if empty.
    #[attr(id = 2, default = Shape::scalar())]
    pub stride: Shape,
    /// Distance between neighbouring elements of the window; 1 if empty.
    #[attr(id = 3, default = Shape::scalar())]
    pub dilate: Shape,
    /// Zeros before and after each axis; none if empty.
    #[attr(id = 4, default = Shape::scalar())]
    pub pad: Shape,
    /// Number of filters: channels of the result.
    #[attr(id = 5, min = 1)]
    pub num_filter: i64,
    /// Groups of channels that are convolved apart from each other.
    #[attr(id = 6, default = 1, min = 1)]
    pub num_group: i64,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 7, default = 1024, min = 0)]
    pub workspace: i64,
    /// Add no bias.
    #[attr(id = 8, default = false)]
    pub no_bias: bool,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 9)]
    pub cudnn_tune: Option<Tune>,
    /// Unused; kept for MXNet's model files.
    #[attr(id = 10, default = false)]
    pub cudnn_off: bool,
    /// Order of the axes; only those with channels before space.
    #[attr(id = 11)]
    pub layout: Option<Layout>,
}

impl Convolution {
    pub(super) fn window(&self) -> Result<Window> {
        Window::new(&self.kernel, &self.stride, &self.dilate, &self.pad, self.num_group)
    }
}

/// The attributes that the three products share, checked.
pub(super) struct Window {
    pub kernel: Sizes,
    pub stride: Sizes,
    pub dilate: Sizes,
    pub pad: Sizes,
    pub groups: usize,
}

impl Window {
    pub fn new(kernel: &Shape, stride: &Shape, dilate: &Shape, pad: &Shape, groups: i64) -> Result<Window> {
        check_kernel(kernel)?;
        let n = kernel.ndim();
        Ok(Window {
            kernel: kernel.iter().map(|k| *k as usize).collect(),
            stride: per_axis("stride", stride, n, 1, 1)?,
            dilate: per_axis("dilate", dilate, n, 1, 1)?,
            pad: per_axis("pad", pad, n, 0, 0)?,
            groups: groups as usize,
        })
    }

    /// Size of the window along an axis with the gaps inside.
    pub fn reach(&self, axis: usize) -> usize {
        self.dilate[axis] * (self.kernel[axis] - 1) + 1
    }

    /// Size of the map along an axis for an image of size `image`, unknown for unknown.
    fn output(&self, axis: usize, image: i64) -> Result<i64> {
        if image < 0 {
            return Ok(UNKNOWN);
        }
        let room = image as usize + 2 * self.pad[axis];
        if room < self.reach(axis) {
            return Err(err!(
                Shape,
                "the window of {} elements exceeds the data, which has {room} with padding along axis {}",
                self.reach(axis),
                axis + 2
            )
            .about("kernel"));
        }
        Ok(((room - self.reach(axis)) / self.stride[axis] + 1) as i64)
    }

    /// The geometry between an image and a map.
    pub fn geometry(&self, image: &Shape, map: &Shape) -> ConvGeometry {
        let channels = (image[1] as usize, map[1] as usize, self.groups);
        let sizes = (&self.kernel, &self.stride, &self.pad, &self.dilate);
        let (kernel, stride, pad, dilate) = sizes;
        let mut g =
            ConvGeometry::new(image[0] as usize, channels, &spatial(image), kernel, stride, pad, dilate);
        let map = spatial(map);
        g.output = [1; 3];
        g.output[3 - map.len()..].copy_from_slice(&map);
        g
    }
}

/// Refuses a number of channels that is no multiple of the number of groups.
pub(super) fn check_groups(what: &str, channels: i64, groups: i64) -> Result<()> {
    if channels >= 0 && channels % groups != 0 {
        return Err(
            err!(Shape, "expected a multiple of num_group {groups}, got {channels} channels").about(what)
        );
    }
    Ok(())
}

impl Operator for Convolution {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The data, (n, channels, …)."),
            Input::new("weight", "The weight, (num_filter, channels / num_group, kernel…)."),
            Input::new("bias", "The bias, (num_filter).").optional(),
        ];
        Meta::new("Convolution", inputs).aliases(&["_npx_convolution"])
    }
    fn samples() -> Vec<Sample> {
        let sample = |name, data: &[i64], weight: &[i64]| {
            let s = Sample::new(name).grid(data, -1.0, 1.0).grid(weight, -1.0, 1.0).input(&weight[..1]);
            s.attr("kernel", &weight[2..]).attr("num_filter", weight[0]).tolerance(2.0)
        };
        let plain = |name| sample(name, &[2, 3, 5, 6], &[4, 3, 3, 2]);
        vec![
            plain("two axes"),
            plain("steps and padding").attr("stride", [2, 3]).attr("pad", [1, 2]),
            sample("a window with gaps", &[1, 2, 7, 7], &[3, 2, 3, 3]).attr("dilate", [2, 3]),
            sample("groups", &[2, 4, 5, 5], &[6, 2, 3, 3]).attr("num_group", 2).attr("pad", [1, 1]),
            sample("a filter per channel", &[1, 4, 5, 5], &[4, 1, 3, 3]).attr("num_group", 4),
            sample("one axis", &[2, 3, 9], &[4, 3, 3]).attr("stride", [2]).attr("layout", "NCW"),
            sample("three axes", &[1, 2, 4, 5, 4], &[3, 2, 2, 3, 2]).attr("pad", [1, 0, 1]),
            sample("a single point", &[2, 3, 4, 4], &[5, 3, 1, 1]),
            Sample::new("no bias")
                .grid(&[2, 3, 4, 4], -1.0, 1.0)
                .grid(&[2, 3, 2, 2], -1.0, 1.0)
                .attr("kernel", [2, 2])
                .attr("num_filter", 2)
                .attr("no_bias", true),
            sample("a window larger than the data", &[1, 1, 2, 2], &[1, 1, 3, 3]).fails(ErrorCode::Shape),
            sample("groups that do not divide", &[1, 3, 4, 4], &[4, 1, 2, 2])
                .attr("num_group", 2)
                .fails(ErrorCode::Shape),
            plain("a step too many").attr("stride", [1, 1, 1]).fails(ErrorCode::InvalidValue),
            plain("too few axes").attr("kernel", [3]).fails(ErrorCode::Shape),
            plain("channels last").attr("layout", "NHWC").fails(ErrorCode::Unsupported),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(if self.no_bias { 2 } else { 3 })
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let window = self.window()?;
        channels_first(self.layout, window.kernel.len())?;
        check_groups("num_filter", self.num_filter, self.num_group)?;
        if !self.no_bias {
            s.set_input(2, Shape::new(&[self.num_filter]))?;
        }
        s.require_ndim(0, window.kernel.len() + 2)?;
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        check_groups("data", x[1], self.num_group)?;
        let group = if x[1] < 0 { UNKNOWN } else { x[1] / self.num_group };
        let mut weight = Shape::new(&[self.num_filter, group]);
        self.kernel.iter().for_each(|k| weight.push(*k));
        s.set_input(1, weight)?;
        let mut y = Shape::new(&[x[0], self.num_filter]);
        for (axis, d) in x[2..].iter().enumerate() {
            y.push(window.output(axis, *d)?);
        }
        s.set_output(0, y)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let g = self.window()?.geometry(k.shape(0), k.out_shape(0));
        with_compute!(k.dtype(0), C => {
            let (x, w) = (read::<C>(k, 0), read::<C>(k, 1));
            let bias = (!self.no_bias).then(|| read::<C>(k, 2));
            write::<C>(k, 0, |y| forward(&g, &x, &w, bias.as_deref(), y, false));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (dy, x, w) = (b.out_grad(0), b.input(0), b.input(1));
        let a = self.clone();
        let shared = Linear {
            kernel: a.kernel,
            stride: a.stride,
            dilate: a.dilate,
            pad: a.pad,
            num_group: a.num_group,
            target: false,
        };
        // The data is read for the last time before its gradient is made, which may then take its place.
        if b.wants(1) {
            b.set_grad(1, b.apply(ConvolutionWeight::from(&shared), &[x, dy, w]));
        }
        b.set_grad(0, b.apply(ConvolutionImage::from(&shared), &[dy, w, x]));
        if !self.no_bias {
            b.set_grad(2, dy.apply(bias_sum(), &[]));
        }
        Ok(())
    }
    fn for_prediction(&self, s: &ShapeInfer) -> Option<OpRef> {
        WinogradConvolution::instead_of(self, s).map(|op| registry().op(op))
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        product_flops(s.output(0), s.known(1))
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        s.output(0).map_or(0, Shape::len) * s.input(1).map_or(0, |w| w[1..].iter().product::<i64>() as usize)
            / 4
    }
}

/// Two operations for each element of the map and each weight that it is made with.
pub(super) fn product_flops(map: Option<&Shape>, weight: Option<&Shape>) -> u64 {
    let window = |w: &Shape| w[1..].iter().product::<i64>() as u64;
    2 * map.map_or(0, Shape::len) as u64 * weight.map_or(0, window)
}

/// The gradient of a bias per channel.
pub(super) fn bias_sum() -> Sum {
    Sum { axis: Some(Shape::new(&[1])), keepdims: false, exclude: true }
}

/// Attributes of the three products.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    pub kernel: Shape,
    pub stride: Shape,
    pub dilate: Shape,
    pub pad: Shape,
    pub num_group: i64,
    pub target: bool,
}

impl Linear {
    /// The window between an image and a map.
    pub fn window(&self, image: &Shape, map: &Shape) -> Result<Window> {
        let mut window = Window::new(&self.kernel, &self.stride, &self.dilate, &self.pad, self.num_group)?;
        if self.target {
            let sizes = image[2..].iter().zip(&map[2..]).enumerate();
            let pads = sizes.map(|(a, (i, m))| {
                (window.stride[a] * (*m as usize - 1) + window.reach(a) - *i as usize).div_ceil(2)
            });
            window.pad = pads.collect();
        }
        Ok(window)
    }
}

/// Makes one of the three products: its operands are two of image, weight and map, and what has the shape of the
/// third. `shapes` says which of these three are the image and the map; the operands of the gradients are 0 for the
/// result's gradient, 1 and 2 for the factors.
macro_rules! product {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal, [$first:literal, $second:literal, $like:literal],
     numpy $oracle:literal, samples $shapes:expr, shapes ($image:expr, $map:expr),
     gradients ($g0:ident [$($a0:literal),*], $g1:ident [$($a1:literal),*]), $run:expr) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// As in the convolution.
            #[attr(id = 1)]
            pub kernel: Shape,
            /// As in the convolution.
            #[attr(id = 2, default = Shape::scalar())]
            pub stride: Shape,
            /// As in the convolution.
            #[attr(id = 3, default = Shape::scalar())]
            pub dilate: Shape,
            /// As in the convolution.
            #[attr(id = 4, default = Shape::scalar())]
            pub pad: Shape,
            /// As in the convolution.
            #[attr(id = 5, default = 1, min = 1)]
            pub num_group: i64,
            /// The padding follows from the shapes, as in a deconvolution with a target shape.
            #[attr(id = 6, default = false)]
            pub target: bool,
        }
        impl $op {
            pub(super) fn from(l: &Linear) -> Self {
                let l = l.clone();
                $op { kernel: l.kernel, stride: l.stride, dilate: l.dilate, pad: l.pad,
                    num_group: l.num_group, target: l.target }
            }
            fn linear(&self) -> Linear {
                let l = self.clone();
                Linear { kernel: l.kernel, stride: l.stride, dilate: l.dilate, pad: l.pad,
                    num_group: l.num_group, target: l.target }
            }
        }
        impl Operator for $op {
            fn meta() -> Meta {
                let inputs = [
                    Input::new($first, "The first factor."),
                    Input::new($second, "The second factor."),
                    Input::new($like, "The shape of the result.").shape_only(),
                ];
                Meta::new($name, inputs).internal()
            }
            fn samples() -> Vec<Sample> {
                let [a, b, c]: [[i64; 4]; 3] = $shapes;
                let s = Sample::new("a small window").grid(&a, -1.0, 1.0).grid(&b, -1.0, 1.0).input(&c);
                vec![s.attr("kernel", [2, 3]).attr("pad", [1, 0]).oracle(Oracle::MxNetCode($oracle))]
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                s.input(2).cloned().map_or(Ok(()), |like| s.set_output(0, like))
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                t.same(&[0, 1])
            }
            fn accumulates(&self) -> bool {
                true
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let shapes = [k.shape(0), k.shape(1), k.out_shape(0)];
                let (image, map) = (shapes[$image], shapes[$map]);
                let g = self.linear().window(image, map)?.geometry(image, map);
                with_compute!(k.dtype(0), C => {
                    let (a, b) = (read::<C>(k, 0), read::<C>(k, 1));
                    write_or_add::<C>(k, 0, |out, add| $run(&g, &a, &b, out, add));
                });
                Ok(())
            }
            fn gradient(&self, b: &Builder) -> Result<()> {
                let values = [b.out_grad(0), b.input(0), b.input(1)];
                b.set_grad(0, b.apply($g0::from(&self.linear()), &[$(values[$a0]),*]));
                b.set_grad(1, b.apply($g1::from(&self.linear()), &[$(values[$a1]),*]));
                Ok(())
            }
            fn flops(&self, s: &ShapeInfer) -> u64 {
                let shapes = [s.input(0), s.input(1), s.input(2)];
                product_flops(shapes[$map], shapes[3 - $image - $map])
            }
            fn workspace(&self, s: &ShapeInfer, size: usize) -> usize {
                // The weights once more, in another order.
                s.input(3 - $image - $map).map_or(0, Shape::len) * size
            }
            fn cost(&self, s: &ShapeInfer) -> usize {
                s.total_len() * self.kernel.len()
            }
        }
    };
}

product! {
    /// The map of an image and a weight: a convolution without bias.
    ConvolutionMap = "_convolution_map", ["image", "weight", "map"],
    numpy "mx.nd.Convolution(x[0], x[1], kernel=(2, 3), pad=(1, 0), num_filter=4, no_bias=True)",
    samples [[2, 3, 4, 5], [4, 3, 2, 3], [2, 4, 5, 3]], shapes (0, 2),
    gradients (ConvolutionImage [0, 2, 1], ConvolutionWeight [1, 0, 2]), run_map
}

product! {
    /// The image of a map and a weight: the gradient of a convolution's data, and a deconvolution.
    ConvolutionImage = "_convolution_image", ["map", "weight", "image"],
    numpy "mx.nd.Deconvolution(x[0], x[1], kernel=(2, 3), pad=(1, 0), num_filter=3)",
    samples [[2, 4, 5, 3], [4, 3, 2, 3], [2, 3, 4, 5]], shapes (2, 0),
    gradients (ConvolutionMap [0, 2, 1], ConvolutionWeight [0, 1, 2]), backward_data
}

product! {
    /// The weight of an image and a map: the gradient of a convolution's weight.
    ConvolutionWeight = "_convolution_weight", ["image", "map", "weight"],
    numpy "mx.nd.Convolution(x[0].swapaxes(0, 1), x[1].swapaxes(0, 1), kernel=(5, 3), pad=(1, 0), num_filter=4, no_bias=True).swapaxes(0, 1)",
    samples [[2, 3, 4, 5], [2, 4, 5, 3], [4, 3, 2, 3]], shapes (0, 1),
    gradients (ConvolutionImage [2, 0, 1], ConvolutionMap [1, 0, 2]), backward_weight
}

fn run_map<C: Compute>(g: &ConvGeometry, image: &[C], weight: &[C], map: &mut [C], add: bool) {
    forward(g, image, weight, None, map, add);
}
