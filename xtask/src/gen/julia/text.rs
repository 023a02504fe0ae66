//! What the schema says in Julia's words: names, values and help.

use crate::generate::schema::{bounds, list, text, wrapped};
use serde_json::Value;

/// A name, which may be a word of Julia's.
pub fn julia_name(name: &str) -> String {
    const WORDS: [&str; 9] =
        ["begin", "end", "where", "function", "global", "local", "return", "type", "module"];
    if WORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// How the numbers of a list that there is one of for each axis stand in Julia's order of axes.
pub fn order(owner: &str, attr: &Value) -> Option<&'static str> {
    match (owner, text(attr, "name"), text(attr, "type")) {
        ("_split_v2", "indices", _) => Some("MXR.kept"),
        ("Pad", "pad_width", _) => Some("MXR.pairs"),
        (_, _, "shape" | "optional ints") => Some("MXR.reversed"),
        (_, _, "floats") => Some("MXR.floats"),
        (_, _, "strings") => Some("MXR.texts"),
        (_, _, "string") => Some("MXR.text"),
        _ => None,
    }
}

/// Text inside the quotes of a string.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('"', "\\\"")
}

/// The default of an attribute as help shows it; lists in Julia's order.
fn default(attr: &Value) -> String {
    match &attr["default"] {
        Value::Null => "nothing".into(),
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(Value::to_string).collect();
            if text(attr, "type") != "floats" {
                items.reverse();
            }
            let comma = if items.len() == 1 { "," } else { "" };
            format!("({}{comma})", items.join(", "))
        }
        Value::String(s) if text(attr, "type") == "enum" => format!(":{s}"),
        other => other.to_string(),
    }
}

/// An attribute as the signature in help shows it.
pub fn shown(attr: &Value) -> String {
    let name = julia_name(text(attr, "name"));
    if attr.get("default").is_some() { format!("{name} = {}", default(attr)) } else { name }
}

/// What help says of an attribute.
pub fn about(attr: &Value) -> String {
    let values: Vec<String> =
        list(attr, "values").iter().map(|v| format!("`:{}`", v.as_str().unwrap_or_default())).collect();
    let values = if values.is_empty() { String::new() } else { format!(" One of {}.", values.join(", ")) };
    let line = format!("- `{}`: {}{values} {}", shown(attr), text(attr, "doc"), bounds(attr));
    item(line.trim_end())
}

/// An item of a list as lines, of which all but the first are indented.
pub fn item(line: &str) -> String {
    let joined = line.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
    let lines = wrapped(joined.trim_start_matches("- "), "  ");
    format!("- {}", lines.trim_start())
}

/// The help of something, in the quotes of a string.
pub fn quoted(help: &str) -> String {
    format!("\"\"\"\n{}\"\"\"\n", escaped(help))
}
