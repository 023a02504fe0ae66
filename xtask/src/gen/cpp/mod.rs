//! C++'s operators, optimizers, schedules and initializers, from the schema: `include/mxr_ops.hpp` with functions on
//! arrays and on symbols, `include/mxr/{registered,training}.hpp` with what is found by name, and the functions by which the
//! conformance runner calls the operators.
//!
//! Functions go to namespaces as MXNet's go to modules: `_contrib_x` is `mxr::op::contrib::x`, other names that begin
//! with `_` are in `mxr::op::internal`, the rest in `mxr::op`. No default value is written but in comments.

mod cases;
mod registered;
mod text;

use self::text::{cpp_name, doc, field};
use super::File;
use super::schema::{MARKER, camel, list, place, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The generated files.
pub fn files(schema: &Value) -> Vec<File> {
    let public: Vec<&Value> = list(schema, "operators").iter().filter(|op| op["internal"] != true).collect();
    let mut files = vec![("include/mxr_ops.hpp".into(), operators(&public))];
    files.extend(registered::files(schema, &public));
    files.push(cases::file(&public));
    files
}

/// The namespace inside `mxr::op`, empty for itself, and the name that an operator's name leads to.
fn namespace(name: &str) -> (&'static str, String) {
    let (module, name) = place(name);
    let name = name.trim_end_matches('_').trim_start_matches('_');
    (if module == "op" { "" } else { module }, cpp_name(name))
}

/// A function's place and name for each name of an operator, the main one first. Further names count if they are
/// public.
fn places(op: &Value) -> Vec<(&'static str, String)> {
    let aliases = list(op, "aliases").iter().filter_map(Value::as_str);
    let all: Vec<_> = std::iter::once(text(op, "name")).chain(aliases).map(namespace).collect();
    let mut public: Vec<_> = all.iter().filter(|(space, _)| *space != "internal").cloned().collect();
    if public.is_empty() {
        public.push(all[0].clone());
    }
    let mut seen = vec![];
    public.retain(|place| {
        !seen.contains(place) && {
            seen.push(place.clone());
            true
        }
    });
    public
}

/// An operator as its function in C++ has it.
pub(super) struct Function<'a> {
    op: &'a Value,
    /// `mxr::op::` and what follows, of the main function.
    pub(super) path: String,
    /// What names of its types begin with: they are all in `mxr::op`.
    pub(super) stem: String,
}

impl<'a> Function<'a> {
    pub(super) fn new(op: &'a Value) -> Self {
        let (space, name) = places(op)[0].clone();
        let path = if space.is_empty() { name.clone() } else { format!("{space}::{name}") };
        let stem = camel(space) + &camel(&name);
        Function { op, path, stem }
    }

