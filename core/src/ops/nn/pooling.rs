//! Pooling and its gradient.

use super::ActType;
use super::Activation;
use super::compute::{is_over, read_ordered, write_ordered};
use super::spatial::{Layout, Sizes, check_kernel, check_layout, per_axis};
use crate::kernels::pool::{
    Convention, Max, PoolGeometry, Pooling as Kind, max_pool_backward, pool, pool_backward, relu_max_pool,
};
use crate::op::{OpRef, registry};
use crate::ops::family::prelude::*;

/// What is computed over a window.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum PoolType {
    /// Average.
    Avg,
    /// p-th root of the sum of p-th powers.
    Lp,
    /// Largest element.
    Max,
    /// Sum.
    Sum,
}

/// How the size of the result follows from the size of the data.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum PoolConvention {
    /// Rounded up: every element is in a window.
    Full,
    /// The size divided by the step, rounded up; for one axis only.
    Same,
    /// Rounded down: only whole windows.
    Valid,
}

/// Makes the operator and its gradient, which have the same attributes.
macro_rules! pooling {
    ($($(#[doc = $doc:literal])* $op:ident),*) => {$(
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// Size of the window along each axis; not needed with `global_pool`.
            #[attr(id = 1, default = Shape::scalar())]
            pub kernel: Shape,
            /// What is computed over a window.
            #[attr(id = 2, default = PoolType::Max)]
            pub pool_type: PoolType,
            /// One window over everything.
            #[attr(id = 3, default = false)]
            pub global_pool: bool,
            /// Unused; kept for MXNet's model files.
            #[attr(id = 4, default = false)]
            pub cudnn_off: bool,
            /// How the size of the result follows from the size of the data.
            #[attr(id = 5, default = PoolConvention::Valid)]
            pub pooling_convention: PoolConvention,
            /// Step of the window along each axis; 1 if empty.
            #[attr(id = 6, default = Shape::scalar())]
            pub stride: Shape,
            /// Padding before and after each axis; none if empty.
            #[attr(id = 7, default = Shape::scalar())]
            pub pad: Shape,
            /// The power for `lp`: 1, 2 or 3.
            #[attr(id = 8)]
            pub p_value: Option<i64>,
            /// Count padding when averaging; so it is unless `False`.
            #[attr(id = 9)]
            pub count_include_pad: Option<bool>,
            /// Order of the axes; (n, channels, …) if absent.
            #[attr(id = 10)]
            pub layout: Option<Layout>,
        }
    )*};
}

pooling! {
    /// Computes the largest element, the average, the sum or a p-norm over windows that slide over one to three
    /// axes of each channel.
    ///
    /// Data is (n, channels, \[depth,\] \[height,\] width). Along each axis the result has
    /// `(x + 2·pad − kernel) / stride + 1` elements, rounded as `pooling_convention` says.
    Pooling,
    /// The gradient of the data of a pooling.
    PoolingBackward,
    /// The largest max(x, 0) over windows: a rectifier and then a maximum.
    ReluPooling,
    /// The gradient of the data of [`ReluPooling`].
    ReluPoolingBackward
}

/// The operators with the attributes of another.
macro_rules! same_attributes {
    ($from:expr, $to:ident) => {{
        let a = $from.clone();
        $to {
            kernel: a.kernel,
            pool_type: a.pool_type,
            global_pool: a.global_pool,
            cudnn_off: a.cudnn_off,
            pooling_convention: a.pooling_convention,
            stride: a.stride,
            pad: a.pad,
            p_value: a.p_value,
            count_include_pad: a.count_include_pad,
            layout: a.layout,
        }
    }};
}

impl Pooling {
    fn kind(&self) -> Result<Kind> {
        Ok(match self.pool_type {
            PoolType::Max => Kind::Max,
            PoolType::Avg => Kind::Avg { count_include_pad: self.count_include_pad.unwrap_or(true) },
            PoolType::Sum => Kind::Sum,
            PoolType::Lp => match self.p_value {
                Some(p @ 1..=3) => Kind::Lp(p as u8),
                _ => {
                    return Err(err!(InvalidValue, "expected 1, 2 or 3 with pool_type 'lp'").about("p_value"));
                }
            },
        })
    }

