//! The registry of this process: where the operator framework meets the list of operators.

use crate::op::registry::Registry;
use crate::ops;
use std::sync::OnceLock;

/// Every operator, found by name.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::new(ops::all(), ops::ADDITION, ops::ZEROS))
}
