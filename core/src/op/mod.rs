//! The operator framework. It names no operator; [`crate::ops`] holds them.
//!
//! An operator is a struct whose fields are its attributes ([`attrs`]) and that implements [`Operator`]:
//! inference of shapes and dtypes ([`infer`]), a gradient in terms of other operators ([`builder`]), a kernel
//! ([`kernel`], or [`pointwise`] for elementwise arithmetic) and test samples ([`sample`]). The registry
//! ([`registry`]) finds it by name and describes it in the schema; [`invoke`] runs it on arrays.

pub mod arith;
pub mod attrs;
pub mod builder;
mod convert;
pub mod fused;
pub mod infer;
pub mod invoke;
pub mod kernel;
pub mod operator;
pub mod pointwise;
pub mod registered;
pub mod registry;
pub mod sample;
pub mod schema;
pub mod subgraph;

pub use crate::registry::registry;
pub use attrs::{AttrEnum, AttrType, AttrValue, Attrs, OptInts};
pub use builder::{Builder, GraphFn, Val};
pub use infer::{DTypeInfer, ShapeInfer};
pub use invoke::{Call, Req, invoke};
pub use kernel::Kernel;
pub use mxr_macros::{AttrEnum, Attrs};
pub use operator::{DTypes, Input, Meta, OpRef, Operator};
pub use pointwise::Pointwise;
pub use registered::{Registered, Table};
pub use registry::OpDef;
pub use sample::{Oracle, Sample};
pub use subgraph::{Subgraph, SubgraphRef};
