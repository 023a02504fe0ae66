//! Layer, group and instance normalisation, and their common gradient.

use super::compute::{read, read_ordered, write, write_ordered};
use super::norm::{Rows, backward_data, backward_parameters, forward};
use crate::ops::family::prelude::*;
use crate::shape::normalize_axis;

/// Normalises the data along an axis: `(x − mean) / sqrt(variance + eps) · gamma + beta`.
///
/// `gamma` and `beta` have the size of the axis. With `output_mean_var` mean and `sqrt(variance + eps)` are results
/// too, with size 1 along the axis. Method: Ba, Kiros, Hinton, «Layer Normalization», 2016.
#[derive(Attrs, Clone, Debug)]
pub struct LayerNorm {
    /// The axis.
    #[attr(id = 1, default = -1)]
    pub axis: i64,
    /// Added to the variance.
    #[attr(id = 2, default = 1e-5f32)]
    pub eps: f64,
    /// Give mean and deviation as well.
    #[attr(id = 3, default = false)]
    pub output_mean_var: bool,
}

/// Normalises groups of channels of each sample: `(x − mean) / sqrt(variance + eps) · gamma + beta`.
///
/// Data is (n, channels, …). `gamma` and `beta` have an element for each group. With `output_mean_var` mean and
/// `sqrt(variance + eps)` of each sample and group are results too. Method: Wu, He, «Group Normalization», 2018.
#[derive(Attrs, Clone, Debug)]
pub struct GroupNorm {
    /// Number of groups; it divides the number of channels.
    #[attr(id = 1, default = 1, min = 1)]
    pub num_groups: i64,
    /// Added to the variance.
    #[attr(id = 2, default = 1e-5f32)]
    pub eps: f64,
    /// Give mean and deviation as well.
    #[attr(id = 3, default = false)]
    pub output_mean_var: bool,
}

/// Normalises each channel of each sample: `(x − mean) / sqrt(variance + eps) · gamma + beta`.
///
/// Data is (n, channels, …), `gamma` and `beta` have an element for each channel. Method: Ulyanov, Vedaldi,
/// Lempitsky, «Instance Normalization», 2016.
#[derive(Attrs, Clone, Debug)]
pub struct InstanceNorm {
    /// Added to the variance.
    #[attr(id = 1, default = 1e-3f32)]
    pub eps: f64,
}

/// How data is cut into rows.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum Cut {
    /// Along an axis, each element of which has parameters.
    Axis,
    /// Into groups of channels, each of which has parameters.
    Group,
    /// Into channels.
    Channel,
}

/// A cut of data of some shape.
struct Plan {
    rows: Rows,
    /// The order of axes in which rows are contiguous, if they are not.
    order: Option<Vec<usize>>,
}

impl Cut {
    fn plan(self, shape: &Shape, axis: i64, groups: i64) -> Result<Plan> {
        let size = |dims: &[i64]| dims.iter().product::<i64>() as usize;
        Ok(match self {
            Cut::Axis => {
                let axis = normalize_axis(axis, shape.ndim()).map_err(|e| e.about("axis"))?;
                let len = shape[axis] as usize;
                let rows = Rows {
                    rows: shape.len().checked_div(len).unwrap_or(0),
                    len,
                    period: 1,
                    own: len,
                    run: 1,
                };
                let last = shape.ndim() - 1;
                let others = || (0..=last).filter(|a| *a != axis);
                Plan { rows, order: (axis != last).then(|| others().chain([axis]).collect()) }
            }
            Cut::Group => {
                let (rows, len) = ((shape[0] * groups) as usize, size(&shape[1..]) / groups as usize);
                let rows = Rows { rows, len, period: groups as usize, own: 1, run: len.max(1) };
                Plan { rows, order: None }
            }
            Cut::Channel => {
                let (rows, len) = (size(&shape[..2]), size(&shape[2..]));
                let rows = Rows { rows, len, period: shape[1] as usize, own: 1, run: len.max(1) };
                Plan { rows, order: None }
            }
        })
    }
}

