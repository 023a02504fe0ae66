//! What an executor does with a symbol whose shapes only running shows: it runs node by node, and remembers each call on
//! a tape for the backward pass.

use super::executor::Monitor;
use super::symbol::Symbol;
use crate::autograd::{self, BackwardOptions, Mode};
use crate::device::Device;
use crate::error::Result;
use crate::ndarray::NdArray;
use crate::op::invoke::{Call, Req};
use crate::op::registry;
use parking_lot::Mutex;

/// A symbol bound to arrays, run without a plan.
pub(super) struct Unplanned {
    symbol: Symbol,
    device: Device,
    /// The arrays of all variables; those whose gradients are wanted are variables of the tape as well.
    variables: Vec<NdArray>,
    /// Gradients that a backward pass overwrites.
    written: Vec<NdArray>,
    last: Mutex<Last>,
}

/// What the last forward pass left.
#[derive(Default)]
struct Last {
    outputs: Option<Vec<NdArray>>,
    /// The outputs as the tape knows them, after a pass in training.
    heads: Option<Vec<NdArray>>,
}

impl Unplanned {
    /// Binds arrays for all variables, in the order of [`Symbol::inputs`](super::symbol::Inputs), with a gradient and
    /// a request for each.
    ///
    /// # Errors
    /// `Shape` or `DType` where arrays do not fit the symbol, as far as that shows before it runs.
    pub fn new(
        symbol: &Symbol,
        variables: &[NdArray],
        gradients: &[Option<NdArray>],
        requests: &[Req],
        device: Device,
    ) -> Result<Unplanned> {
        let names = symbol.list_inputs();
        let named = || names.iter().map(String::as_str).zip(variables);
        let shapes = named().map(|(n, a)| Ok((n, a.shape()?.clone())));
        symbol.infer_shape(shapes.collect::<Result<Vec<_>>>()?)?;
        symbol.infer_type(named().map(|(n, a)| (n, a.dtype())))?;
        // Other handles than the caller's, about which the tape may know something else.
        let variables = variables.iter().map(NdArray::detach).collect::<Result<Vec<_>>>()?;
        let mut written = vec![];
        for ((variable, gradient), request) in variables.iter().zip(gradients).zip(requests) {
            let (Some(gradient), true) = (gradient, *request != Req::Null) else { continue };
            autograd::mark_variables(
                std::slice::from_ref(variable),
                std::slice::from_ref(gradient),
                &[*request],
            )?;
            if *request != Req::Add {
                written.push(gradient.clone());
            }
        }
        Ok(Unplanned { symbol: symbol.clone(), device, variables, written, last: Mutex::default() })
    }

    /// Computes new arrays for the outputs; `training` prepares for [`Unplanned::backward`].
    ///
    /// # Errors
    /// Those of the operators, with the node.
    pub fn forward(&self, training: bool, monitor: Option<&Monitor>) -> Result<Vec<NdArray>> {
        *self.last.lock() = Last::default();
        let call = Call { training, device: self.device, ..Call::default() };
        let heads = self.symbol.run_apart(&self.variables, &Mode { recording: training, call }, monitor)?;
        let outputs = heads.iter().map(NdArray::detach).collect::<Result<Vec<_>>>()?;
        *self.last.lock() = Last { outputs: Some(outputs.clone()), heads: training.then_some(heads) };
        Ok(outputs)
    }

    /// The outputs of the last forward pass.
    ///
    /// # Errors
    /// `Shape` before the first.
    pub fn outputs(&self) -> Result<Vec<NdArray>> {
        self.last.lock().outputs.clone().ok_or_else(|| {
            crate::err!(Shape, "the shapes of the outputs are known only after forward: run it first")
        })
    }

    /// The outputs of the last forward pass in training, and whether the gradient of each must be given.
    ///
    /// # Errors
    /// `Autograd` without such a pass.
    pub fn heads(&self) -> Result<Vec<(NdArray, bool)>> {
        let last = self.last.lock();
        let heads = last.heads.as_ref().ok_or_else(|| {
            crate::err!(Autograd, "backward needs a forward pass with is_train=True before it")
        })?;
        Ok(heads.iter().map(|head| (head.clone(), autograd::reads_head_gradient(head))).collect())
    }

    /// Leaves the gradients of the last forward pass where they are wanted.
    ///
    /// # Errors
    /// As [`Unplanned::heads`]; those of [`autograd::backward`].
    pub fn backward(&self, head_grads: &[NdArray]) -> Result<()> {
        let call = Call { device: self.device, ..Call::default() };
        for gradient in &self.written {
            // Not every variable need lead to an output.
            let zeros = registry().zeros(gradient.shape()?, gradient.dtype());
            crate::op::invoke(&zeros, &[], &[Some((gradient.clone(), Req::Write))], &call)?;
        }
        let heads = self.heads()?.into_iter().map(|(head, _)| head).enumerate();
        let (heads, given): (Vec<_>, Vec<_>) = heads
            .filter(|(_, head)| head.is_recorded())
            .map(|(i, head)| (head, head_grads.get(i).cloned()))
            .unzip();
        let options = BackwardOptions { retain_graph: true, training: true, ..BackwardOptions::default() };
        autograd::backward(&heads, &given, options)
    }
}
