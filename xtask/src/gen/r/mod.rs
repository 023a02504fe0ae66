//! R's operators, optimizers, schedules and initializers, from the schema: functions of R, the tables that the C code
//! of the package reads, and pages of help.
//!
//! Names are those of MXNet's R package: `Convolution` is `mx.nd.Convolution` and `mx.symbol.Convolution`, a `_` is a
//! dot, and what begins with `_` is in `mx.nd.internal`. No default value is written but in help.

mod help;
mod registered;
mod tables;

use super::File;
use super::abi::Abi;
use super::schema::{MARKER, list, place, text};
use serde_json::Value;
use std::fmt::Write;

/// Lines of R and of usages are at most this long.
const WIDTH: usize = 90;

/// The generated files.
pub fn files(schema: &Value, functions: &Abi, abi: &Value) -> Vec<File> {
    let ops: Vec<&Value> = list(schema, "operators").iter().filter(|op| op["internal"] != true).collect();
    let mut files = vec![
        ("bindings/r/src/abi_functions.h".into(), tables::abi(functions)),
        ("bindings/r/src/operators.c".into(), tables::operators(&ops)),
        ("bindings/r/src/registered.c".into(), tables::registered(schema)),
        ("bindings/r/R/constants.R".into(), tables::constants(abi)),
        ("bindings/r/R/operators.R".into(), functions_of(&ops, Mode::Eager)),
        ("bindings/r/R/symbols.R".into(), functions_of(&ops, Mode::Symbolic)),
        ("bindings/r/R/registered.R".into(), registered::functions(schema)),
    ];
    files.extend(ops.iter().map(|op| help::operator(op)));
    files.extend(registered::pages(schema));
    files
}

/// On arrays or on symbols.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Eager,
    Symbolic,
}

impl Mode {
    fn prefix(self) -> &'static str {
        if self == Mode::Eager { "mx.nd." } else { "mx.symbol." }
    }
}

/// The end of a function's name, after `mx.nd.` or `mx.symbol.`.
fn r_name(name: &str) -> String {
    let (module, rest) = place(name);
    let rest = rest.trim_start_matches('_').replace('_', ".");
    if module == "op" { rest } else { format!("{module}.{rest}") }
}

/// The names of an operator, the main one first. Further names count if they are public.
fn names(op: &Value) -> Vec<String> {
    let mut found = vec![r_name(text(op, "name"))];
    for alias in list(op, "aliases").iter().filter_map(Value::as_str) {
        let public = !matches!(place(alias).0, "internal" | "sparse");
        if public && !found.contains(&r_name(alias)) {
            found.push(r_name(alias));
        }
    }
    found
}

/// A parameter of a function, with what stands after `=` if it need not be given.
struct Parameter {
    name: String,
    default: Option<&'static str>,
}

impl Parameter {
    fn needed(name: &str) -> Self {
        Parameter { name: quoted(name), default: None }
    }

    fn optional(name: &str) -> Self {
        Parameter { name: quoted(name), default: Some("NULL") }
    }

    /// As the function has it.
    fn formal(&self) -> String {
        self.default.map_or(self.name.clone(), |default| format!("{} = {default}", self.name))
    }

    /// As it is handed on. One with `_` may be written with dots, which then is among the dots.
    fn actual(&self) -> String {
        if self.default.is_none() && self.name.contains('_') {
            format!("if (missing({0})) NULL else {0}", self.name)
        } else {
            self.name.clone()
        }
    }
}

/// A name, which may be a word of R's.
fn quoted(name: &str) -> String {
    const WORDS: [&str; 9] = ["if", "else", "repeat", "while", "function", "for", "next", "break", "in"];
    if WORDS.contains(&name) { format!("`{name}`") } else { name.to_owned() }
}

/// The inputs that a call names, without those of which there may be any number.
fn single_inputs(op: &Value) -> impl Iterator<Item = &Value> {
    list(op, "inputs").iter().filter(|input| input["variadic"] != true)
}

fn is_variadic(op: &Value) -> bool {
    list(op, "inputs").iter().any(|input| input["variadic"] == true)
}

/// The parameters of attributes.
fn attributes(entry: &Value) -> Vec<Parameter> {
    let parameter = |attr: &Value| match attr.get("default") {
        Some(_) => Parameter::optional(text(attr, "name")),
        None => Parameter::needed(text(attr, "name")),
    };
    list(entry, "attrs").iter().map(parameter).collect()
}

