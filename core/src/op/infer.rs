//! Inference of shapes and dtypes, from inputs to outputs and back.
//!
//! A rule is given what is known and adds what follows; it may be asked with anything missing, and must then
//! add what it can. Contradictions are errors that name the argument.

use crate::dtype::DType;
use crate::error::Result;
use crate::op::operator::{DTypes, OpRef};
use crate::shape::{Shape, UNKNOWN};
use smallvec::SmallVec;

/// What is known of inputs and of outputs.
pub type Parts<T, const I: usize, const O: usize> = (SmallVec<[Option<T>; I]>, SmallVec<[Option<T>; O]>);

/// The shapes around one call of an operator, as far as they are known.
pub struct ShapeInfer<'a> {
    op: &'a OpRef,
    inputs: SmallVec<[Option<Shape>; 3]>,
    outputs: SmallVec<[Option<Shape>; 1]>,
}

impl<'a> ShapeInfer<'a> {
    /// A question with these shapes known.
    pub fn new(
        op: &'a OpRef,
        inputs: impl IntoIterator<Item = Option<Shape>>,
        outputs: impl IntoIterator<Item = Option<Shape>>,
    ) -> Self {
        ShapeInfer { op, inputs: inputs.into_iter().collect(), outputs: outputs.into_iter().collect() }
    }

    pub(crate) fn push_input(&mut self, shape: Shape) {
        self.inputs.push(Some(shape));
    }

    /// Number of inputs of the call.
    pub fn num_inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Number of outputs of the call.
    pub fn num_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Shape of an input, if anything is known of it; axes may still be unknown.
    pub fn input(&self, i: usize) -> Option<&Shape> {
        self.inputs.get(i).and_then(Option::as_ref)
    }

    /// Shape of an input, if all of it is known.
    pub fn known(&self, i: usize) -> Option<&Shape> {
        self.input(i).filter(|s| s.is_known())
    }

    /// Shape of an output, if anything is known of it.
    pub fn output(&self, i: usize) -> Option<&Shape> {
        self.outputs.get(i).and_then(Option::as_ref)
    }

    /// Says that input `i` has this shape; unknown axes say nothing.
    ///
    /// # Errors
    /// `Shape` if the input is known to be otherwise.
    pub fn set_input(&mut self, i: usize, shape: Shape) -> Result<()> {
        unify(&mut self.inputs[i], shape).map_err(|e| e.about(&self.op.input_name(i)))
    }

    /// Says that output `i` has this shape; unknown axes say nothing.
    ///
    /// # Errors
    /// `Shape` if the output is known to be otherwise.
    pub fn set_output(&mut self, i: usize, shape: Shape) -> Result<()> {
        unify(&mut self.outputs[i], shape).map_err(|e| e.about("out"))
    }

    /// Says that all inputs and outputs have one shape.
    ///
    /// # Errors
    /// `Shape` if two differ.
    pub fn all_same(&mut self) -> Result<()> {
        let mut common: Option<Shape> = None;
        for shape in self.inputs.iter().chain(&self.outputs).flatten() {
            match &common {
                None => common = Some(shape.clone()),
                Some(c) if c == shape => {}
                Some(_) => {
                    // A mismatch is reported below, where the argument is known.
                    let _ = unify(&mut common, shape.clone());
                }
            }
        }
        let Some(common) = common else { return Ok(()) };
        for i in 0..self.inputs.len() {
            if self.inputs[i].as_ref() != Some(&common) {
                self.set_input(i, common.clone())?;
            }
        }
        for i in 0..self.outputs.len() {
            if self.outputs[i].as_ref() != Some(&common) {
                self.set_output(i, common.clone())?;
            }
        }
        Ok(())
    }

    /// Refuses an input without exactly `ndim` axes.
    ///
    /// # Errors
    /// `Shape` if input `i` is known to have another number.
    pub fn require_ndim(&self, i: usize, ndim: usize) -> Result<()> {
        match self.input(i) {
            Some(s) if s.ndim() != ndim => {
                Err(crate::err!(Shape, "expected {ndim} axes, got shape {s}").about(&self.op.input_name(i)))
            }
            _ => Ok(()),
        }
    }

    /// Number of elements of all inputs and outputs that are known.
    pub fn total_len(&self) -> usize {
        self.inputs.iter().chain(&self.outputs).flatten().filter(|s| s.is_known()).map(Shape::len).sum()
    }

    /// What is known of the inputs and of the outputs.
    pub fn into_parts(self) -> Parts<Shape, 3, 1> {
        (self.inputs, self.outputs)
    }

    /// The inferred shapes of the outputs.
    pub fn into_outputs(self) -> SmallVec<[Option<Shape>; 1]> {
        self.outputs
    }
}

