//! R's optimizers, learning-rate schedules, initializers, metrics, data iterators and callbacks, which are registered in
//! the same way: a function that makes each, with its page of help.

use super::{Parameter, attributes, call, help};
use crate::generate::File;
use crate::generate::schema::{MARKER, list, text};
use serde_json::Value;
use std::fmt::Write;

/// A kind of registered things.
pub struct Kind {
    /// Its key in the schema, which is its name in the C code too.
    pub key: &'static str,
    /// What the names of its functions begin with.
    prefix: &'static str,
    /// MXNet's package writes the names in small letters.
    small: bool,
    /// The class of what is made.
    class: &'static str,
}

/// Every kind that has functions.
pub const KINDS: &[Kind] = &[
    kind("optimizers", "mx.opt.", true, "MXOptimizer"),
    kind("lr_schedulers", "mx.lr_scheduler.", false, "MXLRScheduler"),
    kind("initializers", "mx.init.", false, "MXInitializer"),
    kind("metrics", "mx.metric.", false, "MXMetric"),
    kind("data_iters", "mx.io.", false, "MXDataIter"),
    kind("callbacks", "mx.callback.", false, "MXCallback"),
];
/// Kinds that are made by name alone.
pub const NAMED: [&str; 1] = ["gradient_compressions"];

const fn kind(key: &'static str, prefix: &'static str, small: bool, class: &'static str) -> Kind {
    Kind { key, prefix, small, class }
}

/// What a function takes besides attributes: a name, whether it must be given, and its help.
type More = (&'static str, bool, &'static str);

impl Kind {
    fn function(&self, thing: &Value) -> String {
        let name = text(thing, "name").replace('_', ".");
        format!("{}{}", self.prefix, if self.small { name.to_lowercase() } else { name })
    }

    fn more(&self, thing: &Value) -> &'static [More] {
        match (self.key, text(thing, "takes")) {
            ("optimizers", _) => &[(
                "lr_scheduler",
                false,
                "A schedule, which says the learning rate by the number of updates.",
            )],
            (_, "arrays") => &[
                (
                    "data",
                    true,
                    "An array, of R too, with samples along the last dimension, or a list with names.",
                ),
                ("label", false, "The same for labels."),
            ],
            (_, "iterators") => &[("iters", true, "A data iterator, or a list of them.")],
            _ => &[],
        }
    }

    /// Those that must be given come first, as in MXNet; the others last.
    fn formals(&self, thing: &Value) -> Vec<String> {
        let first = self.more(thing).iter().any(|(_, needed, _)| *needed);
        let parameter = |(name, needed, _): &More| match needed {
            true => (*name).to_owned(),
            false => format!("{name} = NULL"),
        };
        let more: Vec<String> = self.more(thing).iter().map(parameter).collect();
        let mut all: Vec<String> = attributes(thing).iter().map(Parameter::formal).collect();
        let at = if first { 0 } else { all.len() };
        all.splice(at..at, more);
        let dots = if first { all.len() } else { at };
        all.insert(dots, "...".into());
        all
    }

    /// What the C code is handed besides attributes.
    fn given(&self, thing: &Value) -> String {
        match self.more(thing) {
            [] => "NULL".into(),
            [(name, ..)] => (*name).to_owned(),
            all => format!("list({})", all.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// `R/registered.R`.
pub fn functions(schema: &Value) -> String {
    let mut out = format!(
        "# {MARKER}\n#\n# What is registered besides operators. NULL is an attribute that is not given, which means \
         the library's default.\n"
    );
    for kind in KINDS {
        for thing in list(schema, kind.key) {
            let mut given = vec!["C_create".into(), format!("\"{}\"", kind.key), thing["name"].to_string()];
            given.push(format!("more.{}({})", kind.key, kind.given(thing)));
            given.extend(attributes(thing).iter().map(Parameter::actual));
            given.push("...".into());
            let head = call(&format!("{} <- function", kind.function(thing)), &kind.formals(thing), 4);
            let made = call(".External", &given, 12);
            let _ = write!(out, "\n{head}\n  made.{}({made}, environment())\n", kind.key);
        }
    }
    out
}

/// The pages of help.
pub fn pages(schema: &Value) -> Vec<File> {
    let page = |kind: &Kind, thing: &Value| {
        let name = kind.function(thing);
        let mut arguments = help::attributes(thing);
        arguments.push(("...".into(), help::DOTS.into()));
        arguments.extend(
            kind.more(thing).iter().map(|(name, _, about)| ((*name).to_owned(), (*about).to_owned())),
        );
        help::Page {
            file: name.clone(),
            title: help::title(text(thing, "doc")),
            names: vec![name.clone()],
            usage: vec![call(&name, &kind.formals(thing), 4)],
            description: text(thing, "doc").to_owned(),
            arguments,
            value: format!("An object of class \\code{{{}}}.", kind.class),
            keyword: kind.key,
        }
        .file()
    };
    KINDS.iter().flat_map(|kind| list(schema, kind.key).iter().map(move |thing| page(kind, thing))).collect()
}
