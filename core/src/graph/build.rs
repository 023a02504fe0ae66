//! Adding calls to a graph: what lowering, gradients and passes that make calls share.

use super::ir::{Graph, Node, Phase, Type, ValueId, Work};
use crate::error::Result;
use crate::op::builder::Src;
use crate::op::infer::{DTypeInfer, ShapeInfer};
use crate::op::{GraphFn, OpRef};
use smallvec::SmallVec;
use std::sync::Arc;

/// Values of a call's outputs.
pub(super) type Outputs = SmallVec<[ValueId; 2]>;

/// Where added calls belong.
#[derive(Clone)]
pub(super) struct Place {
    pub name: Arc<str>,
    pub phase: Phase,
    pub mirror: bool,
}

impl Graph {
    /// Adds a call of an operator; a composite becomes the calls of its body.
    ///
    /// # Errors
    /// Those of its inference, naming the operator; `Unsupported` if its output's shape is known only after
    /// running.
    pub(super) fn call(&mut self, op: &OpRef, inputs: &[ValueId], place: &Place) -> Result<Outputs> {
        self.infer_and_add(op, inputs, place).map_err(|e| e.in_operator(op.def.meta.name))
    }

    fn infer_and_add(&mut self, op: &OpRef, inputs: &[ValueId], place: &Place) -> Result<Outputs> {
        if op.op.dynamic_shape() {
            crate::bail!(
                Unsupported,
                "the shape of the result is known only after running, so that it cannot be planned: executors and CachedOp run it node by \
                 node"
            );
        }
        let n = op.op.num_outputs();
        let none = || std::iter::repeat_n(None, n);
        let mut dtypes = DTypeInfer::new(op, inputs.iter().map(|v| Some(self.ty(*v).dtype)), none());
        op.op.infer_dtype(&mut dtypes)?;
        let shapes = inputs.iter().map(|v| Some(self.ty(*v).shape.clone()));
        let mut shapes = ShapeInfer::new(op, shapes, std::iter::repeat_n(None, n));
        op.op.infer_shape(&mut shapes)?;
        op.op.check(&shapes)?;
        if op.op.is_composite() {
            return self.expand(op, inputs, place);
        }
        let mut outputs = Outputs::new();
        for (i, dtype) in dtypes.into_outputs().into_iter().enumerate() {
            let shape = shapes.output(i).filter(|s| s.is_known());
            let (Some(shape), Some(dtype)) = (shape, dtype) else {
                crate::bail!(Shape, "the shape or dtype of output {i} does not follow from the inputs");
            };
            shape.checked_len()?;
            outputs.push(ValueId(self.values.len() as u32));
            self.values.push(Type { shape: shape.clone(), dtype });
        }
        let view_of = op.op.view_of(&shapes).map(|i| i as u32);
        let drawn = op.op.draws(&shapes, self.training);
        let counter = &mut self.draws[usize::from(place.phase != Phase::Forward)];
        let random = (drawn > 0).then_some(*counter);
        *counter += drawn;
        self.nodes.push(Node {
            work: Work::Op(op.clone()),
            inputs: inputs.iter().copied().collect(),
            outputs: outputs.clone(),
            name: place.name.clone(),
            phase: place.phase,
            random,
            mirror: place.mirror,
            again: false,
            view_of,
        });
        Ok(outputs)
    }

    fn expand(&mut self, op: &OpRef, inputs: &[ValueId], place: &Place) -> Result<Outputs> {
        let body = GraphFn::body(op, inputs.len())?;
        let leaf = |_: &mut Graph, src: Src| match src {
            Src::Input(i) => Ok(inputs[i as usize]),
            other => Err(crate::Error::internal(format!("a composite's body reads {other:?}"))),
        };
        let results = self.splice(&body, leaf, place)?;
        results
            .into_iter()
            .map(|r| r.ok_or_else(|| crate::Error::internal("a body without a result")))
            .collect()
    }

    /// Adds the calls of a traced rule; `leaf` gives what it reads. Returns its results.
    pub(super) fn splice(
        &mut self,
        rule: &GraphFn,
        mut leaf: impl FnMut(&mut Graph, Src) -> Result<ValueId>,
        place: &Place,
    ) -> Result<SmallVec<[Option<ValueId>; 4]>> {
        let mut made: Vec<Outputs> = Vec::with_capacity(rule.nodes.len());
        let mut value = |graph: &mut Graph, made: &[Outputs], src: Src| match src {
            Src::Node(n, o) => Ok(made[n as usize][o as usize]),
            other => leaf(graph, other),
        };
        for node in &rule.nodes {
            let inputs: Result<SmallVec<[ValueId; 4]>> =
                node.inputs.iter().map(|src| value(self, &made, *src)).collect();
            let outputs = self.call(&node.op, &inputs?, place)?;
            made.push(outputs);
        }
        rule.results.iter().map(|src| src.map(|src| value(self, &made, src)).transpose()).collect()
    }
}
