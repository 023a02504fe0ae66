//! The operators: a function for each, with methods on arrays and on symbols.

use super::text::{about, item, julia_name, order, quoted, shown};
use crate::generate::schema::{list, place, text, wrapped};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The operators' names and versions, by their numbers in calls.
pub fn table(ops: &[&Value]) -> String {
    let mut out = super::head("The operators, by the numbers by which the functions call them.");
    out += "const OPS = [\n";
    for op in ops {
        let _ = writeln!(
            out,
            "    Operator(\"{}\", {}, {}),",
            text(op, "name"),
            op["version"][0],
            op["version"][1]
        );
    }
    out + "]\n"
}

/// The functions.
pub fn functions(ops: &[&Value]) -> String {
    let mut out = super::head("The operators' functions.");
    let mut modules: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    let mut taken: Vec<String> = ops.iter().map(|op| julia_name(text(op, "name"))).collect();
    for (i, op) in ops.iter().enumerate() {
        let function = Function { op, index: i + 1, name: julia_name(text(op, "name")) };
        out += &function.source();
        let aliases = list(op, "aliases").iter().filter_map(Value::as_str);
        for name in std::iter::once(text(op, "name")).chain(aliases) {
            let full = julia_name(name);
            if !taken.contains(&full) {
                let _ = writeln!(out, "const {full} = {}", function.name);
                taken.push(full.clone());
            }
            let (module, short) = place(name);
            if module != "op" && module != "internal" {
                modules.entry(module).or_default().push((julia_name(short), full));
            }
        }
        out.push('\n');
    }
    for (module, names) in modules {
        let _ = write!(
            out,
            "\"Operators whose names begin with `_{module}_`.\"\nbaremodule {module}\nimport ..mx\n"
        );
        for (short, full) in names {
            let _ = writeln!(out, "const {short} = mx.{full}");
        }
        out += "end\n\n";
    }
    out.trim_end().to_owned() + "\n"
}

struct Function<'a> {
    op: &'a Value,
    /// Its number in the table, from 1.
    index: usize,
    name: String,
}

