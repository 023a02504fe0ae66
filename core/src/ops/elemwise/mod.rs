//! Elementwise operators.

mod activation;
mod arithmetic;
mod cast;
mod clip;
mod compare;
mod exponential;
mod finite;
mod identity;
mod like;
mod power;
mod rounding;
mod scalar;
mod select;
mod special;
mod trigonometric;

pub use activation::*;
pub use arithmetic::*;
pub use cast::*;
pub use clip::*;
pub use compare::*;
pub use exponential::*;
pub use finite::*;
pub use identity::*;
pub use like::*;
pub use power::*;
pub use rounding::*;
pub use scalar::*;
pub use select::*;
pub use special::*;
pub use trigonometric::*;
