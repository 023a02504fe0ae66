//! What the schema says in Python's words: literals, types and help.

use crate::generate::schema::{list, text};
use serde_json::Value;
use std::fmt::Write;

/// Lines of help are at most this long.
const WIDTH: usize = 88;

/// The default of an attribute.
pub fn literal(attr: &Value) -> String {
    value(&attr["default"])
}

fn value(v: &Value) -> String {
    match v {
        Value::Null => "None".into(),
        Value::Bool(b) => if *b { "True" } else { "False" }.into(),
        Value::String(s) => format!("'{}'", s.replace('\\', "\\\\").replace('\'', "\\'")),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(value).collect();
            let comma = if items.len() == 1 { "," } else { "" };
            format!("({}{comma})", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// The type of an attribute's parameter.
pub fn annotation(attr: &Value) -> String {
    let kind = match text(attr, "type") {
        "bool" => "bool",
        "int" => "int",
        "float" => "float",
        "shape" => "int | Sequence[int]",
        "optional ints" => "int | None | Sequence[int | None]",
        "floats" => "float | Sequence[float]",
        "strings" => "str | Sequence[str]",
        "string" | "enum" => "str",
        _ => "Any",
    };
    let optional = attr["optional"] == true || attr["default"].is_null() && attr.get("default").is_some();
    if optional && !kind.contains("None") { format!("{kind} | None") } else { kind.to_owned() }
}

/// The type of an attribute in words.
fn words(attr: &Value) -> String {
    let mut words = match text(attr, "type") {
        "shape" => "int or tuple of int".to_owned(),
        "optional ints" => "tuple of int or None".to_owned(),
        "floats" => "tuple of float".to_owned(),
        "strings" => "tuple of str".to_owned(),
        "string" => "str".to_owned(),
        "enum" => {
            let names: Vec<String> = list(attr, "values").iter().map(value).collect();
            format!("{{{}}}", names.join(", "))
        }
        other => other.to_owned(),
    };
    match attr.get("default") {
        None => words += ", required",
        Some(Value::Null) => words += ", optional",
        Some(default) => {
            let _ = write!(words, ", optional, default={}", value(default));
        }
    }
    if let [low, high] = list(attr, "bounds") {
        let _ = match (low.as_f64(), high.as_f64()) {
            (Some(low), Some(high)) => write!(words, ", from {low} to {high}"),
            (Some(low), None) => write!(words, ", at least {low}"),
            (None, Some(high)) => write!(words, ", at most {high}"),
            (None, None) => Ok(()),
        };
    }
    words
}

/// The paragraphs of a text: lines that follow each other are one, but for what is indented, a list or a table.
fn paragraphs(text: &str) -> Vec<String> {
    let stays = |line: &str| line.is_empty() || line.starts_with([' ', '|', '-', '*']);
    let mut out: Vec<String> = vec![];
    let mut open = false;
    for line in text.split('\n') {
        match out.last_mut().filter(|_| open && !stays(line)) {
            Some(paragraph) => {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            None => out.push(line.to_owned()),
        }
        open = !stays(line);
    }
    out
}

/// Text in lines of the width of help, each after an indentation.
fn wrapped(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut out = String::new();
    for paragraph in paragraphs(text) {
        if paragraph.starts_with([' ', '|', '-', '*']) || paragraph.is_empty() {
            let line = format!("{pad}{paragraph}");
            let _ = writeln!(out, "{}", line.trim_end());
            continue;
        }
        let mut line = pad.clone();
        for word in paragraph.split_whitespace() {
            if line.len() + word.len() >= WIDTH && line.len() > indent {
                let _ = writeln!(out, "{line}");
                line = pad.clone();
            }
            if line.len() > indent {
                line.push(' ');
            }
            line += word;
        }
        let _ = writeln!(out, "{line}");
    }
    out
}

/// The help of an operator's function.
pub fn doc(op: &Value) -> String {
    let mut body = wrapped(text(op, "doc"), 4);
    let mut parameters = String::new();
    for input in list(op, "inputs") {
        let (name, mut kind) = (text(input, "name"), "NDArray".to_owned());
        let flags = [("variadic", "s"), ("optional", ", optional"), ("mutated", ", changed by the call")];
        flags.iter().filter(|(flag, _)| input[*flag] == true).for_each(|(_, word)| kind += word);
        let _ = writeln!(parameters, "    {name} : {kind}");
        parameters += &wrapped(text(input, "doc"), 8);
    }
    parameters += &attributes(list(op, "attrs"));
    let _ = write!(
        body,
        "\n    Parameters\n    ----------\n{parameters}    out : NDArray, optional\n        Where the result goes.\n\n    \
         Returns\n    -------\n"
    );
    for output in list(op, "outputs") {
        let _ = writeln!(body, "    {} : NDArray", output.as_str().unwrap_or("output"));
    }
    quoted(&body)
}

/// A parameter that is no attribute: name, type, help.
pub type More<'a> = (&'a str, &'a str, &'a str);

/// The help of a class: what it is, and its attributes with parameters before and after them.
pub fn parameters(about: &str, before: &[More], attrs: &[Value], after: &[More]) -> String {
    let more = |(name, kind, doc): &More| {
        format!("    {name} : {}\n{}", kind.replace(" | None", ", optional"), wrapped(doc, 8))
    };
    let before: String = before.iter().map(more).collect();
    let after: String = after.iter().map(more).collect();
    let all = before + &attributes(attrs) + &after;
    let head = if all.is_empty() { "" } else { "\n    Parameters\n    ----------\n" };
    quoted(&format!("{}{head}{all}", wrapped(about, 4)))
}

/// The attributes' names, types and help.
fn attributes(attrs: &[Value]) -> String {
    let mut out = String::new();
    for attr in attrs {
        let _ = writeln!(out, "    {} : {}", text(attr, "name"), words(attr));
        out += &wrapped(text(attr, "doc"), 8);
    }
    out
}

/// Help as a Python text.
fn quoted(body: &str) -> String {
    let raw = if body.contains('\\') { "r" } else { "" };
    format!("    {raw}\"\"\"{}    \"\"\"\n", body.trim_start().replace("\"\"\"", "'''"))
}
