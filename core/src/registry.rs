//! The registry of this process: where the operator framework meets the lists of operators.

use crate::graph::control;
use crate::op::registry::Registry;
use crate::ops;
use std::sync::OnceLock;

/// Every operator, found by name.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    let all = || ops::all().into_iter().chain(control::all()).collect();
    REGISTRY.get_or_init(|| Registry::new(all(), ops::ADDITION, ops::ZEROS))
}
