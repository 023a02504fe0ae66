//! Graphs as attributes: the bodies of loops and branches. To the operator framework they are opaque;
//! [`crate::graph`] makes them and knows what is inside.

use crate::error::Result;
use crate::op::attrs::{AttrKind, AttrType, AttrValue};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A graph that an operator runs.
pub trait Subgraph: Any + Send + Sync + fmt::Debug {
    /// The graph as `Any`.
    fn as_any(&self) -> &dyn Any;
}

/// A graph as the value of an attribute. Two are equal if they are one object.
#[derive(Clone, Debug)]
pub struct SubgraphRef(pub Arc<dyn Subgraph>);

impl SubgraphRef {
    /// Where the object is, which tells it from others while it lives.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).cast::<()>() as usize
    }
}

impl PartialEq for SubgraphRef {
    fn eq(&self, other: &SubgraphRef) -> bool {
        self.address() == other.address()
    }
}

impl AttrType for SubgraphRef {
    fn kind() -> AttrKind {
        AttrKind::Subgraph
    }
    fn from_value(value: &AttrValue) -> Result<Self> {
        match value {
            AttrValue::Subgraph(graph) => Ok(graph.clone()),
            other => Err(crate::err!(InvalidType, "expected a graph, got {}", other.describe())),
        }
    }
    fn to_value(&self) -> AttrValue {
        AttrValue::Subgraph(self.clone())
    }
}
