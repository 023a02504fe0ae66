//! The stage that holds libmxr to its declared ABI.
//!
//! The functions of `include/mxr.h`, those that libmxr.so exports and those of `schema/abi.json` are the same;
//! the header stands alone in strict C99, C11 and C++17; and what `schema/released/*.json`, copies of abi.json,
//! promised to programs still holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::count::Count;
use crate::error::{Context, Result};
use crate::stage::Job;
use crate::{data, elf, paths};

const HEADER: &str = "include/mxr.h";
const DECLARED: &str = "schema/abi.json";
const RELEASED: &str = "schema/released";

/// All checks, each counted once.
pub fn test(job: &Job) -> Result<Count> {
    job.must(&mut job.cargo(&["build", "-p", "mxr-capi"]))?;
    let path = paths::target().join("debug/libmxr.so");
    let library = fs::read(&path).context(|| format!("reading {}", paths::show(&path)))?;
    let header = paths::root().join(HEADER);
    let header = fs::read_to_string(&header).context(|| format!("reading {HEADER}"))?;
    let abi = data::json(Path::new(DECLARED))?;

    let declared = names(&abi["functions"]);
    let exported: BTreeSet<String> = elf::exports(&library)?.into_iter().collect();
    let mut sum = Count::default();
    sum += report(
        "the header and abi.json have the same functions",
        differences(&functions(&header), &declared),
    );
    sum += report("libmxr.so exports what abi.json declares", differences(&exported, &declared));
    sum += report("libmxr.so exports nothing but mxr_*", foreign(&exported));
    sum += report("libmxr.so has its major version's SONAME", wrong_soname(&library)?);
    for (compiler, language, standard) in [("cc", "c", "c99"), ("cc", "c", "c11"), ("c++", "c++", "c++17")] {
        sum += Count::one(compiles_alone(job, compiler, language, standard)?);
    }
    for (name, released) in released()? {
        sum +=
            report(&format!("programs compiled against {name} still run"), broken_promises(&released, &abi));
    }
    Ok(sum)
}

/// Prints what is wrong, if anything is.
fn report(check: &str, wrong: Vec<String>) -> Count {
    println!("{} {check}", if wrong.is_empty() { "ok    " } else { "FAILED" });
    wrong.iter().for_each(|line| println!("       {line}"));
    Count::one(wrong.is_empty())
}

fn names(list: &Value) -> BTreeSet<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item["name"].as_str()).map(str::to_string).collect()
}

/// The functions that a header declares: names before a parenthesis, outside comments.
fn functions(header: &str) -> BTreeSet<String> {
    let code: String =
        header.split("/*").map(|part| part.split_once("*/").map_or(part, |(_, code)| code)).collect();
    let heads = code.split('(').map(|before| before.trim_end());
    let word = |text: &str| -> String {
        let reversed: String = text.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        reversed.chars().rev().collect()
    };
    heads.map(word).filter(|name| name.starts_with("mxr_")).collect()
}

/// What only one side has.
fn differences(left: &BTreeSet<String>, right: &BTreeSet<String>) -> Vec<String> {
    let only = |side: &str, name: &String| format!("{name} is only in the {side}");
    let first = left.difference(right).map(|name| only("first", name));
    first.chain(right.difference(left).map(|name| only("second", name))).collect()
}

fn foreign(exported: &BTreeSet<String>) -> Vec<String> {
    exported.iter().filter(|name| !name.starts_with("mxr_")).cloned().collect()
}

fn wrong_soname(library: &[u8]) -> Result<Vec<String>> {
    let major = env!("CARGO_PKG_VERSION_MAJOR");
    let (wanted, name) = (format!("libmxr.so.{major}"), elf::soname(library)?);
    Ok(match name {
        Some(name) if name == wanted => vec![],
        name => vec![format!("expected {wanted}, got {}", name.as_deref().unwrap_or("none"))],
    })
}

fn compiles_alone(job: &Job, compiler: &str, language: &str, standard: &str) -> Result<bool> {
    let mut command = job.command(compiler);
    command.arg(format!("-std={standard}"));
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", language]);
    Ok(job.watch(command.arg(paths::root().join(HEADER)))?.success)
}

/// The ABIs of earlier releases, by file name.
fn released() -> Result<Vec<(String, Value)>> {
    let Ok(folder) = fs::read_dir(paths::root().join(RELEASED)) else { return Ok(vec![]) };
    let mut files: Vec<_> =
        folder.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    files.retain(|name| name.ends_with(".json"));
    files.sort();
    files.into_iter().map(|name| Ok((name.clone(), data::json(&Path::new(RELEASED).join(name))?))).collect()
}

/// What a release promised and this tree does not keep. Another `abi_version` promises nothing.
fn broken_promises(released: &Value, abi: &Value) -> Vec<String> {
    if released["abi_version"] != abi["abi_version"] {
        return vec![];
    }
    let mut broken = vec![];
    for kind in ["functions", "callbacks", "constants", "types"] {
        for old in released[kind].as_array().into_iter().flatten() {
            let new = abi[kind].as_array().into_iter().flatten().find(|new| new["name"] == old["name"]);
            let name = old["name"].as_str().unwrap_or_default();
            match new {
                None => broken.push(format!("{name} is gone")),
                Some(new) if !compatible(old, new) => broken.push(format!("{name} has changed")),
                Some(_) => {}
            }
        }
    }
    broken
}

