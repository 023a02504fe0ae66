//! Where things are: the repository, the build folder, the download cache.

use std::env;
use std::path::{Path, PathBuf};

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
