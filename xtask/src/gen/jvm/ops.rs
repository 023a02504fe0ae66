//! Java's operators: `ND` on arrays, `Sym` on symbols, `Options` for what need not be given, `Ops` with the operators'
//! names and versions, and `ArrayMethods` with those that are methods of arrays too.

use super::text::{doc, java_name, parameter, put, setter};
use crate::generate::File;
use crate::generate::schema::{MARKER, camel, list, place, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const FOLDER: &str = "bindings/jvm/src/main/java/io/mxr";

/// The generated files.
pub fn files(ops: &[&Value], methods: &[&str]) -> Vec<File> {
    let functions = functions(ops);
    let file = |name: &str, text: String| (format!("{FOLDER}/{name}.java").into(), text);
    vec![
        file("ND", class(&functions, "ND", "arrays", |f| f.on_arrays())),
        file("Sym", class(&functions, "Sym", "symbols", |f| f.on_symbols())),
        file("Options", options(&functions)),
        file("Ops", constants(&functions)),
        file("ArrayMethods", array_methods(&functions, methods)),
    ]
}

/// An operator under one of its names.
struct Function<'a> {
    op: &'a Value,
    /// The class inside `ND`, empty for itself.
    space: &'static str,
    /// The method.
    name: String,
    /// What symbols without a name are called.
    hint: String,
    /// Not the operator's main name.
    alias: bool,
    /// The class of its options, in `Options`.
    options: String,
}

/// The functions of all operators. Main names go before other names, of which those that are taken are left out; a main
/// name that is taken stays as MXNet writes it.
fn functions<'a>(ops: &[&'a Value]) -> Vec<Function<'a>> {
    let mut taken = BTreeSet::new();
    let mut main = vec![];
    let mut more = vec![];
    for &op in ops {
        let aliases = list(op, "aliases").iter().filter_map(Value::as_str);
        let mut places: Vec<_> =
            std::iter::once(text(op, "name")).chain(aliases).map(space_and_name).collect();
        let first = places.iter().position(|(space, _)| *space != "Internal").unwrap_or(0);
        let (space, name) = places.remove(first);
        let stem = camel(space) + &camel(name);
        let options = if has_options(op) { stem } else { "Plain".into() };
        let mut one = function(op, space, name, false, &options);
        if !taken.insert((space, one.name.clone())) {
            one.name = name.to_owned();
        }
        main.push(one);
        places.retain(|(space, _)| *space != "Internal");
        more.extend(places.into_iter().map(|(space, name)| function(op, space, name, true, &options)));
    }
    more.retain(|f| taken.insert((f.space, f.name.clone())));
    let names: BTreeSet<_> = main.iter().map(|f: &Function| (f.space, &f.name)).collect();
    assert_eq!(names.len(), main.len(), "two operators have one name in Java");
    main.extend(more);
    main
}

fn function<'a>(op: &'a Value, space: &'static str, name: &str, alias: bool, options: &str) -> Function<'a> {
    Function {
        op,
        space,
        name: java_name(name),
        hint: name.to_lowercase(),
        alias,
        options: options.to_owned(),
    }
}

fn space_and_name(name: &str) -> (&'static str, &str) {
    let (module, name) = place(name);
    let space = match module {
        "op" => "",
        "contrib" => "Contrib",
        "linalg" => "Linalg",
        "sparse" => "Sparse",
        "image" => "Image",
        "random" => "Random",
        _ => "Internal",
    };
    (space, name.trim_matches('_'))
}

fn has_options(op: &Value) -> bool {
    list(op, "attrs").iter().any(|a| a.get("default").is_some())
}

