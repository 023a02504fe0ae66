//! `cargo xtask dist`: what users install.
//!
//! The C++ package is in dist_cpp.rs, the jar in dist_jvm.rs, the npm package in dist_node.rs. The Python wheel holds libmxr.so and the extension module over it (abi3: one wheel for every Python from 3.11 on).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bail;
use crate::elf;
use crate::error::{Context, Result};
use crate::venv::Venv;
use crate::{capi, dist_cpp, dist_julia, dist_jvm, dist_node, dist_r, paths, process};

/// The oldest glibc that a released wheel runs on: that of RHEL 8 and Debian 10.
const GLIBC: elf::Version = (2, 28);
/// Where the wheel's libmxr.so is put before it is packed.
const BUNDLED: &str = "bindings/python/python/mxr/lib";

/// That version as linkers are told it.
pub fn glibc() -> String {
    format!("{}.{}", GLIBC.0, GLIBC.1)
}

/// What something is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// For users: optimised, and for any Linux with glibc 2.28.
    Release,
    /// For this machine: optimised.
    Local,
    /// For this machine's tests: the development profile, which shares its objects with `cargo test`.
    Test,
}

impl Profile {
    /// Cargo's name for it.
    fn cargo(self) -> &'static str {
        if self == Profile::Test { "dev" } else { "release" }
    }

    /// The folder of what is finished.
    pub fn folder(self) -> PathBuf {
        let dist = paths::target().join("dist");
        match self {
            Profile::Release => dist,
            Profile::Local => dist.join("local"),
            Profile::Test => dist.join("test"),
        }
    }
}

/// Builds a package.
type Build = fn(Profile) -> Result;
/// The packages: the language of each, and what builds it.
const PACKAGES: [(&str, Build); 6] = [
    ("cpp", |profile| dist_cpp::build(profile).map(drop)),
    ("julia", |profile| dist_julia::build(profile).map(drop)),
    ("jvm", dist_jvm::all),
    ("node", |profile| dist_node::build(profile).map(drop)),
    ("python", |profile| python(profile).map(drop)),
    ("r", |profile| dist_r::build(profile).map(drop)),
];

/// `dist LANGUAGE`.
pub fn command(args: &[String]) -> Result {
    let names = PACKAGES.map(|(name, _)| name).join(", ");
    let [language] = args else { bail!("dist: for which language? There are: {names}") };
    match PACKAGES.iter().find(|(name, _)| name == language) {
        Some((_, build)) => build(Profile::Release),
        None => bail!("dist: there are {names}, not {language}"),
    }
}

/// Builds the wheel of the Python package and returns its path.
pub fn python(profile: Profile) -> Result<PathBuf> {
    let package = paths::root().join("bindings/python");
    if !package.join("pyproject.toml").exists() {
        bail!("there is no Python package in this tree (bindings/python/pyproject.toml)");
    }
    let build = Venv::ready(if profile == Profile::Release { "release" } else { "build" })?;
    bundle(&library(profile)?)?;
    let out = profile.folder();
    remove_wheels(&out)?;
    let mut maturin = build.command("maturin");
    maturin.current_dir(&package).args(["build", "--quiet", "--profile", profile.cargo()]);
    maturin.args(["--auditwheel", "skip", "--out"]).arg(&out);
    match profile {
        Profile::Release => {
            maturin.args(["--zig", "--target", &capi::host()?]);
            maturin.args(["--compatibility", &format!("manylinux_{}_{}", GLIBC.0, GLIBC.1)]);
        }
        Profile::Local | Profile::Test => {
            maturin.args(["--compatibility", "linux"]);
        }
    }
    process::run(&mut maturin)?;
    let wheel = one_wheel(&out)?;
    if profile == Profile::Release {
        check_glibc(&wheel, &build)?;
    }
    let size = fs::metadata(&wheel).map(|meta| meta.len()).unwrap_or(0);
    println!("{}: {:.1} MB", paths::show(&wheel), size as f64 / 1e6);
    Ok(wheel)
}

