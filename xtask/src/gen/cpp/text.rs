//! What the schema says in C++'s words: names, types and help.

use crate::generate::schema::{bounds, camel, list, text, wrapped};
use serde_json::Value;

/// A name, which may be a word of C++'s.
pub fn cpp_name(name: &str) -> String {
    const WORDS: [&str; 12] = [
        "and", "or", "not", "xor", "default", "int", "float", "double", "bool", "register", "operator",
        "switch",
    ];
    if WORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// The name of the type of an enumeration.
fn enum_name(stem: &str, attr: &Value) -> String {
    stem.to_owned() + &camel(text(attr, "name"))
}

/// The type of an attribute's value.
pub fn cpp_type(stem: &str, attr: &Value) -> String {
    match text(attr, "type") {
        "bool" => "bool".into(),
        "int" => "int64_t".into(),
        "float" => "double".into(),
        "shape" => "Shape".into(),
        "optional ints" => "Ints".into(),
        "floats" => "std::vector<double>".into(),
        "strings" => "std::vector<std::string>".into(),
        "dtype" => "DType".into(),
        "enum" => enum_name(stem, attr),
        _ => "std::string".into(),
    }
}

/// An attribute as a parameter.
pub fn parameter(stem: &str, attr: &Value) -> String {
    let kind = cpp_type(stem, attr);
    let name = cpp_name(text(attr, "name"));
    match text(attr, "type") {
        "bool" | "int" | "float" | "dtype" | "enum" => format!("{kind} {name}"),
        _ => format!("const {kind} &{name}"),
    }
}

/// The values of an enumeration, as MXNet's cpp-package names them: `kRelu`.
pub fn values(attr: &Value) -> Vec<String> {
    list(attr, "values").iter().map(|v| format!("k{}", camel(v.as_str().unwrap_or_default()))).collect()
}

/// The type of an enumeration with the texts of its values, after which NULL comes.
pub fn enumeration(stem: &str, attr: &Value) -> String {
    let name = enum_name(stem, attr);
    let texts: Vec<String> = list(attr, "values").iter().map(Value::to_string).collect();
    format!(
        "/// Values of `{}`.\nenum class {name} {{ {} }};\ninline const char *const *value_names({name}) {{\n    \
         static const char *const names[] = {{{}, nullptr}};\n    return names;\n}}\n\n",
        text(attr, "name"),
        values(attr).join(", "),
        texts.join(", ")
    )
}

/// An attribute as a field of options.
pub fn field(stem: &str, attr: &Value) -> String {
    let about = format!("{} {}", text(attr, "doc"), bounds(attr) + &default(attr));
    let kind = cpp_type(stem, attr);
    format!("{}    Attr<{kind}> {} = {{}};\n", wrapped(&about, "    /// "), cpp_name(text(attr, "name")))
}

fn default(attr: &Value) -> String {
    match &attr["default"] {
        Value::Null => "Default: none.".into(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            format!("Default: ({}).", items.join(", "))
        }
        Value::String(s) if s.is_empty() => "Default: empty.".into(),
        Value::String(s) => format!("Default: {s}."),
        other => format!("Default: {other}."),
    }
}

/// The help of an operator's functions.
pub fn doc(op: &Value) -> String {
    let mut out = wrapped(text(op, "doc"), "/// ");
    out += "///\n";
    for input in list(op, "inputs") {
        let mut about = text(input, "doc").to_owned();
        if input["optional"] == true {
            about += " May be empty.";
        }
        if input["mutated"] == true {
            about += " Changed by the call.";
        }
        out += &wrapped(&format!("@param {} {about}", cpp_name(text(input, "name"))), "/// ");
    }
    for attr in list(op, "attrs").iter().filter(|a| a.get("default").is_none()) {
        let about = format!("@param {} {} {}", cpp_name(text(attr, "name")), text(attr, "doc"), bounds(attr));
        out += &wrapped(about.trim_end(), "/// ");
    }
    if list(op, "attrs").iter().any(|a| a.get("default").is_some()) {
        out += "/// @param options What need not be given.\n";
    }
    out += "/// @param out Where the result goes; a new array if empty.\n";
    out
}