    /// The order of the data's axes in which channels come before space.
    fn order(&self, ndim: usize) -> Result<Option<Vec<usize>>> {
        let last = check_layout(self.layout, ndim - 2)?;
        Ok(last.then(|| [0, ndim - 1].into_iter().chain(1..ndim - 1).collect()))
    }

    /// The geometry for data with the channels before space.
    fn geometry(&self, data: &Shape) -> Result<PoolGeometry> {
        let n = data.ndim() - 2;
        let input: Sizes = data[2..].iter().map(|d| *d as usize).collect();
        let planes = (data[0] * data[1]) as usize;
        if self.global_pool {
            let (one, zero) = (Sizes::from_elem(1, n), Sizes::from_elem(0, n));
            return Ok(PoolGeometry::new(planes, &input, &input, &one, &zero, Convention::Valid));
        }
        let stride = per_axis("stride", &self.stride, n, 1, 1)?;
        let pad = per_axis("pad", &self.pad, n, 0, 0)?;
        let kernel: Sizes = self.kernel.iter().map(|k| *k as usize).collect();
        let convention = match self.pooling_convention {
            PoolConvention::Valid => Convention::Valid,
            PoolConvention::Full => Convention::Full,
            PoolConvention::Same => Convention::Same,
        };
        Ok(PoolGeometry::new(planes, &input, &kernel, &stride, &pad, convention))
    }

    /// Checks the attributes and the data's shape, with channels before space, and gives the result's.
    fn result_shape(&self, data: &Shape) -> Result<Shape> {
        let n = data.ndim() - 2;
        if !self.global_pool {
            check_kernel(&self.kernel)?;
            if self.kernel.ndim() != n {
                return Err(
                    err!(Shape, "expected {} axes, got shape {data}", self.kernel.ndim() + 2).about("data")
                );
            }
            if self.pooling_convention == PoolConvention::Same && n != 1 {
                let e = err!(Unsupported, "'same' is for one axis only, the data has {n}");
                return Err(e.about("pooling_convention"));
            }
            if self.pooling_convention == PoolConvention::Same && self.pad.iter().any(|p| *p != 0) {
                return Err(
                    err!(InvalidValue, "expected no padding with 'same', got {}", self.pad).about("pad")
                );
            }
        }
        let mut out = Shape::new(&data[..2]);
        let known: Shape = data.iter().map(|d| (*d).max(0)).collect();
        let g = self.geometry(&known)?;
        for axis in 0..n {
            let (a, d) = (3 - n + axis, data[2 + axis]);
            if d >= 0 && !self.global_pool && g.output[a] == 0 {
                return Err(err!(
                    Shape,
                    "the window {} exceeds the padded data of shape {data}",
                    self.kernel
                )
                .about("kernel"));
            }
            if !self.global_pool && g.pad[a] >= g.kernel[a] {
                return Err(err!(
                    InvalidValue,
                    "expected less than the kernel {}, got {}",
                    self.kernel,
                    self.pad
                )
                .about("pad"));
            }
            out.push(if self.global_pool {
                1
            } else if d < 0 {
                UNKNOWN
            } else {
                g.output[a] as i64
            });
        }
        Ok(out)
    }
}

/// A shape with its axes in another order.
fn ordered(shape: &Shape, order: Option<&[usize]>) -> Shape {
    order.map_or_else(|| shape.clone(), |order| order.iter().map(|i| shape[*i]).collect())
}

