//! The stage of the C++ binding: its programs in `bindings/cpp/tests` on a libmxr of the development profile, and a
//! program outside, built by CMake and by pkg-config over the package that `dist cpp` makes.
//!
//! Each program ends with the line `N passed, N failed`. `conformance` is made of two sources, one of them generated.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bail;
use crate::count::Count;
use crate::dist::Profile;
use crate::error::{Context, Result};
use crate::stage::Job;
use crate::venv::Venv;
use crate::{capi, cases, dist_cpp, paths};

const FOLDER: &str = "bindings/cpp/tests";
/// Optimisation would take longer than it saves.
const FLAGS: [&str; 7] = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O0", "-pthread"];
/// The operators' cases.
const CONFORMANCE: &str = "conformance";
const PROGRAMS: [&str; 6] = ["arrays", "control", "fit", "lifetimes", "module", "training"];

/// Compiles and runs everything; with an operator, its cases alone.
pub fn test(job: &Job) -> Result<Count> {
    job.must(&mut job.cargo(&["build", "-p", "mxr-capi"]))?;
    let out = paths::target().join("cpp-tests");
    fs::create_dir_all(&out).context(|| format!("creating {}", out.display()))?;
    let library = paths::target().join("debug");
    capi::link_soname(&library, &out)?;
    let mut sum = Count::or_failed(conformance(job, &library, &out));
    if job.operator.is_some() {
        return Ok(sum);
    }
    for name in PROGRAMS {
        let source = paths::root().join(FOLDER).join(name).with_extension("cpp");
        sum += Count::or_failed(
            program(job, &library, &out, name, &[source]).and_then(|p| run(job, Command::new(p), &out)),
        );
    }
    sum += Count::or_failed(outside(job, &out));
    Ok(sum)
}

fn conformance(job: &Job, library: &Path, out: &Path) -> Result<Count> {
    let cases = cases::write()?;
    let folder = paths::root().join(FOLDER);
    let sources = [folder.join("conformance.cpp"), folder.join("gen/callers.cpp")];
    let mut command = Command::new(program(job, library, out, CONFORMANCE, &sources)?);
    command.arg(cases).arg(folder.join("quirks.json")).args(&job.operator);
    run(job, command, out)
}

/// Compiles a program of some sources.
fn program(job: &Job, library: &Path, out: &Path, name: &str, sources: &[PathBuf]) -> Result<PathBuf> {
    let root = paths::root();
    let path = out.join(name);
    let mut compile = job.command("c++");
    compile.args(FLAGS);
    for folder in ["include", "capi/tests", FOLDER] {
        compile.arg("-I").arg(root.join(folder));
    }
    compile.args(sources).arg("-o").arg(&path).arg("-L").arg(library).arg("-lmxr");
    job.must(&mut compile)?;
    Ok(path)
}

fn run(job: &Job, mut command: Command, out: &Path) -> Result<Count> {
    if job.full {
        command.env("MXR_TEST_FULL", "1");
    }
    command.current_dir(out).env("LD_LIBRARY_PATH", out).env("MXR_CHECK", "1");
    let done = job.watch(&mut command)?;
    let count = Count::from_plain(&done.text);
    Ok(count.context(|| "a program did not print `N passed, N failed`")?.settled(done.success))
}

/// Builds the program outside with CMake and with pkg-config over the unpacked package, and runs both.
fn outside(job: &Job, out: &Path) -> Result<Count> {
    let archive = dist_cpp::build(Profile::Test)?;
    let place = out.join("package");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).context(|| format!("creating {}", place.display()))?;
    job.must(job.command("tar").arg("-xzf").arg(archive).arg("-C").arg(&place).arg("--strip-components=1"))?;
    let source = paths::root().join(FOLDER).join("outside");
    let build = out.join("outside-build");
    let _ = fs::remove_dir_all(&build);
    let tools = Venv::ready("cpp")?;
    let mut configure = tools.command("cmake");
    configure.arg("-S").arg(&source).arg("-B").arg(&build);
    job.must(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", place.display())))?;
    job.must(tools.command("cmake").arg("--build").arg(&build))?;
    let mut sum = run_alone(job, &build.join("outside"), None)?;
    let flags = pkg_config(&tools, &place)?;
    let path = out.join("outside-pkg-config");
    job.must(
        job.command("c++").arg("-std=c++17").arg(source.join("main.cpp")).args(flags).arg("-o").arg(&path),
    )?;
    sum += run_alone(job, &path, Some(&place.join("lib")))?;
    Ok(sum)
}

fn pkg_config(tools: &Venv, place: &Path) -> Result<Vec<String>> {
    let mut command = tools.command("pkgconf");
    command.args(["--cflags", "--libs", "mxr"]).env("PKG_CONFIG_PATH", place.join("lib/pkgconfig"));
    let done = command.output().context(|| "running pkg-config")?;
    if !done.status.success() {
        bail!("pkg-config: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(String::from_utf8_lossy(&done.stdout).split_whitespace().map(str::to_owned).collect())
}

/// Runs a program that finds its library by itself, or in a folder.
fn run_alone(job: &Job, path: &Path, library: Option<&Path>) -> Result<Count> {
    let mut command = Command::new(path);
    command.env_remove("LD_LIBRARY_PATH");
    if let Some(library) = library {
        command.env("LD_LIBRARY_PATH", library);
    }
    let done = job.watch(&mut command)?;
    let count = Count::from_plain(&done.text);
    Ok(count.context(|| "the program outside did not print `N passed, N failed`")?.settled(done.success))
}
