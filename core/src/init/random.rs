//! Initializers that draw each element for itself.

use super::{Initializer, constant, run};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::{AttrEnum, Attrs};
use crate::ops::random::{RandomNormal, RandomUniform};

fn uniform(array: &NdArray, scale: f64) -> Result<()> {
    let (shape, dtype) = (Some(array.shape()?.clone()), Some(array.dtype()));
    run(RandomUniform { low: -scale, high: scale, shape, ctx: String::new(), dtype }, array)
}

fn normal(array: &NdArray, scale: f64) -> Result<()> {
    if scale == 0.0 {
        return constant(array, 0.0);
    }
    let (shape, dtype) = (Some(array.shape()?.clone()), Some(array.dtype()));
    run(RandomNormal { loc: 0.0, scale, shape, ctx: String::new(), dtype }, array)
}

/// Uniform numbers around zero.
#[derive(Attrs, Clone, Debug)]
pub struct Uniform {
    /// Elements lie in [-scale, scale).
    #[attr(id = 1, default = 0.07, min = 0)]
    pub scale: f64,
}

impl Initializer for Uniform {
    fn fill(&self, array: &NdArray) -> Result<()> {
        uniform(array, self.scale)
    }
}

/// Normal numbers around zero.
#[derive(Attrs, Clone, Debug)]
pub struct Normal {
    /// The standard deviation.
    #[attr(id = 1, default = 0.01, min = 0)]
    pub sigma: f64,
}

impl Initializer for Normal {
    fn fill(&self, array: &NdArray) -> Result<()> {
        normal(array, self.sigma)
    }
}

/// The distribution of an initializer's numbers.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum RndType {
    /// Uniform.
    Uniform,
    /// Normal.
    Gaussian,
}

/// What the scale of an initializer is measured by.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum FactorType {
    /// The mean of inputs and outputs.
    Avg,
    /// Inputs.
    In,
    /// Outputs.
    Out,
}

/// Numbers whose scale keeps activations and gradients alike from layer to layer (Glorot and Bengio, 2010).
///
/// The scale is the root of `magnitude / factor`, where the factor is the number of inputs of one output, of
/// outputs of one input, or their mean. The first axis is that of outputs, the second that of inputs.
#[derive(Attrs, Clone, Debug)]
pub struct Xavier {
    /// The distribution: uniform in [-scale, scale), or normal with the scale as standard deviation.
    #[attr(id = 1, default = RndType::Uniform)]
    pub rnd_type: RndType,
    /// What the scale is measured by.
    #[attr(id = 2, default = FactorType::Avg)]
    pub factor_type: FactorType,
    /// The square of the scale for a factor of one.
    #[attr(id = 3, default = 3, min = 0)]
    pub magnitude: f64,
}

impl Initializer for Xavier {
    fn fill(&self, array: &NdArray) -> Result<()> {
        let shape = array.shape()?;
        if shape.ndim() < 2 {
            crate::bail!(Shape, "expected at least two axes, got shape {shape}");
        }
        let window = shape[2..].iter().product::<i64>() as f64;
        let (inputs, outputs) = (shape[1] as f64 * window, shape[0] as f64 * window);
        let factor = match self.factor_type {
            FactorType::Avg => (inputs + outputs) / 2.0,
            FactorType::In => inputs,
            FactorType::Out => outputs,
        };
        if array.is_empty()? {
            return Ok(());
        }
        let scale = (self.magnitude / factor).sqrt();
        match self.rnd_type {
            RndType::Uniform => uniform(array, scale),
            RndType::Gaussian => normal(array, scale),
        }
    }
}

/// `Xavier` for layers before a leaky ReLU (He et al., 2015): normal, with `magnitude` 2 / (1 + slope²).
#[derive(Attrs, Clone, Debug)]
pub struct MsraPrelu {
    /// What the scale is measured by.
    #[attr(id = 1, default = FactorType::Avg)]
    pub factor_type: FactorType,
    /// The slope of the leaky ReLU for negative numbers.
    #[attr(id = 2, default = 0.25)]
    pub slope: f64,
}

impl Initializer for MsraPrelu {
    fn fill(&self, array: &NdArray) -> Result<()> {
        let magnitude = 2.0 / (1.0 + self.slope * self.slope);
        Xavier { rnd_type: RndType::Gaussian, factor_type: self.factor_type, magnitude }.fill(array)
    }
}
