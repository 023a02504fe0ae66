//! C++'s tables of what is found by name, and a function for each: optimizers, learning-rate schedules, initializers,
//! metrics, data iterators, callbacks.

use super::text::{cpp_name, enumeration, field, parameter};
use crate::generate::File;
use crate::generate::schema::{MARKER, list, text, wrapped};
use serde_json::Value;
use std::fmt::Write;

/// A kind of things that have functions.
struct Kind {
    key: &'static str,
    /// As MXNet's module.
    space: &'static str,
    class: &'static str,
    /// Whether the class takes attributes by id, not by name.
    by_id: bool,
}

const KINDS: [Kind; 6] = [
    Kind { key: "optimizers", space: "optimizer", class: "Optimizer", by_id: true },
    Kind { key: "lr_schedulers", space: "lr_scheduler", class: "LRScheduler", by_id: true },
    Kind { key: "initializers", space: "initializer", class: "Initializer", by_id: true },
    Kind { key: "metrics", space: "metric", class: "EvalMetric", by_id: false },
    Kind { key: "data_iters", space: "io", class: "DataIter", by_id: false },
    Kind { key: "callbacks", space: "callback", class: "Callback", by_id: false },
];

/// Kinds that have no functions of their own: they are made by name alone.
const BY_NAME: [&str; 1] = ["gradient_compressions"];

impl Kind {
    /// Parameters before the options and after them, with what the help says of each, and how they are passed.
    fn own_parameters(&self, entry: &Value) -> (Vec<Parameter>, Vec<Parameter>) {
        let arrays = || {
            vec![
                ("const DataArrays &data", "data Cut along the axis of the batch.", "data.arrays()"),
                ("const DataArrays &label = {}", "label Cut in the same way.", "label.arrays()"),
            ]
        };
        let iters =
            || vec![("const std::vector<DataIter> &iters", "iters What the batches come from.", "iters")];
        match (self.key, entry["takes"].as_str()) {
            ("optimizers", _) => {
                let about = "scheduler Says the learning rate by the number of updates.";
                (vec![], vec![("const mxr::LRScheduler &scheduler = {}", about, "scheduler")])
            }
            (_, Some("arrays")) => (arrays(), vec![]),
            (_, Some("iterators")) => (iters(), vec![]),
            _ => (vec![], vec![]),
        }
    }
}

