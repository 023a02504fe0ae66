//! The tables of the package's C code: libmxr's functions, and what is found by name with inputs and attributes.

use super::registered::{KINDS, NAMED};
use crate::generate::abi::Abi;
use crate::generate::schema::{ABI_MARKER, MARKER, list, text};
use serde_json::Value;
use std::fmt::Write;

/// `src/abi_functions.h`: the functions to look for when libmxr is loaded.
pub fn abi(functions: &Abi) -> String {
    let mut out = format!(
        "/* {ABI_MARKER}\n *\n * The functions of libmxr without \
         their prefix. */\n#define MXR_FUNCTIONS(X)",
    );
    for function in &functions.functions {
        let name = function.sig.ident.to_string();
        let _ = write!(out, " \\\n  X({})", name.trim_start_matches("mxr_"));
    }
    out + "\n"
}

/// `R/constants.R`: the constants of libmxr for code in R.
pub fn constants(abi: &Value) -> String {
    let mut out =
        format!("# {ABI_MARKER}\n#\n# The constants of libmxr, which schema/abi.json explains.\n\n");
    for constant in list(abi, "constants") {
        let _ = writeln!(out, "{} <- {}L", text(constant, "name"), constant["value"]);
    }
    out
}

/// `src/operators.c`.
pub fn operators(ops: &[&Value]) -> String {
    let (mut lists, mut rows) = (String::new(), String::new());
    for (i, op) in ops.iter().enumerate() {
        let singles: Vec<&Value> = super::single_inputs(op).collect();
        let names: Vec<String> = singles.iter().map(|input| input["name"].to_string()).collect();
        if !names.is_empty() {
            let _ = writeln!(lists, "static const char *const inputs_{i}[] = {{{}}};", names.join(", "));
        }
        lists += &attrs(i, op);
        let name = text(op, "name");
        let hint = super::r_name(name).to_lowercase().replace('.', "_");
        let _ = writeln!(
            rows,
            "  {{{{\"{name}\", {}, {}}}, \"{hint}\", {}, {}, {}, {}, {}, {}, NULL}},",
            pointer("attrs", i, list(op, "attrs").len()),
            list(op, "attrs").len(),
            op["version"][0],
            op["version"][1],
            pointer("inputs", i, names.len()),
            names.len(),
            u8::from(super::is_variadic(op)),
            u8::from(op["outputs_vary"] == true),
        );
    }
    format!(
        "/* {MARKER}\n *\n * The operators. */\n\
         #include \"registry.h\"\n\n{lists}\nop_t operators[] = {{\n{rows}}};\n\
         const int num_operators = {};\n",
        ops.len()
    )
}

/// `src/registered.c`.
pub fn registered(schema: &Value) -> String {
    let (mut lists, mut tables, mut kinds) = (String::new(), String::new(), String::new());
    let mut at = 0;
    let keys: Vec<&str> = KINDS.iter().map(|kind| kind.key).chain(NAMED).collect();
    for key in &keys {
        let things = list(schema, key);
        let _ = writeln!(tables, "static const thing_t {key}[] = {{");
        for thing in things {
            lists += &attrs(at, thing);
            let n = list(thing, "attrs").len();
            let name = text(thing, "name");
            let _ = writeln!(tables, "  {{\"{name}\", {}, {n}}},", pointer("attrs", at, n));
            at += 1;
        }
        tables += "};\n";
        let _ = writeln!(kinds, "  {{\"{key}\", {key}, {}}},", things.len());
    }
    format!(
        "/* {MARKER}\n *\n * What is registered besides operators. */\n#include \"registry.h\"\n\n{lists}\n{tables}\n\
         const kind_table_t kinds[] = {{\n{kinds}}};\nconst int num_kinds = {};\n",
        keys.len()
    )
}

fn pointer(list: &str, i: usize, len: usize) -> String {
    if len == 0 { "NULL".into() } else { format!("{list}_{i}") }
}

/// The attributes of one entry as a list.
fn attrs(i: usize, entry: &Value) -> String {
    let one = |attr: &Value| format!("{{\"{}\", {}, {}}}", text(attr, "name"), attr["id"], form(attr));
    let all: Vec<String> = list(entry, "attrs").iter().map(one).collect();
    if all.is_empty() {
        return String::new();
    }
    format!("static const attribute_t attrs_{i}[] = {{{}}};\n", all.join(", "))
}

/// How a value of R becomes an attribute.
fn form(attr: &Value) -> &'static str {
    match text(attr, "type") {
        "bool" => "FORM_BOOL",
        "int" => "FORM_INT",
        "float" => "FORM_FLOAT",
        // Places along one axis: not a size for each.
        "shape" if text(attr, "name") == "indices" => "FORM_INTS",
        "shape" => "FORM_SHAPE",
        "optional ints" => "FORM_OPTIONAL_INTS",
        "ints" => "FORM_INTS",
        "floats" => "FORM_FLOATS",
        "strings" => "FORM_TEXTS",
        _ => "FORM_TEXT",
    }
}
