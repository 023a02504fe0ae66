//! Loops and branches as the calls of their steps, recorded one by one: what gradients of gradients go through.

use super::wiring::Wiring;
use super::{Body, Trace};
use crate::error::Result;
use crate::graph::again;
use crate::graph::ir::Type;
use crate::graph::lower::lower;
use crate::ndarray::NdArray;
use crate::op::builder::{RunAgain, Src};
use crate::op::{AttrValue, Call, registry};
use crate::shape::Shape;

/// A loop that has run.
pub(super) struct Unrolled<'a> {
    pub body: &'a Body,
    pub wiring: &'a Wiring,
    pub trace: Trace,
    /// Rows of the outputs; those that no step made are zero.
    pub rows: usize,
}

impl Unrolled<'_> {
    /// The outputs, made by the calls of every step. `read` gives the loop's inputs.
    ///
    /// # Errors
    /// Those of `read` and `call`; `Unsupported` for a body that changes a state.
    pub fn run(&self, read: &dyn Fn(Src) -> Result<NdArray>, call: &mut RunAgain) -> Result<Vec<NdArray>> {
        let inputs = self.wiring.inputs.iter().map(|p| read(Src::Input(*p as u32)));
        let inputs: Vec<NdArray> = inputs.collect::<Result<_>>()?;
        let types = inputs.iter().zip(&self.wiring.is_data).map(|(a, is_data)| {
            let shape = a.shape()?.iter().skip(usize::from(*is_data)).copied().collect();
            Ok(Type { shape, dtype: a.dtype() })
        });
        let types: Vec<Type> = types.collect::<Result<_>>()?;
        let graph = lower(self.body.symbol(), &types, self.trace.training)?;
        let device = inputs.first().map(NdArray::device).unwrap_or_default();
        let around = Call { training: self.trace.training, device, ..Call::default() };
        let mut states: Vec<NdArray> = self.wiring.states.iter().map(|j| inputs[*j].clone()).collect();
        let mut made: Vec<Vec<NdArray>> = vec![vec![]; self.wiring.outs];
        for step in 0..self.trace.steps {
            let mut given = inputs.clone();
            for (j, array) in given.iter_mut().enumerate().filter(|(j, _)| self.wiring.is_data[*j]) {
                *array = row(array, step, &types[j].shape, &around, call)?;
            }
            self.wiring.states.iter().zip(&states).for_each(|(j, state)| given[*j] = state.clone());
            let random = Some(self.trace.stream_of(step));
            let outputs = again::run(&graph, &given, &Call { random, ..around }, call)?;
            states = outputs[self.wiring.outs..].to_vec();
            made.iter_mut().zip(outputs).for_each(|(rows, output)| rows.push(output));
        }
        let mut outputs = Vec::with_capacity(made.len() + states.len());
        for (rows, value) in made.into_iter().zip(&graph.outputs) {
            outputs.push(self.stacked(rows, graph.ty(*value), &around, call)?);
        }
        outputs.append(&mut states);
        Ok(outputs)
    }

    fn stacked(
        &self,
        mut rows: Vec<NdArray>,
        ty: &Type,
        around: &Call,
        call: &mut RunAgain,
    ) -> Result<NdArray> {
        let mut zeros = |shape: &Shape| -> Result<NdArray> {
            Ok(call(&registry().zeros(shape, ty.dtype), &[], around)?.swap_remove(0))
        };
        if rows.is_empty() {
            let mut shape = ty.shape.clone();
            shape.insert(0, self.rows as i64);
            return zeros(&shape);
        }
        if rows.len() < self.rows {
            rows.resize(self.rows, zeros(&ty.shape)?);
        }
        let stack = registry().find("stack")?.with_named(&[("axis", AttrValue::Int(0))])?;
        Ok(call(&stack, &rows, around)?.swap_remove(0))
    }
}

/// Row `i` of an array.
fn row(array: &NdArray, i: usize, shape: &Shape, around: &Call, call: &mut RunAgain) -> Result<NdArray> {
    let attrs =
        [("axis", 0), ("begin", i as i64), ("end", i as i64 + 1)].map(|(n, v)| (n, AttrValue::Int(v)));
    let slice = registry().find("slice_axis")?.with_named(&attrs)?;
    let reshape = registry().find("_reshape_to")?.with_named(&[("shape", AttrValue::Ints(shape.clone()))])?;
    let rows = call(&slice, std::slice::from_ref(array), around)?;
    Ok(call(&reshape, &rows, around)?.swap_remove(0))
}

/// The outputs of a graph that a branch took, whose inputs are those `places` of the operator's.
///
/// # Errors
/// As [`Unrolled::run`].
pub(super) fn branch(
    body: &Body,
    places: &[usize],
    trace: Trace,
    read: &dyn Fn(Src) -> Result<NdArray>,
    call: &mut RunAgain,
) -> Result<Vec<NdArray>> {
    let inputs: Vec<NdArray> = places.iter().map(|p| read(Src::Input(*p as u32))).collect::<Result<_>>()?;
    let ty = |a: &NdArray| Ok(Type { shape: a.shape()?.clone(), dtype: a.dtype() });
    let types: Vec<Type> = inputs.iter().map(ty).collect::<Result<_>>()?;
    let graph = lower(body.symbol(), &types, trace.training)?;
    let device = inputs.first().map(NdArray::device).unwrap_or_default();
    let around = Call { training: trace.training, device, random: Some(trace.stream), ..Call::default() };
    again::run(&graph, &inputs, &around, call)
}
