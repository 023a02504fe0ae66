//! What is made by name and attributes: a class for each, which extends that of its kind in registered.js.

use super::text::{comment, member};
use super::{FOLDER, attributes, head};
use crate::generate::File;
use crate::generate::schema::{MARKER, list, text};
use serde_json::Value;
use std::fmt::Write;

/// Kinds: their key in the schema, the class that they extend, and what its constructor takes besides attributes.
const KINDS: [(&str, &str, &str); 3] = [
    ("optimizers", "Optimizer", " & OptimizerOptions"),
    ("lr_schedulers", "LRScheduler", ""),
    ("initializers", "Initializer", ""),
];

/// The generated files.
pub fn files(schema: &Value) -> Vec<File> {
    vec![
        (format!("{FOLDER}/registered.js").into(), classes(schema)),
        (format!("{FOLDER}/registered.d.ts").into(), types(schema)),
    ]
}

fn classes(schema: &Value) -> String {
    let bases: Vec<&str> = KINDS.iter().map(|(_, base, _)| *base).collect();
    let mut out = head("What is made by name and attributes.");
    let _ = write!(
        out,
        "const {{ {} }} = require('../registered.js');\n\n\
         function described(Class, name, aliases, attributes) {{\n    \
         Object.assign(Class, {{ registeredName: name, aliases, attributes }});\n    return Class;\n}}\n\n\
         module.exports = {{\n",
        bases.join(", ")
    );
    for (key, base, _) in KINDS {
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
    out + "};\n"
}

fn types(schema: &Value) -> String {
    let bases: Vec<&str> = KINDS.iter().map(|(_, base, _)| *base).collect();
    let mut out = format!(
        "// {MARKER}\n\nimport type {{ Ints, OptimizerOptions }} from '../types';\nimport {{ {} }} from '../types';\n",
        bases.join(", ")
    );
    for (key, base, more) in KINDS {
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
