//! The JVM's generated files: native methods from the C ABI; operators on arrays and symbols, optimizers, schedules and
//! initializers from the schema. No default value is written but in comments.

mod natives;
mod ops;
mod registered;
mod text;

use super::File;
use super::abi::Abi;
use super::schema::list;
use serde_json::Value;

/// The generated files.
pub fn files(schema: &Value, abi: &Abi, methods: &[&str]) -> Vec<File> {
    let public: Vec<&Value> = list(schema, "operators").iter().filter(|op| op["internal"] != true).collect();
    let methods: Vec<String> = methods.iter().map(|name| text::java_name(name)).collect();
    let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
    let mut files = natives::files(abi);
    files.extend(ops::files(&public, &methods));
    files.extend(registered::files(schema, &public));
    files
}