fn run(k: &Kernel, plan: &Plan, eps: f64) {
    let order = plan.order.as_deref();
    with_compute!(k.dtype(0), C => {
        let x = read_ordered::<C>(k, 0, order);
        let (gamma, beta) = (read::<C>(k, 1), read::<C>(k, 2));
        let mut stats = (vec![C::ZERO; plan.rows.rows], vec![C::ZERO; plan.rows.rows]);
        write_ordered::<C>(k, order, |y| {
            forward(plan.rows, eps, &x, (&gamma, &beta), y, (&mut stats.0, &mut stats.1));
        });
        write::<C>(k, 1, |mean| mean.copy_from_slice(&stats.0));
        write::<C>(k, 2, |deviation| deviation.copy_from_slice(&stats.1));
    });
}

/// States the gradients of one of the three.
fn gradient(b: &Builder, cut: Cut, axis: i64, num_groups: i64, heads: bool) {
    let mut inputs = vec![b.out_grad(0), b.input(0), b.input(1), b.output(1), b.output(2)];
    if heads {
        inputs.extend([b.out_grad(1), b.out_grad(2)]);
    }
    if b.wants(0) {
        b.set_grad(0, b.apply(NormData { cut, axis, num_groups, heads }, &inputs));
    }
    if b.wants(1) || b.wants(2) {
        let grads = b.apply_all(NormParameters { cut, axis, num_groups }, &inputs[..5]);
        b.set_grad(1, grads[0]);
        b.set_grad(2, grads[1]);
    }
}

/// The three layers differ in how data is cut and in the shapes of parameters and statistics.
macro_rules! norm {
    ($op:ident = $name:literal aliases [$($alias:literal),*], |$this:ident| $cut:expr, visible $visible:expr,
     samples $samples:expr, shapes |$x:ident| $shapes:expr) => {
        impl Operator for $op {
            fn meta() -> Meta {
                let inputs = [
                    Input::new("data", "The data."),
                    Input::new("gamma", "The factors."),
                    Input::new("beta", "The offsets."),
                ];
                Meta::new($name, inputs).aliases(&[$($alias),*]).outputs(&["output", "mean", "std"])
            }
            fn samples() -> Vec<Sample> {
                $samples
            }
            fn num_outputs(&self) -> usize {
                3
            }
            fn num_visible_outputs(&self) -> usize {
                let $this = self;
                if $visible { 3 } else { 1 }
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                let Some($x) = s.input(0).cloned() else { return Ok(()) };
                let $this = self;
                let (parameters, statistics): (Shape, Shape) = $shapes?;
                s.set_input(1, parameters.clone())?;
                s.set_input(2, parameters)?;
                s.set_output(0, $x)?;
                s.set_output(1, statistics.clone())?;
                s.set_output(2, statistics)
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let $this = self;
                let (cut, axis, groups): (Cut, i64, i64) = $cut;
                run(k, &cut.plan(k.shape(0), axis, groups)?, self.eps);
                Ok(())
            }
            fn gradient(&self, b: &Builder) -> Result<()> {
                let $this = self;
                let (cut, axis, groups): (Cut, i64, i64) = $cut;
                gradient(b, cut, axis, groups, $visible);
                Ok(())
            }
            fn cost(&self, s: &ShapeInfer) -> usize {
                4 * s.total_len()
            }
        }
    };
}

