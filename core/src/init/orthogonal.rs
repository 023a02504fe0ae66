//! Matrices whose rows or columns stand at right angles.

use super::{Initializer, write};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::{AttrEnum, Attrs};
use crate::rng::{self, Params};

/// The distribution of the numbers that are made orthogonal.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum RandType {
    /// Uniform in [-1, 1).
    Uniform,
    /// Standard normal: all orthogonal matrices are then equally likely.
    Normal,
}

/// A matrix whose rows, or whose columns if they are fewer, are orthogonal and have the length `scale` (Saxe,
/// McClelland and Ganguli, 2013). The first axis is that of rows, all others together are that of columns.
#[derive(Attrs, Clone, Debug)]
pub struct Orthogonal {
    /// The length of the vectors.
    #[attr(id = 1, default = 1.414)]
    pub scale: f64,
    /// The distribution of the numbers that are made orthogonal.
    #[attr(id = 2, default = RandType::Uniform)]
    pub rand_type: RandType,
}

impl Initializer for Orthogonal {
    fn fill(&self, array: &NdArray) -> Result<()> {
        let shape = array.shape()?;
        if shape.ndim() < 2 {
            crate::bail!(Shape, "expected at least two axes, got shape {shape}");
        }
        let len = array.len()?;
        if len == 0 {
            return Ok(());
        }
        let (rows, columns) = (shape[0] as usize, len / shape[0] as usize);
        let stream = rng::generator(array.device()).reserve(len as u64);
        let mut x = vec![0f64; len];
        match self.rand_type {
            RandType::Uniform => rng::uniform(stream, &mut x, Params::same(&[-1.0, 1.0])),
            RandType::Normal => rng::normal(stream, &mut x, Params::same(&[0.0, 1.0])),
        }
        // The fewer vectors are made orthogonal, each in one piece of memory.
        orthonormalize(&mut x, rows.max(columns));
        x.iter_mut().for_each(|v| *v *= self.scale);
        if rows > columns {
            let across: Vec<f64> = (0..len).map(|i| x[i % columns * rows + i / columns]).collect();
            return write(array, &across);
        }
        write(array, &x)
    }
}

/// Gram and Schmidt's method, twice over for full precision, on vectors of `n` elements that follow each
/// other.
fn orthonormalize(x: &mut [f64], n: usize) {
    for at in (0..x.len()).step_by(n) {
        let (done, rest) = x.split_at_mut(at);
        let v = &mut rest[..n];
        for _ in 0..2 {
            for u in done.chunks_exact(n) {
                let along = dot(u, v);
                v.iter_mut().zip(u).for_each(|(v, u)| *v -= along * u);
            }
        }
        let length = dot(v, v).sqrt();
        v.iter_mut().for_each(|v| *v /= length);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum()
}