/// Whether programs that know the old declaration can use the new one.
fn compatible(old: &Value, new: &Value) -> bool {
    let parameter = |a: &Value, b: &Value| a["type"] == b["type"] && a["ownership"] == b["ownership"];
    let field = |a: &Value, b: &Value| a["name"] == b["name"] && a["type"] == b["type"];
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (old_fields, new_fields) = (list(&old["fields"]), list(&new["fields"]));
    // A struct that says its size may grow.
    let sized = old_fields.first().is_some_and(|first| first["name"] == "struct_size");
    ["returns", "value", "type", "kind", "destructor"].iter().all(|key| old[*key] == new[*key])
        && same(&list(&old["parameters"]), &list(&new["parameters"]), parameter)
        && (old_fields.len() == new_fields.len() || sized && old_fields.len() < new_fields.len())
        && old_fields.iter().zip(&new_fields).all(|(a, b)| field(a, b))
}

fn same(old: &[Value], new: &[Value], equal: impl Fn(&Value, &Value) -> bool) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(a, b)| equal(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn abi() -> Value {
        json!({
            "abi_version": 1,
            "constants": [{"name": "MXR_CPU", "type": "int32_t", "value": 1, "doc": "Main memory."}],
            "types": [
                {"name": "mxr_x_t", "kind": "opaque", "destructor": "mxr_x_free"},
                {"name": "mxr_call_t", "kind": "struct", "fields": [
                    {"name": "struct_size", "type": "uint32_t"}, {"name": "flags", "type": "uint32_t"}]},
                {"name": "mxr_pair_t", "kind": "struct", "fields": [{"name": "a", "type": "int32_t"}]}],
            "callbacks": [{"name": "mxr_drop_fn", "parameters": [{"name": "payload", "type": "void *"}]}],
            "functions": [{"name": "mxr_x_free", "returns": "void", "doc": "Frees.", "parameters": [
                {"name": "x", "type": "mxr_x_t *", "ownership": "taken"}]}],
        })
    }

    /// What breaks when `change` is made to a released ABI.
    fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut new = abi();
        change(&mut new);
        broken_promises(&abi(), &new)
    }

    #[test]
    fn additions_and_other_words_keep_every_promise() {
        assert_eq!(after(|_| ()), [""; 0]);
        assert_eq!(
            after(|new| {
                let function = json!({"name": "mxr_y", "returns": "void", "parameters": []});
                new["functions"].as_array_mut().unwrap().push(function);
                new["functions"][0]["doc"] = json!("Gives back.");
                new["functions"][0]["parameters"][0]["name"] = json!("handle");
                let field = json!({"name": "added", "type": "int64_t"});
                new["types"][1]["fields"].as_array_mut().unwrap().push(field);
            }),
            [""; 0]
        );
        assert_eq!(after(|new| *new = json!({"abi_version": 2})), [""; 0]);
    }

    #[test]
    fn a_removed_function_is_named() {
        assert_eq!(after(|new| new["functions"] = json!([])), ["mxr_x_free is gone"]);
        assert_eq!(after(|new| new["constants"] = json!([])), ["MXR_CPU is gone"]);
    }

    #[test]
    fn a_changed_function_struct_or_number_is_named() {
        let changed = |pointer: &str, to: Value| after(|new| *new.pointer_mut(pointer).unwrap() = to);
        assert_eq!(changed("/functions/0/returns", json!("int32_t")), ["mxr_x_free has changed"]);
        assert_eq!(changed("/functions/0/parameters/0/type", json!("void *")), ["mxr_x_free has changed"]);
        assert_eq!(
            changed("/functions/0/parameters/0/ownership", json!("borrowed")),
            ["mxr_x_free has changed"]
        );
        assert_eq!(changed("/functions/0/parameters", json!([])), ["mxr_x_free has changed"]);
        assert_eq!(changed("/callbacks/0/parameters", json!([])), ["mxr_drop_fn has changed"]);
        assert_eq!(changed("/constants/0/value", json!(2)), ["MXR_CPU has changed"]);
        assert_eq!(changed("/types/1/fields/1/type", json!("uint64_t")), ["mxr_call_t has changed"]);
        let longer = json!([{"name": "a", "type": "int32_t"}, {"name": "b", "type": "int32_t"}]);
        assert_eq!(changed("/types/2/fields", longer), ["mxr_pair_t has changed"]);
        assert_eq!(changed("/types/0/destructor", json!(null)), ["mxr_x_t has changed"]);
    }

    #[test]
    fn functions_are_found_in_a_header() {
        let header = "/* mxr_not(this) */\ntypedef void (*mxr_drop_fn)(void *payload);\n\
                      mxr_error_t *mxr_a_b(const int64_t *dims,\n    int32_t n);\nvoid mxr_c (void);\n";
        let found: Vec<_> = functions(header).into_iter().collect();
        assert_eq!(found, ["mxr_a_b", "mxr_c"]);
    }

    #[test]
    fn both_sides_of_a_difference_are_named() {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(
            differences(&set(&["a", "b"]), &set(&["b", "c"])),
            ["a is only in the first", "c is only in the second"]
        );
        assert_eq!(foreign(&set(&["mxr_a", "rust_eh_personality"])), ["rust_eh_personality"]);
    }
}
