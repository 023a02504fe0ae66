//! Operators that make arrays from their attributes, and from the shape of another array.

mod constant;
mod like;
mod sequence;

pub use constant::*;
pub use like::*;
pub use sequence::*;

use crate::device::Device;
use crate::error::Result;

/// The device that an attribute names, if it names one.
fn device_of(ctx: &str) -> Option<Device> {
    if ctx.is_empty() { None } else { Device::parse(ctx).ok() }
}

fn check_device(ctx: &str) -> Result<()> {
    if ctx.is_empty() { Ok(()) } else { Device::parse(ctx).map(drop).map_err(|e| e.about("ctx")) }
}
