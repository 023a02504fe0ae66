//! Running a symbol node by node, without a plan: what plans are compared with.

use super::symbol::{Inputs, Node, Symbol};
use crate::autograd::{self, Mode};
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::attrs::nearest;
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
        self.run_on(&given?, mode)
    }

    /// The same for arrays for all variables, in the order of [`Symbol::inputs`].
    ///
    /// # Errors
    /// The errors of the operators, with the node.
    pub(super) fn run_on(&self, arrays: &[NdArray], mode: &Mode) -> Result<Vec<NdArray>> {
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
            for input in node.inputs.iter().map(|e| place[&Arc::as_ptr(&e.node)]) {
                if last_use[input] == i {
                    values[input].clear();
                }
            }
        }
        let value = |e: &super::Entry| values[place[&Arc::as_ptr(&e.node)]][e.index as usize].clone();
        Ok(self.outputs.iter().map(value).collect())
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
