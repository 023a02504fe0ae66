//! `cargo xtask dist cpp`: what C++ programs are built over: headers, libmxr.so, and what CMake's `find_package(mxr)`
//! and pkg-config read, as one archive that can be unpacked anywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dist::{self, Profile};
use crate::elf;
use crate::error::{Context, Result};
use crate::{capi, paths, process};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Templates, with their places in the package.
const TEMPLATES: [(&str, &str); 3] = [
    ("mxr-config.cmake", "lib/cmake/mxr"),
    ("mxr-config-version.cmake", "lib/cmake/mxr"),
    ("mxr.pc", "lib/pkgconfig"),
];

/// Builds the archive and returns its path.
pub fn build(profile: Profile) -> Result<PathBuf> {
    let out = profile.folder();
    let name = format!("mxr-cpp-{VERSION}-{}", capi::host()?);
    let package = out.join(&name);
    let _ = fs::remove_dir_all(&package);
    paths::copy_folder(&paths::root().join("include"), &package.join("include"))?;
    let soname = library(profile, &package.join("lib"))?;
    for (file, place) in TEMPLATES {
        template(file, &package.join(place), &soname)?;
    }
    for file in ["LICENSE", "bindings/cpp/README.md"] {
        let from = paths::root().join(file);
        let to = package.join(from.file_name().context(|| "a file without a name")?);
        fs::copy(&from, to).context(|| format!("copying {file}"))?;
    }
    let archive = out.join(format!("{name}.tar.gz"));
    process::run(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&out).arg(&name))?;
    let size = fs::metadata(&archive).map(|meta| meta.len()).unwrap_or(0);
    println!("{}: {:.1} MB", paths::show(&archive), size as f64 / 1e6);
    Ok(archive)
}

/// Puts the library under its run-time name, and the link by which linkers find it. Returns that name.
fn library(profile: Profile, folder: &Path) -> Result<String> {
    let built = dist::library(profile)?;
    let bytes = fs::read(&built).context(|| format!("reading {}", paths::show(&built)))?;
    let soname = elf::soname(&bytes)?.context(|| "libmxr.so has no SONAME")?;
    if profile == Profile::Release {
        dist::check_library("libmxr.so", &bytes)?;
    }
    fs::create_dir_all(folder).context(|| format!("creating {}", folder.display()))?;
    fs::write(folder.join(&soname), bytes).context(|| "copying libmxr.so")?;
    std::os::unix::fs::symlink(&soname, folder.join("libmxr.so")).context(|| "linking libmxr.so")?;
    Ok(soname)
}

/// Writes a template with its marks filled in.
fn template(file: &str, folder: &Path, soname: &str) -> Result {
    let from = paths::root().join("bindings/cpp/cmake").join(file);
    let text = fs::read_to_string(&from).context(|| format!("reading {}", from.display()))?;
    let major = VERSION.split('.').next().unwrap_or_default();
    let text = text.replace("@SONAME@", soname).replace("@VERSION@", VERSION).replace("@MAJOR@", major);
    fs::create_dir_all(folder).context(|| format!("creating {}", folder.display()))?;
    fs::write(folder.join(file), text).context(|| format!("writing {file}"))
}