impl Function<'_> {
    fn inputs(&self) -> &[Value] {
        list(self.op, "inputs")
    }

    fn required(&self) -> impl Iterator<Item = &Value> {
        list(self.op, "attrs").iter().filter(|a| a.get("default").is_none())
    }

    fn constant(&self) -> String {
        text(self.op, "name").to_uppercase()
    }

    fn many(&self) -> bool {
        self.op["outputs_vary"] == true
    }

    /// How many inputs cannot be left out.
    fn needed(&self) -> usize {
        self.inputs().iter().rposition(|i| i["optional"] != true).map_or(0, |last| last + 1)
    }

    /// The parameters for the first `n` inputs and what must be given.
    fn parameters(&self, class: &str, n: usize) -> Vec<String> {
        let inputs = self.inputs()[..n].iter().map(|input| {
            let name = java_name(text(input, "name"));
            if input["variadic"] == true {
                format!("List<{class}> {name}")
            } else {
                format!("{class} {name}")
            }
        });
        inputs.chain(self.required().map(parameter)).collect()
    }

    /// What a shorter function passes on: null for inputs that it lacks.
    fn passed(&self, class: &str, n: usize) -> Vec<String> {
        let inputs = self.inputs().iter().enumerate().map(|(i, input)| match input["variadic"] == true {
            _ if i < n => java_name(text(input, "name")),
            true => "List.of()".into(),
            false => format!("({class}) null"),
        });
        inputs.chain(self.required().map(|attr| java_name(text(attr, "name")))).collect()
    }

    /// `rest, single, single`.
    fn given(&self) -> String {
        let name = |i: &Value| java_name(text(i, "name"));
        let rest = self.inputs().iter().find(|i| i["variadic"] == true).map_or("null".into(), name);
        let singles = self.inputs().iter().filter(|i| i["variadic"] != true).map(name);
        std::iter::once(rest).chain(singles).collect::<Vec<_>>().join(", ")
    }

    fn annotation(&self) -> String {
        let required: Vec<String> = self.required().map(|a| a["name"].to_string()).collect();
        let list = if required.is_empty() {
            String::new()
        } else {
            format!(", required = {{{}}}", required.join(", "))
        };
        format!("    @Operator(value = \"{}\"{list})\n", text(self.op, "name"))
    }

    fn about(&self) -> String {
        if self.alias {
            return format!("    /** Another name of {}. */\n", text(self.op, "name"));
        }
        doc(self.op, true) + &self.annotation()
    }

    fn method(&self, result: &str, parameters: &[String], body: &str) -> String {
        format!("    public static {result} {}({}) {{\n{body}    }}\n\n", self.name, parameters.join(", "))
    }

    /// A function that passes on to the one with all inputs.
    fn shorter(&self, result: &str, class: &str, n: usize, options: bool) -> String {
        let mut parameters = self.parameters(class, n);
        let mut passed = self.passed(class, n);
        if options {
            parameters.push(format!("Consumer<Options.{}> options", self.options));
            passed.push("options".into());
        }
        let body = format!("        return {}({});\n", self.name, passed.join(", "));
        format!("    /** Without the last inputs. */\n{}", self.method(result, &parameters, &body))
    }

    /// The functions on arrays.
    fn on_arrays(&self) -> String {
        let n = self.inputs().len();
        let (result, verb, out) =
            if self.many() { ("List<NDArray>", "all", "o.out") } else { ("NDArray", "one", "Op.into(o)") };
        let call = |attrs: &str, out: &str| {
            format!("        return Ops.{}.{verb}({attrs}, {out}, {});\n", self.constant(), self.given())
        };
        let mut parameters = self.parameters("NDArray", n);
        let mut plain = String::new();
        if self.required().next().is_some() {
            plain += "        Attrs attrs = new Attrs();\n";
            self.required().for_each(|attr| plain += &format!("        {}\n", put("attrs", attr)));
        }
        let attrs = if plain.is_empty() { "Attrs.NONE" } else { "attrs" };
        plain += &call(attrs, if self.many() { "Op.NOWHERE" } else { "null" });
        let mut out_text = format!(
            "    /** With the defaults of what need not be given. */\n{}",
            self.method(result, &parameters, &plain)
        );
        parameters.push(format!("Consumer<Options.{}> options", self.options));
        let body = self.with_options() + &call("o.attrs", out);
        out_text = self.about() + &self.method(result, &parameters, &body) + &out_text;
        if self.needed() < n {
            out_text += &self.shorter(result, "NDArray", self.needed(), true);
            out_text += &self.shorter(result, "NDArray", self.needed(), false);
        }
        out_text + &self.varargs(result, "NDArray")
    }

    /// Of a function that takes nothing but a list.
    fn varargs(&self, result: &str, class: &str) -> String {
        let only = self.inputs().len() == 1 && self.inputs()[0]["variadic"] == true;
        if !only || self.required().next().is_some() {
            return String::new();
        }
        let name = java_name(text(&self.inputs()[0], "name"));
        let parameters = [format!("{class}... {name}")];
        let body = format!("        return {}(Arrays.asList({name}));\n", self.name);
        format!("    /** Of these. */\n{}", self.method(result, &parameters, &body))
    }

    fn with_options(&self) -> String {
        let mut body =
            format!("        Options.{0} o = new Options.{0}();\n        options.accept(o);\n", self.options);
        self.required().for_each(|attr| body += &format!("        {}\n", put("o.attrs", attr)));
        body
    }

    /// The functions on symbols.
    fn on_symbols(&self) -> String {
        let n = self.inputs().len();
        let mut parameters = self.parameters("Symbol", n);
        let plain = {
            let mut passed = self.passed("Symbol", n);
            passed.push("o -> {}".into());
            format!("        return {}({});\n", self.name, passed.join(", "))
        };
        let short = format!(
            "    /** With the defaults of what need not be given. */\n{}",
            self.method("Symbol", &parameters, &plain)
        );
        parameters.push(format!("Consumer<Options.{}> options", self.options));
        let call = format!(
            "        return Ops.{}.symbol(\"{}\", o, {});\n",
            self.constant(),
            self.hint,
            self.given()
        );
        let mut out =
            self.about() + &self.method("Symbol", &parameters, &(self.with_options() + &call)) + &short;
        let mut lengths = BTreeSet::from([self.needed(), n.min(1)]);
        lengths.retain(|length| *length < n);
        for length in lengths {
            out += &self.shorter("Symbol", "Symbol", length, true);
            out += &self.shorter("Symbol", "Symbol", length, false);
        }
        out + &self.varargs("Symbol", "Symbol")
    }
}

