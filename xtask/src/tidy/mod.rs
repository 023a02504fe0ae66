//! `cargo xtask tidy`: the rules that no compiler checks, from which layer may know which to where `unsafe` may stand.
//!
//! The settings, with their reasons, are in `xtask/data/tidy.json`; the rules are in `rules.rs`.

mod modules;
mod rules;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bail;
use crate::count::Count;
use crate::data::strings;
use crate::error::{Context, Result};
use crate::paths;
use rules::{File, RUST, Violation};
use scan::Scan;

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 7] =
    [".git", "target", "node_modules", "__pycache__", ".venv", ".pytest_cache", "vendor"];
/// What counts as a source file.
const SOURCES: [&str; 12] = ["rs", "c", "cpp", "h", "hpp", "cu", "py", "pyi", "R", "jl", "java", "ts"];

/// `tidy`.
pub fn command(args: &[String]) -> Result {
    if let Some(arg) = args.first() {
        bail!("tidy takes no argument, not {arg}");
    }
    let count = check()?;
    if count.failed > 0 {
        bail!("tidy: {} rules are broken", count.failed);
    }
    println!("tidy: {} rules hold", count.passed);
    Ok(())
}

/// Checks the tree, prints each violation as `file:line: rule: message`, and counts the rules.
pub fn check() -> Result<Count> {
    let config = crate::data::json(Path::new("xtask/data/tidy.json"))?;
    let mut broken: BTreeMap<&str, usize> =
        RUST.iter().map(|(name, _)| *name).chain(["length", "generated"]).map(|name| (name, 0)).collect();
    for path in sources()? {
        let text = fs::read_to_string(paths::root().join(&path)).context(|| format!("reading {path}"))?;
        for (rule, Violation { line, message }) in check_file(&path, &text, &config) {
            println!("{path}:{line}: {rule}: {message}");
            *broken.entry(rule).or_default() += 1;
        }
    }
    let failed = broken.values().filter(|violations| **violations > 0).count();
    Ok(Count { passed: broken.len() - failed, failed, skipped: 0 })
}

/// All violations of one file, each with the name of its rule.
fn check_file(path: &str, text: &str, config: &Value) -> Vec<(&'static str, Violation)> {
    let mut found = Vec::new();
    if path.ends_with(".rs") {
        let scan = Scan::new(text);
        let file = File { path, text, scan: &scan };
        for (name, rule) in RUST {
            found.extend(rule(&file, config).into_iter().map(|violation| (*name, violation)));
        }
    }
    found.extend(length(text, config).map(|violation| ("length", violation)));
    found.extend(marker(path, text, config).map(|violation| ("generated", violation)));
    found
}

/// A file that is too long to read, unless nobody has to.
fn length(text: &str, config: &Value) -> Option<Violation> {
    let lines = text.lines().count();
    let limit = config["max_lines"].as_u64().unwrap_or(u64::MAX) as usize;
    (lines > limit && !is_generated(text, config))
        .then(|| Violation { line: limit + 1, message: format!("{lines} lines, of at most {limit}") })
}

/// A generated file says so, and only a generated file does.
fn marker(path: &str, text: &str, config: &Value) -> Option<Violation> {
    let listed = strings(&config["generated"]).iter().any(|place| rules::lies_in(path, place));
    let message = match (listed, is_generated(text, config)) {
        (true, false) => "a generated file without the marker @generated in its first five lines",
        (false, true) => "carries the marker of generated files, but xtask/data/tidy.json does not list it",
        _ => return None,
    };
    Some(Violation { line: 1, message: message.to_string() })
}

/// Whether a comment in one of the first five lines carries the marker.
fn is_generated(text: &str, config: &Value) -> bool {
    let marker = config["generated_marker"].as_str().unwrap_or("@generated");
    let comment = |line: &str| line.trim_start().starts_with(['/', '#', '*']);
    text.lines().take(5).any(|line| comment(line) && line.contains(marker))
}

/// The source files of the repository, sorted, as paths from its root.
fn sources() -> Result<Vec<String>> {
    let root = paths::root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let entry = entry.context(|| format!("reading {}", folder.display()))?;
            let path = entry.path();
            let kind = entry.file_type().context(|| format!("reading {}", path.display()))?;
            if kind.is_dir() {
                if !FOREIGN.iter().any(|name| entry.file_name() == *name) {
                    folders.push(path);
                }
            } else if kind.is_file() && path.extension().is_some_and(|ext| SOURCES.iter().any(|s| ext == *s))
            {
                let inside = path.strip_prefix(&root).unwrap_or(&path);
                found.push(inside.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    Ok(found)
}
