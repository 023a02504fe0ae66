//! The native half of the Java package `io.mxr`: a native method for each function of the C ABI, written by
//! `cargo xtask gen`, and the few that need the JVM itself.

mod callbacks;
mod door;
mod memory;
#[rustfmt::skip]
mod natives;
mod start;
