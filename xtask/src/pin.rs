//! `cargo xtask pin`: renews `xtask/requirements/*.txt`, the exact versions and checksums, from the `*.in` beside them.

use std::fs;

use crate::bail;
use crate::error::{Context, Result};
use crate::paths;
use crate::process;
use crate::venv::Venv;

const HEADER: &str = "# Written by `cargo xtask pin` from the .in file beside it.\n";

/// `pin [NAME…]`.
pub fn command(args: &[String]) -> Result {
    let folder = paths::root().join("xtask/requirements");
    let entries = fs::read_dir(&folder).context(|| "reading xtask/requirements")?;
    let mut inputs: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    inputs.retain(|path| path.extension().is_some_and(|ext| ext == "in"));
    inputs.sort();
    let name = |path: &std::path::Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(unknown) = args.iter().find(|arg| !inputs.iter().any(|path| name(path) == **arg)) {
        bail!("pin: there is no xtask/requirements/{unknown}.in");
    }
    let uv = Venv::ready("pin")?;
    for input in inputs.iter().filter(|path| args.is_empty() || args.contains(&name(path))) {
        let output = input.with_extension("txt");
        println!("pinning {}", paths::show(&output));
        let mut compile = uv.command("uv");
        compile.args(["pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--upgrade"]);
        compile.args(["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-annotate"]);
        let pinned = process::capture(compile.arg(input))?;
        fs::write(&output, format!("{HEADER}{pinned}"))
            .context(|| format!("writing {}", output.display()))?;
    }
    Ok(())
}