/// A class of functions, with a class inside for each prefix.
fn class(functions: &[Function], name: &str, on: &str, make: fn(&Function) -> String) -> String {
    let mut spaces: BTreeMap<&str, String> = BTreeMap::new();
    for f in functions {
        *spaces.entry(f.space).or_default() += &make(f);
    }
    let mut out = format!(
        "// {MARKER}\npackage io.mxr;\n\nimport java.util.Arrays;\nimport java.util.List;\n\
         import java.util.function.Consumer;\n\n/**\n * The operators on {on}. What must be given are parameters; the rest is \
         set by a function:\n * {{@code {name}.sum(x, o -> o.axis(1).keepdims(true))}}. What is not set means the library's \
         default.\n */\npublic final class {name} extends {name}Calls {{\n    private {name}() {{}}\n\n"
    );
    for (space, functions) in &spaces {
        if space.is_empty() {
            out += functions;
            continue;
        }
        let inner: String = functions
            .lines()
            .map(|l| if l.is_empty() { "\n".into() } else { format!("    {l}\n") })
            .collect();
        let _ = write!(
            out,
            "    /** Operators whose names MXNet begins with a prefix. */\n    public static final class {space} {{\n        \
             private {space}() {{}}\n\n{}\n    }}\n\n",
            inner.trim_end()
        );
    }
    out.trim_end().to_owned() + "\n}\n"
}

