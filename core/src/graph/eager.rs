//! Running a symbol node by node, without a plan: what plans are compared with.

use super::executor::Monitor;
use super::symbol::{Inputs, Node, Symbol};
use crate::autograd::{self, Mode};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::attrs::nearest;
use crate::op::registry;
use std::collections::HashMap;
use std::sync::Arc;

impl Symbol {
    /// The outputs for these arrays, by the variables' names. Arrays that no variable names are left alone, so that
    /// a checkpoint's serve part of its symbol too. While `mode` records, gradients flow through the call.
    ///
    /// # Errors
    /// `NotFound` for a variable without an array; the errors of the operators, with the node.
    pub fn run_eagerly(&self, arrays: &HashMap<String, NdArray>, mode: &Mode) -> Result<Vec<NdArray>> {
        let given: Result<Vec<NdArray>> =
            self.inputs(Inputs::All).iter().map(|node| given(node, arrays)).collect();
        self.run_on(&given?, mode, None)
    }

    /// The same for arrays for all variables, in the order of [`Symbol::inputs`]; `monitor` sees the visible outputs of
    /// every call.
    ///
    /// # Errors
    /// The errors of the operators, with the node.
    pub(super) fn run_on(
        &self,
        arrays: &[NdArray],
        mode: &Mode,
        monitor: Option<&Monitor>,
    ) -> Result<Vec<NdArray>> {
        let order = self.topo();
        let mut arrays = arrays.iter();
        let place: HashMap<*const Node, usize> =
            order.iter().enumerate().map(|(i, n)| (Arc::as_ptr(n), i)).collect();
        let last_use = last_uses(self, &order, &place);
        let mut values: Vec<Vec<NdArray>> = vec![vec![]; order.len()];
        for (i, node) in order.iter().enumerate() {
            values[i] = match &node.op {
                None => arrays.next().into_iter().cloned().collect(),
                Some(op) => {
                    let inputs: Vec<NdArray> = node
                        .inputs
                        .iter()
                        .map(|e| values[place[&Arc::as_ptr(&e.node)]][e.index as usize].clone())
                        .collect();
                    autograd::invoke(op, &inputs, &[], mode)
                        .map_err(|e| e.in_node(&node.name))?
                        .into_iter()
                        .collect()
                }
            };
            if let (Some(monitor), Some(_)) = (monitor, &node.op) {
                for (o, value) in values[i].iter().enumerate().take(node.num_visible_outputs()) {
                    monitor(&node.output_name(o), &value.detach()?);
                }
            }
            for input in node.inputs.iter().map(|e| place[&Arc::as_ptr(&e.node)]) {
                if last_use[input] == i {
                    values[input].clear();
                }
            }
        }
        let value = |e: &super::Entry| values[place[&Arc::as_ptr(&e.node)]][e.index as usize].clone();
        Ok(self.outputs.iter().map(value).collect())
    }

    /// As [`Symbol::run_on`], but outputs that are variables are copied, as plans copy them.
    ///
    /// # Errors
    /// As [`Symbol::run_on`].
    pub(super) fn run_apart(
        &self,
        arrays: &[NdArray],
        mode: &Mode,
        monitor: Option<&Monitor>,
    ) -> Result<Vec<NdArray>> {
        let own = |(output, e): (NdArray, &super::Entry)| {
            if e.node.is_variable() {
                let copy = registry().find("_copy")?.with(&[])?;
                return Ok(autograd::invoke(&copy, &[output], &[], mode)?.swap_remove(0));
            }
            Ok(output)
        };
        self.run_on(arrays, mode, monitor)?.into_iter().zip(&self.outputs).map(own).collect()
    }

    /// True if only running shows all shapes.
    pub(super) fn has_dynamic_shapes(&self) -> bool {
        self.topo().iter().filter_map(|n| n.op.as_ref()).any(|op| op.op.dynamic_shape())
    }
}

/// For each node the last that reads it; `usize::MAX` for outputs.
fn last_uses(symbol: &Symbol, order: &[Arc<Node>], place: &HashMap<*const Node, usize>) -> Vec<usize> {
    let mut last = vec![usize::MAX; order.len()];
    for (i, node) in order.iter().enumerate() {
        node.inputs.iter().for_each(|e| last[place[&Arc::as_ptr(&e.node)]] = i);
    }
    symbol.outputs.iter().for_each(|e| last[place[&Arc::as_ptr(&e.node)]] = usize::MAX);
    last
}

fn given(variable: &Node, arrays: &HashMap<String, NdArray>) -> Result<NdArray> {
    arrays.get(&variable.name).cloned().ok_or_else(|| {
        let hint = nearest(&variable.name, arrays.keys().map(String::as_str));
        let hint = hint.map_or_else(String::new, |n| format!("; did you mean '{n}'?"));
        crate::err!(NotFound, "no array is given for this variable{hint}").about(&variable.name)
    })
}
