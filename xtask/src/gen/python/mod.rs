//! Python's operators, from the schema: a function for each, with its signature, help and types, and the table by
//! which the extension module calls them.
//!
//! Functions go to modules as MXNet's do: `_contrib_x` is `mx.nd.contrib.x`, other names that begin with `_` are in
//! `mx.nd._internal`, the rest in `mx.nd`. An operator with several names has one function, under its first public
//! name, which the other names share.

mod registered;
mod symbol;
mod text;

use self::text::{annotation, doc, literal};
use super::File;
use super::schema::{MARKER, list, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Which operators are methods of arrays.
const METHODS: &str = include_str!("../../../data/python_methods.json");
const FOLDER: &str = "bindings/python/python/mxr/ndarray/_gen";
pub(super) const MODULES: [(&str, &str); 7] = [
    ("op", "Operators."),
    ("internal", "Operators that other functions are made of."),
    ("contrib", "Operators that MXNet calls contributed."),
    ("linalg", "Linear algebra."),
    ("sparse", "Operators on arrays with few elements that are not zero."),
    ("image", "Operators on images."),
    ("random", "Random numbers like those of another array."),
];

/// An operator of the schema, with its number in the extension's table.
pub(super) struct Operator<'a> {
    index: usize,
    pub(super) schema: &'a Value,
}

/// The generated files of the Python package.
pub fn files(schema: &Value) -> Vec<File> {
    let all = schema["operators"].as_array().map_or(&[][..], Vec::as_slice);
    let public = all.iter().filter(|op| op["internal"] != true);
    let operators: Vec<Operator> =
        public.enumerate().map(|(index, schema)| Operator { index, schema }).collect();
    let digest = digest(&operators);
    let modules = modules(&operators);
    let mut files = vec![
        ("bindings/python/src/ops.rs".into(), table(&operators, &digest)),
        (format!("{FOLDER}/__init__.py").into(), package(&digest)),
    ];
    files.extend(methods(&operators));
    files.extend(symbol::files(&operators));
    files.extend(registered::files(schema));
    for (name, about) in MODULES {
        let module = &modules[name];
        files.push((format!("{FOLDER}/{name}.py").into(), module.source(about)));
        files.push((format!("{FOLDER}/{name}.pyi").into(), module.stub()));
    }
    files
}

/// What tells one state of the schema from another, so that functions and table are of the same.
fn digest(operators: &[Operator]) -> String {
    crate::fnv::checksum(operators.iter().flat_map(|op| op.schema.to_string().into_bytes()))
}

fn package(digest: &str) -> String {
    format!(
        "# {MARKER}\n\"\"\"The operators' functions.\"\"\"\n\n\
         # The extension module must have been made from the same schema.\nSCHEMA = \"{digest}\"\n"
    )
}

/// The module and the name in it that an operator's name leads to.
pub(super) fn place(name: &str) -> (&'static str, String) {
    let (module, name) = super::schema::place(name);
    (module, python_name(name))
}

/// The name, which may be a word of Python's.
pub(super) fn python_name(name: &str) -> String {
    const WORDS: [&str; 10] = ["lambda", "from", "is", "in", "not", "and", "or", "if", "for", "with"];
    if WORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// A module to be written: functions, and names for functions of other modules.
#[derive(Default)]
struct Module {
    source: String,
    stub: String,
    imports: BTreeMap<&'static str, Vec<(String, String)>>,
    names: Vec<String>,
}

fn modules(operators: &[Operator]) -> BTreeMap<&'static str, Module> {
    let mut modules: BTreeMap<_, Module> =
        MODULES.iter().map(|(name, _)| (*name, Module::default())).collect();
    for op in operators {
        let aliases = list(op.schema, "aliases").iter().filter_map(Value::as_str);
        let places: Vec<_> = std::iter::once(text(op.schema, "name")).chain(aliases).map(place).collect();
        let (home, name) = places.iter().find(|(m, _)| *m != "internal").unwrap_or(&places[0]).clone();
        let function = Function { op, name: &name };
        let module = modules.get_mut(home).expect("every module is listed");
        module.source += &function.source();
        module.stub += &function.stub();
        module.names.push(name.clone());
        for (other, alias) in places.iter().filter(|p| **p != (home, name.clone())) {
            let module = modules.get_mut(other).expect("every module is listed");
            if *other == home {
                let _ = write!(module.source, "\n\n{alias} = {name}\n");
                let _ = writeln!(module.stub, "{alias} = {name}");
            } else {
                module.imports.entry(home).or_default().push((name.clone(), alias.clone()));
            }
            module.names.push(alias.clone());
        }
    }
    modules
}

