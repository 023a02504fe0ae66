//! Rectifiers that let something of the negative side pass.

use super::compute::{read, write};
use super::softmax::around;
use crate::ops::family::prelude::*;
use crate::rng::{Params, uniform};

/// A rectifier.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum LeakyType {
    /// slope · (exp(x) − 1) for negative x.
    Elu,
    /// x times the normal distribution function of x.
    Gelu,
    /// slope · x for negative x.
    Leaky,
    /// gamma · x for negative x, gamma learnt.
    Prelu,
    /// A random slope for negative x.
    Rrelu,
    /// A scaled `elu` that keeps mean 0 and variance 1.
    Selu,
}

/// Applies a rectifier that lets something of the negative side pass.
///
/// `leaky` slope · x for x < 0, `elu` slope · (exp(x) − 1) for x < 0, `selu` 1.0507 · elu(x) with slope 1.6733,
/// `gelu` x · Φ(x), `prelu` gamma · x for x < 0 with gamma per channel (axis 1) or one for all, `rrelu` x times a
/// number drawn between the bounds for x < 0, in prediction their mean.
#[derive(Attrs, Clone, Debug)]
pub struct LeakyRelu {
    /// The rectifier.
    #[attr(id = 1, default = LeakyType::Leaky)]
    pub act_type: LeakyType,
    /// The slope of `leaky` and `elu`.
    #[attr(id = 2, default = 0.25)]
    pub slope: f64,
    /// The smallest slope of `rrelu`.
    #[attr(id = 3, default = 0.125)]
    pub lower_bound: f64,
    /// The largest slope of `rrelu`.
    #[attr(id = 4, default = 0.334f32)]
    pub upper_bound: f64,
}

const SELU_SLOPE: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SQRT_HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;
/// 1 / sqrt(2π).
const NORMAL: f64 = 0.398_942_280_401_432_7;

