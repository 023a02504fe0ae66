//! What is made by name and attributes: a class for each, which extends that of its kind.

use super::text::{comment, member};
use super::{FOLDER, attributes, head};
use crate::generate::File;
use crate::generate::schema::{MARKER, list, text};
use serde_json::Value;
use std::fmt::Write;

/// Kinds: their key in the schema, the class that they extend, the file that has it, and what its constructor takes
/// besides attributes.
const KINDS: [(&str, &str, &str, &str); 6] = [
    ("optimizers", "Optimizer", "registered", " & OptimizerOptions"),
    ("lr_schedulers", "LRScheduler", "registered", ""),
    ("initializers", "Initializer", "registered", ""),
    ("metrics", "Metric", "metric", " & MetricOptions"),
    ("data_iters", "DataIter", "io", " & DataIterOptions"),
    ("callbacks", "Callback", "callback", ""),
];
/// Kinds of which only the attributes are needed.
const TABLES: [&str; 1] = ["gradient_compressions"];

/// The generated files.
pub fn files(schema: &Value) -> Vec<File> {
    vec![
        (format!("{FOLDER}/registered.js").into(), classes(schema)),
        (format!("{FOLDER}/registered.d.ts").into(), types(schema)),
    ]
}

fn classes(schema: &Value) -> String {
    let mut out = head("What is made by name and attributes.");
    for (_, base, file, _) in KINDS {
        let _ = writeln!(out, "const {{ {base} }} = require('../{file}.js');");
    }
    let _ = write!(
        out,
        "\n\
         function described(Class, name, aliases, attributes) {{\n    \
         Object.assign(Class, {{ registeredName: name, aliases, attributes }});\n    return Class;\n}}\n\n\
         module.exports = {{\n"
    );
    for (key, base, ..) in KINDS {
        let _ = writeln!(out, "    {key}: {{");
        for entry in list(schema, key) {
            let name = text(entry, "name");
            // The kind itself is the class that the others extend.
            let class =
                if name == base { base.to_owned() } else { format!("class {name} extends {base} {{}}") };
            let aliases: Vec<String> = list(entry, "aliases").iter().map(Value::to_string).collect();
            let _ = writeln!(
                out,
                "        {name}: described({class}, '{name}', [{}], {}),",
                aliases.join(", "),
                attributes(list(entry, "attrs"))
            );
        }
        out += "    },\n";
    }
    for key in TABLES {
        let one = |entry: &Value| format!("'{}': {}", text(entry, "name"), attributes(list(entry, "attrs")));
        let all: Vec<String> = list(schema, key).iter().map(one).collect();
        let _ = writeln!(out, "    {key}: {{ {} }},", all.join(", "));
    }
    out + "};\n"
}

fn types(schema: &Value) -> String {
    let bases: Vec<&str> = KINDS.iter().map(|(_, base, ..)| *base).collect();
    let mut out = format!(
        "// {MARKER}\n\n\
         import type {{ DType, DataIterOptions, Ints, MetricOptions, OptimizerOptions }} from '../types';\nimport {{ {} }} from '../types';\n",
        bases.join(", ")
    );
    for (key, base, _, more) in KINDS {
        let _ = write!(out, "\nexport namespace {key} {{\n");
        for entry in list(schema, key).iter().filter(|entry| text(entry, "name") != base) {
            let (name, attrs) = (text(entry, "name"), list(entry, "attrs"));
            let members: String = attrs.iter().map(member).collect::<String>().replace("    ", "        ");
            let required = attrs.iter().any(|attr| attr.get("default").is_none());
            let question = if required { "" } else { "?" };
            let _ = write!(
                out,
                "    /** What {name} takes. */\n    interface {name}Attrs {{\n{members}    }}\n{}    \
                 class {name} extends {base} {{\n        constructor(attrs{question}: {name}Attrs{more});\n    }}\n",
                comment(text(entry, "doc"), "    ")
            );
        }
        out += "}\n";
    }
    out
}