norm! {
    LayerNorm = "LayerNorm" aliases ["_npx_layer_norm"], |this| (Cut::Axis, this.axis, 1), visible this.output_mean_var,
    samples {
        // MXNet ignores the gradients of mean and deviation, hence the oracles below.
        let sample = |name, shape: &[i64], n: i64| Sample::new(name).input(shape).input(&[n]).input(&[n]).tolerance(4.0);
        vec![
            sample("the last axis", &[3, 8], 8),
            sample("another axis", &[2, 5, 3], 5).attr("axis", 1),
            sample("a large eps", &[3, 8], 8).attr("eps", 0.5),
            sample("mean and deviation", &[3, 8], 8).attr("output_mean_var", true).oracle(Oracle::MxNetCode(
                "[mx.nd.LayerNorm(*x), x[0].mean(-1, keepdims=True), mx.nd.sqrt(mx.nd.square(x[0] - \
                 x[0].mean(-1, keepdims=True)).mean(-1, keepdims=True) + float(np.float32(1e-5)))]",
            )),
            sample("one element", &[2, 1], 1).attr("eps", 1.0),
            sample("no such axis", &[3, 8], 8).attr("axis", 2).fails(ErrorCode::Index),
            sample("parameters of another shape", &[3, 8], 7).fails(ErrorCode::Shape),
        ]
    },
    shapes |x| normalize_axis(this.axis, x.ndim()).map_err(|e| e.about("axis")).map(|axis| {
        let mut statistics = x.clone();
        statistics[axis] = 1;
        (Shape::new(&[x[axis]]), statistics)
    })
}

norm! {
    GroupNorm = "GroupNorm" aliases [], |this| (Cut::Group, 1, this.num_groups), visible this.output_mean_var,
    samples {
        let sample = |name, shape: &[i64], n: i64| {
            Sample::new(name).input(shape).input(&[n]).input(&[n]).attr("num_groups", n).tolerance(4.0)
        };
        vec![
            sample("two groups", &[2, 4, 3], 2),
            sample("one group", &[2, 3, 2, 2], 1),
            sample("mean and deviation", &[2, 4, 3], 2).attr("output_mean_var", true).oracle(Oracle::MxNetCode(
                "(lambda r: [mx.nd.GroupNorm(*x, num_groups=2), r.mean(-1), mx.nd.sqrt(mx.nd.square(r - \
                 r.mean(-1, keepdims=True)).mean(-1) + float(np.float32(1e-5)))])(x[0].reshape((2, 2, -1)))",
            )),
            sample("a large eps", &[2, 4, 3], 4).attr("eps", 0.5),
            sample("groups that do not divide", &[2, 3, 3], 2).fails(ErrorCode::Shape),
            sample("too few axes", &[2, 4], 2).fails(ErrorCode::Shape),
        ]
    },
    shapes |x| {
        let n = this.num_groups;
        if x.ndim() < 3 {
            Err(err!(Shape, "expected at least 3 axes, got shape {x}").about("data"))
        } else if x[1] >= 0 && x[1] % n != 0 {
            Err(err!(Shape, "expected a multiple of num_groups {n}, got {} channels", x[1]).about("data"))
        } else {
            Ok((Shape::new(&[n]), Shape::new(&[x[0], n])))
        }
    }
}

norm! {
    InstanceNorm = "InstanceNorm" aliases [], |_this| (Cut::Channel, 1, 1), visible false,
    samples {
        let sample = |name, shape: &[i64], n: i64| Sample::new(name).input(shape).input(&[n]).input(&[n]).tolerance(4.0);
        vec![
            sample("one axis behind the channels", &[2, 3, 5], 3),
            sample("two axes behind the channels", &[2, 3, 3, 2], 3),
            sample("a large eps", &[2, 3, 5], 3).attr("eps", 0.5),
            sample("too few axes", &[2, 3], 3).fails(ErrorCode::Shape),
            sample("parameters of another shape", &[2, 3, 5], 2).fails(ErrorCode::Shape),
        ]
    },
    shapes |x| if x.ndim() < 3 {
        Err(err!(Shape, "expected at least 3 axes, got shape {x}").about("data"))
    } else {
        Ok((Shape::new(&x[1..2]), Shape::new(&x[..2])))
    }
}

fn backward_inputs() -> Vec<Input> {
    vec![
        Input::new("out_grad", "The gradient of the result."),
        Input::new("data", "The data."),
        Input::new("gamma", "The factors."),
        Input::new("mean", "The mean of each row."),
        Input::new("std", "The deviation of each row."),
    ]
}

