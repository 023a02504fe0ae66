//! `cargo xtask oracle`: writes the conformance cases' expected values, made by MXNet 1.9.1 and NumPy.

use crate::bail;
use crate::error::Result;
use crate::paths;
use crate::process;
use crate::venv::Venv;

const SCRIPT: &str = "tests/conformance/oracle/make_expected.py";

/// `oracle [argument…]`; the arguments are the script's.
pub fn command(args: &[String]) -> Result {
    if !paths::root().join(SCRIPT).exists() {
        bail!("oracle: there is no {SCRIPT} in this tree");
    }
    let oracle = Venv::ready("oracle")?;
    process::run(oracle.command("python").arg(SCRIPT).args(args))
}
