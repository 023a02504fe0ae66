//! Julia for the tests: Debian 11's, unpacked beside the system, which stays as it is.
//!
//! Its packages are fetched by apt with a configuration of their own, checked against `xtask/data/julia.json`, and
//! unpacked in the cache. What they need of the present system is installed where it is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::error::{Context, Result};
use crate::fetch::Collection;
use crate::stage::Job;
use crate::{data, debian, paths, process};

/// Where Debian's packages are if apt has no archive of Debian's.
const ARCHIVE: &str = "http://deb.debian.org/debian";
/// Where the packages have their libraries.
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
/// An empty registry: Julia then asks no network for packages.
const REGISTRY: &str = "name = \"General\"\nuuid = \"23338594-aafe-5451-b93e-139f81909106\"\n\
                        repo = \"https://example.invalid/none\"\n\n[packages]\n";

/// A Julia that runs.
pub struct Julia {
    prefix: PathBuf,
    depot: PathBuf,
}

impl Julia {
    /// Julia, fetched and unpacked if need be, with a depot of packages in cargo's build folder.
    pub fn ready() -> Result<Julia> {
        let config = data::json(Path::new("xtask/data/julia.json"))?;
        let version = config["version"].as_str().context(|| "xtask/data/julia.json: no version")?;
        system_libraries(&config)?;
        let prefix = paths::cache().join(format!("julia-{version}"));
        if !prefix.join("complete").exists() {
            let debs = paths::cache().join(format!("julia-{version}-debs"));
            let packages = Collection::of(&config)?;
            packages.fetched(&debs, |fresh| download(&config, &packages, fresh))?;
            unpack(&packages, &debs, &prefix)?;
        }
        let depot = paths::target().join("julia/depot");
        let registry = depot.join("registries/General");
        fs::create_dir_all(&registry).context(|| format!("creating {}", registry.display()))?;
        fs::write(registry.join("Registry.toml"), REGISTRY).context(|| "writing an empty registry")?;
        Ok(Julia { prefix, depot })
    }

    /// A command that runs it for a project, in a test.
    pub fn command(&self, job: &Job, project: &Path) -> Command {
        self.set(job.command(self.program_path()), project)
    }

    /// A command that runs it for a project.
    pub fn program(&self, project: &Path) -> Command {
        self.set(Command::new(self.program_path()), project)
    }

    fn program_path(&self) -> PathBuf {
        self.prefix.join("usr/bin/julia")
    }

    fn set(&self, mut command: Command, project: &Path) -> Command {
        let libraries = self.prefix.join(LIBRARIES);
        let folders = format!("{}:{}", libraries.display(), libraries.join("julia").display());
        command.env("LD_LIBRARY_PATH", folders).env("JULIA_DEPOT_PATH", &self.depot);
        command.env("JULIA_PKG_SERVER", "").env_remove("MXR_LIBRARY");
        // Optimisation would take longer than it saves.
        command.arg("-O1").arg("--startup-file=no").arg(format!("--project={}", project.display()));
        command
    }
}

/// Libraries that the system has under the names by which Julia looks for them, or installs.
fn system_libraries(config: &Value) -> Result {
    let system = config["system"].as_object().context(|| "xtask/data/julia.json: no system")?;
    let files: Vec<&str> = system.keys().map(String::as_str).collect();
    let packages: Vec<&str> = system.values().filter_map(Value::as_str).collect();
    debian::ensure(&files, &packages)
}

