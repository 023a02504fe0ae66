//! R's optimizers, learning-rate schedules, initializers and whatever else is registered in the same way: a function
//! that makes each, with its page of help.

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
    /// What a function of this kind takes besides attributes, with its help.
    more: Option<(&'static str, &'static str)>,
}

/// Every kind.
pub const KINDS: &[Kind] = &[
    Kind {
        key: "optimizers",
        prefix: "mx.opt.",
        small: true,
        class: "MXOptimizer",
        more: Some(("lr_scheduler", "A schedule, which says the learning rate by the number of updates.")),
    },
    Kind {
        key: "lr_schedulers",
        prefix: "mx.lr_scheduler.",
        small: false,
        class: "MXLRScheduler",
        more: None,
    },
    Kind { key: "initializers", prefix: "mx.init.", small: false, class: "MXInitializer", more: None },
];

impl Kind {
    fn function(&self, thing: &Value) -> String {
        let name = text(thing, "name").replace('_', ".");
        format!("{}{}", self.prefix, if self.small { name.to_lowercase() } else { name })
    }

    fn formals(&self, thing: &Value) -> Vec<String> {
        let mut all: Vec<String> = attributes(thing).iter().map(Parameter::formal).collect();
        all.push("...".into());
        all.extend(self.more.map(|(name, _)| format!("{name} = NULL")));
        all
    }
}

/// `R/registered.R`.
pub fn functions(schema: &Value) -> String {
    let mut out = format!(
        "# {MARKER}\n#\n# What is registered besides operators. Numbers are those of src/registered.c; NULL is an \
         attribute that is not\n# given, which means the library's default.\n"
    );
    for (k, kind) in KINDS.iter().enumerate() {
        for (i, thing) in list(schema, kind.key).iter().enumerate() {
            let mut given = vec!["C_create".into(), format!("{k}L"), format!("{i}L")];
            given.push(kind.more.map_or("NULL", |(name, _)| name).to_owned());
            given.extend(attributes(thing).iter().map(Parameter::actual));
            given.push("...".into());
            let head = call(&format!("{} <- function", kind.function(thing)), &kind.formals(thing), 4);
            let made = call(".External", &given, 12);
            let _ = write!(out, "\n{head}\n  made.{}({made})\n", kind.key);
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
        arguments.extend(kind.more.map(|(name, about)| (name.to_owned(), about.to_owned())));
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