impl Module {
    fn imports(&self) -> String {
        let mut text = String::new();
        for (module, names) in &self.imports {
            for (name, alias) in names {
                let _ = writeln!(text, "from .{module} import {name} as {alias}");
            }
        }
        text
    }

    fn source(&self, about: &str) -> String {
        let mut names = self.names.clone();
        names.sort();
        let names: Vec<String> = names.iter().map(|n| format!("    \"{n}\",\n")).collect();
        let needed = if self.source.is_empty() {
            ""
        } else {
            "from ..._core import invoke as _invoke\nfrom ..._core import operator as _operator\n\
             from ...base import _Null\n"
        };
        format!(
            "# {MARKER}\n# ruff: noqa\n\"\"\"{about}\"\"\"\n\n{needed}{}\n__all__ = [\n{}]\n{}",
            self.imports(),
            names.concat(),
            self.source
        )
    }

    fn stub(&self) -> String {
        format!(
            "# {MARKER}\n# ruff: noqa\nfrom typing import Any, Sequence\n\nfrom ..ndarray import NDArray\n{}\n{}",
            self.imports(),
            self.stub
        )
    }
}

/// The function of an operator.
struct Function<'a> {
    op: &'a Operator<'a>,
    name: &'a str,
}

impl Function<'_> {
    fn inputs(&self) -> &[Value] {
        list(self.op.schema, "inputs")
    }

    fn attrs(&self) -> &[Value] {
        list(self.op.schema, "attrs")
    }

    fn variadic(&self) -> bool {
        self.inputs().iter().any(|i| i["variadic"] == true)
    }

    /// The parameters. What comes after one with a default must have one: `_Null` stands for a missing value.
    fn parameters(&self, stub: bool) -> Vec<String> {
        let typed = |name: &str, kind: &str| if stub { format!("{name}: {kind}") } else { name.to_owned() };
        let equals = |default: &str| if stub { format!(" = {default}") } else { format!("={default}") };
        let mut parameters = Vec::new();
        let mut defaults = false;
        for input in self.inputs() {
            let name = python_name(text(input, "name"));
            if input["variadic"] == true {
                parameters.push(typed(&format!("*{name}"), "NDArray | Sequence[NDArray]"));
                continue;
            }
            defaults |= input["optional"] == true;
            let parameter = typed(&name, if defaults { "NDArray | None" } else { "NDArray" });
            parameters.push(if defaults { parameter + &equals("None") } else { parameter });
        }
        for attr in self.attrs() {
            let parameter = typed(&python_name(text(attr, "name")), &annotation(attr));
            let required = attr.get("default").is_none();
            if required && (!defaults || self.variadic()) {
                parameters.push(parameter);
                continue;
            }
            defaults = true;
            let default = if required { if stub { "..." } else { "_Null" }.into() } else { literal(attr) };
            parameters.push(parameter + &equals(&default));
        }
        parameters.push(typed("out", "NDArray | Sequence[NDArray] | None") + &equals("None"));
        parameters.push(typed("name", "str | None") + &equals("None"));
        parameters.push(typed("**kwargs", "Any"));
        parameters
    }

    fn source(&self) -> String {
        let tuple = |values: &[Value], variadic: bool| {
            let name = |v: &Value| {
                let star = if variadic && v["variadic"] == true { "*" } else { "" };
                format!("{star}{}", python_name(text(v, "name")))
            };
            let names: Vec<String> = values.iter().map(name).collect();
            if names.len() == 1 { format!("({},)", names[0]) } else { format!("({})", names.join(", ")) }
        };
        let (name, index) = (self.name, self.op.index);
        format!(
            "\n\ndef {name}({}):\n{}    return _invoke({index}, {}, {}, out, kwargs)\n\n\n_operator({index}, {name})\n",
            self.parameters(false).join(", "),
            doc(self.op.schema),
            tuple(self.inputs(), true),
            tuple(self.attrs(), false),
        )
    }

    fn stub(&self) -> String {
        let many = self.op.schema["outputs_vary"] == true;
        let result = if many { "NDArray | list[NDArray]" } else { "NDArray" };
        format!("def {}({}) -> {result}: ...\n", self.name, self.parameters(true).join(", "))
    }
}