impl Operator for Pooling {
    fn meta() -> Meta {
        Meta::new("Pooling", [Input::new("data", "The data, (n, channels, …).")]).aliases(&["_npx_pooling"])
    }
    fn samples() -> Vec<Sample> {
        let sample = |name, shape: &[i64], kind: &'static str| {
            Sample::new(name).distinct(shape).attr("pool_type", kind)
        };
        let plain = |name, kind| sample(name, &[2, 2, 5, 6], kind).attr("kernel", [2, 3]);
        let wide = |name, kind| plain(name, kind).attr("stride", [2, 2]).attr("pad", [1, 1]);
        let last = |name| sample(name, &[2, 5, 3, 2], "max").attr("kernel", [2, 2]).attr("layout", "NHWC");
        vec![
            plain("maximum", "max"),
            wide("maximum with steps and padding", "max"),
            wide("average, padding counts", "avg"),
            wide("average, padding does not count", "avg").attr("count_include_pad", false),
            wide("sum", "sum"),
            wide("root of squares", "lp").attr("p_value", 2),
            wide("sum of absolute values", "lp").attr("p_value", 1).no_finite_differences(),
            wide("every element in a window", "avg").attr("pooling_convention", "full"),
            wide("every element in a window, maximum", "max").attr("pooling_convention", "full"),
            sample("one axis, as many as steps", &[2, 2, 7], "max")
                .attr("kernel", [3])
                .attr("stride", [2])
                .attr("pooling_convention", "same")
                // MXNet 1.9.1 looks for the padding of a second axis and fails.
                .oracle(Oracle::NumPy("np.stack([x[0][..., i:i + 3].max(-1) for i in range(0, 7, 2)], -1)")),
            sample("padding with 'same'", &[2, 2, 7], "max")
                .attr("kernel", [3])
                .attr("pad", [1])
                .attr("pooling_convention", "same")
                .fails(ErrorCode::InvalidValue),
            sample("everything", &[2, 3, 4, 2], "avg").attr("global_pool", true),
            sample("the largest of everything", &[2, 3, 4, 2], "max").attr("global_pool", true),
            sample("one axis", &[2, 2, 9], "max").attr("kernel", [3]).attr("stride", [2]),
            sample("three axes", &[1, 2, 3, 4, 3], "avg").attr("kernel", [2, 2, 2]).attr("stride", [1, 2, 1]),
            last("channels last"),
            plain("a window too large", "max").attr("kernel", [9, 1]).fails(ErrorCode::Shape),
            plain("padding as large as the window", "max").attr("pad", [2, 1]).fails(ErrorCode::InvalidValue),
            plain("no power", "lp").fails(ErrorCode::InvalidValue),
            plain("'same' for two axes", "max")
                .attr("pooling_convention", "same")
                .fails(ErrorCode::Unsupported),
            sample("no axes", &[2, 2], "max").attr("kernel", [1]).fails(ErrorCode::Shape),
        ]
    }
    /// MXNet's own library for CPUs keeps the places of the largest elements in a second output.
    fn num_listed_outputs(&self) -> usize {
        let first = self.layout.is_none_or(|l| !l.channels_last());
        let keeps = self.pool_type == PoolType::Max && first && self.kernel.ndim() > 0;
        if keeps { 2 } else { 1 }
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        if !(3..=5).contains(&x.ndim()) {
            return Err(err!(Shape, "expected 3 to 5 axes, got shape {x}").about("data"));
        }
        let order = self.order(x.ndim())?;
        let Some(order) = order else { return s.set_output(0, self.result_shape(&x)?) };
        let inside = self.result_shape(&order.iter().map(|i| x[*i]).collect())?;
        let mut out = Shape::repeat(0, x.ndim());
        order.iter().zip(inside.iter()).for_each(|(i, d)| out[*i] = *d);
        s.set_output(0, out)
    }
    fn check(&self, _s: &ShapeInfer) -> Result<()> {
        self.kind().map(drop)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        run_pooling(self, k, false)
    }
    fn joined(&self, before: &OpRef) -> Option<OpRef> {
        let relu = (*before.op).as_any().downcast_ref::<Activation>()?.act_type == ActType::Relu;
        let joins = relu && self.pool_type == PoolType::Max;
        joins.then(|| registry().op(same_attributes!(self, ReluPooling)))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let op = same_attributes!(self, PoolingBackward);
        b.set_grad(0, b.out_grad(0).apply(op, &[b.input(0), b.output(0)]));
        Ok(())
    }
}

impl Operator for PoolingBackward {
    fn meta() -> Meta {
        let inputs = [
            Input::new("out_grad", "The gradient of the result."),
            Input::new("data", "The data."),
            Input::new("output", "The result."),
        ];
        Meta::new("_backward_pooling", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.repeat(x[0], 2, axis=2)");
        let s = Sample::new("sums of pairs").input(&[1, 2, 3]).input(&[1, 2, 6]).input(&[1, 2, 3]);
        let s = s.attr("kernel", [2]).attr("stride", [2]).attr("pool_type", "sum");
        vec![s.oracle(numpy).no_gradient()]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |x| s.set_output(0, x))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        pool_gradient(&same_attributes!(self, Pooling), k, false)
    }
    fn overwrites(&self, input: usize, output: usize) -> bool {
        (input, output) == (1, 0) && self.pool_type == PoolType::Max
    }
}

