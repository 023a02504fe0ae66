//! Python's operators on symbols, from the schema: a function for each name, with its signature, help and types.
//!
//! They lie in the modules that the functions on arrays lie in. An alias is a function of its own, because symbols
//! without a name are named after the function that made them.

use super::text::{annotation, doc};
use super::{MODULES, Operator, place, python_name};
use crate::generate::File;
use crate::generate::schema::{MARKER, list, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

const FOLDER: &str = "bindings/python/python/mxr/symbol/_gen";

/// A module to be written.
#[derive(Default)]
struct Module {
    source: String,
    stub: String,
    names: Vec<String>,
    imports: Vec<String>,
    stub_imports: Vec<String>,
}

/// The generated files.
pub fn files(operators: &[Operator]) -> Vec<File> {
    let mut modules: BTreeMap<_, Module> =
        MODULES.iter().map(|(name, _)| (*name, Module::default())).collect();
    for op in operators {
        add(&mut modules, op.schema);
    }
    let mut files: Vec<File> = vec![(
        format!("{FOLDER}/__init__.py").into(),
        format!("# {MARKER}\n\"\"\"The operators' functions on symbols.\"\"\"\n"),
    )];
    for (name, about) in MODULES {
        let module = &modules[name];
        files.push((format!("{FOLDER}/{name}.py").into(), module.source_text(about)));
        files.push((format!("{FOLDER}/{name}.pyi").into(), module.stub_text()));
    }
    files
}

fn add(modules: &mut BTreeMap<&'static str, Module>, op: &Value) {
    let aliases = list(op, "aliases").iter().filter_map(Value::as_str);
    let places: Vec<_> = std::iter::once(text(op, "name")).chain(aliases).map(place).collect();
    let (home, name) = places.iter().find(|(m, _)| *m != "internal").unwrap_or(&places[0]).clone();
    let module = modules.get_mut(home).expect("every module is listed");
    module.source += &source(op, &name);
    module.stub += &stub(op, &name);
    module.names.push(name.clone());
    for (other, alias) in places.iter().filter(|p| **p != (home, name.clone())) {
        let module = modules.get_mut(other).expect("every module is listed");
        let mut original = name.clone();
        if *other == home {
            let _ = writeln!(module.stub, "{alias} = {name}");
        } else {
            original = format!("_{home}_{name}");
            module.imports.push(format!("from .{home} import {name} as {original}\n"));
            module.stub_imports.push(format!("from .{home} import {name} as {alias}\n"));
        }
        let _ = write!(module.source, "\n\n{alias} = _alias({original}, \"{alias}\")\n");
        module.names.push(alias.clone());
    }
}

impl Module {
    fn source_text(&self, about: &str) -> String {
        let mut names = self.names.clone();
        names.sort();
        let names: Vec<String> = names.iter().map(|n| format!("    \"{n}\",\n")).collect();
        let needed = if self.source.is_empty() {
            ""
        } else {
            "from ...base import _Null\nfrom .._compose import alias as _alias\n\
             from .._compose import call as _call\n"
        };
        format!(
            "# {MARKER}\n# ruff: noqa\n\"\"\"{about}\"\"\"\n\n{needed}{}\n__all__ = [\n{}]\n{}",
            self.imports.concat(),
            names.concat(),
            self.source
        )
    }

    fn stub_text(&self) -> String {
        format!(
            "# {MARKER}\n# ruff: noqa\nfrom typing import Any, Sequence\n\nfrom ..symbol import Symbol\n{}\n{}",
            self.stub_imports.concat(),
            self.stub
        )
    }
}

/// The parameters: inputs and attributes, none of which need be given.
fn parameters(op: &Value, typed: bool) -> String {
    let parameter = |name: &str, kind: &str, default: &str| {
        if typed { format!("{name}: {kind} = ...") } else { format!("{name}={default}") }
    };
    let mut parameters = Vec::new();
    for input in list(op, "inputs") {
        let name = python_name(text(input, "name"));
        match (input["variadic"] == true, typed) {
            (true, true) => parameters.push(format!("*{name}: Symbol | Sequence[Symbol]")),
            (true, false) => parameters.push(format!("*{name}")),
            _ => parameters.push(parameter(&name, "Symbol | None", "None")),
        }
    }
    for attr in list(op, "attrs") {
        parameters.push(parameter(&python_name(text(attr, "name")), &annotation(attr), "_Null"));
    }
    for (name, kind) in [("name", "str | None"), ("attr", "dict[str, str] | None"), ("out", "None")] {
        parameters.push(parameter(name, kind, "None"));
    }
    parameters.push(if typed { "**kwargs: Any".into() } else { "**kwargs".into() });
    parameters.join(", ")
}

fn source(op: &Value, name: &str) -> String {
    let pairs = |values: &[Value]| {
        let pair = |v: &Value| format!("(\"{0}\", {1})", text(v, "name"), python_name(text(v, "name")));
        let all: Vec<String> = values.iter().map(pair).collect();
        if all.len() == 1 { format!("({},)", all[0]) } else { format!("({})", all.join(", ")) }
    };
    let (variadic, single): (Vec<Value>, Vec<Value>) =
        list(op, "inputs").iter().cloned().partition(|i| i["variadic"] == true);
    let rest = variadic.first().map_or("()".to_owned(), |i| python_name(text(i, "name")));
    let help =
        doc(op).replace("NDArray", "Symbol").replace("        Where the result goes.", "        Unused.");
    format!(
        "\n\ndef {name}({}):\n{help}    return _call(\"{}\", \"{}\", {}, {rest}, {}, name, attr, kwargs)\n",
        parameters(op, false),
        text(op, "name"),
        name.to_lowercase(),
        pairs(&single),
        pairs(list(op, "attrs")),
    )
}

fn stub(op: &Value, name: &str) -> String {
    format!("def {name}({}) -> Symbol: ...\n", parameters(op, true))
}
