//! Python's optimizers, learning-rate schedules, initializers, metrics, data iterators and callbacks, from the schema:
//! a class for each, with its signature, help and types, and the tables by which the extension module makes them.
//!
//! What the classes of a kind share is written by hand, in the class that they derive from.

use super::attribute;
use super::text::{annotation, literal, parameters};
use crate::generate::File;
use crate::generate::schema::{MARKER, list, text};
use serde_json::Value;
use std::fmt::Write;

const FOLDER: &str = "bindings/python/python/mxr/_gen";

/// An argument that the schema does not have, because it is an object of the language.
struct Extra {
    name: &'static str,
    kind: &'static str,
    doc: &'static str,
}

/// A kind of things.
struct Kind {
    /// Its key in the schema.
    key: &'static str,
    /// The generated module.
    module: &'static str,
    about: &'static str,
    /// Where the module gets the class that all derive from, and the functions that register them.
    imports: &'static str,
    /// Whether classes are registered for a function that makes them by name, under their aliases too if there is a
    /// function for that.
    registers: bool,
    /// Those that Python has by hand, because objects of the language take part in them.
    by_hand: &'static [&'static str],
    /// That class.
    base: &'static str,
    /// The one of the classes that the others derive from.
    root: Option<&'static str>,
    /// Attributes with ids below this may be given by keyword only.
    keyword_only: u64,
    extra: &'static [Extra],
    /// The extension module's table.
    table: &'static str,
}

const KINDS: [Kind; 6] = [
    Kind {
        key: "optimizers",
        module: "optimizer",
        about: "Optimizers.",
        imports: "from ..optimizer._base import Base, register",
        registers: true,
        by_hand: &[],
        base: "Base",
        root: Some("Optimizer"),
        keyword_only: 10,
        extra: &[
            Extra {
                name: "lr_scheduler",
                kind: "LRScheduler | None",
                doc: "Says the learning rate by the number of updates.",
            },
            Extra {
                name: "param_idx2name",
                kind: "dict[int, str] | None",
                doc: "The parameters' names, by index. Those that end neither in ``_weight`` nor in ``_gamma`` \
                      then do not decay.",
            },
            Extra {
                name: "sym",
                kind: "Any",
                doc: "The symbol whose variables' ``lr_mult`` and ``wd_mult`` count.",
            },
            Extra {
                name: "param_dict",
                kind: "dict[int, Any] | None",
                doc: "Objects by index whose ``lr_mult`` and ``wd_mult`` count.",
            },
        ],
        table: "OPTIMIZERS",
    },
    Kind {
        key: "lr_schedulers",
        module: "lr_scheduler",
        about: "Learning-rate schedules.",
        imports: "from .._schedule import Schedule, register",
        registers: true,
        by_hand: &[],
        base: "Schedule",
        root: Some("LRScheduler"),
        keyword_only: 0,
        extra: &[],
        table: "LR_SCHEDULERS",
    },
    Kind {
        key: "initializers",
        module: "initializer",
        about: "Initializers.",
        imports: "from .._initialize import Initializer, alias, register",
        registers: true,
        by_hand: &[],
        base: "Initializer",
        root: None,
        keyword_only: 0,
        extra: &[],
        table: "INITIALIZERS",
    },
    Kind {
        key: "metrics",
        module: "metric",
        about: "Metrics.",
        imports: "from .._metric import Known, alias, register",
        registers: true,
        by_hand: &["CompositeEvalMetric", "CustomMetric"],
        base: "Known",
        root: None,
        keyword_only: 0,
        extra: &[],
        table: "METRICS",
    },
    Kind {
        key: "data_iters",
        module: "io",
        about: "Data iterators.",
        imports: "from .._io import MXDataIter",
        registers: false,
        by_hand: &["PrefetchingIter", "ResizeIter"],
        base: "MXDataIter",
        root: None,
        keyword_only: 0,
        extra: &[],
        table: "DATA_ITERS",
    },
    Kind {
        key: "callbacks",
        module: "callback",
        about: "Callbacks.",
        imports: "from .._callback import Callback",
        registers: false,
        by_hand: &["do_checkpoint"],
        base: "Callback",
        root: None,
        keyword_only: 0,
        extra: &[],
        table: "CALLBACKS",
    },
];

