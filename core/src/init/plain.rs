//! Initializers that draw nothing.

use super::{Initializer, constant, write};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::Attrs;

/// Zeros.
#[derive(Attrs, Clone, Debug)]
pub struct Zero;

impl Initializer for Zero {
    fn fill(&self, array: &NdArray) -> Result<()> {
        constant(array, 0.0)
    }
}

/// Ones.
#[derive(Attrs, Clone, Debug)]
pub struct One;

impl Initializer for One {
    fn fill(&self, array: &NdArray) -> Result<()> {
        constant(array, 1.0)
    }
}

/// One number everywhere, or one for each element.
#[derive(Attrs, Clone, Debug)]
pub struct Constant {
    /// The number, or as many as the array has elements.
    #[attr(id = 1)]
    pub value: Vec<f64>,
}

impl Initializer for Constant {
    fn fill(&self, array: &NdArray) -> Result<()> {
        match self.value[..] {
            [value] => constant(array, value),
            _ if self.value.len() == array.len()? => write(array, &self.value),
            _ => Err(crate::err!(
                Shape,
                "expected one number or {} for shape {}, got {}",
                array.len()?,
                array.shape()?,
                self.value.len()
            )
            .about("value")),
        }
    }
}

/// The weights of a transposed convolution that enlarges images by linear interpolation. The array has
/// four axes.
#[derive(Attrs, Clone, Debug)]
pub struct Bilinear;

impl Initializer for Bilinear {
    fn fill(&self, array: &NdArray) -> Result<()> {
        let shape = array.shape()?;
        if shape.ndim() != 4 {
            crate::bail!(Shape, "expected four axes, got shape {shape}");
        }
        let (height, width) = (shape[2] as usize, shape[3] as usize);
        // Both directions take their scale from the width, as in MXNet.
        let f = (width as f64 / 2.0).ceil();
        let c = (2.0 * f - 1.0 - f % 2.0) / (2.0 * f);
        let near = |i: usize| 1.0 - (i as f64 / f - c).abs();
        let values: Vec<f64> =
            (0..array.len()?).map(|i| near(i % width) * near(i / width % height)).collect();
        write(array, &values)
    }
}

/// The bias of an LSTM cell: zeros, but for the forget gate.
#[derive(Attrs, Clone, Debug)]
pub struct LstmBias {
    /// The bias of the forget gate, the second of the four quarters.
    #[attr(id = 1, default = 1.0)]
    pub forget_bias: f64,
}

impl Initializer for LstmBias {
    fn fill(&self, array: &NdArray) -> Result<()> {
        let shape = array.shape()?;
        if shape.first().is_none_or(|n| n % 4 != 0) {
            crate::bail!(Shape, "expected a first axis of four gates, got shape {shape}");
        }
        let quarter = array.len()? / 4;
        let gate = |i: usize| if i / quarter == 1 { self.forget_bias } else { 0.0 };
        let values: Vec<f64> = (0..4 * quarter).map(gate).collect();
        write(array, &values)
    }
}