/// A declaration, its help, and how it is passed on.
type Parameter = (&'static str, &'static str, &'static str);

/// The generated files.
pub fn files(schema: &Value, ops: &[&Value]) -> Vec<File> {
    vec![
        ("include/mxr/registered.hpp".into(), tables(schema, ops)),
        ("include/mxr/training.hpp".into(), classes(schema)),
    ]
}

/// Names, other names, versions and attributes.
fn tables(schema: &Value, ops: &[&Value]) -> String {
    let mut out = format!(
        "/// @file\n/// {MARKER}\n///\n/// What is found by name, with the ids of attributes.\n\
         #ifndef MXR_REGISTERED_HPP\n#define MXR_REGISTERED_HPP\n\n#include <cstdint>\n\nnamespace mxr {{\n\
         namespace detail {{\n\n/// An attribute.\nstruct RegisteredAttr {{\n    const char *name;\n    \
         uint32_t id;\n}};\n\n/// A thing: its name, its other names, its version, and its attributes. Lists end with \
         NULL.\nstruct Registered {{\n    const char *name;\n    const char *const *aliases;\n    \
         uint32_t breaking, revision;\n    const RegisteredAttr *attrs;\n}};\n\n"
    );
    table(&mut out, "operators", ops);
    for key in KINDS.map(|kind| kind.key).into_iter().chain(BY_NAME) {
        let things: Vec<&Value> = list(schema, key).iter().collect();
        table(&mut out, key, &things);
    }
    out + "} // namespace detail\n} // namespace mxr\n\n#endif\n"
}

fn table(out: &mut String, key: &str, things: &[&Value]) {
    let (mut lists, mut rows) = (String::new(), String::new());
    for (i, thing) in things.iter().enumerate() {
        let aliases: Vec<String> = list(thing, "aliases").iter().map(|a| format!("{a}, ")).collect();
        let attr = |a: &Value| format!("{{\"{}\", {}}}, ", text(a, "name"), a["id"]);
        let attrs: String = list(thing, "attrs").iter().map(attr).collect();
        let _ = write!(
            lists,
            "inline constexpr const char *{key}_aliases_{i}[] = {{{}nullptr}};\n\
             inline constexpr RegisteredAttr {key}_attrs_{i}[] = {{{attrs}{{nullptr, 0}}}};\n",
            aliases.concat()
        );
        let version = list(thing, "version");
        let number = |n: usize| version.get(n).map_or("0".to_owned(), Value::to_string);
        let _ = writeln!(
            rows,
            "    {{\"{}\", {key}_aliases_{i}, {}, {}, {key}_attrs_{i}}},",
            text(thing, "name"),
            number(0),
            number(1)
        );
    }
    let _ = write!(out, "{lists}inline constexpr Registered {key}[] = {{\n{rows}}};\n\n");
}

/// `include/mxr/training.hpp`.
fn classes(schema: &Value) -> String {
    let mut out = format!(
        "/// @file\n/// {MARKER}\n///\n/// Optimizers, learning-rate schedules, initializers, metrics, data iterators and \
         callbacks. A field that is not set means\n/// the library's default.\n#ifndef MXR_TRAINING_HPP\n\
         #define MXR_TRAINING_HPP\n\n#include \"callback.hpp\"\n#include \"data_iter.hpp\"\n\
         #include \"optimizer.hpp\"\n\nnamespace mxr {{\n\n"
    );
    for kind in KINDS {
        let _ = write!(out, "namespace {} {{\n\n", kind.space);
        list(schema, kind.key).iter().for_each(|entry| out += &maker(&kind, entry));
        let _ = write!(out, "}} // namespace {}\n\n", kind.space);
    }
    out + "} // namespace mxr\n\n#endif\n"
}

/// The options of a thing and the function that makes it.
fn maker(kind: &Kind, entry: &Value) -> String {
    let (name, attrs) = (text(entry, "name"), list(entry, "attrs"));
    let (optional, required): (Vec<&Value>, Vec<&Value>) =
        attrs.iter().partition(|a| a.get("default").is_some());
    let mut out = String::new();
    for attr in attrs.iter().filter(|a| text(a, "type") == "enum") {
        out += &enumeration(name, attr);
    }
    let (before, after) = kind.own_parameters(entry);
    let mut parameters: Vec<String> = before.iter().map(|(declared, ..)| (*declared).into()).collect();
    parameters.extend(required.iter().map(|attr| parameter(name, attr)));
    if !optional.is_empty() {
        let _ = write!(out, "/// What need not be given to {name}.\nstruct {name}Options {{\n");
        optional.iter().for_each(|attr| out += &field(name, attr));
        out += "};\n\n";
        parameters.push(format!("const {name}Options &options = {{}}"));
    }
    parameters.extend(after.iter().map(|(declared, ..)| (*declared).into()));
    out += &help(entry, &required, &before, &after);
    let _ = writeln!(out, "inline mxr::{} {name}({}) {{", kind.class, parameters.join(", "));
    out + &body(kind, entry, &before, &after) + "}\n\n"
}

fn help(entry: &Value, required: &[&Value], before: &[Parameter], after: &[Parameter]) -> String {
    let mut out = wrapped(text(entry, "doc"), "/// ");
    let mut tell = |about: &str| out += &wrapped(&format!("@param {about}"), "/// ");
    before.iter().for_each(|(_, about, _)| tell(about));
    for attr in required {
        tell(&format!("{} {}", cpp_name(text(attr, "name")), text(attr, "doc")));
    }
    after.iter().for_each(|(_, about, _)| tell(about));
    out
}

/// Takes in the attributes and makes the thing.
fn body(kind: &Kind, entry: &Value, before: &[Parameter], after: &[Parameter]) -> String {
    let (name, attrs) = (text(entry, "name"), list(entry, "attrs"));
    let holder = if kind.by_id { format!("Values<{}>", attrs.len()) } else { "NamedValues".into() };
    let mut out = format!("    mxr::detail::{holder} attrs;\n");
    for attr in attrs {
        let field = cpp_name(text(attr, "name"));
        let value = if attr.get("default").is_some() { format!("options.{field}") } else { field };
        let _ = writeln!(out, "    attrs.add({}, \"{}\", {value});", attr["id"], text(attr, "name"));
    }
    let mut arguments = vec![format!("\"{name}\"")];
    arguments.extend(before.iter().map(|(_, _, passed)| (*passed).into()));
    arguments.push(if kind.by_id { "attrs.data(), attrs.size()" } else { "attrs.values()" }.into());
    arguments.extend(after.iter().map(|(_, _, passed)| (*passed).into()));
    let _ = writeln!(out, "    return mxr::{}({});", kind.class, arguments.join(", "));
    out
}
