//! libmxr as the bindings that are written in Rust see it: its functions, and how it is found at run time.

pub mod ffi;
mod library;

pub use library::{abi, build_info, file, load, version};