impl Function<'_> {
    fn inputs(&self) -> &[Value] {
        list(self.op, "inputs")
    }

    fn attrs(&self) -> &[Value] {
        list(self.op, "attrs")
    }

    fn variadic(&self) -> Option<&Value> {
        self.inputs().iter().find(|i| i["variadic"] == true)
    }

    /// Inputs of which there is one.
    fn singles(&self) -> Vec<String> {
        self.inputs().iter().filter(|i| i["variadic"] != true).map(|i| julia_name(text(i, "name"))).collect()
    }

    /// Attributes as keywords.
    fn keywords(&self) -> Vec<String> {
        let keyword = |attr: &Value| {
            let name = julia_name(text(attr, "name"));
            if attr.get("default").is_some() { format!("{name} = MXR.absent") } else { name }
        };
        self.attrs().iter().map(keyword).collect()
    }

    fn source(&self) -> String {
        format!("{}{}{}", self.help(), self.eager(), self.symbolic())
    }

    /// The method on arrays.
    fn eager(&self) -> String {
        let mut parameters = vec![];
        for input in self.inputs() {
            let name = julia_name(text(input, "name"));
            if input["variadic"] == true {
                // One at least, so that a call without any is no call of two methods.
                parameters.push(format!("{name}::NDArray"));
                parameters.push("rest::NDArray...".into());
            } else if input["optional"] == true {
                parameters.push(format!("{name} = nothing"));
            } else {
                parameters.push(format!("{name}::NDArray"));
            }
        }
        let mut keywords = self.keywords();
        keywords.push("out = nothing".into());
        let singles = self.singles();
        let (inputs, mut kept) = match self.variadic() {
            None => (format!("MXR.given({})", singles.join(", ")), singles),
            Some(input) => {
                let name = julia_name(text(input, "name"));
                let all = [singles, vec![name, "rest".into()]].concat();
                (format!("MXR.gathered({}...)", all.join(", ")), all)
            }
        };
        let mut lists = String::new();
        let mut attrs = vec![];
        for attr in self.attrs() {
            let name = julia_name(text(attr, "name"));
            if let Some(order) = order(text(self.op, "name"), attr) {
                let _ = writeln!(lists, "    {name} = {order}({name})");
            }
            attrs.push(format!("MXR.attr({}, {name})", attr["id"]));
            if text(attr, "type") != "bool" && text(attr, "type") != "int" && text(attr, "type") != "float" {
                kept.push(name);
            }
        }
        let comma = if attrs.len() == 1 { "," } else { "" };
        let preserve =
            if kept.is_empty() { String::new() } else { format!("GC.@preserve {} ", kept.join(" ")) };
        format!(
            "function {}({}; {})\n{lists}    {preserve}MXR.{}(\n        MXR.OPS[{}], {inputs}, ({}{comma}), out)\nend\n",
            self.name,
            parameters.join(", "),
            keywords.join(", "),
            if self.op["outputs_vary"] == true { "several" } else { "single" },
            self.index,
            attrs.join(", "),
        )
    }

    /// The method on symbols.
    fn symbolic(&self) -> String {
        let pairs = |items: Vec<String>| {
            let comma = if items.len() == 1 { "," } else { "" };
            format!("({}{comma})", items.join(", "))
        };
        let singles = self.singles();
        let mut keywords: Vec<String> = singles.iter().map(|name| format!("{name} = nothing")).collect();
        keywords.extend(self.keywords());
        keywords.extend(["name = nothing".to_owned(), "attrs = nothing".to_owned()]);
        let named = pairs(singles.iter().map(|name| format!("\"{name}\" => {name}")).collect());
        let value = |attr: &Value| {
            let name = julia_name(text(attr, "name"));
            let value =
                order(text(self.op, "name"), attr).map_or(name.clone(), |order| format!("{order}({name})"));
            format!("\"{}\" => {value}", text(attr, "name"))
        };
        let attrs = pairs(self.attrs().iter().map(value).collect());
        // Without inputs it is the type that tells it from the method on arrays.
        let positional =
            if self.inputs().is_empty() { "::Type{SymbolicNode}" } else { "symbols::SymbolicNode..." };
        let symbols = if self.inputs().is_empty() { "()" } else { "symbols" };
        format!(
            "{}({positional}; {}) =\n    MXR.symbol(MXR.OPS[{}], {symbols}, {named}, {attrs}, name, attrs)\n",
            self.name,
            keywords.join(", "),
            self.index,
        )
    }

    fn help(&self) -> String {
        let mut positional = vec![];
        for input in self.inputs() {
            let name = julia_name(text(input, "name"));
            positional.push(match (input["variadic"] == true, input["optional"] == true) {
                (true, _) => name + "...",
                (_, true) => name + " = nothing",
                _ => name,
            });
        }
        let required = self.attrs().iter().filter(|a| a.get("default").is_none()).map(shown);
        let mut keywords: Vec<String> = required.collect();
        keywords.extend(["keywords...".to_owned(), "out".to_owned()]);
        if self.attrs().iter().all(|a| a.get("default").is_none()) {
            keywords.retain(|k| k != "keywords...");
        }
        let mut out = format!("    {}({}; {})\n\n", self.name, positional.join(", "), keywords.join(", "));
        out += &wrapped(text(self.op, "doc"), "");
        if !self.inputs().is_empty() {
            out += "\n# Arguments\n";
        }
        for input in self.inputs() {
            let mut line = format!("- `{}`: {}", julia_name(text(input, "name")), text(input, "doc"));
            if input["optional"] == true {
                line += " May be `nothing`.";
            }
            if input["mutated"] == true {
                line += " Changed by the call.";
            }
            out += &item(&line);
        }
        out += "\n# Keywords\n";
        self.attrs().iter().for_each(|attr| out += &about(attr));
        out += "- `out`: where the result goes; a new array if it is not given.\n";
        out += "- `name`, `attrs`: of symbols: the name of the node and attributes of the user's.\n";
        quoted(&out)
    }
}

/// The keywords of every operator by the ids of attributes, for the conformance runner, with how lists are ordered.
pub fn keywords(ops: &[&Value]) -> String {
    let mut out =
        super::head("The keywords of attributes by their ids, and how the numbers of lists are ordered.");
    out += "const KEYWORDS = Dict(\n";
    for op in ops {
        let entry = |attr: &Value| {
            let name = text(op, "name");
            let order = order(name, attr).filter(|o| *o != "MXR.text").unwrap_or("MXR.kept");
            format!("{} => (:{}, {order}), ", attr["id"], julia_name(text(attr, "name")))
        };
        let entries: String = list(op, "attrs").iter().map(entry).collect();
        let _ = writeln!(
            out,
            "    \"{}\" => Dict{{Int,Any}}({}),",
            text(op, "name"),
            entries.trim_end_matches(", ")
        );
    }
    out + ")\n"
}
