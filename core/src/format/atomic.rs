//! Files that are replaced in one step.
//!
//! [`fn@write`] puts the bytes into a temporary file beside the target, syncs it, renames it over the target and
//! syncs the folder. Whoever opens the target, also after a crash, finds the old bytes or the new ones, never
//! a mixture; if anything fails the old file is as it was and the temporary file is gone. A symbolic link
//! stays and its target is replaced; permissions are kept; a device or a pipe is written to directly.

use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes of a file.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    fs::read(path).map_err(|e| io_error("read", path, &e))
}

/// Writes a file in one step.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// Writes a file in one step, with what `fill` writes into it.
pub fn write_with(path: impl AsRef<Path>, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let path = path.as_ref();
    replace(path, fill).map_err(|e| io_error("write", path, &e))
}

fn io_error(verb: &str, path: &Path, e: &io::Error) -> Error {
    let code = match e.kind() {
        io::ErrorKind::NotFound => crate::ErrorCode::NotFound,
        _ => crate::ErrorCode::Io,
    };
    Error::new(code, format!("cannot {verb} '{}': {e}", path.display()))
}

fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|m| !m.is_file()) {
        return fill(&mut OpenOptions::new().write(true).open(&target)?);
    }
    let (mut file, temporary) = create_beside(&target)?;
    fill(&mut file)?;
    if let Some(old) = old {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary.0, &target)?;
    temporary.keep();
    sync_folder(folder_of(&target))
}

/// The path of a temporary file, which is removed when this is dropped.
struct Temporary(PathBuf);

impl Temporary {
    /// The file has got its final name: nothing to remove.
    fn keep(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.0);
        }
    }
}

/// A new file in the folder of `target`, with a name that no other process or thread uses.
fn create_beside(target: &Path) -> io::Result<(File, Temporary)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = target.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        // Only the beginning of the name: a long one must not become too long.
        let begin: String = name.to_string_lossy().chars().take(32).collect();
        let path = folder_of(target).join(format!(".{begin}.{}-{n}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, Temporary(path))),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for one test, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("mxr-atomic-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = Folder::new("replace");
        let path = folder.0.join("a.params");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        assert_eq!(folder.names(), ["a.params"]);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = Folder::new("fail");
        let path = folder.0.join("a.params");
        write(&path, b"old").unwrap();
        let failed = write_with(&path, |f| {
            f.write_all(b"half of it")?;
            Err(io::Error::other("disk full"))
        });
        assert_eq!(failed.unwrap_err().code(), crate::ErrorCode::Io);
        assert_eq!(read(&path).unwrap(), b"old");
        assert_eq!(folder.names(), ["a.params"]);
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_the_path() {
        let folder = Folder::new("missing");
        let e = write(folder.0.join("no/such.params"), b"").unwrap_err();
        assert_eq!(e.code(), crate::ErrorCode::NotFound);
        assert!(e.message().contains("such.params"), "{e}");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = Folder::new("link");
        let (file, link) = (folder.0.join("file"), folder.0.join("link"));
        write(&file, b"old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