/// The operators that are methods: the array is their first parameter.
fn methods(operators: &[Operator]) -> [File; 2] {
    let wanted: Value = serde_json::from_str(METHODS).unwrap_or_default();
    let wanted = list(&wanted, "methods").iter().filter_map(Value::as_str);
    let (mut names, mut stubs) = (String::new(), String::new());
    for name in wanted {
        let is_named = |op: &&Operator| {
            text(op.schema, "name") == name || list(op.schema, "aliases").iter().any(|alias| alias == name)
        };
        let Some(op) = operators.iter().find(is_named) else { continue };
        let stub = Function { op, name }.stub();
        let after_first = stub.find(", ").map_or("", |at| &stub[at..]);
        let _ = writeln!(names, "    \"{name}\",");
        let _ = write!(stubs, "    def {name}(self{after_first}");
    }
    [
        (
            format!("{FOLDER}/methods.py").into(),
            format!(
                "# {MARKER}\n\"\"\"Operators that are methods of arrays too.\"\"\"\n\nNAMES = (\n{names})\n"
            ),
        ),
        (
            format!("{FOLDER}/methods.pyi").into(),
            format!(
                "# {MARKER}\n# ruff: noqa\nfrom typing import Any, Sequence\n\nfrom ..ndarray import NDArray\n\n\
                 NAMES: tuple[str, ...]\n\nclass Methods:\n{stubs}"
            ),
        ),
    ]
}

/// Texts as Rust has a list of them.
fn strings(values: &[Value]) -> String {
    let all: Vec<String> = values.iter().map(|v| format!("{:?}", v.as_str().unwrap_or_default())).collect();
    format!("&[{}]", all.join(", "))
}

/// An attribute as the extension module has it.
pub(super) fn attribute(attr: &Value) -> String {
    let kind = match text(attr, "type") {
        "bool" => "Bool".to_owned(),
        "int" => "Int".to_owned(),
        "float" => "Float".to_owned(),
        "shape" | "optional ints" => "Ints".to_owned(),
        "floats" => "Floats".to_owned(),
        "strings" => "Strs".to_owned(),
        "dtype" => "DType".to_owned(),
        "enum" => format!("Enum({})", strings(list(attr, "values"))),
        _ => "Str".to_owned(),
    };
    format!(
        "Attr {{ id: {}, name: {:?}, kind: Kind::{kind}, required: {}, may_lack: {} }}",
        attr["id"],
        text(attr, "name"),
        attr.get("default").is_none(),
        attr["optional"] == true && !attr["default"].is_null()
    )
}

/// The extension module's table.
fn table(operators: &[Operator], digest: &str) -> String {
    let mut rows = String::new();
    for op in operators {
        let attrs: Vec<String> = list(op.schema, "attrs").iter().map(attribute).collect();
        let inputs: Vec<Value> = list(op.schema, "inputs").iter().map(|i| i["name"].clone()).collect();
        let _ = writeln!(
            rows,
            "    Op::new(c{:?}, ({}, {}), {}, {}, &[{}]),",
            text(op.schema, "name"),
            op.schema["version"][0],
            op.schema["version"][1],
            strings(&inputs),
            list(op.schema, "inputs").iter().any(|i| i["variadic"] == true),
            attrs.join(", ")
        );
    }
    format!(
        "//! {MARKER}\n//!\n//! The operators as calls see them.\n\nuse crate::convert::{{Attr, Kind}};\n\
         use crate::invoke::Op;\n\n/// Tells the schema that this was made from.\npub const SCHEMA: &str = {digest:?};\n\n\
         /// Every operator that has a function.\n#[rustfmt::skip]\npub static OPS: [Op; {}] = [\n{rows}];\n",
        operators.len()
    )
}
