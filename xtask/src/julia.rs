//! The stage of the Julia package: every operator's cases on a libmxr of the development profile, then the package
//! that `dist julia` makes, put into a fresh project without a network: its own tests, and a small program over it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::count::Count;
use crate::dist::Profile;
use crate::error::{Context, Result};
use crate::julia_runtime::Julia;
use crate::stage::Job;
use crate::{cases, dist_julia, paths};

const FOLDER: &str = "bindings/julia";

/// Runs everything; with an operator, its cases alone.
pub fn test(job: &Job) -> Result<Count> {
    job.must(&mut job.cargo(&["build", "-p", "mxr-capi"]))?;
    let julia = Julia::ready()?;
    let mut sum = Count::or_failed(conformance(job, &julia));
    if job.operator.is_none() {
        sum += Count::or_failed(package(job, &julia));
    }
    Ok(sum)
}

fn conformance(job: &Job, julia: &Julia) -> Result<Count> {
    let folder = paths::root().join(FOLDER);
    let mut command = julia.command(job, &folder);
    command.arg(folder.join("test/conformance.jl")).arg(cases::write()?).arg(folder.join("test/quirks.json"));
    command.args(&job.operator);
    command.env("MXR_LIBRARY", paths::target().join("debug/libmxr.so")).env("MXR_CHECK", "1");
    run(job, &mut command)
}

/// Unpacks the package, adds it to a fresh project, and runs its tests and the program outside.
fn package(job: &Job, julia: &Julia) -> Result<Count> {
    let archive = dist_julia::build(Profile::Test)?;
    let place = paths::target().join("julia/outside");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).context(|| format!("creating {}", place.display()))?;
    job.must(job.command("tar").arg("-xzf").arg(archive).arg("-C").arg(&place))?;
    let project = place.join("project");
    let unpacked = unpacked(&place)?;
    let add = format!("using Pkg; Pkg.develop(PackageSpec(path = {:?}))", unpacked.display().to_string());
    job.must(julia.command(job, &project).arg("-e").arg(add))?;
    let mut tests = julia.command(job, &project);
    tests.env("MXR_CHECK", "1").env("MXR_GRAPHS", paths::root().join("tests/conformance/graphs/files"));
    let mut sum = Count::or_failed(run(job, tests.arg("-e").arg("using Pkg; Pkg.test(\"MXR\")")));
    let program = paths::root().join(FOLDER).join("test/outside.jl");
    sum += Count::or_failed(run(job, julia.command(job, &project).arg(program)));
    Ok(sum)
}

/// The only folder in a folder.
fn unpacked(place: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(place).context(|| format!("reading {}", place.display()))?.flatten();
    Ok(entries.next().context(|| "the package is empty")?.path())
}

fn run(job: &Job, command: &mut Command) -> Result<Count> {
    let done = job.watch(command)?;
    let count = Count::from_plain(&done.text);
    Ok(count.context(|| "a program did not print `N passed, N failed`")?.settled(done.success))
}
