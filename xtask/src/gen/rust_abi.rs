//! The table by which a binding written in Rust finds libmxr's functions at run time.

use super::abi::Abi;
use super::schema::ABI_MARKER;
use crate::error::{Context, Result};
use quote::{ToTokens, quote};
use std::io::Write;
use std::process::{Command, Stdio};

/// The table's source.
pub fn text(abi: &Abi) -> Result<String> {
    let without_docs = |attrs: &mut Vec<syn::Attribute>| attrs.retain(|a| !a.path().is_ident("unsafe"));
    let constants = abi.constants.iter().map(ToTokens::to_token_stream);
    let aliases = abi.aliases.iter().map(ToTokens::to_token_stream);
    let structs = abi.structs.iter().map(|s| {
        let layout = s.attrs.iter().any(|a| a.path().is_ident("repr"));
        let (name, docs) = (&s.ident, s.attrs.iter().filter(|a| a.path().is_ident("doc")));
        if layout {
            s.to_token_stream()
        } else {
            quote!(#(#docs)* #[repr(C)] pub struct #name { _opaque: [u8; 0] })
        }
    });
    let mut functions = abi.functions.clone();
    functions.iter_mut().for_each(|f| without_docs(&mut f.attrs));
    let fields = functions.iter().map(|f| {
        let (name, attrs, output) = (&f.sig.ident, &f.attrs, &f.sig.output);
        let inputs = &f.sig.inputs;
        quote!(#(#attrs)* pub #name: unsafe extern "C" fn(#inputs) #output)
    });
    let loads = functions.iter().map(|f| {
        let name = &f.sig.ident;
        let symbol = syn::LitByteStr::new(format!("{name}\0").as_bytes(), name.span());
        // SAFETY: this is source to be written, whose reason is written with it.
        quote!(#name: *unsafe { library.get(#symbol) }?)
    });
    let tokens = quote! {
        #![allow(non_camel_case_types, dead_code, missing_docs)]
        use std::ffi::{c_char, c_void};
        #(#constants)*
        #(#structs)*
        #(#aliases)*
        /// The functions of a loaded libmxr.
        pub struct Abi { #(#fields),* }
        impl Abi {
            /// Finds every function.
            ///
            /// # Safety
            /// The library must be a libmxr of this ABI version.
            pub unsafe fn load(library: &libloading::Library) -> Result<Abi, libloading::Error> {
                // SAFETY: the caller's promise: the symbols have these types.
                Ok(Abi { #(#loads),* })
            }
        }
    };
    let text = rustfmt(&tokens.to_string())?;
    let reason =
        "// SAFETY of all blocks: the caller of `load` promises that the symbols have these types.\n";
    let text = text.replace("impl Abi {", &format!("{reason}impl Abi {{"));
    let about = "The functions of libmxr, found at run time.";
    Ok(format!("//! {ABI_MARKER}\n//!\n//! {about}\n{}", text.replace("crate::array::", "")))
}

fn rustfmt(source: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(crate::paths::root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context(|| "rustfmt cannot be started")?;
    child.stdin.take().expect("it is piped").write_all(source.as_bytes()).context(|| "rustfmt")?;
    let done = child.wait_with_output().context(|| "rustfmt")?;
    if !done.status.success() {
        crate::bail!("rustfmt does not accept the generated source");
    }
    String::from_utf8(done.stdout).context(|| "rustfmt's output")
}
