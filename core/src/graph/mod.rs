//! Graphs of operators: [`Symbol`], what users compose and MXNet's model files hold.

mod amp;
pub mod attrs;
pub mod compose;
mod eager;
pub mod infer;
mod json;
pub mod symbol;
mod text;

pub use compose::Call;
pub use symbol::{AttrMap, Entry, Node, Symbol};