impl Operator for ReluPooling {
    fn meta() -> Meta {
        Meta::new("_relu_pooling", [Input::new("data", "The data, (n, channels, …).")]).internal()
    }
    fn samples() -> Vec<Sample> {
        let values = [-0.5, 0.25, 1.5, 0.75, -2.0, -0.125, 2.0, 0.5];
        let s = Sample::new("pairs, one of them below 0").values(&[1, 2, 4], &values);
        let s = s.attr("kernel", [2]).attr("stride", [2]);
        vec![s.oracle(Oracle::NumPy("np.maximum(x[0], 0).reshape(1, 2, 2, 2).max(-1)"))]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        same_attributes!(self, Pooling).infer_shape(s)
    }
    fn check(&self, s: &ShapeInfer) -> Result<()> {
        same_attributes!(self, Pooling).check(s)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        run_pooling(&same_attributes!(self, Pooling), k, true)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let op = same_attributes!(self, ReluPoolingBackward);
        b.set_grad(0, b.out_grad(0).apply(op, &[b.input(0), b.output(0)]));
        Ok(())
    }
}

impl Operator for ReluPoolingBackward {
    fn meta() -> Meta {
        let inputs = [
            Input::new("out_grad", "The gradient of the result."),
            Input::new("data", "The data."),
            Input::new("output", "The result."),
        ];
        Meta::new("_backward_relu_pooling", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy(
            "np.where(x[1] > 0, np.where(x[1] == np.repeat(x[2], 2, 2), \
                                   np.repeat(x[0], 2, 2), 0), 0)",
        );
        let s = Sample::new("pairs, one of them below 0").input(&[1, 2, 2]);
        let s = s.values(&[1, 2, 4], &[0.5, 0.25, -1.0, 1.5, 0.0, -0.5, 2.0, 0.125]);
        let s = s.values(&[1, 2, 2], &[0.5, 1.5, 0.0, 2.0]);
        vec![s.attr("kernel", [2]).attr("stride", [2]).oracle(numpy).no_gradient()]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |x| s.set_output(0, x))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        pool_gradient(&same_attributes!(self, Pooling), k, true)
    }
    fn in_place(&self) -> &'static [(usize, usize)] {
        &[(1, 0)]
    }
}

/// A pooling, and with `relu` of a rectifier's result.
fn run_pooling(op: &Pooling, k: &Kernel, relu: bool) -> Result<()> {
    let (kind, order) = (op.kind()?, op.order(k.shape(0).ndim())?);
    let order = order.as_deref();
    with_compute!(k.dtype(0), C => {
        let x = read_ordered::<C>(k, 0, order);
        let g = op.geometry(&ordered(k.shape(0), order))?;
        write_ordered::<C>(k, order, |y| if relu { relu_max_pool(&g, &x, y) } else { pool(&g, kind, &x, y) });
    });
    Ok(())
}

/// The gradient of a pooling, and with `relu` of the rectifier that made its data. A maximum's may be written over the
/// data.
fn pool_gradient(op: &Pooling, k: &Kernel, relu: bool) -> Result<()> {
    let (kind, order) = (op.kind()?, op.order(k.shape(1).ndim())?);
    let order = order.as_deref();
    with_compute!(k.dtype(0), C => {
        let dy = read_ordered::<C>(k, 0, order);
        let g = op.geometry(&ordered(k.shape(1), order))?;
        let y = read_ordered::<C>(k, 2, order);
        if kind == Kind::Max {
            let apart = order.is_some() || !is_over::<C>(k, 1, 0);
            let x = apart.then(|| read_ordered::<C>(k, 1, order));
            let how = Max { relu, accumulate: false };
            write_ordered::<C>(k, order, |dx| max_pool_backward(&g, how, x.as_deref(), &y, &dy, dx));
        } else {
            let x = read_ordered::<C>(k, 1, order);
            write_ordered::<C>(k, order, |dx| pool_backward(&g, kind, &x, &y, &dy, dx, false));
        }
    });
    Ok(())
}
