//! Where things are: the repository, the build folder, the download cache.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Context, Result};

/// The root of the repository.
pub fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let xtask = PathBuf::from(manifest);
    xtask.parent().map(Path::to_path_buf).unwrap_or(xtask)
}

/// Cargo's build folder, absolute; everything that these commands make lies below it.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// Where downloads are kept between checkouts: `$MXR_CACHE`, else `mxr` in the user's cache folder.
pub fn cache() -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("MXR_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("mxr")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/mxr")))
        .unwrap_or_else(|| target().join("cache"))
}

/// `path` as a person wants to read it: relative to the repository where it lies inside.
pub fn show(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Copies a folder with its folders.
pub fn copy_folder(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to).context(|| format!("creating {}", to.display()))?;
    for entry in fs::read_dir(from).context(|| format!("reading {}", from.display()))?.flatten() {
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &place)?;
        } else {
            fs::copy(&path, &place).context(|| format!("copying {}", path.display()))?;
        }
    }
    Ok(())
}