impl Operator for LeakyRelu {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The data."),
            Input::new("gamma", "The slope of each channel, for `prelu`.")
                .optional()
                .init("[\"Constant\", {\"value\": 0.25}]"),
        ];
        Meta::new("LeakyReLU", inputs).aliases(&["_npx_leaky_relu"]).outputs(&["output", "mask"])
    }
    fn samples() -> Vec<Sample> {
        let values = [-2.0, -0.75, -0.0625, 0.0625, 0.5, 1.9375];
        let sample = |name, t: &'static str| Sample::new(name).values(&[2, 3], &values).attr("act_type", t);
        let prelu = |name, shape: &[i64], n: i64| {
            Sample::new(name).distinct(shape).input(&[n]).attr("act_type", "prelu").no_finite_differences()
        };
        vec![
            sample("leaky", "leaky"),
            sample("another slope", "leaky").attr("slope", 0.5),
            sample("elu", "elu"),
            sample("elu with another slope", "elu").attr("slope", 1.5),
            // MXNet's gradient of selu has a misplaced factor, its gelu is in single precision only.
            sample("selu", "selu").oracle(Oracle::MxNetCode(
                "1.0507009873554805 * mx.nd.where(x[0] > 0, x[0], 1.6732632423543772 * mx.nd.expm1(x[0]))",
            )),
            sample("gelu", "gelu").oracle(Oracle::MxNetCode(
                "(lambda b: 0.5 * x[0] * (1 + mx.nd.erf(b / np.sqrt(2)) + (x[0] - b) * mx.nd.exp(-b * b / 2) \
                 * np.sqrt(2 / np.pi)))(mx.nd.BlockGrad(x[0]))",
            )),
            prelu("a slope per channel", &[2, 3, 3], 3),
            prelu("one slope", &[2, 3, 3], 1),
            // MXNet 1.9.1 crashes in both.
            sample("random slopes in prediction", "rrelu")
                .attr("lower_bound", 0.25)
                .attr("upper_bound", 0.75)
                .oracle(Oracle::NumPy("np.where(x[0] > 0, x[0], 0.5 * x[0])"))
                .predicting()
                .no_gradient(),
            sample("random slopes", "rrelu").oracle(Oracle::Run).no_gradient(),
            prelu("slopes of another shape", &[2, 3, 3], 2).fails(ErrorCode::Shape),
            sample("bounds in the wrong order", "rrelu")
                .attr("lower_bound", 0.5)
                .fails(ErrorCode::InvalidValue),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(if self.act_type == LeakyType::Prelu { 2 } else { 1 })
    }
    fn num_outputs(&self) -> usize {
        if self.act_type == LeakyType::Rrelu { 2 } else { 1 }
    }
    fn num_visible_outputs(&self) -> usize {
        1
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        if self.act_type == LeakyType::Prelu && s.input(1).is_none_or(|g| g[..] != [1]) {
            let channels = if x.ndim() > 1 { x[1] } else { 1 };
            s.set_input(1, Shape::new(&[channels]))?;
        }
        (0..s.num_outputs()).try_for_each(|o| s.set_output(o, x.clone()))
    }
    fn check(&self, _s: &ShapeInfer) -> Result<()> {
        if self.act_type == LeakyType::Rrelu && self.lower_bound > self.upper_bound {
            let (low, high) = (self.lower_bound, self.upper_bound);
            return Err(err!(InvalidValue, "expected at most {high}, got {low}").about("lower_bound"));
        }
        Ok(())
    }
    fn draws(&self, s: &ShapeInfer, training: bool) -> u64 {
        let random = training && self.act_type == LeakyType::Rrelu;
        if random { s.output(0).map_or(0, Shape::len) as u64 } else { 0 }
    }
    fn pointwise(&self) -> Option<Pointwise> {
        let p = match self.act_type {
            LeakyType::Leaky => pointwise!(Real, |x; slope| if x > T::lit(0.0) { x } else { x * slope }),
            LeakyType::Elu => {
                pointwise!(Real, |x; slope| if x > T::lit(0.0) { x } else { x.expm1() * slope })
            }
            LeakyType::Selu => pointwise!(Real, |x| {
                T::lit(SELU_SCALE) * if x > T::lit(0.0) { x } else { x.expm1() * T::lit(SELU_SLOPE) }
            }),
            LeakyType::Gelu => {
                pointwise!(Real, |x| T::lit(0.5) * x * (T::lit(1.0) + (x * T::lit(SQRT_HALF)).erf()))
            }
            LeakyType::Prelu | LeakyType::Rrelu => return None,
        };
        Some(p.with_scalar(self.slope))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        with_compute!(k.dtype(0), C => {
            let x = read::<C>(k, 0);
            if self.act_type == LeakyType::Prelu {
                let (gamma, size) = (read::<C>(k, 1), channels(k.shape(0)));
                write::<C>(k, 0, |y| for (i, (y, x)) in y.iter_mut().zip(x.iter()).enumerate() {
                    *y = if *x > C::ZERO { *x } else { *x * gamma[slope_of(size, gamma.len(), i)] };
                });
                return Ok(());
            }
            let mut slopes = vec![(self.lower_bound + self.upper_bound) / 2.0; x.len()];
            if k.training {
                uniform(k.random, &mut slopes, Params::same(&[self.lower_bound, self.upper_bound]));
            }
            let of = |(x, s): (&C, &f64)| if *x > C::ZERO { C::ONE } else { C::from_f64(*s) };
            let mask: Vec<C> = x.iter().zip(&slopes).map(of).collect();
            write::<C>(k, 0, |y| y.iter_mut().zip(x.iter()).zip(&mask).for_each(|((y, x), m)| *y = *x * *m));
            write::<C>(k, 1, |out| out.copy_from_slice(&mask));
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (dy, x) = (b.out_grad(0), b.input(0));
        match self.act_type {
            LeakyType::Rrelu => b.set_grad(0, dy * b.output(1)),
            LeakyType::Prelu => {
                let grads = b.apply_all(PreluBackward, &[dy, x, b.input(1)]);
                b.set_grad(0, grads[0]);
                b.set_grad(1, grads[1]);
            }
            act_type => b.set_grad(0, dy.apply(LeakyReluBackward { act_type, slope: self.slope }, &[x])),
        }
        Ok(())
    }
}

/// The sizes before, along and behind the axis of the channels.
fn channels(shape: &Shape) -> (usize, usize, usize) {
    around(shape, 1).unwrap_or((1, 1, shape.len()))
}

/// Which slope element `i` has.
fn slope_of((_, axis, inner): (usize, usize, usize), slopes: usize, i: usize) -> usize {
    if slopes == 1 { 0 } else { i / inner % axis }
}

/// The gradient of the data of a rectifier that has no parameters.
#[derive(Attrs, Clone, Debug)]
pub struct LeakyReluBackward {
    /// The rectifier.
    #[attr(id = 1)]
    pub act_type: LeakyType,
    /// Its slope.
    #[attr(id = 2, default = 0.25)]
    pub slope: f64,
}

impl Operator for LeakyReluBackward {
    fn meta() -> Meta {
        let inputs = [Input::new("out_grad", "The gradient of the result."), Input::new("data", "The data.")];
        Meta::new("_backward_leaky_relu", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let s = Sample::new("leaky").input(&[2, 3]).input(&[2, 3]).attr("act_type", "leaky");
        vec![s.oracle(Oracle::NumPy("np.where(x[1] > 0, x[0], 0.25 * x[0])")).no_gradient()]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn pointwise(&self) -> Option<Pointwise> {
        let p = match self.act_type {
            LeakyType::Elu => {
                pointwise!(Real, |dy, x; slope| if x > T::lit(0.0) { dy } else { dy * (x.exp() * slope) })
            }
            LeakyType::Selu => pointwise!(Real, |dy, x| {
                let slope = if x > T::lit(0.0) { T::lit(1.0) } else { x.exp() * T::lit(SELU_SLOPE) };
                dy * (T::lit(SELU_SCALE) * slope)
            }),
            LeakyType::Gelu => pointwise!(Real, |dy, x| {
                let below = T::lit(0.5) * (T::lit(1.0) + (x * T::lit(SQRT_HALF)).erf());
                dy * (below + x * T::lit(NORMAL) * (T::lit(-0.5) * x * x).exp())
            }),
            _ => pointwise!(Real, |dy, x; slope| if x > T::lit(0.0) { dy } else { dy * slope }),
        };
        Some(p.with_scalar(self.slope))
    }
}

/// The gradients of data and slopes of `prelu`.
#[derive(Attrs, Clone, Debug)]
pub struct PreluBackward;

impl Operator for PreluBackward {
    fn meta() -> Meta {
        let inputs = [
            Input::new("out_grad", "The gradient of the result."),
            Input::new("data", "The data."),
            Input::new("gamma", "The slopes."),
        ];
        Meta::new("_backward_prelu", inputs).outputs(&["data_grad", "gamma_grad"]).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = "[np.where(x[1] > 0, x[0], x[0] * x[2]), (x[0] * np.minimum(x[1], 0)).sum(0)]";
        let s = Sample::new("a matrix").input(&[2, 3]).input(&[2, 3]).input(&[3]);
        vec![s.oracle(Oracle::NumPy(numpy)).no_gradient()]
    }
    fn num_outputs(&self) -> usize {
        2
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(x), Some(gamma)) = (s.input(1).cloned(), s.input(2).cloned()) else { return Ok(()) };
        s.set_output(0, x)?;
        s.set_output(1, gamma)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        with_compute!(k.dtype(0), C => {
            let (dy, x, gamma) = (read::<C>(k, 0), read::<C>(k, 1), read::<C>(k, 2));
            let size = channels(k.shape(1));
            let mut slopes = vec![0.0; gamma.len()];
            write::<C>(k, 0, |dx| for (i, dx) in dx.iter_mut().enumerate() {
                let slope = slope_of(size, gamma.len(), i);
                if x[i] > C::ZERO {
                    *dx = dy[i];
                } else {
                    *dx = dy[i] * gamma[slope];
                    slopes[slope] += (dy[i] * x[i]).to_f64();
                }
            });
            let rounded = |d: &mut C, s: &f64| *d = <C as Element>::from_f64(*s);
            write::<C>(k, 1, |dgamma| dgamma.iter_mut().zip(&slopes).for_each(|(d, s)| rounded(d, s)));
        });
        Ok(())
    }
}
