//! Finding libmxr: the one that the user names, one that the process already has, or the package's own.

use crate::ffi::{Abi, MXR_ABI_VERSION};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::{CStr, c_char};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The name that libmxr records for itself.
const SONAME: &str = "libmxr.so.0";
/// Asks the loader for a library only if the process has it (`RTLD_NOLOAD` of Linux).
const RTLD_NOLOAD: i32 = 4;

static ABI: OnceLock<Abi> = OnceLock::new();
static FILE: OnceLock<String> = OnceLock::new();

/// The library's functions.
///
/// # Panics
/// Before `load` succeeded, which the package does when it is imported.
#[inline]
pub fn abi() -> &'static Abi {
    ABI.get().expect("libmxr is loaded when the package is imported")
}

fn open(path: &Path, flags: i32) -> Result<Library, libloading::Error> {
    // SAFETY: loading libmxr runs no code of its own.
    unsafe { Library::open(Some(path), flags | RTLD_NOW | RTLD_LOCAL) }
}

/// The files that the process has mapped, with the addresses they are at.
fn mapped() -> Vec<(usize, usize, PathBuf)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let line = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (low, high) = range.split_once('-')?;
        let path = rest.find('/').map(|at| PathBuf::from(&rest[at..]))?;
        Some((usize::from_str_radix(low, 16).ok()?, usize::from_str_radix(high, 16).ok()?, path))
    };
    maps.lines().filter_map(line).collect()
}

/// A libmxr that another part of the process uses, such as another language.
fn loaded() -> Option<Library> {
    open(Path::new(SONAME), RTLD_NOLOAD).ok().or_else(|| {
        let is_ours = |path: &Path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libmxr.so"))
        };
        let path = mapped().into_iter().find(|(.., path)| is_ours(path))?.2;
        open(&path, RTLD_NOLOAD).ok()
    })
}

fn find(named: Option<&Path>, bundled: &Path) -> Result<Library, String> {
    if let Some(path) = named {
        return open(path, 0)
            .map_err(|e| format!("MXR_LIBRARY names {}, which does not load: {e}", path.display()));
    }
    if let Some(library) = loaded() {
        return Ok(library);
    }
    open(bundled, 0).map_err(|e| { format!(
            "mxr found no libmxr. It looked at the environment variable MXR_LIBRARY (not set), for {SONAME} in \
             this process (not loaded), and at {} ({e})",
            bundled.display()
        ) })
}

/// The file that an address was loaded from.
fn file_at(address: usize) -> Option<PathBuf> {
    mapped().into_iter().find(|(low, high, _)| (*low..*high).contains(&address)).map(|(.., path)| path)
}

/// Loads libmxr and returns the file it came from: the one that is `named` (by the environment variable
/// `MXR_LIBRARY`), one that the process has already, or the package's own at `bundled`. A second call changes nothing.
///
/// # Errors
/// What was looked for and why it does not serve, as a sentence for users.
pub fn load(named: Option<PathBuf>, bundled: PathBuf) -> Result<String, String> {
    if let Some(file) = FILE.get() {
        return Ok(file.clone());
    }
    let library = find(named.as_deref(), &bundled)?;
    // SAFETY: every libmxr has this function, with this signature.
    let version = unsafe { library.get::<unsafe extern "C" fn() -> u32>(b"mxr_abi_version\0") };
    let version = version.map_err(|e| format!("{} is no libmxr: {e}", named.unwrap_or(bundled).display()))?;
    let file = file_at(*version as usize).map_or_else(|| "libmxr".to_owned(), |p| p.display().to_string());
    // SAFETY: as above.
    let found = unsafe { version() };
    if found != MXR_ABI_VERSION {
        return Err(format!("{file} has ABI version {found}, and this mxr needs {MXR_ABI_VERSION}"));
    }
    let library = libloading::Library::from(library);
    // SAFETY: its ABI version was checked.
    let abi = unsafe { Abi::load(&library) }
        .map_err(|e| format!("{file} is older than this mxr: it lacks a function ({e})"))?;
    // The library stays for as long as the process.
    std::mem::forget(library);
    let _ = ABI.set(abi);
    let _ = FILE.set(file.clone());
    Ok(file)
}

/// The file that libmxr was loaded from.
pub fn file() -> &'static str {
    FILE.get().map_or("libmxr", String::as_str)
}

/// How libmxr was built.
pub fn build_info() -> &'static str {
    // SAFETY: the library gives static texts.
    text(unsafe { (abi().mxr_build_info)() })
}

/// The version of libmxr.
pub fn version() -> &'static str {
    // SAFETY: the library gives static texts.
    text(unsafe { (abi().mxr_version)() })
}

fn text(text: *const c_char) -> &'static str {
    // SAFETY: the library gives static texts, which end with a zero.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}
