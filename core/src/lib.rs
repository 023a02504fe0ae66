//! The mxr engine as a Rust library.
//!
//! [`error`], [`dtype`], [`shape`] and [`device`] are the vocabulary; everything else is built from them.

pub mod device;
pub mod dtype;
pub mod error;
pub mod format;
pub mod parallel;
pub mod rng;
pub mod shape;

pub use device::Device;
pub use dtype::DType;
pub use error::{Error, ErrorCode, Result};
pub use shape::Shape;
