//! Elementwise operators.

mod arithmetic;
mod exponential;
mod scalar;

pub use arithmetic::*;
pub use exponential::*;
pub use scalar::*;
