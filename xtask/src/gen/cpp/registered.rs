//! C++'s tables of what is found by name, and its optimizers, learning-rate schedules and initializers.

use super::text::{cpp_name, enumeration, field, parameter};
use crate::generate::File;
use crate::generate::schema::{MARKER, list, text, wrapped};
use serde_json::Value;
use std::fmt::Write;

/// Kinds of things: their key in the schema, their namespace and their class.
const KINDS: [(&str, &str, &str); 3] = [
    ("optimizers", "optimizer", "Optimizer"),
    ("lr_schedulers", "lr_scheduler", "LRScheduler"),
    ("initializers", "initializer", "Initializer"),
];

/// Kinds that have no functions of their own: they are made by name alone.
const BY_NAME: [&str; 4] = ["metrics", "data_iters", "callbacks", "gradient_compressions"];

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
    for key in KINDS.map(|(key, ..)| key).into_iter().chain(BY_NAME) {
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
        "/// @file\n/// {MARKER}\n///\n/// Optimizers, learning-rate schedules and initializers. A field that is not \
         set means the library's default.\n#ifndef MXR_TRAINING_HPP\n#define MXR_TRAINING_HPP\n\n\
         #include \"optimizer.hpp\"\n\nnamespace mxr {{\n\n"
    );
    for (key, space, class) in KINDS {
        let _ = write!(out, "namespace {space} {{\n\n");
        list(schema, key).iter().for_each(|entry| out += &maker(class, entry));
        let _ = write!(out, "}} // namespace {space}\n\n");
    }
    out + "} // namespace mxr\n\n#endif\n"
}

/// The options of a thing and the function that makes it.
fn maker(class: &str, entry: &Value) -> String {
    let (name, attrs) = (text(entry, "name"), list(entry, "attrs"));
    let mut out = String::new();
    for attr in attrs.iter().filter(|a| text(a, "type") == "enum") {
        out += &enumeration(name, attr);
    }
    let optional: Vec<&Value> = attrs.iter().filter(|a| a.get("default").is_some()).collect();
    let required = attrs.iter().filter(|a| a.get("default").is_none());
    let mut parameters: Vec<String> = required.map(|attr| parameter(name, attr)).collect();
    if !optional.is_empty() {
        let _ = write!(out, "/// What need not be given to {name}.\nstruct {name}Options {{\n");
        optional.iter().for_each(|attr| out += &field(name, attr));
        out += "};\n\n";
        parameters.push(format!("const {name}Options &options = {{}}"));
    }
    let schedule = class == "Optimizer";
    if schedule {
        parameters.push("const mxr::LRScheduler &scheduler = {}".into());
    }
    out += &wrapped(text(entry, "doc"), "/// ");
    for attr in attrs.iter().filter(|a| a.get("default").is_none()) {
        let about = format!("@param {} {}", cpp_name(text(attr, "name")), text(attr, "doc"));
        out += &wrapped(&about, "/// ");
    }
    if schedule {
        out += "/// @param scheduler Says the learning rate by the number of updates.\n";
    }
    let _ = write!(
        out,
        "inline mxr::{class} {name}({}) {{\n    mxr::detail::Values<{}> attrs;\n",
        parameters.join(", "),
        attrs.len()
    );
    for attr in attrs {
        let field = cpp_name(text(attr, "name"));
        let value = if attr.get("default").is_some() { format!("options.{field}") } else { field };
        let _ = writeln!(out, "    attrs.add({}, \"{}\", {value});", attr["id"], text(attr, "name"));
    }
    let more = if schedule { ", scheduler" } else { "" };
    let _ = write!(out, "    return mxr::{class}(\"{name}\", attrs.data(), attrs.size(){more});\n}}\n\n");
    out
}