/// `Options.java`.
fn options(functions: &[Function]) -> String {
    let mut out = format!(
        "// {MARKER}\npackage io.mxr;\n\n/** What need not be given to operators. What is not set means the library's default. \
         */\npublic final class Options {{\n    private Options() {{}}\n\n    /** For operators without attributes of this \
         kind. */\n    public static final class Plain extends CallOptions<Plain> {{\n        Plain() {{}}\n    }}\n\n"
    );
    for f in functions.iter().filter(|f| !f.alias && f.options != "Plain") {
        out += &one_options(&f.options, "CallOptions", text(f.op, "name"), list(f.op, "attrs"));
    }
    out.trim_end().to_owned() + "\n}\n"
}

/// A class of options.
pub fn one_options(class: &str, base: &str, of: &str, attrs: &[Value]) -> String {
    let setters: String =
        attrs.iter().filter(|a| a.get("default").is_some()).map(|attr| setter(class, attr)).collect();
    format!(
        "    /** What need not be given to {of}. */\n    public static final class {class} extends {base}<{class}> {{\n        \
         {class}() {{}}\n\n{}\n    }}\n\n",
        setters.trim_end()
    )
}

/// `Ops.java`.
fn constants(functions: &[Function]) -> String {
    let mut out = format!(
        "// {MARKER}\npackage io.mxr;\n\n/** The operators with the versions that calls are made for. */\nfinal class Ops {{\n    private Ops() {{}}\n\n"
    );
    for f in functions.iter().filter(|f| !f.alias) {
        let version = list(f.op, "version");
        let input = |i: &Value| {
            let lacks = if i["optional"] == true { "?" } else { "" };
            format!(", \"{}{lacks}\"", text(i, "name"))
        };
        // Those by name first, then the one that is a list.
        let (rest, single): (Vec<_>, Vec<_>) = f.inputs().iter().partition(|i| i["variadic"] == true);
        let inputs: String = single.into_iter().chain(rest).map(input).collect();
        let _ = writeln!(
            out,
            "    static final Op {} = new Op(\"{}\", {}, {}{inputs});",
            f.constant(),
            text(f.op, "name"),
            version[0],
            version[1]
        );
    }
    out + "}\n"
}

/// `ArrayMethods.java`.
fn array_methods(functions: &[Function], methods: &[&str]) -> String {
    let mut out = format!(
        "// {MARKER}\npackage io.mxr;\n\nimport java.util.List;\nimport java.util.function.Consumer;\n\n\
         /** Operators that are methods of arrays. */\nabstract class ArrayMethods extends ArrayArithmetic {{\n    \
         ArrayMethods(long pointer, java.util.function.LongConsumer free) {{\n        super(pointer, free);\n    }}\n\n"
    );
    for f in functions.iter().filter(|f| f.space.is_empty() && methods.contains(&f.name.as_str())) {
        let result = if f.many() { "List<NDArray>" } else { "NDArray" };
        let n = f.needed();
        if n == 0 || f.inputs()[0]["variadic"] == true {
            continue;
        }
        for options in [false, true] {
            let mut parameters: Vec<String> = f.parameters("NDArray", n).split_off(1);
            let mut passed: Vec<String> =
                parameters.iter().map(|p| p.rsplit(' ').next().unwrap_or_default().to_owned()).collect();
            passed.insert(0, "array()".into());
            if options {
                parameters.push(format!("Consumer<Options.{}> options", f.options));
                passed.push("options".into());
            }
            let about = text(f.op, "doc").split("\n\n").next().unwrap_or_default();
            let _ = write!(
                out,
                "    /**\n{}     */\n    public final {result} {}({}) {{\n        return ND.{}({});\n    }}\n\n",
                super::text::doc_lines(about, "     * "),
                f.name,
                parameters.join(", "),
                f.name,
                passed.join(", ")
            );
        }
    }
    out.trim_end().to_owned() + "\n}\n"
}
