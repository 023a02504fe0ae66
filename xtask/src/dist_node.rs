//! `cargo xtask dist node`: the npm package: JavaScript and types, and for this kind of machine the addon and libmxr.so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bail;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::{debian, paths, process};

const PACKAGE: &str = "bindings/node";

/// Sees to it that Node and npm are there.
pub fn runtime() -> Result {
    debian::ensure(&["node", "npm"], &["nodejs", "npm"])
}

/// Builds the package and returns its path.
pub fn build(profile: Profile) -> Result<PathBuf> {
    runtime()?;
    let out = profile.folder();
    let package = out.join("npm");
    let _ = fs::remove_dir_all(&package);
    paths::copy_folder(&paths::root().join(PACKAGE).join("lib"), &package.join("lib"))?;
    for file in ["bindings/node/package.json", "bindings/node/README.md", "LICENSE"] {
        let from = paths::root().join(file);
        let to = package.join(from.file_name().context(|| "a file without a name")?);
        fs::copy(&from, to).context(|| format!("copying {file}"))?;
    }
    let native = package.join("native").join(platform()?);
    fs::create_dir_all(&native).context(|| format!("creating {}", native.display()))?;
    for (krate, built, name) in
        [("mxr-capi", "libmxr.so", "libmxr.so"), ("mxr-node", "libmxr_node.so", "mxr.node")]
    {
        let built = dist::shared_library(profile, krate, built)?;
        let bytes = fs::read(&built).context(|| format!("reading {}", paths::show(&built)))?;
        if profile == Profile::Release {
            dist::check_library(name, &bytes)?;
        }
        fs::write(native.join(name), bytes).context(|| format!("writing {name}"))?;
    }
    let mut pack = Command::new("npm");
    pack.current_dir(&package).args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(&out);
    let printed = process::capture(&mut pack)?;
    let name = printed.lines().last().context(|| "npm pack named no file")?.trim();
    let archive = out.join(name);
    let size = fs::metadata(&archive).map(|meta| meta.len()).unwrap_or(0);
    println!("{}: {:.1} MB", paths::show(&archive), size as f64 / 1e6);
    Ok(archive)
}

/// Makes a folder of its own, and lets `npm` install a package there without a network.
pub fn install<'a>(npm: &'a mut Command, package: &Path, place: &Path) -> Result<&'a mut Command> {
    fs::create_dir_all(place).context(|| format!("creating {}", place.display()))?;
    fs::write(place.join("package.json"), "{ \"private\": true }\n").context(|| "writing package.json")?;
    npm.current_dir(place).args(["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"]);
    Ok(npm.arg(package))
}

/// What Node calls this kind of machine.
fn platform() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("linux-x64"),
        "aarch64" => Ok("linux-arm64"),
        other => bail!("there is no name for {other} in npm packages"),
    }
}
