//! What is registered beside operators: a constructor for each, by one mechanism for all kinds.

use super::text::{about, julia_name, order, quoted, shown};
use crate::generate::schema::{list, text, wrapped};
use serde_json::Value;
use std::fmt::Write;

/// A kind of things: their key in the schema, the type of the objects, what is put around their names, and what a
/// constructor takes besides attributes.
struct Kind {
    key: &'static str,
    object: &'static str,
    prefix: &'static str,
    suffix: &'static str,
    more: &'static [(&'static str, &'static str)],
    /// The object keeps what it was made with.
    keeps: bool,
}

impl Kind {
    const fn new(key: &'static str, object: &'static str) -> Kind {
        Kind { key, object, prefix: "", suffix: "", more: &[], keeps: false }
    }
}

/// Stores have no attributes and are made by name alone.
const KINDS: [Kind; 7] = [
    Kind {
        more: &[("lr_scheduler", "says the learning rate by the number of updates.")],
        ..Kind::new("optimizers", "Optimizer")
    },
    Kind::new("lr_schedulers", "LRScheduler"),
    Kind { suffix: "Initializer", ..Kind::new("initializers", "Initializer") },
    Kind::new("metrics", "Metric"),
    Kind::new("data_iters", "DataIter"),
    Kind { prefix: "compression_", ..Kind::new("gradient_compressions", "Compression") },
    Kind { keeps: true, ..Kind::new("callbacks", "Callback") },
];

/// What an iterator reads from: its parameters, and how they are handed on.
fn source(entry: &Value) -> (&'static str, &'static str) {
    match text(entry, "takes") {
        "arrays" => ("data, label = nothing", ", data, label"),
        "iterators" => ("iters::MXR.DataIter...", ", nothing, nothing, iters"),
        _ => ("", ""),
    }
}

/// The file.
pub fn file(schema: &Value) -> String {
    let mut out = super::head("Optimizers, learning-rate schedules, initializers.");
    for kind in &KINDS {
        list(schema, kind.key).iter().for_each(|entry| out += &constructor(kind, entry));
    }
    out.trim_end().to_owned() + "\n"
}

fn constructor(kind: &Kind, entry: &Value) -> String {
    let (name, attrs) = (text(entry, "name"), list(entry, "attrs"));
    // The kind itself, of which the entry is the plainest, has a constructor by name.
    let function = if name == kind.object {
        format!("Plain{name}")
    } else {
        kind.prefix.to_owned() + name + kind.suffix
    };
    let (mut lists, mut given, mut kept) = (String::new(), vec![], vec![]);
    for attr in attrs {
        let attr_name = julia_name(text(attr, "name"));
        if let Some(order) = order(name, attr) {
            let _ = writeln!(lists, "    {attr_name} = {order}({attr_name})");
        }
        given.push(format!("MXR.attr({}, {attr_name})", attr["id"]));
        kept.push(attr_name);
    }
    let keyword = |attr: &Value| {
        let name = julia_name(text(attr, "name"));
        if attr.get("default").is_some() { format!("{name} = MXR.absent") } else { name }
    };
    let mut keywords: Vec<String> = attrs.iter().map(keyword).collect();
    keywords.extend(kind.more.iter().map(|(name, _)| format!("{name} = nothing")));
    let comma = if given.len() == 1 { "," } else { "" };
    let (parameters, handed) = source(entry);
    let mut more: String = kind.more.iter().map(|(name, _)| format!(", {name}")).collect();
    more += handed;
    if kind.keeps {
        let pairs: String = kept.iter().map(|name| format!("{name} = {name}, ")).collect();
        let _ = write!(more, ", (; {})", pairs.trim_end_matches(", "));
    }
    let preserve = if kept.is_empty() { String::new() } else { format!("GC.@preserve {} ", kept.join(" ")) };
    let mut out = quoted(&help(kind, &function, entry));
    let _ = write!(
        out,
        "function {function}({parameters}; {})\n{lists}    {preserve}MXR.create(\n        MXR.{}, \"{name}\", ({}{comma}){more})\nend\n",
        keywords.join(", "),
        kind.object,
        given.join(", "),
    );
    let names = std::iter::once(name).chain(list(entry, "aliases").iter().filter_map(Value::as_str));
    for name in names {
        let _ =
            writeln!(out, "MXR.REGISTERED[MXR.{}, \"{}\"] = {function}", kind.object, name.to_lowercase());
    }
    out + "\n"
}

fn help(kind: &Kind, function: &str, entry: &Value) -> String {
    let attrs = list(entry, "attrs");
    let mut keywords: Vec<String> = attrs.iter().filter(|a| a.get("default").is_none()).map(shown).collect();
    if attrs.iter().any(|a| a.get("default").is_some()) {
        keywords.push("keywords...".into());
    }
    let mut out = format!("    {function}({}; {})\n\n", source(entry).0, keywords.join(", "));
    out += &wrapped(text(entry, "doc"), "");
    out += "\n# Keywords\n";
    attrs.iter().for_each(|attr| out += &about(attr));
    for (name, doc) in kind.more {
        let _ = writeln!(out, "- `{name} = nothing`: {doc}");
    }
    out
}
