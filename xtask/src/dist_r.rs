//! `cargo xtask dist r`: the package of R's, from source with the Rust sources and all that they need, and built.
//!
//! The sources of libmxr are in `src/rust`, those of its dependencies in `src/rust/vendor.tar.xz`; the package's
//! `tools/libmxr.sh` builds them, or takes the library that `MXR_LIBRARY` names. Neither needs a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::venv::Venv;
use crate::{paths, process};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What is part of the package as it lies in `bindings/r`.
const PARTS: [&str; 7] = ["DESCRIPTION", "NAMESPACE", "README.md", "R", "man", "src", "tools"];
/// Folders of Rust that make libmxr.
const CRATES: [&str; 3] = ["core/src", "core/macros", "capi/src"];
/// Sections of Cargo.toml that only tests need.
const TESTING: [&str; 3] = ["[dev-dependencies]", "[[test]]", "[target.'cfg(loom)'.dev-dependencies]"];

/// Sees to it that R and what its tests need are there.
pub fn ensure() -> Result {
    let library = "/usr/lib/R/site-library";
    let files =
        ["R".to_owned(), format!("{library}/testthat"), format!("{library}/jsonlite"), "xz".to_owned()];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    debian::ensure(&files, &["r-base-core", "r-cran-testthat", "r-cran-jsonlite", "xz-utils"])
}

/// Builds both packages for users.
pub fn build(profile: Profile) -> Result {
    ensure()?;
    let out = profile.folder();
    fs::create_dir_all(&out).context(|| format!("creating {}", out.display()))?;
    let source = source(profile)?;
    let library = dist::library(profile)?;
    let built = binary(profile, &source, &library)?;
    for package in [source, built] {
        let size = fs::metadata(&package).map(|meta| meta.len()).unwrap_or(0);
        println!("{}: {:.1} MB", paths::show(&package), size as f64 / 1e6);
    }
    Ok(())
}

/// The source package.
pub fn source(profile: Profile) -> Result<PathBuf> {
    let out = profile.folder();
    let package = out.join("r/mxr");
    let _ = fs::remove_dir_all(&package);
    assemble(&package)?;
    rust_sources(&package.join("src/rust"))?;
    process::run(Command::new("R").args(["CMD", "build", "r/mxr"]).current_dir(&out))?;
    Ok(out.join(format!("mxr_{VERSION}.tar.gz")))
}

/// The package's folder without Rust sources.
pub fn assemble(package: &Path) -> Result {
    let binding = paths::root().join("bindings/r");
    for part in PARTS {
        copy(&binding.join(part), &package.join(part))?;
    }
    for test in ["tests/testthat.R", "tests/testthat"] {
        copy(&binding.join(test), &package.join(test))?;
    }
    for header in ["mxr.h", "dlpack.h"] {
        copy(&paths::root().join("include").join(header), &package.join("src").join(header))?;
    }
    Ok(())
}

