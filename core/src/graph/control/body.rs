//! The graph of a loop's step or of a branch, and its plans.

use crate::dtype::DType;
use crate::error::Result;
use crate::graph::attrs::graphs_of;
use crate::graph::compile::{Options, compile};
use crate::graph::infer::Inferred;
use crate::graph::ir::Type;
use crate::graph::plan::Plan;
use crate::graph::symbol::{Inputs, Symbol};
use crate::op::invoke::Req;
use crate::op::{Subgraph, SubgraphRef};
use crate::shape::Shape;
use parking_lot::Mutex;
use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Plans kept at most: shapes that never come again would otherwise collect.
const KEPT: usize = 32;

/// Bodies in bodies at most: what follows of shapes is found out several times at each level, and files are
/// not to be trusted.
const DEEPEST: usize = 8;

/// What is known of inputs and of outputs.
pub(super) type Facts<T> = (Vec<Option<T>>, Vec<Option<T>>);

#[derive(Clone, PartialEq)]
struct Key {
    types: Vec<Type>,
    training: bool,
    requests: Vec<Req>,
}

/// A graph that an operator runs, compiled when it is first needed for some types.
pub struct Body {
    symbol: Symbol,
    names: Vec<String>,
    is_state: Vec<bool>,
    depth: usize,
    plans: Mutex<Vec<(Key, Arc<Plan>)>>,
}

impl Subgraph for Body {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) → ({})", self.names.join(", "), self.symbol.list_outputs().join(", "))
    }
}

impl Body {
    /// The body that a symbol is, whose inputs are its variables in the order of [`Symbol::list_inputs`].
    ///
    /// # Errors
    /// `InvalidValue` if two variables have one name; `Unsupported` if an operator changes a state while it
    /// runs forward, which running a step again would do twice, and for bodies in bodies without end.
    pub fn new(symbol: Symbol) -> Result<Body> {
        let names = symbol.list_inputs();
        let mut seen = HashSet::new();
        if let Some(name) = names.iter().find(|n| !seen.insert(n.as_str())) {
            crate::bail!(InvalidValue, "two variables of the body are called '{name}'");
        }
        for node in symbol.topo() {
            let Some(op) = node.op.as_ref().filter(|op| !op.op.repeatable()) else { continue };
            if (0..node.inputs.len()).any(|i| op.mutates(i)) {
                crate::bail!(Unsupported, "'{}' changes a state, which a body must not", node.name);
            }
        }
        let inner =
            symbol.topo().iter().filter_map(|n| n.op.as_ref().map(graphs_of)).flatten().collect::<Vec<_>>();
        let depth = 1 + inner.iter().map(|graph| super::body(graph).depth).max().unwrap_or(0);
        if depth > DEEPEST {
            crate::bail!(Unsupported, "expected at most {DEEPEST} bodies in each other");
        }
        let states: HashSet<*const _> = symbol.topo().iter().flat_map(changed_inputs).collect();
        let is_state = symbol.inputs(Inputs::All).iter().map(|n| states.contains(&Arc::as_ptr(n))).collect();
        Ok(Body { names, is_state, depth, symbol, plans: Mutex::default() })
    }

    /// The same as an attribute.
    pub fn into_attr(self) -> SubgraphRef {
        SubgraphRef(Arc::new(self))
    }

    /// The graph.
    pub fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// Number of inputs.
    pub fn num_inputs(&self) -> usize {
        self.names.len()
    }

    /// Number of outputs.
    pub fn num_outputs(&self) -> usize {
        self.symbol.outputs.len()
    }

    /// Names of the inputs.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// True if the backward pass changes input `i`, as the moving statistics of a batch normalisation.
    pub fn is_state(&self, i: usize) -> bool {
        self.is_state[i]
    }

    /// What follows of the shapes of inputs and outputs from those of some inputs.
    ///
    /// # Errors
    /// `Shape` if they contradict each other.
    pub(super) fn infer_shape(&self, known: &[Option<Shape>]) -> Result<Facts<Shape>> {
        let known = self.names.iter().zip(known).filter_map(|(n, s)| Some((n.as_str(), s.clone()?)));
        let inferred = self.symbol.infer_shape(known)?;
        Ok(self.in_order(inferred))
    }

    /// What follows of the dtypes of inputs and outputs from those of some inputs.
    ///
    /// # Errors
    /// `DType` if they contradict each other.
    pub(super) fn infer_dtype(&self, known: &[Option<DType>]) -> Result<Facts<DType>> {
        let known = self.names.iter().zip(known).filter_map(|(n, d)| Some((n.as_str(), (*d)?)));
        let inferred = self.symbol.infer_type(known)?;
        Ok(self.in_order(inferred))
    }

    /// The inputs in their order, of which MXNet's lists have some among the auxiliary states.
    fn in_order<T: Clone>(&self, inferred: Inferred<T>) -> Facts<T> {
        let listed: HashSet<String> = self.symbol.list_auxiliary_states().into_iter().collect();
        let (mut arguments, mut states) =
            (inferred.arguments.into_iter(), inferred.auxiliary_states.into_iter());
        let next = |n: &String| if listed.contains(n) { states.next() } else { arguments.next() };
        (self.names.iter().map(next).map(Option::flatten).collect(), inferred.outputs)
    }

    /// The plan for inputs of these types. With `requests` it has a backward pass, which makes the gradients
    /// of inputs as they say.
    ///
    /// # Errors
    /// What compiling reports: `Autograd` for an operator that is not differentiable.
    pub fn plan(&self, types: &[Type], training: bool, requests: &[Req]) -> Result<Arc<Plan>> {
        let key = Key { types: types.to_vec(), training, requests: requests.to_vec() };
        let mut plans = self.plans.lock();
        if let Some((_, plan)) = plans.iter().find(|(k, _)| *k == key) {
            return Ok(plan.clone());
        }
        // Folding would change rounding unseen, and constants would be computed by the engine that runs the body.
        let requests = key.requests.clone();
        let options = Options { training, requests, fold: false, simplify: false, ..Options::default() };
        let plan = Arc::new(compile(&self.symbol, types, &options)?);
        if plans.len() >= KEPT {
            plans.clear();
        }
        plans.push((key, plan.clone()));
        Ok(plan)
    }

    /// The plan for inputs of these shapes, whose dtypes are those that the body asks for, else `float32`:
    /// what tells sizes before dtypes are known.
    ///
    /// # Errors
    /// As [`Body::plan`].
    pub fn plan_of_shapes(&self, shapes: &[Shape], training: bool, requests: &[Req]) -> Result<Arc<Plan>> {
        let dtypes = self.infer_dtype(&vec![None; shapes.len()])?.0;
        let types: Vec<Type> = shapes
            .iter()
            .zip(dtypes)
            .map(|(s, d)| Type { shape: s.clone(), dtype: d.unwrap_or(DType::F32) })
            .collect();
        self.plan(&types, training, requests)
    }
}

/// The variables that a node's backward pass changes.
fn changed_inputs(node: &Arc<crate::graph::Node>) -> Vec<*const crate::graph::Node> {
    let Some(op) = &node.op else { return vec![] };
    let inputs = node.inputs.iter().enumerate().filter(|(i, _)| op.mutates(*i));
    inputs.map(|(_, e)| Arc::as_ptr(&e.node)).collect()
}
