//! Java's optimizers, learning-rate schedules, initializers and whatever else is registered: a class of functions for
//! each kind, and `registry.txt`, by which things are found by name.

use super::ops::one_options;
use super::text::{doc, java_name, parameter, put};
use crate::generate::File;
use crate::generate::schema::{MARKER, camel, list, text};
use serde_json::Value;
use std::fmt::Write;

/// Kinds: their key in the schema, the class of their functions, what these make, the base of options and what the
/// constructor is given after the attributes. Stores have no attributes: they are made by name alone.
const KINDS: [(&str, &str, &str, &str, &str); 6] = [
    ("optimizers", "Optimizers", "Optimizer", "ScheduledOptions", ", o.scheduler"),
    ("lr_schedulers", "LRSchedulers", "LRScheduler", "AttrOptions", ""),
    ("initializers", "Initializers", "Initializer", "AttrOptions", ""),
    ("metrics", "Metrics", "Metric", "AttrOptions", ""),
    ("data_iters", "DataIters", "DataIter", "SourceOptions", ", o"),
    ("callbacks", "Callbacks", "Callback", "AttrOptions", ""),
];

/// The generated files.
pub fn files(schema: &Value, ops: &[&Value]) -> Vec<File> {
    let mut files: Vec<File> = vec![];
    for (key, holder, product, base, more) in KINDS {
        let path = format!("bindings/jvm/src/main/java/io/mxr/{holder}.java");
        files.push((path.into(), class(list(schema, key), holder, product, base, more)));
    }
    files.push(("bindings/jvm/src/main/resources/io/mxr/registry.txt".into(), registry(schema, ops)));
    files
}

fn class(things: &[Value], holder: &str, product: &str, base: &str, more: &str) -> String {
    let mut out = format!(
        "// {MARKER}\npackage io.mxr;\n\nimport java.util.function.Consumer;\n\n/** A function for each {{@link {product}}}. What \
         is not set means the library's default. */\npublic final class {holder} {{\n    private {holder}() {{}}\n\n"
    );
    for thing in things {
        out += &one(thing, product, base, more);
    }
    out.trim_end().to_owned() + "\n}\n"
}

/// The function that makes a thing, and its options.
fn one(thing: &Value, product: &str, base: &str, more: &str) -> String {
    let class = text(thing, "name");
    let name = java_name(class);
    let required: Vec<&Value> = list(thing, "attrs").iter().filter(|a| a.get("default").is_none()).collect();
    let mut parameters: Vec<String> = required.iter().map(|attr| parameter(attr)).collect();
    let mut passed: Vec<String> = required.iter().map(|attr| java_name(text(attr, "name"))).collect();
    passed.push("o -> {}".into());
    let mut out = format!(
        "    /** {class} with the defaults of what need not be given. */\n    public static {product} {name}({}) {{\n        \
         return {name}({});\n    }}\n\n",
        parameters.join(", "),
        passed.join(", ")
    );
    let options = format!("{}Options", camel(class));
    parameters.push(format!("Consumer<{options}> options"));
    let _ = write!(
        out,
        "{}    public static {product} {name}({}) {{\n        {options} o = new {options}();\n        options.accept(o);\n",
        doc(thing, true),
        parameters.join(", ")
    );
    for attr in required {
        let _ = writeln!(out, "        {}", put("o.attrs", attr));
    }
    let _ = write!(out, "        return new {product}(\"{class}\", o.attrs{more});\n    }}\n\n");
    out + &one_options(&options, base, class, list(thing, "attrs"))
}

/// One line for each thing: kind, name, other names, version, inputs, `many` or `one` result, attributes with numbers.
fn registry(schema: &Value, ops: &[&Value]) -> String {
    let mut out = format!("# {MARKER}\n");
    ops.iter().for_each(|op| line(&mut out, "operators", op));
    for (key, entries) in schema.as_object().into_iter().flatten().filter(|(key, _)| *key != "operators") {
        let things = entries.as_array().into_iter().flatten().filter(|thing| thing["name"].is_string());
        things.for_each(|thing| line(&mut out, key, thing));
    }
    out
}

fn line(out: &mut String, kind: &str, thing: &Value) {
    let aliases: Vec<&str> = list(thing, "aliases").iter().filter_map(Value::as_str).collect();
    let version: Vec<String> = list(thing, "version").iter().map(Value::to_string).collect();
    let input = |i: &Value| {
        let mark = if i["optional"] == true { "?" } else { "" };
        text(i, "name").to_owned() + mark + if i["variadic"] == true { "*" } else { "" }
    };
    let (rest, single): (Vec<_>, Vec<_>) = list(thing, "inputs").iter().partition(|i| i["variadic"] == true);
    let inputs: Vec<String> = single.into_iter().chain(rest).map(input).collect();
    let results = if thing["outputs_vary"] == true { "many" } else { "one" };
    let fields = [
        kind.to_owned(),
        text(thing, "name").to_owned(),
        aliases.join(","),
        version.join("."),
        inputs.join(","),
        results.to_owned(),
    ];
    let attrs = list(thing, "attrs").iter().map(|a| format!("{}:{}", text(a, "name"), a["id"]));
    let all: Vec<String> = fields.into_iter().chain(attrs).collect();
    let _ = writeln!(out, "{}", all.join("\t"));
}
