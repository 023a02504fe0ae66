//! Julia's operators, optimizers, schedules and initializers, from the schema, and the table of libmxr's functions.
//!
//! Everything is in the module `mx` under MXNet's names; `mx.contrib`, `mx.linalg` and the like have those of their
//! prefixes without them. A function has a method for arrays and one for symbols. No default value is written but in
//! help.

mod abi;
mod ops;
mod registered;
mod text;

use super::File;
use super::schema::{MARKER, list};
use serde_json::Value;

/// The generated files, from `schema/ops.json` and `schema/abi.json`.
pub fn files(schema: &Value, functions: &Value) -> Vec<File> {
    let public: Vec<&Value> = list(schema, "operators").iter().filter(|op| op["internal"] != true).collect();
    vec![
        ("bindings/julia/src/gen/abi.jl".into(), abi::file(functions)),
        ("bindings/julia/src/gen/table.jl".into(), ops::table(&public)),
        ("bindings/julia/src/gen/ops.jl".into(), ops::functions(&public)),
        ("bindings/julia/test/gen/keywords.jl".into(), ops::keywords(&public)),
        ("bindings/julia/src/gen/registered.jl".into(), registered::file(schema)),
    ]
}

/// The first lines of a generated file.
fn head(about: &str) -> String {
    format!("# {MARKER}\n# {about}\n\n")
}
