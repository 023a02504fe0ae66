//! `cargo xtask dist jvm`: the jar of `io.mxr:mxr`, with libmxr.so and the JNI library inside, and its POM, by which
//! Maven installs it. Maven compiles and packs; on a fresh machine it first fetches its own plugins. Scala's operators are
//! a jar for each Scala, as Scala's binaries are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::data::sha256;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::fetch::{self, retried_download};
use crate::{debian, paths, process};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const SYNTAX: &str = "bindings/jvm/src/main/scala/io/mxr/syntax.scala";
/// Where the jar has the libraries, in a folder for each platform.
const NATIVE: &str = "io/mxr/native";

/// Versions of Scala: the name of the compiler's jars, the compiler's class, and what the jar is called after.
pub const SCALAS: [(&str, &str, &str); 2] =
    [("scala2", "scala.tools.nsc.Main", "2.13"), ("scala3", "dotty.tools.dotc.Main", "3")];

/// Sees to it that there are a compiler and Maven.
pub fn ready() -> Result {
    debian::ensure(&["javac", "mvn"], &["openjdk-17-jdk-headless", "maven"])
}

/// Builds all jars.
pub fn all(profile: Profile) -> Result {
    let jar = build(profile)?;
    SCALAS.iter().try_for_each(|scala| self::scala(profile, &jar, *scala).map(drop))
}

/// Builds the jar of Scala's operators for a version of Scala and returns its path.
pub fn scala(profile: Profile, jar: &Path, (name, compiler, version): (&str, &str, &str)) -> Result<PathBuf> {
    let mut place = fetch::jars(name)?;
    place.push(jar.to_path_buf());
    let place = std::env::join_paths(place).context(|| "a path of classes has a colon in it")?;
    let classes = profile.folder().join("jvm").join(name);
    let _ = fs::remove_dir_all(&classes);
    fs::create_dir_all(&classes).context(|| format!("creating {}", classes.display()))?;
    let mut scalac = Command::new("java");
    scalac.current_dir(paths::root()).arg("-cp").arg(&place).args([
        compiler,
        "-deprecation",
        "-Xfatal-warnings",
    ]);
    scalac.arg("-classpath").arg(&place).arg("-d").arg(&classes).arg(SYNTAX);
    process::run(&mut scalac)?;
    let out = profile.folder().join(format!("mxr-scala_{version}-{VERSION}.jar"));
    process::run(
        Command::new("jar").arg("--create").arg("--file").arg(&out).arg("-C").arg(&classes).arg("."),
    )?;
    println!("{}", paths::show(&out));
    Ok(out)
}

/// Builds the jar and returns its path.
pub fn build(profile: Profile) -> Result<PathBuf> {
    ready()?;
    let out = profile.folder();
    let work = out.join("jvm");
    let native = work.join("native");
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    libraries(profile, &native.join(NATIVE).join(platform))?;
    let package = || {
        let mut maven = Command::new("mvn");
        maven.current_dir(paths::root()).args([
            "--batch-mode",
            "--quiet",
            "-f",
            "bindings/jvm/pom.xml",
            "package",
        ]);
        maven.arg(format!("-Dnative.dir={}", native.display()));
        process::run(maven.arg(format!("-Dbuild.dir={}", work.join("maven").display())))
    };
    retried_download(package)?;
    let name = format!("mxr-{VERSION}.jar");
    let jar = out.join(&name);
    fs::copy(work.join("maven").join(&name), &jar).context(|| format!("copying {name}"))?;
    let pom = out.join(format!("mxr-{VERSION}.pom"));
    fs::copy(paths::root().join("bindings/jvm/pom.xml"), pom).context(|| "copying the POM")?;
    let size = fs::metadata(&jar).map(|meta| meta.len()).unwrap_or(0);
    println!("{}: {:.1} MB", paths::show(&jar), size as f64 / 1e6);
    Ok(jar)
}

/// Puts both libraries where the jar takes them from, with the checksum by which they are unpacked.
fn libraries(profile: Profile, folder: &Path) -> Result {
    fs::create_dir_all(folder).context(|| format!("creating {}", folder.display()))?;
    let mut all = Vec::new();
    for (package, file) in [("mxr-capi", "libmxr.so"), ("mxr-jni", "libmxr_jni.so")] {
        let built = dist::shared_library(profile, package, file)?;
        let bytes = fs::read(&built).context(|| format!("reading {}", paths::show(&built)))?;
        if profile == Profile::Release {
            dist::check_library(file, &bytes)?;
        }
        fs::write(folder.join(file), &bytes).context(|| format!("copying {file}"))?;
        all.extend(bytes);
    }
    fs::write(folder.join("checksum"), &sha256(&all)[..16]).context(|| "writing the checksum")
}