/// What the extension module makes by name and Python has no class for: key in the schema, what it is, table.
const OTHERS: [(&str, &str, &str); 1] =
    [("gradient_compressions", "Ways to compress gradients.", "GRADIENT_COMPRESSIONS")];

/// The generated files.
pub fn files(schema: &Value) -> Vec<File> {
    let mut files = vec![
        (
            format!("{FOLDER}/__init__.py").into(),
            format!("# {MARKER}\n\"\"\"Classes made from the schema.\"\"\"\n"),
        ),
        ("bindings/python/src/registered.rs".into(), tables(schema)),
    ];
    for kind in &KINDS {
        let (source, stub) = kind.module(list(schema, kind.key));
        files.push((format!("{FOLDER}/{}.py", kind.module).into(), source));
        files.push((format!("{FOLDER}/{}.pyi", kind.module).into(), stub));
    }
    files
}

impl Kind {
    /// The module and its stub.
    fn module(&self, entries: &[Value]) -> (String, String) {
        let (mut classes, mut stubs, mut names) = (String::new(), String::new(), vec![]);
        for entry in entries.iter().filter(|e| !self.by_hand.contains(&text(e, "name"))) {
            let root = self.root.filter(|root| text(entry, "name") != *root);
            let class = Class { kind: self, entry, parent: root.unwrap_or(self.base) };
            classes += &class.source();
            stubs += &class.stub();
            names.push(text(entry, "name"));
            for alias in class.names_of_classes() {
                let _ = write!(classes, "\n\n{alias} = {}\n", text(entry, "name"));
                let _ = writeln!(stubs, "{alias} = {}\n", text(entry, "name"));
                names.push(alias);
            }
        }
        names.sort_unstable();
        let names: String = names.iter().map(|n| format!("    \"{n}\",\n")).collect();
        let source = format!(
            "# {MARKER}\n# ruff: noqa\n\"\"\"{}\"\"\"\n\n{}\n\n__all__ = [\n{names}]\n{classes}",
            self.about, self.imports
        );
        let schedule = match self.module {
            "optimizer" => "from .lr_scheduler import LRScheduler\n",
            "io" => "from ..ndarray import NDArray\n",
            _ => "",
        };
        let stub = format!(
            "# {MARKER}\n# ruff: noqa\nfrom typing import Any, Sequence\n\n{}\n{schedule}\n{stubs}",
            self.imports
        );
        (source, stub)
    }
}

/// The class of one thing.
struct Class<'a> {
    kind: &'a Kind,
    entry: &'a Value,
    parent: &'a str,
}

