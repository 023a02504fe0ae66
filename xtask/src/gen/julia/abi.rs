//! Julia's declarations of the C ABI: constants, structs, and a function over `ccall` for each of libmxr's.

use super::text::julia_name;
use crate::generate::schema::{list, text};
use serde_json::Value;
use std::fmt::Write;

/// The file.
pub fn file(abi: &Value) -> String {
    let mut out =
        super::head("libmxr's functions, called by their addresses in `TABLE`, which `load` fills.")
            .replace("schema/ops.json", "schema/abi.json");
    for constant in list(abi, "constants") {
        let kind = scalar(text(constant, "type")).unwrap_or("Int64");
        let _ = writeln!(out, "const {} = {kind}({})", text(constant, "name"), constant["value"]);
    }
    out += "\n# Errors, by the numbers of their codes.\nconst ERROR_CODES = (";
    for constant in list(abi, "constants") {
        if let Some(name) = text(constant, "name").strip_prefix("MXR_ERROR_") {
            let _ = write!(out, ":{name}, ");
        }
    }
    out += ")\n";
    let structs: Vec<&Value> = list(abi, "types").iter().filter(|t| text(t, "kind") == "struct").collect();
    let names: Vec<&str> = structs.iter().map(|s| text(s, "name")).collect();
    for item in &structs {
        let _ = write!(out, "\nstruct {}\n", text(item, "name"));
        for field in list(item, "fields") {
            let _ = writeln!(out, "    {}::{}", text(field, "name"), julia_type(text(field, "type"), &names));
        }
        out += "end\n";
    }
    let functions = list(abi, "functions");
    out += "\nconst FUNCTIONS = [\n";
    for function in functions {
        let _ = writeln!(out, "    \"{}\",", text(function, "name"));
    }
    let _ = write!(out, "]\nconst TABLE = fill(C_NULL, {})\n\n", functions.len());
    for (i, function) in functions.iter().enumerate() {
        out += &declared(i + 1, function, &names);
    }
    out
}

fn declared(index: usize, function: &Value, structs: &[&str]) -> String {
    let parameters = list(function, "parameters");
    let names: Vec<String> = parameters.iter().map(|p| julia_name(text(p, "name"))).collect();
    let kinds: String = parameters.iter().map(|p| parameter(text(p, "type"), structs) + ", ").collect();
    let comma = if names.is_empty() { "" } else { ", " };
    format!(
        "@inline {}({}) =\n    ccall(@inbounds(TABLE[{index}]), {}, ({}){comma}{})\n",
        text(function, "name"),
        names.join(", "),
        julia_type(text(function, "returns"), structs),
        kinds.trim_end_matches(' '),
        names.join(", "),
    )
}

/// The type of a parameter: texts are converted from Julia's.
fn parameter(c: &str, structs: &[&str]) -> String {
    if c == "const char *" { "Cstring".into() } else { julia_type(c, structs) }
}

fn scalar(c: &str) -> Option<&'static str> {
    Some(match c {
        "int32_t" => "Int32",
        "uint32_t" => "UInt32",
        "int64_t" => "Int64",
        "uint64_t" => "UInt64",
        "uint16_t" => "UInt16",
        "uint8_t" | "char" => "UInt8",
        "float" => "Float32",
        "double" => "Float64",
        _ => return None,
    })
}

/// A type of C's in Julia's words. Handles, and what is opaque, are `Ptr{Cvoid}`.
fn julia_type(c: &str, structs: &[&str]) -> String {
    let plain = c.replace("const", "").replace(' ', "");
    let stars = plain.chars().rev().take_while(|c| *c == '*').count();
    let base = &plain[..plain.len() - stars];
    if base == "void" && stars == 0 {
        return "Cvoid".into();
    }
    let by_value = scalar(base).or_else(|| structs.iter().find(|s| **s == base).copied());
    match (by_value, stars) {
        (Some(kind), 0) => kind.into(),
        (Some(kind), 1) => format!("Ptr{{{kind}}}"),
        (Some(kind), _) if scalar(base).is_some() => format!("Ptr{{Ptr{{{kind}}}}}"),
        (_, 0 | 1) => "Ptr{Cvoid}".into(),
        _ => "Ptr{Ptr{Cvoid}}".into(),
    }
}
