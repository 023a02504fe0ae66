//! The module paths that a Rust file mentions, in `use` declarations and in expressions alike.

use super::scan::Token;

/// A path such as `crate::op::Schema`, its first segment resolved, and the line where it begins, from 0.
#[derive(Debug, PartialEq, Eq)]
pub struct Mention {
    /// Its segments; `crate` or the name of another crate comes first.
    pub path: Vec<String>,
    /// Its line, from 0.
    pub line: usize,
    /// It stands in a `use` declaration.
    pub used: bool,
}

impl Mention {
    /// Whether the path is `module` (written with `::`) or lies in it.
    pub fn within(&self, module: &str) -> bool {
        let mut segments = self.path.iter();
        module.split("::").all(|part| segments.next().is_some_and(|segment| segment == part))
    }
}

/// The module that a file below `src` is, from `crate` on: `core/src/op/mod.rs` is `crate::op`.
pub fn module_of(path: &str) -> Vec<String> {
    let inside = path.split_once("src/").map_or(path, |(_, inside)| inside);
    let mut module = vec!["crate".to_string()];
    for part in inside.trim_end_matches(".rs").split('/') {
        if !matches!(part, "mod" | "lib" | "main") {
            module.push(part.to_string());
        }
    }
    module
}

/// Every path of more than one segment, and every path of a `use`, in a file that is `module`.
pub fn mentions(tokens: &[Token], module: &[String]) -> Vec<Mention> {
    let mut finder = Finder { tokens, at: 0, module: module.to_vec(), inline: Vec::new(), found: Vec::new() };
    finder.find();
    finder.found
}

struct Finder<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    /// The module around the token, inline ones included.
    module: Vec<String>,
    /// The brace depth inside each open inline module.
    inline: Vec<usize>,
    found: Vec<Mention>,
}

impl<'a> Finder<'a> {
    fn text(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    fn find(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "mod" if is_word(self.text(1)) && self.text(2) == "{" => {
                    self.module.push(self.text(1).to_string());
                    depth += 1;
                    self.inline.push(depth);
                    self.at += 3;
                }
                "use" => {
                    self.at += 1;
                    self.tree(&[], true);
                }
                text if is_word(text) && self.text(1) == "::" => self.tree(&[], false),
                text => {
                    depth += usize::from(text == "{");
                    if text == "}" {
                        if self.inline.last() == Some(&depth) {
                            self.inline.pop();
                            self.module.pop();
                        }
                        depth = depth.saturating_sub(1);
                    }
                    self.at += 1;
                }
            }
        }
    }

    /// One path after `prefix`, or each of a group in braces.
    fn tree(&mut self, prefix: &[String], used: bool) {
        let mut path = prefix.to_vec();
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        if self.text(0) == "::" {
            self.at += 1;
        }
        loop {
            match self.text(0) {
                "{" if used || !path.is_empty() => return self.group(&path, used),
                text if is_word(text) => path.push(text.to_string()),
                "*" if used => {}
                _ => break,
            }
            self.at += 1;
            if self.text(0) != "::" {
                break;
            }
            self.at += 1;
        }
        if used && self.text(0) == "as" {
            self.at += 2;
        }
        if !path.is_empty() {
            let path = self.resolve(path);
            self.found.push(Mention { path, line, used });
        }
    }

    fn group(&mut self, prefix: &[String], used: bool) {
        self.at += 1;
        while self.at < self.tokens.len() && self.text(0) != "}" {
            let before = self.at;
            self.tree(prefix, used);
            self.at += usize::from(self.text(0) == "," || self.at == before);
        }
        self.at += 1;
    }

    /// Replaces leading `self` and `super` by the modules they mean.
    fn resolve(&self, path: Vec<String>) -> Vec<String> {
        let ups = path.iter().take_while(|segment| *segment == "super").count();
        let skip = ups + usize::from(ups == 0 && path[0] == "self");
        if skip == 0 {
            return path;
        }
        let kept = self.module.len().saturating_sub(ups).max(1);
        self.module[..kept].iter().cloned().chain(path.into_iter().skip(skip)).collect()
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::super::scan::Scan;
    use super::*;

    fn paths(file: &str, source: &str) -> Vec<String> {
        let scan = Scan::new(source);
        mentions(&scan.tokens(), &module_of(file)).iter().map(|m| m.path.join("::")).collect()
    }

    #[test]
    fn groups_are_taken_apart() {
        let found = paths(
            "core/src/engine/var.rs",
            "use crate::{ndarray::{Array, view::*}, op as o, self};\nlet x = 1;",
        );
        assert_eq!(found, ["crate::ndarray::Array", "crate::ndarray::view", "crate::op", "crate::self"]);
    }

    #[test]
    fn relative_paths_are_resolved_from_the_module() {
        assert_eq!(paths("core/src/engine/var.rs", "super::super::ops::add()"), ["crate::ops::add"]);
        assert_eq!(
            paths("core/src/engine/mod.rs", "use super::ops; self::var::f();"),
            ["crate::ops", "crate::engine::var::f"]
        );
        let inline = "mod tests { use super::*; fn f() {} } use super::graph;";
        assert_eq!(paths("core/src/op/a.rs", inline), ["crate::op::a", "crate::op::graph"]);
    }

    #[test]
    fn expressions_and_types_count() {
        let found =
            paths("core/src/op/a.rs", "fn f(x: crate::ops::Add) -> Vec<crate::graph::Node> { A::new() }");
        assert_eq!(found, ["crate::ops::Add", "crate::graph::Node", "A::new"]);
    }

    #[test]
    fn within_compares_whole_segments() {
        let mention = Mention { path: vec!["crate".into(), "ops".into()], line: 0, used: true };
        assert!(mention.within("crate::ops") && mention.within("crate"));
        assert!(!mention.within("crate::op") && !mention.within("crate::ops::nn"));
    }

    #[test]
    fn a_file_is_the_module_its_path_says() {
        assert_eq!(module_of("core/src/op/mod.rs"), ["crate", "op"]);
        assert_eq!(module_of("core/src/lib.rs"), ["crate"]);
        assert_eq!(module_of("core/src/ops/nn/conv.rs"), ["crate", "ops", "nn", "conv"]);
    }
}
