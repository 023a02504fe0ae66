//! Elementwise operators.

mod activation;
mod arithmetic;
mod exponential;
mod rounding;
mod scalar;
mod special;
mod trigonometric;

pub use activation::*;
pub use arithmetic::*;
pub use exponential::*;
pub use rounding::*;
pub use scalar::*;
pub use special::*;
pub use trigonometric::*;