/// Builds libmxr.so.
pub fn library(profile: Profile) -> Result<PathBuf> {
    shared_library(profile, "mxr-capi", "libmxr.so")
}

/// Builds a crate that is a shared library, and returns the file; for a release with zig as the linker, which links to
/// the symbols of an old glibc.
pub fn shared_library(profile: Profile, package: &str, file: &str) -> Result<PathBuf> {
    let mut cargo = match profile {
        Profile::Release => Venv::ready("release")?.command("cargo-zigbuild"),
        Profile::Local | Profile::Test => process::cargo(),
    };
    cargo.current_dir(paths::root());
    let host = capi::host()?;
    let folder = match profile {
        Profile::Release => {
            let target = format!("{host}.{}.{}", GLIBC.0, GLIBC.1);
            cargo.args(["zigbuild", "--target", &target]);
            paths::target().join(&host).join("release")
        }
        Profile::Local => {
            cargo.arg("build");
            paths::target().join("release")
        }
        Profile::Test => {
            cargo.arg("build");
            paths::target().join("debug")
        }
    };
    process::run(cargo.args(["--quiet", "-p", package, "--profile", profile.cargo()]))?;
    Ok(folder.join(file))
}

/// Puts libmxr.so where the package takes it from.
fn bundle(library: &Path) -> Result {
    let folder = paths::root().join(BUNDLED);
    fs::create_dir_all(&folder).context(|| format!("creating {BUNDLED}"))?;
    let place = folder.join("libmxr.so");
    // A process that has the old file open keeps it: the new one is another file.
    let _ = fs::remove_file(&place);
    fs::copy(library, &place).context(|| format!("copying {} to {BUNDLED}", paths::show(library)))?;
    Ok(())
}

fn wheels(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "whl"))
        .collect()
}

fn remove_wheels(folder: &Path) -> Result {
    for old in wheels(folder) {
        fs::remove_file(&old).context(|| format!("removing {}", paths::show(&old)))?;
    }
    Ok(())
}

fn one_wheel(folder: &Path) -> Result<PathBuf> {
    let mut found = wheels(folder);
    match (found.pop(), found.is_empty()) {
        (Some(wheel), true) => Ok(wheel),
        _ => bail!("maturin left {} wheels in {}, not one", found.len() + 1, paths::show(folder)),
    }
}

/// Fails if a library in the wheel needs a newer glibc than it promises.
fn check_glibc(wheel: &Path, build: &Venv) -> Result {
    let folder = paths::target().join("dist/unpacked");
    let _ = fs::remove_dir_all(&folder);
    let mut unpack = Command::new(build.python());
    process::run(unpack.args(["-m", "zipfile", "-e"]).arg(wheel).arg(&folder))?;
    let mut libraries = Vec::new();
    shared_libraries(&folder, &mut libraries)?;
    if libraries.is_empty() {
        bail!("{} holds no shared library", paths::show(wheel));
    }
    for library in &libraries {
        let name = library.strip_prefix(&folder).unwrap_or(library).display();
        let bytes = fs::read(library).context(|| format!("reading {name}"))?;
        check_library(&name.to_string(), &bytes)?;
    }
    Ok(())
}

/// Fails if a library needs a newer glibc than what is released may need.
pub fn check_library(name: &str, bytes: &[u8]) -> Result {
    match elf::glibc_needed(bytes).context(|| name.to_string())? {
        Some((major, minor)) if (major, minor) > GLIBC => {
            bail!("{name} needs glibc {major}.{minor}, and may need {}.{}", GLIBC.0, GLIBC.1)
        }
        Some((major, minor)) => println!("{name}: glibc {major}.{minor}"),
        None => println!("{name}: no glibc"),
    }
    Ok(())
}

fn shared_libraries(folder: &Path, found: &mut Vec<PathBuf>) -> Result {
    for entry in fs::read_dir(folder).context(|| format!("reading {}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            shared_libraries(&path, found)?;
        } else if entry.file_name().to_string_lossy().contains(".so") {
            found.push(path);
        }
    }
    Ok(())
}
