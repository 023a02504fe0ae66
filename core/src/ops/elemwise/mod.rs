//! Elementwise operators.

mod activation;
mod arithmetic;
mod compare;
mod exponential;
mod power;
mod rounding;
mod scalar;
mod special;
mod trigonometric;

pub use activation::*;
pub use arithmetic::*;
pub use compare::*;
pub use exponential::*;
pub use power::*;
pub use rounding::*;
pub use scalar::*;
pub use special::*;
pub use trigonometric::*;
