//! Python's operators, from the schema.

use super::File;
use serde_json::Value;

/// The generated files of the Python package.
pub fn files(_schema: &Value) -> Vec<File> {
    Vec::new()
}