    pub(super) fn name(&self) -> &'a str {
        text(self.op, "name")
    }

    pub(super) fn inputs(&self) -> &'a [Value] {
        list(self.op, "inputs")
    }

    pub(super) fn attrs(&self) -> &'a [Value] {
        list(self.op, "attrs")
    }

    /// Attributes that must be given.
    pub(super) fn required(&self) -> impl Iterator<Item = &'a Value> {
        self.attrs().iter().filter(|a| a.get("default").is_none())
    }

    /// Attributes that need not be given, which are the fields of the options.
    pub(super) fn optional(&self) -> impl Iterator<Item = &'a Value> {
        self.attrs().iter().filter(|a| a.get("default").is_some())
    }

    pub(super) fn has_options(&self) -> bool {
        self.optional().next().is_some()
    }

    /// Whether calls may have several results.
    fn many(&self) -> bool {
        self.op["outputs_vary"] == true
    }

    pub(super) fn variadic(&self) -> bool {
        self.inputs().iter().any(|i| i["variadic"] == true)
    }

    /// `void add_convolution(Sink &, …)` and the types that it needs.
    fn types(&self) -> String {
        let mut out = String::new();
        for attr in self.attrs().iter().filter(|a| text(a, "type") == "enum") {
            out += &text::enumeration(&self.stem, attr);
        }
        if self.has_options() {
            let _ =
                write!(out, "/// What need not be given to {}.\nstruct {}Options {{\n", self.path, self.stem);
            self.optional().for_each(|attr| out += &field(&self.stem, attr));
            out += "};\n\n";
        }
        if self.attrs().is_empty() {
            return out;
        }
        let _ = write!(out, "namespace detail {{\ntemplate <class Sink>\nvoid add_{}(Sink &sink", self.stem);
        for attr in self.required() {
            let _ = write!(out, ", {}", text::parameter(&self.stem, attr));
        }
        if self.has_options() {
            let _ = write!(out, ", const {}Options &options", self.stem);
        }
        out += ") {\n";
        for attr in self.attrs() {
            let name = cpp_name(text(attr, "name"));
            let value = if attr.get("default").is_some() { format!("options.{name}") } else { name };
            let _ = writeln!(out, "    sink.add({}, \"{}\", {value});", attr["id"], text(attr, "name"));
        }
        out + "}\n} // namespace detail\n\n"
    }

    /// The parameters of a function on arrays or symbols, without options.
    fn parameters(&self, class: &str) -> Vec<String> {
        // Only what nothing must follow may be left out.
        let trailing = self.required().next().is_none();
        let last = self.inputs().iter().rposition(|i| i["optional"] != true).map_or(0, |last| last + 1);
        let inputs = self.inputs().iter().enumerate().map(|(i, input)| {
            let name = cpp_name(text(input, "name"));
            match input["variadic"] == true {
                true => format!("const std::vector<{class}> &{name}"),
                false if trailing && i >= last => format!("const {class} &{name} = {{}}"),
                false => format!("const {class} &{name}"),
            }
        });
        let mut out: Vec<String> = inputs.collect();
        out.extend(self.required().map(|attr| text::parameter(&self.stem, attr)));
        if self.has_options() {
            out.push(format!("const {}Options &options = {{}}", self.stem));
        }
        out
    }

    fn static_op(&self) -> String {
        let version = &self.op["version"];
        format!("    static const mxr::detail::Op op(\"{}\", {}, {});\n", self.name(), version[0], version[1])
    }

    /// Puts the attributes into `attrs`.
    fn add_attrs(&self) -> String {
        if self.attrs().is_empty() {
            return String::new();
        }
        let mut given: Vec<String> = self.required().map(|a| cpp_name(text(a, "name"))).collect();
        given.extend(self.has_options().then(|| "options".to_owned()));
        format!("    op::detail::add_{}(attrs, {});\n", self.stem, given.join(", "))
    }

    fn eager(&self, name: &str) -> String {
        let mut parameters = self.parameters("NDArray");
        parameters.push("const Into &out = {}".into());
        let single = |i: &&Value| i["variadic"] != true;
        let one = |i: &Value| {
            let lacks = if i["optional"] == true { ", true" } else { "" };
            format!("{{\"{}\", {}{lacks}}}", text(i, "name"), cpp_name(text(i, "name")))
        };
        let singles: Vec<String> = self.inputs().iter().filter(single).map(one).collect();
        let list = singles.join(", ");
        let inputs = match self.inputs().iter().find(|i| i["variadic"] == true) {
            Some(i) => format!("(op, \"{}\", {{{list}}}, {})", text(i, "name"), cpp_name(text(i, "name"))),
            None => format!("(op, {{{list}}})"),
        };
        let (result, call) = if self.many() { ("Outputs", "all") } else { ("NDArray", "one") };
        format!(
            "inline {result} {name}({}) {{\n{}    mxr::detail::Values<{}> attrs;\n{}    \
             return mxr::detail::{call}(op, mxr::detail::Inputs{inputs}, attrs, out);\n}}\n",
            parameters.join(", "),
            self.static_op(),
            self.attrs().len(),
            self.add_attrs(),
        )
    }

    fn symbolic(&self, space: &str, name: &str) -> String {
        // Options in braces could be a text too; where they may come first, the name is none of C++'s.
        let lonely = self.inputs().is_empty() && self.required().next().is_none();
        let kind = if lonely { "const char *" } else { "const std::string &" };
        let mut parameters = vec![format!("{kind}symbol_name")];
        parameters.extend(self.parameters("Symbol"));
        let single = |i: &&Value| i["variadic"] != true;
        let one = |i: &Value| format!("{{\"{}\", {}}}", text(i, "name"), cpp_name(text(i, "name")));
        let singles: Vec<String> = self.inputs().iter().filter(single).map(one).collect();
        let rest = self.inputs().iter().find(|i| i["variadic"] == true);
        let rest = rest.map_or(String::new(), |i| format!(", {}", cpp_name(text(i, "name"))));
        let mut out = format!(
            "inline Symbol {name}({}) {{\n{}    mxr::detail::Texts attrs;\n{}    \
             return mxr::detail::symbol(op, \"{}\", symbol_name, attrs, {{{}}}{rest});\n}}\n",
            parameters.join(", "),
            self.static_op(),
            self.add_attrs(),
            name.to_lowercase(),
            singles.join(", "),
        );
        // Without inputs only the result would tell it from the function on arrays.
        if !self.inputs().is_empty() {
            let inner = if space.is_empty() { String::new() } else { format!("{space}::") };
            let mut given = vec!["std::string()".to_owned()];
            given.extend(self.inputs().iter().map(|i| cpp_name(text(i, "name"))));
            given.extend(self.required().map(|a| cpp_name(text(a, "name"))));
            given.extend(self.has_options().then(|| "options".to_owned()));
            let _ = write!(
                out,
                "inline Symbol {name}({}) {{\n    return op::{inner}{name}({});\n}}\n",
                self.parameters("Symbol").join(", "),
                given.join(", "),
            );
        }
        out
    }
}

/// `include/mxr_ops.hpp`.
fn operators(ops: &[&Value]) -> String {
    let mut spaces: BTreeMap<&str, String> = BTreeMap::new();
    let mut types = String::new();
    for op in ops {
        let function = Function::new(op);
        types += &function.types();
        let places = places(op);
        for (i, (space, name)) in places.iter().enumerate() {
            let about = if i == 0 { doc(op) } else { format!("/// The same as {}.\n", function.path) };
            let out = spaces.entry(space).or_default();
            let _ = write!(
                out,
                "{about}{}/// The same on symbols.\n{}\n",
                function.eager(name),
                function.symbolic(space, name)
            );
        }
    }
    let mut out = format!(
        "/// @file\n/// {MARKER}\n///\n/// The operators, on arrays and on symbols. What must be given are parameters, \
         the rest are fields of a struct; a\n/// field that is not set means the library's default. Symbols may have a \
         name as their first argument, and inputs\n/// that are empty become variables.\n\
         #ifndef MXR_OPS_HPP\n#define MXR_OPS_HPP\n\n#include \"mxr.hpp\"\n\nnamespace mxr {{\nnamespace op {{\n\n{types}"
    );
    for (space, functions) in spaces {
        match space {
            "" => out += &functions,
            _ => {
                let _ = write!(out, "namespace {space} {{\n\n{functions}}} // namespace {space}\n\n");
            }
        }
    }
    out + "} // namespace op\n} // namespace mxr\n\n#endif\n"
}
