//! The declarations of the operators' functions and methods.

use super::text::{doc, interface, member};
use super::{FOLDER, MODULES, Operator, js_name};
use crate::generate::File;
use crate::generate::schema::{MARKER, text};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The generated files.
pub fn files(operators: &[Operator]) -> Vec<File> {
    vec![
        (format!("{FOLDER}/attrs.d.ts").into(), attrs(operators)),
        (format!("{FOLDER}/nd.d.ts").into(), functions(operators, false)),
        (format!("{FOLDER}/sym.d.ts").into(), functions(operators, true)),
        (format!("{FOLDER}/methods.d.ts").into(), methods(operators)),
    ]
}

/// The interfaces of the operators' attributes.
fn attrs(operators: &[Operator]) -> String {
    let mut out = format!("// {MARKER}\n\nimport type {{ DType, Ints, OptionalInts }} from '../types';\n");
    for op in operators.iter().filter(|op| !op.attrs().is_empty()) {
        let members: String = op.attrs().iter().map(member).collect();
        let name = op.name();
        let _ = write!(
            out,
            "\n/** What {name} takes besides its inputs. */\nexport interface {} {{\n{members}}}\n",
            interface(name)
        );
    }
    out
}

/// The last parameter.
fn options(op: &Operator, symbolic: bool) -> String {
    let mut parts = vec![];
    if !op.attrs().is_empty() {
        parts.push(format!("A.{}", interface(op.name())));
    }
    parts.push(if symbolic { "Named" } else { "Out" }.to_owned());
    if symbolic && !op.inputs().is_empty() && !op.variadic() {
        let names: Vec<String> = op.names().iter().map(|name| format!("'{name}'")).collect();
        parts.push(format!("Inputs<{}>", names.join(" | ")));
    }
    parts.join(" & ")
}

/// The parameter lists of a function: one, and shorter ones without inputs that may lack.
fn lists(op: &Operator, symbolic: bool, skip: usize) -> Vec<String> {
    let class = if symbolic { "Symbol" } else { "NDArray" };
    let required = op.attrs().iter().any(|attr| attr.get("default").is_none());
    let attrs = format!("attrs{}: {}", if required { "" } else { "?" }, options(op, symbolic));
    let inputs = op.inputs();
    let needed = inputs.iter().take_while(|input| input["optional"] != true).count();
    let least = if symbolic { 0 } else { needed };
    let counts: Vec<usize> = if op.variadic() {
        vec![inputs.len()]
    } else {
        (least..=inputs.len())
            .rev()
            .filter(|n| *n >= skip && (!symbolic || *n <= 1 || *n == inputs.len()))
            .collect()
    };
    let list = |n: usize| {
        let mut parts = vec![];
        for (i, input) in inputs[skip..n].iter().enumerate() {
            let may_lack = symbolic || i + skip >= needed;
            let kind = if input["variadic"] == true {
                format!("readonly {class}[]")
            } else {
                format!("{class}{}", if may_lack { " | null" } else { "" })
            };
            parts.push(format!("{}: {kind}", js_name(text(input, "name"))));
        }
        parts.push(attrs.clone());
        parts.join(", ")
    };
    counts.into_iter().map(list).collect()
}

/// Declarations of a function under a name.
fn declare(op: &Operator, symbolic: bool, before: &str, name: &str, skip: usize, indent: &str) -> String {
    let vary = op.schema["outputs_vary"] == true && !symbolic;
    let (generic, result) = match (symbolic, vary) {
        (true, _) => ("", "Symbol"),
        (false, true) => ("<R extends NDArray | NDArray[] = NDArray>", "R"),
        (false, false) => ("", "NDArray"),
    };
    let help = doc(op.schema, indent);
    let one = |list: String| format!("{help}{indent}{before}{name}{generic}({list}): {result};\n");
    lists(op, symbolic, skip).into_iter().map(one).collect()
}

/// The functions on arrays or on symbols, in the namespaces that are modules.
fn functions(operators: &[Operator], symbolic: bool) -> String {
    let mut modules: BTreeMap<&str, String> = MODULES.iter().map(|name| (*name, String::new())).collect();
    for op in operators {
        for (module, name) in &op.places {
            let module = modules.get_mut(module).expect("every module is listed");
            *module += &declare(op, symbolic, "function ", name, 0, "    ");
        }
    }
    let needed = if symbolic { "Inputs, Named, Symbol" } else { "NDArray, Out" };
    let mut out = format!(
        "// {MARKER}\n\nimport type * as A from './attrs';\nimport type {{ {needed} }} from '../types';\n"
    );
    for (module, functions) in modules {
        // A namespace without a value is only a type.
        let _ = match functions.is_empty() {
            true => write!(out, "\nexport const {module}: {{}};\n"),
            false => write!(out, "\nexport namespace {module} {{\n{functions}}}\n"),
        };
    }
    out
}

/// The operators as methods of arrays and of symbols.
fn methods(operators: &[Operator]) -> String {
    let mut out = format!(
        "// {MARKER}\n\nimport type * as A from './attrs';\n\
         import type {{ Inputs, Named, NDArray, Out, Symbol }} from '../types';\n"
    );
    for (interface, symbolic) in [("ArrayMethods", false), ("SymbolMethods", true)] {
        let _ = write!(out, "\n/** Operators that are methods. */\nexport interface {interface} {{\n");
        for op in operators {
            for (module, name) in op.places.iter().filter(|(module, name)| op.is_method(module, name)) {
                let _ = module;
                out += &declare(op, symbolic, "", name, 1, "    ");
            }
        }
        out += "}\n";
    }
    out
}
