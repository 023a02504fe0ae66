//! `cargo xtask demo`: trains LeNet on MNIST from Python and draws how it went; then one training in every language.

use crate::bail;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::venv::Venv;
use crate::{fetch, paths, polyglot, process};

const EXAMPLE: &str = "examples/mnist_lenet";

/// `demo [argument…]`; the arguments are the training script's.
pub fn command(args: &[String]) -> Result {
    let example = paths::root().join(EXAMPLE);
    if !example.join("train.py").exists() {
        bail!("demo: there is no {EXAMPLE}/train.py in this tree");
    }
    let wheel = dist::python(Profile::Local)?;
    let venv = Venv::ready("demo")?;
    venv.install_wheel(&wheel)?;
    let data = fetch::mnist()?;
    let out = paths::target().join("demo");
    std::fs::create_dir_all(&out).context(|| format!("creating {}", paths::show(&out)))?;
    let mut train = venv.command("python");
    train.arg(example.join("train.py")).arg("--data").arg(data).arg("--out").arg(&out).args(args);
    process::run(&mut train)?;
    process::run(venv.command("python").arg(example.join("report.py")).arg(&out))?;
    polyglot::run(&venv)
}
