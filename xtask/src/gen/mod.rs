//! `cargo xtask gen`: writes everything that the operators' schema and the C ABI determine, or checks that it is
//! written.
//!
//! `describe` in mxr-core prints the registered operators; they become `schema/ops.json`, which is all that the
//! generators of the languages read. The functions of capi/src become `include/mxr.h`, `schema/abi.json` and the
//! tables by which bindings find them in the library.

mod abi;
mod cpp;
mod header;
mod julia;
mod jvm;
mod node;
mod python;
mod r;
mod rust_abi;
mod schema;

use crate::bail;
use crate::error::{Context, Result};
use crate::paths;
use crate::process;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// A generated file: its path from the root of the repository, and its text.
pub type File = (PathBuf, String);

/// `gen [--check]`.
pub fn command(args: &[String]) -> Result {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("gen takes no argument but --check"),
    };
    let files = files()?;
    let stale: Vec<String> = files
        .iter()
        .filter(|(path, text)| fs::read_to_string(paths::root().join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    if check && !stale.is_empty() {
        bail!("these generated files are stale, run `cargo xtask gen`: {}", stale.join(", "));
    }
    for (path, text) in files.iter().filter(|(path, _)| stale.contains(&path.display().to_string())) {
        let path = paths::root().join(path);
        let folder = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(folder).context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, text).context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", paths::show(&path));
    }
    println!("{} generated files, {} were stale", files.len(), stale.len());
    Ok(())
}

/// Everything that is generated.
fn files() -> Result<Vec<File>> {
    let describe = ["run", "--quiet", "--package", "mxr-core", "--example", "describe", "schema"];
    let text = process::capture(process::cargo().args(describe))?;
    let schema: Value = serde_json::from_str(&text).context(|| "the schema is not JSON")?;
    let functions = abi::read()?;
    let abi_json = functions.json();
    let abi: Value = serde_json::from_str(&abi_json).context(|| "schema/abi.json is not JSON")?;
    let mut files = vec![
        ("schema/ops.json".into(), text.trim_end().to_owned() + "\n"),
        ("schema/abi.json".into(), abi_json.clone()),
        ("include/mxr.h".into(), header::text()?),
    ];
    files.extend(cpp::files(&schema));
    files.push(("bindings/abi/src/ffi.rs".into(), rust_abi::text(&functions)?));
    files.extend(julia::files(&schema, &abi));
    files.extend(node::files(&schema, &abi));
    files.extend(python::files(&schema));
    let methods = crate::data::json(std::path::Path::new("xtask/data/python_methods.json"))?;
    files.extend(jvm::files(&schema, &functions, &crate::data::strings(&methods["methods"])));
    files.extend(r::files(&schema, &functions, &abi));
    Ok(files)
}
