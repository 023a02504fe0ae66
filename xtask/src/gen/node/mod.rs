//! Node's operators, from the schema: functions on arrays and on symbols in JavaScript, and their types and help in
//! TypeScript's declarations.
//!
//! Functions lie in the modules that Python's do: `_contrib_x` is `mx.nd.contrib.x`, other names that begin with `_`
//! are in `mx.nd._internal`, the rest in `mx.nd`. Inputs are parameters; the attributes are one object after them.

mod registered;
mod text;
mod types;

use super::File;
use super::schema::{ABI_MARKER, MARKER, list, place, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

const FOLDER: &str = "bindings/node/lib/gen";
const MODULES: [&str; 7] = ["op", "_internal", "contrib", "linalg", "sparse", "image", "random"];
/// Methods of arrays that are written by hand.
const OWN_METHODS: [&str; 3] = ["reshape", "transpose", "cast"];

/// The generated files.
pub fn files(schema: &Value, abi: &Value) -> Vec<File> {
    let all = list(schema, "operators");
    let operators: Vec<Operator> =
        all.iter().filter(|op| op["internal"] != true).map(Operator::new).collect();
    let mut files = vec![
        (format!("{FOLDER}/ops.js").into(), table(&operators)),
        (format!("{FOLDER}/nd.js").into(), functions(&operators, false)),
        (format!("{FOLDER}/sym.js").into(), functions(&operators, true)),
        (format!("{FOLDER}/abi.js").into(), constants(abi)),
    ];
    files.extend(types::files(&operators));
    files.extend(registered::files(schema));
    files
}

/// The beginning of a JavaScript file.
fn head(about: &str) -> String {
    format!("'use strict';\n// {MARKER}\n//\n// {about}\n\n")
}

/// The constants of libmxr, without `MXR_`.
fn constants(abi: &Value) -> String {
    let mut out = format!(
        "'use strict';\n// {ABI_MARKER}\n//\n// The constants of libmxr, which schema/abi.json explains.\n\n\
         module.exports = {{\n"
    );
    for constant in list(abi, "constants") {
        let name = text(constant, "name").trim_start_matches("MXR_");
        let _ = writeln!(out, "    {name}: {},", constant["value"]);
    }
    out + "};\n"
}

/// An operator that has functions.
struct Operator<'a> {
    schema: &'a Value,
    /// The modules and the names in them; its own first.
    places: Vec<(&'static str, &'a str)>,
}

impl<'a> Operator<'a> {
    fn new(schema: &'a Value) -> Operator<'a> {
        let aliases = list(schema, "aliases").iter().filter_map(Value::as_str);
        let module = |(module, name)| (if module == "internal" { "_internal" } else { module }, name);
        let names = std::iter::once(text(schema, "name")).chain(aliases);
        let mut places: Vec<_> = names.map(|name| module(place(name))).collect();
        let home = places.iter().position(|(module, _)| *module != "_internal").unwrap_or(0);
        let home = places.remove(home);
        places.insert(0, home);
        Operator { schema, places }
    }

    fn name(&self) -> &'a str {
        text(self.schema, "name")
    }

    fn inputs(&self) -> &'a [Value] {
        list(self.schema, "inputs")
    }

    fn attrs(&self) -> &'a [Value] {
        list(self.schema, "attrs")
    }

    fn variadic(&self) -> bool {
        self.inputs().iter().any(|input| input["variadic"] == true)
    }

    /// Whether it may be a method of an array, under one of its names.
    fn is_method(&self, module: &str, name: &str) -> bool {
        module == "op" && !self.inputs().is_empty() && !self.variadic() && !OWN_METHODS.contains(&name)
    }

    /// The names of the inputs.
    fn names(&self) -> Vec<&'a str> {
        self.inputs().iter().map(|input| text(input, "name")).collect()
    }

    /// The same as parameters.
    fn parameters(&self) -> Vec<String> {
        self.names().into_iter().map(js_name).collect()
    }
}

/// The name of a parameter, which may be a word of JavaScript's.
fn js_name(name: &str) -> String {
    const WORDS: [&str; 8] = ["var", "in", "function", "default", "with", "new", "class", "delete"];
    if WORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// Attributes with their ids and types.
fn attributes(attrs: &[Value]) -> String {
    let one = |attr: &Value| {
        let kind = match text(attr, "type") {
            "enum" => Value::Array(list(attr, "values").to_vec()).to_string(),
            "shape" | "optional ints" => "'ints'".to_owned(),
            kind @ ("bool" | "int" | "float" | "floats" | "strings" | "dtype") => format!("'{kind}'"),
            _ => "'string'".to_owned(),
        };
        format!("{}: [{}, {kind}]", text(attr, "name"), attr["id"])
    };
    let all: Vec<String> = attrs.iter().map(one).collect();
    if all.is_empty() { "{}".into() } else { format!("{{ {} }}", all.join(", ")) }
}

/// The operators as calls see them.
fn table(operators: &[Operator]) -> String {
    let mut out = head("The operators as calls see them: names, versions, inputs, attributes.");
    out += "const { op } = require('../op.js');\n\nmodule.exports = {\n";
    for op in operators {
        let inputs: Vec<String> = op.names().iter().map(|name| format!("'{name}'")).collect();
        let _ = writeln!(
            out,
            "    {name}: op('{name}', {}, {}, [{}], {}, {}),",
            op.schema["version"][0],
            op.schema["version"][1],
            inputs.join(", "),
            op.variadic(),
            attributes(op.attrs()),
            name = op.name(),
        );
    }
    out + "};\n"
}

/// The functions on arrays or on symbols.
fn functions(operators: &[Operator], symbolic: bool) -> String {
    let mut modules: BTreeMap<&str, String> = MODULES.iter().map(|name| (*name, String::new())).collect();
    let (mut aliases, mut methods) = (String::new(), vec![]);
    for op in operators {
        let (home, first) = op.places[0];
        for (i, (module, name)) in op.places.iter().enumerate() {
            if op.is_method(module, name) {
                methods.push(*name);
            }
            // A symbol without a name is named after the function that made it, so aliases are functions too.
            if i > 0 && !symbolic {
                let _ = writeln!(aliases, "{module}.{name} = {home}.{first};");
                continue;
            }
            let mut parameters = op.parameters();
            parameters.push("attrs".into());
            let call = match (symbolic, op.variadic()) {
                (true, _) => {
                    format!("compose('{}', [{}], attrs)", name.to_lowercase(), op.parameters().join(", "))
                }
                (false, true) => format!("callAll({}, attrs)", op.parameters().join(", ")),
                (false, false) => format!("call([{}], attrs)", op.parameters().join(", ")),
            };
            let _ = writeln!(
                modules.get_mut(module).expect("every module is listed"),
                "    {name}({}) {{\n        return ops.{}.{call};\n    }},",
                parameters.join(", "),
                op.name(),
            );
        }
    }
    let what = if symbolic { "symbols" } else { "arrays" };
    let mut out = head(&format!("The operators' functions on {what}."));
    out += "const ops = require('./ops.js');\n\n";
    for (module, functions) in &modules {
        let _ = write!(out, "const {module} = {{\n{functions}}};\n\n");
    }
    let names: Vec<String> = methods.iter().map(|name| format!("    '{name}',\n")).collect();
    let space = if aliases.is_empty() { "" } else { "\n" };
    let _ = write!(
        out,
        "{aliases}{space}/** Functions of `op` that are methods too. */\nconst methods = [\n{}];\n\n\
         module.exports = {{ {}, methods }};\n",
        names.concat(),
        MODULES.join(", ")
    );
    out
}
