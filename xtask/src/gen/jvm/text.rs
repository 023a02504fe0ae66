//! What the schema says in Java's words: names, types and help.

use crate::generate::schema::{bounds, camel, list, text, wrapped};
use serde_json::Value;

/// A name of MXNet's as Java has it: `num_filter` as `numFilter`. It may be a word of Java's.
pub fn java_name(name: &str) -> String {
    const WORDS: [&str; 11] = [
        "default", "int", "float", "double", "boolean", "switch", "final", "long", "options", "short", "byte",
    ];
    let name = camel(name);
    // Capitals that belong together: `RMSProp` is `rmsProp`.
    let capitals = name.chars().take_while(char::is_ascii_uppercase).count();
    let whole = name.len() == capitals || name[capitals..].starts_with(|c: char| c.is_ascii_digit());
    let lower = if whole { capitals } else { capitals.saturating_sub(1).max(1) };
    let name = name[..lower].to_lowercase() + &name[lower..];
    if WORDS.contains(&name.as_str()) { name + "_" } else { name }
}

/// How the value of an attribute comes as what must be given, as what need not, and the method of `Attrs` that takes
/// it.
fn types(attr: &Value) -> (&'static str, &'static str, &'static str) {
    match text(attr, "type") {
        "bool" => ("boolean", "boolean", "bool"),
        "int" => ("long", "long", "integer"),
        "float" => ("double", "double", "number"),
        "shape" => ("Shape", "long...", "ints"),
        "optional ints" => ("long[]", "long...", "ints"),
        "floats" => ("double[]", "double...", "numbers"),
        "strings" => ("String[]", "String...", "texts"),
        "dtype" => ("DType", "DType", "dtype"),
        _ => ("String", "String", "text"),
    }
}

/// An attribute that must be given as a parameter.
pub fn parameter(attr: &Value) -> String {
    format!("{} {}", types(attr).0, java_name(text(attr, "name")))
}

/// Gives a value to `Attrs`.
pub fn put(attrs: &str, attr: &Value) -> String {
    let name = text(attr, "name");
    format!("{attrs}.{}({}, \"{name}\", {});", types(attr).2, attr["id"], java_name(name))
}

/// An attribute as a method of options.
pub fn setter(class: &str, attr: &Value) -> String {
    let name = java_name(text(attr, "name"));
    let about = format!("{} {}{}{}", text(attr, "doc"), bounds(attr), values(attr), default(attr));
    let about = doc_lines(&about, "         * ");
    let mut out = format!(
        "        /**\n{about}         */\n        public {class} {name}({} {name}) {{\n            {}\n            \
         return this;\n        }}\n\n",
        types(attr).1,
        put("attrs", attr)
    );
    let primitive = matches!(text(attr, "type"), "bool" | "int" | "float");
    if attr["optional"] == true && primitive {
        out += &format!(
            "        /** No {{@link #{name}}}. */\n        public {class} {name}None() {{\n            \
             attrs.none({}, \"{}\");\n            return this;\n        }}\n\n",
            attr["id"],
            text(attr, "name")
        );
    }
    out
}

fn values(attr: &Value) -> String {
    let all: Vec<&str> = list(attr, "values").iter().filter_map(Value::as_str).collect();
    if all.is_empty() { String::new() } else { format!("One of {}. ", all.join(", ")) }
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

/// Text as lines of a Javadoc comment, with code in backquotes.
pub fn doc_lines(about: &str, prefix: &str) -> String {
    let plain = about.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("*/", "*&#47;");
    let plain =
        plain.replace('@', "&#64;").replace("&#64;param ", "@param ").replace("&#64;return ", "@return ");
    let mut out = String::new();
    for (i, part) in plain.split('`').enumerate() {
        out += match i {
            0 => "",
            _ if i % 2 == 1 => "<code>",
            _ => "</code>",
        };
        out += part;
    }
    wrapped(&out, prefix)
}

/// The help of an operator's functions.
pub fn doc(op: &Value, options: bool) -> String {
    let mut about = text(op, "doc").to_owned() + "\n\n";
    for input in list(op, "inputs") {
        let lacks = if input["optional"] == true { " May be null." } else { "" };
        let changed = if input["mutated"] == true { " Changed by the call." } else { "" };
        about +=
            &format!("@param {} {}{lacks}{changed}\n\n", java_name(text(input, "name")), text(input, "doc"));
    }
    for attr in list(op, "attrs").iter().filter(|a| a.get("default").is_none()) {
        let more = bounds(attr) + &values(attr);
        let name = java_name(text(attr, "name"));
        about += &format!("@param {name} {} {more}\n\n", text(attr, "doc"));
    }
    if options {
        about += "@param options Sets what need not be given.\n";
    }
    let lines = doc_lines(about.trim_end(), "     * ");
    // Parameters follow each other, after one empty line.
    let mut out = String::from("    /**\n");
    let mut params = false;
    for line in lines.lines() {
        let is_param = line.starts_with("     * @param");
        if params && !is_param && line.trim() == "*" {
            continue;
        }
        params |= is_param;
        out += line;
        out.push('\n');
    }
    out + "     */\n"
}
