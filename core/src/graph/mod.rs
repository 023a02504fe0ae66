//! Graphs of operators: [`Symbol`], what users compose and MXNet's model files hold, and how it is run.
//!
//! ```text
//! Symbol --lower--> Graph --gradient--> Graph --passes--> Graph --recompute--> Graph --memory--> Plan
//! ```
//!
//! [`compile`](compile::compile) is the pipeline. The [`Graph`](ir::Graph) is a flat list of calls over values of
//! known shape; [`lower`] makes it from a symbol, [`gradient`] adds the backward pass, [`passes`] simplify and fuse,
//! [`memory`] decides what shares memory, [`arena`] and [`rooms`] where it is, and the [`Plan`](plan::Plan) that comes out is a
//! flat list of kernel calls. [`verify`] checks the graph after every pass in debug builds. Planned results are equal
//! to eager ones, to the bit.

mod again;
mod amp;
pub mod arena;
pub mod attrs;
mod bound;
mod build;
pub mod cached_op;
pub mod compile;
pub mod compose;
pub mod control;
mod eager;
pub mod executor;
pub mod gradient;
pub mod infer;
pub mod ir;
mod json;
mod launch;
pub mod lower;
pub mod memory;
pub mod passes;
pub mod plan;
pub mod print;
pub mod recompute;
mod recorded;
pub mod rooms;
mod run;
pub mod symbol;
mod text;
mod types;
mod unplanned;
pub mod verify;

pub use compose::Call;
pub use symbol::{AttrMap, Entry, Node, Symbol};
