//! Pages of help in R's format, Rd.

use super::{Mode, call, formals, is_variadic, names, single_inputs};
use crate::generate::File;
use crate::generate::schema::{MARKER, bounds, list, text};
use serde_json::Value;
use std::fmt::Write;

/// Titles are at most this long.
const TITLE: usize = 65;
/// What may stand in the dots of every function.
pub const DOTS: &str = "Arguments with dots for underscores in their names, as in `num.hidden`.";

/// A page of help. Texts are in the schema's words; `value` is Rd.
pub struct Page {
    pub file: String,
    pub title: String,
    pub names: Vec<String>,
    pub usage: Vec<String>,
    pub description: String,
    pub arguments: Vec<(String, String)>,
    pub value: String,
    pub keyword: &'static str,
}

impl Page {
    /// The page as a file of the package.
    pub fn file(&self) -> File {
        let mut out = format!("% {MARKER}\n\\name{{{}}}\n", self.names[0]);
        for name in &self.names {
            let _ = writeln!(out, "\\alias{{{name}}}");
        }
        let _ = write!(out, "\\title{{{}}}\n\\usage{{\n", markup(&self.title));
        self.usage.iter().for_each(|usage| out += &format!("{usage}\n"));
        let _ = write!(out, "}}\n\\description{{\n{}}}\n\\arguments{{\n", paragraphs(&self.description));
        for (name, about) in &self.arguments {
            let name = if name == "..." { "\\dots" } else { name };
            let _ = writeln!(out, "\\item{{{name}}}{{{}}}", paragraphs(about).trim_end());
        }
        let _ = write!(out, "}}\n\\value{{\n{}\n}}\n\\keyword{{{}}}\n", self.value, self.keyword);
        (format!("bindings/r/man/{}.Rd", self.file).into(), out)
    }
}

/// The page of an operator's functions.
pub fn operator(op: &Value) -> File {
    let ends = names(op);
    let full = |mode: Mode| ends.iter().map(move |end| format!("{}{end}", mode.prefix()));
    let usage = [Mode::Eager, Mode::Symbolic];
    let usage = usage.map(|mode| call(&format!("{}{}", mode.prefix(), ends[0]), &formals(op, mode), 4));
    let mut arguments: Vec<(String, String)> = single_inputs(op).map(input).collect();
    arguments.extend(attributes(op));
    let dots = match list(op, "inputs").iter().find(|input| input["variadic"] == true) {
        Some(input) => format!("{} Arrays or symbols, or a list of them.", text(input, "doc")),
        None => DOTS.into(),
    };
    arguments.push(("...".into(), dots));
    arguments.push(("out".into(), "An array, or a list of them, that receives the result.".into()));
    arguments.push(("name".into(), "The name of the symbol.".into()));
    arguments.push(("attr".into(), "Attributes for users: texts, with names such as `__note__`.".into()));
    let lists = if op["outputs_vary"] == true { ", or a list of them" } else { "" };
    Page {
        file: format!("op.{}", ends[0]),
        title: title(text(op, "doc")),
        names: full(Mode::Eager).chain(full(Mode::Symbolic)).collect(),
        usage: usage.into(),
        description: description(op),
        arguments,
        value: format!("An \\code{{MXNDArray}}{lists}; a \\code{{MXSymbol}} of the function on symbols."),
        keyword: "operators",
    }
    .file()
}

fn description(op: &Value) -> String {
    let mut out = text(op, "doc").to_owned();
    let vectors = list(op, "attrs").iter().any(|a| matches!(text(a, "type"), "shape" | "optional ints"));
    if vectors {
        out += "\n\nVectors of sizes are in the order of R's dimensions, the reverse of the shapes above. Axes are \
                numbered from 0, the last of R's dimensions.";
    }
    if is_variadic(op) {
        out += "\n\nTakes any number of inputs.";
    }
    out
}

fn input(input: &Value) -> (String, String) {
    let mut about = text(input, "doc").to_owned();
    if input["optional"] == true {
        about += " May be left out.";
    }
    if input["mutated"] == true {
        about += " Changed by the call.";
    }
    (text(input, "name").into(), about)
}

/// The arguments that attributes are.
pub fn attributes(entry: &Value) -> Vec<(String, String)> {
    let one = |attr: &Value| {
        let values: Vec<String> = list(attr, "values").iter().map(|value| format!("`{value}`")).collect();
        let values =
            if values.is_empty() { String::new() } else { format!("One of {}. ", values.join(", ")) };
        let about = format!("{} {values}{}{}", text(attr, "doc"), bounds(attr), default(attr));
        (text(attr, "name").to_owned(), about.trim_end().to_owned())
    };
    list(entry, "attrs").iter().map(one).collect()
}

fn default(attr: &Value) -> String {
    match attr.get("default") {
        None => "Must be given.".into(),
        Some(Value::Null) => "Default: none, `NA`.".into(),
        Some(Value::Bool(value)) => format!("Default: `{}`.", if *value { "TRUE" } else { "FALSE" }),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().rev().map(Value::to_string).collect();
            format!("Default: `c({})`.", items.join(", "))
        }
        Some(value) => format!("Default: `{value}`."),
    }
}

/// The first sentence of a text, if it is short enough for a title; else what fits of it.
pub fn title(doc: &str) -> String {
    let first = doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let sentence = first.split(". ").next().unwrap_or_default().split(": ").next().unwrap_or_default();
    let sentence = sentence.trim_end_matches(['.', ':']).replace('`', "");
    let mut out = String::new();
    for word in sentence.split(' ') {
        if out.chars().count() + word.chars().count() + 1 > TITLE {
            return out.trim_end_matches([',', ';']).to_owned() + " \u{2026}";
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out += word;
    }
    out
}

/// Paragraphs of Rd. What is a list or a table stays as it is, line by line.
fn paragraphs(doc: &str) -> String {
    let mut out = String::new();
    let mut kept = false;
    for line in doc.lines() {
        let keep = line.starts_with([' ', '|', '-', '*']);
        if keep || kept {
            out += "\\cr\n";
        } else if !out.is_empty() {
            out.push('\n');
        }
        kept = keep;
        out += markup(line.trim()).trim_end();
    }
    out.replace("\n\\cr\n", "\n\n").trim().to_owned() + "\n"
}

/// A line of Markdown as Rd: characters that mean something there, and code between backticks.
fn markup(line: &str) -> String {
    let mut out = String::new();
    for (i, part) in line.replace("\\[", "[").replace("\\]", "]").split('`').enumerate() {
        let mut escaped = String::new();
        for c in part.chars() {
            if matches!(c, '%' | '\\' | '{' | '}') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        out += &if i % 2 == 1 { format!("\\code{{{escaped}}}") } else { escaped };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_rd_is_escaped_and_backticks_are_code() {
        assert_eq!(markup("50 % of `{x}`"), "50 \\% of \\code{\\{x\\}}");
    }

    #[test]
    fn a_title_is_the_first_sentence_or_its_beginning() {
        assert_eq!(title("Sums `x`. More.\n\nMuch more."), "Sums x");
        let long = title(&"word ".repeat(40));
        assert!(long.ends_with('\u{2026}') && long.chars().count() <= TITLE + 2);
    }

    #[test]
    fn lists_keep_their_lines() {
        assert_eq!(paragraphs("One\ntwo.\n\n- a\n- b\n"), "One\ntwo.\n\n- a\\cr\n- b\n");
    }
}
