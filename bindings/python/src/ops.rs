//! x
use crate::invoke::Op;
pub static OPS: &[Op] = &[];