/// The gradient of the data of a normalisation.
#[derive(Attrs, Clone, Debug)]
pub struct NormData {
    /// How data is cut into rows.
    #[attr(id = 1)]
    pub cut: Cut,
    /// The axis, for `axis`.
    #[attr(id = 2, default = -1)]
    pub axis: i64,
    /// Number of groups, for `group`.
    #[attr(id = 3, default = 1)]
    pub num_groups: i64,
    /// Mean and deviation have gradients too.
    #[attr(id = 4, default = false)]
    pub heads: bool,
}

fn backward_sample(numpy: &'static str) -> Vec<Sample> {
    let s = Sample::new("one row").input(&[1, 4]).input(&[1, 4]).input(&[4]);
    let s = s.values(&[1, 1], &[0.5]).values(&[1, 1], &[2.0]).attr("cut", "axis");
    vec![s.oracle(Oracle::NumPy(numpy)).no_gradient()]
}

impl Operator for NormData {
    fn meta() -> Meta {
        let mut inputs = backward_inputs();
        inputs.push(Input::new("mean_grad", "The gradient of the mean.").optional());
        inputs.push(Input::new("std_grad", "The gradient of the deviation.").optional());
        Meta::new("_backward_norm_data", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        backward_sample(
            "(lambda g, h: (g - g.mean() - h * (g * h).mean()) / 2)(x[0] * x[2], (x[1] - 0.5) / 2)",
        )
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(if self.heads { 7 } else { 5 })
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(1).cloned().map_or(Ok(()), |x| s.set_output(0, x))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let plan = self.cut.plan(k.shape(1), self.axis, self.num_groups)?;
        let order = plan.order.as_deref();
        with_compute!(k.dtype(0), C => {
            let dy = read_ordered::<C>(k, 0, order);
            let x = read_ordered::<C>(k, 1, order);
            let (gamma, mean, deviation) = (read::<C>(k, 2), read::<C>(k, 3), read::<C>(k, 4));
            let heads = self.heads.then(|| (read::<C>(k, 5), read::<C>(k, 6)));
            let heads = heads.as_ref().map(|(m, d)| (&**m, &**d));
            write_ordered::<C>(k, order, |dx| {
                backward_data(plan.rows, &x, &dy, &gamma, (&mean, &deviation), heads, dx);
            });
        });
        Ok(())
    }
}

/// The gradients of the factors and offsets of a normalisation.
#[derive(Attrs, Clone, Debug)]
pub struct NormParameters {
    /// How data is cut into rows.
    #[attr(id = 1)]
    pub cut: Cut,
    /// The axis, for `axis`.
    #[attr(id = 2, default = -1)]
    pub axis: i64,
    /// Number of groups, for `group`.
    #[attr(id = 3, default = 1)]
    pub num_groups: i64,
}

impl Operator for NormParameters {
    fn meta() -> Meta {
        Meta::new("_backward_norm_parameters", backward_inputs())
            .outputs(&["gamma_grad", "beta_grad"])
            .internal()
    }
    fn samples() -> Vec<Sample> {
        backward_sample("[(x[0] * (x[1] - 0.5) / 2)[0], x[0][0]]")
    }
    fn num_outputs(&self) -> usize {
        2
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(gamma) = s.input(2).cloned() else { return Ok(()) };
        s.set_output(0, gamma.clone())?;
        s.set_output(1, gamma)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let plan = self.cut.plan(k.shape(1), self.axis, self.num_groups)?;
        let order = plan.order.as_deref();
        with_compute!(k.dtype(0), C => {
            let dy = read_ordered::<C>(k, 0, order);
            let x = read_ordered::<C>(k, 1, order);
            let (mean, deviation) = (read::<C>(k, 3), read::<C>(k, 4));
            write::<C>(k, 0, |dgamma| write::<C>(k, 1, |dbeta| {
                backward_parameters(plan.rows, &x, &dy, (&mean, &deviation), dgamma, dbeta);
            }));
        });
        Ok(())
    }
}
