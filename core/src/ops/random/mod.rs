//! Operators that draw random numbers.
//!
//! The numbers of a call depend on its device's seed, on its place in the program and on nothing else; see
//! [`crate::rng`]. They cannot be MXNet's own. What agrees with MXNet are names, arguments and distributions.

#[macro_use]
mod family;
mod distributions;
mod multinomial;
mod permute;
mod randint;

pub use distributions::*;
pub use multinomial::*;
pub use permute::*;
pub use randint::*;

use crate::device::Device;
use crate::error::Result;

/// The device that an attribute `ctx` names; the current one if it is empty.
fn device_of(ctx: &str) -> Option<Device> {
    if ctx.is_empty() { None } else { Device::parse(ctx).ok() }
}

/// Refuses an attribute `ctx` that names no device.
fn check_device(ctx: &str) -> Result<()> {
    if ctx.is_empty() { Ok(()) } else { Device::parse(ctx).map(drop).map_err(|e| e.about("ctx")) }
}
