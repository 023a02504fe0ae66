//! Which inputs and outputs of a loop are which of its body.

use super::Body;
use super::body::Facts;
use crate::dtype::DType;
use crate::error::Result;
use crate::graph::ir::Type;
use crate::op::{DTypeInfer, Kernel, ShapeInfer};
use crate::shape::{Shape, UNKNOWN};

/// The body's inputs come from the loop's: rows of data, states, or the same in every step. Its outputs are
/// rows of the loop's outputs, then the states of the next step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wiring {
    /// For each input of the body the loop's.
    pub inputs: Vec<usize>,
    /// For each input of the body whether it is a row.
    pub is_data: Vec<bool>,
    /// For each state the body's input.
    pub states: Vec<usize>,
    /// Number of outputs that are rows.
    pub outs: usize,
}

fn with_rows(steps: i64, mut row: Shape) -> Shape {
    row.insert(0, steps);
    row
}

impl Wiring {
    /// The loop's input that is the first value of state `i`.
    pub fn state_input(&self, i: usize) -> usize {
        self.inputs[self.states[i]]
    }

    /// Relates the shapes of a loop whose number of steps is given, or is that of the rows of its data.
    ///
    /// # Errors
    /// `Shape` if they do not go together.
    pub fn infer_shape(&self, body: &Body, s: &mut ShapeInfer, given: Option<i64>) -> Result<()> {
        let mut steps = UNKNOWN;
        let mut known = vec![None; self.inputs.len()];
        for (j, &p) in self.inputs.iter().enumerate() {
            let Some(mut shape) = s.input(p).cloned() else { continue };
            if self.is_data[j] {
                if shape.ndim() == 0 {
                    crate::bail!(Shape, "expected data with an axis to go along, got shape {shape}");
                }
                let rows = shape.remove(0);
                steps = if steps == UNKNOWN { rows } else { steps };
            }
            known[j] = Some(shape);
        }
        let (inputs, outputs) = self.infer_step(body, known)?;
        for (j, (&p, shape)) in self.inputs.iter().zip(inputs).enumerate() {
            let Some(shape) = shape else { continue };
            s.set_input(p, if self.is_data[j] { with_rows(steps, shape) } else { shape })?;
        }
        for (o, shape) in outputs.into_iter().enumerate() {
            let Some(shape) = shape else { continue };
            if o < self.outs {
                s.set_output(o, with_rows(given.unwrap_or(steps), shape))?;
            } else {
                let keeps = s.set_input(self.state_input(o - self.outs), shape.clone());
                keeps.map_err(|e| {
                    let text = format!("{}: a step must not change the shape of a state", e.message());
                    e.with_message(text)
                })?;
                s.set_output(o, shape)?;
            }
        }
        Ok(())
    }

    /// The shapes of a step, in which a state of which nothing is known has that of the next step's.
    fn infer_step(&self, body: &Body, mut known: Vec<Option<Shape>>) -> Result<Facts<Shape>> {
        loop {
            let (inputs, outputs) = body.infer_shape(&known)?;
            let mut news = false;
            for (i, &j) in self.states.iter().enumerate() {
                if inputs[j].is_none() && outputs[self.outs + i].is_some() {
                    known[j].clone_from(&outputs[self.outs + i]);
                    news = true;
                }
            }
            if !news {
                return Ok((inputs, outputs));
            }
        }
    }

    /// Relates the dtypes of a loop.
    ///
    /// # Errors
    /// `DType` if they do not go together.
    pub fn infer_dtype(&self, body: &Body, t: &mut DTypeInfer) -> Result<()> {
        let known: Vec<Option<DType>> = self.inputs.iter().map(|p| t.input(*p)).collect();
        let (inputs, outputs) = body.infer_dtype(&known)?;
        for (&p, dtype) in self.inputs.iter().zip(inputs) {
            dtype.map_or(Ok(()), |d| t.set_input(p, d))?;
        }
        for (o, dtype) in outputs.into_iter().enumerate() {
            let Some(dtype) = dtype else { continue };
            if o >= self.outs {
                t.set_input(self.state_input(o - self.outs), dtype)?;
            }
            t.set_output(o, dtype)?;
        }
        Ok(())
    }

    /// The shapes of a step's inputs, if all are known.
    pub fn step_shapes(&self, s: &ShapeInfer) -> Option<Vec<Shape>> {
        let shape = |(p, is_data): (&usize, &bool)| {
            let mut shape = s.known(*p)?.clone();
            if *is_data {
                shape.remove(0);
            }
            Some(shape)
        };
        self.inputs.iter().zip(&self.is_data).map(shape).collect()
    }

    /// The number of rows of the data; none without data.
    pub fn rows(&self, s: &ShapeInfer) -> Option<usize> {
        let data = self.is_data.iter().position(|d| *d)?;
        usize::try_from(*s.input(self.inputs[data])?.first()?).ok()
    }

    /// The types of a step's inputs.
    pub fn step_types(&self, k: &Kernel) -> Vec<Type> {
        let ty = |(p, is_data): (&usize, &bool)| {
            let mut shape = k.shape(*p).clone();
            if *is_data {
                shape.remove(0);
            }
            Type { shape, dtype: k.dtype(*p) }
        };
        self.inputs.iter().zip(&self.is_data).map(ty).collect()
    }
}
