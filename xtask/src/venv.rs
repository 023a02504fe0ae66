//! Python environments under `target/venv`, made from the pinned requirements of `xtask/requirements`.
//!
//! An environment is remade when its requirements or the interpreter change. Every package is installed as a wheel
//! whose SHA-256 is checked in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bail;
use crate::data::sha256;
use crate::error::{Context, Result};
use crate::fetch::retried_download;
use crate::{paths, process};

/// Python of any version that mxr's own package supports.
const ANY: &[&str] = &["python3", "python3.13", "python3.12", "python3.11"];
/// Python of a version that MXNet 1.9.1's NumPy has wheels for.
const ORACLE: &[&str] = &["python3.11", "python3.10", "python3.9", "python3"];

/// An environment that is ready for use.
pub struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// The environment of `xtask/requirements/<name>.txt`.
    pub fn ready(name: &str) -> Result<Venv> {
        let requirements = paths::root().join("xtask/requirements").join(format!("{name}.txt"));
        let text = fs::read(&requirements).context(|| format!("reading {}", paths::show(&requirements)))?;
        let (python, version) = interpreter(name)?;
        let key = format!("{} {version}\n", sha256(&text));
        let venv = Venv { folder: paths::target().join("venv").join(name) };
        let stamp = venv.folder.join("made-from");
        if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == key) && venv.python().exists() {
            return Ok(venv);
        }
        println!("making the Python environment {} (Python {version})", paths::show(&venv.folder));
        venv.create(python)?;
        let install = || process::run(venv.pip(&["--require-hashes", "-r"]).arg(&requirements));
        retried_download(install).context(|| format!("the Python environment `{name}`"))?;
        fs::write(&stamp, key).context(|| format!("writing {}", stamp.display()))?;
        Ok(venv)
    }

    /// An empty environment; what was in its place is gone.
    fn create(&self, python: &str) -> Result {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).context(|| format!("removing {}", self.folder.display()))?;
        }
        let made = process::run(Command::new(python).args(["-m", "venv"]).arg(&self.folder));
        made.context(|| "on Debian and Ubuntu this needs the package python3-venv")
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.bin().join("python")
    }

    /// The folder of its programs.
    pub fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// Its `pip install` of wheels only.
    fn pip(&self, args: &[&str]) -> Command {
        let mut pip = Command::new(self.python());
        pip.args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--only-binary=:all:"]);
        pip.args(args);
        pip
    }

    /// Puts a wheel built here into the environment, in place of an earlier one of the same name and version.
    pub fn install_wheel(&self, wheel: &Path) -> Result {
        process::run(self.pip(&["--no-index", "--no-deps", "--force-reinstall"]).arg(wheel))
    }

    /// Its interpreter with its programs first on the search path and nothing of the user's own packages.
    pub fn command(&self, program: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(self.bin().join(program));
        command.current_dir(paths::root());
        command.env("PATH", format!("{}:{path}", self.bin().display())).env("VIRTUAL_ENV", &self.folder);
        command.env("PYTHONNOUSERSITE", "1").env("PYTHONUNBUFFERED", "1");
        command
    }
}

/// The first interpreter that suits the environment, and its version.
fn interpreter(name: &str) -> Result<(&'static str, String)> {
    let oracle = name == "oracle";
    for python in if oracle { ORACLE } else { ANY } {
        let Ok(output) = Command::new(python).arg("--version").output() else { continue };
        let version = String::from_utf8_lossy(&output.stdout).replace("Python", "").trim().to_string();
        if suits(&version, oracle) {
            return Ok((python, version));
        }
    }
    if oracle {
        bail!("MXNet 1.9.1 needs Python 3.9 to 3.11, and none of {} is one", ORACLE.join(", "));
    }
    bail!("mxr needs Python 3.11 or newer as python3")
}

fn suits(version: &str, oracle: bool) -> bool {
    let mut parts = version.split('.').map_while(|part| part.parse::<u32>().ok());
    match (parts.next(), parts.next()) {
        (Some(3), Some(minor)) if oracle => (9..=11).contains(&minor),
        (Some(3), Some(minor)) => minor >= 11,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_suits_by_its_version() {
        assert!(suits("3.11.7", false) && suits("3.13.0rc1", false) && suits("3.11.2", true));
        assert!(
            !suits("3.10.1", false) && !suits("3.12.0", true) && !suits("", false) && !suits("2.7.18", true)
        );
    }

    #[test]
    fn every_requirement_is_pinned_by_hash_and_names_no_index() {
        let folder = paths::root().join("xtask/requirements");
        let files = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
        let mut seen = 0;
        for file in files.filter(|path| path.extension().is_some_and(|ext| ext == "txt")) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains("://"), "{} contains an address", file.display());
            for requirement in text.replace("\\\n", " ").lines().filter(|line| line.contains("==")) {
                assert!(requirement.contains("--hash=sha256:"), "{}: {requirement}", file.display());
                seen += 1;
            }
        }
        assert!(seen > 10, "{seen} requirements");
    }
}