/// Fetches the packages, `NAME_VERSION_ARCHITECTURE.deb`, with a configuration of apt's that knows nothing else.
fn download(config: &Value, packages: &Collection, fresh: &Path) -> Result {
    println!("fetching Julia (Debian packages, 51 MB)");
    let apt = fresh.join("apt");
    for folder in ["lists/partial", "archives/partial"] {
        fs::create_dir_all(apt.join(folder)).context(|| format!("creating {}", apt.display()))?;
    }
    let release = config["release"].as_str().unwrap_or_default();
    // What comes is trusted only as far as its checksums.
    let source = format!("deb [trusted=yes arch=amd64] {} {release} main\n", archive());
    let write =
        |name: &str, text: &str| fs::write(apt.join(name), text).context(|| format!("writing {name}"));
    write("sources.list", &source)?;
    write("status", "")?;
    let at = |name: &str| apt.join(name).display().to_string();
    let settings = format!(
        "Dir::Etc::sourcelist \"{}\";\nDir::Etc::sourceparts \"-\";\nDir::State::Lists \"{}\";\n\
         Dir::State::status \"{}\";\nDir::Cache \"{}\";\nAcquire::Languages \"none\";\nAPT::Sandbox::User \"root\";\n",
        at("sources.list"),
        at("lists"),
        at("status"),
        apt.display()
    );
    write("apt.conf", &settings)?;
    let run = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        process::run(command.current_dir(fresh).env("APT_CONFIG", apt.join("apt.conf")).arg("-qq").args(args))
    };
    run(&["update"])?;
    let wanted: Vec<String> = packages.names().map(versioned).collect();
    let mut args = vec!["download"];
    args.extend(wanted.iter().map(String::as_str));
    run(&args)?;
    fs::remove_dir_all(&apt).context(|| format!("removing {}", apt.display()))
}

/// `libllvm9_1%3a9.0.1_amd64.deb` as apt wants it: `libllvm9=1:9.0.1`.
fn versioned(file: &str) -> String {
    let mut parts = file.split('_');
    let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{name}={}", version.replace("%3a", ":"))
}

/// The archive of Debian's that apt uses already, which may be near.
fn archive() -> String {
    let mut targets = Command::new("apt-get");
    targets.args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
    let known = process::capture(&mut targets).unwrap_or_default();
    let debian = known.lines().find(|line| line.trim_end_matches('/').ends_with("/debian"));
    debian.map_or(ARCHIVE.to_owned(), |line| line.trim_end_matches('/').to_owned())
}

/// Unpacks the packages to a folder that appears when it is complete.
fn unpack(packages: &Collection, debs: &Path, prefix: &Path) -> Result {
    let fresh = prefix.with_extension(format!("part{}", std::process::id()));
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir_all(&fresh).context(|| format!("creating {}", fresh.display()))?;
    for name in packages.names() {
        process::run(Command::new("dpkg").arg("-x").arg(debs.join(name)).arg(&fresh))?;
    }
    let libraries = fresh.join(LIBRARIES);
    // Some packages have libraries in /lib, and Julia links to some that the system has.
    let old = fresh.join("lib/x86_64-linux-gnu");
    process::run(Command::new("cp").arg("-a").arg(format!("{}/.", old.display())).arg(&libraries))?;
    relink(&libraries)?;
    fs::write(fresh.join("complete"), "").context(|| "marking Julia as complete")?;
    let _ = fs::remove_dir_all(prefix);
    let moved = fs::rename(&fresh, prefix).context(|| format!("moving Julia to {}", prefix.display()));
    let _ = fs::remove_dir_all(&fresh);
    // Another process may have put it there first.
    if prefix.join("complete").exists() { Ok(()) } else { moved }
}

/// Gives links that lead nowhere what the system has of that name.
fn relink(libraries: &Path) -> Result {
    let folder = libraries.join("julia");
    for entry in fs::read_dir(&folder).context(|| format!("reading {}", folder.display()))?.flatten() {
        let path = entry.path();
        let Ok(target) = fs::read_link(&path) else { continue };
        if path.exists() {
            continue;
        }
        let name = target.file_name().context(|| "a link without a name")?.to_owned();
        let link = libraries.join(&name);
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(Path::new("/").join(LIBRARIES).join(&name), &link)
            .context(|| format!("linking {}", link.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_asked_for_by_their_version() {
        assert_eq!(versioned("libllvm9_1%3a9.0.1-16.1_amd64.deb"), "libllvm9=1:9.0.1-16.1");
        assert_eq!(versioned("julia_1.5.3+dfsg-3_amd64.deb"), "julia=1.5.3+dfsg-3");
    }
}
