//! The JVM's doors to the functions of the C ABI: `Native.java` with a native method for each, and the Rust functions
//! that these are. Pointers are `long`; what they point to is written and read by Java's `Frame`.

use crate::generate::File;
use crate::generate::abi::Abi;
use crate::generate::schema::{ABI_MARKER, camel, wrapped};
use std::fmt::Write;

/// Both files.
pub fn files(abi: &Abi) -> Vec<File> {
    let functions: Vec<Function> = abi.functions.iter().map(Function::new).collect();
    vec![
        ("bindings/jvm/src/main/java/io/mxr/Native.java".into(), java(abi, &functions)),
        ("bindings/jvm/native/src/natives.rs".into(), rust(&functions)),
    ]
}

/// How a value crosses.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Nothing,
    Pointer,
    Callback,
    Int,
    Unsigned,
    Long,
    UnsignedLong,
    Double,
}

impl Kind {
    fn of(ty: &syn::Type) -> Kind {
        let syn::Type::Path(path) = ty else { return Kind::Pointer };
        match path.path.segments.last().map(|s| s.ident.to_string()).as_deref() {
            Some("i32") => Kind::Int,
            Some("u32") => Kind::Unsigned,
            Some("i64") => Kind::Long,
            Some("u64") => Kind::UnsignedLong,
            Some("f64") => Kind::Double,
            _ => Kind::Callback,
        }
    }

    fn java(self) -> &'static str {
        match self {
            Kind::Nothing => "void",
            Kind::Int | Kind::Unsigned => "int",
            Kind::Double => "double",
            _ => "long",
        }
    }

    fn rust(self) -> &'static str {
        match self {
            Kind::Nothing => "()",
            Kind::Int | Kind::Unsigned => "jint",
            Kind::Double => "jdouble",
            _ => "jlong",
        }
    }

    /// An argument as the ABI takes it.
    fn passed(self, name: &str) -> String {
        match self {
            Kind::Callback => format!("callback({name})"),
            Kind::Pointer => format!("{name} as _"),
            Kind::Unsigned => format!("{name} as u32"),
            Kind::UnsignedLong => format!("{name} as u64"),
            _ => name.to_owned(),
        }
    }
}

struct Function {
    name: String,
    doc: String,
    result: Kind,
    parameters: Vec<(String, Kind)>,
}

impl Function {
    fn new(f: &syn::ItemFn) -> Function {
        let result = match &f.sig.output {
            syn::ReturnType::Default => Kind::Nothing,
            syn::ReturnType::Type(_, ty) => Kind::of(ty),
        };
        let parameters = f.sig.inputs.iter().filter_map(|input| {
            let syn::FnArg::Typed(typed) = input else { return None };
            let syn::Pat::Ident(name) = &*typed.pat else { return None };
            Some((name.ident.to_string(), Kind::of(&typed.ty)))
        });
        let doc = crate::generate::abi::doc(&f.attrs);
        Function { name: f.sig.ident.to_string(), doc, result, parameters: parameters.collect() }
    }

    /// `mxr_array_shape` as `arrayShape`.
    fn java_name(&self) -> String {
        lower_first(&camel(self.name.trim_start_matches("mxr_")))
    }

    fn java(&self) -> String {
        let parameter =
            |(name, kind): &(String, Kind)| format!("{} {}", kind.java(), lower_first(&camel(name)));
        let parameters: Vec<String> = self.parameters.iter().map(parameter).collect();
        let doc = self.doc.split("@nullable").next().unwrap_or_default().replace("@taken", "taken:");
        let doc = wrapped(doc.trim_end(), "     * ");
        format!(
            "    /**\n{doc}     */\n    static native {} {}({});\n\n",
            self.result.java(),
            self.java_name(),
            parameters.join(", ")
        )
    }

    fn rust(&self) -> String {
        let parameter = |(name, kind): &(String, Kind)| format!("{name}: {}", kind.rust());
        let parameters: Vec<String> = self.parameters.iter().map(parameter).collect();
        let passed: Vec<String> = self.parameters.iter().map(|(name, kind)| kind.passed(name)).collect();
        format!(
            "    fn Java_io_mxr_Native_{}({}) -> {} {{ {}({}) }}\n",
            self.java_name(),
            parameters.join(", "),
            self.result.rust(),
            self.name,
            passed.join(", ")
        )
    }
}

/// `Shape` as `shape`.
pub fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |c| c.to_lowercase().collect::<String>() + letters.as_str())
}

fn java(abi: &Abi, functions: &[Function]) -> String {
    let mut out = format!(
        "// {ABI_MARKER}\npackage io.mxr;\n\n/**\n * The functions and constants of libmxr. Pointers are long; those that return long \
         without a word on it return an\n * error, 0 for none, which {{@link MxrException#check}} takes.\n */\n\
         final class Native {{\n    private Native() {{}}\n\n    static {{\n        Library.load();\n    }}\n\n"
    );
    for constant in &abi.constants {
        let value = crate::generate::abi::number(&constant.expr);
        let (Some(name), Some(number)) =
            (constant.ident.to_string().strip_prefix("MXR_").map(str::to_owned), value.as_i64())
        else {
            continue;
        };
        let kind = if matches!(Kind::of(&constant.ty), Kind::Long) { "long" } else { "int" };
        let _ = writeln!(out, "    static final {kind} {name} = {number};");
    }
    out.push('\n');
    functions.iter().for_each(|f| out += &f.java());
    out.trim_end().to_owned() + "\n}\n"
}

fn rust(functions: &[Function]) -> String {
    let mut out = format!(
        "//! {ABI_MARKER}\n//!\n//! The native methods of `io.mxr.Native`.\n\nuse crate::door::{{callback, natives}};\n\
         use jni::sys::{{jdouble, jint, jlong}};\n\nnatives! {{\n"
    );
    functions.iter().for_each(|f| out += &f.rust());
    out + "}\n"
}
