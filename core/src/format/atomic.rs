//! Files that are replaced in one step.
//!
//! [`fn@write`] puts the bytes into a temporary file beside the target, syncs it, renames it over the target
//! and syncs the folder. Whoever opens the target, also after a crash, finds the old bytes or the new ones,
//! never a mixture; if anything fails the old file is as it was and the temporary file is gone. A symbolic
//! link stays and its target is replaced; permissions are kept; a device or a pipe is written to directly.

use crate::error::{Error, Result};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes of a file.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    fs::read(path).map_err(|e| io_error("read", path, &e))
}

/// The first bytes of a file, at most `len`; none of a pipe, from which they would be gone.
pub fn begin(path: impl AsRef<Path>, len: usize) -> Result<Vec<u8>> {
    let path = path.as_ref();
    let mut bytes = Vec::new();
    let read = fs::metadata(path).and_then(|about| match about.is_file() {
        true => File::open(path)?.take(len as u64).read_to_end(&mut bytes),
        false => Ok(0),
    });
    read.map(|_| bytes).map_err(|e| io_error("read", path, &e))
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

pub(crate) fn io_error(verb: &str, path: &Path, e: &io::Error) -> Error {
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
        return fill(&mut open_special(&target)?);
    }
    let (mut file, temporary) = create_beside(&target, old.as_ref())?;
    fill(&mut file)?;
    file.sync_all()?;
    drop(file);
    // Whatever has come to the place meanwhile, a link as well, is replaced and not followed.
    fs::rename(&temporary.0, &target)?;
    temporary.keep();
    sync_folder(folder_of(&target))
}

/// A device or a pipe, open for writing.
fn open_special(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).open(path)?;
    if file.metadata()?.is_file() {
        return Err(io::Error::other("another file took its place meanwhile"));
    }
    Ok(file)
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

/// A new file in the folder of `target`, with a name that no other process or thread uses. Nobody can open it
/// who cannot open the `old` one.
fn create_beside(target: &Path, old: Option<&Metadata>) -> io::Result<(File, Temporary)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = target.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        // Only the beginning of the name: a long one must not become too long.
        let begin: String = name.to_string_lossy().chars().take(32).collect();
        let path = folder_of(target).join(format!(".{begin}.{}-{n}.tmp", std::process::id()));
        match options(old).open(&path) {
            Ok(file) => {
                let temporary = Temporary(path);
                if let Some(old) = old {
                    // What the process's mask took away when the file was made.
                    file.set_permissions(old.permissions())?;
                }
                return Ok((file, temporary));
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
}

/// How a new file is made; `create_new` follows no link.
fn options(old: Option<&Metadata>) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if let Some(old) = old {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(old.permissions().mode() & 0o777);
    }
    options
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
    fn a_link_that_comes_while_the_file_is_written_is_replaced_and_not_followed() {
        let folder = Folder::new("race");
        let (path, victim) = (folder.0.join("a.params"), folder.0.join("victim"));
        write(&path, b"old").unwrap();
        write(&victim, b"precious").unwrap();
        write_with(&path, |f| {
            fs::remove_file(&path)?;
            std::os::unix::fs::symlink(&victim, &path)?;
            f.write_all(b"new")
        })
        .unwrap();
        assert_eq!(read(&victim).unwrap(), b"precious");
        assert!(!fs::symlink_metadata(&path).unwrap().is_symlink());
        assert_eq!(read(&path).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lie_in_wait_under_temporary_names_are_not_followed() {
        let folder = Folder::new("planted");
        let victim = folder.0.join("victim");
        write(&victim, b"precious").unwrap();
        for n in 0..2000 {
            let name = format!(".a.params.{}-{n}.tmp", std::process::id());
            std::os::unix::fs::symlink(&victim, folder.0.join(name)).unwrap();
        }
        write(folder.0.join("a.params"), b"new").unwrap();
        assert_eq!(read(&victim).unwrap(), b"precious");
        assert_eq!(read(folder.0.join("a.params")).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_over_a_private_file_is_never_open_to_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("private");
        let path = folder.0.join("a.params");
        write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        write_with(&path, |f| {
            assert_eq!(f.metadata()?.permissions().mode() & 0o777, 0o600);
            Ok(())
        })
        .unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_is_an_error() {
        let e = write("/dev/full", b"bytes").unwrap_err();
        assert_eq!(e.code(), crate::ErrorCode::Io);
        assert!(e.message().contains("'/dev/full'"), "{e}");
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
