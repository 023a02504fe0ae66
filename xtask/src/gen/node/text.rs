//! What the schema says in TypeScript's words: types and help.

use crate::generate::schema::{bounds, camel, list, text, wrapped};
use serde_json::Value;

/// The type of an attribute's value.
pub fn ts_type(attr: &Value) -> String {
    let kind = match text(attr, "type") {
        "bool" => "boolean".to_owned(),
        "int" | "float" => "number".to_owned(),
        "shape" => "Ints".to_owned(),
        "optional ints" => "OptionalInts".to_owned(),
        "floats" => "number | readonly number[]".to_owned(),
        "strings" => "readonly string[]".to_owned(),
        "dtype" => "DType".to_owned(),
        "enum" => {
            let values: Vec<String> = list(attr, "values")
                .iter()
                .map(|v| format!("'{}'", v.as_str().unwrap_or_default()))
                .collect();
            values.join(" | ")
        }
        _ => "string".to_owned(),
    };
    if attr["optional"] == true { kind + " | null" } else { kind }
}

/// Lines of help at an indentation.
pub fn comment(about: &str, indent: &str) -> String {
    let lines = wrapped(&about.replace("*/", "*\u{200b}/"), &format!("{indent} * "));
    format!("{indent}/**\n{lines}{indent} */\n")
}

/// An attribute as a member of an interface.
pub fn member(attr: &Value) -> String {
    let required = attr.get("default").is_none();
    let default = if required { String::new() } else { default(attr) };
    let about = format!("{} {}{default}", text(attr, "doc"), bounds(attr));
    let question = if required { "" } else { "?" };
    format!("{}    {}{question}: {};\n", comment(about.trim_end(), "    "), text(attr, "name"), ts_type(attr))
}

fn default(attr: &Value) -> String {
    match &attr["default"] {
        Value::Null => "Default: null.".into(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            format!("Default: [{}].", items.join(", "))
        }
        Value::String(s) if s.is_empty() => "Default: empty.".into(),
        Value::String(s) => format!("Default: '{s}'."),
        other => format!("Default: {other}."),
    }
}

/// The name of the interface of attributes.
pub fn interface(name: &str) -> String {
    let stem = camel(name) + "Attrs";
    // Two names that differ in capitals alone are told apart.
    if name.starts_with(char::is_uppercase) || !name.contains('_') { stem } else { format!("{stem}_") }
}

/// The help of an operator's functions.
pub fn doc(op: &Value, indent: &str) -> String {
    let mut about = text(op, "doc").to_owned() + "\n";
    for input in list(op, "inputs") {
        about += &format!("\n@param {} {}", super::js_name(text(input, "name")), text(input, "doc"));
        if input["optional"] == true {
            about += " May be null.";
        }
        if input["mutated"] == true {
            about += " Changed by the call.";
        }
        about += "\n";
    }
    comment(about.trim_end(), indent)
}
