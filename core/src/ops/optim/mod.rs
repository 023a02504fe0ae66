//! Operators that update weights, and what goes with them: one pass over memory each.
//!
//! Weights and states are changed by the call: a state is a mutated input, and a weight is changed when it is
//! also given as `out`. Half-precision types compute in `f32` and round once; MXNet rounds after each step.
//! The operators are not differentiable.

#[macro_use]
mod family;
mod adam;
mod adaptive;
mod finite;
mod ftrl;
mod lamb;
mod multi;
mod pass;
mod sgd;
mod sign;

pub use adam::*;
pub use adaptive::*;
pub use finite::*;
pub use ftrl::*;
pub use lamb::*;
pub use multi::*;
pub use sgd::*;
pub use sign::*;
