//! The stage that holds libmxr to its declared ABI.
//!
//! The functions of `include/mxr.h`, those that libmxr.so exports and those of `schema/abi.json` are the same;
//! the header stands alone in strict C99, C11 and C++17. What every release promised ([`crate::release`]) still holds, and
//! a program compiled against its header runs on today's libmxr.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::count::Count;
use crate::error::{Context, Result};
use crate::stage::Job;
use crate::{capi, data, elf, paths, promises, release};

const HEADER: &str = "include/mxr.h";
const DECLARED: &str = "schema/abi.json";
const PROGRAM: &str = "capi/tests/released.c";

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
    let today = release::today()?;
    for version in release::versions()? {
        let wrong = promises::broken(&release::read(&version)?, &today);
        sum += report(&format!("today's schema keeps what {version} promised"), wrong);
        sum += runs_compiled_against(job, &version)?;
    }
    Ok(sum)
}

/// A program that sees only a release's header, on today's library.
fn runs_compiled_against(job: &Job, version: &str) -> Result<Count> {
    let out = paths::target().join("released");
    fs::create_dir_all(&out).context(|| format!("creating {}", paths::show(&out)))?;
    let library = paths::target().join("debug");
    capi::link_soname(&library, &out)?;
    let (root, program) = (paths::root(), out.join(format!("{version}.out")));
    let mut compile = job.command("cc");
    compile.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-g"]);
    // The guard of the release's header makes today's empty.
    compile.arg("-include").arg(release::header(version)).arg("-I").arg(root.join("include"));
    compile.arg(root.join(PROGRAM)).arg("-o").arg(&program).arg("-L").arg(&library).args(["-lmxr", "-lm"]);
    job.must(&mut compile)?;
    let mut run = job.command(&program);
    let done = job.watch(run.env("LD_LIBRARY_PATH", &out).env("MXR_CHECK", "1"))?;
    let count = Count::from_plain(&done.text).context(|| format!("{PROGRAM} did not print its counts"))?;
    Ok(count.settled(done.success))
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

#[cfg(test)]
mod tests {
    use super::*;

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