impl<'a> Class<'a> {
    fn attrs(&self) -> &'a [Value] {
        list(self.entry, "attrs")
    }

    /// Aliases that are names of classes, not words for `create`.
    fn names_of_classes(&self) -> impl Iterator<Item = &'a str> {
        let aliases = list(self.entry, "aliases").iter().filter_map(Value::as_str);
        aliases.filter(|alias| alias.contains(char::is_uppercase))
    }

    /// What the thing reads from besides its attributes: name, type and help of parameters before them.
    fn sources(&self) -> &'static [Extra] {
        const ARRAYS: &[Extra] = &[
            Extra {
                name: "data",
                kind: "NDArray | list | dict",
                doc: "Arrays of examples: one, a list, or a dict by name.",
            },
            Extra {
                name: "label",
                kind: "NDArray | list | dict | None",
                doc: "Arrays of labels, as the data.",
            },
        ];
        if self.entry["takes"] == "arrays" { ARRAYS } else { &[] }
    }

    fn words_for_create(&self) -> Vec<String> {
        let aliases = list(self.entry, "aliases").iter().filter_map(Value::as_str);
        aliases.map(|alias| format!("\"{}\"", alias.to_lowercase())).collect()
    }

    /// The parameters of `__init__`. What all of a kind have comes after what this one has, by keyword only.
    fn parameters(&self, stub: bool) -> String {
        let own = |attr: &Value| attr["id"].as_u64() >= Some(self.kind.keyword_only);
        let positional = match self.entry["takes"] == "nothing" {
            true => 0,
            false => self.attrs().iter().rposition(own).map_or(0, |last| last + 1),
        };
        let mut out = vec!["self".to_owned()];
        for source in self.sources() {
            let default = source.kind.ends_with("None").then_some("None");
            out.push(parameter(source.name, source.kind, default, stub));
        }
        for (i, attr) in self.attrs().iter().enumerate() {
            if i == positional {
                out.push("*".into());
            }
            let name = text(attr, "name");
            let default = attr.get("default").map(|_| literal(attr));
            out.push(parameter(name, &annotation(attr), default.as_deref(), stub));
        }
        for extra in self.kind.extra {
            out.push(parameter(extra.name, extra.kind, Some("None"), stub));
        }
        if !self.kind.extra.is_empty() {
            out.push(if stub { "**kwargs: Any".into() } else { "**kwargs".into() });
        }
        out.join(", ")
    }

    fn source(&self) -> String {
        let name = text(self.entry, "name");
        let given: Vec<String> =
            self.attrs().iter().map(|a| format!("\"{0}\": {0}", text(a, "name"))).collect();
        let mut arguments = format!("\"{name}\", {{{}}}", given.join(", "));
        for extra in self.sources().iter().chain(self.kind.extra) {
            let _ = write!(arguments, ", {}", extra.name);
        }
        if !self.kind.extra.is_empty() {
            arguments += ", kwargs";
        }
        let words = self.words_for_create();
        let mut decorators = if self.kind.registers { "@register\n".to_owned() } else { String::new() };
        if !words.is_empty() && self.kind.imports.contains(" alias,") {
            let _ = writeln!(decorators, "@alias({})", words.join(", "));
        }
        format!(
            "\n\n{decorators}class {name}({}):\n{}\n    def __init__({}):\n        self._create({arguments})\n",
            self.parent,
            self.doc(),
            self.parameters(false)
        )
    }

    fn doc(&self) -> String {
        fn parts(extra: &[Extra]) -> Vec<(&str, &str, &str)> {
            extra.iter().map(|e| (e.name, e.kind, e.doc)).collect()
        }
        let (before, after) = (parts(self.sources()), parts(self.kind.extra));
        parameters(text(self.entry, "doc"), &before, self.attrs(), &after)
    }

    fn stub(&self) -> String {
        let mut out = format!("class {}({}):\n", text(self.entry, "name"), self.parent);
        for attr in self.attrs() {
            if text(attr, "name") != "learning_rate" {
                let _ = writeln!(out, "    {}: {}", text(attr, "name"), annotation(attr));
            }
        }
        let _ = writeln!(out, "    def __init__({}) -> None: ...\n", self.parameters(true));
        out
    }
}

fn parameter(name: &str, kind: &str, default: Option<&str>, stub: bool) -> String {
    match (default, stub) {
        (None, false) => name.to_owned(),
        (None, true) => format!("{name}: {kind}"),
        (Some(default), false) => format!("{name}={default}"),
        (Some(default), true) => format!("{name}: {kind} = {default}"),
    }
}

/// The extension module's tables.
fn tables(schema: &Value) -> String {
    let mut out = format!(
        "//! {MARKER}\n//!\n//! What the extension module makes by name, with the attributes.\n\n\
         use crate::convert::{{Attr, Kind, Registered}};\n"
    );
    let kinds = KINDS.iter().map(|kind| (kind.key, kind.about, kind.table));
    for (key, about, table) in kinds.chain(OTHERS) {
        let entries = list(schema, key);
        let _ = write!(
            out,
            "\n/// {about}\n#[rustfmt::skip]\npub static {table}: [Registered; {}] = [\n",
            entries.len()
        );
        for entry in entries {
            let attrs: Vec<String> = list(entry, "attrs").iter().map(attribute).collect();
            let name = text(entry, "name");
            let _ = writeln!(out, "    Registered {{ name: c{name:?}, attrs: &[{}] }},", attrs.join(", "));
        }
        out += "];\n";
    }
    out
}
