//! `cargo xtask oracle`: writes the conformance cases' expected values, made by MXNet 1.9.1 and NumPy.

use serde_json::Value;

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
    std::fs::write(&samples, &described).context(|| "the samples cannot be written")?;
    let described = serde_json::from_str(&described).context(|| "the samples are not JSON")?;
    let python = Venv::ready(if needs_mxnet(&described, args) { "oracle" } else { "test" })?;
    let cases = paths::root().join("tests/conformance/cases");
    process::run(python.command("python").arg(paths::root().join(SCRIPT)).arg(samples).arg(cases).args(args))
}

/// Whether MXNet computes a sample of the chosen operators; NumPy is in every environment with tests.
fn needs_mxnet(described: &Value, chosen: &[String]) -> bool {
    let operators = described.as_array().into_iter().flatten();
    let is_chosen = |op: &&Value| chosen.is_empty() || chosen.iter().any(|name| op["operator"] == **name);
    let samples = operators.filter(is_chosen).flat_map(|op| op["samples"].as_array().into_iter().flatten());
    samples.filter_map(|sample| sample["oracle"]["kind"].as_str()).any(|kind| kind.starts_with("mxnet"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn mxnet_is_needed_only_for_its_own_samples() {
        let sample = |kind: &str| json!({"oracle": {"kind": kind}});
        let described = json!([
            {"operator": "a", "samples": [sample("numpy"), sample("none")]},
            {"operator": "b", "samples": [sample("numpy"), sample("mxnet code")]}
        ]);
        let needs = |chosen: &[&str]| {
            needs_mxnet(&described, &chosen.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert!(!needs(&["a"]) && needs(&["b"]) && needs(&["a", "b"]) && needs(&[]));
    }
}