/// What two shapes say together; `None` if they contradict each other.
pub(crate) fn merge_shapes(a: &Shape, b: &Shape) -> Option<Shape> {
    let mut merged = Some(a.clone());
    unify(&mut merged, b.clone()).ok().and(merged)
}

/// Makes `known` as precise as it and `shape` together are.
fn unify(known: &mut Option<Shape>, shape: Shape) -> Result<()> {
    let Some(old) = known else {
        *known = Some(shape);
        return Ok(());
    };
    let fits = old.ndim() == shape.ndim()
        && old.iter().zip(shape.iter()).all(|(a, b)| a == b || *a == UNKNOWN || *b == UNKNOWN);
    if !fits {
        crate::bail!(Shape, "expected shape {shape}, got {old}");
    }
    for (o, s) in old.iter_mut().zip(shape.iter()) {
        if *o == UNKNOWN {
            *o = *s;
        }
    }
    Ok(())
}

/// The dtypes around one call of an operator, as far as they are known.
pub struct DTypeInfer<'a> {
    op: &'a OpRef,
    inputs: SmallVec<[Option<DType>; 4]>,
    outputs: SmallVec<[Option<DType>; 2]>,
}

impl<'a> DTypeInfer<'a> {
    /// A question with these dtypes known.
    pub fn new(
        op: &'a OpRef,
        inputs: impl IntoIterator<Item = Option<DType>>,
        outputs: impl IntoIterator<Item = Option<DType>>,
    ) -> Self {
        DTypeInfer { op, inputs: inputs.into_iter().collect(), outputs: outputs.into_iter().collect() }
    }

    /// Number of inputs of the call.
    pub fn num_inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Number of outputs of the call.
    pub fn num_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Dtype of an input, if it is known.
    pub fn input(&self, i: usize) -> Option<DType> {
        self.inputs.get(i).copied().flatten()
    }

    /// Dtype of an output, if it is known.
    pub fn output(&self, i: usize) -> Option<DType> {
        self.outputs.get(i).copied().flatten()
    }

    /// Says that input `i` has this dtype.
    ///
    /// # Errors
    /// `DType` if it has another.
    pub fn set_input(&mut self, i: usize, dtype: DType) -> Result<()> {
        match self.inputs[i].replace(dtype) {
            Some(old) if old != dtype => {
                Err(crate::err!(DType, "expected dtype {dtype}, got {old}").about(&self.op.input_name(i)))
            }
            _ => Ok(()),
        }
    }

    /// Says that output `i` has this dtype.
    ///
    /// # Errors
    /// `DType` if it has another.
    pub fn set_output(&mut self, i: usize, dtype: DType) -> Result<()> {
        match self.outputs[i].replace(dtype) {
            Some(old) if old != dtype => {
                Err(crate::err!(DType, "expected dtype {dtype}, got {old}").about("out"))
            }
            _ => Ok(()),
        }
    }

    /// Says that these inputs and all outputs have one dtype, which the operator must support.
    ///
    /// # Errors
    /// `DType` if two differ or the operator does not support it.
    pub fn same(&mut self, inputs: &[usize]) -> Result<()> {
        let common =
            inputs.iter().find_map(|i| self.input(*i)).or_else(|| self.outputs.iter().find_map(|d| *d));
        let Some(common) = common else { return Ok(()) };
        let n = self.inputs.len();
        for i in inputs.iter().filter(|i| **i < n) {
            self.set_input(*i, common)?;
            self.require(*i, self.op.def.meta.dtypes)?;
        }
        (0..self.outputs.len()).try_for_each(|o| self.set_output(o, common))
    }

    /// Says that all inputs and outputs have one dtype, which the operator must support.
    ///
    /// # Errors
    /// As [`DTypeInfer::same`].
    pub fn all_same(&mut self) -> Result<()> {
        let all: SmallVec<[usize; 8]> = (0..self.inputs.len()).collect();
        self.same(&all)
    }

    /// Refuses an input whose dtype is not in the set.
    ///
    /// # Errors
    /// `DType` for another dtype.
    pub fn require(&self, i: usize, allowed: DTypes) -> Result<()> {
        match self.input(i) {
            Some(d) if !allowed.contains(d) => {
                let names: Vec<_> = allowed.iter().map(DType::name).collect();
                Err(crate::err!(DType, "expected one of {}, got {d}", names.join(", "))
                    .about(&self.op.input_name(i)))
            }
            _ => Ok(()),
        }
    }

    /// What is known of the inputs and of the outputs.
    pub fn into_parts(self) -> Parts<DType, 4, 2> {
        (self.inputs, self.outputs)
    }

    /// The inferred dtypes of the outputs.
    pub fn into_outputs(self) -> SmallVec<[Option<DType>; 2]> {
        self.outputs
    }
}
