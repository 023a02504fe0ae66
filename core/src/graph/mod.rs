//! Graphs of operators: [`Symbol`], what users compose and MXNet's model files hold.

pub mod symbol;

pub use symbol::{AttrMap, Entry, Node, Symbol};
