//! The stage of the JVM binding: programs in `bindings/jvm/src/test` over the jar that `dist jvm` makes, on a libmxr of the
//! development profile; and a program outside, over the jar alone.
//!
//! Each program ends with the line `N passed, N failed`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bail;
use crate::count::Count;
use crate::dist::Profile;
use crate::error::{Context, Result};
use crate::stage::Job;
use crate::{cases, dist_jvm, fetch, paths};

const TESTS: &str = "bindings/jvm/src/test";

/// Compiles and runs everything; with an operator, its cases alone.
pub fn test(job: &Job) -> Result<Count> {
    let jar = dist_jvm::build(Profile::Test)?;
    let out = paths::target().join("jvm-tests");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).context(|| format!("creating {}", out.display()))?;
    let classes = out.join("classes");
    compile(job, &[&jar], &sources(&paths::root().join(TESTS).join("java"), "java")?, &classes)?;
    let place = [classes.as_path(), &jar];
    let mut conformance = java(job, &place, &out);
    conformance.arg("io.mxr.Conformance").arg(cases::write()?);
    conformance.arg(paths::root().join(TESTS).join("quirks.json")).args(&job.operator);
    let mut sum = Count::or_failed(run(job, conformance));
    if job.operator.is_some() {
        return Ok(sum);
    }
    sum += Count::or_failed(lifecycle(job, &place, &out));
    for version in dist_jvm::SCALAS {
        sum += Count::or_failed(scala(job, &jar, version, &out));
    }
    sum += Count::or_failed(clojure(job, &jar, &out));
    sum += Count::or_failed(outside(job, &jar, &out));
    Ok(sum)
}

/// Sources of a language in a folder and those inside.
fn sources(folder: &Path, language: &str) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).context(|| format!("reading {}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(sources(&path, language)?);
        } else if path.extension().is_some_and(|extension| extension == language) {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

fn compile(job: &Job, place: &[&Path], sources: &[PathBuf], classes: &Path) -> Result {
    let mut javac = job.command("javac");
    javac.args(["--release", "11", "-Xlint:all,-try", "-Werror", "-cp"]).arg(class_path(place)?);
    job.must(javac.arg("-d").arg(classes).args(sources))
}

fn class_path(place: &[&Path]) -> Result<std::ffi::OsString> {
    std::env::join_paths(place).context(|| "a path of classes has a colon in it")
}

/// The JVM over some classes; it unpacks the jar's libraries to a place of its own.
fn java(job: &Job, place: &[&Path], out: &Path) -> Command {
    let mut java = job.command("java");
    java.env("MXR_CHECK", "1").env_remove("MXR_LIBRARY");
    java.arg(format!("-Dmxr.cache={}", out.join("cache").display()));
    java.arg("-cp").arg(class_path(place).unwrap_or_default());
    java
}

fn run(job: &Job, mut command: Command) -> Result<Count> {
    let done = job.watch(&mut command)?;
    let count = Count::from_plain(&done.text);
    Ok(count.context(|| "a program did not print `N passed, N failed`")?.settled(done.success))
}

/// Arrays, lifetimes, errors, training; and a libmxr with another ABI version, which must be refused.
fn lifecycle(job: &Job, place: &[&Path], out: &Path) -> Result<Count> {
    let mut tests = java(job, place, out);
    // What the collector does not see must not grow: the heap is large enough that it has no reason of its own to run.
    tests.args(["-Xms1g", "-Xcheck:jni", "io.mxr.Tests"]);
    let mut sum = Count::or_failed(run(job, tests));
    let wrong = out.join("libwrong.so");
    let source = paths::root().join(TESTS).join("c/wrong_version.c");
    job.must(job.command("cc").args(["-shared", "-fPIC", "-o"]).arg(&wrong).arg(source))?;
    let mut refused = java(job, place, out);
    refused.env("MXR_LIBRARY", &wrong).arg("io.mxr.WrongVersion").arg(&wrong);
    sum += Count::or_failed(run(job, refused));
    Ok(sum)
}

/// Scala's operators, over the jars for a version of Scala.
fn scala(job: &Job, jar: &Path, version: (&str, &str, &str), out: &Path) -> Result<Count> {
    let own = dist_jvm::scala(Profile::Test, jar, version)?;
    let (language, compiler, _) = version;
    let jars = fetch::jars(language)?;
    let classes = out.join(language);
    fs::create_dir_all(&classes).context(|| format!("creating {}", classes.display()))?;
    let mut place: Vec<&Path> = jars.iter().map(PathBuf::as_path).collect();
    place.extend([jar, own.as_path(), classes.as_path()]);
    let mut scalac = job.command("java");
    scalac.arg("-cp").arg(class_path(&place)?).args([compiler, "-deprecation", "-Xfatal-warnings"]);
    scalac.arg("-classpath").arg(class_path(&place)?).arg("-d").arg(&classes);
    job.must(scalac.args(sources(&paths::root().join(TESTS).join("scala"), "scala")?))?;
    let mut tests = java(job, &place, out);
    tests.arg("SyntaxTest");
    run(job, tests)
}

/// Clojure's namespaces, which the jar has.
fn clojure(job: &Job, jar: &Path, out: &Path) -> Result<Count> {
    let jars = fetch::jars("clojure")?;
    let mut place: Vec<&Path> = jars.iter().map(PathBuf::as_path).collect();
    place.push(jar);
    let mut tests = java(job, &place, out);
    tests.arg("clojure.main").arg(paths::root().join(TESTS).join("clojure/core_test.clj"));
    run(job, tests)
}

/// A program over the jar alone, in a fresh folder, with a home of its own.
fn outside(job: &Job, jar: &Path, out: &Path) -> Result<Count> {
    let place = out.join("outside");
    fs::create_dir_all(&place).context(|| format!("creating {}", place.display()))?;
    let own = place.join("mxr.jar");
    fs::copy(jar, &own).context(|| "copying the jar")?;
    let source = paths::root().join(TESTS).join("outside/Outside.java");
    compile(job, &[&own], &[source], &place)?;
    let mut java = Command::new("java");
    java.current_dir(&place).env_remove("MXR_LIBRARY").env_remove("XDG_CACHE_HOME");
    java.arg(format!("-Duser.home={}", place.display())).args(["-cp", "mxr.jar:.", "Outside"]);
    let count = run(job, java)?;
    if !place.join(".cache/mxr/jvm").exists() {
        bail!("the program outside did not unpack the jar's libraries");
    }
    Ok(count)
}
