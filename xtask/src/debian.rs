//! Language runtimes from Debian's or Ubuntu's packages, installed where they are missing.

use std::path::Path;
use std::process::Command;

use crate::error::{Context, Result};
use crate::fetch::retried_download;
use crate::process;

/// Sees to it that files (programs are looked for in `PATH`) exist, by installing packages if one is missing.
///
/// Installing takes root or a `sudo` that asks for no password; elsewhere the error says what to install.
pub fn ensure(files: &[&str], packages: &[&str]) -> Result {
    let Some(missing) = files.iter().find(|file| !exists(file)) else { return Ok(()) };
    println!("{missing} is missing; installing {}", packages.join(" "));
    let install = || {
        process::run(&mut apt(&["-qq", "update"]))?;
        process::run(apt(&["-qq", "install", "--yes", "--no-install-recommends"]).args(packages))
    };
    retried_download(install)
        .context(|| format!("installing {missing}; as root: apt-get install {}", packages.join(" ")))
}

/// A path that is there, or a program in `PATH`.
fn exists(file: &str) -> bool {
    if file.contains('/') {
        return Path::new(file).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(file).is_file())
}

fn apt(args: &[&str]) -> Command {
    let root = process::capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let mut command = Command::new(if root { "apt-get" } else { "sudo" });
    if !root {
        command.args(["-n", "apt-get"]);
    }
    // Another installation may be under way: wait for it.
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(args).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_installed_where_everything_is_there() {
        ensure(&["sh", "/bin/sh"], &["no-such-package"]).unwrap();
    }

    #[test]
    fn programs_are_looked_for_in_the_path_and_paths_as_they_are() {
        assert!(exists("sh") && exists("/") && !exists("no-such-program") && !exists("/no/such/file"));
    }
}
