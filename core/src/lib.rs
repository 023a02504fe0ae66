//! The mxr engine as a Rust library.
//!
//! [`error`], [`dtype`], [`shape`] and [`device`] are the vocabulary; everything else is built from them.

pub mod autograd;
pub mod callback;
pub mod device;
pub mod dtype;
pub mod engine;
pub mod error;
mod fork;
pub mod format;
pub mod graph;
pub mod imperative;
pub mod init;
pub mod io;
pub mod kernels;
pub mod kvstore;
pub mod metric;
pub mod model;
pub mod module;
pub mod ndarray;
pub mod op;
pub mod ops;
pub mod optim;
pub mod parallel;
pub mod registry;
pub mod rng;
pub mod shape;
pub mod storage;

pub use device::Device;
pub use dtype::DType;
pub use error::{Error, ErrorCode, Result};
pub use ndarray::NdArray;
pub use parallel::num_threads;
pub use shape::Shape;
