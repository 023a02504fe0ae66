//! The program that calls every function of the C ABI with NULL in place of each of its pointers.
//!
//! It is made from `schema/abi.json`, so a new function cannot be left out. Where a function returns an error, a
//! pointer that is not `@nullable` must be refused by its name; elsewhere the call must only come back. What the
//! other arguments are is in `capi/tests/nulls.h`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::data;
use crate::error::{Context, Result};

/// Writes the program into a folder, and returns its path.
pub fn write(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("nulls.c");
    fs::write(&path, program(&data::json(Path::new("schema/abi.json"))?))
        .context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn program(abi: &Value) -> String {
    let callbacks: BTreeSet<&str> = list(&abi["callbacks"]).map(|callback| text(callback, "name")).collect();
    let mut code = String::from("#include \"nulls.h\"\n\n");
    for kind in list(&abi["types"]) {
        let (name, other) =
            (text(kind, "name"), if kind["kind"] == "opaque" { "nowhere()" } else { "numbers" });
        let _ = writeln!(code, "#ifndef A_{name}\n#define A_{name} {other}\n#endif");
    }
    for callback in &callbacks {
        let _ = writeln!(code, "#define A_{callback} ({callback})no_function");
    }
    code += "\nint main(void) {\n    RUN(the_arguments_are_made);\n";
    for function in list(&abi["functions"]) {
        let parameters: Vec<&Value> = list(&function["parameters"]).collect();
        for (at, parameter) in parameters.iter().enumerate() {
            if is_pointer(parameter, &callbacks) {
                code += &call(function, &parameters, at, &callbacks);
            }
        }
    }
    code + "    return check_summary();\n}\n"
}

fn is_pointer(parameter: &Value, callbacks: &BTreeSet<&str>) -> bool {
    text(parameter, "type").contains('*') || callbacks.contains(text(parameter, "type"))
}

/// The call with NULL for the parameter `null`, and what is expected of it.
fn call(function: &Value, parameters: &[&Value], null: usize, callbacks: &BTreeSet<&str>) -> String {
    let arguments: Vec<String> = parameters
        .iter()
        .enumerate()
        .map(|(at, p)| if at == null { "NULL".to_string() } else { argument(text(p, "type"), callbacks) })
        .collect();
    let name = text(function, "name");
    let call = format!("{name}({})", arguments.join(", "));
    let about = text(parameters[null], "name");
    let check = match (text(function, "returns"), &parameters[null]["nullable"]) {
        ("mxr_error_t *", Value::Bool(true)) => format!("(mxr_error_free({call}), 1)"),
        ("mxr_error_t *", _) => format!("refused({call}, \"{about}\")"),
        _ => format!("((void){call}, 1)"),
    };
    format!("    CALL(\"{name}\", \"{about}\", {check});\n")
}

/// Something that a function may take for this type.
fn argument(c_type: &str, callbacks: &BTreeSet<&str>) -> String {
    let base = c_type.replace("const", "").replace(['*', ' '], "");
    match c_type.matches('*').count() {
        0 if callbacks.contains(c_type) => format!("A_{c_type}"),
        0 => "1".to_string(),
        1 if base == "char" => "A_text".to_string(),
        1 if base.starts_with("mxr_") => format!("({c_type})A_{base}"),
        1 => format!("({c_type})numbers"),
        _ if c_type.contains("char *const *") => "texts".to_string(),
        _ if c_type.contains("*const *") => format!("({c_type})handles(A_{base})"),
        _ => format!("({c_type})places()"),
    }
}
