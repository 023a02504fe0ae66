//! `cargo xtask oracle`: writes the conformance cases' expected values, made by MXNet 1.9.1 and NumPy.

use crate::error::{Context, Result};
use crate::paths;
use crate::process;
use crate::venv::Venv;

const SCRIPT: &str = "tests/conformance/oracle/make_expected.py";

/// `oracle [OPERATOR…]`: the samples of these operators, or of all.
pub fn command(args: &[String]) -> Result {
    let samples = paths::target().join("samples.json");
    let describe = ["run", "--quiet", "--package", "mxr-core", "--example", "describe", "samples"];
    let described = process::capture(process::cargo().args(describe))?;
    std::fs::write(&samples, described).context(|| "the samples cannot be written")?;
    let oracle = Venv::ready("oracle")?;
    let cases = paths::root().join("tests/conformance/cases");
    process::run(oracle.command("python").arg(paths::root().join(SCRIPT)).arg(samples).arg(cases).args(args))
}
