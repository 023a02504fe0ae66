//! The stage of the R binding: every operator's cases by its public functions, the source package under `R CMD check`
//! with its tests, and programs outside over the package, installed in a fresh library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bail;
use crate::count::Count;
use crate::dist::{self, Profile};
use crate::error::{Context, Result};
use crate::stage::Job;
use crate::venv::Venv;
use crate::{dist_r, paths};

const FOLDER: &str = "bindings/r";

/// Checks and runs everything; with an operator, its cases alone.
pub fn test(job: &Job) -> Result<Count> {
    dist_r::ensure()?;
    job.must(&mut job.cargo(&["build", "-p", "mxr-capi"]))?;
    let out = paths::target().join("r-tests");
    let library = paths::target().join("debug/libmxr.so");
    let package = match job.operator {
        Some(_) => {
            let package = out.join("mxr");
            let _ = fs::remove_dir_all(&package);
            dist_r::assemble(&package)?;
            package
        }
        None => dist_r::source(Profile::Test)?,
    };
    let place = install(job, &out, &package, &library)?;
    let mut sum = conformance(job, &place)?;
    if job.operator.is_none() {
        sum += program(job, &place, &out)?;
        sum += with_python(job, &place)?;
        sum += check(job, &out, &package, &library)?;
    }
    Ok(sum)
}

/// Installs a package in a fresh library, with libmxr inside.
fn install(job: &Job, out: &Path, package: &Path, library: &Path) -> Result<PathBuf> {
    let place = out.join("library");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).context(|| format!("creating {}", place.display()))?;
    let mut command = job.command("R");
    command.args(["CMD", "INSTALL", "--no-docs"]).arg(format!("--library={}", place.display())).arg(package);
    job.must(command.env("MXR_LIBRARY", library))?;
    Ok(place)
}

/// A program of R over an installed package, which finds its own libmxr.
fn script(job: &Job, place: &Path) -> Command {
    let mut command = job.command("Rscript");
    command.env_remove("MXR_LIBRARY").env("R_LIBS", place).env("MXR_CHECK", "1");
    command
}

fn counted(job: &Job, command: &mut Command) -> Result<Count> {
    let done = job.watch(command)?;
    let count = Count::from_plain(&done.text);
    Ok(count.context(|| "a program did not print `N passed, N failed`")?.settled(done.success))
}

fn conformance(job: &Job, place: &Path) -> Result<Count> {
    let mut command = script(job, place);
    command.arg(format!("{FOLDER}/conformance/run.R")).arg(paths::root()).args(&job.operator);
    counted(job, &mut command)
}

/// The tests that need more than the package: other processes, other libraries, other languages.
fn program(job: &Job, place: &Path, out: &Path) -> Result<Count> {
    let mut command = script(job, place);
    command.arg(paths::root().join(FOLDER).join("outside/run.R")).arg(paths::root().join("include"));
    counted(job, command.current_dir(out))
}

/// R in a process of Python's, either of which loads its package first.
fn with_python(job: &Job, place: &Path) -> Result<Count> {
    let wheel = dist::python(Profile::Test)?;
    let venv = Venv::ready("test")?;
    venv.install_wheel(&wheel)?;
    let mut sum = Count::default();
    for first in ["r", "python"] {
        let mut command = job.command("R");
        command.arg("CMD").arg(venv.python()).arg(format!("{FOLDER}/outside/with_python.py")).arg(first);
        command.env_remove("MXR_LIBRARY").env("R_LIBS", place).env("MXR_CHECK", "1");
        sum += counted(job, &mut command)?;
    }
    Ok(sum)
}

/// `R CMD check` as CRAN does it, which runs the package's tests.
fn check(job: &Job, out: &Path, package: &Path, library: &Path) -> Result<Count> {
    let mut command = job.command("R");
    command.args(["CMD", "check", "--as-cran", "--no-manual"]).arg(package).current_dir(out);
    // What asks the network, or the clock of another machine, is not for a test.
    let quiet = [("_R_CHECK_CRAN_INCOMING_", "false"), ("_R_CHECK_FUTURE_FILE_TIMESTAMPS_", "false")];
    let done = job.watch(command.env("MXR_LIBRARY", library).env("MXR_CHECK", "1").envs(quiet))?;
    let report = out.join("mxr.Rcheck");
    let log = fs::read_to_string(report.join("00check.log")).context(|| "R CMD check left no log")?;
    for line in log.lines().filter(|line| line.contains("... WARNING") || line.contains("... ERROR")) {
        println!("{line}");
    }
    let clean = done.success && !log.contains("... WARNING") && !log.contains("... ERROR");
    let tests = fs::read_to_string(report.join("tests/testthat.Rout"))
        .or_else(|_| fs::read_to_string(report.join("tests/testthat.Rout.fail")))
        .context(|| "R CMD check ran no tests")?;
    let Some(mut sum) = Count::from_plain(&tests) else {
        bail!("the tests did not print `N passed, N failed`")
    };
    sum += Count::one(clean);
    Ok(sum)
}
