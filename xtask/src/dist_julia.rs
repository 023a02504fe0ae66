//! `cargo xtask dist julia`: the Julia package with libmxr inside, as an archive that `Pkg.develop` takes unpacked,
//! without a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::{capi, paths, process};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const FOLDER: &str = "bindings/julia";
/// What the package has of the folder.
const PARTS: [&str; 4] = ["Project.toml", "README.md", "src", "test"];

/// Builds the archive and returns its path.
pub fn build(profile: Profile) -> Result<PathBuf> {
    let out = profile.folder();
    let name = format!("MXR.jl-{VERSION}-{}", capi::host()?);
    let package = out.join(&name);
    let _ = fs::remove_dir_all(&package);
    fs::create_dir_all(&package).context(|| format!("creating {}", package.display()))?;
    for part in PARTS {
        let from = paths::root().join(FOLDER).join(part);
        process::run(Command::new("cp").arg("-r").arg(from).arg(&package))?;
    }
    fs::copy(paths::root().join("LICENSE"), package.join("LICENSE")).context(|| "copying LICENSE")?;
    library(profile, &package.join("deps/lib"))?;
    let archive = out.join(format!("{name}.tar.gz"));
    process::run(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&out).arg(&name))?;
    let size = fs::metadata(&archive).map(|meta| meta.len()).unwrap_or(0);
    println!("{}: {:.1} MB", paths::show(&archive), size as f64 / 1e6);
    Ok(archive)
}

fn library(profile: Profile, folder: &Path) -> Result {
    let built = dist::library(profile)?;
    let bytes = fs::read(&built).context(|| format!("reading {}", paths::show(&built)))?;
    if profile == Profile::Release {
        dist::check_library("libmxr.so", &bytes)?;
    }
    fs::create_dir_all(folder).context(|| format!("creating {}", folder.display()))?;
    fs::write(folder.join("libmxr.so"), bytes).context(|| "copying libmxr.so")
}
