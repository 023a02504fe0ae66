//! The functions by which C++'s conformance runner calls every operator as users do: from the numbers and texts of a
//! case, on arrays and on symbols.

use super::Function;
use super::text::{cpp_name, cpp_type};
use crate::generate::File;
use crate::generate::schema::{MARKER, text};
use serde_json::Value;
use std::fmt::Write;

/// The file.
pub fn file(ops: &[&Value]) -> File {
    let all: Vec<Function> = ops.iter().map(|op| Function::new(op)).collect();
    let functions: String = all.iter().map(function).collect();
    let entries: String = all.iter().map(entry).collect();
    let text = format!(
        "// {MARKER}\n#include \"../caller.hpp\"\n#include <mxr_ops.hpp>\n\nnamespace {{\n\nusing namespace mxr;\n\n\
         {functions}}} // namespace\n\nCallers callers() {{\n    Callers callers;\n{entries}    return callers;\n}}\n"
    );
    ("bindings/cpp/tests/gen/callers.cpp".into(), text)
}

fn entry(f: &Function) -> String {
    format!("    callers[\"{0}\"] = {{call_{0}<ArrayCase>, call_{0}<SymbolCase>}};\n", f.name())
}

/// Reads what the case gives, and calls.
fn function(f: &Function) -> String {
    let ids: Vec<String> = f.attrs().iter().map(|a| a["id"].to_string()).collect();
    let most = if f.variadic() { "kAnyNumber".to_owned() } else { f.inputs().len().to_string() };
    let mut out = format!(
        "template <class Case> typename Case::Results call_{}(const Case &c) {{\n    c.has_only({most}, {{{}}});\n",
        f.name(),
        ids.join(", ")
    );
    if f.has_options() {
        let _ = writeln!(out, "    op::{}Options options;", f.stem);
        for attr in f.optional() {
            let _ = writeln!(out, "    c.read({}, options.{});", attr["id"], cpp_name(text(attr, "name")));
        }
    }
    let single = f.inputs().iter().filter(|i| i["variadic"] != true).count();
    let mut given = vec![];
    let mut at = 0;
    for input in f.inputs() {
        if input["variadic"] == true {
            given.push(format!("c.rest({single})"));
        } else {
            given.push(format!("c.input({at})"));
            at += 1;
        }
    }
    for attr in f.required() {
        let kind = cpp_type(&f.stem, attr);
        let scope = if text(attr, "type") == "enum" { "op::" } else { "" };
        given.push(format!("c.template need<{scope}{kind}>({})", attr["id"]));
    }
    given.extend(f.has_options().then(|| "options".to_owned()));
    let arguments = given.join(", ");
    let comma = if arguments.is_empty() { "" } else { ", " };
    let _ = write!(
        out,
        "    if constexpr (Case::symbolic) return op::{path}(\"call\"{comma}{arguments});\n    \
         else return c.results(op::{path}({arguments}));\n}}\n\n",
        path = f.path
    );
    out
}
