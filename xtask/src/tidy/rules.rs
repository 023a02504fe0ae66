//! The rules, each a function of one file.

use std::ops::Range;

use serde_json::Value;

use super::modules::{mentions, module_of};
use super::scan::{Scan, Token};
use crate::data::strings;

/// A broken rule at a line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation {
    /// The line, from 1.
    pub line: usize,
    /// The rule and what broke it.
    pub message: String,
}

/// A file of the repository.
pub struct File<'a> {
    /// Its path from the root, with `/`.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The same, as Rust.
    pub scan: &'a Scan,
}

/// A rule's name and its function of a Rust file and the settings in `xtask/data/tidy.json`.
pub type Rule = (&'static str, fn(&File, &Value) -> Vec<Violation>);

/// The rules for Rust files.
pub const RUST: &[Rule] = &[
    ("layers", layers),
    ("module docs", module_docs),
    ("unsafe only where allowed", unsafe_places),
    ("unsafe has a reason", unsafe_reasons),
    ("nothing unfinished", unfinished),
];

/// Whether `path` is `place`, or below it where that ends in `/`.
pub fn lies_in(path: &str, place: &str) -> bool {
    path == place || (place.ends_with('/') && path.starts_with(place))
}

fn at(line: usize, message: impl Into<String>) -> Violation {
    Violation { line: line + 1, message: message.into() }
}

/// Who may know whom.
fn layers(file: &File, config: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    let layers = config["layers"].as_array().into_iter().flatten();
    let concerns = |layer: &&Value| strings(&layer["in"]).iter().any(|place| lies_in(file.path, place));
    for layer in layers.filter(concerns) {
        let rule = layer["rule"].as_str().unwrap_or("layer rule");
        let never = strings(&layer["never"]);
        let imports = strings(&layer["imports"]);
        for mention in mentions(&file.scan.tokens(), &module_of(file.path)) {
            let foreign = mention.used && !imports.is_empty() && !imports.contains(&mention.path[0].as_str());
            if foreign || never.iter().any(|module| mention.within(module)) {
                found
                    .push(at(mention.line, format!("{rule}, but this mentions {}", mention.path.join("::"))));
            }
        }
    }
    found
}

/// A module begins by saying what it is.
fn module_docs(file: &File, config: &Value) -> Vec<Violation> {
    let first = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if first.starts_with("//!") || super::is_generated(file.text, config) {
        return Vec::new();
    }
    vec![at(0, "the file does not begin with `//!` and what the module is")]
}

/// `unsafe` stays in the places that `tidy.json` lists with their reasons.
fn unsafe_places(file: &File, config: &Value) -> Vec<Violation> {
    let places = config["unsafe"].as_array().into_iter().flatten();
    let mut places = places.filter_map(|place| place["in"].as_str());
    if places.any(|place| lies_in(file.path, place)) {
        return Vec::new();
    }
    let tokens = file.scan.tokens();
    let found = tokens.iter().filter(|token| token.text == "unsafe");
    found
        .map(|token| at(token.line, "unsafe in a file that xtask/data/tidy.json does not allow it in"))
        .collect()
}

/// Every unsafe block and implementation says why it is sound, by itself or all in one item together.
fn unsafe_reasons(file: &File, _: &Value) -> Vec<Violation> {
    let tokens = file.scan.tokens();
    let needs_reason = |pair: &&[Token]| pair[0].text == "unsafe" && matches!(pair[1].text, "{" | "impl");
    let together = covered(file.scan, &tokens);
    tokens
        .windows(2)
        .filter(needs_reason)
        .map(|pair| pair[0].line)
        .filter(|line| !has_reason(file.scan, *line) && !together.iter().any(|item| item.contains(line)))
        .map(|line| at(line, "unsafe without a `// SAFETY:` comment on or above it"))
        .collect()
}

/// The lines of each item below a comment that begins `SAFETY of all blocks:`, to the brace that ends the item.
fn covered(scan: &Scan, tokens: &[Token]) -> Vec<Range<usize>> {
    let comments = scan.comments.iter().enumerate();
    let starts = comments.filter(|(_, text)| text.contains("SAFETY of all blocks:")).map(|(line, _)| line);
    let end = |start: usize| {
        let mut depth = 0_usize;
        for token in tokens.iter().skip_while(|token| token.line < start) {
            match token.text {
                "{" => depth += 1,
                "}" if depth <= 1 => return token.line + 1,
                "}" => depth -= 1,
                _ => {}
            }
        }
        scan.code.len()
    };
    starts.map(|start| start..end(start)).collect()
}

/// Whether the line, or the comments and the beginning of the statement above it, say `SAFETY:`.
fn has_reason(scan: &Scan, line: usize) -> bool {
    if scan.comments[line].contains("SAFETY:") {
        return true;
    }
    for above in (0..line).rev() {
        if scan.comments[above].contains("SAFETY:") {
            return true;
        }
        let code = scan.code[above].trim();
        let blank = code.is_empty() && scan.comments[above].is_empty();
        let attribute = code.starts_with("#[");
        if blank || (!attribute && code.ends_with([';', '{', '}', ','])) {
            return false;
        }
    }
    false
}

/// No macro or attribute that stands for work to be done.
fn unfinished(file: &File, _: &Value) -> Vec<Violation> {
    let tokens = file.scan.tokens();
    let mut found = Vec::new();
    for three in tokens.windows(3) {
        let [a, b, c] = [three[0].text, three[1].text, three[2].text];
        if matches!(a, "todo" | "unimplemented" | "dbg") && b == "!" {
            found.push(at(three[0].line, format!("`{a}!` is unfinished code")));
        } else if (a, b, c) == ("#", "[", "ignore") {
            found.push(at(three[0].line, "a test that is ignored tests nothing"));
        }
    }
    found
}
