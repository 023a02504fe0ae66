//! Activation functions, each with its gradient in one pass over memory.

use crate::ops::family::prelude::*;

/// An activation function.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum ActType {
    /// max(x, 0).
    Relu,
    /// 1 / (1 + exp(−x)).
    Sigmoid,
    /// log(1 + exp(x)).
    Softrelu,
    /// x / (1 + |x|).
    Softsign,
    /// Hyperbolic tangent.
    Tanh,
}

/// Applies an activation function to each element.
///
/// `relu` max(x, 0), `sigmoid` 1 / (1 + exp(−x)), `softrelu` log(1 + exp(x)), `softsign` x / (1 + |x|), `tanh`.
#[derive(Attrs, Clone, Debug)]
pub struct Activation {
    /// The function.
    #[attr(id = 1)]
    pub act_type: ActType,
}

const TYPES: [&str; 5] = ["relu", "sigmoid", "softrelu", "softsign", "tanh"];

impl Operator for Activation {
    fn meta() -> Meta {
        Meta::new("Activation", [Input::new("data", "The input array.")]).aliases(&["_npx_activation"])
    }
    fn samples() -> Vec<Sample> {
        let values = [-2.0, -0.75, -0.0625, 0.0625, 0.5, 1.9375];
        let mut samples: Vec<Sample> =
            TYPES.iter().map(|t| Sample::new(t).values(&[2, 3], &values).attr("act_type", *t)).collect();
        for t in TYPES {
            samples.push(Sample::new("far from zero").values(&[2], &[-40.0, 40.0]).attr("act_type", t));
        }
        samples.push(
            Sample::new("at zero").values(&[1], &[0.0]).attr("act_type", "relu").no_finite_differences(),
        );
        samples.push(
            Sample::new("no such function")
                .input(&[2])
                .attr("act_type", "gelu")
                .fails(ErrorCode::InvalidValue),
        );
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn pointwise(&self) -> Option<Pointwise> {
        Some(match self.act_type {
            ActType::Relu => pointwise!(Real, |x| x.maximum(T::lit(0.0))),
            ActType::Sigmoid => pointwise!(Real, |x| x.sigmoid()),
            // The exponent is never positive, so that nothing overflows.
            ActType::Softrelu => pointwise!(Real, |x| x.maximum(T::lit(0.0)) + (-x.abs()).exp().log1p()),
            ActType::Softsign => pointwise!(Real, |x| x / (T::lit(1.0) + x.abs())),
            ActType::Tanh => pointwise!(Real, |x| x.tanh()),
        })
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        // An exponential takes about twenty operations.
        let each = if matches!(self.act_type, ActType::Relu | ActType::Softsign) { 1 } else { 20 };
        each * s.output(0).map_or(0, Shape::len) as u64
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let value = if self.act_type == ActType::Softsign { b.input(0) } else { b.output(0) };
        b.set_grad(0, b.out_grad(0).apply(ActivationBackward { act_type: self.act_type }, &[value]));
        Ok(())
    }
}

/// The gradient of the data of an activation: from its output, but from its data for `softsign`.
#[derive(Attrs, Clone, Debug)]
pub struct ActivationBackward {
    /// The function.
    #[attr(id = 1)]
    pub act_type: ActType,
}

impl Operator for ActivationBackward {
    fn meta() -> Meta {
        let inputs = [
            Input::new("out_grad", "The gradient of the result."),
            Input::new("value", "The result, or the data."),
        ];
        Meta::new("_backward_activation", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let oracles = [
            "x[0] * (x[1] > 0)",
            "x[0] * x[1] * (1 - x[1])",
            "x[0] * (1 - np.exp(-x[1]))",
            "x[0] / (1 + np.abs(x[1])) ** 2",
            "x[0] * (1 - x[1] ** 2)",
        ];
        let sample = |(t, o): (&'static str, &'static str)| {
            Sample::new(t)
                .input(&[2, 3])
                .grid(&[2, 3], 0.125, 0.75)
                .attr("act_type", t)
                .oracle(Oracle::NumPy(o))
        };
        TYPES.into_iter().zip(oracles).map(sample).collect()
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn pointwise(&self) -> Option<Pointwise> {
        Some(match self.act_type {
            ActType::Relu => pointwise!(Real, |dy, y| dy * T::truth(y > T::lit(0.0))),
            ActType::Sigmoid => pointwise!(Real, |dy, y| dy * (y * (T::lit(1.0) - y))),
            ActType::Softrelu => pointwise!(Real, |dy, y| dy * -(-y).expm1()),
            ActType::Softsign => pointwise!(Real, |dy, x| {
                let d = T::lit(1.0) + x.abs();
                dy / (d * d)
            }),
            ActType::Tanh => pointwise!(Real, |dy, y| dy * (T::lit(1.0) - y * y)),
        })
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let (g, dy, value) = (b.out_grad(0), b.input(0), b.input(1));
        b.set_grad(0, g.apply(self.clone(), &[value]));
        if self.act_type != ActType::Relu {
            b.set_grad(1, (g * dy).apply(ActivationSlope { act_type: self.act_type }, &[value]));
        }
        Ok(())
    }
}

/// How the factor by which an activation's gradient is multiplied changes with the value it is computed from.
#[derive(Attrs, Clone, Debug)]
pub struct ActivationSlope {
    /// The function.
    #[attr(id = 1)]
    pub act_type: ActType,
}

impl Operator for ActivationSlope {
    fn meta() -> Meta {
        let inputs =
            [Input::new("factor", "What to multiply with."), Input::new("value", "The result, or the data.")];
        Meta::new("_activation_slope", inputs).internal()
    }
    fn samples() -> Vec<Sample> {
        let oracles = [
            "0 * x[0]",
            "x[0] * (1 - 2 * x[1])",
            "x[0] * np.exp(-x[1])",
            "x[0] * -2 * np.sign(x[1]) / (1 + np.abs(x[1])) ** 3",
            "x[0] * -2 * x[1]",
        ];
        let sample = |(t, o): (&'static str, &'static str)| {
            let s = Sample::new(t).input(&[2, 3]).grid(&[2, 3], 0.125, 0.75).attr("act_type", t);
            s.oracle(Oracle::NumPy(o)).no_gradient()
        };
        TYPES.into_iter().zip(oracles).map(sample).collect()
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn pointwise(&self) -> Option<Pointwise> {
        Some(match self.act_type {
            ActType::Relu => pointwise!(Real, |f, _y| f * T::lit(0.0)),
            ActType::Sigmoid => pointwise!(Real, |f, y| f * (T::lit(1.0) - y - y)),
            ActType::Softrelu => pointwise!(Real, |f, y| f * (-y).exp()),
            ActType::Softsign => pointwise!(Real, |f, x| {
                let d = T::lit(1.0) + x.abs();
                f * (T::lit(-2.0) * x.sign() / (d * d * d))
            }),
            ActType::Tanh => pointwise!(Real, |f, y| f * (T::lit(-2.0) * y)),
        })
    }
}