/// Copies a file, or a folder with everything in it but what a compiler left there.
fn copy(from: &Path, to: &Path) -> Result {
    let context = || format!("copying {} to {}", from.display(), to.display());
    if !from.is_dir() {
        let folder = to.parent().context(|| "a file without a folder")?;
        fs::create_dir_all(folder).context(context)?;
        return fs::copy(from, to).map(|_| ()).context(context);
    }
    fs::create_dir_all(to).context(context)?;
    for entry in fs::read_dir(from).context(context)?.flatten() {
        let path = entry.path();
        if !path.extension().is_some_and(|ext| ext == "o" || ext == "so") {
            copy(&path, &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// A workspace of what makes libmxr, with its dependencies.
fn rust_sources(folder: &Path) -> Result {
    let root = paths::root();
    for part in CRATES {
        copy(&root.join(part), &folder.join(part))?;
    }
    for file in ["Cargo.lock", "capi/Cargo.toml", "capi/build.rs"] {
        copy(&root.join(file), &folder.join(file))?;
    }
    rewrite("Cargo.toml", folder, workspace)?;
    rewrite("core/Cargo.toml", folder, without_tests)?;
    process::run(process::cargo().args(["vendor", "--quiet", "vendor"]).current_dir(folder))?;
    process::run(Command::new("tar").args(["-cJf", "vendor.tar.xz", "vendor"]).current_dir(folder))?;
    fs::remove_dir_all(folder.join("vendor")).context(|| "removing what was packed")
}

/// Writes a file of the repository to the same place of the package, changed.
fn rewrite(file: &str, folder: &Path, change: fn(&str) -> String) -> Result {
    let text = fs::read_to_string(paths::root().join(file)).context(|| format!("reading {file}"))?;
    fs::write(folder.join(file), change(&text)).context(|| format!("writing {file}"))
}

/// The workspace of libmxr alone.
fn workspace(manifest: &str) -> String {
    let kept = |line: &&str| !line.starts_with("exclude = ") && !line.contains("path = \"bindings/");
    let line = |line: &str| match line.starts_with("members = ") {
        true => "members = [\"core\", \"core/macros\", \"capi\"]\n".to_owned(),
        false => format!("{line}\n"),
    };
    manifest.lines().filter(kept).map(line).collect()
}

/// A manifest without what only tests need.
fn without_tests(manifest: &str) -> String {
    let mut testing = false;
    let kept = |line: &&str| {
        if line.starts_with('[') {
            testing = TESTING.contains(line);
        }
        !testing
    };
    manifest.lines().filter(kept).map(|line| format!("{line}\n")).collect()
}

/// The built package; for users, compiled for an old glibc.
fn binary(profile: Profile, source: &Path, library: &Path) -> Result<PathBuf> {
    let out = profile.folder();
    let place = out.join("r/library");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).context(|| format!("creating {}", place.display()))?;
    let mut install = Command::new("R");
    install.args(["CMD", "INSTALL", "--build", "--library=r/library"]).arg(source).current_dir(&out);
    if profile == Profile::Release {
        let makevars = out.join("r/Makevars");
        fs::write(&makevars, old_glibc()?).context(|| "writing Makevars")?;
        install.env("R_MAKEVARS_USER", makevars);
    }
    process::run(install.env("MXR_LIBRARY", library))?;
    if profile == Profile::Release {
        for file in ["mxr/lib/libmxr.so", "mxr/libs/mxr.so"] {
            let bytes = fs::read(place.join(file)).context(|| format!("reading {file}"))?;
            dist::check_library(file, &bytes)?;
        }
    }
    let start = format!("mxr_{VERSION}_R_");
    let built = fs::read_dir(&out).context(|| "reading the packages")?.flatten().map(|entry| entry.path());
    let ours =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start));
    built.into_iter().find(ours).context(|| "R left no built package")
}

/// Settings of R's compiler by which the package runs on an old glibc: zig's compiler, and no library of R's, whose
/// functions are those of the R that loads the package.
fn old_glibc() -> Result<String> {
    let python = Venv::ready("release")?.python();
    let (host, glibc) = (crate::capi::host()?, dist::glibc());
    let target = host.replace("unknown-", "");
    Ok(format!(
        "CC = {} -m ziglang cc -target {target}.{glibc}\nLIBR =\nLDFLAGS =\nCFLAGS = -O2\n",
        python.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_has_the_library_alone() {
        let manifest = "[workspace]\nmembers = [\"core\", \"cli\"]\nexclude = [\"fuzz\"]\n\n[workspace.dependencies]\n\
                        mxr-abi = { path = \"bindings/abi\" }\nhalf = \"=2.7.1\"\n";
        let expected = "[workspace]\nmembers = [\"core\", \"core/macros\", \"capi\"]\n\n[workspace.dependencies]\n\
                        half = \"=2.7.1\"\n";
        assert_eq!(workspace(manifest), expected);
    }

    #[test]
    fn what_tests_need_is_left_out() {
        let manifest = "[dependencies]\na = \"1\"\n[dev-dependencies]\nb = \"1\"\n[[test]]\nname = \"c\"\n[lints]\nd = 1\n";
        assert_eq!(without_tests(manifest), "[dependencies]\na = \"1\"\n[lints]\nd = 1\n");
    }
}