/// The parameters of an operator's function: inputs and attributes, which its C code takes in this order.
fn parameters(op: &Value, mode: Mode) -> Vec<Parameter> {
    let input = |input: &Value| match mode == Mode::Symbolic || input["optional"] == true {
        true => Parameter::optional(text(input, "name")),
        false => Parameter::needed(text(input, "name")),
    };
    single_inputs(op).map(input).chain(attributes(op)).collect()
}

/// A function's parameters with the dots and what follows them.
fn formals(op: &Value, mode: Mode) -> Vec<String> {
    let mut all: Vec<String> = parameters(op, mode).iter().map(Parameter::formal).collect();
    let dots = if is_variadic(op) { 0 } else { all.len() };
    all.insert(dots, "...".into());
    match mode {
        Mode::Eager => all.push("out = NULL".into()),
        Mode::Symbolic => all.extend(["name = NULL".into(), "attr = NULL".into()]),
    }
    all
}

/// `head` and items in parentheses, with lines that begin under the first item.
fn call(head: &str, items: &[String], indent: usize) -> String {
    let mut out = format!("{head}(");
    let margin = " ".repeat(indent);
    let mut column = out.len();
    for (i, item) in items.iter().enumerate() {
        let comma = if i + 1 < items.len() { "," } else { ")" };
        if i > 0 && column + item.len() + 2 > WIDTH {
            let _ = write!(out, "\n{margin}{item}{comma}");
            column = indent + item.len() + 1;
        } else {
            let space = if i > 0 { " " } else { "" };
            let _ = write!(out, "{space}{item}{comma}");
            column += item.len() + 2;
        }
    }
    if items.is_empty() { out + ")" } else { out }
}

/// `R/operators.R` or `R/symbols.R`.
fn functions_of(ops: &[&Value], mode: Mode) -> String {
    let about = match mode {
        Mode::Eager => "The operators on arrays.",
        Mode::Symbolic => "The operators on symbols.",
    };
    let mut out = format!(
        "# {MARKER}\n#\n# {about} NULL is an attribute that is not given, which means the library's default.\n"
    );
    for op in ops {
        let names = names(op);
        let mut given = vec![match mode {
            Mode::Eager => "C_nd".to_owned(),
            Mode::Symbolic => "C_symbol".to_owned(),
        }];
        given.push(op["name"].to_string());
        match mode {
            Mode::Eager => given.push("out".into()),
            Mode::Symbolic => given.extend(["name".into(), "attr".into()]),
        }
        given.extend(parameters(op, mode).iter().map(Parameter::actual));
        given.push("...".into());
        let head = call(&format!("{}{} <- function", mode.prefix(), names[0]), &formals(op, mode), 4);
        let _ = write!(out, "\n{head}\n  {}\n", call(".External", &given, 12));
        for alias in &names[1..] {
            let _ = writeln!(out, "{0}{alias} <- {0}{1}", mode.prefix(), names[0]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_those_of_mxnets_package() {
        assert_eq!(r_name("slice_axis"), "slice.axis");
        assert_eq!(r_name("_plus_scalar"), "internal.plus.scalar");
        assert_eq!(r_name("_contrib_boolean_mask"), "contrib.boolean.mask");
        let op =
            json!({"name": "_random_uniform", "aliases": ["uniform", "random_uniform", "_sparse_uniform"]});
        assert_eq!(names(&op), ["internal.random.uniform", "uniform", "random.uniform"]);
    }

    #[test]
    fn what_must_be_given_has_no_default_and_dots_come_before_out() {
        let op = json!({"name": "f", "inputs": [{"name": "data"}, {"name": "bias", "optional": true}],
            "attrs": [{"name": "num_hidden"}, {"name": "flatten", "default": true}]});
        let expected = ["data", "bias = NULL", "num_hidden", "flatten = NULL", "...", "out = NULL"];
        assert_eq!(formals(&op, Mode::Eager), expected);
        assert_eq!(formals(&op, Mode::Symbolic)[0], "data = NULL");
        assert_eq!(parameters(&op, Mode::Eager)[2].actual(), "if (missing(num_hidden)) NULL else num_hidden");
    }
}
